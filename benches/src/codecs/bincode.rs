//! bincode 2, for reference: it is no longer maintained. Integers have a fixed size, which is its faster setting.
//! Through serde: its own derive does not find the fields of types that a macro makes.

use bincode::config::{Configuration, Fixint, LittleEndian};
use bincode::error::EncodeError;
use serde::{Deserialize, Serialize};

use super::{Reads, Subject, Writes, grow};

const CONFIG: Configuration<LittleEndian, Fixint> = bincode::config::standard().with_fixed_int_encoding();

/// Keeps its buffer.
#[derive(Default)]
pub(crate) struct Bincode(Vec<u8>);

impl Subject for Bincode {
    const NAME: &'static str = "bincode";
    type Error = Box<dyn std::error::Error>;
}

impl<T: Serialize> Writes<T> for Bincode {
    fn encode(&mut self, value: &T) -> Result<&[u8], Self::Error> {
        let length = loop {
            match bincode::serde::encode_into_slice(value, &mut self.0, CONFIG) {
                Ok(length) => break length,
                Err(EncodeError::UnexpectedEnd) => grow(&mut self.0),
                Err(error) => return Err(error.into()),
            }
        };
        Ok(&self.0[..length])
    }
}

impl<'de, T: Deserialize<'de>> Reads<'de, T> for Bincode {
    fn decode(&mut self, bytes: &'de [u8]) -> Result<T, Self::Error> {
        let (value, _) = bincode::serde::borrow_decode_from_slice(bytes, CONFIG)?;
        Ok(value)
    }
}
