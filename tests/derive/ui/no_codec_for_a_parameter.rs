//! Plain data of another crate is found by its name, which a parameter hides.

#[derive(podwire::Codec)]
struct Holder<T> {
    value: T,
}

fn main() {
    let _ = podwire::to_vec(&Holder { value: glam::Vec3::ONE });
}
