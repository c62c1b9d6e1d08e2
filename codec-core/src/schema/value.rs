//! A value whose Rust type nobody here has.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Elements, Record};

/// A value that was read by its schema.
///
/// Pointers (`Box`, `Rc`, `Arc`) are the value behind them, and wrappers are what they hold.
///
/// ```
/// use podwire_codec_core::schema::{Value, schema_of};
/// use podwire_codec_core::to_vec;
///
/// let schema = schema_of::<(String, Vec<Option<u8>>)>();
/// let value = schema.from_slice(&to_vec(&("left".to_owned(), vec![Some(1_u8), None]))?)?;
/// assert_eq!(value.to_string(), r#"("left", [1, none])"#);
///
/// let Value::Struct(fields) = &value else { panic!("a tuple is a struct") };
/// assert_eq!(fields.get("0").unwrap().as_str(), Some("left"));
/// assert!(fields.get("1").unwrap().at(1).unwrap().is_none());
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `bool`.
    Bool(bool),
    /// `u8` to `u128`.
    Unsigned(u128),
    /// `i8` to `i128`.
    Signed(i128),
    /// `f32`, `f16`, `bf16`.
    F32(f32),
    /// `f64`.
    F64(f64),
    /// `char`.
    Char(char),
    /// Text.
    Text(String),
    /// Nothing, or a value.
    Option(Option<Box<Value>>),
    /// Elements whose size varies.
    Sequence(Vec<Value>),
    /// Elements of a fixed size, as bytes.
    Elements(Elements),
    /// Keys and values, in the order in which they came.
    Map(Vec<(Value, Value)>),
    /// A struct or a tuple.
    Struct(Record),
    /// A variant of an enum.
    Variant(Record),
    /// The memory of plain data that has no codec.
    Pod(Vec<u8>),
}

impl Value {
    /// The field of a struct or a variant, or the value of a map whose keys are text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Struct(record) | Self::Variant(record) => record.get(name),
            Self::Map(entries) => {
                entries.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
            }
            Self::Option(Some(value)) => value.get(name),
            _ => None,
        }
    }

    /// The element of a sequence, or the field of a struct or a variant, by its number.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<Cow<'_, Self>> {
        match self {
            Self::Sequence(values) => values.get(index).map(Cow::Borrowed),
            Self::Elements(elements) => elements.get(index).map(Cow::Owned),
            Self::Struct(record) | Self::Variant(record) => record.values().get(index).map(Cow::Borrowed),
            Self::Option(Some(value)) => value.at(index),
            _ => None,
        }
    }

    /// How many elements a sequence has, entries a map, fields a struct, bytes a text or plain data; 1 for anything
    /// else.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "nothing here is empty as a collection is")]
    pub fn len(&self) -> usize {
        match self {
            Self::Sequence(values) => values.len(),
            Self::Elements(elements) => elements.len(),
            Self::Map(entries) => entries.len(),
            Self::Struct(record) | Self::Variant(record) => record.values().len(),
            Self::Text(text) => text.len(),
            Self::Pod(bytes) => bytes.len(),
            _ => 1,
        }
    }

    /// Whether it is an `Option` with nothing in it.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Option(None))
    }

    /// What is in an `Option`; any other value is itself.
    #[must_use]
    pub fn some(&self) -> Option<&Self> {
        match self {
            Self::Option(value) => value.as_deref().and_then(Self::some),
            value => Some(value),
        }
    }

    /// The `bool`.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.some()? {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if it fits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self.some()? {
            Self::Unsigned(value) => u64::try_from(*value).ok(),
            Self::Signed(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// The integer, if it fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.some()? {
            Self::Unsigned(value) => i64::try_from(*value).ok(),
            Self::Signed(value) => i64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// The floating-point number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self.some()? {
            Self::F32(value) => Some((*value).into()),
            Self::F64(value) => Some(*value),
            _ => None,
        }
    }

    /// The `char`.
    #[must_use]
    pub fn as_char(&self) -> Option<char> {
        match self.some()? {
            Self::Char(value) => Some(*value),
            _ => None,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self.some()? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of a sequence of `u8`, or of plain data that has no codec.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self.some()? {
            Self::Elements(elements) => elements.as_slice::<u8>(),
            Self::Pod(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The elements of a fixed size.
    #[must_use]
    pub fn as_elements(&self) -> Option<&Elements> {
        match self.some()? {
            Self::Elements(elements) => Some(elements),
            _ => None,
        }
    }

    /// The fields of a struct or a variant.
    #[must_use]
    pub fn as_record(&self) -> Option<&Record> {
        match self.some()? {
            Self::Struct(record) | Self::Variant(record) => Some(record),
            _ => None,
        }
    }

    /// The keys and values of a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&[(Self, Self)]> {
        match self.some()? {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }
}
