//! Types of every shape that the derive knows, and what is done with bytes that should be one of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use podwire::tensor::{AudioBuffer, TensorMap, VideoBuffer};
use podwire::{
    Blob, Bulk, Codec, Error, IoReader, SharedStr, Tensor, deserialize_with, encoded_len, from_slice_with,
    to_vec,
};

use crate::agree::{self, LIMITS};

/// Numbers, text and runs of plain data between them.
#[derive(Debug, PartialEq, Codec)]
pub struct Record {
    id: u32,
    name: String,
    kind: Kind,
    flags: [bool; 3],
    tags: Vec<String>,
    nested: Option<Box<Record>>,
    extra: BTreeMap<u8, Vec<Kind>>,
    letter: char,
    last: bool,
}

/// Variants of every form.
#[derive(Debug, PartialEq, Codec)]
#[codec(tag(u16))]
pub enum Kind {
    Unit,
    One(String),
    #[codec(tag = 300)]
    Two(u8, Option<u16>),
    Named {
        left: f32,
        right: Option<Arc<str>>,
        pair: (i128, [u16; 2]),
    },
    Deep(Box<Kind>),
}

/// A struct whose memory is its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Codec)]
#[codec(trivial)]
#[repr(C)]
pub struct Point {
    x: f32,
    y: f32,
    id: u64,
}

/// Another, with patterns that are no values.
#[derive(Debug, Clone, Copy, PartialEq, Codec)]
#[repr(C)]
pub struct Checked {
    on: bool,
    mode: Mode,
    count: u16,
    letter: char,
}

/// An enum without fields, which moves in bulk.
#[derive(Debug, Clone, Copy, PartialEq, Codec)]
#[repr(u8)]
pub enum Mode {
    Slow,
    Fast,
    #[codec(tag = 200)]
    Odd,
}

/// Parameters, and codecs behind them.
#[derive(Debug, PartialEq, Codec)]
pub struct Generic<T, const N: usize> {
    all: [T; N],
    some: Option<T>,
    more: VecDeque<T>,
    #[codec(skip)]
    cache: u64,
}

/// What only lends.
#[derive(Debug, PartialEq, Codec)]
pub struct Lent<'a> {
    text: &'a str,
    bytes: &'a [u8],
    #[codec(borrow)]
    either: Cow<'a, [u16]>,
    last: u8,
}

/// Memory that is shared.
#[derive(Debug, Codec)]
pub struct Shared {
    name: SharedStr,
    blob: Blob,
    pixels: Bulk<u16>,
    stamps: Bulk<i64>,
}

/// A tree.
#[derive(Debug, PartialEq, Codec)]
pub struct Tree {
    value: u16,
    children: Vec<Tree>,
}

macro_rules! each {
    ($($number:literal: $type:ty $(, $sets:literal)?;)+) => {
        /// How many types there are.
        pub const COUNT: u8 = [$($number),+].len() as u8;

        /// Compares podwire with the slow reader on the type of a number.
        pub fn compare(number: u8, bytes: &[u8]) {
            match number % COUNT {
                $($number => agree::on_a_type::<$type>(bytes, false $(|| $sets)?),)+
                _ => {}
            }
        }

        /// Reads bytes as the type of a number, from a slice and from a stream.
        pub fn both(number: u8, bytes: &[u8]) {
            match number % COUNT {
                $($number => slice_and_stream::<$type>(bytes),)+
                _ => {}
            }
        }

        /// The schema of the type of a number.
        pub fn schema(number: u8) -> podwire::schema::Schema {
            match number % COUNT {
                $($number => podwire::schema::schema_of::<$type>(),)+
                _ => podwire::schema::schema_of::<()>(),
            }
        }
    };
}

each! {
    0: Record;
    1: Kind;
    2: Vec<Record>;
    3: Vec<Point>;
    4: Vec<Checked>;
    5: Generic<u32, 3>;
    6: Generic<String, 2>;
    7: Shared;
    8: Tree;
    9: HashMap<String, Vec<u16>>;
    10: BTreeMap<(u8, bool), Tree>;
    11: BTreeSet<u16>, true;
    12: HashSet<String>, true;
    13: (Option<NonZero<u16>>, Duration, Result<u8, String>, SocketAddr);
    14: Vec<Vec<bool>>;
    15: Arc<[char]>;
    16: Vec<()>;
    17: Tensor;
    18: TensorMap;
    19: VideoBuffer;
    20: AudioBuffer;
    21: [Option<String>; 4];
    22: Vec<(u8, u32)>;
    23: (Vec<u128>, Vec<Mode>, Vec<f64>);
    24: Generic<Generic<Option<Point>, 1>, 2>;
    25: Box<[Kind]>;
}

/// A slice and a stream agree, and what they read takes as many bytes as it was read from.
fn slice_and_stream<T: Codec>(bytes: &[u8]) {
    let slice = from_slice_with::<T>(bytes, LIMITS);
    let stream = deserialize_with::<T, _>(&mut IoReader(bytes), LIMITS);
    match (slice, stream) {
        (Ok(one), Ok(other)) => {
            assert_eq!(encoded_len(&one).unwrap(), bytes.len());
            assert_eq!(to_vec(&one).unwrap().len(), to_vec(&other).unwrap().len());
        }
        (Err(Error::TrailingBytes { offset, .. }), Ok(other)) => {
            assert_eq!(encoded_len(&other).unwrap() as u64, offset);
        }
        (Err(_), Err(_)) => {}
        // Memory that grows in steps is charged for its steps.
        (_, Err(Error::ByteLimit { .. })) => {}
        (slice, stream) => panic!("slice {:?}, stream {:?}", slice.map(drop), stream.map(drop)),
    }
}

/// Reads what lends: its text and bytes lie within the input.
pub fn lend(bytes: &[u8]) {
    let Ok(lent) = from_slice_with::<Lent<'_>>(bytes, LIMITS) else { return };
    let within = |part: &[u8]| part.is_empty() || bytes.as_ptr_range().contains(&part.as_ptr());
    assert!(within(lent.text.as_bytes()) && within(lent.bytes));
    assert_eq!(to_vec(&lent).unwrap(), bytes);
}
