//! A union has no codec.

#[derive(podwire::Codec)]
union Either {
    number: u32,
    float: f32,
}

fn main() {
    let _ = podwire::to_vec(&Either { number: 1 });
}
