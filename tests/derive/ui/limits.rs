//! The limits of `docs/derive.md` that have no file of their own.

use std::collections::VecDeque;

type Points = Vec<glam::Vec3>;

struct NoDerive;

/// Plain data of another crate is not found there.
#[derive(podwire::Codec)]
struct Hidden {
    queue: VecDeque<glam::Vec3>,
    slice: Box<[glam::Vec3]>,
    own: Option<std::sync::Arc<[NoDerive]>>,
    five: (u8, u8, u8, u8, glam::Vec3),
    alias: Points,
}

fn main() {}
