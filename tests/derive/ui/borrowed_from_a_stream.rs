//! A type that borrows is read from a slice: an endpoint does not keep the bytes. The words are the compiler's own; the
//! documentation of `Codec` explains them.

#[derive(podwire::Codec)]
struct Line<'a> {
    text: &'a str,
}

fn main() {
    let mut endpoint = podwire::Buffer::new();
    let _ = podwire::deserialize::<Line<'_>, _>(&mut endpoint);
}
