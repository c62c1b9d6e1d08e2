//! A field without a fixed size.

#[derive(podwire::Codec)]
struct Text {
    length: u8,
    text: str,
}

#[derive(podwire::Codec)]
struct Slice<T> {
    values: [T],
}

#[derive(podwire::Codec)]
struct Object {
    object: dyn Fn(u8),
}

fn main() {}
