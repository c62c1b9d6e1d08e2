//! The functions for trivial types, called with others.

#[derive(podwire::Codec, Clone, Copy)]
struct Sample {
    value: f32,
}

fn main() {
    let mut endpoint = podwire::Buffer::new();
    let _ = podwire::serialize_trivial_type(&Sample { value: 1.0 }, &mut endpoint);
    let _ = podwire::deserialize_trivial_type::<String>(&mut endpoint);
}
