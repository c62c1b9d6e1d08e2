//! Values as bytes: section 1 of the page, in the other direction.

use super::schema::{self, Type};
use super::value::Value;

/// The encoding of a value; nothing if it is none of this type.
#[must_use]
pub fn write(of: &Type, value: &Value) -> Option<Vec<u8>> {
    let mut writer = Writer { open: Vec::new() };
    writer.complete(of, value)
}

struct Writer<'t> {
    open: Vec<&'t Type>,
}

impl<'t> Writer<'t> {
    fn complete(&mut self, of: &'t Type, value: &Value) -> Option<Vec<u8>> {
        let (mut head, tail) = self.part(of, value)?;
        head.extend(tail);
        Some(head)
    }

    /// Head and tail.
    fn part(&mut self, of: &'t Type, value: &Value) -> Option<(Vec<u8>, Vec<u8>)> {
        Some(match (of, value) {
            (Type::Scalar(name), Value::Scalar(bits)) => {
                (bits.to_le_bytes()[..schema::width(name) as usize].to_vec(), Vec::new())
            }
            (Type::Text, Value::Text(text)) => (length(text.len())?, text.as_bytes().to_vec()),
            (Type::Sequence(element), Value::Many(values)) => {
                (length(values.len())?, self.many(element, values)?)
            }
            (Type::Map(key, value), Value::Map(entries)) => {
                let mut tail = Vec::new();
                for (k, v) in entries {
                    let (mut head, mut end) = self.part(key, k)?;
                    let (more, last) = self.part(value, v)?;
                    head.extend(more);
                    end.extend(last);
                    tail.extend(head);
                    tail.extend(end);
                }
                (length(entries.len())?, tail)
            }
            (Type::Array(element, count), Value::Many(values)) if values.len() as u64 == *count => {
                let parts = values.iter().map(|value| self.part(element, value));
                side_by_side(parts.collect::<Option<_>>()?)
            }
            (Type::Option(_), Value::Option(None)) => (vec![0], Vec::new()),
            (Type::Option(inner), Value::Option(Some(value))) => (vec![1], self.complete(inner, value)?),
            (Type::Pointer(inner), value) => (Vec::new(), self.complete(inner, value)?),
            (Type::Bulk(element), Value::Many(values)) => {
                let mut tail = vec![0];
                tail.extend((values.len() as u64).to_le_bytes());
                tail.extend(self.many(element, values)?);
                (Vec::new(), tail)
            }
            (Type::Struct(fields), Value::Struct(values)) => {
                self.open.push(of);
                let parts = self.fields(fields, values);
                self.open.pop();
                parts?
            }
            (Type::Enum(bytes, variants), Value::Variant(tag, values)) => {
                let (_, _, fields) = variants.iter().find(|(_, known, _)| known == tag)?;
                self.open.push(of);
                let parts = self.fields(fields, values);
                self.open.pop();
                let (mut row, tail) = parts?;
                row.extend(tail);
                (tag.to_le_bytes()[..*bytes as usize].to_vec(), row)
            }
            (Type::Pod(size), Value::Pod(bytes)) if bytes.len() as u64 == *size => {
                (bytes.clone(), Vec::new())
            }
            (Type::Up(levels), value) => {
                let place = self.open.len() - 1 - levels;
                let inner = self.open.split_off(place);
                let part = self.part(inner[0], value);
                self.open.truncate(place);
                self.open.extend(inner);
                part?
            }
            _ => return None,
        })
    }

    fn fields(&mut self, fields: &'t [schema::Field], values: &[Value]) -> Option<(Vec<u8>, Vec<u8>)> {
        if fields.len() != values.len() {
            return None;
        }
        let parts = fields.iter().zip(values).map(|((_, field), value)| self.part(field, value));
        Some(side_by_side(parts.collect::<Option<_>>()?))
    }

    fn many(&mut self, element: &'t Type, values: &[Value]) -> Option<Vec<u8>> {
        let all = values.iter().map(|value| self.complete(element, value));
        Some(all.collect::<Option<Vec<_>>>()?.concat())
    }
}

/// A length that is short, as all are here.
fn length(count: usize) -> Option<Vec<u8>> {
    Some(u32::try_from(count).ok()?.to_le_bytes().to_vec())
}

/// All heads, and all tails.
fn side_by_side(parts: Vec<(Vec<u8>, Vec<u8>)>) -> (Vec<u8>, Vec<u8>) {
    let (heads, tails): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    (heads.concat(), tails.concat())
}
