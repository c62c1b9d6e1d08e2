//! A module that does not fit its field.

mod hex {
    pub fn encode(value: &u16, writer: &mut podwire::Writer<'_>) -> podwire::Result<()> {
        writer.encode(value)
    }
}

#[derive(podwire::Codec)]
struct Holder {
    #[codec(with = hex)]
    number: u32,
}

fn main() {}
