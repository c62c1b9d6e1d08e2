//! Schemas and values that grow from the bytes of the fuzzer: most inputs should get behind the first check.
//!
//! The invariant: any bytes give something, and when they are used up it ends soon.

use crate::slow::schema::{SCALARS, Type, width};
use crate::slow::value::Value;

/// Bytes that decide; zeros when they are used up.
pub struct Seed<'s>(pub &'s [u8]);

impl Seed<'_> {
    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().map_or((0, self.0), |(byte, rest)| (*byte, rest));
        self.0 = rest;
        byte
    }

    /// A number below `most`.
    pub fn below(&mut self, most: usize) -> usize {
        usize::from(self.byte()) % most.max(1)
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    fn text(&mut self) -> String {
        let letters = ['a', 'b', 'Z', '0', '_', 'é', '"', '\\', ' ', ':', '}', '\u{10FFFF}', '\0'];
        (0..self.below(5)).map(|_| letters[self.below(13)]).collect()
    }
}

/// The text of a schema; it may be one that is refused.
pub fn schema(seed: &mut Seed<'_>) -> String {
    let mut text = String::new();
    a_type(seed, 0, 0, &mut text);
    text
}

fn a_type(seed: &mut Seed<'_>, level: usize, open: usize, text: &mut String) {
    let choice = if level > 6 { 0 } else { seed.below(14) };
    match choice {
        1 => text.push_str("text"),
        2 => wrapped(seed, level, open, text, "[", "]"),
        3 => {
            let count = [0, 1, 2, 3, 300, 1_u64 << 62][seed.below(6)];
            wrapped(seed, level, open, text, "[", &format!(";{count}]"));
        }
        4 => {
            wrapped(seed, level, open, text, "{", ":");
            wrapped(seed, level, open, text, "", "}");
        }
        5 => wrapped(seed, level, open, text, "?", ""),
        6 => wrapped(seed, level, open, text, "*", ""),
        7 => wrapped(seed, level, open, text, "bulk[", "]"),
        8 | 9 => {
            text.push_str("struct{");
            fields(seed, level, open, text);
        }
        10 | 11 => {
            text.push_str(["enum8{", "enum16{", "enum32{"][seed.below(3)]);
            for number in 0..seed.below(4) {
                text.push_str(if number == 0 { "" } else { "," });
                name(seed, text);
                text.push_str(&format!("={}{{", if seed.below(8) == 0 { 255 } else { number }));
                fields(seed, level, open, text);
            }
            text.push('}');
        }
        12 => text.push_str(&format!("pod({})", seed.byte())),
        13 if open > 0 => {
            let most = open + usize::from(seed.below(9) == 0);
            text.push_str(&format!("^{}", seed.below(most)));
        }
        _ => text.push_str(SCALARS[seed.below(SCALARS.len())].0),
    }
}

fn wrapped(seed: &mut Seed<'_>, level: usize, open: usize, text: &mut String, before: &str, behind: &str) {
    text.push_str(before);
    a_type(seed, level + 1, open, text);
    text.push_str(behind);
}

fn fields(seed: &mut Seed<'_>, level: usize, open: usize, text: &mut String) {
    for number in 0..seed.below(4) {
        text.push_str(if number == 0 { "" } else { "," });
        name(seed, text);
        text.push(':');
        a_type(seed, level + 1, open + 1, text);
    }
    text.push('}');
}

fn name(seed: &mut Seed<'_>, text: &mut String) {
    let name = seed.text();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || !letter.is_ascii();
    if !name.is_empty() && name.chars().all(plain) {
        text.push_str(&name);
    } else {
        let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
        text.push_str(&format!("\"{escaped}\""));
    }
}

/// A value of a type; nothing where it does not come to an end.
pub fn value<'t>(of: &'t Type, open: &mut Vec<&'t Type>, level: usize, seed: &mut Seed<'_>) -> Option<Value> {
    if level > 40 {
        return None;
    }
    // The deeper, the fewer.
    let many = if level > 12 { 0 } else { seed.below(4) };
    Some(match of {
        Type::Scalar("bool") => Value::Scalar(seed.below(2) as u128),
        Type::Scalar("char") => {
            Value::Scalar([0x61, 0xD7FF, 0xE000, 0x10_FFFF, u128::from(seed.byte())][seed.below(5)])
        }
        Type::Scalar(name) => {
            let bytes = seed.bytes(width(name) as usize);
            Value::Scalar(bytes.iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte)))
        }
        Type::Text => Value::Text(seed.text()),
        Type::Sequence(element) | Type::Bulk(element) => {
            let values = (0..many).map(|_| value(element, open, level + 1, seed));
            Value::Many(values.collect::<Option<_>>()?)
        }
        Type::Array(element, count) => {
            let count = if *count > 1_000 { return None } else { *count };
            let values = (0..count).map(|_| value(element, open, level + 1, seed));
            Value::Many(values.collect::<Option<_>>()?)
        }
        Type::Map(key, of) => {
            let entry = |_| {
                let key = value(key, open, level + 1, seed)?;
                Some((key, value(of, open, level + 1, seed)?))
            };
            Value::Map((0..many).map(entry).collect::<Option<_>>()?)
        }
        Type::Option(_) if many == 0 => Value::Option(None),
        Type::Option(inner) => Value::Option(Some(Box::new(value(inner, open, level + 1, seed)?))),
        Type::Pointer(inner) => value(inner, open, level + 1, seed)?,
        Type::Struct(fields) => {
            open.push(of);
            let values: Option<_> =
                fields.iter().map(|(_, field)| value(field, open, level + 1, seed)).collect();
            open.pop();
            Value::Struct(values?)
        }
        Type::Enum(_, variants) => {
            let number = if level > 12 { 0 } else { seed.below(variants.len()) };
            let (_, tag, fields) = variants.get(number)?;
            open.push(of);
            let values: Option<_> =
                fields.iter().map(|(_, field)| value(field, open, level + 1, seed)).collect();
            open.pop();
            Value::Variant(*tag, values?)
        }
        Type::Pod(size) => Value::Pod(seed.bytes(usize::try_from(*size).ok()?)),
        Type::Opaque => return None,
        Type::Up(levels) => {
            let place = open.len() - 1 - levels;
            let inner = open.split_off(place);
            let found = value(inner[0], open, level + 1, seed);
            open.truncate(place);
            open.extend(inner);
            found?
        }
    })
}
