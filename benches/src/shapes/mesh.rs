//! A triangle mesh: plain structs of floats, without `repr(C)`.

use super::owned;
use crate::random::Random;

/// How many triangles there are.
pub(crate) const COUNT: usize = 125_000;

owned! {
    [derive(bitcode::Decode, bitcode::Encode, wincode::SchemaRead, wincode::SchemaWrite)]
    /// A point or a direction, in metres.
    #[derive(Copy)]
    pub(crate) struct Vector {
        x: f32,
        y: f32,
        z: f32,
    }

    /// Three vertices and the normal: 48 bytes without padding.
    #[derive(Copy)]
    pub(crate) struct Triangle {
        first: Vector,
        second: Vector,
        third: Vector,
        normal: Vector,
    }
}

impl Triangle {
    /// Its floats, in declaration order.
    pub(crate) fn floats(&self) -> [f32; 12] {
        let Self { first: a, second: b, third: c, normal: n } = self;
        [a.x, a.y, a.z, b.x, b.y, b.z, c.x, c.y, c.z, n.x, n.y, n.z]
    }
}

/// The mesh.
pub(crate) fn generate() -> Vec<Triangle> {
    let mut random = Random::new(0x6d65_7368);
    let mut vector = || Vector { x: random.unit(), y: random.unit(), z: random.unit() };
    let mut triangle = || Triangle { first: vector(), second: vector(), third: vector(), normal: vector() };
    (0..COUNT).map(|_| triangle()).collect()
}
