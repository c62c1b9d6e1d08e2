//! `Bulk` needs elements that can be seen in memory as they are.

use podwire::{Bulk, Codec};

#[derive(Codec, Clone, Copy)]
struct Sample {
    value: f32,
}

#[derive(Codec)]
struct Frame {
    samples: Bulk<Sample>,
    names: Bulk<String>,
    points: Bulk<glam::Vec3>,
}

fn main() {
    let _ = Bulk::from(vec![Sample { value: 1.0 }]);
}
