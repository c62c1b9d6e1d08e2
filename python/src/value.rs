//! Values that were read by their schema, as Python objects.
//!
//! Not here: classes that users bound to a schema (`podwire/_codecs.py`). Invariant: numbers in a row stay where they are, and
//! the array refers to them.

use podwire_codec_core::schema::{Elements, Record, Schema as CoreSchema, Value};
use pyo3::{
    IntoPyObjectExt, intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyComplex, PyDict, PyList, PyTuple},
};

use crate::{dtype, errors, layout::Layout, memory::Memory, schema::Schema, tensor};

/// A value as Python has it.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Bool(value) => value.into_bound_py_any(py),
        Value::Unsigned(value) => value.into_bound_py_any(py),
        Value::Signed(value) => value.into_bound_py_any(py),
        Value::F32(value) => value.into_bound_py_any(py),
        Value::F64(value) => value.into_bound_py_any(py),
        Value::Char(value) => value.into_bound_py_any(py),
        Value::Text(text) => text.into_bound_py_any(py),
        Value::Option(None) => Ok(py.None().into_bound(py)),
        Value::Option(Some(value)) => to_python(py, value),
        Value::Sequence(values) => {
            let list = PyList::empty(py);
            for value in values {
                list.append(to_python(py, value)?)?;
            }
            Ok(list.into_any())
        }
        Value::Elements(elements) => elements_to_python(py, elements),
        Value::Map(entries) => map(py, entries),
        Value::Struct(record) => structure(py, record),
        Value::Variant(record) => {
            static VARIANT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            let class = VARIANT.import(py, "podwire._variant", "Variant")?;
            let fields = match record.values() {
                [] => py.None().into_bound(py),
                _ => fields(py, record)?,
            };
            class.call1((record.variant().unwrap_or_default(), fields))
        }
        Value::Pod(bytes) => Ok(PyBytes::new(py, bytes).into_any()),
        _ => Err(errors::error(py, "DecodeError", "a kind of value that is not known here")),
    }
}

/// Elements of a fixed size: an array on their memory, or a list where numpy has no such elements.
fn elements_to_python<'py>(py: Python<'py>, elements: &Elements) -> PyResult<Bound<'py, PyAny>> {
    let schema = elements.element().parse::<CoreSchema>().ok();
    let dtype = schema.map(|schema| dtype::of_schema(py, &schema)).transpose()?.flatten();
    let array = match dtype {
        Some(dtype) if !dtype.getattr(intern!(py, "itemsize"))?.eq(0)? => {
            let Some(memory) = Memory::part(elements.memory().clone()) else {
                return Err(errors::error(py, "DecodeError", "the host cannot read the memory"));
            };
            let layout = Layout { dtype, shape: vec![elements.len() as u64], strides: None };
            Some(layout.on(&Bound::new(py, memory)?)?)
        }
        _ => None,
    };
    if let Some(array) = array {
        return Ok(array);
    }
    let list = PyList::empty(py);
    for value in elements.iter() {
        list.append(to_python(py, &value)?)?;
    }
    Ok(list.into_any())
}

/// A `dict`; pairs where keys cannot be those of one.
fn map<'py>(py: Python<'py>, entries: &[(Value, Value)]) -> PyResult<Bound<'py, PyAny>> {
    let (dict, pairs) = (PyDict::new(py), PyList::empty(py));
    let mut hashable = true;
    for (key, value) in entries {
        let (key, value) = (to_python(py, key)?, to_python(py, value)?);
        hashable = hashable && key.hash().is_ok();
        if hashable {
            dict.set_item(&key, &value)?;
        }
        pairs.append((key, value))?;
    }
    if !hashable {
        return Ok(pairs.into_any());
    }
    if dict.len() != entries.len() {
        return Err(errors::error(py, "DecodeError", "a key stands twice in a map"));
    }
    Ok(dict.into_any())
}

/// A struct: a tensor, a complex number, a `tuple` if its fields are numbered, and else a `dict`.
fn structure<'py>(py: Python<'py>, record: &Record) -> PyResult<Bound<'py, PyAny>> {
    if let Some(array) = tensor::read(py, record)? {
        return Ok(array);
    }
    if let [re, im] = record.values()
        && record.fields().map(|(name, _)| name).eq(["re", "im"])
        && matches!((re, im), (Value::F32(_), Value::F32(_)) | (Value::F64(_), Value::F64(_)))
        && let (Some(re), Some(im)) = (re.as_f64(), im.as_f64())
    {
        return Ok(PyComplex::from_doubles(py, re, im).into_any());
    }
    fields(py, record)
}

/// The fields of a struct or a variant.
fn fields<'py>(py: Python<'py>, record: &Record) -> PyResult<Bound<'py, PyAny>> {
    let numbered = record.fields().enumerate().all(|(number, (name, _))| name.parse() == Ok(number));
    if numbered {
        let values = record.values().iter().map(|value| to_python(py, value));
        return Ok(PyTuple::new(py, values.collect::<PyResult<Vec<_>>>()?)?.into_any());
    }
    let dict = PyDict::new(py);
    for (name, value) in record.fields() {
        dict.set_item(name, to_python(py, value)?)?;
    }
    Ok(dict.into_any())
}

/// The value as an object of the class that is bound to its name and schema, or of the type that was said.
pub(crate) fn bound<'py>(
    py: Python<'py>,
    value: Bound<'py, PyAny>,
    codec: &str,
    schema: CoreSchema,
    r#type: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    static BIND: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    BIND.import(py, "podwire._codecs", "bind")?.call1((value, codec, Schema::from(schema), r#type))
}
