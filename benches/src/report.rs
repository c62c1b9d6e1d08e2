//! The figures as Markdown.

use std::fmt::Write as _;

use crate::codecs::OURS;
use crate::groups::FLOORS;
use crate::machine;
use crate::runner::{Cell, Figures, Group, Runner, Style};

/// All groups.
pub(crate) fn markdown(groups: &[Group], runner: &Runner, failures: &[String]) -> String {
    let mut text = String::from("# podwire, measured\n\n");
    let (kept, taken) = runner.kept();
    let _ = writeln!(text, "{}", machine::describe());
    let _ = writeln!(
        text,
        "- {}; {kept} of {taken} samples count; the others were taken while the machine had another speed",
        runner.length()
    );
    let _ = writeln!(text, "\nTimes are `minimum / median`; ratios are of minima, and below 1 is faster.");
    for group in groups {
        let _ = writeln!(text, "\n## {}\n", group.title());
        match group.style() {
            Style::Codecs => codecs(&mut text, group),
            Style::Ratios => ratios(&mut text, group),
            Style::Growth => growth(&mut text, group),
        }
    }
    for failure in failures {
        let _ = writeln!(text, "\n**Failed:** {failure}");
    }
    text
}

/// One row per cell, each over the first one of its measure.
fn ratios(text: &mut String, group: &Group) {
    text.push_str("| measure | subject | time | ratio |\n|---|---|--:|--:|\n");
    for cell in group.cells() {
        let base = group.cells().iter().find(|base| base.measure == cell.measure);
        let ratio = base.and_then(|base| ratio(cell, base));
        let figures = time(cell.figures());
        let _ = writeln!(text, "| {} | {} | {figures} | {} |", cell.measure, cell.subject, show(ratio));
    }
}

/// One row per codec, one pair of columns per measure, each over ours; and a last row that compares ours with the best.
fn codecs(text: &mut String, group: &Group) {
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
                    let ratio = find(OURS, measure).and_then(|ours| ratio(cell, ours));
                    let _ = write!(text, " {} | {} |", time(cell.figures()), show(ratio));
                }
                None => text.push_str(" - | - |"),
            }
        }
        let bytes = group.cells().iter().find(|cell| cell.subject == *subject && cell.bytes > 0);
        let _ = writeln!(text, " {} |", bytes.map_or_else(|| "-".to_owned(), |cell| cell.bytes.to_string()));
    }
    let _ = write!(text, "| **{OURS} / best peer** |");
    for measure in &measures {
        let best = best_peer(group, measure);
        let ratio = best.and_then(|best| ratio(find(OURS, measure)?, best));
        let _ = write!(text, " {} | **{}** |", best.map_or("-", |cell| &cell.subject), show(ratio));
    }
    text.push_str(" |\n");
}

/// The cell of the fastest peer for a measure. Floors, such as memcpy, are no peers: they are no codecs, and do not do all.
pub(crate) fn best_peer<'g>(group: &'g Group, measure: &str) -> Option<&'g Cell> {
    let cells = group.cells().iter().filter(|cell| cell.measure == measure);
    let peers = cells.filter(|cell| cell.subject != OURS && !FLOORS.contains(&&*cell.subject));
    let timed = peers.filter_map(|cell| Some((cell, cell.figures()?.minimum)));
    timed.min_by(|one, other| one.1.total_cmp(&other.1)).map(|(cell, _)| cell)
}

/// One row per codec, measure and kind of item, one column per number of items.
fn growth(text: &mut String, group: &Group) {
    text.push_str(
        "| items | measure | subject | 1x | 10x | 100x | 100x to 1x |\n|---|---|---|--:|--:|--:|--:|\n",
    );
    for line in lines(group) {
        let _ = write!(text, "| {} | {} | {} |", line.of, line.measure, line.subject);
        line.times.iter().for_each(|time| text.push_str(&format!(" {:.1} ns |", time * 1e9)));
        if line.times.is_empty() {
            text.push_str(" speed too unsteady | | |");
        }
        let ratio = line.times.first().zip(line.times.last()).map(|(first, last)| last / first);
        let _ = writeln!(text, " {} |", show(ratio));
    }
}

/// How the time for one item grows.
pub(crate) struct Line<'g> {
    /// Kind of item.
    pub(crate) of: &'static str,
    /// What is done with it.
    pub(crate) measure: &'static str,
    /// Who does it.
    pub(crate) subject: &'g str,
    /// Seconds for one item, by their growing number.
    pub(crate) times: Vec<f64>,
}

/// The lines of a group, in the order of their first cells.
pub(crate) fn lines<'g>(group: &'g Group) -> Vec<Line<'g>> {
    let key = |cell: &'g Cell| (cell.items.0, cell.measure, cell.subject.as_str());
    let line = |(of, measure, subject)| {
        let cells = group.cells().iter().filter(|cell| key(cell) == (of, measure, subject));
        // A size without figures would shift the others: then there is no line.
        let times = cells.map(|cell| Some(cell.figures()?.minimum / cell.items.1 as f64));
        Line { of, measure, subject, times: times.collect::<Option<_>>().unwrap_or_default() }
    };
    in_order(group.cells().iter().map(key)).into_iter().map(line).collect()
}

/// Each value once, where it came first.
pub(crate) fn in_order<T: PartialEq>(names: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    names.for_each(|name| {
        if !seen.contains(&name) {
            seen.push(name);
        }
    });
    seen
}

/// Of two minima.
pub(crate) fn ratio(cell: &Cell, base: &Cell) -> Option<f64> {
    Some(cell.figures()?.minimum / base.figures()?.minimum)
}

/// A ratio as it is printed.
pub(crate) fn show(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}

fn time(figures: Option<Figures>) -> String {
    let Some(Figures { minimum, median, .. }) = figures else { return "speed too unsteady".to_owned() };
    if minimum < 1e-5 {
        format!("{:.0} / {:.0} ns", minimum * 1e9, median * 1e9)
    } else {
        format!("{:.1} / {:.1} us", minimum * 1e6, median * 1e6)
    }
}
