//! The fields of a packed struct are copied out, as by the standard library's derives.

#[derive(podwire::Codec)]
#[repr(C, packed)]
struct Packed {
    small: u8,
    text: String,
}

fn main() {}
