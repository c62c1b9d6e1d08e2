//! `ls` and `stat`: what is there, as a table for people and as JSON for programs.
//!
//! Not here: the bytes. Invariant: a name is printed escaped, so that no name can upset a terminal.

use std::{
    io::{self, Write},
    time::SystemTime,
};

use podwire_fastio::{ChannelListing, FastIoContext, Listing, Metadata, Peer};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    stdio, termios,
};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::problem::{Problem, Result};

/// Prints bytes.
pub(crate) fn write(bytes: &[u8]) -> Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(bytes).and_then(|()| output.flush()).map_err(Problem::Output)
}

/// Prints a line.
pub(crate) fn line(line: &impl std::fmt::Display) -> Result<()> {
    write(format!("{line}\n").as_bytes())
}

/// An error if nobody reads the output any more: whoever prints nothing for long is not told otherwise.
pub(crate) fn still_read() -> Result<()> {
    let output = stdio::stdout();
    let mut asked = [PollFd::from_borrowed_fd(output, PollFlags::empty())];
    let gone = poll(&mut asked, Some(&Timespec::default())).is_ok()
        && asked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP);
    if gone { Err(Problem::Output(io::ErrorKind::BrokenPipe.into())) } else { Ok(()) }
}

/// The columns that a picture can have: those of the terminal; else what the shell says; else 80.
pub(crate) fn columns() -> usize {
    let terminal = termios::tcgetwinsize(stdio::stdout()).map_or(0, |size| usize::from(size.ws_col));
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    Some(terminal).filter(|columns| *columns > 0).or_else(said).unwrap_or(80)
}

/// The metadata, unless it went in the meantime.
fn metadata(context: &FastIoContext, name: &str) -> Option<Metadata> {
    context.try_get(name).ok().flatten().and_then(|found| found.metadata().ok().cloned())
}

/// The type in a word: the codec of a value, the dtype of an array.
fn kind(metadata: &Metadata) -> String {
    match (&metadata.codec, metadata.dtype) {
        (Some(codec), _) => codec.escape_debug().to_string(),
        (None, Some(dtype)) => dtype.name().to_owned(),
        (None, None) => "bytes".to_owned(),
    }
}

fn shape(metadata: &Metadata) -> String {
    let extents: Vec<_> = metadata.shape.iter().map(u64::to_string).collect();
    extents.join("x")
}

fn age(listing: &Listing) -> f64 {
    SystemTime::now().duration_since(listing.published).map_or(0.0, |age| age.as_secs_f64())
}

fn short_age(seconds: f64) -> String {
    match seconds {
        under if under < 1.0 => "now".to_owned(),
        under if under < 60.0 => format!("{under:.0} s"),
        under if under < 3600.0 => format!("{:.0} min", under / 60.0),
        under if under < 86_400.0 => format!("{:.0} h", under / 3600.0),
        days => format!("{:.0} d", days / 86_400.0),
    }
}

fn state(listing: &Listing) -> &'static str {
    match (listing.poisoned, listing.sealed) {
        (true, _) => "poisoned",
        (false, true) => "sealed",
        (false, false) => "",
    }
}

fn object(listing: &Listing, metadata: &Metadata) -> Value {
    json!({
        "name": listing.name,
        "type": kind(metadata),
        "dtype": metadata.dtype.map(|dtype| dtype.name()),
        "codec": metadata.codec,
        "shape": metadata.shape,
        "strides": metadata.strides,
        "bytes": listing.size,
        "age_seconds": age(listing),
        "holders": listing.holders,
        "sealed": listing.sealed,
        "poisoned": listing.poisoned,
        "publication": listing.publication,
        "user": metadata.user,
    })
}

fn peer(peer: Peer) -> &'static str {
    match peer {
        Peer::Absent => "absent",
        Peer::Attached => "attached",
        Peer::Closed => "closed",
        Peer::Died => "died",
        _ => "unknown",
    }
}

fn channel_object(channel: &ChannelListing) -> Value {
    json!({
        "channel": channel.name,
        "capacity": channel.capacity,
        "inline_bytes": channel.inline,
        "waiting": channel.waiting,
        "sender": peer(channel.sender),
        "receiver": peer(channel.receiver),
    })
}

pub(crate) fn ls(context: &FastIoContext, json: bool) -> Result<()> {
    let mut rows = vec![["NAME", "TYPE", "SHAPE", "BYTES", "AGE", "HOLDERS", "STATE"].map(str::to_owned)];
    for listing in context.list()? {
        let metadata = metadata(context, &listing.name).unwrap_or_default();
        if json {
            line(&object(&listing, &metadata))?;
            continue;
        }
        rows.push([
            listing.name.escape_debug().to_string(),
            kind(&metadata),
            shape(&metadata),
            listing.size.to_string(),
            short_age(age(&listing)),
            listing.holders.to_string(),
            state(&listing).to_owned(),
        ]);
    }
    for channel in context.channels()? {
        if json {
            line(&channel_object(&channel))?;
            continue;
        }
        rows.push([
            channel.name.escape_debug().to_string(),
            "channel".to_owned(),
            format!("{}/{}", channel.waiting, channel.capacity),
            String::new(),
            String::new(),
            String::new(),
            format!("sender {}, receiver {}", peer(channel.sender), peer(channel.receiver)),
        ]);
    }
    if json { Ok(()) } else { table(&rows) }
}

/// Columns as wide as they must be; numbers to the right.
fn table(rows: &[[String; 7]]) -> Result<()> {
    let mut widths = [0; 7];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    for row in rows {
        let mut text = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            // Not by `{:>width$}`, which counts letters: some take two columns.
            let gap = " ".repeat(width - cell.width());
            let (before, behind) = if (3..=5).contains(&column) { (&*gap, "") } else { ("", &*gap) };
            text.push_str(&format!("{before}{cell}{behind}"));
            text.push_str("  ");
        }
        line(&text.trim_end())?;
    }
    Ok(())
}

pub(crate) fn stat(context: &FastIoContext, name: Option<&str>, json: bool) -> Result<()> {
    let value = match name {
        Some(name) => match context.list()?.into_iter().find(|listing| listing.name == name) {
            Some(listing) => {
                // This command has a handle itself from here on.
                let found = context.get(name)?;
                let mut value = object(&listing, found.metadata()?);
                value["children"] = found.children()?.iter().map(|child| child.len()).collect();
                value
            }
            None => {
                let channels = context.channels()?;
                let channel = channels.iter().find(|channel| channel.name == name);
                channel_object(channel.ok_or_else(|| Problem::Missing(name.to_owned()))?)
            }
        },
        None => {
            let stats = context.stats()?;
            json!({
                "path": context.path(),
                // Without this one.
                "processes": stats.processes.saturating_sub(1),
                "names": stats.names,
                "published": stats.published,
                "channels": stats.channels,
                "private": stats.private,
                "freed": stats.freed,
                "bytes": stats.bytes,
                "pooled_bytes": stats.pooled_bytes,
                "file_bytes": stats.file_bytes,
                "quota_bytes": stats.quota_bytes,
                "quota_names": stats.quota_names,
                "ephemeral": stats.ephemeral,
            })
        }
    };
    if json {
        return line(&value);
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::String(text) => line(&format!("{key:>14}  {}", text.escape_debug()))?,
            other => line(&format!("{key:>14}  {other}"))?,
        }
    }
    Ok(())
}
