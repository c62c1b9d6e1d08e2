//! podwire beside other codecs, beside memcpy, and Fast I/O at two sizes: all in one process and one run.
//!
//! Each file of `groups` is one question; `shapes` are the data, from fixed seeds; `codecs` are the subjects, one file
//! each; `runner` measures and `report` prints. Nothing is measured that did not round-trip first.

mod codecs;
mod groups;
mod machine;
mod options;
mod random;
mod report;
mod runner;
mod shapes;

use std::process::ExitCode;

use options::Options;
use runner::Runner;

fn main() -> ExitCode {
    let options = match Options::from_arguments(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let mut failures = Vec::new();
    let mut groups = groups::all(&mut failures);
    if let Some((cell, times)) = &options.single {
        if groups.iter_mut().any(|group| group.repeat(cell, *times)) {
            return ExitCode::SUCCESS;
        }
        eprintln!("there is no cell {cell}; there are:");
        groups.iter().flat_map(runner::Group::cell_names).for_each(|name| eprintln!("  {name}"));
        return ExitCode::from(2);
    }
    let mut runner = Runner::new(options.rounds);
    for group in &mut groups {
        eprintln!("measuring {}", group.title());
        runner.measure(group);
    }
    let report = report::markdown(&groups, &runner, &failures);
    println!("{report}");
    if let Some(path) = &options.out
        && let Err(error) = report::write(path, &report)
    {
        eprintln!("cannot write {}: {error}", path.display());
        return ExitCode::FAILURE;
    }
    for failure in &failures {
        eprintln!("FAILED: {failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
