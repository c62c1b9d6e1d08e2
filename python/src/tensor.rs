//! Tensors: arrays of any rank, which travel with their shape.
//!
//! Invariant: an array is written as `podwire::Tensor` writes it, in row-major order, and read within its memory.

use podwire_codec_core::{
    schema::{Node, NodeId, Record, Schema, Value, schema_of},
    tensor::{DType, Tensor},
};
use pyo3::{intern, prelude::*, types::PyDict, types::PyTuple};
use std::sync::LazyLock;

use crate::{
    array, dtype,
    encode::{Encoder, Fault},
    errors,
    memory::Memory,
    numbers,
    publish::{self, Source},
};

/// Names of the fields of a tensor.
const FIELDS: [&str; 5] = ["dtype", "device", "shape", "strides", "memory"];

/// The schema of a tensor.
pub(crate) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(schema_of::<Tensor>);
    &SCHEMA
}

/// Whether this type, which stands behind a pointer, is that of a tensor.
pub(crate) fn is_tensor(found: &Schema, id: NodeId) -> bool {
    let Node::Pointer(own) = schema().node(schema().root()) else { return false };
    same(found, id, schema(), *own)
}

/// Whether two types without recursion are the same.
fn same(one: &Schema, a: NodeId, two: &Schema, b: NodeId) -> bool {
    let all = |ours: &[podwire_codec_core::schema::FieldNode],
               theirs: &[podwire_codec_core::schema::FieldNode]| {
        let pairs = ours.iter().zip(theirs);
        ours.len() == theirs.len()
            && pairs.into_iter().all(|(x, y)| x.name == y.name && same(one, x.node, two, y.node))
    };
    match (one.node(a), two.node(b)) {
        (Node::Scalar(x), Node::Scalar(y)) => x == y,
        (Node::Sequence(x), Node::Sequence(y)) | (Node::Bulk(x), Node::Bulk(y)) => same(one, *x, two, *y),
        (Node::Struct(x), Node::Struct(y)) => all(x, y),
        (Node::Enum { bits: x, variants: ours }, Node::Enum { bits: y, variants: theirs }) => {
            let alike = ours.iter().zip(theirs).all(|(x, y)| {
                (&x.name, x.tag) == (&y.name, y.tag) && x.fields.is_empty() && y.fields.is_empty()
            });
            x == y && ours.len() == theirs.len() && alike
        }
        _ => false,
    }
}

/// Writes an array as a tensor.
pub(crate) fn write(encoder: &mut Encoder<'_>, value: &Bound<'_, PyAny>) -> Result<(), Fault> {
    let py = value.py();
    let Source { array, number } = publish::source(value)?;
    let kind = array.getattr(intern!(py, "dtype"))?;
    let number = match (number, dtype::element(&kind)?) {
        (Some(number), _) | (None, dtype::Element::Number(number)) => number,
        (None, dtype::Element::Struct(_)) => return Err(Fault::new(py, "elements of a tensor are numbers")),
    };
    let shape: Vec<u64> = array.getattr(intern!(py, "shape"))?.extract()?;
    if shape.len() > podwire_codec_core::tensor::RANK_LIMIT {
        return Err(Fault::new(py, "a tensor has at most 32 dimensions"));
    }
    let length: usize = array.getattr(intern!(py, "nbytes"))?.extract()?;
    let memory = numbers::segment(&array, length)?;
    let bytes = &mut encoder.bytes;
    bytes.push(number.code());
    bytes.extend(1_u16.to_le_bytes()); // on the host,
    bytes.extend(0_u32.to_le_bytes()); // which is number 0
    bytes.extend((shape.len() as u32).to_le_bytes());
    bytes.extend(0_u32.to_le_bytes()); // no strides
    shape.iter().for_each(|extent| bytes.extend(extent.to_le_bytes()));
    encoder.place(length as u64, memory);
    Ok(())
}

/// The array that the fields of a tensor describe; nothing if they are not those of a tensor.
pub(crate) fn read<'py>(py: Python<'py>, record: &Record) -> PyResult<Option<Bound<'py, PyAny>>> {
    if record.values().len() != FIELDS.len() || !record.fields().map(|(name, _)| name).eq(FIELDS) {
        return Ok(None);
    }
    let [kind, device, shape, strides, memory] = record.values() else { return Ok(None) };
    let number = match kind {
        Value::Variant(variant) => DType::ALL.iter().find(|known| variant.variant() == Some(known.name())),
        _ => None,
    };
    let (Some(number), Some(memory)) = (number, memory.as_elements()) else { return Ok(None) };
    let (Some(shape), Some(strides)) = (shape.as_elements(), strides.as_elements()) else { return Ok(None) };
    if memory.element() != "u8" || shape.element() != "u64" || strides.element() != "i64" {
        return Ok(None);
    }
    let wrong = |why: &str| errors::error(py, "DecodeError", format!("no tensor: {why}"));
    if device.get("kind").and_then(Value::as_u64).is_none_or(|kind| !matches!(kind, 1 | 3 | 13)) {
        return Err(wrong("its memory is that of a device"));
    }
    if shape.len() > podwire_codec_core::tensor::RANK_LIMIT {
        return Err(wrong("it has more than 32 dimensions"));
    }
    let extents: Vec<u64> = shape.iter().filter_map(|extent| extent.as_u64()).collect();
    let steps: Vec<i64> = strides.iter().filter_map(|step| step.as_i64()).collect();
    if !steps.is_empty() && steps.len() != extents.len() {
        return Err(wrong("it has not as many strides as dimensions"));
    }
    let Some(memory) = Memory::part(memory.memory().clone()) else {
        return Err(wrong("the host cannot read its memory"));
    };
    let size = number.size() as i64;
    // Where strides are negative the first element is not the lowest.
    let mut below = extents.iter().zip(&steps).filter(|(extent, step)| **step < 0 && **extent > 1);
    let offset = below.try_fold(0_i64, |sum, (extent, step)| {
        let last = i64::try_from(*extent).ok()?.checked_sub(1)?;
        sum.checked_add(step.checked_neg()?.checked_mul(last)?.checked_mul(size)?)
    });
    let bytes = steps.iter().map(|step| step.checked_mul(size)).collect::<Option<Vec<_>>>();
    let (Some(offset), Some(bytes)) = (offset, bytes) else { return Err(wrong("a stride is too large")) };
    let options = PyDict::new(py);
    options.set_item(intern!(py, "dtype"), dtype::of_number(py, *number)?)?;
    options.set_item(intern!(py, "offset"), if extents.contains(&0) { 0 } else { offset })?;
    if !bytes.is_empty() {
        options.set_item(intern!(py, "strides"), PyTuple::new(py, bytes)?)?;
    }
    options.set_item(intern!(py, "buffer"), Bound::new(py, memory)?)?;
    // numpy checks that every element lies within the memory.
    let made = array::class(py)?.call((PyTuple::new(py, extents)?,), Some(&options));
    let array = made.map_err(|error| wrong(&error.value(py).to_string()))?;
    if *number == DType::Bool && !array.getattr(intern!(py, "size"))?.eq(0)? {
        let top = array.call_method1("view", ("u1",))?.call_method0("max")?;
        if top.gt(1)? {
            return Err(wrong("an element is no bool"));
        }
    }
    Ok(Some(array))
}
