//! `values`: published values, printed from the schema that their publisher left in the pipeline.
//!
//! Not here: how a value is read by its schema. Invariant: for people the output is bounded; for programs (`--json`) it
//! is whole, and is written as it is made.

use podwire_codec_core::schema::{PrintLimits, Value};
use podwire_fastio::{Error, FastIoContext};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    list,
    problem::{Problem, Result},
};

/// Prints one value, over several lines.
pub(crate) fn one(context: &FastIoContext, name: &str, limits: PrintLimits, json: bool) -> Result<()> {
    let value = context.get_described(name)?;
    if json { whole(name, &value) } else { list::line(&format!("{:#}", value.print(limits))) }
}

/// Prints all values that are published, a line each.
pub(crate) fn all(context: &FastIoContext, limits: PrintLimits, json: bool) -> Result<()> {
    for listing in context.list()? {
        let value = match context.get_described(&listing.name) {
            Ok(value) => value,
            // It is an array or bytes, or went in the meantime.
            Err(Error::NotAValue { .. } | Error::NotFound { .. }) => continue,
            Err(problem @ Error::NoSchema { .. }) => {
                eprintln!("fastio: {problem}");
                continue;
            }
            Err(problem) => return Err(problem.into()),
        };
        if json {
            whole(&listing.name, &value)?;
        } else {
            list::line(&format!("{}: {}", listing.name.escape_debug(), value.print(limits)))?;
        }
    }
    Ok(())
}

/// Writes an object with the name and the value as JSON.
fn whole(name: &str, value: &Value) -> Result<()> {
    #[derive(Serialize)]
    struct Named<'v> {
        name: &'v str,
        value: Json<'v>,
    }
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    serde_json::to_writer(&mut output, &Named { name, value: Json(value) })
        .map_err(|error| Problem::Output(error.into()))?;
    std::io::Write::write_all(&mut output, b"\n")
        .and_then(|()| std::io::Write::flush(&mut output))
        .map_err(Problem::Output)
}

/// A value as JSON: numbers that JSON cannot hold are strings, and so is plain memory, in hexadecimal digits; a variant
/// is an object of its name and its fields, or its name alone.
struct Json<'v>(&'v Value);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            Value::Bool(value) => out.serialize_bool(*value),
            Value::Unsigned(value) => match u64::try_from(*value) {
                Ok(value) => out.serialize_u64(value),
                Err(_) => out.collect_str(value),
            },
            Value::Signed(value) => match i64::try_from(*value) {
                Ok(value) => out.serialize_i64(value),
                Err(_) => out.collect_str(value),
            },
            Value::F32(value) if value.is_finite() => out.serialize_f32(*value),
            Value::F32(value) => out.collect_str(value),
            Value::F64(value) if value.is_finite() => out.serialize_f64(*value),
            Value::F64(value) => out.collect_str(value),
            Value::Char(value) => out.serialize_char(*value),
            Value::Text(text) => out.serialize_str(text),
            Value::Option(Some(value)) => Json(value).serialize(out),
            Value::Option(None) => out.serialize_none(),
            Value::Sequence(values) => out.collect_seq(values.iter().map(Json)),
            Value::Elements(elements) => out.collect_seq(elements.iter().map(Element)),
            Value::Map(entries) if entries.iter().all(|(key, _)| key.as_str().is_some()) => {
                out.collect_map(entries.iter().map(|(key, value)| (key.as_str(), Json(value))))
            }
            Value::Map(entries) => {
                out.collect_seq(entries.iter().map(|(key, value)| (Json(key), Json(value))))
            }
            Value::Struct(record) if record.fields().all(|(name, _)| is_number(name)) => {
                out.collect_seq(record.values().iter().map(Json))
            }
            Value::Struct(record) => {
                out.collect_map(record.fields().map(|(name, value)| (name, Json(value))))
            }
            Value::Variant(record) => {
                let name = record.variant().unwrap_or_default();
                if record.values().is_empty() {
                    return out.serialize_str(name);
                }
                let fields: Vec<_> = record.fields().map(|(name, value)| (name, Json(value))).collect();
                let mut map = out.serialize_map(Some(1))?;
                match &fields[..] {
                    [("0", value)] => map.serialize_entry(name, value)?,
                    fields => map.serialize_entry(name, &Fields(fields))?,
                }
                map.end()
            }
            Value::Pod(bytes) => {
                out.serialize_str(&bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
            }
            other => out.collect_str(other),
        }
    }
}

/// An element, made when it is written.
struct Element(Value);

impl Serialize for Element {
    fn serialize<S: Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        Json(&self.0).serialize(out)
    }
}

/// The fields of a variant.
struct Fields<'f, 'v>(&'f [(&'v str, Json<'v>)]);

impl Serialize for Fields<'_, '_> {
    fn serialize<S: Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        if self.0.iter().all(|(name, _)| is_number(name)) {
            out.collect_seq(self.0.iter().map(|(_, value)| value))
        } else {
            out.collect_map(self.0.iter().map(|(name, value)| (name, value)))
        }
    }
}

/// Whether a field has no name, but a number.
fn is_number(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}
