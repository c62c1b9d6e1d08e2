//! A type that does not exist is one error.

#[derive(podwire::Codec)]
struct Field {
    field: Missing,
    fine: u8,
}

#[derive(podwire::Codec)]
enum Variant<T> {
    A(Gone<T>),
}

fn main() {}
