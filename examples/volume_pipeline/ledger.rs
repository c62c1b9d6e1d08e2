//! What became of every object, from the stages' notes to the table at the end.

use std::fmt;

use crate::note::{Note, Object};
use crate::picture::words::grouped;
use crate::stages::Stage;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rows: Vec<Row>,
}

#[derive(Debug, Default)]
struct Row {
    name: String,
    /// With the time right before it got its name.
    published: Option<(Object, u64)>,
    /// By the publisher and by all who mapped it.
    copied: u64,
    mapped: Vec<Mapped>,
}

#[derive(Debug)]
struct Mapped {
    by: Stage,
    asked: u64,
    at: u64,
}

impl Ledger {
    /// Enters what a note says of an object. A receiver's note may come before the publisher's.
    pub(crate) fn enter(&mut self, stage: Stage, note: Note) {
        match note {
            Note::Published { object, copied, at } => {
                let row = self.row(&object.name);
                row.copied += copied;
                row.published = Some((object, at));
            }
            Note::Mapped { name, copied, asked, at } => {
                let row = self.row(&name);
                row.copied += copied;
                row.mapped.push(Mapped { by: stage, asked, at });
            }
            Note::Did { .. } | Note::Failed { .. } => {}
        }
    }

    fn row(&mut self, name: &str) -> &mut Row {
        let place = self.rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
            self.rows.push(Row { name: name.to_owned(), ..Row::default() });
            self.rows.len() - 1
        });
        &mut self.rows[place]
    }

    /// Bytes of all arrays, and how many of them were copied.
    fn arrays(&self) -> (u64, u64) {
        let rows = self.rows.iter().filter_map(|row| Some((row.copied, &row.published.as_ref()?.0)));
        rows.filter(|(_, object)| object.is_array)
            .fold((0, 0), |(bytes, all), (copied, object)| (bytes + object.bytes, all + copied))
    }

    /// The published objects in the order of their publication; neighbours of one kind that nobody mapped as one row.
    fn lines(&self) -> Vec<Line> {
        let mut rows: Vec<_> = self
            .rows
            .iter()
            .filter_map(|row| row.published.as_ref().map(|(object, at)| (row, object, *at)))
            .collect();
        rows.sort_by_key(|(_, _, at)| *at);
        let mut lines: Vec<Line> = Vec::new();
        for (row, object, at) in rows {
            let line = Line::of(row, object, at);
            match lines.last_mut() {
                Some(last) if last.is_unused() && line.is_unused() && last.what == line.what => {
                    last.join(line);
                }
                _ => lines.push(line),
            }
        }
        lines
    }
}

/// A row of the table.
struct Line {
    first: String,
    last: Option<String>,
    what: String,
    bytes: u64,
    copied: u64,
    /// By segment and by report.
    latency: [Option<Latency>; 2],
}

/// From publish to mapped.
#[derive(Clone, Copy, PartialEq)]
struct Latency {
    microseconds: u64,
    /// It was published before it was asked for.
    was_there: bool,
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} µs{}", grouped(self.microseconds), if self.was_there { '*' } else { ' ' })
    }
}

impl Line {
    fn of(row: &Row, object: &Object, at: u64) -> Line {
        let latency = |stage| {
            let mapped = row.mapped.iter().find(|mapped| mapped.by == stage)?;
            let microseconds = mapped.at.saturating_sub(at) / 1000;
            Some(Latency { microseconds, was_there: mapped.asked > at })
        };
        Line {
            first: object.name.clone(),
            last: None,
            what: object.what.clone(),
            bytes: object.bytes,
            copied: row.copied,
            latency: [latency(Stage::Segment), latency(Stage::Report)],
        }
    }

    fn is_unused(&self) -> bool {
        self.latency == [None, None]
    }

    fn join(&mut self, next: Line) {
        self.last = Some(next.first);
        self.bytes += next.bytes;
        self.copied += next.copied;
    }
}

/// The table's cells, each as wide as it is.
type Cells = [String; 6];

impl From<Line> for Cells {
    fn from(line: Line) -> Cells {
        let name = match line.last {
            Some(last) => format!("{} … {last}", line.first),
            None => line.first,
        };
        let [segment, report] = line.latency.map(|latency| match latency {
            Some(latency) => latency.to_string(),
            None => "– ".to_owned(),
        });
        [name, line.what, grouped(line.bytes), grouped(line.copied), segment, report]
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        let was_there = lines.iter().flat_map(|line| line.latency).flatten().any(|latency| latency.was_there);
        let head = ["object", "type and shape", "bytes", "copied", "segment ", "report "].map(str::to_owned);
        let cells: Vec<Cells> = [head].into_iter().chain(lines.into_iter().map(Cells::from)).collect();
        let width: [usize; 6] = std::array::from_fn(|column| {
            cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
        });

        let before = width[..4].iter().map(|width| width + 3).sum::<usize>();
        let last = width[4] + 3 + width[5];
        writeln!(f, "  {:before$}{:>last$}", "", "publish to mapped by")?;
        for row in &cells {
            let mut text = String::from(" ");
            for (column, (cell, width)) in row.iter().zip(width).enumerate() {
                let gap = if column == 0 { " " } else { "   " };
                text +=
                    &if column < 2 { format!("{gap}{cell:<width$}") } else { format!("{gap}{cell:>width$}") };
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        writeln!(f)?;

        let (bytes, copied) = self.arrays();
        writeln!(f, "  Arrays: {} bytes shared, {} copied.", grouped(bytes), grouped(copied))?;
        writeln!(f, "  Values: packed once into shared memory, and decoded where they lie.")?;
        if was_there {
            writeln!(f, "  *: was there before it was asked for; the others were waited for.")?;
        }
        Ok(())
    }
}
