//! Plain writes and reads: order, none, many, too many.

use std::format;

use super::connection::{Bench, Room, number, pattern, same, unlike};
use super::{Stop, Tried};
use crate::error::Error;

/// Lengths at which buffers like to break: none, one, around powers of two and around the writer's own blocks.
const CUTS: [usize; 12] = [1, 2, 3, 5, 8, 63, 64, 65, 1_000, 4_096, 8_191, 8_193];

/// Writes in cuts of one kind are read in cuts of another.
pub(super) fn in_order(bench: &mut Bench<'_>) -> Tried {
    for write in [1, 7, 64, 8_192, usize::MAX] {
        for read in [1, 13, 4_096, usize::MAX] {
            // Single bytes cost some endpoints a call of the system each.
            let bytes = pattern(bench.fit(if write == 1 || read == 1 { 1_500 } else { 20_000 }));
            let mut wire = bench.open()?;
            for part in bytes.chunks(write.min(bytes.len()).max(1)) {
                wire.write(part)?;
            }
            let step = format!("written in parts of {write}");
            let read = read.min(bytes.len()).max(1);
            for (count, part) in bytes.chunks(read).enumerate() {
                wire.expect(&format!("{step}, from byte {}", count * read), part)?;
            }
            wire.expect_end(&step)?;
        }
    }
    // Cuts that do not fit each other.
    let bytes = pattern(bench.fit(CUTS.iter().sum()));
    let mut wire = bench.open()?;
    each_cut(CUTS.iter(), bytes.len(), |range| Ok(wire.write(&bytes[range])?))?;
    each_cut(CUTS.iter().rev(), bytes.len(), |range| {
        Ok(wire.expect("written in growing parts, read in shrinking ones", &bytes[range])?)
    })
}

fn each_cut<'c>(
    cuts: impl Iterator<Item = &'c usize>,
    length: usize,
    mut part: impl FnMut(core::ops::Range<usize>) -> Tried,
) -> Tried {
    let mut start = 0;
    for cut in cuts {
        let end = length.min(start + cut);
        part(start..end)?;
        start = end;
    }
    Ok(())
}

pub(super) fn nothing(bench: &mut Bench<'_>) -> Tried {
    let mut wire = bench.open()?;
    wire.write(&[])?;
    wire.expect("nothing was written", &[])?;
    wire.expect_end("nothing was written")?;
    drop(wire);

    let mut wire = bench.open()?;
    wire.write(b"a")?;
    wire.write(&[])?;
    wire.write(b"b")?;
    wire.expect("before the first byte", &[])?;
    wire.expect("behind a write of nothing", b"a")?;
    wire.expect("between two bytes", &[])?;
    wire.expect("behind a read of nothing", b"b")?;
    wire.expect("at the end", &[])?;
    Ok(wire.expect_end("behind two bytes")?)
}

pub(super) fn large(bench: &mut Bench<'_>) -> Tried {
    let bytes = pattern(bench.fit((4 << 20) + 13));
    let mut wire = bench.open()?;
    wire.write(&bytes)?;
    wire.expect("written at once", &bytes)?;
    Ok(wire.expect_end("a large write")?)
}

pub(super) fn end(bench: &mut Bench<'_>) -> Tried {
    bench.open()?.expect_end("an endpoint that nothing was written to")?;
    let bytes = pattern(bench.fit(100));
    for (taken, beyond) in [(0, 1), (0, 10_000), (bytes.len() / 2, 1), (bytes.len() - 1, 7)] {
        let mut wire = bench.open()?;
        wire.write(&bytes)?;
        wire.expect("some of the bytes", &bytes[..taken])?;
        let left = bytes.len() - taken;
        wire.expect_short(
            &format!("{} bytes are read where {left} are left", left + beyond),
            left + beyond,
            left,
        )?;
    }
    let mut wire = bench.open()?;
    wire.write(&bytes)?;
    wire.expect("all of the bytes", &bytes)?;
    Ok(wire.expect_end("all bytes were read")?)
}

pub(super) fn full(bench: &mut Bench<'_>) -> Tried {
    let Room::Fixed(room) = bench.room() else {
        return Err(Stop::Skip("its room is not fixed"));
    };
    let bytes = pattern(room);
    for before in [0, room / 2, room] {
        let mut wire = bench.open()?;
        wire.write(&bytes[..before])?;
        let free = room - before;
        let step = format!("{} bytes are written where {free} are free", free + 1);
        match wire.writer()?.write(&pattern(free + 1)) {
            Err(Error::EndpointFull { wanted, found }) => {
                number(format!("{step}, and `wanted` of its error"), free as u64 + 1, wanted)?;
                number(format!("{step}, and `found` of its error"), free as u64, found)?;
            }
            other => Err(unlike(step, "Error::EndpointFull", &other))?,
        }
        wire.write(&bytes[before..])?;
        wire.expect("written before and after one that did not fit", &bytes)?;
    }
    Ok(())
}

pub(super) fn interleaved(bench: &mut Bench<'_>) -> Tried {
    let bytes = pattern(bench.fit(5_000));
    let mut wire = bench.open()?;
    if !wire.is_both() {
        return Err(Stop::Skip("one end is written to, another is read from"));
    }
    // The reader is always some bytes behind, and twice level with the writer.
    let (mut written, mut read) = (0, 0);
    for (write, keep) in [(100, 1), (1_000, 900), (3, 0), (2_000, 1_999), (500, 0), (1, 1), (1_396, 0)] {
        let end = bytes.len().min(written + write);
        wire.write(&bytes[written..end])?;
        written = end;
        let until = written.saturating_sub(keep).max(read);
        wire.expect("read between writes", &bytes[read..until])?;
        read = until;
    }
    same("read between writes", &bytes, &bytes[..read])?;
    Ok(wire.expect_end("all bytes were read")?)
}
