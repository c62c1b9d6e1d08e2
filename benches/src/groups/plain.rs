//! Plain data: a vector of structs of floats against memcpy of the same bytes.
//!
//! Both sides get their memory the same way: a buffer that is used again when writing, fresh memory when reading.

use std::hint::black_box;

use super::{OWNED, SERIALIZE};
use crate::codecs::bitcode::Bitcode;
use crate::codecs::podwire::Podwire;
use crate::codecs::wincode::Wincode;
use crate::codecs::{Reads, Writes, round_trip};
use crate::runner::{Group, Style};
use crate::shapes::mesh::{self, Triangle};

/// The mesh, and its bytes.
pub(crate) fn group(failures: &mut Vec<String>) -> Group {
    let title = format!("mesh: {} structs of 12 f32, without repr(C), over memcpy", mesh::COUNT);
    let mut group = Group::new("mesh", Style::Ratios, title);
    let mesh: &'static Vec<Triangle> = Box::leak(Box::new(mesh::generate()));
    let bytes: Vec<u8> = mesh.iter().flat_map(Triangle::floats).flat_map(f32::to_le_bytes).collect();
    let bytes: &'static [u8] = bytes.leak();
    let mut buffer: Vec<u8> = Vec::new();
    group.add("memcpy", SERIALIZE, bytes.len(), move || {
        buffer.clear();
        buffer.extend_from_slice(black_box(bytes));
        black_box(&mut buffer);
    });
    group.add("memcpy", OWNED, bytes.len(), move || drop(black_box(black_box(bytes).to_vec())));
    add::<Podwire>(&mut group, failures, mesh);
    add::<Wincode>(&mut group, failures, mesh);
    add::<Bitcode>(&mut group, failures, mesh);
    group
}

/// A codec, if it gives back the mesh.
fn add<S: Writes<Vec<Triangle>> + Reads<'static, Vec<Triangle>>>(
    group: &mut Group,
    failures: &mut Vec<String>,
    mesh: &'static Vec<Triangle>,
) {
    let bytes = match round_trip::<S, _>(mesh) {
        Ok(bytes) => bytes,
        Err(reason) => return failures.push(format!("mesh: {reason}")),
    };
    let mut codec = S::default();
    group.add(S::NAME, SERIALIZE, bytes.len(), move || {
        black_box(codec.encode(black_box(mesh)).ok());
    });
    let mut codec = S::default();
    group.add(S::NAME, OWNED, bytes.len(), move || {
        drop(black_box(codec.decode(black_box(bytes)).ok()));
    });
}
