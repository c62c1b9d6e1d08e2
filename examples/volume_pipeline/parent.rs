//! The parent: starts the stages, prints what they tell it, and cleans up after them. It maps nothing itself.
//!
//! Invariant: however [`run`] ends, no stage lives, and the pipeline is gone.

use std::fmt;
use std::io::{self, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::signal_name;
use thiserror::Error;

use crate::ledger::Ledger;
use crate::note::Note;
use crate::pipeline::Pipeline;
use crate::stages::{Errand, Stage};

/// Runs the pipeline and says how it went.
pub(crate) fn run(volume: &Path, picture: &Path) -> ExitCode {
    match try_run(volume, picture, &mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("volume_pipeline: {failure}");
            // As the shell has it for those who die of a signal.
            ExitCode::from(if let Failure::Signal(signal) = failure { 128 + signal as u8 } else { 1 })
        }
    }
}

/// Why there is no picture.
#[derive(Debug, Error)]
enum Failure {
    #[error("{0}: {1}")]
    Told(Stage, String),

    #[error("{0} {1}")]
    Ended(Stage, Ending),

    #[error("{0}: sent what is no note: {1}")]
    Garbled(Stage, podwire::Error),

    #[error("ended by {}", signal_name(*.0).unwrap_or("a signal"))]
    Signal(i32),

    #[error(transparent)]
    FastIo(#[from] podwire::fastio::Error),

    #[error("cannot start or watch the stages: {0}")]
    Start(#[source] io::Error),

    #[error("cannot write to the standard output: {0}")]
    Print(#[from] io::Error),
}

/// How a process ended that gave no reason.
#[derive(Debug)]
struct Ending(ExitStatus);

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.signal(), self.0.code()) {
            (Some(signal), _) => match signal_name(signal) {
                Some(name) => write!(f, "was killed by {name}"),
                None => write!(f, "was killed by signal {signal}"),
            },
            (None, Some(code)) => write!(f, "ended with exit code {code}"),
            (None, None) => write!(f, "ended"),
        }
    }
}

/// What the parent waits for.
enum Event {
    Note(Stage, Note),
    /// The stage's pipe is closed.
    Closed(Stage),
    Garbled(Stage, podwire::Error),
    Signal(i32),
}

fn try_run(volume: &Path, picture: &Path, out: &mut impl Write) -> Result<(), Failure> {
    let (sender, events) = mpsc::channel();
    watch_signals(sender.clone()).map_err(Failure::Start)?;
    // What is declared later goes earlier: first the stages end, then their pipeline.
    let pipeline = Pipeline::create()?;
    let mut stages = Stages(Vec::new());

    let file = volume.file_name().unwrap_or(volume.as_os_str()).display();
    writeln!(out, "{file}, through three processes\n")?;
    for stage in Stage::ALL {
        let errand = Errand {
            stage,
            parent: std::process::id(),
            pipeline: pipeline.name().to_owned(),
            volume: volume.to_owned(),
            picture: picture.to_owned(),
        };
        let process = stages.start(&errand, sender.clone()).map_err(Failure::Start)?;
        writeln!(out, "{}", step_line(stage, process, "started", None))?;
    }
    let mut lines = Lines::default();
    let ledger = follow(&events, &mut stages, &mut lines, out);
    lines.print(out)?;
    let ledger = ledger?;
    writeln!(out, "\n{ledger}")?;
    let here = std::env::current_dir().ok();
    let shown = here.and_then(|here| picture.strip_prefix(here).ok()).unwrap_or(picture);
    writeln!(out, "picture: {}", shown.display())?;
    Ok(())
}

/// Takes events until all stages have ended well.
fn follow(
    events: &Receiver<Event>,
    stages: &mut Stages,
    lines: &mut Lines,
    out: &mut impl Write,
) -> Result<Ledger, Failure> {
    let mut ledger = Ledger::default();
    while !stages.0.is_empty() {
        let event = match lines.settled {
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(settled) => events.recv_timeout(settled.saturating_duration_since(Instant::now())),
        };
        let event = match event {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => {
                lines.print(out)?;
                continue;
            }
            // The signal watcher keeps the channel open as long as the process lives.
            Err(RecvTimeoutError::Disconnected) => break,
        };
        match event {
            Event::Note(stage, Note::Did { step, took, at }) => {
                lines.add(at, step_line(stage, stages.process(stage), &step, Some(took)));
            }
            Event::Note(stage, Note::Failed { reason }) => return Err(Failure::Told(stage, reason)),
            Event::Note(stage, note) => ledger.enter(stage, note),
            Event::Closed(stage) => {
                let status = stages.end(stage).map_err(Failure::Start)?;
                if !status.success() {
                    return Err(Failure::Ended(stage, Ending(status)));
                }
            }
            Event::Garbled(stage, error) => return Err(Failure::Garbled(stage, error)),
            Event::Signal(signal) => return Err(Failure::Signal(signal)),
        }
    }
    Ok(ledger)
}

fn step_line(stage: Stage, process: u32, step: &str, took: Option<u64>) -> String {
    let took = took.map_or_else(String::new, |took| format!("{:.1} ms", took as f64 / 1e6));
    format!("  {stage:<7} {process:>7}  {step:<51} {took:>9}").trim_end().to_owned()
}

/// Lines that are not printed yet: what one stage does after another can be heard of before, if by little.
#[derive(Default)]
struct Lines {
    /// With the time of what they tell.
    lines: Vec<(u64, String)>,
    /// When nothing earlier is expected any more.
    settled: Option<Instant>,
}

impl Lines {
    const SETTLE: Duration = Duration::from_millis(5);

    fn add(&mut self, at: u64, line: String) {
        self.lines.push((at, line));
        self.settled.get_or_insert_with(|| Instant::now() + Self::SETTLE);
    }

    fn print(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.settled = None;
        self.lines.sort_by_key(|(at, _)| *at);
        self.lines.drain(..).try_for_each(|(_, line)| writeln!(out, "{line}"))
    }
}

/// Turns the signals with which people end a program into events.
fn watch_signals(events: Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    thread::Builder::new().spawn(move || {
        for signal in signals.forever() {
            if events.send(Event::Signal(signal)).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

/// The stages that have not ended yet. They end with this at the latest.
struct Stages(Vec<(Stage, Child)>);

impl Stages {
    /// Starts a stage, whose notes become events; gives the process number.
    fn start(&mut self, errand: &Errand, events: Sender<Event>) -> io::Result<u32> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(errand.to_arguments())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Ctrl-C is for the parent: it alone can end all and clean up.
            .process_group(0)
            .spawn()?;
        let process = child.id();
        let notes = child.stdout.take();
        self.0.push((errand.stage, child));
        let stage = errand.stage;
        let notes = notes.map(BufReader::new).ok_or(io::ErrorKind::BrokenPipe)?;
        thread::Builder::new().spawn(move || listen(stage, notes, &events))?;
        Ok(process)
    }

    fn process(&self, stage: Stage) -> u32 {
        self.0.iter().find(|(known, _)| *known == stage).map_or(0, |(_, child)| child.id())
    }

    /// Waits for a stage that is about to end.
    fn end(&mut self, stage: Stage) -> io::Result<ExitStatus> {
        let Some(place) = self.0.iter().position(|(known, _)| *known == stage) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        self.0.remove(place).1.wait()
    }
}

impl Drop for Stages {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            let _ = child.kill();
        }
        for (_, child) in &mut self.0 {
            let _ = child.wait();
        }
    }
}

fn listen(stage: Stage, mut notes: BufReader<ChildStdout>, events: &Sender<Event>) {
    loop {
        let event = match Note::receive(&mut notes) {
            Ok(Some(note)) => Event::Note(stage, note),
            // Half a note is what a stage leaves that was killed while it wrote.
            Ok(None) | Err(podwire::Error::UnexpectedEnd { .. }) => Event::Closed(stage),
            Err(error) => Event::Garbled(stage, error),
        };
        let last = !matches!(event, Event::Note(..));
        if events.send(event).is_err() || last {
            return;
        }
    }
}
