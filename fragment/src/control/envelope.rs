//! The envelope of every message between the processes of an application: who wrote it, before what it says.
//!
//! Invariant: what another version wrote is refused by its version, and never decoded.

use podwire_codec_core::{Blob, Codec as Value, Encode, Limits, from_slice_with, to_vec};
use podwire_codec_derive::Codec;

/// What the processes say to each other; counts up with every change of it, or of what goes over transports.
pub(crate) const PROTOCOL: u32 = 3;
const MAGIC: [u8; 4] = *b"PWCT";
/// A message may cost no more memory than this; what stands in one grows with the graph, and with nothing else.
const LIMITS: Limits = Limits { bytes: 256 << 20, items: 1 << 20, depth: 64 };

/// What a process was built with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct Version {
    /// The version of what the processes of an application say to each other.
    pub protocol: u32,
    /// The version of podwire.
    pub podwire: String,
}

impl Version {
    /// That of this build.
    #[must_use]
    pub fn own() -> Self {
        Self { protocol: PROTOCOL, podwire: env!("CARGO_PKG_VERSION").into() }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "podwire {} (protocol {})", self.podwire, self.protocol)
    }
}

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it is no message of podwire")]
    Foreign,
    #[error("it is of {0}")]
    Version(Version),
    #[error(transparent)]
    Codec(#[from] podwire_codec_core::Error),
}

/// Its first fields stay as they are in every version.
#[derive(Codec)]
#[codec(crate = podwire_codec_core)]
struct Envelope {
    magic: [u8; 4],
    version: Version,
    content: Blob,
}

/// A message as bytes.
pub(crate) fn seal<T: Encode>(message: &T) -> Result<Vec<u8>, podwire_codec_core::Error> {
    seal_as(Version::own(), message)
}

/// The same as another version would write it.
pub(crate) fn seal_as<T: Encode>(
    version: Version,
    message: &T,
) -> Result<Vec<u8>, podwire_codec_core::Error> {
    to_vec(&Envelope { magic: MAGIC, version, content: to_vec(message)?.into() })
}

/// The message in these bytes.
pub(crate) fn open<T: Value>(bytes: &[u8]) -> Result<T, Unreadable> {
    if !bytes.starts_with(&MAGIC) {
        return Err(Unreadable::Foreign);
    }
    let envelope: Envelope = from_slice_with(bytes, LIMITS)?;
    if envelope.version.protocol != PROTOCOL {
        return Err(Unreadable::Version(envelope.version));
    }
    Ok(from_slice_with(&envelope.content, LIMITS)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_opened() {
        let bytes = seal(&vec![1_u16, 2]).unwrap();
        assert_eq!(open::<Vec<u16>>(&bytes).unwrap(), [1, 2]);
    }

    #[test]
    fn another_version_is_named_and_its_content_not_looked_at() {
        let version = Version { protocol: 9, podwire: "7.1.0".into() };
        let bytes = seal_as(version, &0xFF_u8).unwrap();
        let error = open::<Vec<u16>>(&bytes).unwrap_err();
        assert!(matches!(error, Unreadable::Version(Version { protocol: 9, .. })), "{error}");
        assert_eq!(error.to_string(), "it is of podwire 7.1.0 (protocol 9)");
    }

    #[test]
    fn every_prefix_and_every_flipped_bit_is_an_error_or_a_message() {
        let bytes = seal(&vec!["pod".to_owned(), "wire".to_owned()]).unwrap();
        for end in 0..bytes.len() {
            assert!(open::<Vec<String>>(&bytes[..end]).is_err());
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let _ = open::<Vec<String>>(&flipped);
        }
        assert!(matches!(open::<String>(b"GET / HTTP/1.1\r\n"), Err(Unreadable::Foreign)));
    }
}
