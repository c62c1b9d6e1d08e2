//! What cannot be read from bytes, whoever writes it.

#[derive(podwire::Codec)]
struct Holder<'a> {
    number: &'a u8,
    list: Option<&'a Vec<u8>>,
    exclusive: &'a mut u8,
    pointer: *const u8,
    functions: Vec<fn(u8) -> u8>,
    text: &'a str,
    bytes: &'a [u8],
    names: &'a [String],
}

fn main() {}
