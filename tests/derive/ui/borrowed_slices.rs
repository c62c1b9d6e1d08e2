//! A slice can be borrowed only if its memory is its encoding.

#[derive(podwire::Codec)]
struct Names<'a> {
    names: &'a [String],
    cow: std::borrow::Cow<'a, [String]>,
}

fn main() {}
