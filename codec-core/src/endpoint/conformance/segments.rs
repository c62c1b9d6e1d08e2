//! Segments: which are taken, and how they come back.

use std::format;
use std::sync::Arc;
use std::vec::Vec;

use super::connection::{Bench, Wire, failed, number, pattern, same, unlike};
use super::{Stop, Tried};
use crate::conformance::Breach;
use crate::endpoint::{Capabilities, Placement};
use crate::error::{Error, Result};
use crate::segment::{MemoryKind, Owner, Segment};

/// Above this many bytes a threshold is not tried out.
const LARGEST: usize = 16 << 20;

/// Host memory whose first byte has exactly the alignment that was asked for.
struct Aligned {
    memory: Vec<u8>,
    start: usize,
}

impl Owner for Aligned {
    fn bytes(&self) -> Option<&[u8]> {
        Some(&self.memory[self.start..])
    }
}

/// A segment of these bytes.
fn segment(bytes: &[u8], alignment: usize) -> Segment {
    let mut memory = Vec::<u8>::with_capacity(bytes.len() + 2 * alignment);
    let address = memory.as_ptr().addr();
    let mut start = address.next_multiple_of(alignment) - address;
    if (address + start).is_multiple_of(2 * alignment) {
        start += alignment;
    }
    memory.resize(start, 0);
    memory.extend_from_slice(bytes);
    Segment::new(Arc::new(Aligned { memory, start }))
}

/// How a value asks for a segment, where only its number is known.
fn placement(index: u32, length: usize, alignment: usize) -> Placement<'static> {
    Placement { index, length: length as u64, alignment, kind: MemoryKind::HOST, descriptor: &[] }
}

/// What the endpoint can carry, if it carries segments.
fn carries(bench: &mut Bench<'_>) -> Result<Capabilities, Stop> {
    let capabilities = bench.open()?.writer()?.capabilities();
    match capabilities {
        Capabilities { segments: 0, .. } => Err(Stop::Skip("it carries no segments")),
        Capabilities { threshold, .. } if threshold > LARGEST => {
            Err(Stop::Skip("it carries only segments of many MiB"))
        }
        _ => Ok(capabilities),
    }
}

fn attach(wire: &mut Wire<'_>, segment: &Segment) -> Result<Option<u32>, Breach> {
    let step = format!("a segment of {} bytes is attached", segment.length());
    wire.writer()?.attach(segment).map_err(|error| failed(step, error))
}

/// Attaches a segment that the endpoint has said to carry.
fn attach_surely(wire: &mut Wire<'_>, segment: &Segment) -> Result<u32, Breach> {
    attach(wire, segment)?.ok_or_else(|| {
        let step = format!("a segment of {} bytes is attached, as capabilities allows", segment.length());
        unlike(step, "its number", &"None")
    })
}

fn take(wire: &mut Wire<'_>, placement: Placement<'_>) -> Result<Segment, Breach> {
    let step = format!("segment {} is taken", placement.index);
    wire.reader()?.take_segment(placement).map_err(|error| failed(step, error))
}

fn bytes_of<'s>(step: &str, segment: &'s Segment) -> Result<&'s [u8], Breach> {
    segment.bytes().map_err(|error| failed(format!("{step}: its bytes are looked at"), error))
}

pub(super) fn capabilities(bench: &mut Bench<'_>) -> Tried {
    let mut wire = bench.open()?;
    let Capabilities { segments, threshold } = wire.writer()?.capabilities();
    let length = threshold.clamp(1, LARGEST);
    let large = segment(&pattern(length), 8);
    if segments == 0 {
        let found = attach(&mut wire, &segment(&pattern(100_000), 8))?;
        return match found {
            None => Ok(()),
            Some(_) => Err(unlike("a segment is attached where none is carried", "None", &found))?,
        };
    }
    if threshold > LARGEST {
        return Err(Stop::Skip("it carries only segments of many MiB"));
    }
    // Where very many are carried, some of them will do.
    for _ in 0..segments.min(200) {
        attach_surely(&mut wire, &large)?;
    }
    if segments <= 200 && attach(&mut wire, &large)?.is_some() {
        let step = format!("{} segments are attached where {segments} are carried", segments + 1);
        Err(unlike(step, "None for the last", &"a number"))?;
    }
    Ok(())
}

/// Segments of different lengths and bytes, none of which is the beginning of another.
fn different(capabilities: Capabilities) -> Vec<(Vec<u8>, Segment)> {
    let count = capabilities.segments.min(9) as usize;
    let lengths = [0, 1, 64, 4_095, 100_000, 17, 2, 300_000, 5];
    let bytes = lengths[..count].iter().enumerate().map(|(number, more)| {
        let bytes = pattern(capabilities.threshold.max(16) + more);
        bytes.iter().map(|byte| byte ^ (0x11 * (number as u8 + 1))).collect::<Vec<_>>()
    });
    bytes.map(|bytes| (bytes.clone(), segment(&bytes, 16))).collect()
}

pub(super) fn come_back(bench: &mut Bench<'_>) -> Tried {
    let segments = different(carries(bench)?);
    for backwards in [false, true] {
        let mut wire = bench.open()?;
        let mut numbers = Vec::new();
        for (place, (_, segment)) in segments.iter().enumerate() {
            // Packed bytes before, between and behind.
            wire.write(&[place as u8])?;
            let number = attach_surely(&mut wire, segment)?;
            if numbers.contains(&number) {
                Err(unlike("another segment is attached", "a number of its own", &number))?;
            }
            numbers.push(number);
        }
        let mut order: Vec<_> = numbers.into_iter().zip(&segments).collect();
        if backwards {
            order.reverse();
        }
        for (index, (bytes, segment)) in order {
            let descriptor = if backwards { segment.descriptor() } else { Vec::new() };
            let placement = Placement { descriptor: &descriptor, ..placement(index, bytes.len(), 16) };
            let found = take(&mut wire, placement)?;
            let step = format!("segment {index} is taken");
            number(format!("{step}, and its length"), bytes.len() as u64, found.length() as u64)?;
            same(&step, bytes, bytes_of(&step, &found)?)?;
        }
        wire.expect("packed bytes between segments", &Vec::from_iter(0..segments.len() as u8))?;
        wire.expect_end("packed bytes between segments")?;
    }
    // One who was lied to about the length finds out.
    let (bytes, segment) = &segments[0];
    let mut wire = bench.open()?;
    let index = attach_surely(&mut wire, segment)?;
    let lie = bytes.len() + 1;
    match wire.reader()?.take_segment(placement(index, lie, 1)) {
        Ok(found) if found.length() == lie => {
            let step = format!("{lie} bytes of a segment of {} are asked for", bytes.len());
            Err(unlike(step, "an error, or the segment as it is", &found))?
        }
        _ => Ok(()),
    }
}

pub(super) fn aligned(bench: &mut Bench<'_>) -> Tried {
    let threshold = carries(bench)?.threshold;
    for alignment in [1, 2, 4, 8, 16, 32, 64] {
        let bytes = pattern(threshold.max(64));
        let mut wire = bench.open()?;
        let index = attach_surely(&mut wire, &segment(&bytes, alignment))?;
        let found = take(&mut wire, placement(index, bytes.len(), alignment))?;
        let step = format!("a segment aligned to {alignment} bytes is taken");
        let address = bytes_of(&step, &found)?.as_ptr().addr();
        number(format!("{step}, and its address modulo that"), 0, (address % alignment) as u64)?;
        if found.alignment() < alignment {
            let said = found.alignment() as u64;
            Err(Breach::Number {
                step: format!("{step}, and what it says of its alignment"),
                wanted: alignment as u64,
                found: said,
            })?;
        }
    }
    Ok(())
}

pub(super) fn readable(bench: &mut Bench<'_>) -> Tried {
    let threshold = carries(bench)?.threshold;
    let bytes = pattern(threshold.max(64));
    let mut wire = bench.open()?;
    let index = attach_surely(&mut wire, &segment(&bytes, 8))?;
    let found = take(&mut wire, placement(index, bytes.len(), 8))?;
    let step = format!("a segment of host memory is taken, and comes from memory kind {}", found.kind().0);
    Ok(same(&step, &bytes, bytes_of(&step, &found)?)?)
}

pub(super) fn unknown(bench: &mut Bench<'_>) -> Tried {
    let mut attached = 0;
    if let Ok(Capabilities { threshold, segments }) = carries(bench) {
        attached = segments.min(2);
        for index in [attached, 1_000_000, u32::MAX] {
            let mut wire = bench.open()?;
            for place in 0..attached as usize {
                attach_surely(&mut wire, &segment(&pattern(threshold.max(16) + place), 8))?;
            }
            no_segment(&mut wire, index, attached)?;
        }
    }
    for index in [0, u32::MAX] {
        no_segment(&mut bench.open()?, index, 0)?;
    }
    if attached == 0 {
        // Also behind packed bytes.
        let mut wire = bench.open()?;
        wire.write(b"packed")?;
        no_segment(&mut wire, 0, 0)?;
    }
    Ok(())
}

fn no_segment(wire: &mut Wire<'_>, asked: u32, attached: u32) -> Tried {
    let step = format!("segment {asked} is taken where {attached} were attached");
    match wire.reader()?.take_segment(placement(asked, 8, 1)) {
        Err(Error::NoSegment { index, found }) => {
            number(format!("{step}, and `index` of its error"), asked.into(), index.into())?;
            Ok(number(format!("{step}, and `found` of its error"), attached.into(), found.into())?)
        }
        other => Err(unlike(step, "Error::NoSegment", &other))?,
    }
}

pub(super) fn stay(bench: &mut Bench<'_>) -> Tried {
    let threshold = carries(bench)?.threshold;
    let bytes = pattern(threshold.max(5_000));
    let mut wire = bench.open()?;
    let index = attach_surely(&mut wire, &segment(&bytes, 8))?;
    let found = take(&mut wire, placement(index, bytes.len(), 8))?;
    drop(wire);
    // Memory that was given back is likely to be used for this.
    let other = std::vec![0xAA_u8; bytes.len()];
    let step = "a segment is looked at when its endpoint is gone";
    same(step, &bytes, bytes_of(step, &found)?)?;
    drop(other);
    Ok(())
}
