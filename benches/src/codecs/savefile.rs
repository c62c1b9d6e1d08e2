//! savefile, without the schema that it can write before a value.

use savefile::prelude::{Deserialize, Packed, SavefileError, Serialize, WithSchema};

use super::{Reads, Subject, Writes};

/// Keeps its buffer.
#[derive(Default)]
pub(crate) struct Savefile(Vec<u8>);

impl Subject for Savefile {
    const NAME: &'static str = "savefile";
    type Error = SavefileError;
}

impl<T: Serialize> Writes<T> for Savefile {
    fn encode(&mut self, value: &T) -> Result<&[u8], SavefileError> {
        self.0.clear();
        savefile::save_noschema(&mut self.0, 0, value)?;
        Ok(&self.0)
    }
}

impl<'de, T: Deserialize + WithSchema + Packed> Reads<'de, T> for Savefile {
    fn decode(&mut self, mut bytes: &'de [u8]) -> Result<T, SavefileError> {
        savefile::load_noschema(&mut bytes, 0)
    }
}
