//! A trait of the user's that implies `Codec`: the compiler does not choose between it and the derive's bound. Write
//! `#[codec(bound(T: Sendable))]`.

trait Sendable: podwire::Codec {}

#[derive(podwire::Codec)]
struct Twice<T: Sendable> {
    value: T,
}

fn main() {}
