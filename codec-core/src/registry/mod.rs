//! Codecs by name.
mod error;
pub use error::RegistryError;
/// The table of codecs.
#[derive(Debug)]
pub struct CodecRegistry;
