//! Sample values of every type that is registered in advance, and of every name that it has.
//!
//! Whoever adds a row to the registry's table adds its values here: `table.rs` demands it.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use num_complex::Complex;
use podwire_codec_core::registry::AnyValue;
use podwire_codec_core::tensor::{
    AudioBuffer, AudioLayout, EndOfStream, PixelFormat, Tensor, TensorMap, Timestamp, VideoBuffer,
};

/// A type of the table.
pub(crate) struct Row {
    /// The name under which it is sent.
    pub name: String,
    /// The names under which it is understood.
    pub aliases: Vec<String>,
    /// Small values, the empty one first where there is one.
    pub values: Vec<AnyValue>,
    /// Whether two values of the type are equal.
    pub same: fn(&dyn Any, &dyn Any) -> bool,
}

/// A row of a type whose values can be compared.
pub(crate) fn row<T>(name: &str, aliases: &[&str], values: Vec<T>) -> Row
where
    T: Any + Send + Sync + PartialEq,
{
    Row {
        name: name.into(),
        aliases: aliases.iter().map(|alias| (*alias).into()).collect(),
        values: values.into_iter().map(|value| Box::new(value) as AnyValue).collect(),
        same: |one, other| {
            let (one, other) = (one.downcast_ref::<T>(), other.downcast_ref::<T>());
            one.is_some() && one == other
        },
    }
}

/// The six rows of a scalar.
fn rows<S>(name: &str, alias: &str, values: [S; 3]) -> Vec<Row>
where
    S: Any + Send + Sync + PartialEq + Clone,
{
    let [a, b, c] = values.clone();
    let lists = vec![vec![], vec![a.clone()], vec![a.clone(), b.clone(), c.clone()]];
    let nested = vec![vec![], vec![vec![]], vec![vec![a], vec![], vec![b, c]]];
    vec![
        row(name, &[alias], values.to_vec()),
        row(&format!("Vec<{name}>"), &[&format!("std::vector<{alias}>")], lists.clone()),
        row(
            &format!("Vec<Vec<{name}>>"),
            &[&format!("std::vector<std::vector<{alias}>>"), &format!("std::vector<std::vector<{alias}>>>")],
            nested.clone(),
        ),
        row(&format!("Arc<{name}>"), &[&format!("std::shared_ptr<{alias}>")], values.map(Arc::new).into()),
        row(
            &format!("Arc<Vec<{name}>>"),
            &[&format!("std::shared_ptr<std::vector<{alias}>>")],
            lists.into_iter().map(Arc::new).collect(),
        ),
        row(
            &format!("Arc<Vec<Vec<{name}>>>"),
            &[
                &format!("std::shared_ptr<std::vector<std::vector<{alias}>>>"),
                &format!("std::shared_ptr<std::vector<std::vector<{alias}>>>>"),
            ],
            nested.into_iter().map(Arc::new).collect(),
        ),
    ]
}

/// All rows of the table.
pub(crate) fn samples() -> Vec<Row> {
    let text = |length: usize| "é".repeat(length / 2);
    let map = HashMap::from([("k".to_owned(), "v".to_owned()), (text(300), String::new())]);
    let maps = vec![HashMap::new(), map];
    let mut all = vec![
        rows("bool", "bool", [false, true, true]),
        rows("i8", "int8_t", [0, i8::MIN, i8::MAX]),
        rows("i16", "int16_t", [0, i16::MIN, i16::MAX]),
        rows("i32", "int32_t", [0, i32::MIN, i32::MAX]),
        rows("i64", "int64_t", [0, i64::MIN, i64::MAX]),
        rows("u8", "uint8_t", [0, 1, u8::MAX]),
        rows("u16", "uint16_t", [0, 1, u16::MAX]),
        rows("u32", "uint32_t", [0, 1, u32::MAX]),
        rows("u64", "uint64_t", [0, 1, u64::MAX]),
        rows("f32", "float", [0.0, f32::MIN_POSITIVE, f32::NEG_INFINITY]),
        rows("f64", "double", [0.0, f64::MIN_POSITIVE, f64::NEG_INFINITY]),
        rows("Complex<f32>", "std::complex<float>", [1.0, -2.0, 0.5].map(|re| Complex::new(re, 0.25_f32))),
        rows("Complex<f64>", "std::complex<double>", [1.0, -2.0, 0.5].map(|re| Complex::new(re, 0.25_f64))),
        rows("String", "std::string", [String::new(), "pod".into(), text(300)]),
        vec![
            row("i128", &["__int128"], vec![0, i128::MIN, i128::MAX]),
            row("u128", &["unsigned __int128"], vec![0, u128::MAX]),
            row("char", &["char32_t"], vec!['\0', 'é', char::MAX]),
            row("HashMap<String, String>", &["std::unordered_map<std::string, std::string>"], maps.clone()),
            row(
                "Arc<HashMap<String, String>>",
                &["std::shared_ptr<std::unordered_map<std::string, std::string>>"],
                maps.into_iter().map(Arc::new).collect(),
            ),
            row(
                "Arc<[f32; 16]>",
                &["std::shared_ptr<std::array<float, 16>>"],
                vec![Arc::new([0.0_f32; 16]), Arc::new(std::array::from_fn(|at| at as f32))],
            ),
        ],
        compounds(),
    ];
    // The one alias that is the name itself.
    all[0][0].aliases.clear();
    all.into_iter().flatten().collect()
}

/// The compound types of the field.
fn compounds() -> Vec<Row> {
    let tensor = |count: usize| Tensor::from(vec![0.5_f32; count]);
    let video = |memory: Vec<u8>, height| {
        VideoBuffer::new(3, height, PixelFormat::Gray8, memory.into()).expect("three bytes a row")
    };
    let audio = |samples: Vec<i16>| {
        AudioBuffer::from_vec(samples, 2, 8_000, AudioLayout::Planar).expect("whole frames of two channels")
    };
    vec![
        row(
            "Tensor",
            &["holoscan::Tensor", "std::shared_ptr<holoscan::Tensor>"],
            vec![tensor(0), tensor(1), tensor(300)],
        ),
        row(
            "TensorMap",
            &["holoscan::TensorMap"],
            vec![TensorMap::new(), TensorMap::from([("depth".into(), tensor(3))])],
        ),
        row(
            "VideoBuffer",
            &["nvidia::gxf::VideoBuffer"],
            vec![video(vec![1, 2, 3], 1), video(vec![7; 6], 2)],
        ),
        row("AudioBuffer", &["nvidia::gxf::AudioBuffer"], vec![audio(vec![]), audio(vec![1, 2, 3, 4])]),
        row(
            "Timestamp",
            &["nvidia::gxf::Timestamp"],
            vec![Timestamp::default(), Timestamp { acqtime: -1, pubtime: i64::MAX }],
        ),
        row("EndOfStream", &["nvidia::gxf::EndOfStream"], vec![EndOfStream]),
    ]
}
