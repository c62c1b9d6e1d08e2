//! speedy, little-endian, with lengths of four bytes as it comes.

use speedy::{LittleEndian, Readable, Writable};

use super::{Reads, Subject, Writes};

/// Keeps its buffer.
#[derive(Default)]
pub(crate) struct Speedy(Vec<u8>);

impl Subject for Speedy {
    const NAME: &'static str = "speedy";
    type Error = speedy::Error;
}

impl<T: Writable<LittleEndian>> Writes<T> for Speedy {
    fn encode(&mut self, value: &T) -> Result<&[u8], speedy::Error> {
        self.0.resize(value.bytes_needed()?, 0);
        value.write_to_buffer(&mut self.0)?;
        Ok(&self.0)
    }
}

impl<'de, T: Readable<'de, LittleEndian>> Reads<'de, T> for Speedy {
    fn decode(&mut self, bytes: &'de [u8]) -> Result<T, speedy::Error> {
        T::read_from_buffer(bytes)
    }
}
