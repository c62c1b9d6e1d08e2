//! What travels with a value: names, each with a value of its own.
//!
//! The invariant: an entry is bytes until it is asked for, so that reading a message never reads the messages within it,
//! however deep they stand in one another.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
#[cfg(feature = "std")]
use core::any::Any;

use crate::error::Result;
use crate::limits::Limits;
#[cfg(feature = "std")]
use crate::{
    codec::Codec,
    endpoint::Buffer,
    error::Error,
    message::Message,
    registry::{AnyValue, CodecRegistry},
};

/// The dictionary of a message: values of any registered type, or bytes, by name.
///
/// ```
/// use podwire_codec_core::message::{Message, Metadata, Options};
/// use podwire_codec_core::{Buffer, CodecRegistry, Limits, register_codec};
///
/// register_codec!(Vec<f64>, "origin");
///
/// let mut metadata = Metadata::new();
/// metadata.insert("origin", &vec![0.5_f64, 1.0, -2.0])?;
/// metadata.insert_bytes("source", *b"camera 3");
///
/// let registry = CodecRegistry::new();
/// registry.register::<u32>("frame")?;
/// let mut endpoint = Buffer::new();
/// let options = Options { metadata: Some(&metadata), ..Options::default() };
/// registry.serialize_with(&7_u32, options, &mut endpoint)?;
///
/// let message = Message::read(&mut endpoint, Limits::default())?;
/// assert_eq!(message.metadata().get::<Vec<f64>>("origin")?.unwrap()[2], -2.0);
/// assert_eq!(message.metadata().bytes("source"), Some(&b"camera 3"[..]));
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    entries: BTreeMap<String, Vec<u8>>,
}

impl Metadata {
    /// No entries.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: BTreeMap::new() }
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes of an entry: a message, or whatever both sides agree on.
    #[must_use]
    pub fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.entries.get(key).map(Vec::as_slice)
    }

    /// Puts bytes in that both sides agree on, and gives those that had the key.
    pub fn insert_bytes(&mut self, key: &str, bytes: impl Into<Vec<u8>>) -> Option<Vec<u8>> {
        self.entries.insert(key.into(), bytes.into())
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &str) -> Option<Vec<u8>> {
        self.entries.remove(key)
    }

    /// Keys and bytes, sorted by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.entries.iter().map(|(key, bytes)| (key.as_str(), bytes.as_slice()))
    }

    /// Puts a value of a registered type in, as a message of its own, in the place of what had the key.
    ///
    /// # Errors
    ///
    /// As [`CodecRegistry::serialize`].
    #[cfg(feature = "std")]
    pub fn insert<T: Any + Send + Sync>(&mut self, key: &str, value: &T) -> Result<()> {
        self.insert_in(CodecRegistry::global(), key, value)
    }

    /// [`insert`](Self::insert), with a registry of one's own.
    ///
    /// # Errors
    ///
    /// As [`CodecRegistry::serialize`].
    #[cfg(feature = "std")]
    pub fn insert_in(
        &mut self,
        registry: &CodecRegistry,
        key: &str,
        value: &(dyn Any + Send + Sync),
    ) -> Result<()> {
        let mut bytes = Vec::new();
        registry.serialize(value, &mut bytes)?;
        self.entries.insert(key.into(), bytes);
        Ok(())
    }

    /// The value of an entry that is a `T`; nothing if there is no such entry.
    ///
    /// # Errors
    ///
    /// As [`CodecRegistry::decode_as`], and [`Error::TrailingBytes`].
    #[cfg(feature = "std")]
    pub fn get<T: Codec + Any>(&self, key: &str) -> Result<Option<T>> {
        self.get_in(CodecRegistry::global(), key)
    }

    /// [`get`](Self::get), with a registry of one's own.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    #[cfg(feature = "std")]
    pub fn get_in<T: Codec + Any>(&self, registry: &CodecRegistry, key: &str) -> Result<Option<T>> {
        self.message(key)?.map(|message| registry.decode_as(&message, &mut Buffer::new())).transpose()
    }

    /// The value of an entry, whatever registered type it has; nothing if there is no such entry.
    ///
    /// # Errors
    ///
    /// As [`CodecRegistry::decode`], and [`Error::TrailingBytes`].
    #[cfg(feature = "std")]
    pub fn get_any(&self, key: &str) -> Result<Option<AnyValue>> {
        self.get_any_in(CodecRegistry::global(), key)
    }

    /// [`get_any`](Self::get_any), with a registry of one's own.
    ///
    /// # Errors
    ///
    /// As [`get_any`](Self::get_any).
    #[cfg(feature = "std")]
    pub fn get_any_in(&self, registry: &CodecRegistry, key: &str) -> Result<Option<AnyValue>> {
        self.message(key)?.map(|message| registry.decode(&message, &mut Buffer::new())).transpose()
    }

    /// The message that an entry is.
    #[cfg(feature = "std")]
    fn message(&self, key: &str) -> Result<Option<Message<'_>>> {
        let Some(bytes) = self.bytes(key) else { return Ok(None) };
        match Message::parse(bytes, Limits::DEFAULT)? {
            (message, []) => Ok(Some(message)),
            (_, rest) => {
                let count = rest.len() as u64;
                Err(Error::TrailingBytes { offset: bytes.len() as u64 - count, count })
            }
        }
    }

    /// Reads what stands in a message: nothing, or the encoding of the map.
    pub(super) fn parse(bytes: &[u8], limits: Limits) -> Result<Self> {
        if bytes.is_empty() {
            return Ok(Self::new());
        }
        crate::from_slice_with(bytes, limits).map(|entries| Self { entries })
    }

    /// The map that stands in a message.
    pub(super) fn entries(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.entries
    }
}

impl FromIterator<(String, Vec<u8>)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (String, Vec<u8>)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

impl<const N: usize> From<[(String, Vec<u8>); N]> for Metadata {
    fn from(entries: [(String, Vec<u8>); N]) -> Self {
        entries.into_iter().collect()
    }
}
