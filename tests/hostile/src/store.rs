//! Inputs in files, to be decoded again.

use std::io;
use std::path::Path;

use podwire::{Codec, Limits, from_slice, to_vec};

use crate::carrier::segment;
use crate::case::Case;

#[derive(Codec)]
struct Stored {
    message: Vec<u8>,
    segments: Vec<Vec<u8>>,
    bytes: u64,
    items: u64,
    depth: u32,
    window: u64,
    known: bool,
}

/// Writes an input to a file.
pub(crate) fn write(path: &Path, case: &Case) -> io::Result<()> {
    let Limits { bytes, items, depth } = case.limits;
    let segments = case.segments.iter().map(|segment| segment.bytes().unwrap_or_default().to_vec()).collect();
    let (window, known) = (case.window as u64, case.known);
    let stored = Stored { message: case.message.clone(), segments, bytes, items, depth, window, known };
    std::fs::write(path, to_vec(&stored).map_err(io::Error::other)?)
}

/// Reads one.
pub(crate) fn read(path: &Path) -> io::Result<Case> {
    let stored: Stored = from_slice(&std::fs::read(path)?).map_err(io::Error::other)?;
    let Stored { message, segments, bytes, items, depth, window, known } = stored;
    Ok(Case {
        message,
        segments: segments.iter().map(|bytes| segment(bytes)).collect(),
        limits: Limits { bytes, items, depth },
        window: window as usize,
        known,
    })
}
