//! A value as text, for people.
//!
//! The invariant: what is written is bounded, however long, wide or deep the value is.

use core::fmt::{self, Write};

use super::text::is_word;
use super::{Record, Value};

/// How much of a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrintLimits {
    /// Elements of one sequence, entries of one map, fields of one struct, bytes of plain data. Default: 10, but 100 for
    /// fields.
    pub items: usize,
    /// Characters of one text. Default: 256.
    pub text: usize,
    /// Values within values. Default: 16.
    pub depth: usize,
    /// Values in all. Default: 2,000.
    pub values: usize,
}

impl PrintLimits {
    /// The default limits.
    pub const DEFAULT: Self = Self { items: 10, text: 256, depth: 16, values: 2_000 };
}

impl Default for PrintLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Value {
    /// The value as text, under these limits: in one line as `{}`, in many as `{:#}`.
    ///
    /// ```
    /// use podwire_codec_core::schema::{PrintLimits, schema_of};
    /// use podwire_codec_core::to_vec;
    ///
    /// let value = schema_of::<Vec<u16>>().from_slice(&to_vec(&vec![7_u16; 10_000])?)?;
    /// let limits = PrintLimits { items: 3, ..PrintLimits::default() };
    /// assert_eq!(value.print(limits).to_string(), "[7, 7, 7, … 9,997 more]");
    /// # Ok::<(), podwire_codec_core::Error>(())
    /// ```
    #[must_use]
    pub fn print(&self, limits: PrintLimits) -> Printed<'_> {
        Printed { value: self, limits }
    }
}

/// A value that is to be written; see [`Value::print`].
#[derive(Debug, Clone, Copy)]
pub struct Printed<'v> {
    value: &'v Value,
    limits: PrintLimits,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = out.alternate();
        Printer { limits: self.limits, left: self.limits.values, depth: 0, indent: 0, lines, out }
            .value(self.value)
    }
}

impl fmt::Display for Value {
    /// Under the default limits.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(PrintLimits::DEFAULT).fmt(out)
    }
}

/// Fields are what a reader looks for: more of them are written than elements.
const FIELDS: usize = 10;

struct Printer<'p, 'f> {
    limits: PrintLimits,
    /// Values that may still be written.
    left: usize,
    depth: usize,
    /// Lists around the current line.
    indent: usize,
    lines: bool,
    out: &'p mut fmt::Formatter<'f>,
}

impl Printer<'_, '_> {
    fn value(&mut self, value: &Value) -> fmt::Result {
        if self.left == 0 {
            return self.out.write_str("…");
        }
        self.left -= 1;
        match value {
            Value::Bool(value) => write!(self.out, "{value}"),
            Value::Unsigned(value) => write!(self.out, "{value}"),
            Value::Signed(value) => write!(self.out, "{value}"),
            Value::F32(value) => write!(self.out, "{value:?}"),
            Value::F64(value) => write!(self.out, "{value:?}"),
            Value::Char(value) => write!(self.out, "{value:?}"),
            Value::Text(text) => self.text(text),
            Value::Option(None) => self.out.write_str("none"),
            Value::Pod(bytes) => self.pod(bytes),
            Value::Option(Some(value)) => self.deeper(|printer| printer.option(value)),
            Value::Sequence(values) => self.deeper(|printer| {
                printer.list(["[", "]"], values.len(), true, |printer, index| printer.value(&values[index]))
            }),
            Value::Elements(elements) if elements.bytes().is_none() => {
                let kind = elements.memory().kind().0;
                write!(self.out, "<{} elements in memory kind {kind}>", Grouped(elements.len()))
            }
            Value::Elements(elements) => self.deeper(|printer| {
                let lines = !elements.are_scalars();
                printer.list(["[", "]"], elements.len(), lines, |printer, index| match elements.get(index) {
                    Some(value) => printer.value(&value),
                    None => printer.out.write_str("?"),
                })
            }),
            Value::Map(entries) => self.deeper(|printer| {
                printer.list(["{", "}"], entries.len(), true, |printer, index| {
                    let (key, value) = &entries[index];
                    printer.value(key)?;
                    printer.out.write_str(": ")?;
                    printer.value(value)
                })
            }),
            Value::Struct(record) | Value::Variant(record) => self.deeper(|printer| printer.record(record)),
        }
    }

    /// Something in an `Option` is itself, unless it is an `Option` again.
    fn option(&mut self, value: &Value) -> fmt::Result {
        if !matches!(value, Value::Option(_)) {
            return self.value(value);
        }
        self.out.write_str("some(")?;
        self.value(value)?;
        self.out.write_str(")")
    }

    fn record(&mut self, record: &Record) -> fmt::Result {
        if let Some(name) = record.variant() {
            self.name(name)?;
            if record.values().is_empty() {
                return Ok(());
            }
        }
        let tuple = record.is_tuple();
        if !tuple && record.variant().is_some() {
            self.out.write_str(" ")?;
        }
        let mut fields = record.fields();
        let items = self.limits.items;
        self.limits.items = items.saturating_mul(FIELDS);
        let around = if tuple { ["(", ")"] } else { ["{", "}"] };
        let written = self.list(around, record.values().len(), !tuple, |printer, _| {
            let Some((name, value)) = fields.next() else { return Ok(()) };
            if !tuple {
                printer.name(name)?;
                printer.out.write_str(": ")?;
            }
            let fields = core::mem::replace(&mut printer.limits.items, items);
            printer.value(value)?;
            printer.limits.items = fields;
            Ok(())
        });
        self.limits.items = items;
        written
    }

    /// A list, of which only the first items are written; each in a line of its own if that is asked for.
    fn list(
        &mut self,
        [open, close]: [&str; 2],
        count: usize,
        lines: bool,
        mut item: impl FnMut(&mut Self, usize) -> fmt::Result,
    ) -> fmt::Result {
        let lines = lines && self.lines && count > 0;
        let shown = count.min(self.limits.items);
        self.out.write_str(open)?;
        self.indent += 1;
        for index in 0..shown {
            if self.left == 0 {
                return self.rest(count - index, index > 0, lines, close);
            }
            if lines {
                self.line()?;
            } else if index > 0 {
                self.out.write_str(", ")?;
            }
            item(self, index)?;
            if lines {
                self.out.write_str(",")?;
            }
        }
        self.rest(count - shown, shown > 0, lines, close)
    }

    /// How many items are not written, and the end of the list.
    fn rest(&mut self, count: usize, comma: bool, lines: bool, close: &str) -> fmt::Result {
        if count > 0 {
            if lines {
                self.line()?;
            } else if comma {
                self.out.write_str(", ")?;
            }
            write!(self.out, "… {} more", Grouped(count))?;
        }
        self.indent -= 1;
        if lines {
            self.line()?;
        }
        self.out.write_str(close)
    }

    fn line(&mut self) -> fmt::Result {
        let indent = 4 * self.indent;
        write!(self.out, "\n{:indent$}", "")
    }

    fn deeper(&mut self, write: impl FnOnce(&mut Self) -> fmt::Result) -> fmt::Result {
        if self.depth >= self.limits.depth {
            return self.out.write_str("…");
        }
        self.depth += 1;
        let written = write(self);
        self.depth -= 1;
        written
    }

    fn text(&mut self, text: &str) -> fmt::Result {
        self.out.write_str("\"")?;
        let mut characters = text.chars();
        for character in characters.by_ref().take(self.limits.text) {
            match character {
                '\'' => self.out.write_char(character)?,
                _ => write!(self.out, "{}", character.escape_debug())?,
            }
        }
        match characters.as_str().len() {
            0 => self.out.write_str("\""),
            count => write!(self.out, "\" … {} more bytes", Grouped(count)),
        }
    }

    fn pod(&mut self, bytes: &[u8]) -> fmt::Result {
        write!(self.out, "pod({})", bytes.len())?;
        let shown = bytes.len().min(self.limits.items.saturating_mul(2));
        for byte in &bytes[..shown] {
            write!(self.out, " {byte:02X}")?;
        }
        if shown < bytes.len() { self.out.write_str(" …") } else { Ok(()) }
    }

    /// The name of a field or a variant, escaped, and no longer than a text.
    fn name(&mut self, name: &str) -> fmt::Result {
        if is_word(name) && name.len() <= self.limits.text && !name.chars().any(char::is_control) {
            return self.out.write_str(name);
        }
        self.text(name)
    }
}

/// A number with a comma between thousands.
struct Grouped(usize);

impl fmt::Display for Grouped {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut divisor = 1;
        while self.0 / divisor >= 1000 {
            divisor *= 1000;
        }
        write!(out, "{}", self.0 / divisor)?;
        while divisor > 1 {
            divisor /= 1000;
            write!(out, ",{:03}", self.0 / divisor % 1000)?;
        }
        Ok(())
    }
}
