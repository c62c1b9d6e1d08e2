//! What does an operator cost, beside a bare futex, a condition variable, and channels of std and crossbeam?
//!
//! `podwire-bench-fragment [--quick] [--check]` prints tables in Markdown. The subjects of a table take turns within a round,
//! because machines change their speed; what is compared was measured in the same seconds.

mod hop;
mod idle;
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
}

const FULL: Effort =
    Effort { rounds: 15, hops: 1000, stream: 500_000, idle: Duration::from_secs(5), operators: 1000 };
const QUICK: Effort =
    Effort { rounds: 5, hops: 300, stream: 100_000, idle: Duration::from_secs(1), operators: 256 };
const CHECK: Effort =
    Effort { rounds: 1, hops: 10, stream: 1000, idle: Duration::from_millis(50), operators: 16 };

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

fn main() {
    let asked = |option| std::env::args().any(|argument| argument == option);
    let effort = if asked("--check") {
        CHECK
    } else if asked("--quick") {
        QUICK
    } else {
        FULL
    };
    println!("{} processors", std::thread::available_parallelism().map_or(0, usize::from));
    hop::measure(effort);
    stream::measure(effort);
    scaling::measure(effort);
    idle::measure(effort);
}
