//! Values: section 1 of the page, head by head and tail by tail.

use super::schema::{self, Type};
use super::{Input, No};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// The bits of a number, a `bool` or a `char`.
    Scalar(u128),
    /// Text.
    Text(String),
    /// The elements of a sequence, an array, or a bulk.
    Many(Vec<Value>),
    /// Entries in the order in which they came.
    Map(Vec<(Value, Value)>),
    /// Nothing or a value.
    Option(Option<Box<Value>>),
    /// The fields of a struct.
    Struct(Vec<Value>),
    /// The tag and the fields of a variant.
    Variant(u64, Vec<Value>),
    /// The memory of plain data.
    Pod(Vec<u8>),
}

/// Elements without bytes that are read at most, and levels of values within one another.
const ITEMS: u64 = 100_000;
const LEVELS: u32 = 600;

/// The value at the front of the input.
///
/// # Errors
/// Why there is none.
pub fn read(of: &Type, input: &mut Input<'_>) -> Result<Value, No> {
    Reader { open: Vec::new(), levels: 0, items: 0 }.complete(of, input)
}

/// The types that are open, and what was done.
struct Reader<'t> {
    open: Vec<&'t Type>,
    levels: u32,
    items: u64,
}

impl<'t> Reader<'t> {
    /// Head, then tail.
    fn complete(&mut self, of: &'t Type, input: &mut Input<'_>) -> Result<Value, No> {
        let mut values = self.row(&[of], input)?;
        Ok(values.remove(0))
    }

    /// Several parts side by side: all heads, then all tails.
    fn row(&mut self, of: &[&'t Type], input: &mut Input<'_>) -> Result<Vec<Value>, No> {
        self.levels += 1;
        if self.levels > LEVELS {
            return Err(No::TooMuch);
        }
        let mut heads = Vec::new();
        for part in of {
            let size = schema::head(part, &mut self.open).ok_or(No::TooMuch)?;
            let head = input.take(u64::try_from(size).map_err(|_| No::Wrong)?)?;
            heads.push(head);
        }
        let mut values = Vec::new();
        for (part, head) in of.iter().zip(heads) {
            values.push(self.tail(part, &mut Input(head), input)?);
        }
        self.levels -= 1;
        Ok(values)
    }

    /// The value whose head is at the front of `head`, and whose tail is at the front of `input`.
    fn tail(&mut self, of: &'t Type, head: &mut Input<'_>, input: &mut Input<'_>) -> Result<Value, No> {
        match of {
            Type::Scalar(name) => scalar(name, head),
            Type::Text => {
                let length = length(head, input)?;
                let bytes = input.take(length)?;
                let text = core::str::from_utf8(bytes).map_err(|_| No::Wrong)?;
                Ok(Value::Text(text.to_owned()))
            }
            Type::Sequence(element) => {
                let count = length(head, input)?;
                self.many(element, count, input)
            }
            Type::Map(key, value) => {
                let count = length(head, input)?;
                let mut entries = Vec::new();
                for _ in 0..count {
                    self.count(input)?;
                    let mut entry = self.row(&[key, value], input)?;
                    let value = entry.remove(1);
                    entries.push((entry.remove(0), value));
                }
                Ok(Value::Map(entries))
            }
            Type::Array(element, count) => {
                let mut values = Vec::new();
                for _ in 0..*count {
                    self.count(head)?;
                    values.push(self.tail(element, head, input)?);
                }
                Ok(Value::Many(values))
            }
            Type::Option(inner) => match head.number(1)? {
                0 => Ok(Value::Option(None)),
                1 => Ok(Value::Option(Some(Box::new(self.complete(inner, input)?)))),
                _ => Err(No::Wrong),
            },
            Type::Pointer(inner) => self.complete(inner, input),
            Type::Bulk(element) if schema::has_tail(element) => Err(No::Wrong),
            Type::Bulk(element) => {
                let place = input.number(1)?;
                let count = input.number(8)?;
                match place {
                    0 => self.many(element, count, input),
                    1 => {
                        input.number(4)?;
                        Err(No::Segment)
                    }
                    _ => Err(No::Wrong),
                }
            }
            Type::Struct(fields) => {
                self.open.push(of);
                let values = self.fields(fields, head, input);
                self.open.pop();
                values.map(Value::Struct)
            }
            Type::Enum(bytes, variants) => {
                let tag = head.number(*bytes)?;
                let found = variants.iter().find(|(_, known, _)| *known == tag);
                let (_, _, fields) = found.ok_or(No::Wrong)?;
                self.open.push(of);
                let fields: Vec<_> = fields.iter().map(|(_, field)| field).collect();
                let values = self.row(&fields, input);
                self.open.pop();
                values.map(|values| Value::Variant(tag, values))
            }
            Type::Pod(size) => head.take(*size).map(|bytes| Value::Pod(bytes.to_vec())),
            Type::Opaque => Err(No::Opaque),
            Type::Up(levels) => {
                let place = self.open.len() - 1 - levels;
                let inner = self.open.split_off(place);
                let value = self.tail(inner[0], head, input);
                self.open.truncate(place);
                self.open.extend(inner);
                value
            }
        }
    }

    fn fields(
        &mut self,
        fields: &'t [schema::Field],
        head: &mut Input<'_>,
        input: &mut Input<'_>,
    ) -> Result<Vec<Value>, No> {
        fields.iter().map(|(_, field)| self.tail(field, head, input)).collect()
    }

    /// Elements one by one, each complete.
    fn many(&mut self, element: &'t Type, count: u64, input: &mut Input<'_>) -> Result<Value, No> {
        let mut values = Vec::new();
        for _ in 0..count {
            self.count(input)?;
            values.push(self.complete(element, input)?);
        }
        Ok(Value::Many(values))
    }

    /// Counts an element, as long as nothing but its count bounds it.
    fn count(&mut self, input: &Input<'_>) -> Result<(), No> {
        self.items += 1;
        let _ = input;
        if self.items > ITEMS { Err(No::TooMuch) } else { Ok(()) }
    }
}

/// A length: four bytes in the head, and if they are all ones eight at the start of the tail.
fn length(head: &mut Input<'_>, input: &mut Input<'_>) -> Result<u64, No> {
    match head.number(4)? {
        0xFFFF_FFFF => match input.number(8)? {
            short if short < 0xFFFF_FFFF => Err(No::Wrong),
            length => Ok(length),
        },
        length => Ok(length),
    }
}

fn scalar(name: &str, head: &mut Input<'_>) -> Result<Value, No> {
    let bytes = head.take(schema::width(name))?;
    let bits = bytes.iter().rev().fold(0, |bits, byte| bits << 8 | u128::from(*byte));
    let is_one = match name {
        "bool" => bits < 2,
        "char" => bits < 0xD800 || (0xE000..0x11_0000).contains(&bits),
        _ => true,
    };
    if is_one { Ok(Value::Scalar(bits)) } else { Err(No::Wrong) }
}

/// Whether a map in it has a key twice.
#[must_use]
pub fn has_a_key_twice(value: &Value) -> bool {
    match value {
        Value::Map(entries) => {
            let twice = |(number, (key, _)): (usize, &(Value, Value))| {
                entries[..number].iter().any(|(known, _)| known == key)
            };
            let within = |(key, value): &(Value, Value)| has_a_key_twice(key) || has_a_key_twice(value);
            entries.iter().enumerate().any(twice) || entries.iter().any(within)
        }
        Value::Many(values) | Value::Struct(values) | Value::Variant(_, values) => {
            values.iter().any(has_a_key_twice)
        }
        Value::Option(Some(value)) => has_a_key_twice(value),
        _ => false,
    }
}

/// The same value with the entries of its maps in one order, and if `sets` also its elements: hash maps are written in any.
#[must_use]
pub fn ordered(value: Value, sets: bool) -> Value {
    let all = |values: Vec<Value>| values.into_iter().map(|value| ordered(value, sets)).collect::<Vec<_>>();
    match value {
        Value::Map(entries) => {
            let entries = entries.into_iter().map(|(key, value)| (ordered(key, sets), ordered(value, sets)));
            let mut entries: Vec<_> = entries.collect();
            entries.sort();
            Value::Map(entries)
        }
        Value::Many(values) => {
            let mut values = all(values);
            if sets {
                values.sort();
            }
            Value::Many(values)
        }
        Value::Struct(values) => Value::Struct(all(values)),
        Value::Variant(tag, values) => Value::Variant(tag, all(values)),
        Value::Option(value) => Value::Option(value.map(|value| Box::new(ordered(*value, sets)))),
        other => other,
    }
}
