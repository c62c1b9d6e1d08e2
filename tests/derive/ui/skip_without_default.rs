//! A skipped field needs a value.

struct NoDefault;

#[derive(podwire::Codec)]
struct Skips {
    #[codec(skip)]
    field: NoDefault,
}

fn main() {}
