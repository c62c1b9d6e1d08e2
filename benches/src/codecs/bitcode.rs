//! bitcode, with the buffer that it offers for repeated calls; and through serde, for recursive types, which its derive does
//! not know.

use bitcode::{Buffer, Decode, Encode};

use serde::{Deserialize, Serialize};

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

/// Has no buffer to keep.
#[derive(Default)]
pub(crate) struct BitcodeSerde(Vec<u8>);

impl Subject for BitcodeSerde {
    const NAME: &'static str = "bitcode";
    type Error = bitcode::Error;
}

impl<T: Serialize> Writes<T> for BitcodeSerde {
    fn encode(&mut self, value: &T) -> Result<&[u8], Self::Error> {
        self.0 = bitcode::serialize(value)?;
        Ok(&self.0)
    }
}

impl<'de, T: Deserialize<'de>> Reads<'de, T> for BitcodeSerde {
    fn decode(&mut self, bytes: &'de [u8]) -> Result<T, Self::Error> {
        bitcode::deserialize(bytes)
    }
}
