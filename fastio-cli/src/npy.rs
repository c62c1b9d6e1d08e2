//! The header of numpy's `.npy` files: from it to metadata, and back.
//!
//! Not here: the elements, which are the same bytes on both sides. Invariant: a dtype that numpy does not have, or that is
//! of the other byte order, is refused and never guessed.

use std::io::{ErrorKind, Read};

use npyz::{NpyHeader, Order};
use podwire_fastio::{DType, Metadata};

use crate::problem::{Problem, Result};

/// How such a file begins.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// Names of dtypes here and in numpy.
const NAMES: [(&str, &str); 14] = [
    ("u8", "|u1"),
    ("u16", "<u2"),
    ("u32", "<u4"),
    ("u64", "<u8"),
    ("i8", "|i1"),
    ("i16", "<i2"),
    ("i32", "<i4"),
    ("i64", "<i8"),
    ("f16", "<f2"),
    ("f32", "<f4"),
    ("f64", "<f8"),
    ("c64", "<c8"),
    ("c128", "<c16"),
    ("bool", "|b1"),
];

/// The metadata of a file, and the bytes of its elements.
pub(crate) fn read(input: impl Read) -> Result<(Metadata, u64)> {
    let header = NpyHeader::from_reader(input).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => Problem::Unfit("the .npy file ends within its header".into()),
        _ => Problem::Unfit(format!("no .npy file: {error}")),
    })?;
    let described = header.dtype().descr();
    let described = described.trim_matches('\'');
    let dtype = NAMES.iter().find(|(_, numpy)| *numpy == described);
    let dtype = dtype.and_then(|(name, _)| DType::ALL.iter().find(|dtype| dtype.name() == *name));
    let dtype = *dtype.ok_or_else(|| {
        Problem::Unfit(format!(
            "elements of type {described} cannot be published as an array; --raw publishes the file as it is"
        ))
    })?;
    let shape = header.shape();
    let count = shape.iter().try_fold(dtype.size() as u64, |bytes, extent| bytes.checked_mul(*extent));
    let bytes = count.ok_or_else(|| Problem::Unfit("the shape is too large".into()))?;
    let mut metadata = Metadata::array(dtype, shape.iter().copied());
    if header.order() == Order::Fortran && shape.len() > 1 {
        let mut step = 1i64;
        let strides = shape.iter().map(|extent| {
            let stride = step;
            step = step.saturating_mul(i64::try_from(*extent).unwrap_or(i64::MAX));
            stride
        });
        metadata.strides = Some(strides.collect());
    }
    Ok((metadata, bytes))
}

/// The header for an array, or for plain bytes.
pub(crate) fn header(metadata: &Metadata, bytes: usize) -> Result<Vec<u8>> {
    let (dtype, shape, strides) = match metadata.dtype {
        Some(dtype) => (dtype.name(), metadata.shape.clone(), metadata.strides.as_ref()),
        None => ("u8", vec![bytes as u64], None),
    };
    let numpy = NAMES.iter().find(|(name, _)| *name == dtype).map(|(_, numpy)| *numpy);
    let numpy = numpy.ok_or_else(|| Problem::Unfit(format!("numpy has no {dtype}")))?;
    let steps = |shape: &mut dyn Iterator<Item = u64>| -> Vec<i64> {
        let mut step = 1i64;
        let next = |extent| {
            let stride = step;
            step = step.saturating_mul(extent as i64);
            stride
        };
        shape.map(next).collect()
    };
    let fortran = match strides {
        None => false,
        Some(strides) if *strides == steps(&mut shape.iter().copied()) => true,
        Some(strides) if strides.iter().rev().copied().eq(steps(&mut shape.iter().rev().copied())) => false,
        Some(_) => return Err(Problem::Unfit("the array has strides that a .npy file cannot have".into())),
    };
    // As Python writes a tuple: one alone has a comma behind it.
    let mut extents = shape.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    if shape.len() == 1 {
        extents.push(',');
    }
    let order = if fortran { "True" } else { "False" };
    let mut text = format!("{{'descr': '{numpy}', 'fortran_order': {order}, 'shape': ({extents}), }}");
    // Magic, version and length before it, a line feed behind it: together a multiple of 64.
    let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
    text.extend(std::iter::repeat_n(' ', length - text.len() - 1));
    text.push('\n');
    let mut header = MAGIC.to_vec();
    header.extend([1, 0]);
    header.extend((length as u16).to_le_bytes());
    header.extend(text.as_bytes());
    Ok(header)
}
