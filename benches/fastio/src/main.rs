//! Fast I/O beside iceoryx2, Zenoh, a bare futex, a bare spin and memcpy: one run, one report in Markdown.
//!
//! `podwire-bench-fastio [--quick | --check] [BYTES..]`; `scripts/bench-fastio` says more.

mod alone;
mod between;
mod ice;
mod machine;
mod shared;
#[cfg(feature = "zenoh")]
mod zenoh_shm;

use alone::Memory;
use between::{Mode, SUBJECTS, Subject, measure, parse};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

const SIZES: [usize; 5] = [8, 8 << 10, 1 << 20, 64 << 20, 1 << 30];

/// How much is measured.
struct Effort {
    turns: usize,
    rounds: u64,
    names: &'static [usize],
}

fn size_in_words(size: usize) -> String {
    match size {
        _ if size >= 1 << 30 => format!("{} GiB", size >> 30),
        _ if size >= 1 << 20 => format!("{} MiB", size >> 20),
        _ if size >= 1 << 10 => format!("{} KiB", size >> 10),
        _ => format!("{size} B"),
    }
}

/// A number for a table, or a dash for what was not measured.
fn cell(value: f64) -> String {
    if value.is_finite() { format!("{value:.2}") } else { "-".into() }
}

/// What each subject took, one after the other.
type Turn = Vec<(String, f64)>;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn between_processes(
    mode: Mode,
    sizes: &[usize],
    effort: &Effort,
    cpu: Option<usize>,
) -> Result<(), Failure> {
    let (title, floor) = match mode {
        Mode::Spin => ("spinning", "bare spin"),
        Mode::Sleep => ("blocking", "bare futex"),
    };
    println!("\n## From one process to another, {title}\n");
    println!(
        "Microseconds: the median of each turn's messages, and of {} turns the median. Ratios are those of each turn, \
         in which all were measured within the same seconds, and of these the median: machines change their speed. \
         Below 1 is faster than the peer.\n",
        effort.turns
    );
    println!(
        "| bytes | {floor} | channel | channel, by reference | publish | create and publish | iceoryx2 | Zenoh | \
         channel / iceoryx2 | publish / iceoryx2 | channel / Zenoh | channel - {floor} | publish - {floor} |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for &size in sizes {
        // Three pieces that a channel lends, and what the peers take.
        let wanted = 6 * size as u64 + (1 << 30);
        if size >= 64 << 20 && machine::spare_memory() < wanted {
            println!("| {} | skipped: memory is short | | | | | | | | | | | |", size_in_words(size));
            continue;
        }
        // Fewer of the large ones, whose first rounds touch fresh pages.
        let rounds = if size >= 64 << 20 { (effort.rounds / 4).max(20) } else { effort.rounds };
        let mut turns = Vec::new();
        for _ in 0..effort.turns {
            let mut turn = Vec::new();
            for subject in SUBJECTS.iter().filter(|subject| subject.can_have(size)) {
                turn.push((format!("{subject:?}"), measure(*subject, mode, size, rounds, cpu)?));
            }
            turns.push(turn);
        }
        let of = |turn: &Turn, wanted: &str| {
            let found = turn.iter().find(|(subject, _)| subject == wanted);
            found.map_or(f64::INFINITY, |(_, time)| *time)
        };
        let middle = |figure: &dyn Fn(&Turn) -> f64| median(turns.iter().map(figure).collect());
        let time = |subject| middle(&|turn| of(turn, subject));
        let over = |subject| middle(&|turn| of(turn, subject) - of(turn, "Bare"));
        let ratio = |subject, peer| match time(peer).is_finite() {
            true => middle(&|turn| of(turn, subject) / of(turn, peer)),
            false => f64::INFINITY,
        };
        let cells = [
            time("Bare"),
            time("Channel"),
            time("Reference"),
            time("Publish"),
            time("Create"),
            time("Ice"),
            time("Zenoh"),
            ratio("Channel", "Ice"),
            ratio("Publish", "Ice"),
            ratio("Channel", "Zenoh"),
            over("Channel"),
            over("Publish"),
        ];
        println!("| {} | {} |", size_in_words(size), cells.map(cell).join(" | "));
    }
    Ok(())
}

fn alone(effort: &Effort, check: bool) -> Result<(), Failure> {
    println!("\n## Get what is mapped already\n\nNanoseconds, with dropping the handle; minima.\n");
    println!("| bytes | get | get, map, read both ends | the same, sealed |\n|--:|--:|--:|--:|");
    for size in [8 << 10, 1 << 20, 64 << 20] {
        if check && size > 1 << 20 {
            continue;
        }
        let times = alone::warm_get(size, effort.turns * 20)?;
        println!("| {} | {} |", size_in_words(size), times.map(cell).join(" | "));
    }

    let size = if check { 1 << 20 } else { 64 << 20 };
    println!("\n## {} created, filled, published, got and mapped, against one memcpy\n", size_in_words(size));
    println!("| memcpy, ms | all of it, ms | ratio |\n|--:|--:|--:|");
    let [copied, published] = alone::against_memcpy(size, effort.turns * 5)?;
    println!("| {} | {} | {} |", cell(copied), cell(published), cell(published / copied));

    println!("\n## Many names\n\nNanoseconds a name.\n");
    println!("| names | of | publish | get | list | sweep | take away |\n|--:|:--|--:|--:|--:|--:|--:|");
    for (memory, what) in [(Memory::Own, "an allocation each"), (Memory::Shared, "one allocation")] {
        for &count in effort.names {
            // Two pages of memory each, and what the index takes.
            let wanted = if memory == Memory::Own { count as u64 * 16384 } else { 0 } + (1 << 28);
            let cells = if machine::spare_memory() < wanted {
                "skipped: memory is short | | | |".into()
            } else if memory == Memory::Own && machine::most_maps() < count + count / 8 {
                "skipped: vm.max_map_count is too low | | | |".into()
            } else {
                alone::names(count, memory)?.map(cell).join(" | ")
            };
            println!("| {count} | {what} | {cells} |");
        }
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    iceoryx2::prelude::set_log_level(iceoryx2::prelude::LogLevel::Fatal);
    if let [flag, subject, mode, rounds, name, cpu] = &arguments[..]
        && flag == "--receive"
    {
        let subject: Subject = parse(SUBJECTS, subject).ok_or("no such subject")?;
        let mode = parse(&[Mode::Spin, Mode::Sleep], mode).ok_or("no such mode")?;
        return between::receive(subject, mode, rounds.parse()?, name, cpu.parse().ok());
    }
    let asked = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let effort = match () {
        () if asked("--check") => Effort { turns: 1, rounds: 20, names: &[100] },
        () if asked("--quick") => Effort { turns: 3, rounds: 1000, names: &[1000, 10_000] },
        () => Effort { turns: 9, rounds: 4000, names: &[1000, 10_000, 100_000] },
    };
    let chosen: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if chosen.is_empty() { SIZES.to_vec() } else { chosen };
    println!("# Fast I/O, measured\n\n{}.", machine::describe());
    let pair = machine::pair();
    if let Some((sender, receiver)) = pair {
        println!("The sender runs on processor {sender}, the receiver on processor {receiver}.");
        machine::pin(Some(sender));
    }
    for mode in [Mode::Spin, Mode::Sleep] {
        between_processes(mode, &sizes, &effort, pair.map(|(_, receiver)| receiver))?;
    }
    alone(&effort, asked("--check"))
}
