//! Functions that make another type than the field's.

mod hex {
    use podwire::{Reader, Result, Writer};

    pub fn encode(value: u32, writer: &mut Writer<'_>) -> Result<()> {
        writer.encode(&value)
    }

    pub fn decode(reader: &mut Reader<'_>) -> Result<u64> {
        reader.decode()
    }
}

#[derive(podwire::Codec)]
struct Holder {
    #[codec(with = hex)]
    number: u32,
    #[codec(skip, default = five)]
    skipped: u8,
}

#[derive(podwire::Codec)]
enum Variants {
    A(#[codec(with = hex)] u32, #[codec(skip, default = five)] u8),
}

fn five() -> u16 {
    5
}

fn main() {}
