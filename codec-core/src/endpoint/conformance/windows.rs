//! Windows to write into, bytes that are shown, and what is said to be left.
#![allow(unsafe_code, reason = "the methods that lend memory for writing are unsafe")]

use core::mem::MaybeUninit;
use std::format;

use super::connection::{Bench, failed, number, pattern, same};
use super::{Stop, Tried};
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};

/// Writes `bytes` through a window, of which more may be lent and is not used; false if there is none that large.
fn through_window(endpoint: &mut dyn Endpoint, bytes: &[u8]) -> Result<bool> {
    // SAFETY: only bytes of a slice are written to it, which are initialised.
    let window = unsafe { endpoint.window(bytes.len()) }?;
    let Some(target) = window.get_mut(..bytes.len()) else { return Ok(false) };
    for (target, byte) in target.iter_mut().zip(bytes) {
        *target = MaybeUninit::new(*byte);
    }
    // SAFETY: the first `bytes.len()` bytes of the window were just written, and nothing else was called.
    unsafe { endpoint.commit(bytes.len()) };
    Ok(true)
}

/// Opens a window, writes to it, and leaves it.
fn abandon_window(endpoint: &mut dyn Endpoint, count: usize) -> Result<()> {
    // SAFETY: only initialised bytes are written to it.
    let window = unsafe { endpoint.window(count) }?;
    window.fill(MaybeUninit::new(0xEE));
    Ok(())
}

pub(super) fn written(bench: &mut Bench<'_>) -> Tried {
    let counts = [0, 1, 7, 64, 100, 4_096, 1, 8_192, 30_000, 0, 3];
    let bytes = pattern(bench.fit(2 * counts.iter().sum::<usize>()));
    let mut wire = bench.open()?;
    let (mut start, mut lent) = (0, false);
    for count in counts {
        let end = bytes.len().min(start + count);
        let step = format!("a window for {} bytes is asked for", end - start);
        let writer = wire.writer()?;
        let through =
            through_window(writer, &bytes[start..end]).map_err(|error| failed(step.clone(), error))?;
        lent |= through && end > start;
        if !through {
            wire.write(&bytes[start..end])?;
        }
        // A window that is left, and a plain write behind it.
        let next = bytes.len().min(end + count);
        if next < bytes.len() {
            abandon_window(wire.writer()?, count.max(1)).map_err(|error| failed(step, error))?;
        }
        wire.write(&bytes[end..next])?;
        start = next;
    }
    wire.expect("windows and writes, mixed", &bytes[..start])?;
    wire.expect_end("windows and writes, mixed")?;
    if lent { Ok(()) } else { Err(Stop::Skip("it lends no windows")) }
}

/// What the endpoint shows of `wanted`, which is all that is left; how many bytes that is.
fn shown(endpoint: &mut dyn Endpoint, count: usize, wanted: &[u8]) -> Result<usize, Stop> {
    let step = format!("{count} bytes are to be shown where {} are left", wanted.len());
    let bytes = endpoint.peek(count).map_err(|error| failed(step.clone(), error))?;
    if bytes.len() > wanted.len() {
        number(format!("{step}, and how many are shown"), wanted.len() as u64, bytes.len() as u64)?;
    }
    same(&step, &wanted[..bytes.len()], bytes)?;
    Ok(bytes.len())
}

pub(super) fn look_ahead(bench: &mut Bench<'_>) -> Tried {
    let bytes = pattern(bench.fit(10_000));
    let mut wire = bench.open()?;
    wire.write(&bytes)?;
    let (mut taken, mut shows) = (0, false);
    for count in [0, 1, 16, 1, 4_096, 100_000, 3, 100_000] {
        let rest = &bytes[taken..];
        let reader = wire.reader()?;
        let first = shown(reader, count, rest)?;
        shows |= first > 0;
        let again = shown(reader, count, rest)?;
        // Some of what is shown is taken, then some is read.
        let consumed = again.min(count).min(rest.len()) / 2;
        reader.consume(consumed);
        let read = (rest.len() - consumed).min(5);
        wire.expect(
            &format!("behind {consumed} bytes that were consumed"),
            &rest[consumed..consumed + read],
        )?;
        taken += consumed + read;
    }
    // Shown and not consumed: nothing is taken.
    let rest = &bytes[taken..];
    shown(wire.reader()?, rest.len(), rest)?;
    wire.reader()?.consume(0);
    wire.expect("behind bytes that were shown, and not consumed", rest)?;
    let shown = shown(wire.reader()?, 1, &[])?;
    number("what is shown at the end", 0, shown as u64)?;
    wire.expect_end("all bytes were taken")?;
    if shows { Ok(()) } else { Err(Stop::Skip("it shows no bytes before they are read")) }
}

pub(super) fn remaining(bench: &mut Bench<'_>) -> Tried {
    let bytes = pattern(bench.fit(9_000));
    let mut wire = bench.open()?;
    wire.write(&bytes)?;
    let (mut taken, mut known) = (0, false);
    let mut true_remaining = |reader: &dyn Endpoint, taken: usize, when: &str| {
        let Some(found) = reader.remaining() else { return Ok(()) };
        known = true;
        number(format!("`remaining` {when}, at byte {taken}"), (bytes.len() - taken) as u64, found)
    };
    true_remaining(wire.reader()?, taken, "before anything is read")?;
    for count in [0, 1, 10, 4_096, 100, usize::MAX] {
        let count = count.min(bytes.len() - taken);
        wire.expect("some bytes", &bytes[taken..taken + count])?;
        taken += count;
        true_remaining(wire.reader()?, taken, "after a read")?;
        let reader = wire.reader()?;
        let shown = reader.peek(8).map_err(|error| failed("8 bytes are to be shown", error))?.len();
        true_remaining(reader, taken, "while bytes are shown")?;
        let consumed = shown.min(2).min(bytes.len() - taken);
        reader.consume(consumed);
        taken += consumed;
        true_remaining(reader, taken, "after some were consumed")?;
    }
    let mut beyond = [0];
    match wire.reader()?.read(&mut beyond) {
        Err(Error::UnexpectedEnd { .. }) => {}
        other => Err(super::connection::unlike("a byte is read at the end", "Error::UnexpectedEnd", &other))?,
    }
    true_remaining(wire.reader()?, taken, "after a read that failed")?;
    if known { Ok(()) } else { Err(Stop::Skip("it does not say how much is left")) }
}
