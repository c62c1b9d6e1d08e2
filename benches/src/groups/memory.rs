//! The most memory that an owned decode holds at a time, over what its result holds: bytes that were asked of the
//! allocator, so that neither its own overhead nor the machine matters.

use std::fmt::Write as _;

use allocation_counter::measure;

use super::shape::add_all;
use crate::codecs::{Reads, Subject, Writes, round_trip};
use crate::report::in_order;
use crate::shapes::{log, mesh, players, telemetry, tree};

/// One value for all codecs, as in `shape`, but what is measured is memory.
struct Peaks<'p, T> {
    name: &'static str,
    value: T,
    failures: &'p mut Vec<String>,
    /// Codec and ratio.
    peaks: Vec<(&'static str, f64)>,
}

impl<T: PartialEq> Peaks<'_, T> {
    fn add<S: Writes<T> + Reads<'static, T>>(&mut self) {
        match round_trip::<S, T>(&self.value) {
            Ok(bytes) => self.peaks.push((S::NAME, ratio::<S, T>(bytes))),
            Err(reason) => self.failures.push(format!("{}: {reason}", self.name)),
        }
    }

    /// What is read where it lies takes no memory.
    #[cfg(feature = "peers")]
    fn access<S: Subject>(&mut self) {}
}

fn ratio<S: Reads<'static, T>, T>(bytes: &'static [u8]) -> f64 {
    // The second decode, so that what a codec keeps for the next one is there.
    let mut codec = S::default();
    drop(codec.decode(bytes).ok());
    let mut value = None;
    let used = measure(|| value = codec.decode(bytes).ok());
    used.bytes_max as f64 / used.bytes_current as f64
}

/// A line of the table: the shape, and the ratio of each codec.
macro_rules! line {
    ($name:literal, $value:expr, $more:tt, $failures:ident) => {{
        let mut peaks = Peaks { name: $name, value: $value, failures: $failures, peaks: Vec::new() };
        add_all!(peaks, $more);
        ($name, peaks.peaks)
    }};
}

/// A table, one line per shape, one column per codec.
pub(crate) fn table(failures: &mut Vec<String>) -> String {
    let lines = [
        line!("mesh", mesh::generate(), [Wincode, Bitcode], failures),
        line!("log", log::generate(log::COUNT), [Wincode, Bitcode], failures),
        line!("players", players::generate(), [Wincode, Bitcode], failures),
        line!("telemetry", telemetry::generate(telemetry::COUNT), [Wincode, Bitcode], failures),
        line!("tree", tree::generate(tree::COUNT), [BitcodeSerde], failures),
    ];
    let mut text = String::from("## peak memory of an owned decode, over its result\n\n| |");
    let codecs = in_order(lines.iter().flat_map(|(_, peaks)| peaks.iter().map(|(codec, _)| *codec)));
    codecs.iter().for_each(|codec| text.push_str(&format!(" {codec} |")));
    let _ = writeln!(text, "\n|---|{}", "--:|".repeat(codecs.len()));
    for (name, peaks) in &lines {
        let _ = write!(text, "| {name} |");
        for codec in &codecs {
            let peak = peaks.iter().find(|(of, _)| of == codec);
            text.push_str(&peak.map_or_else(|| " - |".to_owned(), |(_, ratio)| format!(" {ratio:.2} |")));
        }
        text.push('\n');
    }
    text
}
