//! borsh, as it comes: it has no settings.

use borsh::{BorshDeserialize, BorshSerialize};

use super::{Reads, Subject, Writes};

/// Keeps its buffer.
#[derive(Default)]
pub(crate) struct Borsh(Vec<u8>);

impl Subject for Borsh {
    const NAME: &'static str = "borsh";
    type Error = borsh::io::Error;
}

impl<T: BorshSerialize> Writes<T> for Borsh {
    fn encode(&mut self, value: &T) -> Result<&[u8], Self::Error> {
        self.0.clear();
        borsh::to_writer(&mut self.0, value)?;
        Ok(&self.0)
    }
}

impl<'de, T: BorshDeserialize> Reads<'de, T> for Borsh {
    fn decode(&mut self, bytes: &'de [u8]) -> Result<T, Self::Error> {
        borsh::from_slice(bytes)
    }
}
