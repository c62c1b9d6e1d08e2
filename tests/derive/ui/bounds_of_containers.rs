//! A container that has a codec, of something that does not fit it: the error is the field's.

use std::collections::HashMap;

#[derive(podwire::Codec)]
struct Holder<'a> {
    map: HashMap<Vec<f32>, u8>,
    fine: u8,
    exclusive: &'a mut u8,
    function: fn(u8) -> u8,
}

fn main() {}
