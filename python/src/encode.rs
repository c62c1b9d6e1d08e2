//! Python objects to the bytes that the codec of a type would write, by the schema of the type.
//!
//! Not here: which schema a class has (`podwire/_codecs.py`), and where numbers lie (`numbers.rs`). Invariant: what is written
//! is what the schema describes, or nothing is; no number is brought into another range.

use podwire_codec_core::{
    Encode, Limits, Segment, Writer,
    schema::{FieldNode, Node, NodeId, VariantNode},
    tensor::Tensor,
};
use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyFrozenSet, PyList, PyMapping, PySet, PyString},
};

use crate::{
    dtype, errors,
    fields::{self, Fields},
    numbers,
    schema::Schema,
    tensor,
};

/// Levels of any kind that a value may have within one another, which bounds the stack.
const LEVELS: u32 = 3 * Limits::DEFAULT.depth + 64;

/// The codec for a value, whose type may be said: its schema, and its name.
pub(crate) fn codec_for<'py>(
    value: &Bound<'py, PyAny>,
    r#type: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Py<Schema>, String)> {
    static FIND: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = value.py();
    let codec = FIND.import(py, "podwire._codecs", "codec_for")?.call1((value, r#type))?;
    let schema = codec.getattr(intern!(py, "schema"))?.cast_into::<Schema>()?;
    Ok((schema.unbind(), codec.getattr(intern!(py, "name"))?.extract()?))
}

/// Writes a value that this schema describes.
pub(crate) fn write(
    schema: &Schema,
    value: &Bound<'_, PyAny>,
    writer: &mut Writer<'_>,
) -> podwire_codec_core::Result<()> {
    Encoded::of(schema, value)?.write(writer)
}

/// A value as bytes, and memory that it refers to: all that Python is needed for.
pub(crate) struct Encoded {
    bytes: Vec<u8>,
    placed: Vec<Placed>,
}

/// Memory that belongs to a place of the bytes.
pub(crate) struct Placed {
    /// The number of bytes before it.
    before: usize,
    what: Place,
}

enum Place {
    /// Elements, so many.
    Elements(u64, Segment),
    /// A tensor with all of its fields, which writes itself: in other ways beside the bytes and among them.
    Tensor(Tensor),
}

impl Encoded {
    pub(crate) fn of(schema: &Schema, value: &Bound<'_, PyAny>) -> podwire_codec_core::Result<Self> {
        let (bytes, placed) = (Vec::new(), Vec::new());
        let mut encoder = Encoder { schema, bytes, placed, levels: LEVELS, depth: Limits::DEFAULT.depth };
        match encoder.whole(schema.inner().root(), value) {
            Ok(()) => Ok(Self { bytes: encoder.bytes, placed: encoder.placed }),
            Err(fault) => Err(podwire_codec_core::Error::backend(fault.into_exception(value.py()))),
        }
    }

    /// Replaces memory that its owner may still write to.
    pub(crate) fn keep(
        &mut self,
        keep: impl Fn(&Segment) -> podwire_codec_core::Result<Segment>,
    ) -> podwire_codec_core::Result<()> {
        self.placed.iter_mut().try_for_each(|placed| {
            match &mut placed.what {
                Place::Elements(_, memory) => *memory = keep(memory)?,
                Place::Tensor(tensor) => *tensor = tensor.with_segment(keep(tensor.segment())?)?,
            }
            Ok(())
        })
    }

    /// Writes it: where elements are, and themselves if they are nowhere else.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> podwire_codec_core::Result<()> {
        let mut written = 0;
        for Placed { before, what } in &self.placed {
            writer.write(&self.bytes[written..*before])?;
            written = *before;
            let (count, memory) = match what {
                Place::Elements(count, memory) => (count, memory),
                Place::Tensor(tensor) => {
                    tensor.encode(writer)?;
                    continue;
                }
            };
            let index = writer.attach(memory)?;
            writer.write(&[u8::from(index.is_some())])?;
            writer.write(&count.to_le_bytes())?;
            match index {
                Some(index) => writer.write(&index.to_le_bytes())?,
                None => writer.write(memory.bytes()?)?,
            }
        }
        writer.write(&self.bytes[written..])
    }
}

/// Why a value cannot be written, and where in it.
pub(crate) struct Fault {
    /// The way to it, from the inside out.
    path: Vec<String>,
    why: PyErr,
}

impl From<PyErr> for Fault {
    fn from(why: PyErr) -> Self {
        Self { path: Vec::new(), why }
    }
}

impl Fault {
    pub(crate) fn new(py: Python<'_>, why: impl ToString) -> Self {
        errors::error(py, "EncodeError", why).into()
    }

    pub(crate) fn expected(wanted: &str, found: &Bound<'_, PyAny>) -> Self {
        let kind = found.get_type().name().map_or_else(|_| "something else".into(), |name| name.to_string());
        Self::new(found.py(), format!("expected {wanted}, found {kind}"))
    }

    fn at(mut self, step: String) -> Self {
        self.path.push(step);
        self
    }

    fn into_exception(self, py: Python<'_>) -> PyErr {
        // That there is no GPU is not the value's fault.
        if self.why.get_type(py).name().is_ok_and(|name| name == "NoDevice") {
            return self.why;
        }
        let way: String = self.path.iter().rev().map(String::as_str).collect();
        let way = way.strip_prefix('.').unwrap_or(&way);
        let shown = self.why.value(py);
        let message = if way.is_empty() { shown.to_string() } else { format!("{way}: {shown}") };
        let error = errors::error(py, "EncodeError", message);
        error.set_cause(py, Some(self.why));
        error
    }
}

type Written = Result<(), Fault>;

pub(crate) struct Encoder<'e> {
    pub(crate) schema: &'e Schema,
    /// Heads and tails, in their final order.
    pub(crate) bytes: Vec<u8>,
    /// Memory that belongs between the bytes.
    placed: Vec<Placed>,
    levels: u32,
    depth: u32,
}

impl Encoder<'_> {
    /// A value, head and tail.
    pub(crate) fn whole(&mut self, id: NodeId, value: &Bound<'_, PyAny>) -> Written {
        let mut at = self.room(self.schema.heads().of(id).size);
        self.part(id, value, &mut at)
    }

    /// Room for a head; where it is.
    fn room(&mut self, size: usize) -> usize {
        let at = self.bytes.len();
        self.bytes.resize(at + size, 0);
        at
    }

    /// Elements that travel by reference where they can, behind the bytes that there are.
    pub(crate) fn place(&mut self, count: u64, memory: Segment) {
        self.placed.push(Placed { before: self.bytes.len(), what: Place::Elements(count, memory) });
    }

    /// A tensor, behind the bytes that there are.
    pub(crate) fn place_tensor(&mut self, tensor: Tensor) {
        self.placed.push(Placed { before: self.bytes.len(), what: Place::Tensor(tensor) });
    }

    /// The next bytes of a head.
    pub(crate) fn put(&mut self, at: &mut usize, bytes: &[u8]) {
        self.bytes[*at..*at + bytes.len()].copy_from_slice(bytes);
        *at += bytes.len();
    }

    /// The part of a value that belongs to the row around it: its bytes of the head, which stand at `at`, and its tail.
    fn part(&mut self, id: NodeId, value: &Bound<'_, PyAny>, at: &mut usize) -> Written {
        let Some(levels) = self.levels.checked_sub(1) else {
            return Err(Fault::new(value.py(), "the value is nested too deeply"));
        };
        self.levels = levels;
        let schema = self.schema.inner();
        match schema.node(id) {
            Node::Scalar(name) => {
                let (bytes, size) = numbers::scalar(name, value)?;
                self.put(at, &bytes[..size]);
            }
            Node::Text => {
                let text = value.cast::<PyString>().map_err(|_| Fault::expected("str", value))?;
                let text = text.to_str().map_err(|_| Fault::new(value.py(), "the text is not UTF-8"))?;
                self.length(text.len(), at);
                self.bytes.extend_from_slice(text.as_bytes());
            }
            Node::Sequence(element) => self.sequence(*element, value, at)?,
            Node::Array(element, count) => self.array(*element, *count, value, at)?,
            Node::Map(key, inner) => self.map(*key, *inner, value, at)?,
            Node::Option(_) if value.is_none() => self.put(at, &[0]),
            Node::Option(inner) => {
                self.put(at, &[1]);
                self.whole(*inner, value)?;
            }
            Node::Pointer(inner) if tensor::is_tensor(schema, *inner) => tensor::write(self, value)?,
            Node::Pointer(inner) => {
                let nested = self.schema.heads().of(*inner).tail;
                self.nested(nested, value, |encoder| encoder.whole(*inner, value))?;
            }
            Node::Bulk(element) => numbers::bulk(self, *element, value)?,
            Node::Struct(fields) => self.fields(fields, value, at)?,
            Node::Enum { bits, variants } => self.variant(*bits, variants, value, at)?,
            Node::Pod(size) => {
                let bytes = value.cast::<PyBytes>().map_err(|_| Fault::expected("bytes", value))?.as_bytes();
                if bytes.len() as u64 != *size {
                    return Err(Fault::new(
                        value.py(),
                        format!("expected {size} bytes, found {}", bytes.len()),
                    ));
                }
                self.put(at, bytes);
            }
            _ => return Err(Fault::new(value.py(), "the schema does not describe this part")),
        }
        self.levels += 1;
        Ok(())
    }

    /// What lies one container deeper.
    fn nested(
        &mut self,
        counts: bool,
        value: &Bound<'_, PyAny>,
        write: impl FnOnce(&mut Self) -> Written,
    ) -> Written {
        let less = u32::from(counts);
        let Some(depth) = self.depth.checked_sub(less) else {
            return Err(Fault::new(value.py(), "the value has too many containers within one another"));
        };
        self.depth = depth;
        let written = write(self);
        self.depth += less;
        written
    }

    /// A length: four bytes of the head, or eight of the tail.
    pub(crate) fn length(&mut self, length: usize, at: &mut usize) {
        match u32::try_from(length) {
            Ok(short) if short != u32::MAX => self.put(at, &short.to_le_bytes()),
            _ => {
                self.put(at, &u32::MAX.to_le_bytes());
                self.bytes.extend((length as u64).to_le_bytes());
            }
        }
    }

    fn sequence(&mut self, element: NodeId, value: &Bound<'_, PyAny>, at: &mut usize) -> Written {
        if let Some(numbers) = numbers::packed(self.schema, element, value)? {
            self.length(numbers.count, at);
            self.bytes.extend_from_slice(numbers.bytes()?);
            return Ok(());
        }
        let items = items(value)?;
        self.length(items.len(), at);
        let nested = self.schema.heads().of(element).tail && !items.is_empty();
        self.nested(nested, value, |encoder| {
            for (index, item) in items.iter().enumerate() {
                encoder.whole(element, item).map_err(|fault| fault.at(format!("[{index}]")))?;
            }
            Ok(())
        })
    }

    fn array(&mut self, element: NodeId, count: u64, value: &Bound<'_, PyAny>, at: &mut usize) -> Written {
        let wrong = |found| Fault::new(value.py(), format!("expected {count} elements, found {found}"));
        if let Some(numbers) = numbers::packed(self.schema, element, value)? {
            if numbers.count as u64 != count {
                return Err(wrong(numbers.count));
            }
            self.put(at, numbers.bytes()?);
            return Ok(());
        }
        let items = items(value)?;
        if items.len() as u64 != count {
            return Err(wrong(items.len()));
        }
        for (index, item) in items.iter().enumerate() {
            self.part(element, item, at).map_err(|fault| fault.at(format!("[{index}]")))?;
        }
        Ok(())
    }

    fn map(&mut self, key: NodeId, inner: NodeId, value: &Bound<'_, PyAny>, at: &mut usize) -> Written {
        let map = value.cast::<PyMapping>().map_err(|_| Fault::expected("a dict", value))?;
        let entries = map.items()?;
        self.length(entries.len(), at);
        let heads = self.schema.heads();
        let size = heads.of(key).size + heads.of(inner).size;
        self.nested(true, value, |encoder| {
            for entry in entries {
                let (name, item): (Bound<'_, PyAny>, Bound<'_, PyAny>) = entry.extract()?;
                let mut at = encoder.room(size);
                encoder.part(key, &name, &mut at).map_err(|fault| fault.at("{key}".into()))?;
                encoder.part(inner, &item, &mut at).map_err(|fault| fault.at(format!("[{name}]")))?;
            }
            Ok(())
        })
    }

    fn fields(&mut self, fields: &[FieldNode], value: &Bound<'_, PyAny>, at: &mut usize) -> Written {
        if let ([re, im], Some(_)) = (fields, dtype::complex(self.schema.inner(), fields))
            && let Ok(number) = fields::complex(value)
        {
            self.part(re.node, &number.getattr(intern!(value.py(), "real"))?, at)?;
            return self.part(im.node, &number.getattr(intern!(value.py(), "imag"))?, at);
        }
        let from = Fields::of(value, fields)?;
        for (index, field) in fields.iter().enumerate() {
            let step = |fault: Fault| fault.at(format!(".{}", field.name));
            let item = from.get(index, &field.name).map_err(step)?;
            self.part(field.node, &item, at).map_err(step)?;
        }
        Ok(())
    }

    fn variant(
        &mut self,
        bits: u8,
        variants: &[VariantNode],
        value: &Bound<'_, PyAny>,
        at: &mut usize,
    ) -> Written {
        let py = value.py();
        let (name, inner) = fields::named_variant(value)?;
        let Some(variant) = variants.iter().find(|variant| variant.name == name) else {
            let known: Vec<_> = variants.iter().map(|variant| variant.name.as_str()).collect();
            let message = format!("there is no variant {name:?}, but {}", known.join(", "));
            return Err(Fault::new(py, message));
        };
        self.put(at, &variant.tag.to_le_bytes()[..usize::from(bits / 8)]);
        let mut row = self.room(self.schema.heads().row(&variant.fields));
        self.fields(&variant.fields, &inner, &mut row).map_err(|fault| fault.at(format!("::{name}")))
    }
}

/// The elements of anything that can be iterated and has a length, but no text, which would be its characters.
fn items<'py>(value: &Bound<'py, PyAny>) -> Result<Vec<Bound<'py, PyAny>>, Fault> {
    if value.is_instance_of::<PyString>() || value.len().is_err() {
        return Err(Fault::expected("a list", value));
    }
    let mut items: Vec<_> = value.try_iter()?.collect::<PyResult<_>>()?;
    let is_set = value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>();
    // A set has no order; where its elements have one, equal sets have equal bytes.
    if is_set
        && let Ok(sorted) = PyList::new(value.py(), &items)
        && sorted.sort().is_ok()
    {
        items = sorted.iter().collect();
    }
    Ok(items)
}
