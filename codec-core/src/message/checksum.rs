//! CRC-32C, as iSCSI and ext4 have it.

use super::MessageError;

/// The checksum of bytes that follow others whose checksum is `before`.
#[cfg(feature = "std")]
#[allow(clippy::unnecessary_wraps, reason = "without `std` it fails")]
pub(super) fn append(before: u32, bytes: &[u8]) -> Result<u32, MessageError> {
    Ok(crc32c::crc32c_append(before, bytes))
}

/// Without `std` there is none.
#[cfg(not(feature = "std"))]
pub(super) fn append(_: u32, _: &[u8]) -> Result<u32, MessageError> {
    Err(MessageError::NoChecksums)
}
