//! Values of types that cannot be made from their schema alone: what the schema does not say of them has to agree, or they
//! do not describe themselves.

use podwire::registry::AnyValue;
use podwire::schema::schema_of;
use podwire::tensor::{AudioBuffer, AudioLayout, PixelFormat, Tensor, TensorMap, VideoBuffer};

use crate::codecs::{Attributes, ByHand};

/// The samples, small ones.
pub(crate) fn samples() -> Vec<AnyValue> {
    let tensor = || Tensor::from_vec(vec![1_u16, 2, 3, 4, 5, 6], &[2, 3]).expect("six elements");
    let mut all: Vec<AnyValue> = vec![
        Box::new(Attributes::sample()),
        Box::new(ByHand::sample()),
        Box::new(schema_of::<Vec<(u8, Option<String>)>>()),
        Box::new(tensor()),
        Box::new(Tensor::from_vec(vec![0.5_f64], &[]).expect("one element")),
        Box::new(tensor().part(1, 1..2).expect("a column")),
        Box::new(Tensor::from(vec![true, false])),
        Box::new(TensorMap::from([
            ("depth".into(), tensor()),
            ("none".into(), Tensor::from(Vec::<f32>::new())),
        ])),
        Box::new(VideoBuffer::new(3, 1, PixelFormat::Nv12, vec![7; 7].into()).expect("3 + 4 bytes")),
        Box::new(VideoBuffer::new(2, 2, PixelFormat::Rgb8, vec![7; 12].into()).expect("12 bytes")),
        Box::new(AudioBuffer::from_vec(vec![1_i16, 2], 2, 8_000, AudioLayout::Planar).expect("two samples")),
    ];
    all.extend(interop());
    all
}

#[cfg(feature = "interop")]
fn interop() -> Vec<AnyValue> {
    vec![
        Box::new(ndarray::Array2::<f32>::ones((2, 3))),
        Box::new(ndarray::ArrayD::from_elem(ndarray::IxDyn(&[1, 2, 1]), String::from("x"))),
        Box::new(ndarray::ArcArray1::from(vec![1_u8, 2, 3])),
    ]
}

#[cfg(not(feature = "interop"))]
fn interop() -> Vec<AnyValue> {
    vec![]
}
