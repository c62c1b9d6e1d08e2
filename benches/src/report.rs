//! The figures as Markdown.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use crate::codecs::OURS;
use crate::groups::SERIALIZE;
use crate::machine;
use crate::runner::{Cell, Figures, Group, Runner, Style};

/// Writes the report to a file, and makes the folder for it.
pub(crate) fn write(path: &Path, report: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, report)
}

/// All groups.
pub(crate) fn markdown(groups: &[Group], runner: &Runner, failures: &[String]) -> String {
    let mut text = String::from("# podwire, measured\n\n");
    let (kept, taken) = runner.kept();
    let _ = writeln!(text, "{}", machine::describe());
    let _ =
        writeln!(text, "- {kept} of {taken} samples count; the others were taken while the machine was slow");
    let _ = writeln!(text, "\nTimes are `minimum / median`; ratios are of minima, and below 1 is faster.");
    for group in groups {
        let _ = writeln!(text, "\n## {}\n", group.title());
        match group.style() {
            Style::Codecs => codecs(&mut text, group, runner),
            Style::Ratios => ratios(&mut text, group, runner),
        }
    }
    for failure in failures {
        let _ = writeln!(text, "\n**Failed:** {failure}");
    }
    text
}

/// One row per cell, each over the first one of its measure.
fn ratios(text: &mut String, group: &Group, runner: &Runner) {
    text.push_str("| measure | subject | time | ratio |\n|---|---|--:|--:|\n");
    for cell in group.cells() {
        let base = group.cells().iter().find(|base| base.measure == cell.measure);
        let ratio = base.and_then(|base| ratio(cell, base, runner));
        let figures = time(runner.figures(cell));
        let _ = writeln!(text, "| {} | {} | {figures} | {} |", cell.measure, cell.subject, show(ratio));
    }
}

/// One row per codec, one pair of columns per measure, each over ours; and a last row that compares ours with the best.
fn codecs(text: &mut String, group: &Group, runner: &Runner) {
    let measures = in_order(group.cells().iter().map(|cell| cell.measure));
    let subjects = in_order(group.cells().iter().map(|cell| cell.subject.as_str()));
    let find = |subject: &str, measure: &str| {
        group.cells().iter().find(|cell| cell.subject == subject && cell.measure == measure)
    };
    text.push_str("| |");
    measures.iter().for_each(|measure| text.push_str(&format!(" {measure} | to {OURS} |")));
    text.push_str(" bytes |\n|---|");
    text.push_str(&"--:|--:|".repeat(measures.len()));
    text.push_str("--:|\n");
    for subject in &subjects {
        let _ = write!(text, "| {subject} |");
        for measure in &measures {
            match find(subject, measure) {
                Some(cell) => {
                    let ratio = find(OURS, measure).and_then(|ours| ratio(cell, ours, runner));
                    let _ = write!(text, " {} | {} |", time(runner.figures(cell)), show(ratio));
                }
                None => text.push_str(" - | - |"),
            }
        }
        let bytes = group.cells().iter().find(|cell| cell.subject == *subject && cell.bytes > 0);
        let _ = writeln!(text, " {} |", bytes.map_or_else(|| "-".to_owned(), |cell| cell.bytes.to_string()));
    }
    let _ = write!(text, "| **{OURS} / best peer** |");
    for measure in &measures {
        let peers = subjects.iter().filter(|subject| **subject != OURS && find(subject, SERIALIZE).is_some());
        let best = peers
            .filter_map(|subject| find(subject, measure))
            .filter_map(|cell| Some((cell, runner.figures(cell)?.minimum)))
            .min_by(|one, other| one.1.total_cmp(&other.1));
        let ours = find(OURS, measure);
        let ratio = best.and_then(|(best, _)| ratio(ours?, best, runner));
        let _ = write!(text, " {} | **{}** |", best.map_or("-", |(cell, _)| &cell.subject), show(ratio));
    }
    text.push_str(" |\n");
}

/// Each value once, where it came first.
fn in_order<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut seen = Vec::new();
    names.for_each(|name| {
        if !seen.contains(&name) {
            seen.push(name);
        }
    });
    seen
}

fn ratio(cell: &Cell, base: &Cell, runner: &Runner) -> Option<f64> {
    Some(runner.figures(cell)?.minimum / runner.figures(base)?.minimum)
}

fn show(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}

fn time(figures: Option<Figures>) -> String {
    let Some(Figures { minimum, median }) = figures else { return "machine too slow".to_owned() };
    if minimum < 1e-5 {
        format!("{:.0} / {:.0} ns", minimum * 1e9, median * 1e9)
    } else {
        format!("{:.1} / {:.1} us", minimum * 1e6, median * 1e6)
    }
}
