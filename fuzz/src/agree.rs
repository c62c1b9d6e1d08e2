//! Whether podwire and the slow reader say the same.

use podwire::schema::{Elements, Schema, Value as Fast, schema_of};
use podwire::{Codec, Error, Limits, from_slice_with, to_vec};

use crate::slow::schema::{self, Type};
use crate::slow::value::{self, Value};
use crate::slow::{Input, No, message};

/// Limits that no honest input of the fuzzer meets.
pub const LIMITS: Limits = Limits { bytes: 64 << 20, items: 1 << 16, depth: 128 };

/// Whether an error says nothing of the bytes but that they ask for too much.
fn is_limit(error: &Error) -> bool {
    matches!(
        error,
        Error::ByteLimit { .. }
            | Error::ItemLimit { .. }
            | Error::DepthLimit { .. }
            | Error::OutOfMemory { .. }
    )
}

/// Whether an error says what a schema cannot: these bytes are a value to a reader who has the schema alone.
fn only_the_type_knows(error: &Error) -> bool {
    matches!(
        error,
        Error::DuplicateKey { .. } | Error::OutOfRange { .. } | Error::Tensor(_) | Error::Unaligned { .. }
    )
}

/// What the slow reader makes of all of the bytes.
fn slowly(of: &Type, bytes: &[u8]) -> Result<Value, No> {
    let mut input = Input(bytes);
    let value = value::read(of, &mut input)?;
    if input.0.is_empty() { Ok(value) } else { Err(No::Wrong) }
}

/// Compares what both make of bytes that should be a `T`. `sets`: there are sets in it, whose order does not count.
///
/// # Panics
/// If they differ.
pub fn on_a_type<T: Codec>(bytes: &[u8], sets: bool) {
    let text = schema_of::<T>().to_string();
    let (of, _) = schema::parse(&text).unwrap_or_else(|| panic!("the slow reader refuses {text}"));
    let slow = slowly(&of, bytes);
    let fast = from_slice_with::<T>(bytes, LIMITS);
    match (slow, fast) {
        (Ok(slow), Ok(value)) => {
            assert!(sets || !value::has_a_key_twice(&slow), "{text}: a key twice in {slow:?}");
            let again = to_vec(&value).expect("a vector takes everything");
            let back = slowly(&of, &again).expect("what podwire wrote, it can read");
            assert_eq!(value::ordered(back, sets), value::ordered(slow, sets), "{text}");
            assert_eq!(again.len(), bytes.len(), "{text}");
        }
        (Err(No::Wrong), Ok(_)) => panic!("{text}: podwire takes {bytes:02x?}"),
        (Ok(slow), Err(error)) if !is_limit(&error) => {
            assert!(only_the_type_knows(&error), "{text}: {error} of {slow:?}");
            let twice = matches!(error, Error::DuplicateKey { .. });
            assert!(!twice || sets || value::has_a_key_twice(&slow), "{text}: {error} of {slow:?}");
        }
        _ => {}
    }
}

/// Compares what both make of a text that should be a schema, and gives it if both take it.
///
/// # Panics
/// If they differ.
pub fn on_a_schema(text: &str) -> Option<(Schema, Type)> {
    match (text.parse::<Schema>(), schema::parse(text)) {
        (Ok(schema), Some((of, _))) => {
            assert_eq!(schema.text(), text, "one text for a type");
            assert_eq!(schema.fingerprint(), schema::fingerprint(text));
            Some((schema, of))
        }
        // How levels are counted is not the page's business, but far from 128 there is one answer.
        (Err(_), Some((_, levels))) if levels > 100 => None,
        (Ok(_), None) => panic!("podwire takes the schema {text:?}"),
        (Err(error), Some(_)) => panic!("podwire refuses the schema {text:?}: {error}"),
        (Err(_), None) => None,
    }
}

/// Compares what both make of bytes by a schema alone.
///
/// # Panics
/// If they differ.
pub fn on_a_value(schema: &Schema, of: &Type, bytes: &[u8]) {
    match (slowly(of, bytes), schema.from_slice_with(bytes, LIMITS)) {
        (Ok(slow), Ok(fast)) => {
            assert!(same(of, &mut Vec::new(), &slow, &fast), "{schema}: {slow:?} is not {fast:?}");
        }
        (Err(No::Wrong | No::Segment), Ok(fast)) => panic!("{schema}: podwire takes {bytes:02x?}: {fast}"),
        (Err(No::Opaque), Ok(fast)) => panic!("{schema}: podwire takes what nobody described: {fast}"),
        (Ok(slow), Err(error)) => assert!(is_limit(&error), "{schema}: {error} of {slow:?}"),
        _ => {}
    }
}

/// Compares what both make of bytes that should begin with a message.
///
/// # Panics
/// If they differ.
pub fn on_a_message(bytes: &[u8]) {
    use podwire::message::Message;
    match (message::read(bytes), Message::parse(bytes, LIMITS)) {
        (Ok(slow), Ok((fast, rest))) => {
            assert_eq!((slow.name, slow.packed, slow.rest), (fast.name(), fast.packed(), rest));
            assert_eq!(slow.fingerprint, fast.fingerprint());
            assert_eq!(slow.segments.len(), fast.segments().len());
            let metadata = fast.metadata();
            assert_eq!(slow.metadata.len(), metadata.len());
            for (key, value) in &slow.metadata {
                assert_eq!(metadata.bytes(key), Some(&value[..]), "{key:?}");
            }
            match fast.schema() {
                Ok(found) => assert_eq!(found.is_some(), slow.schema.is_some()),
                Err(error) => {
                    assert!(
                        is_limit(&error) || !message::has_its_schema(&slow),
                        "{error}: {:?}",
                        slow.schema
                    );
                }
            }
        }
        (Err(No::Wrong), Ok(_)) => panic!("podwire takes the message {bytes:02x?}"),
        (Ok(slow), Err(error)) => assert!(is_limit(&error), "{error} of {slow:?}"),
        _ => {}
    }
}

/// Whether both mean the same value.
fn same<'t>(of: &'t Type, open: &mut Vec<&'t Type>, slow: &Value, fast: &Fast) -> bool {
    match (of, slow, fast) {
        (Type::Pointer(inner), ..) => same(inner, open, slow, fast),
        (Type::Up(levels), ..) => {
            let place = open.len() - 1 - levels;
            let inner = open.split_off(place);
            let same = same(inner[0], open, slow, fast);
            open.truncate(place);
            open.extend(inner);
            same
        }
        (Type::Scalar(name), Value::Scalar(bits), fast) => is_scalar(name, *bits, fast),
        (Type::Text, Value::Text(slow), Fast::Text(fast)) => slow == fast,
        (Type::Pod(_), Value::Pod(slow), Fast::Pod(fast)) => slow == fast,
        (
            Type::Sequence(element) | Type::Array(element, _) | Type::Bulk(element),
            Value::Many(slow),
            fast,
        ) => match fast {
            Fast::Sequence(fast) => {
                slow.len() == fast.len() && slow.iter().zip(fast).all(|(a, b)| same(element, open, a, b))
            }
            Fast::Elements(fast) => are_elements(element, open, slow, fast),
            _ => false,
        },
        (Type::Map(key, of), Value::Map(slow), Fast::Map(fast)) => {
            slow.len() == fast.len()
                && slow
                    .iter()
                    .zip(fast)
                    .all(|(a, b)| same(key, open, &a.0, &b.0) && same(of, open, &a.1, &b.1))
        }
        (Type::Option(_), Value::Option(None), Fast::Option(None)) => true,
        (Type::Option(inner), Value::Option(Some(a)), Fast::Option(Some(b))) => same(inner, open, a, b),
        (Type::Struct(fields), Value::Struct(slow), Fast::Struct(fast)) => {
            open.push(of);
            let same = are_fields(fields, open, slow, fast);
            open.pop();
            same
        }
        (Type::Enum(_, variants), Value::Variant(tag, slow), Fast::Variant(fast)) => {
            let Some((name, _, fields)) = variants.iter().find(|(_, known, _)| known == tag) else {
                return false;
            };
            open.push(of);
            let same = fast.variant() == Some(name) && are_fields(fields, open, slow, fast);
            open.pop();
            same
        }
        _ => false,
    }
}

fn are_fields<'t>(
    fields: &'t [schema::Field],
    open: &mut Vec<&'t Type>,
    slow: &[Value],
    fast: &podwire::schema::Record,
) -> bool {
    let names = fields.iter().map(|(name, _)| &**name).eq(fast.fields().map(|(name, _)| name));
    let mut all = fields.iter().zip(slow).zip(fast.values());
    names && slow.len() == fast.values().len() && all.all(|(((_, field), a), b)| same(field, open, a, b))
}

fn are_elements<'t>(element: &'t Type, open: &mut Vec<&'t Type>, slow: &[Value], fast: &Elements) -> bool {
    let mut all = slow.iter().enumerate();
    slow.len() == fast.len()
        && all.all(|(number, a)| fast.get(number).is_some_and(|b| same(element, open, a, &b)))
}

fn is_scalar(name: &str, bits: u128, fast: &Fast) -> bool {
    match fast {
        Fast::Bool(value) => name == "bool" && u128::from(*value) == bits,
        Fast::Char(value) => name == "char" && u128::from(u32::from(*value)) == bits,
        Fast::Unsigned(value) => name.starts_with('u') && *value == bits,
        Fast::Signed(value) => {
            let unused = 128 - 8 * schema::width(name) as u32;
            name.starts_with('i') && (bits << unused) as i128 >> unused == *value
        }
        Fast::F64(value) => name == "f64" && u128::from(value.to_bits()) == bits,
        Fast::F32(value) => match name {
            "f32" => u128::from(value.to_bits()) == bits,
            "f16" => is_small(f64::from(*value), bits, 5, 10),
            "bf16" => is_small(f64::from(*value), bits, 8, 7),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a float is the one of so many bits of exponent and fraction, by what these mean.
fn is_small(value: f64, bits: u128, exponent: u32, fraction: u32) -> bool {
    let sign = if bits >> (exponent + fraction) & 1 == 1 { -1.0 } else { 1.0 };
    let (power, part) = (bits >> fraction & ((1 << exponent) - 1), bits & ((1 << fraction) - 1));
    let bias = (1 << (exponent - 1)) - 1;
    let part_of_one = part as f64 / f64::from(1 << fraction);
    let expected = match power as i32 {
        0 => sign * part_of_one * 2_f64.powi(1 - bias),
        all if all == (1 << exponent) - 1 && part != 0 => f64::NAN,
        all if all == (1 << exponent) - 1 => sign * f64::INFINITY,
        power => sign * (1.0 + part_of_one) * 2_f64.powi(power - bias),
    };
    expected.to_bits() == value.to_bits() || expected.is_nan() && value.is_nan()
}
