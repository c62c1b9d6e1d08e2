//! rkyv, validated: what is read may come from anywhere, as for every other codec here.

use std::hint::black_box;

use rkyv::api::high::{HighDeserializer, HighSerializer, HighValidator};
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor::Error;
use rkyv::ser::allocator::ArenaHandle;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Deserialize, Serialize};

use super::{Accesses, Reads, Subject, Writes};

/// Keeps its buffer; the arena for its scratch is the thread's.
#[derive(Default)]
pub(crate) struct Rkyv(AlignedVec);

impl Subject for Rkyv {
    const NAME: &'static str = "rkyv";
    type Error = Error;
}

impl<T> Writes<T> for Rkyv
where
    T: for<'a> Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, Error>>,
{
    fn encode(&mut self, value: &T) -> Result<&[u8], Error> {
        let mut buffer = std::mem::take(&mut self.0);
        buffer.clear();
        self.0 = rkyv::api::high::to_bytes_in(value, buffer)?;
        Ok(&self.0)
    }
}

impl<'de, T> Reads<'de, T> for Rkyv
where
    T: Archive,
    T::Archived: for<'a> CheckBytes<HighValidator<'a, Error>> + Deserialize<T, HighDeserializer<Error>>,
{
    fn decode(&mut self, bytes: &'de [u8]) -> Result<T, Error> {
        rkyv::from_bytes(bytes)
    }
}

impl<T> Accesses<T> for Rkyv
where
    T: Archive,
    T::Archived: for<'a> CheckBytes<HighValidator<'a, Error>>,
{
    fn access(&mut self, bytes: &[u8]) -> Result<(), Error> {
        rkyv::access::<T::Archived, Error>(bytes).map(|archived| _ = black_box(archived))
    }
}
