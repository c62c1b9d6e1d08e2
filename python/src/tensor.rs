//! Tensors: arrays of any rank, which travel with their shape.
//!
//! Invariant: an array is written as `podwire::Tensor` writes it, in row-major order, and read within its memory.

use podwire_codec_core::{
    Error, Segment,
    schema::{Node, NodeId, Record, Schema, Value, schema_of},
    tensor::{DType, Device, DeviceKind, Tensor},
};
use pyo3::{intern, prelude::*, types::PyDict, types::PyTuple};
use std::sync::LazyLock;

use crate::{
    array, dtype,
    encode::{Encoder, Fault},
    errors,
    memory::Memory,
    native, numbers,
    publish::{self, Source},
};

/// Names of the fields of a tensor.
const FIELDS: [&str; 5] = ["dtype", "device", "shape", "strides", "memory"];

/// Devices whose memory a tensor may name: the host's, CUDA's, and what is both.
const KINDS: [DeviceKind; 4] =
    [DeviceKind::HOST, DeviceKind::CUDA, DeviceKind::CUDA_HOST, DeviceKind::CUDA_MANAGED];

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
    let native = !value.is_instance(array::class(value.py())?)?;
    if native && let Some(tensor) = native::existing(value)? {
        encoder.place_tensor(tensor);
        return Ok(());
    }
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

/// The fields of a tensor.
struct Parts<'r> {
    number: DType,
    device: Device,
    extents: Vec<u64>,
    /// How far neighbours are apart, in elements; nothing in row-major order.
    steps: Vec<i64>,
    memory: &'r Segment,
}

fn wrong(py: Python<'_>, why: &str) -> PyErr {
    errors::error(py, "DecodeError", format!("no tensor: {why}"))
}

/// The fields of a tensor; nothing if they are not those of one.
fn parts<'r>(py: Python<'_>, record: &'r Record) -> PyResult<Option<Parts<'r>>> {
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
    let numbered = |name: &str| device.get(name).and_then(Value::as_u64);
    let place = numbered("kind").and_then(|kind| u16::try_from(kind).ok()).map(DeviceKind);
    let index = numbered("index").and_then(|index| u32::try_from(index).ok());
    let (Some(kind), Some(index)) = (place, index) else { return Ok(None) };
    if !KINDS.contains(&kind) {
        return Err(wrong(py, "its memory is that of a device which is not known"));
    }
    if shape.len() > podwire_codec_core::tensor::RANK_LIMIT {
        return Err(wrong(py, "it has more than 32 dimensions"));
    }
    let extents: Vec<u64> = shape.iter().filter_map(|extent| extent.as_u64()).collect();
    let steps: Vec<i64> = strides.iter().filter_map(|step| step.as_i64()).collect();
    if !steps.is_empty() && steps.len() != extents.len() {
        return Err(wrong(py, "it has not as many strides as dimensions"));
    }
    let device = Device { kind, index };
    Ok(Some(Parts { number: *number, device, extents, steps, memory: memory.memory() }))
}

/// The tensor that its fields describe; nothing if they are not those of one.
pub(crate) fn native_of(py: Python<'_>, record: &Record) -> PyResult<Option<Tensor>> {
    let Some(Parts { number, device, extents, steps, memory }) = parts(py, record)? else { return Ok(None) };
    let lay = |memory| laid_out(memory, number, &extents, &steps);
    let tensor = match lay(memory) {
        // What lies in a message need not be aligned.
        Err(Error::SegmentAlignment { .. }) => {
            lay(&memory.bytes().map_err(|error| wrong(py, &error.to_string()))?.to_vec().into())
        }
        other => other,
    };
    tensor.map(|tensor| Some(tensor.with_device(device))).map_err(|error| wrong(py, &error.to_string()))
}

/// The array that the fields of a tensor describe; nothing if they are not those of one. What is on a GPU becomes what
/// `native::for_gpu` says.
pub(crate) fn read<'py>(py: Python<'py>, record: &Record) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(Parts { number, extents, steps, memory, .. }) = parts(py, record)? else { return Ok(None) };
    if memory.bytes().is_err() {
        let Some(tensor) = native_of(py, record)? else { return Ok(None) };
        return native::for_gpu(py, tensor).map(Some);
    }
    let Some(memory) = Memory::part(memory.clone()) else {
        return Err(wrong(py, "the host cannot read its memory"));
    };
    let size = number.size() as i64;
    // Where strides are negative the first element is not the lowest.
    let mut below = extents.iter().zip(&steps).filter(|(extent, step)| **step < 0 && **extent > 1);
    let offset = below.try_fold(0_i64, |sum, (extent, step)| {
        let last = i64::try_from(*extent).ok()?.checked_sub(1)?;
        sum.checked_add(step.checked_neg()?.checked_mul(last)?.checked_mul(size)?)
    });
    let bytes = steps.iter().map(|step| step.checked_mul(size)).collect::<Option<Vec<_>>>();
    let (Some(offset), Some(bytes)) = (offset, bytes) else { return Err(wrong(py, "a stride is too large")) };
    let options = PyDict::new(py);
    options.set_item(intern!(py, "dtype"), dtype::of_number(py, number)?)?;
    options.set_item(intern!(py, "offset"), if extents.contains(&0) { 0 } else { offset })?;
    if !bytes.is_empty() {
        options.set_item(intern!(py, "strides"), PyTuple::new(py, bytes)?)?;
    }
    options.set_item(intern!(py, "buffer"), Bound::new(py, memory)?)?;
    // numpy checks that every element lies within the memory.
    let made = array::class(py)?.call((PyTuple::new(py, extents)?,), Some(&options));
    let array = made.map_err(|error| wrong(py, &error.value(py).to_string()))?;
    if number == DType::Bool && !array.getattr(intern!(py, "size"))?.eq(0)? {
        let top = array.call_method1("view", ("u1",))?.call_method0("max")?;
        if top.gt(1)? {
            return Err(wrong(py, "an element is no bool"));
        }
    }
    Ok(Some(array))
}

/// The tensor of these fields.
fn laid_out(
    memory: &Segment,
    number: DType,
    extents: &[u64],
    steps: &[i64],
) -> podwire_codec_core::Result<Tensor> {
    let shape: Vec<usize> = extents.iter().map(|extent| *extent as usize).collect();
    if steps.is_empty() {
        return Tensor::from_segment(memory.clone(), number, &shape);
    }
    let strides: Vec<isize> = steps.iter().map(|step| *step as isize).collect();
    // Where strides are negative the first element is not the lowest.
    let below = shape.iter().zip(&strides).filter(|(extent, stride)| **stride < 0 && **extent > 1);
    let offset = below.fold(0_usize, |sum, (extent, stride)| {
        sum.saturating_add(stride.unsigned_abs().saturating_mul(extent - 1).saturating_mul(number.size()))
    });
    Tensor::from_strides(memory.clone(), number, &shape, &strides, offset)
}
