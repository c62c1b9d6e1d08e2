//! Arrays on their way into shared memory: published as they lie, or copied once.
//!
//! Invariant: what is published as it lies cannot be written to by numpy any more; what is copied is copied whole.

use std::collections::BTreeMap;

use podwire_codec_core::{
    Segment,
    tensor::{DType, Tensor},
};
use podwire_fastio::{FastIoAllocation, FastIoContext};
use pyo3::{
    intern,
    prelude::*,
    types::{PyCapsule, PyDict, PyTuple},
};

use crate::{
    array::{self, Found},
    dtype::{self, Element},
    errors,
    layout::{ELEMENTS, Layout, fortran},
    memory::Memory,
    raw, view,
    waiting::patiently,
};

/// A new allocation with a copy of an array.
pub(crate) fn copy_of(
    py: Python<'_>,
    context: &FastIoContext,
    array: &Bound<'_, PyAny>,
    keys: &BTreeMap<String, String>,
    seal: bool,
) -> PyResult<FastIoAllocation> {
    let Source { array, number } = source(array)?;
    let shape: Vec<u64> = array.getattr(intern!(py, "shape"))?.extract()?;
    let flags = array.getattr(intern!(py, "flags"))?;
    let is = |name: &str| flags.getattr(name)?.extract::<bool>();
    let strides = match shape.len() > 1 && !is("c_contiguous")? && is("f_contiguous")? {
        true => Some(fortran(&shape)),
        false => None,
    };
    let dtype = packed(&array.getattr(intern!(py, "dtype"))?)?;
    let layout = Layout { dtype, shape, strides };
    let mut metadata = layout.metadata()?;
    if number.is_some() {
        metadata.dtype = number;
    }
    for (key, value) in keys {
        if key != ELEMENTS {
            metadata.user.insert(key.clone(), value.clone());
        }
    }
    let bytes = layout.bytes()?;
    let mut allocation =
        py.detach(|| context.create(bytes)).map_err(|error| errors::fastio(py, error, "Error"))?;
    allocation.set_metadata(metadata);
    let memory = Bound::new(py, view::write(py, &allocation, None, false)?)?;
    let options = PyDict::new(py);
    options.set_item(intern!(py, "casting"), intern!(py, "unsafe"))?;
    // numpy lets go of the GIL while it copies.
    let target = layout.on(&memory)?;
    array::numpy(py)?.call_method(intern!(py, "copyto"), (&target, &array), Some(&options))?;
    drop(target);
    memory.get().unlock(py);
    if seal {
        patiently(py, None, |slice| allocation.seal_timeout(slice))?;
    }
    Ok(allocation)
}

/// An array to copy from; its elements are these, where numpy has no name for them.
pub(crate) struct Source<'py> {
    pub(crate) array: Bound<'py, PyAny>,
    pub(crate) number: Option<DType>,
}

/// The array that an object is, or can be seen as.
pub(crate) fn source<'py>(from: &Bound<'py, PyAny>) -> PyResult<Source<'py>> {
    let py = from.py();
    if from.is_instance(array::class(py)?)? {
        return Ok(Source { array: from.clone(), number: None });
    }
    if let Some(tensor) = tensor_from(from)? {
        return foreign(py, &tensor);
    }
    let array = array::numpy(py)?.call_method1(intern!(py, "asarray"), (from,))?;
    Ok(Source { array, number: None })
}

/// What an object gives through DLPack, if the host can read it.
fn tensor_from(from: &Bound<'_, PyAny>) -> PyResult<Option<Tensor>> {
    let py = from.py();
    let Some(export) = from.getattr_opt(intern!(py, "__dlpack__"))? else { return Ok(None) };
    if let Some(device) = from.getattr_opt(intern!(py, "__dlpack_device__"))?
        && device.call0()?.get_item(0)?.extract::<i32>().map(|kind| !matches!(kind, 1 | 3 | 11))?
    {
        let message = "the memory is a device's: `publish_value` and `send` share it, as a tensor; or copy it to the host";
        return Err(errors::error(py, "WrongType", message));
    }
    let options = PyDict::new(py);
    options.set_item(intern!(py, "max_version"), (1, 0))?;
    // Older producers know no versions.
    let capsule = match export.call((), Some(&options)) {
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyTypeError>(py) => export.call0(),
        other => other,
    }?;
    match raw::consume(capsule.cast::<PyCapsule>()?)? {
        Some(tensor) => tensor.map(Some).map_err(|error| errors::codec(py, error, "WrongType")),
        None => Err(errors::error(py, "WrongType", "`__dlpack__` gave something else")),
    }
}

/// The array of another library's memory.
pub(crate) fn foreign<'py>(py: Python<'py>, tensor: &Tensor) -> PyResult<Source<'py>> {
    let (stored, number) = match tensor.dtype() {
        DType::BF16 => (DType::U16, Some(DType::BF16)),
        other => (other, None),
    };
    let dtype = dtype::of_number(py, stored)?;
    let segment: &Segment = tensor.segment();
    let memory = Memory::part(segment.clone())
        .ok_or_else(|| errors::error(py, "WrongType", "the host cannot read the memory"))?;
    let size = stored.size() as isize;
    let strides: Vec<isize> = tensor.strides().iter().map(|stride| stride * size).collect();
    // Where strides are negative the first element is not the lowest.
    let below = tensor.shape().iter().zip(&strides).filter(|(extent, stride)| **stride < 0 && **extent > 0);
    let offset: isize = below.map(|(extent, stride)| -stride * (*extent as isize - 1)).sum();
    let options = PyDict::new(py);
    options.set_item(intern!(py, "buffer"), Bound::new(py, memory)?)?;
    options.set_item(intern!(py, "dtype"), dtype)?;
    options.set_item(intern!(py, "offset"), if tensor.is_empty() { 0 } else { offset })?;
    options.set_item(intern!(py, "strides"), PyTuple::new(py, strides)?)?;
    let shape = PyTuple::new(py, tensor.shape())?;
    Ok(Source { array: array::class(py)?.call((shape,), Some(&options))?, number })
}

/// The same dtype without padding.
fn packed<'py>(dtype: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match dtype::element(dtype)? {
        Element::Number(_) => Ok(dtype.clone()),
        Element::Struct(schema) => {
            Ok(dtype::of_schema(dtype.py(), &schema)?.unwrap_or_else(|| dtype.clone()))
        }
    }
}

/// The allocation behind an array of `empty_array`, ready to be published as it lies.
pub(crate) fn published_in_place(
    context: &FastIoContext,
    array: &Bound<'_, PyAny>,
    keys: &BTreeMap<String, String>,
    seal: bool,
) -> PyResult<Option<FastIoAllocation>> {
    let py = array.py();
    let Some(found) = array::memory_of(array)? else { return Ok(None) };
    let Found { memory, .. } = &found;
    let memory = memory.get();
    let shares = memory.is_fresh() || memory.segment().is_some();
    let allocation = memory.allocation().filter(|own| shares && own.context().path() == context.path());
    let Some(mut allocation) = allocation else { return Ok(None) };
    let Some(layout) = in_place(array, memory)? else { return Ok(None) };
    let mut metadata = layout.metadata()?;
    for (key, value) in keys {
        if key != ELEMENTS {
            metadata.user.insert(key.clone(), value.clone());
        }
    }
    if memory.is_writable() {
        array::finish(array, &found)?;
    }
    if seal {
        array::seal_memory(py, memory)?;
    }
    allocation.set_metadata(metadata);
    Ok(Some(allocation))
}

/// Seals an array of `empty_array` that fills its memory, of this pipeline, so that a message refers to it; leaves anything else.
pub(crate) fn sealed_in_place(context: &FastIoContext, array: &Bound<'_, PyAny>) -> PyResult<()> {
    if array.is_instance(array::class(array.py())?)? {
        published_in_place(context, array, &BTreeMap::new(), true)?;
    }
    Ok(())
}

/// The layout of an array that fills its memory, if metadata can describe it.
fn in_place<'py>(array: &Bound<'py, PyAny>, memory: &Memory) -> PyResult<Option<Layout<'py>>> {
    let py = array.py();
    let length: usize = array.getattr(intern!(py, "nbytes"))?.extract()?;
    if length != memory.length() || (length > 0 && array::address(array)? != memory.address().addr()) {
        return Ok(None);
    }
    let dtype = array.getattr(intern!(py, "dtype"))?;
    let size: i64 = dtype.getattr(intern!(py, "itemsize"))?.extract()?;
    let shape: Vec<u64> = array.getattr(intern!(py, "shape"))?.extract()?;
    let bytes: Vec<i64> = array.getattr(intern!(py, "strides"))?.extract()?;
    if size == 0 || bytes.iter().any(|stride| *stride < 0 || stride % size != 0) {
        return Ok(None);
    }
    if packed(&dtype)?.getattr(intern!(py, "itemsize"))?.extract::<i64>()? != size {
        return Ok(None);
    }
    let contiguous: bool =
        array.getattr(intern!(py, "flags"))?.getattr(intern!(py, "c_contiguous"))?.extract()?;
    let strides = (!contiguous).then(|| bytes.iter().map(|stride| stride / size).collect());
    Ok(Some(Layout { dtype, shape, strides }))
}
