//! Messages and bare values in Python's `bytes`.
//!
//! Invariant: arrays that are read refer to the `bytes` that they were read from.

use std::sync::Arc;

use podwire_codec_core::{
    Buffer, CodecRegistry, Limits, Owner, Reader, Segment, Writer,
    message::{self, Message, Options},
};
use pyo3::{prelude::*, pybacked::PyBackedBytes, types::PyBytes};

use crate::{encode, errors, schema::Schema, value};

/// `bytes` of Python as memory that values can refer to.
struct Backed(PyBackedBytes);

impl Owner for Backed {
    fn bytes(&self) -> Option<&[u8]> {
        Some(&self.0)
    }
}

fn memory(data: &Bound<'_, PyBytes>) -> Segment {
    Segment::new(Arc::new(Backed(data.clone().into())))
}

/// The message of a value.
#[pyfunction]
pub(crate) fn dump_message<'py>(
    value: &Bound<'py, PyAny>,
    codec: &str,
    schema: &Bound<'py, Schema>,
    with_schema: bool,
    checksum: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = value.py();
    let mut buffer = Buffer::new();
    let options = Options { schema: with_schema, checksum, ..Options::default() };
    let schema = schema.get();
    let written = message::write_with(codec, schema.inner(), options, &mut buffer, |writer| {
        encode::write(schema, value, writer)
    });
    written.map_err(|error| errors::codec(py, error, "EncodeError"))?;
    Ok(PyBytes::new(py, buffer.as_slice()))
}

/// The value of a message, which fills the bytes.
#[pyfunction]
pub(crate) fn load_message<'py>(
    data: &Bound<'py, PyBytes>,
    r#type: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = data.py();
    let wrong = |error| errors::codec(py, error, "DecodeError");
    let memory = memory(data);
    let (message, rest) = Message::parse(data.as_bytes(), Limits::DEFAULT).map_err(wrong)?;
    if !rest.is_empty() {
        let message = format!("{} bytes behind the message", rest.len());
        return Err(errors::error(py, "DecodeError", message));
    }
    let schema = CodecRegistry::global().schema_of_message(&message).map_err(wrong)?;
    let Some(schema) = schema else {
        let (name, fingerprint) = (message.name(), message.fingerprint());
        let message =
            format!("the schema {fingerprint:016x} of a {name:?} is not known, nor is it in the message");
        return Err(errors::error(py, "NoSchema", message));
    };
    let decode = |reader: &mut Reader<'_>| schema.decode_sharing(&memory, reader);
    let read = message.decode(&mut Buffer::new(), Limits::DEFAULT, decode).map_err(wrong)?;
    let read = value::to_python(py, &read)?;
    value::bound(py, read, message.name(), schema, r#type)
}

/// The bare bytes of a value.
#[pyfunction]
pub(crate) fn encode_value<'py>(
    value: &Bound<'py, PyAny>,
    schema: &Bound<'py, Schema>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = value.py();
    let mut buffer = Buffer::new();
    let mut writer = Writer::new(&mut buffer);
    let written = encode::write(schema.get(), value, &mut writer).and_then(|()| writer.finish());
    written.map_err(|error| errors::codec(py, error, "EncodeError"))?;
    Ok(PyBytes::new(py, buffer.as_slice()))
}

/// The value of bare bytes, which it fills.
#[pyfunction]
pub(crate) fn decode_value<'py>(
    data: &Bound<'py, PyBytes>,
    schema: &Bound<'py, Schema>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = data.py();
    let memory = memory(data);
    let mut reader = Reader::from_slice(data.as_bytes());
    let read = schema.get().inner().decode_sharing(&memory, &mut reader);
    let read = read.map_err(|error| errors::codec(py, error, "DecodeError"))?;
    match reader.remaining() {
        Some(0) => value::to_python(py, &read),
        left => {
            let message = format!("{} bytes behind the value", left.unwrap_or(0));
            Err(errors::error(py, "DecodeError", message))
        }
    }
}
