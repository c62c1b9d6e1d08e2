//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::runner::ROUNDS;

const USAGE: &str =
    "usage: bench [--quick | --check] [--only GROUP,..] [--budget SECONDS] [--out FOLDER] [--append FILE.md]
       bench --cell GROUP/CODEC/MEASURE TIMES
       bench --count GROUP/CODEC/MEASURE
       bench --memory
  --quick   a quarter of the rounds, and at most 20 seconds for a group
  --check   are the round trips right? Measures nothing
  --only    these groups
  --budget  at most so many seconds for a group
  --out     writes the report and its plot there as well
  --append  ends the report with the text of that file
  --cell    runs one cell so many times and measures nothing: for a profiler
  --count   runs one cell, and of its runs one within a function that a profiler can tell apart
  --memory  what decoding takes of memory; for a build with the feature `memory`";

/// What to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// Measure, and report.
    Measure,
    /// Nothing: that all round trips are right is seen when the cells are made.
    Check,
    /// Run one cell so often.
    Repeat(String, u64),
    /// Run one cell, once in a function of its own.
    Count(String),
    /// Count bytes.
    Memory,
}

/// How to do it.
#[derive(Debug)]
pub(crate) struct Options {
    /// What to do.
    pub(crate) task: Task,
    /// How many samples each cell gets.
    pub(crate) rounds: usize,
    /// How long a group may take.
    pub(crate) budget: Duration,
    /// The groups that are wanted; all, if none is named.
    pub(crate) only: Vec<String>,
    /// The folder where the report goes besides standard output.
    pub(crate) out: Option<PathBuf>,
    /// The file that the report ends with.
    pub(crate) append: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments; the error is what to print.
    pub(crate) fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            task: Task::Measure,
            rounds: ROUNDS,
            budget: Duration::from_secs(120),
            only: Vec::new(),
            out: None,
            append: None,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"));
            match argument.as_str() {
                "--quick" => (options.rounds, options.budget) = (150, Duration::from_secs(20)),
                "--check" => options.task = Task::Check,
                "--only" => options.only = list(&value()?),
                "--budget" => options.budget = Duration::from_secs(number(&value()?)?),
                "--out" => options.out = Some(value()?.into()),
                "--append" => options.append = Some(value()?.into()),
                "--cell" => {
                    let cell = value()?;
                    options.task = Task::Repeat(cell, number(&value()?)?);
                }
                "--count" => options.task = Task::Count(value()?),
                "--memory" => options.task = Task::Memory,
                "--help" | "-h" => return Err(USAGE.to_owned()),
                other => return Err(format!("unknown argument {other}\n{USAGE}")),
            }
        }
        Ok(options)
    }

    /// Whether a group is to be made.
    pub(crate) fn wants(&self, group: &str) -> bool {
        match &self.task {
            // Growth is the other groups' data again, and more of it.
            Task::Check => group != "growth",
            Task::Measure => self.only.is_empty() || self.only.iter().any(|name| name == group),
            Task::Repeat(cell, _) | Task::Count(cell) => cell.split('/').next() == Some(group),
            Task::Memory => false,
        }
    }
}

fn number(value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{value} is no number\n{USAGE}"))
}

fn list(value: &str) -> Vec<String> {
    value.split(',').map(str::to_owned).collect()
}
