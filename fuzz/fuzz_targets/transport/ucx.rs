//! Headers of UCX's active messages, and entries of the directory.

#[path = "../../../fragment/src/transport/ucx/error.rs"]
mod error;
#[path = "../../../fragment/src/transport/ucx/wire.rs"]
mod wire;

/// What the other file says of alignment, which needs the engine.
mod memory {
    pub(super) const ALIGNMENT: usize = 64;
}

/// A header or an entry that is read is written as it was.
pub fn read(length: u64, bytes: &[u8]) {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if let Ok(header) = wire::Header::parse(bytes, length) {
        assert_eq!(header.to_bytes(), bytes);
        assert_eq!(header.length, length as u64);
        assert_eq!(wire::Header::ends(bytes), (header.to, header.from));
        assert!(wire::aligned(header.length).is_none_or(|end| end >= header.length && end % 64 == 0));
    }
    if let Ok(entry) = wire::Entry::parse(bytes) {
        let again = entry.to_bytes();
        assert_eq!(wire::Entry::parse(&again).unwrap(), entry);
        assert_eq!(again.len(), bytes.len());
    }
}

/// An entry with its checksum is read as it was written, and with another byte anywhere behind its beginning it is not.
pub fn entry(id: u64, address: &[u8]) {
    let entry = wire::Entry { id, address: address.to_vec(), process: "ward-2/77".into() };
    let mut bytes = entry.to_bytes();
    match wire::Entry::parse(&bytes) {
        Ok(read) => assert_eq!(read, entry),
        Err(_) => return assert!(address.is_empty() || address.len() > 1 << 16),
    }
    let at = 8 + (id as usize) % (bytes.len() - 8);
    bytes[at] ^= 1 << (id >> 61);
    assert!(wire::Entry::parse(&bytes).is_err());
}
