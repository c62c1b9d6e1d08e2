//! wincode, with lengths of four bytes, which is never slower than its eight, and without its limit of 4 MiB per
//! allocation, which the mesh exceeds.

use wincode::config::{Configuration, PREALLOCATION_SIZE_LIMIT_DISABLED, deserialize_exact, serialize_into};
use wincode::len::FixIntLen;
use wincode::{SchemaRead, SchemaWrite};

use super::{Reads, Subject, Writes};

type Config = Configuration<true, PREALLOCATION_SIZE_LIMIT_DISABLED, FixIntLen<u32>>;

const CONFIG: Config =
    Configuration::default().disable_preallocation_size_limit().with_length_encoding::<FixIntLen<u32>>();

/// Keeps its buffer.
#[derive(Default)]
pub(crate) struct Wincode(Vec<u8>);

impl Subject for Wincode {
    const NAME: &'static str = "wincode";
    type Error = wincode::Error;
}

impl<T: SchemaWrite<Config, Src = T> + ?Sized> Writes<T> for Wincode {
    fn encode(&mut self, value: &T) -> Result<&[u8], Self::Error> {
        self.0.clear();
        serialize_into(&mut self.0, value, CONFIG)?;
        Ok(&self.0)
    }
}

impl<'de, T: SchemaRead<'de, Config, Dst = T>> Reads<'de, T> for Wincode {
    fn decode(&mut self, bytes: &'de [u8]) -> Result<T, Self::Error> {
        Ok(deserialize_exact(bytes, CONFIG)?)
    }
}
