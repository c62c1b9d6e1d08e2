//! A value that fails midway leaves nothing behind, and drops what it had exactly once.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use podwire::{Codec, Decode, Encode, Error, Reader, Result, Writer, from_slice, to_vec};

thread_local! {
    static ALIVE: Cell<i32> = const { Cell::new(0) };
}

/// Counts how many of it are alive. Its byte says what decoding does: 1 fails, 2 panics.
#[derive(Debug, PartialEq)]
struct Counted(u8);

impl Counted {
    fn new(byte: u8) -> Self {
        ALIVE.set(ALIVE.get() + 1);
        Self(byte)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

impl Encode for Counted {
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        writer.write_trivial_type(&self.0)
    }
}

impl<'de> Decode<'de> for Counted {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        match reader.read_trivial_type::<u8>()? {
            1 => Err(Error::backend("refused")),
            2 => panic!("refused"),
            byte => Ok(Self::new(byte)),
        }
    }
}

#[derive(Codec)]
struct Fields {
    first: Counted,
    boxed: Box<Counted>,
    array: [Counted; 3],
    #[codec(skip, default = skipped)]
    _skipped: Counted,
    last: Inner,
}

fn skipped() -> Counted {
    Counted::new(0)
}

#[derive(Codec)]
struct Inner(Counted, #[codec(with = by_hand)] Counted);

mod by_hand {
    pub(super) use super::Decode;
    use super::{Counted, Encode, Reader, Result, Writer};

    pub(super) fn encode(value: &Counted, writer: &mut Writer<'_>) -> Result<()> {
        value.encode(writer)
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Counted> {
        Counted::decode(reader)
    }
}

#[derive(Codec)]
enum Variants {
    Row { number: u8, first: Counted, second: Counted, fields: Vec<Fields> },
}

fn fields() -> Fields {
    let new = || Counted::new(0);
    Fields {
        first: new(),
        boxed: Box::new(new()),
        array: [new(), new(), new()],
        _skipped: new(),
        last: Inner(new(), new()),
    }
}

/// Whichever part fails or panics, nothing stays alive; and nothing is dropped twice.
fn nothing_stays<T: Codec>(value: T) {
    let bytes = to_vec(&value).unwrap();
    drop(value);
    assert_eq!(ALIVE.get(), 0);
    let mut refused = 0;
    for position in 0..bytes.len() {
        for byte in [1, 2] {
            let mut bytes = bytes.clone();
            bytes[position] = byte;
            match catch_unwind(AssertUnwindSafe(|| from_slice::<T>(&bytes).is_err())) {
                Ok(false) => {}
                Ok(true) | Err(_) => refused += 1,
            }
            assert_eq!(ALIVE.get(), 0, "byte {position} set to {byte}");
        }
    }
    assert!(refused >= 14, "{refused}");
    for length in 0..bytes.len() {
        assert!(from_slice::<T>(&bytes[..length]).is_err());
        assert_eq!(ALIVE.get(), 0, "{length} bytes");
    }
    drop(from_slice::<T>(&bytes).unwrap());
    assert_eq!(ALIVE.get(), 0);
}

#[test]
fn a_struct_that_fails_midway_drops_what_was_decoded_exactly_once() {
    nothing_stays(fields());
}

#[test]
fn a_variant_that_fails_midway_drops_what_was_decoded_exactly_once() {
    let (first, second) = (Counted::new(0), Counted::new(0));
    nothing_stays(Variants::Row { number: 0, first, second, fields: vec![fields(), fields()] });
}
