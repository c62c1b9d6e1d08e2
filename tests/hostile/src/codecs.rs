//! Every kind of type that has a codec, registered: those of the standard library, of other crates, and a type for each
//! attribute and shape of the derive.
//!
//! The run takes its list from the registry, where the pre-registered types stand as well; what is registered here is
//! attacked without being named anywhere else.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroI16, NonZeroU64, Wrapping};
use std::ops::{Range, RangeInclusive, RangeTo};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::{Duration, SystemTime};

use podwire::schema::{Node, Schema, SchemaBuilder};
use podwire::{Blob, Bulk, Codec, Decode, Encode, Reader, Result, SharedStr, Writer, register_codec};

/// Registers types under the names that Rust has for them.
macro_rules! register {
    ($($type:ty;)+) => {$( register_codec!($type, concat!("hostile::", stringify!($type))); )+};
}

register! {
    ();
    (u8, String, Option<u16>);
    usize;
    isize;
    Wrapping<u32>;
    Reverse<i16>;
    NonZeroU64;
    Ordering;
    Duration;
    SystemTime;
    IpAddr;
    SocketAddr;
    PathBuf;
    Schema;
    Range<u32>;
    RangeInclusive<String>;
    RangeTo<i64>;
    PhantomData<u8>;
    AtomicBool;
    AtomicU32;
    Box<str>;
    Box<u64>;
    Box<[u16]>;
    Box<[String]>;
    Box<()>;
    Arc<str>;
    Arc<[u32]>;
    SharedStr;
    Blob;
    Bulk<u8>;
    Bulk<f64>;
    BTreeMap<u16, String>;
    BTreeMap<String, BTreeMap<u8, u8>>;
    HashMap<u32, Vec<u8>>;
    HashMap<(), u8>;
    BTreeSet<u32>;
    HashSet<String>;
    VecDeque<u16>;
    BinaryHeap<u8>;
}

register_codec!(Option<u8>, "hostile::Option<u8>");
register_codec!(Option<Option<String>>, "hostile::Option<Option<String>>");
register_codec!(Option<[u64; 100]>, "hostile::Option<[u64; 100]>");
register_codec!(Vec<Option<[u64; 100]>>, "hostile::Vec<Option<[u64; 100]>>");
register_codec!(Vec<(bool, u16)>, "hostile::Vec<(bool, u16)>");
register_codec!(Vec<()>, "hostile::Vec<()>");
register_codec!(Vec<Box<()>>, "hostile::Vec<Box<()>>");
register_codec!(Vec<SharedStr>, "hostile::Vec<SharedStr>");
register_codec!(Vec<Bulk<u16>>, "hostile::Vec<Bulk<u16>>");
register_codec!(Vec<char>, "hostile::Vec<char>");
register_codec!(Vec<NonZeroI16>, "hostile::Vec<NonZeroI16>");
register_codec!(Vec<Vec<Vec<Vec<u8>>>>, "hostile::Vec<Vec<Vec<Vec<u8>>>>");
register_codec!(Vec<BTreeSet<String>>, "hostile::Vec<BTreeSet<String>>");
register_codec!([String; 3], "hostile::[String; 3]");
register_codec!([[u16; 4]; 3], "hostile::[[u16; 4]; 3]");
register_codec!(std::result::Result<u32, String>, "hostile::Result<u32, String>");
register_codec!(glam::Vec3, "hostile::glam::Vec3");
register_codec!(Vec<glam::Vec3>, "hostile::Vec<glam::Vec3>");

#[cfg(feature = "interop")]
mod interop {
    use super::register_codec;

    register! {
        bytes::Bytes;
        bytes::BytesMut;
        chrono::DateTime<chrono::Utc>;
        chrono::DateTime<chrono::FixedOffset>;
        chrono::NaiveDate;
        chrono::NaiveTime;
        chrono::TimeDelta;
        glam::Mat4;
        glam::Affine3A;
        half::f16;
        indexmap::IndexMap<String, u16>;
        indexmap::IndexSet<u32>;
        ndarray::Array2<f32>;
        ndarray::ArrayD<String>;
        ndarray::ArcArray1<u8>;
        smallvec::SmallVec<[u16; 4]>;
        smallvec::SmallVec<[String; 1]>;
        uuid::Uuid;
    }
    register_codec!(Vec<half::bf16>, "hostile::Vec<half::bf16>");
}

/// A struct of every kind of field.
#[derive(Codec)]
#[codec(register)]
struct Fields {
    flag: bool,
    letter: char,
    number: u128,
    text: String,
    list: Vec<Option<(u16, String)>>,
    table: HashMap<String, Vec<u8>>,
    sorted: BTreeMap<u32, Variants>,
    array: [Variants; 2],
    point: glam::Vec3,
    points: Vec<glam::Vec3>,
    bulk: Bulk<f32>,
    inner: Box<Plain>,
}

/// An enum of every kind of variant.
#[derive(Codec)]
#[codec(register)]
enum Variants {
    Unit,
    Newtype(String),
    Tuple(u8, bool, Option<String>),
    Struct { at: (i64, i64), name: Option<String> },
    Empty {},
}

/// Tags of two bytes, with gaps, and names of their own.
#[derive(Codec)]
#[codec(name = "hostile::Tags", tag(u16))]
enum Tags {
    #[codec(tag = 7)]
    Seven,
    #[codec(tag = 65_535, rename = "a last one")]
    Last(#[codec(rename = "as text")] String),
    #[codec(tag = 300)]
    Many { of: Vec<Tags> },
}

#[derive(Codec)]
#[codec(register, tag(u32))]
enum Wide {
    A,
    B(u8),
}

/// Without padding, so that a vector of it moves as one copy.
#[derive(Codec, Clone, Copy)]
#[codec(register)]
struct Plain {
    x: f32,
    y: u32,
}

/// With padding, and bits that are no value.
#[derive(Codec, Clone, Copy)]
#[codec(register)]
struct Padded {
    small: u8,
    flag: bool,
    large: u64,
    letter: char,
}

/// A promise.
#[derive(Codec, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
#[codec(register, trivial)]
struct Promised {
    time: u32,
    value: f32,
}

/// Plain data of another crate, as it may be a field.
#[derive(Clone, Copy, bytemuck::CheckedBitPattern, bytemuck::NoUninit)]
#[repr(u8)]
#[allow(dead_code, reason = "made from bytes")]
enum Foreign {
    Off,
    On,
}

/// Every attribute of a field.
#[derive(Codec)]
#[codec(register, bound(), crate = podwire)]
pub(crate) struct Attributes {
    #[codec(pod)]
    as_bytes: [u16; 3],
    found: Foreign,
    founds: Vec<Foreign>,
    #[codec(skip)]
    _cache: Vec<u8>,
    #[codec(skip, default = seven)]
    _seven: u8,
    #[codec(with = milliseconds)]
    after: Duration,
    #[codec(rename = "the end")]
    end: Option<Tags>,
}

fn seven() -> u8 {
    7
}

mod milliseconds {
    use super::{Duration, Reader, Result, Writer};

    pub(super) fn encode(value: &Duration, writer: &mut Writer<'_>) -> Result<()> {
        writer.encode(&(value.as_millis() as u64))
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Duration> {
        Ok(Duration::from_millis(reader.decode()?))
    }
}

impl Attributes {
    /// A value: what stands in `after` is opaque, so that none can be made from the schema.
    pub(crate) fn sample() -> Self {
        Self {
            as_bytes: [1, 2, 3],
            found: Foreign::On,
            founds: vec![Foreign::Off, Foreign::On],
            _cache: vec![],
            _seven: 7,
            after: Duration::from_millis(5),
            end: Some(Tags::Many { of: vec![Tags::Seven, Tags::Last("x".into())] }),
        }
    }
}

/// A codec that is written by hand, and describes itself as what it writes.
pub(crate) struct ByHand(u32, String);

impl Encode for ByHand {
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        writer.write_trivial_type(&self.0)?;
        writer.encode(&self.1)
    }

    fn schema(_: &mut SchemaBuilder) -> Node {
        Node::Opaque
    }
}

impl<'de> Decode<'de> for ByHand {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        Ok(Self(reader.read_trivial_type()?, reader.decode()?))
    }
}

impl ByHand {
    pub(crate) fn sample() -> Self {
        Self(7, "seven".into())
    }
}

register_codec!(ByHand, "hostile::ByHand");

/// Contains itself in every way.
#[derive(Codec)]
#[codec(register)]
struct Tree {
    name: String,
    children: Vec<Tree>,
    next: Option<Box<Tree>>,
    named: BTreeMap<u8, Tree>,
}

#[derive(Codec)]
#[codec(register)]
struct Chain {
    value: u32,
    next: Option<Box<Chain>>,
}

/// Takes little of the input for each level, and much memory.
#[derive(Codec)]
#[codec(register)]
struct Broad {
    wide: Option<[u64; 20]>,
    children: Vec<Broad>,
}

#[derive(Codec)]
#[codec(register)]
enum Expression {
    Number(f64),
    Negative(Box<Expression>),
    Sum(Vec<Expression>),
    Both(Arc<(Expression, Expression)>),
}

#[derive(Codec)]
struct Page<T> {
    items: Vec<T>,
    more: bool,
}

register_codec!(Page<Plain>, "hostile::Page<Plain>");
register_codec!(Page<Variants>, "hostile::Page<Variants>");
register_codec!(Vec<Plain>, "hostile::Vec<Plain>");
register_codec!(Vec<Padded>, "hostile::Vec<Padded>");
register_codec!(Bulk<Promised>, "hostile::Bulk<Promised>");

/// What [`Borrowed`] is when it owns its parts: of the same schema.
#[derive(Codec)]
#[codec(register)]
pub(crate) struct Owned {
    text: String,
    bytes: Vec<u8>,
    numbers: Vec<u32>,
    perhaps: Option<String>,
    either: Vec<u64>,
}

/// Borrows from its input, which the registry cannot.
#[derive(Codec)]
pub(crate) struct Borrowed<'a> {
    pub(crate) text: &'a str,
    pub(crate) bytes: &'a [u8],
    pub(crate) numbers: Cow<'a, [u32]>,
    pub(crate) perhaps: Option<&'a str>,
    pub(crate) either: &'a [u64],
}
