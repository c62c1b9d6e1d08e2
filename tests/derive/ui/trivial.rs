//! What is in the way of a trivial type.

use podwire::Codec;

#[derive(Clone, Copy, Codec)]
#[codec(trivial)]
struct NoRepr {
    x: f32,
}

#[derive(Clone, Copy, Codec)]
#[repr(u8)]
#[codec(trivial)]
enum Tags {
    A,
}

#[derive(Clone, Copy, Codec)]
#[repr(C)]
#[codec(trivial)]
struct Borrows<'a> {
    text: &'a str,
}

#[derive(Clone, Copy, Codec)]
#[repr(C)]
#[codec(trivial)]
struct Generic<T> {
    value: T,
}

#[derive(Clone, Copy, Codec)]
#[repr(C)]
#[codec(trivial)]
struct Skips {
    x: f32,
    #[codec(skip)]
    y: f32,
}

#[derive(Clone, Copy, Codec)]
#[repr(C)]
#[codec(trivial)]
struct BorrowsForever {
    x: f32,
    name: &'static str,
}

fn main() {}
