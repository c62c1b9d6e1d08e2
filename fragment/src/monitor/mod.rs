//! `--monitor` and `PODWIRE_METRICS`: show what runs, while it runs.
//!
//! Not here: counting, which `run` does. Invariant: the terminal is as before when the monitor has ended, and what the
//! application prints meanwhile is not overwritten.
//!
//! | file | what is in it |
//! |---|---|
//! | `table` | a snapshot as a table for people |
//! | `lines` | a snapshot as lines for programs |
//! | `metrics` | a snapshot as metrics for those who watch over many programs |
//! | `terminal` | the table at the bottom of a terminal |
//! | `unit` | durations, bytes and rates in few letters |

mod lines;
mod metrics;
mod table;
mod terminal;
mod unit;

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::PathBuf,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

pub use lines::lines;
pub use metrics::metrics;
pub use table::table;

use rustix::termios::tcgetwinsize;

use crate::run::Snapshot;
use terminal::Terminal;

/// Where snapshots are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// On the standard output: a table if it is a terminal, else lines.
    Output,
    /// In this file, as [`metrics`] of the application of this name. It is never seen half written, and the last one stays.
    Metrics {
        /// The name of the application.
        application: String,
        /// The file.
        file: PathBuf,
    },
}

/// Shows snapshots until it is dropped; then the last one.
#[derive(Debug)]
pub struct Monitor {
    /// Closing it ends the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Monitor {
    /// Shows what `source` gives, once each `period`, in all these places.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        views: impl IntoIterator<Item = View>,
        period: Duration,
        mut source: impl FnMut() -> Snapshot + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let mut screens: Vec<Screen> = views.into_iter().map(Screen::of).collect();
        let show = move || {
            let mut before = Snapshot::default();
            loop {
                let is_over = !matches!(stopped.recv_timeout(period), Err(RecvTimeoutError::Timeout));
                let now = source();
                // Where nobody is left who reads, nothing more is shown; that does not end the application.
                screens.retain_mut(|screen| match screen.show(&now, &before) {
                    Err(error) => {
                        screen.give_up(&error);
                        false
                    }
                    Ok(()) => true,
                });
                if screens.is_empty() || is_over {
                    return;
                }
                before = now;
            }
        };
        let thread = thread::Builder::new().name("monitor".to_owned()).spawn(show)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It can only have panicked, which it has told itself.
            let _ = thread.join();
        }
    }
}

/// A view that is being drawn.
enum Screen {
    Terminal(Terminal),
    Lines,
    Metrics { application: String, file: PathBuf },
}

impl Screen {
    fn of(view: View) -> Self {
        let out = io::stdout();
        // A terminal that does not say its size cannot be drawn on.
        let has_size =
            || out.is_terminal() && tcgetwinsize(&out).is_ok_and(|size| size.ws_row > 0 && size.ws_col > 0);
        match view {
            View::Output if has_size() => Self::Terminal(Terminal::default()),
            View::Output => Self::Lines,
            View::Metrics { application, file } => Self::Metrics { application, file },
        }
    }

    fn show(&mut self, now: &Snapshot, before: &Snapshot) -> io::Result<()> {
        match self {
            Self::Terminal(terminal) => terminal.show(|width| table(now, before, width)),
            Self::Lines => {
                let mut out = io::stdout().lock();
                out.write_all(lines(now, before).as_bytes())?;
                out.flush()
            }
            Self::Metrics { application, file } => {
                let mut unfinished = file.clone().into_os_string();
                unfinished.push(".unfinished");
                fs::write(&unfinished, metrics(application, now))?;
                fs::rename(&unfinished, file)
            }
        }
    }

    /// A reader who went away says so by itself; a file that cannot be written is a surprise.
    fn give_up(&self, error: &io::Error) {
        if let Self::Metrics { file, .. } = self {
            eprintln!("podwire: metrics cannot be written to {}, and are given up: {error}", file.display());
        }
    }
}
