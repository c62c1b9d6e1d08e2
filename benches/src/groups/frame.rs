//! A header and a large buffer: by reference at two sizes, and inline beside memcpy.
//!
//! Inline, all subjects get their memory the same way: writing into a buffer that is used again, owning in fresh memory
//! (the pages of 64 MiB are new each time, and the kernel's work on them is in all figures), and borrowing from the
//! buffer that was received into, which is how a receive buffer is used again.

use std::hint::black_box;

use podwire::Gather;

use super::shape::Shape;
use super::{OWNED, SERIALIZE};
#[cfg(feature = "peers")]
use crate::codecs::peers::{Bitcode, Rkyv, Wincode};
use crate::codecs::podwire::Podwire;
use crate::runner::{Group, Style};
use crate::shapes::frame::{self, SharedFrame, borrowed};

/// What segments are measured with: 64 MiB is to cost what 8 KiB costs.
const SIZES: [(&str, usize); 2] = [("segment of 8 KiB", 8 << 10), ("segment of 64 MiB", frame::SIZE)];
const BY_REFERENCE: &str = "serialize and deserialize by reference";

/// All of it.
pub(super) fn group(failures: &mut Vec<String>) -> Group {
    let title = "frame: a header and a buffer, by reference over 8 KiB; 64 MiB inline over memcpy";
    let mut group = Group::new("frame", Style::Ratios, title);
    for (name, size) in SIZES {
        by_reference(&mut group, failures, name, frame::generate_shared(size));
    }
    let pixels: &'static [u8] = frame::generate(frame::SIZE).pixels.leak();
    let mut buffer: Vec<u8> = Vec::new();
    group.add("memcpy", SERIALIZE, pixels.len(), move || {
        buffer.clear();
        buffer.extend_from_slice(black_box(pixels));
        black_box(&mut buffer);
    });
    group.add("memcpy", OWNED, pixels.len(), move || drop(black_box(black_box(pixels).to_vec())));
    let mut shape = Shape::new(&mut group, failures, frame::generate(frame::SIZE));
    shape.add::<Podwire>();
    shape.borrow::<Podwire, borrowed::Frame<'static>>();
    #[cfg(feature = "peers")]
    {
        shape.add::<Wincode>();
        shape.add::<Bitcode>();
        shape.add::<Rkyv>();
        shape.borrow::<Wincode, borrowed::Frame<'static>>();
        shape.access::<Rkyv>();
    }
    group
}

fn by_reference(group: &mut Group, failures: &mut Vec<String>, name: &str, frame: SharedFrame) {
    let mut gather = Gather::new();
    let mut hand_over = move || -> podwire::Result<bool> {
        gather.clear();
        podwire::serialize(black_box(&frame), &mut gather)?;
        let back: SharedFrame = podwire::deserialize(&mut gather)?;
        // The same memory, not a copy of it.
        Ok(std::ptr::eq(&*back.pixels, &*frame.pixels))
    };
    match hand_over() {
        Ok(true) => group.add(name, BY_REFERENCE, 0, move || {
            black_box(hand_over().ok());
        }),
        Ok(false) => failures.push(format!("frame: a {name} was copied")),
        Err(error) => failures.push(format!("frame: {error}")),
    }
}
