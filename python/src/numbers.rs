//! Numbers, one by one and in a row, from Python objects to bytes.
//!
//! Invariant: a number that the type cannot hold is an error, and an array has exactly the elements that the schema says.

use std::sync::Arc;

use podwire_codec_core::{
    Owner, Segment,
    schema::{Node, NodeId},
};
use pyo3::{
    intern,
    prelude::*,
    types::{PyBool, PyByteArray, PyBytes, PyDict, PyMemoryView, PyString},
};

use crate::{
    array, dtype,
    encode::{Encoder, Fault},
    narrow,
    raw::HostArray,
    schema::Schema,
};

/// The bytes of one number, and how many they are.
pub(crate) fn scalar(name: &'static str, value: &Bound<'_, PyAny>) -> Result<([u8; 16], usize), Fault> {
    let size = crate::heads::scalar(name);
    let mut bytes = [0; 16];
    let mut put = |from: &[u8]| bytes[..size].copy_from_slice(&from[..size]);
    let wrong = || Fault::expected(name, value);
    match name {
        "bool" => {
            let numpy = || value.get_type().name().is_ok_and(|name| name == "bool" || name == "bool_");
            if !value.is_instance_of::<PyBool>() && !numpy() {
                return Err(wrong());
            }
            put(&[u8::from(value.is_truthy()?)]);
        }
        "char" => {
            let text: String = value.cast::<PyString>().map_err(|_| wrong())?.extract()?;
            let mut characters = text.chars();
            match (characters.next(), characters.next()) {
                (Some(character), None) => put(&u32::from(character).to_le_bytes()),
                _ => return Err(Fault::new(value.py(), "expected one character")),
            }
        }
        "f16" | "bf16" | "f32" | "f64" => {
            let number: f64 = value.extract().map_err(|_| wrong())?;
            let fits = match name {
                "f16" | "bf16" => {
                    let (bits, finite) = if name == "f16" { narrow::F16 } else { narrow::BF16 }.of(number);
                    put(&bits);
                    finite
                }
                "f32" => {
                    put(&(number as f32).to_le_bytes());
                    (number as f32).is_finite()
                }
                _ => {
                    put(&number.to_le_bytes());
                    true
                }
            };
            if number.is_finite() && !fits {
                return Err(Fault::new(value.py(), format!("{number} is too large for {name}")));
            }
        }
        _ => {
            let number = integer(value).ok_or_else(wrong)?;
            let range = || Fault::new(value.py(), format!("{number} is no {name}"));
            let bits = 8 * size as u32;
            if name.starts_with('u') {
                let number: u128 = number.extract().map_err(|_| range())?;
                if bits < 128 && number >> bits != 0 {
                    return Err(range());
                }
                put(&number.to_le_bytes());
            } else {
                let number: i128 = number.extract().map_err(|_| range())?;
                if bits < 128 && !(-(1_i128 << (bits - 1))..1 << (bits - 1)).contains(&number) {
                    return Err(range());
                }
                put(&number.to_le_bytes());
            }
        }
    }
    Ok((bytes, size))
}

/// The integer that an object is: an `int`, or what says by `__index__` that it is one. Not a `bool`.
fn integer<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    if value.is_instance_of::<PyBool>() {
        return None;
    }
    value.call_method0(intern!(value.py(), "__index__")).ok()
}

/// Elements in a row, as they are written.
pub(crate) struct Packed {
    pub(crate) count: usize,
    memory: Segment,
}

impl Packed {
    pub(crate) fn bytes(&self) -> Result<&[u8], Fault> {
        self.memory.bytes().map_err(|error| Python::attach(|py| Fault::new(py, error)))
    }
}

/// The elements of an array, or of bytes, if the value is one of those.
pub(crate) fn packed(
    schema: &Schema,
    element: NodeId,
    value: &Bound<'_, PyAny>,
) -> Result<Option<Packed>, Fault> {
    let py = value.py();
    let is_bytes = value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>()
        || value.is_instance_of::<PyMemoryView>();
    let is_array = value.is_instance(array::class(py)?)?;
    if !is_bytes && !is_array {
        return Ok(None);
    }
    let own = schema.inner();
    let wanted = match dtype::of_node(py, own, element)? {
        Some(wanted) => wanted,
        None => return Ok(None),
    };
    if is_bytes {
        if !matches!(own.node(element), Node::Scalar("u8")) {
            return Err(Fault::expected(&format!("elements of {wanted}"), value));
        }
        let options = PyDict::new(py);
        options.set_item("dtype", "u1")?;
        let bytes = array::numpy(py)?.call_method("frombuffer", (value,), Some(&options))?;
        return of_array(&bytes, &wanted).map(Some);
    }
    of_array(value, &wanted).map(Some)
}

fn of_array(value: &Bound<'_, PyAny>, wanted: &Bound<'_, PyAny>) -> Result<Packed, Fault> {
    let py = value.py();
    let found = value.getattr(intern!(py, "dtype"))?;
    let mut shape: Vec<usize> = value.getattr(intern!(py, "shape"))?.extract()?;
    // An element that is an array has its extents at the end.
    let (base, inner): (Bound<'_, PyAny>, Vec<usize>) = match wanted.getattr(intern!(py, "subdtype"))? {
        none if none.is_none() => (wanted.clone(), Vec::new()),
        pair => pair.extract()?,
    };
    let fits = shape.len() == inner.len() + 1 && shape[1..] == inner[..];
    if !fits {
        let message = format!("expected an array of shape (any, *{inner:?}), found {shape:?}");
        return Err(Fault::new(py, message));
    }
    let mut array = value.clone();
    if !found.eq(&base)? {
        // Only padding, or a name for the same numbers, may be different.
        let same = match (dtype::element(&found), dtype::element(&base)) {
            (Ok(dtype::Element::Struct(one)), Ok(dtype::Element::Struct(two))) => one == two,
            _ => false,
        };
        if !same {
            return Err(Fault::new(py, format!("expected elements of {base}, found {found}")));
        }
        array = array.call_method1(intern!(py, "astype"), (&base,))?;
    }
    let count = shape.swap_remove(0);
    let size: usize = wanted.getattr(intern!(py, "itemsize"))?.extract()?;
    Ok(Packed { count, memory: segment(&array, count.saturating_mul(size))? })
}

/// The memory of an array in C order: where it lies, if it is in a sealed allocation or a value; else seen through a buffer.
pub(crate) fn segment(array: &Bound<'_, PyAny>, length: usize) -> PyResult<Segment> {
    let py = array.py();
    if length == 0 {
        return Ok(Vec::<u8>::new().into());
    }
    let array = array::numpy(py)?.call_method1(intern!(py, "ascontiguousarray"), (array,))?;
    if let Some(found) = array::memory_of(&array)? {
        let memory = found.memory.get();
        let start = array::address(&array)?.checked_sub(memory.address().addr());
        let part = memory.segment().zip(start).and_then(|(whole, start)| whole.part(start..start + length));
        if let Some(part) = part {
            return Ok(part);
        }
    }
    let flat = array.call_method1(intern!(py, "reshape"), (-1,))?;
    let bytes = flat.call_method1(intern!(py, "view"), (intern!(py, "u1"),))?;
    let owner: Arc<dyn Owner> = Arc::new(HostArray::new(&bytes)?);
    Ok(Segment::new(owner))
}

/// Elements that travel by reference where they can.
pub(crate) fn bulk(
    encoder: &mut Encoder<'_>,
    element: NodeId,
    value: &Bound<'_, PyAny>,
) -> Result<(), Fault> {
    let py = value.py();
    let numbers = match packed(encoder.schema, element, value)? {
        Some(numbers) => numbers,
        None => {
            let Some(wanted) = dtype::of_node(py, encoder.schema.inner(), element)? else {
                return Err(Fault::new(py, "such elements cannot come from Python"));
            };
            return Err(Fault::expected(&format!("an array of {wanted}"), value));
        }
    };
    encoder.place(numbers.count as u64, numbers.memory);
    Ok(())
}
