//! What an array is: elements, shape and order, as metadata says it and as numpy has it.
//!
//! Invariant: a layout is exact, or refused; that it lies within its memory is what numpy checks when the array is made.

use podwire_codec_core::schema::Schema;
use podwire_fastio::{ContentKind, Metadata};
use pyo3::{
    exceptions::PyValueError,
    intern,
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::{
    array,
    dtype::{self, Element},
    errors,
    memory::Memory,
};

/// The key under which the metadata of an array of structs has the schema of its elements.
pub(crate) const ELEMENTS: &str = "podwire.elements";

fn wrong_shape(py: Python<'_>, reason: impl ToString) -> PyErr {
    errors::error(py, "WrongShape", reason)
}

/// What an array is: elements, extents, and steps in elements if they are not in C order.
pub(crate) struct Layout<'py> {
    pub(crate) dtype: Bound<'py, PyAny>,
    pub(crate) shape: Vec<u64>,
    pub(crate) strides: Option<Vec<i64>>,
}

impl<'py> Layout<'py> {
    /// The layout that metadata describes; bytes where it describes none.
    pub(crate) fn of(py: Python<'py>, metadata: &Metadata, length: usize) -> PyResult<Self> {
        let shape = metadata.shape.clone();
        let strides = metadata.strides.clone();
        if let Some(number) = metadata.dtype {
            return Ok(Self { dtype: dtype::of_number(py, number)?, shape, strides });
        }
        let elements = metadata.user.get(ELEMENTS).filter(|_| metadata.kind == ContentKind::Array);
        if let Some(text) = elements {
            let unknown = || errors::error(py, "Corrupt", format!("no elements of an array: {text:?}"));
            let schema: Schema = text.parse().map_err(|_| unknown())?;
            let dtype = dtype::of_schema(py, &schema)?.ok_or_else(unknown)?;
            return Ok(Self { dtype, shape, strides });
        }
        let bytes = dtype::dtype(intern!(py, "|u1"))?;
        Ok(Self { dtype: bytes, shape: vec![length as u64], strides: None })
    }

    /// The metadata that describes an array of this layout.
    pub(crate) fn metadata(&self) -> PyResult<Metadata> {
        let mut metadata = match dtype::element(&self.dtype)? {
            Element::Number(number) => Metadata::array(number, self.shape.iter().copied()),
            Element::Struct(schema) => {
                let mut metadata = Metadata::default().with(ELEMENTS, schema.text());
                metadata.kind = ContentKind::Array;
                metadata.shape.clone_from(&self.shape);
                metadata
            }
        };
        metadata.strides.clone_from(&self.strides);
        Ok(metadata)
    }

    pub(crate) fn item_size(&self) -> PyResult<usize> {
        self.dtype.getattr("itemsize")?.extract()
    }

    /// Bytes of the elements.
    pub(crate) fn bytes(&self) -> PyResult<usize> {
        let mut extents = self.shape.iter().map(|extent| usize::try_from(*extent).ok());
        let bytes = extents.try_fold(self.item_size()?, |bytes, extent| bytes.checked_mul(extent?));
        let bytes = bytes.filter(|bytes| isize::try_from(*bytes).is_ok());
        bytes.ok_or_else(|| wrong_shape(self.dtype.py(), "an extent is too large"))
    }

    /// The array of this layout at the beginning of memory.
    pub(crate) fn on(&self, memory: &Bound<'py, Memory>) -> PyResult<Bound<'py, PyAny>> {
        let py = memory.py();
        let size = self.item_size()? as i64;
        let strides = match &self.strides {
            None => None,
            Some(strides) => {
                let bytes = strides.iter().map(|stride| stride.checked_mul(size).filter(|bytes| *bytes >= 0));
                let Some(bytes) = bytes.collect::<Option<Vec<_>>>() else {
                    return Err(wrong_shape(py, "a stride is negative or too large"));
                };
                Some(PyTuple::new(py, bytes)?)
            }
        };
        let options = PyDict::new(py);
        options.set_item(intern!(py, "buffer"), memory)?;
        options.set_item(intern!(py, "dtype"), &self.dtype)?;
        options.set_item(intern!(py, "strides"), strides)?;
        let shape = PyTuple::new(py, &self.shape)?;
        array::class(py)?.call((shape,), Some(&options)).map_err(|error| wrong_shape(py, error.value(py)))
    }
}

/// A layout as a user names it.
pub(crate) fn layout_from<'py>(
    dtype: &Bound<'py, PyAny>,
    shape: &Bound<'py, PyAny>,
    order: &str,
) -> PyResult<Layout<'py>> {
    let py = dtype.py();
    let shape = match shape.extract::<u64>() {
        Ok(extent) => vec![extent],
        Err(_) => shape.extract::<Vec<u64>>()?,
    };
    let strides = match order {
        "C" => None,
        "F" => Some(fortran(&shape)).filter(|_| shape.len() > 1),
        _ => return Err(PyValueError::new_err("the order is \"C\" or \"F\"")),
    };
    let dtype = dtype::dtype(dtype)?;
    let layout = Layout { shape, strides, dtype };
    // Padding would be bytes that no schema knows.
    let packed = match dtype::element(&layout.dtype)? {
        dtype::Element::Number(_) => None,
        dtype::Element::Struct(schema) => dtype::of_schema(py, &schema)?,
    };
    match packed {
        Some(packed) if packed.getattr("itemsize")?.extract::<usize>()? != layout.item_size()? => {
            let message = "the dtype has padding; without it, it could be shared";
            Err(errors::error(py, "UnsupportedDType", message))
        }
        _ => Ok(layout),
    }
}

/// Steps of Fortran order, in elements.
pub(crate) fn fortran(shape: &[u64]) -> Vec<i64> {
    let mut step = 1_i64;
    let next = |extent: &u64| {
        let stride = step;
        step = step.saturating_mul(i64::try_from(*extent).unwrap_or(i64::MAX));
        stride
    };
    shape.iter().map(next).collect()
}
