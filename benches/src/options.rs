//! The command line.

use std::path::PathBuf;

const USAGE: &str = "usage: bench [--quick | --check] [--out FILE.md] [--cell GROUP/CODEC/MEASURE TIMES]
  --quick   a quarter of the rounds
  --check   every cell once: are the round trips right? Measures nothing worth reading
  --out     writes the report there as well
  --cell    runs one cell so many times and measures nothing: for a profiler";

/// What to run.
#[derive(Debug)]
pub(crate) struct Options {
    /// How many samples each cell gets.
    pub(crate) rounds: usize,
    /// Where the report goes besides standard output.
    pub(crate) out: Option<PathBuf>,
    /// One cell to run, and how often.
    pub(crate) single: Option<(String, u64)>,
}

impl Options {
    /// Reads the arguments; the error is what to print.
    pub(crate) fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { rounds: 600, out: None, single: None };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"));
            match argument.as_str() {
                "--quick" => options.rounds = 150,
                "--check" => options.rounds = 1,
                "--out" => options.out = Some(value()?.into()),
                "--cell" => {
                    let cell = value()?;
                    let times = value()?;
                    let times = times.parse().map_err(|_| format!("{times} is no number\n{USAGE}"))?;
                    options.single = Some((cell, times));
                }
                "--help" | "-h" => return Err(USAGE.to_owned()),
                other => return Err(format!("unknown argument {other}\n{USAGE}")),
            }
        }
        Ok(options)
    }
}
