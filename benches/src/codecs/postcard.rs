//! postcard, through serde, into a slice: its fastest way out.

use postcard::Error;
use serde::{Deserialize, Serialize};

use super::{Reads, Subject, Writes, grow};

/// Keeps its buffer.
#[derive(Default)]
pub(crate) struct Postcard(Vec<u8>);

impl Subject for Postcard {
    const NAME: &'static str = "postcard";
    type Error = Error;
}

impl<T: Serialize> Writes<T> for Postcard {
    fn encode(&mut self, value: &T) -> Result<&[u8], Error> {
        let length = loop {
            match postcard::to_slice(value, &mut self.0) {
                Ok(written) => break written.len(),
                Err(Error::SerializeBufferFull) => grow(&mut self.0),
                Err(error) => return Err(error),
            }
        };
        Ok(&self.0[..length])
    }
}

impl<'de, T: Deserialize<'de>> Reads<'de, T> for Postcard {
    fn decode(&mut self, bytes: &'de [u8]) -> Result<T, Error> {
        postcard::from_bytes(bytes)
    }
}
