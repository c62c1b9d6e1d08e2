//! The field that is in the way of a trivial type.

use podwire::Codec;

#[derive(Clone, Copy, Codec)]
struct NotTrivial {
    number: u32,
}

#[derive(Clone, Copy, Codec)]
#[repr(C)]
#[codec(trivial)]
struct Fields {
    x: f32,
    option: Option<u8>,
    inner: NotTrivial,
}

#[derive(Clone, Copy, Codec)]
#[repr(C)]
#[codec(trivial)]
struct Gap {
    small: u8,
    large: u32,
}

#[derive(Clone, Copy, Codec)]
#[repr(C)]
#[codec(trivial)]
struct GapAtTheEnd {
    large: u32,
    small: u8,
}

#[derive(Codec)]
#[repr(C)]
#[codec(trivial)]
struct NotCopy {
    x: f32,
}

/// The first of the two errors is that of `derive(Copy)`.
#[derive(Clone, Copy, Codec)]
#[repr(C)]
#[codec(trivial)]
struct Text {
    x: f32,
    name: String,
}

#[derive(Clone, Copy, Codec)]
#[repr(transparent)]
#[codec(trivial)]
struct Wrapper {
    x: (f32, f32),
}

fn main() {}
