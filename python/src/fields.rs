//! Where the fields of a struct and the variant of an enum stand in a Python object.
//!
//! Invariant: a field that is not there is an error, and so is one too many where they can be counted.

use podwire_codec_core::schema::FieldNode;
use pyo3::{
    exceptions::PyTypeError,
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyComplex, PyDict, PyString, PyTuple, PyType},
};

use crate::encode::Fault;

/// The complex number that a value is, but not one that it could be made into.
pub(crate) fn complex<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static NUMPY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let is = value.is_instance_of::<PyComplex>()
        || value.is_instance(NUMPY.import(value.py(), "numpy", "complexfloating")?)?;
    if is { Ok(value.clone()) } else { Err(PyTypeError::new_err("not complex")) }
}

/// The name of a variant, and what has its fields.
pub(crate) fn named_variant<'py>(value: &Bound<'py, PyAny>) -> Result<(String, Bound<'py, PyAny>), Fault> {
    static VARIANT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static ENUM: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = value.py();
    if let Ok(name) = value.cast::<PyString>() {
        return Ok((name.extract()?, py.None().into_bound(py)));
    }
    let name = intern!(py, "name");
    if value.is_instance(VARIANT.import(py, "podwire._variant", "Variant")?)? {
        return Ok((value.getattr(name)?.extract()?, value.getattr(intern!(py, "value"))?));
    }
    if value.is_instance(ENUM.import(py, "enum", "Enum")?)? {
        return Ok((value.getattr(name)?.extract()?, py.None().into_bound(py)));
    }
    Ok((value.get_type().name()?.extract()?, value.clone()))
}

/// Where the fields of a struct are.
pub(crate) enum Fields<'py> {
    /// A `dict`, or an element of a structured array: by name.
    Keys(Bound<'py, PyAny>),
    /// A `tuple`: by position.
    Positions(Bound<'py, PyTuple>),
    /// An object, and what its class calls its attributes where that is not the field's name.
    Attributes(Bound<'py, PyAny>, Option<Bound<'py, PyAny>>),
}

impl<'py> Fields<'py> {
    pub(crate) fn of(value: &Bound<'py, PyAny>, fields: &[FieldNode]) -> Result<Self, Fault> {
        static VOID: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let py = value.py();
        let count = fields.len();
        let wrong = |found| Fault::new(py, format!("expected {count} fields, found {found}"));
        if let Ok(dict) = value.cast::<PyDict>() {
            return if dict.len() > count { Err(wrong(dict.len())) } else { Ok(Self::Keys(value.clone())) };
        }
        let names = value.get_type().getattr_opt(intern!(py, "__podwire_names__"))?;
        if let Ok(tuple) = value.cast::<PyTuple>()
            && names.is_none()
        {
            return if tuple.len() == count {
                Ok(Self::Positions(tuple.clone()))
            } else {
                Err(wrong(tuple.len()))
            };
        }
        if value.is_instance(VOID.import(py, "numpy", "void")?)? {
            return Ok(Self::Keys(value.clone()));
        }
        Ok(Self::Attributes(value.clone(), names))
    }

    pub(crate) fn get(&self, index: usize, name: &str) -> Result<Bound<'py, PyAny>, Fault> {
        match self {
            Self::Keys(value) => {
                value.get_item(name).map_err(|_| Fault::new(value.py(), "the field is missing"))
            }
            Self::Positions(tuple) => Ok(tuple.get_item(index)?),
            Self::Attributes(value, names) => {
                let called = match names {
                    Some(names) => {
                        names.cast::<PyDict>().ok().and_then(|names| names.get_item(name).transpose())
                    }
                    None => None,
                };
                let found = match called.transpose()? {
                    Some(called) => value.getattr(called.cast::<PyString>().map_err(PyErr::from)?),
                    None => value.getattr(name),
                };
                found.map_err(|_| Fault::new(value.py(), format!("{} has no such field", value.get_type())))
            }
        }
    }
}
