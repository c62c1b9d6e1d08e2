//! The 16-bit floats, which neither Python nor this compiler has.
//!
//! Invariant: a number becomes the nearest one, of two equally near ones that with an even last bit, as everywhere in IEEE 754.

/// A format of 16 bits: one for the sign, so many for the exponent, the rest for the mantissa.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    exponent: u32,
}

/// IEEE's binary16.
pub(crate) const F16: Format = Format { exponent: 5 };
/// The upper half of a binary32.
pub(crate) const BF16: Format = Format { exponent: 8 };

impl Format {
    /// The bits of a number in this format, and whether it is finite there.
    pub(crate) fn of(self, number: f64) -> ([u8; 2], bool) {
        let (mantissa, largest) = (15 - self.exponent, (1_i64 << self.exponent) - 1);
        let infinite = (largest as u64) << mantissa;
        let bits = number.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as i64;
        let biased = exponent - 1023 + largest / 2;
        let magnitude = if number.is_nan() {
            infinite | 1 << (mantissa - 1)
        } else if biased >= largest {
            infinite
        } else {
            // Where the exponent is too small, the mantissa has leading zeros instead.
            let dropped = i64::from(52 - mantissa) + (1 - biased).max(0);
            let significand = bits & ((1 << 52) - 1) | u64::from(exponent != 0) << 52;
            let rounded = if dropped > 54 { 0 } else { round(significand, dropped as u32) };
            // A mantissa that was rounded up to the next power of two counts the exponent up, also to infinity.
            rounded + (((biased - 1).max(0) as u64) << mantissa)
        };
        let sign = (bits >> 63) << 15;
        (((sign | magnitude) as u16).to_le_bytes(), magnitude < infinite)
    }
}

/// Drops the last bits, to nearest, ties to even.
fn round(number: u64, dropped: u32) -> u64 {
    let (kept, rest, half) = (number >> dropped, number & ((1 << dropped) - 1), 1 << (dropped - 1));
    kept + u64::from(rest > half || rest == half && kept & 1 == 1)
}
