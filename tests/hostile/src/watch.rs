//! Looking after a child: it may die, or stand still, and another one goes on behind the input that did it.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::child::found;
use crate::note::{Count, Note};

/// Processor time, in seconds, in which a child has to be done with an input.
const STILL: f64 = 5.0;
/// How a child ended.
pub(crate) enum End {
    Done,
    Died(String),
    Still,
}

/// What a child left.
pub(crate) struct Ended {
    pub(crate) counts: Vec<u64>,
    pub(crate) found: String,
    pub(crate) end: End,
}

/// Has a range decoded, by one child after the other if they die.
pub(crate) fn watch(
    build: &Path,
    phase: &str,
    mut range: Range<u64>,
    seed: u64,
    path: &Path,
) -> io::Result<Vec<Ended>> {
    let mut all = Vec::new();
    while !range.is_empty() {
        let note = Note::create(path)?;
        let (lines, errors) = (found(path), path.with_extension("errors"));
        fs::write(&lines, "")?;
        let mut child = Command::new(build)
            .args(["child", phase, &range.start.to_string(), &range.end.to_string(), &seed.to_string()])
            .arg(path)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&errors)?)
            .spawn()?;
        let end = wait(&mut child, &note, &errors)?;
        let counts: Vec<u64> = Count::ALL.into_iter().map(|count| note.get(count)).collect();
        range.start = if matches!(end, End::Done) { range.end } else { note.get(Count::Input) + 1 };
        all.push(Ended { counts, found: fs::read_to_string(&lines)?, end });
        [path, &lines, &errors].iter().try_for_each(fs::remove_file)?;
    }
    Ok(all)
}

/// Waits for a child as long as it gets on.
fn wait(child: &mut Child, note: &Note, errors: &Path) -> io::Result<End> {
    let (mut last, mut since) = (None, 0.0);
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            if status.success() {
                return Ok(End::Done);
            }
            let text = fs::read_to_string(errors)?.replace('\n', " ");
            if status.code().is_some() {
                return Err(io::Error::other(format!("a child failed outside of its net: {text}")));
            }
            return Ok(End::Died(format!("{status}: {}", text.trim())));
        }
        let now = (note.get(Count::Input), note.get(Count::Way), note.get(Count::Done));
        let used = processor_time(child.id());
        if last != Some(now) {
            (last, since) = (Some(now), used);
        } else if used - since > STILL {
            child.kill()?;
            child.wait()?;
            return Ok(End::Still);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Seconds that a process has had of a processor.
fn processor_time(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Behind the name, which may be anything in brackets: the twelfth and thirteenth word, in hundredths.
    let words: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |word: usize| words.get(word).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
