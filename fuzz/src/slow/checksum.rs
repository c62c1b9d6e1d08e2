//! CRC-32C, bit by bit.

/// The checksum of section 3: polynomial 1EDC6F41, reflected, starting and ending with all ones.
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    let polynomial = 0x1EDC_6F41_u32.reverse_bits();
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ polynomial } else { sum >> 1 };
        }
    }
    !sum
}
