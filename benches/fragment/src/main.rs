//! What does an operator cost, beside a bare futex, a condition variable, and channels of std and crossbeam? And a message
//! from process to process, beside iceoryx2 and Zenoh alone?
//!
//! `podwire-bench-fragment [--quick] [--check] [--within] [--between]` prints tables in Markdown; the last two leave out the
//! other half. The subjects of a table take turns within a round, because machines change their speed; what is compared
//! was measured in the same seconds.

mod between;
mod hop;
mod idle;
#[path = "../../machine.rs"]
mod machine;
mod operators;
mod scaling;
mod stream;

use std::time::Duration;

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Effort {
    /// How often each subject takes its turn.
    pub rounds: usize,
    /// Messages in a turn that are waited for one by one.
    pub hops: u64,
    /// Messages in a turn that follow each other as fast as they can.
    pub stream: u64,
    /// How long idle operators are watched.
    pub idle: Duration,
    /// The largest graph.
    pub operators: usize,
    /// The largest message between processes, in bytes.
    pub largest: usize,
}

const FULL: Effort = Effort {
    rounds: 15,
    hops: 1000,
    stream: 500_000,
    idle: Duration::from_secs(5),
    operators: 1000,
    largest: 64 << 20,
};
const QUICK: Effort = Effort {
    rounds: 5,
    hops: 300,
    stream: 100_000,
    idle: Duration::from_secs(1),
    operators: 256,
    largest: 64 << 20,
};
const CHECK: Effort = Effort {
    rounds: 1,
    hops: 10,
    stream: 1000,
    idle: Duration::from_millis(50),
    operators: 16,
    largest: 64 << 10,
};

/// Turns of several subjects, one after the other in each round; of each the smallest and the middle value.
pub fn in_turns<S: Copy>(subjects: &[S], rounds: usize, mut turn: impl FnMut(S) -> f64) -> Vec<(f64, f64)> {
    let mut values = vec![Vec::new(); subjects.len()];
    for _ in 0..rounds {
        for (subject, values) in subjects.iter().zip(&mut values) {
            values.push(turn(*subject));
        }
    }
    let summed_up = values.into_iter().map(|mut values| {
        values.sort_by(f64::total_cmp);
        (values[0], values[values.len() / 2])
    });
    summed_up.collect()
}

/// A row of a table.
pub fn row(name: &str, cells: &[String]) {
    println!("| {name} | {} |", cells.join(" | "));
}

/// The head of a table.
pub fn head(title: &str, name: &str, cells: &[&str]) {
    println!("\n### {title}\n\n| {name} | {} |", cells.join(" | "));
    println!("|---|{}", "--:|".repeat(cells.len()));
}

fn main() -> Result<(), between::Failure> {
    iceoryx2::prelude::set_log_level(iceoryx2::prelude::LogLevel::Fatal);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--receive") {
        return between::receive(&arguments);
    }
    let asked = |option| arguments.iter().any(|argument| argument == option);
    let effort = if asked("--check") {
        CHECK
    } else if asked("--quick") {
        QUICK
    } else {
        FULL
    };
    println!("# Operators and links, measured\n\n{}.", machine::describe());
    if !asked("--between") {
        hop::measure(effort);
        stream::measure(effort);
        scaling::measure(effort);
        idle::measure(effort);
    }
    if !asked("--within") {
        between::measure_all(effort);
    }
    Ok(())
}
