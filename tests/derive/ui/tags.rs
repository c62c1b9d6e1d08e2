//! Tags that stand twice, or do not fit.

#[derive(podwire::Codec)]
enum Twice {
    A,
    #[codec(tag = 2)]
    B,
    C,
    #[codec(tag = 0)]
    D,
}

#[derive(podwire::Codec)]
enum TooLarge {
    #[codec(tag = 256)]
    A,
    #[codec(tag = 65536)]
    B,
}

fn main() {}
