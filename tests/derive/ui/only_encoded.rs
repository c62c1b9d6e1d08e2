//! A hand-written codec of which one half is missing.

struct Half;

impl podwire::Encode for Half {
    fn encode(&self, writer: &mut podwire::Writer<'_>) -> podwire::Result<()> {
        writer.write(b"half")
    }
}

#[derive(podwire::Codec)]
struct Holder {
    half: Half,
}

#[derive(podwire::Codec)]
enum Variants {
    A(Half),
}

fn main() {}
