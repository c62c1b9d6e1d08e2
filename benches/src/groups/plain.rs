//! Plain data: a vector of structs of floats against memcpy of the same bytes.
//!
//! Both sides get their memory the same way: a buffer that is used again when writing, fresh memory when reading.

use std::hint::black_box;

use super::shape::{Shape, add_all};
use super::{OWNED, SERIALIZE};
use crate::runner::{Group, Style};
use crate::shapes::mesh::{self, Triangle};

/// The mesh, and its bytes.
pub(super) fn group(failures: &mut Vec<String>) -> Group {
    let title = format!("mesh: {} structs of 12 f32, without repr(C), over memcpy", mesh::COUNT);
    let mut group = Group::new("mesh", Style::Ratios, title);
    let mesh = mesh::generate();
    let bytes: Vec<u8> = mesh.iter().flat_map(Triangle::floats).flat_map(f32::to_le_bytes).collect();
    let bytes: &'static [u8] = bytes.leak();
    let mut buffer: Vec<u8> = Vec::new();
    group.add("memcpy", SERIALIZE, bytes.len(), move || {
        buffer.clear();
        buffer.extend_from_slice(black_box(bytes));
        black_box(&mut buffer);
    });
    group.add("memcpy", OWNED, bytes.len(), move || drop(black_box(black_box(bytes).to_vec())));
    add_all!(Shape::new(&mut group, failures, mesh), [Wincode, Bitcode]);
    group
}
