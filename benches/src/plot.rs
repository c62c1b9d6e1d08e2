//! The figures as a picture: SVG, which needs no library to be written.
//!
//! Above, one row per shape and measure and one dot per codec, by its time over the best peer's. Below, how the time for
//! one item grows with their number. Both scales are logarithmic.

use std::fmt::Write as _;

use crate::codecs::OURS;
use crate::groups::{BORROWED, OWNED, SERIALIZE};
use crate::report::{best_peer, in_order, lines};
use crate::runner::{Group, Style};

const WIDTH: f64 = 900.0;
/// Where the scale begins, and ends.
const LEFT: f64 = 170.0;
const RIGHT: f64 = WIDTH - 30.0;
/// The ratios there; what is slower stands at the end.
const FROM: f64 = 0.5;
const TO: f64 = 16.0;
const ROW: f64 = 22.0;
const HEAD: f64 = 70.0;
/// The height of the lower picture.
const GROWTH: f64 = 260.0;
/// One colour per peer, and one for what is no codec.
const COLOURS: [&str; 9] =
    ["#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#d55e00", "#8c6d31", "#7b6fd0", "#7a7a7a", "#b0b0b0"];
const OUR_COLOUR: &str = "#0b3d91";

/// A row of the upper picture.
struct Row {
    label: String,
    /// Who, and the time over the best peer's.
    ratios: Vec<(String, f64)>,
}

/// Both pictures.
pub(crate) fn svg(groups: &[Group]) -> String {
    let rows: Vec<Row> = groups.iter().flat_map(rows).collect();
    let subjects =
        in_order(rows.iter().flat_map(|row| row.ratios.iter().map(|(subject, _)| subject.as_str())));
    let height = HEAD + ROW * rows.len() as f64 + 50.0 + GROWTH + 40.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    label(&mut text, LEFT, 18.0, "start", "Time over the best peer's; further left is faster");
    legend(&mut text, &subjects);
    scale(&mut text, rows.len());
    for (index, row) in rows.iter().enumerate() {
        let y = HEAD + ROW * (index as f64 + 0.5);
        label(&mut text, LEFT - 8.0, y + 4.0, "end", &row.label);
        // Ours last, on top of the others.
        for (subject, ratio) in row.ratios.iter().rev() {
            let (colour, radius) = style(&subjects, subject);
            let x = x(*ratio);
            let _ = writeln!(
                text,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{colour}\"><title>{subject} \
                 {ratio:.2}</title></circle>"
            );
        }
    }
    growth(&mut text, groups, HEAD + ROW * rows.len() as f64 + 50.0);
    text.push_str("</svg>\n");
    text
}

/// The rows of a group, one per measure that more than one codec has.
fn rows(group: &Group) -> Vec<Row> {
    let measures = [SERIALIZE, OWNED, BORROWED].into_iter();
    let row = |measure| {
        let cells = group.cells().iter().filter(|cell| cell.measure == measure);
        let times = cells.filter_map(|cell| Some((cell, cell.figures()?.minimum)));
        let mut ratios: Vec<(String, f64)> = times.map(|(cell, time)| (cell.subject.clone(), time)).collect();
        let best = best_peer(group, measure)?.figures()?.minimum;
        ratios.iter_mut().for_each(|(_, time)| *time /= best);
        // Ours first.
        ratios.sort_by_key(|(subject, _)| subject != OURS);
        Some(Row { label: format!("{}, {measure}", group.name()), ratios })
    };
    if group.style() == Style::Growth { Vec::new() } else { measures.filter_map(row).collect() }
}

fn x(ratio: f64) -> f64 {
    let share = (ratio.clamp(FROM, TO) / FROM).log2() / (TO / FROM).log2();
    LEFT + share * (RIGHT - LEFT)
}

/// Colour and size of a subject's dot.
fn style(subjects: &[&str], subject: &str) -> (&'static str, f64) {
    if subject == OURS {
        return (OUR_COLOUR, 6.5);
    }
    let peers = subjects.iter().filter(|other| **other != OURS);
    let index = peers.take_while(|other| **other != subject).count();
    (COLOURS[index.min(COLOURS.len() - 1)], 4.0)
}

fn legend(text: &mut String, subjects: &[&str]) {
    let mut at = 20.0;
    for subject in subjects {
        let (colour, radius) = style(subjects, subject);
        let _ = writeln!(text, "<circle cx=\"{at}\" cy=\"36\" r=\"{radius}\" fill=\"{colour}\"/>");
        label(text, at + 10.0, 40.0, "start", subject);
        at += 26.0 + 6.6 * subject.len() as f64;
    }
}

fn scale(text: &mut String, rows: usize) {
    let bottom = HEAD + ROW * rows as f64;
    for ratio in [0.5, 0.7, 1.0, 1.4, 2.0, 4.0, 8.0, 16.0] {
        let (x, colour) = (x(ratio), if ratio == 1.0 { "#444444" } else { "#dddddd" });
        line(text, &[(x, HEAD - 4.0), (x, bottom)], colour, 1.0);
        label(text, x, HEAD - 8.0, "middle", &format!("{ratio}"));
    }
}

/// The lower picture: a line per codec, measure and kind of item.
fn growth(text: &mut String, groups: &[Group], top: f64) {
    let Some(group) = groups.iter().find(|group| group.style() == Style::Growth) else { return };
    label(
        text,
        LEFT,
        top,
        "start",
        "Time for one item, by how many there are (one: 1), podwire; level is linear",
    );
    let lines = lines(group);
    let ours: Vec<_> = lines.iter().filter(|line| line.subject == OURS && line.times.len() == 3).collect();
    let right = RIGHT - 160.0;
    let at = |step: usize| LEFT + step as f64 / 2.0 * (right - LEFT);
    let height =
        |ratio: f64| top + GROWTH - 20.0 - (ratio.clamp(0.25, 4.0) / 0.25).log2() / 4.0 * (GROWTH - 40.0);
    for ratio in [0.25, 0.5, 1.0, 2.0, 4.0] {
        let colour = if ratio == 1.0 { "#444444" } else { "#dddddd" };
        line(text, &[(LEFT, height(ratio)), (right, height(ratio))], colour, 1.0);
        label(text, LEFT - 8.0, height(ratio) + 4.0, "end", &format!("{ratio}"));
    }
    for (step, name) in ["1x", "10x", "100x"].into_iter().enumerate() {
        label(text, at(step), top + GROWTH, "middle", name);
    }
    // Names beside the ends of the lines, in the order of those, not on top of each other.
    let mut ends: Vec<(f64, String, &str)> = Vec::new();
    for (index, ours) in ours.iter().enumerate() {
        let points: Vec<_> = ours
            .times
            .iter()
            .enumerate()
            .map(|(step, time)| (at(step), height(time / ours.times[0])))
            .collect();
        let colour = COLOURS[index % COLOURS.len()];
        line(text, &points, colour, 2.0);
        ends.push((points[2].1, format!("{}, {}", ours.of, ours.measure), colour));
    }
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut free = f64::MIN;
    for (y, name, colour) in ends {
        let y = y.max(free);
        free = y + 14.0;
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
            right + 8.0,
            y + 4.0
        );
    }
}

fn line(text: &mut String, points: &[(f64, f64)], colour: &str, width: f64) {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let points = points.join(" ");
    let _ = writeln!(
        text,
        "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>"
    );
}

fn label(text: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let _ = writeln!(text, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
}
