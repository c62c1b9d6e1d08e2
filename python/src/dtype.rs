//! Element types: numpy's, podwire's, and schemas.
//!
//! Invariant: a dtype is translated exactly or refused; nothing is guessed, swapped or truncated.

use podwire_codec_core::{
    schema::{FieldNode, Node, NodeId, Schema},
    tensor::DType,
};
use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyList, PyTuple, PyType},
};

use crate::errors;

/// The element types, in podwire and in numpy. `bf16` is not numpy's own: it needs the package `ml_dtypes`.
const NAMES: [(DType, &str); 14] = [
    (DType::U8, "|u1"),
    (DType::U16, "<u2"),
    (DType::U32, "<u4"),
    (DType::U64, "<u8"),
    (DType::I8, "|i1"),
    (DType::I16, "<i2"),
    (DType::I32, "<i4"),
    (DType::I64, "<i8"),
    (DType::F16, "<f2"),
    (DType::F32, "<f4"),
    (DType::F64, "<f8"),
    (DType::C64, "<c8"),
    (DType::C128, "<c16"),
    (DType::Bool, "|b1"),
];

/// Schemas of complex numbers, as one element of numpy's.
const COMPLEX: [(&str, &str); 2] = [("f32", "<c8"), ("f64", "<c16")];

/// What the elements of an array are.
pub(crate) enum Element {
    /// A number.
    Number(DType),
    /// A struct of numbers, without padding: its schema.
    Struct(Schema),
}

/// numpy's dtype for whatever numpy takes as one.
pub(crate) fn dtype<'py>(from: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static DTYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    DTYPE.import(from.py(), "numpy", "dtype")?.call1((from,))
}

fn named<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    dtype(name.into_pyobject(py)?.as_any())
}

fn unsupported(py: Python<'_>, message: impl ToString) -> PyErr {
    errors::error(py, "UnsupportedDType", message)
}

/// numpy's dtype for elements of an allocation.
pub(crate) fn of_number(py: Python<'_>, number: DType) -> PyResult<Bound<'_, PyAny>> {
    match NAMES.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => named(py, name),
        None => match py.import("ml_dtypes").and_then(|module| module.getattr("bfloat16")) {
            Ok(kind) => dtype(&kind),
            Err(_) => Err(unsupported(py, "numpy has no bf16; the package ml_dtypes adds it")),
        },
    }
}

/// What elements of this numpy dtype are in podwire.
pub(crate) fn element(dtype: &Bound<'_, PyAny>) -> PyResult<Element> {
    let py = dtype.py();
    if !dtype.getattr("fields")?.is_none() {
        let text = text_of(dtype)?;
        let schema = text.parse::<Schema>().map_err(|error| unsupported(py, format!("{dtype}: {error}")))?;
        return Ok(Element::Struct(schema));
    }
    number(dtype).map(Element::Number)
}

fn number(dtype: &Bound<'_, PyAny>) -> PyResult<DType> {
    let py = dtype.py();
    let name: String = dtype.getattr("str")?.extract()?;
    if let Some((number, _)) = NAMES.iter().find(|(_, known)| *known == name) {
        return Ok(*number);
    }
    let called: String = dtype.getattr("name")?.extract()?;
    match called.as_str() {
        "bfloat16" => Ok(DType::BF16),
        _ if name.starts_with('>') => Err(unsupported(
            py,
            format!("{called} is big-endian here: `astype` brings it into the other order"),
        )),
        _ => Err(unsupported(py, format!("elements of dtype {called} cannot be shared"))),
    }
}

/// The schema's text of one element without padding.
fn text_of(dtype: &Bound<'_, PyAny>) -> PyResult<String> {
    let subdtype = dtype.getattr("subdtype")?;
    if !subdtype.is_none() {
        let (base, shape): (Bound<'_, PyAny>, Vec<usize>) = subdtype.extract()?;
        let base = text_of(&base)?;
        return Ok(shape.iter().rev().fold(base, |text, extent| format!("[{text};{extent}]")));
    }
    let fields = dtype.getattr("fields")?;
    if fields.is_none() {
        let number = number(dtype)?;
        return Ok(match number {
            DType::C64 => "struct{re:f32,im:f32}".into(),
            DType::C128 => "struct{re:f64,im:f64}".into(),
            number => number.name().into(),
        });
    }
    let mut parts = Vec::new();
    for name in dtype.getattr("names")?.cast::<PyTuple>()? {
        let field = fields.get_item(&name)?.get_item(0)?;
        parts.push(format!("{}:{}", name_text(&name.extract::<String>()?), text_of(&field)?));
    }
    Ok(format!("struct{{{}}}", parts.join(",")))
}

/// A field's name as it stands in a schema.
fn name_text(name: &str) -> String {
    let word =
        |character: char| character.is_ascii_alphanumeric() || character == '_' || !character.is_ascii();
    if !name.is_empty() && name.chars().all(word) {
        return name.into();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// numpy's dtype for elements that this schema describes; nothing if they are not numbers, or structs and arrays of numbers.
pub(crate) fn of_schema<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Option<Bound<'py, PyAny>>> {
    static KNOWN: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    /// So many dtypes are remembered.
    const MOST: usize = 1024;
    let known = KNOWN.get_or_init(py, || PyDict::new(py).unbind()).bind(py);
    if let Some(found) = known.get_item(schema.text())? {
        return Ok(Some(found).filter(|found| !found.is_none()));
    }
    let found = of_node(py, schema, schema.root())?;
    if known.len() >= MOST {
        known.clear();
    }
    known.set_item(schema.text(), found.as_ref())?;
    Ok(found)
}

/// The same for one type of a schema.
pub(crate) fn of_node<'py>(
    py: Python<'py>,
    schema: &Schema,
    id: NodeId,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match schema.node(id) {
        Node::Scalar(name) => of_scalar(py, name),
        Node::Pod(size) => named(py, &format!("V{size}")).map(Some),
        Node::Array(element, count) => match of_node(py, schema, *element)? {
            // numpy counts bytes in 31 bits here.
            Some(element) if *count <= 1 << 20 => {
                Ok(dtype((element, (*count,)).into_pyobject(py)?.as_any()).ok())
            }
            _ => Ok(None),
        },
        Node::Struct(fields) => match complex(schema, fields) {
            Some(name) => named(py, name).map(Some),
            None => of_fields(py, schema, fields),
        },
        _ => Ok(None),
    }
}

fn of_scalar<'py>(py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    match name {
        // One character is one of numpy's texts.
        "char" => named(py, "<U1").map(Some),
        "u128" | "i128" => Ok(None),
        "bf16" => Ok(Some(of_number(py, DType::BF16).or_else(|_| named(py, "V2"))?)),
        _ => match DType::ALL.iter().find(|number| number.name() == name) {
            Some(number) => of_number(py, *number).map(Some),
            None => Ok(None),
        },
    }
}

fn of_fields<'py>(
    py: Python<'py>,
    schema: &Schema,
    fields: &[FieldNode],
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if fields.is_empty() {
        return Ok(None);
    }
    let list = PyList::empty(py);
    for field in fields {
        match of_node(py, schema, field.node)? {
            Some(dtype) => list.append((&field.name, dtype))?,
            None => return Ok(None),
        }
    }
    // Two fields of one name, say, are nothing to numpy.
    Ok(dtype(list.as_any()).ok())
}

/// numpy's complex number for these fields, if they are one.
pub(crate) fn complex(schema: &Schema, fields: &[FieldNode]) -> Option<&'static str> {
    let [re, im] = fields else { return None };
    let (Node::Scalar(one), Node::Scalar(two)) = (schema.node(re.node), schema.node(im.node)) else {
        return None;
    };
    let pair = (re.name.as_str(), im.name.as_str()) == ("re", "im") && one == two;
    COMPLEX.iter().find(|(name, _)| pair && name == one).map(|(_, numpy)| *numpy)
}
