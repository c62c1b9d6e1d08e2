//! `Schema`: the description of a type's encoding.

use podwire_codec_core::CodecRegistry;
use pyo3::{exceptions::PyValueError, prelude::*, pyclass::CompareOp};

use crate::heads::Heads;

/// The description of a type's encoding: its canonical text, and a fingerprint of it.
///
/// >>> schema = podwire.Schema("struct{name:text,gain:f32}")
/// >>> schema.fingerprint == podwire.schema_of(tuple[str, podwire.f32]).fingerprint
/// False
/// >>> schema.difference(podwire.Schema("struct{name:text,gain:f64}"))
/// 'gain: expected f32, found f64'
#[pyclass(frozen, module = "podwire")]
pub(crate) struct Schema {
    inner: podwire_codec_core::schema::Schema,
    heads: Heads,
}

impl Schema {
    pub(crate) fn inner(&self) -> &podwire_codec_core::schema::Schema {
        &self.inner
    }

    pub(crate) fn heads(&self) -> &Heads {
        &self.heads
    }
}

impl From<podwire_codec_core::schema::Schema> for Schema {
    fn from(inner: podwire_codec_core::schema::Schema) -> Self {
        Self { heads: Heads::new(&inner), inner }
    }
}

#[pymethods]
impl Schema {
    /// Reads the canonical text, and nothing but it.
    #[new]
    fn new(text: &str) -> PyResult<Self> {
        let parsed = text.parse::<podwire_codec_core::schema::Schema>();
        parsed.map(Self::from).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// The canonical text.
    #[getter]
    fn text(&self) -> &str {
        self.inner.text()
    }

    /// A hash of the text, of 64 bits. Values are only read by those who have the same.
    #[getter]
    fn fingerprint(&self) -> u64 {
        self.inner.fingerprint()
    }

    /// The text in lines, for readers.
    fn readable(&self) -> String {
        format!("{:#}", self.inner)
    }

    /// The first difference to another schema, this one being what is expected; `None` if they are equal.
    fn difference(&self, other: &Self) -> Option<String> {
        self.inner.difference(&other.inner).map(|difference| difference.to_string())
    }

    /// Remembers the schema in this process, so that messages of it can be read that do not have it in them.
    fn learn(&self) {
        CodecRegistry::global().learn(self.inner.clone());
    }

    fn __str__(&self) -> &str {
        self.text()
    }

    fn __repr__(&self) -> String {
        format!("podwire.Schema({:?})", self.text())
    }

    fn __hash__(&self) -> u64 {
        self.fingerprint()
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, operation: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented()) };
        let equal = self.inner == other.get().inner;
        Ok(match operation {
            CompareOp::Eq => equal.into_pyobject(py)?.to_owned().into_any().unbind(),
            CompareOp::Ne => (!equal).into_pyobject(py)?.to_owned().into_any().unbind(),
            _ => py.NotImplemented(),
        })
    }
}
