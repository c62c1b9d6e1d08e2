//! A table at the bottom of a terminal, while everything else scrolls above it.
//!
//! Not here: what is in the table. Invariant: when it is dropped, the whole terminal scrolls again, and the cursor stands
//! below the last table.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use rustix::termios::tcgetwinsize;

/// Lines of the terminal that the table never takes.
const LINES_ABOVE: usize = 3;

/// The lower part of the terminal that is the standard output.
#[derive(Debug, Default)]
pub(super) struct Terminal {
    /// Its height in lines and the height of the table, once it was drawn.
    drawn: Option<(usize, usize)>,
}

impl Terminal {
    /// Draws a text for the width of the terminal, in the place of the last one.
    pub(super) fn show(&mut self, text: impl FnOnce(usize) -> String) -> io::Result<()> {
        let out = io::stdout();
        let size = tcgetwinsize(&out)?;
        let (height, width) = (usize::from(size.ws_row), usize::from(size.ws_col));
        let room = height.saturating_sub(LINES_ABOVE);
        if room < 2 || width < 20 {
            return Ok(());
        }
        let text = text(width);
        let lines = fitting(text.lines().collect(), room - 1);
        let frame = self.frame(&lines, height, width);
        let mut out = out.lock();
        out.write_all(frame.as_bytes())?;
        out.flush()
    }

    /// What is to be sent: makes room, draws, and puts the cursor back where it was.
    fn frame(&mut self, lines: &[String], height: usize, width: usize) -> String {
        let table = lines.len() + 1; // with the line above it
        let mut frame = String::new();
        if self.drawn != Some((height, table)) {
            frame += &self.release();
            // Scroll up by as many lines as the table needs, in case the cursor is at the bottom, and go back.
            let _ = write!(frame, "{}\x1b[{table}A", "\n".repeat(table));
            // What is above the table scrolls by itself. Saying so moves the cursor.
            let _ = write!(frame, "\x1b7\x1b[1;{}r\x1b8", height - table);
            self.drawn = Some((height, table));
        }
        let _ = write!(frame, "\x1b7\x1b[{};1H\x1b[2m{}\x1b[0m\x1b[K", height - table + 1, "─".repeat(width));
        for (at, line) in lines.iter().enumerate() {
            let _ = write!(frame, "\x1b[{};1H{line}\x1b[K", height - table + 2 + at);
        }
        frame += "\x1b8";
        frame
    }

    /// Gives the lines of the table back.
    fn release(&mut self) -> String {
        match self.drawn.take() {
            None => String::new(),
            Some((height, table)) => {
                let top = height - table + 1;
                format!("\x1b7\x1b[r\x1b8\x1b7\x1b[{top};1H\x1b[J\x1b8")
            }
        }
    }
}

/// As many of the lines as there is room for, and how many are missing.
fn fitting(lines: Vec<&str>, room: usize) -> Vec<String> {
    let shown = if lines.len() <= room { lines.len() } else { room - 1 };
    let missing = (shown < lines.len()).then(|| format!("… and {} more lines", lines.len() - shown));
    lines[..shown].iter().map(ToString::to_string).chain(missing).collect()
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some((height, _)) = self.drawn {
            // The last table stays.
            let _ = io::stdout().write_all(format!("\x1b[r\x1b[{height};1H\n").as_bytes());
        }
    }
}
