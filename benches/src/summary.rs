//! What the README shows of the figures, and the bare figures for whoever wants to do something else with them.

use std::fmt::Write as _;

use crate::codecs::OURS;
use crate::groups::{BORROWED, OWNED, SERIALIZE};
use crate::machine;
use crate::report::{best_peer, ratio, show};
use crate::runner::{Cell, Group, Runner};

/// The shapes that codecs are compared in, in words.
const SHAPES: [(&str, &str); 5] = [
    ("mesh", "125,000 structs of 12 `f32`"),
    ("log", "10,000 records of short strings"),
    ("players", "2,000 nested records"),
    ("telemetry", "500 packets of small fixed samples"),
    ("tree", "1,000 functions, recursive enums"),
];

/// Groups and measures of which a subject is compared with the first one, in words.
const FLOORS: [(&str, &str, &str, &str); 7] = [
    ("mesh", SERIALIZE, OURS, "*mesh*, serialize, over memcpy"),
    ("mesh", OWNED, OURS, "*mesh*, owned, over memcpy into fresh memory"),
    (
        "frame",
        "serialize and deserialize by reference",
        "segment of 64 MiB",
        "64 MiB by reference over 8 KiB",
    ),
    (
        "access",
        "get + map + first and last byte",
        "64 MiB",
        "64 MiB of shared memory, got and mapped, over 8 KiB",
    ),
    ("registry", "encode", "by type", "a struct of 24 bytes, encoded by its type, over the static call"),
    ("registry", "decode and drop", "by name", "the same, decoded by its name, over the static call"),
    (
        "registry",
        "read a message and drop",
        "by name",
        "a whole message of it, read by its name, over the static call",
    ),
];

/// Ours over the best peer, and over the floors.
pub(crate) fn markdown(groups: &[Group], runner: &Runner) -> String {
    let mut text = format!(
        "Minima over those of the best peer, named beside; below 1 podwire is faster. All limits are on. {}; {}:\n\n",
        machine::short(),
        runner.length()
    );
    text.push_str("| | serialize | owned, drop included | borrowed |\n|---|--:|--:|--:|\n");
    let group = |name| groups.iter().find(|group: &&Group| group.name() == name);
    for (name, words) in SHAPES {
        let Some(group) = group(name) else { continue };
        let _ = write!(text, "| *{name}*: {words} |");
        for measure in [SERIALIZE, OWNED, BORROWED] {
            let best = best_peer(group, measure);
            let ratio = best.and_then(|best| ratio(find(group, measure, OURS)?, best));
            let cell = match (best, ratio) {
                (Some(best), Some(below)) if below < 1.0 => format!("**{}** {}", show(ratio), best.subject),
                (Some(best), Some(_)) => format!("{} {}", show(ratio), best.subject),
                _ => "-".to_owned(),
            };
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    text.push_str("\n| | ratio |\n|---|--:|\n");
    for (name, measure, subject, words) in FLOORS {
        let Some(group) = group(name) else { continue };
        let base = group.cells().iter().find(|cell| cell.measure == measure);
        let ratio = base.and_then(|base| ratio(find(group, measure, subject)?, base));
        let _ = writeln!(text, "| {words} | {} |", show(ratio));
    }
    text
}

fn find<'g>(group: &'g Group, measure: &str, subject: &str) -> Option<&'g Cell> {
    group.cells().iter().find(|cell| cell.measure == measure && cell.subject == subject)
}

/// One line per cell: times in seconds, and how many samples count.
pub(crate) fn figures(groups: &[Group]) -> String {
    let mut text = String::from("group;subject;measure;bytes;items;minimum;median;samples\n");
    for group in groups {
        for cell in group.cells() {
            let Some(figures) = cell.figures() else { continue };
            let _ = writeln!(
                text,
                "{};{};{};{};{};{:e};{:e};{}",
                group.name(),
                cell.subject,
                cell.measure,
                cell.bytes,
                cell.items.1,
                figures.minimum,
                figures.median,
                figures.samples
            );
        }
    }
    text
}
