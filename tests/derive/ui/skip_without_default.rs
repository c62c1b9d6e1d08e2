//! A skipped field needs a value.

struct NoDefault;

#[derive(podwire::Codec)]
struct Skips {
    #[codec(skip)]
    field: NoDefault,
}

#[derive(podwire::Codec)]
enum Variants {
    A(#[codec(skip)] NoDefault, u8),
}

fn main() {}
