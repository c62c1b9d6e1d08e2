//! bitcode, with the buffer that it offers for repeated calls.

use bitcode::{Buffer, Decode, Encode};

use super::{Reads, Subject, Writes};

/// Keeps its buffer.
#[derive(Default)]
pub(crate) struct Bitcode(Buffer);

impl Subject for Bitcode {
    const NAME: &'static str = "bitcode";
    type Error = bitcode::Error;
}

impl<T: Encode + ?Sized> Writes<T> for Bitcode {
    fn encode(&mut self, value: &T) -> Result<&[u8], Self::Error> {
        Ok(self.0.encode(value))
    }
}

impl<'de, T: Decode<'de>> Reads<'de, T> for Bitcode {
    fn decode(&mut self, bytes: &'de [u8]) -> Result<T, Self::Error> {
        self.0.decode(bytes)
    }
}
