//! The types that the elements of an array can have, with codes that never change.
//!
//! Not here: views of memory as such elements (`array.rs`). Invariant: a code, once given, keeps its meaning.

use std::fmt;

macro_rules! dtypes {
    ($($variant:ident = $code:literal, $size:literal, $name:literal, $doc:literal;)*) => {
        /// The type of an array's elements; little-endian.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum DType { $(#[doc = $doc] $variant = $code,)* }

        impl DType {
            /// Every dtype, by ascending code.
            pub const ALL: &'static [DType] = &[$(DType::$variant),*];

            /// The stable code, never 0.
            pub const fn code(self) -> u8 { self as u8 }

            /// The dtype of a code.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(DType::$variant),)* _ => None }
            }

            /// The size of one element in bytes.
            pub const fn size(self) -> usize {
                match self { $(DType::$variant => $size,)* }
            }

            /// A short lower-case name, such as `f32`.
            pub const fn name(self) -> &'static str {
                match self { $(DType::$variant => $name,)* }
            }
        }
    };
}

dtypes! {
    U8 = 1, 1, "u8", "Unsigned, 8 bits.";
    U16 = 2, 2, "u16", "Unsigned, 16 bits.";
    U32 = 3, 4, "u32", "Unsigned, 32 bits.";
    U64 = 4, 8, "u64", "Unsigned, 64 bits.";
    I8 = 5, 1, "i8", "Signed, 8 bits.";
    I16 = 6, 2, "i16", "Signed, 16 bits.";
    I32 = 7, 4, "i32", "Signed, 32 bits.";
    I64 = 8, 8, "i64", "Signed, 64 bits.";
    F16 = 9, 2, "f16", "IEEE 754 binary16.";
    BF16 = 10, 2, "bf16", "The upper half of a binary32.";
    F32 = 11, 4, "f32", "IEEE 754 binary32.";
    F64 = 12, 8, "f64", "IEEE 754 binary64.";
    C64 = 13, 8, "c64", "Complex of two `f32`: real, imaginary.";
    C128 = 14, 16, "c128", "Complex of two `f64`: real, imaginary.";
    Bool = 15, 1, "bool", "One byte, 0 or 1.";
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A Rust type that is an element of an array.
///
/// ```
/// use podwire_fastio::{DType, Element};
/// assert_eq!(<f32 as Element>::DTYPE, DType::F32);
/// assert_eq!(<[f32; 2] as Element>::DTYPE, DType::C64); // real, imaginary
/// ```
///
/// Implement it for a type of yours whose bytes are those of a [`DType`]; a wrong size is refused wherever the
/// type is used.
pub trait Element: Copy + 'static {
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
}
