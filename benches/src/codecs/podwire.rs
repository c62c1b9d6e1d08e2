//! podwire, under its default limits.

use podwire::{Buffer, Decode, Encode};

use super::{OURS, Reads, Subject, Writes};

/// Keeps its buffer.
#[derive(Default)]
pub(crate) struct Podwire(Buffer);

impl Subject for Podwire {
    const NAME: &'static str = OURS;
    type Error = podwire::Error;
}

impl<T: Encode + ?Sized> Writes<T> for Podwire {
    fn encode(&mut self, value: &T) -> Result<&[u8], Self::Error> {
        self.0.clear();
        podwire::serialize(value, &mut self.0).map(|_| self.0.as_slice())
    }
}

impl<'de, T: Decode<'de>> Reads<'de, T> for Podwire {
    fn decode(&mut self, bytes: &'de [u8]) -> Result<T, Self::Error> {
        podwire::from_slice(bytes)
    }
}
