//! The types that elements can have, with codes that never change, and the Rust types that are such elements.

use bytemuck::{CheckedBitPattern, NoUninit};
use num_complex::Complex;

use crate::types::code::coded;

coded! {
    /// The type of the elements of an array; little-endian.
    DType "The stable code, never 0."
    U8 = 1, "u8", "Unsigned, 8 bits.";
    U16 = 2, "u16", "Unsigned, 16 bits.";
    U32 = 3, "u32", "Unsigned, 32 bits.";
    U64 = 4, "u64", "Unsigned, 64 bits.";
    I8 = 5, "i8", "Signed, 8 bits.";
    I16 = 6, "i16", "Signed, 16 bits.";
    I32 = 7, "i32", "Signed, 32 bits.";
    I64 = 8, "i64", "Signed, 64 bits.";
    F16 = 9, "f16", "IEEE 754 binary16.";
    BF16 = 10, "bf16", "The upper half of a binary32.";
    F32 = 11, "f32", "IEEE 754 binary32.";
    F64 = 12, "f64", "IEEE 754 binary64.";
    C64 = 13, "c64", "Complex of two `f32`: real, imaginary.";
    C128 = 14, "c128", "Complex of two `f64`: real, imaginary.";
    Bool = 15, "bool", "One byte, 0 or 1.";
}

impl DType {
    /// The size of one element in bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::BF16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 | Self::C64 => 8,
            Self::C128 => 16,
        }
    }

    /// The alignment in bytes that one element needs.
    #[must_use]
    pub const fn alignment(self) -> usize {
        match self {
            Self::C64 | Self::C128 => self.size() / 2,
            _ => self.size(),
        }
    }
}

/// A Rust type that is an element of an array.
///
/// ```
/// use num_complex::Complex;
/// use podwire_codec_core::tensor::{DType, Element};
///
/// assert_eq!(<f32 as Element>::DTYPE, DType::F32);
/// assert_eq!(<Complex<f32> as Element>::DTYPE, DType::C64);
/// assert_eq!(<[f32; 2] as Element>::DTYPE, DType::C64); // real, imaginary
/// ```
///
/// Implement it for a type of yours whose bytes are those of a [`DType`]; a wrong size is refused by the compiler
/// where the type is used. What not every bit pattern makes, such as `bool`, is checked before it is seen.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an element of tensors and arrays",
    note = "elements are the numbers, `bool`, `num_complex::Complex`, and with the feature `half` its floats"
)]
pub trait Element: NoUninit + CheckedBitPattern + Send + Sync {
    /// The dtype whose bytes these are.
    const DTYPE: DType;
}

macro_rules! elements {
    ($($type:ty => $variant:ident,)*) => { $(impl Element for $type { const DTYPE: DType = DType::$variant; })* };
}

elements! {
    u8 => U8, u16 => U16, u32 => U32, u64 => U64,
    i8 => I8, i16 => I16, i32 => I32, i64 => I64,
    f32 => F32, f64 => F64, [f32; 2] => C64, [f64; 2] => C128, bool => Bool,
    Complex<f32> => C64, Complex<f64> => C128,
}

#[cfg(feature = "half")]
elements! { half::f16 => F16, half::bf16 => BF16, }
