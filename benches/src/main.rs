//! podwire beside other codecs, beside memcpy, and Fast I/O at two sizes: all in one process and one run.
//!
//! Each file of `groups` is one question; `shapes` are the data, from fixed seeds; `codecs` are the subjects, one file
//! each; `runner` measures, `report` prints, `summary` sums up and `plot` draws. Nothing is measured that did not round-trip first.

mod codecs;
mod groups;
mod machine;
mod options;
mod plot;
mod random;
mod report;
mod runner;
mod shapes;
mod summary;

use std::fs;
use std::io;
use std::process::ExitCode;

use options::{Options, Task};
use runner::{Group, Runner};

fn main() -> ExitCode {
    let options = match Options::from_arguments(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let mut failures = Vec::new();
    let mut groups = groups::make(|group| options.wants(group), &mut failures);
    match &options.task {
        Task::Measure => {
            if let Err(error) = measure(&options, &mut groups, &failures) {
                failures.push(format!("the report: {error}"));
            }
        }
        Task::Check => {}
        Task::Repeat(cell, times) => {
            if !groups.iter_mut().any(|group| group.repeat(cell, *times)) {
                failures.push(missing(cell, &groups));
            }
        }
        Task::Count(cell) => {
            if !groups.iter_mut().any(|group| group.count(cell)) {
                failures.push(missing(cell, &groups));
            }
        }
        #[cfg(feature = "memory")]
        Task::Memory => println!("{}", groups::memory::table(&mut failures)),
        #[cfg(not(feature = "memory"))]
        Task::Memory => failures.push("this is a build without the feature `memory`".to_owned()),
    }
    for failure in &failures {
        eprintln!("FAILED: {failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures the groups, prints what came out, and writes it down where that is wanted.
fn measure(options: &Options, groups: &mut [Group], failures: &[String]) -> io::Result<()> {
    let mut runner = Runner::new(options.rounds, options.budget);
    for group in &mut *groups {
        eprintln!("measuring {}", group.title());
        runner.measure(group);
    }
    let mut report = report::markdown(groups, &runner, failures);
    if let Some(path) = &options.append {
        report.push('\n');
        report.push_str(&fs::read_to_string(path)?);
    }
    println!("{report}");
    if let Some(folder) = &options.out {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("performance.md"), &report)?;
        fs::write(folder.join("performance.svg"), plot::svg(groups))?;
        fs::write(folder.join("summary.md"), summary::markdown(groups, &runner))?;
        fs::write(folder.join("figures.csv"), summary::figures(groups))?;
    }
    Ok(())
}

fn missing(cell: &str, groups: &[Group]) -> String {
    let names: Vec<String> = groups.iter().flat_map(Group::cell_names).collect();
    format!("there is no cell {cell}; of its group there are: {}", names.join(", "))
}
