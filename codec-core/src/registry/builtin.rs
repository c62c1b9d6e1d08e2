//! The table of types that every program's global registry knows.
//!
//! Each row is a constant: the type under the name that Rust gives it, and under those that C++ gives it as aliases, which
//! are understood and never sent. The rows count as automatic registrations: a program that registers another type
//! under one of these names automatically spoils that name, and heals it at run time.

use std::collections::HashMap;
use std::sync::Arc;

use num_complex::Complex;

use super::Registration;
use crate::tensor::{AudioBuffer, EndOfStream, Tensor, TensorMap, Timestamp, VideoBuffer};

/// A type by its name, and by its other names.
macro_rules! row {
    ($type:ty, $name:expr $(, $alias:expr)* $(,)?) => {
        Registration::new::<$type>($name, file!(), line!()).with_aliases(&[$($alias),*])
    };
}

/// A type, vectors and nested vectors of it, and each of these shared. The field's own table closes its nested vectors
/// with one `>` too many; both ways are understood.
macro_rules! rows {
    ($type:ty, $name:literal, $alias:literal) => {
        &[
            row!($type, $name, $alias),
            row!(Vec<$type>, concat!("Vec<", $name, ">"), concat!("std::vector<", $alias, ">")),
            row!(
                Vec<Vec<$type>>,
                concat!("Vec<Vec<", $name, ">>"),
                concat!("std::vector<std::vector<", $alias, ">>"),
                concat!("std::vector<std::vector<", $alias, ">>>"),
            ),
            row!(Arc<$type>, concat!("Arc<", $name, ">"), concat!("std::shared_ptr<", $alias, ">")),
            row!(
                Arc<Vec<$type>>,
                concat!("Arc<Vec<", $name, ">>"),
                concat!("std::shared_ptr<std::vector<", $alias, ">>"),
            ),
            row!(
                Arc<Vec<Vec<$type>>>,
                concat!("Arc<Vec<Vec<", $name, ">>>"),
                concat!("std::shared_ptr<std::vector<std::vector<", $alias, ">>>"),
                concat!("std::shared_ptr<std::vector<std::vector<", $alias, ">>>>"),
            ),
        ]
    };
}

static TABLE: &[&[Registration]] = &[
    rows!(bool, "bool", "bool"),
    rows!(i8, "i8", "int8_t"),
    rows!(i16, "i16", "int16_t"),
    rows!(i32, "i32", "int32_t"),
    rows!(i64, "i64", "int64_t"),
    rows!(u8, "u8", "uint8_t"),
    rows!(u16, "u16", "uint16_t"),
    rows!(u32, "u32", "uint32_t"),
    rows!(u64, "u64", "uint64_t"),
    rows!(f32, "f32", "float"),
    rows!(f64, "f64", "double"),
    rows!(Complex<f32>, "Complex<f32>", "std::complex<float>"),
    rows!(Complex<f64>, "Complex<f64>", "std::complex<double>"),
    rows!(String, "String", "std::string"),
    &[
        row!(i128, "i128", "__int128"),
        row!(u128, "u128", "unsigned __int128"),
        row!(char, "char", "char32_t"),
        row!(
            HashMap<String, String>,
            "HashMap<String, String>",
            "std::unordered_map<std::string, std::string>",
        ),
        row!(
            Arc<HashMap<String, String>>,
            "Arc<HashMap<String, String>>",
            "std::shared_ptr<std::unordered_map<std::string, std::string>>",
        ),
        row!(Arc<[f32; 16]>, "Arc<[f32; 16]>", "std::shared_ptr<std::array<float, 16>>"),
    ],
    &[
        row!(Tensor, "Tensor", "holoscan::Tensor", "std::shared_ptr<holoscan::Tensor>"),
        row!(TensorMap, "TensorMap", "holoscan::TensorMap"),
        row!(VideoBuffer, "VideoBuffer", "nvidia::gxf::VideoBuffer"),
        row!(AudioBuffer, "AudioBuffer", "nvidia::gxf::AudioBuffer"),
        row!(Timestamp, "Timestamp", "nvidia::gxf::Timestamp"),
        row!(EndOfStream, "EndOfStream", "nvidia::gxf::EndOfStream"),
    ],
];

/// At least as many names as there are in the table.
pub(super) const NAMES: usize = 256;

/// All rows.
pub(super) fn rows() -> impl Iterator<Item = &'static Registration> {
    TABLE.iter().flat_map(|rows| rows.iter())
}
