//! `--monitor`: shows what runs, while it runs.
//!
//! Not here: counting, which `run` does. Invariant: the terminal is as before when the monitor has ended, and what the
//! application prints meanwhile is not overwritten.
//!
//! | file | what is in it |
//! |---|---|
//! | `table` | a snapshot as a table for people |
//! | `lines` | a snapshot as lines for programs |
//! | `terminal` | the table at the bottom of a terminal |
//! | `unit` | durations, bytes and rates in few letters |

mod lines;
mod table;
mod terminal;
mod unit;

use std::{
    io::{self, IsTerminal, Write},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

pub use lines::lines;
pub use table::table;

use rustix::termios::tcgetwinsize;

use crate::run::Snapshot;
use terminal::Terminal;

/// Draws snapshots until it is dropped; then the last one.
#[derive(Debug)]
pub struct Monitor {
    /// Closing it ends the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Monitor {
    /// Shows what `source` gives, once each `period`: a table if the standard output is a terminal, else lines.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(period: Duration, source: impl FnMut() -> Snapshot + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let mut screen = Screen::of_stdout();
        let mut source = source;
        let show = move || {
            let mut before = Snapshot::default();
            loop {
                let is_over = !matches!(stopped.recv_timeout(period), Err(RecvTimeoutError::Timeout));
                let now = source();
                // Nobody is left who reads: that ends the monitor, not the application.
                if screen.show(&now, &before).is_err() || is_over {
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

/// Where the snapshots go.
enum Screen {
    Terminal(Terminal),
    Lines,
}

impl Screen {
    fn of_stdout() -> Self {
        let out = io::stdout();
        // A terminal that does not say its size cannot be drawn on.
        let has_size =
            out.is_terminal() && tcgetwinsize(&out).is_ok_and(|size| size.ws_row > 0 && size.ws_col > 0);
        if has_size { Self::Terminal(Terminal::default()) } else { Self::Lines }
    }

    fn show(&mut self, now: &Snapshot, before: &Snapshot) -> io::Result<()> {
        match self {
            Self::Terminal(terminal) => terminal.show(|width| table(now, before, width)),
            Self::Lines => {
                let mut out = io::stdout().lock();
                out.write_all(lines(now, before).as_bytes())?;
                out.flush()
            }
        }
    }
}
