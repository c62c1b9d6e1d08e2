//! Hostile cases for derived types; `docs/hostile-cases.md` maps them. The golden bytes are section 1's of
//! `docs/wire-format.md`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use podwire::schema::schema_of;
use podwire::{
    Buffer, Codec, Encode, Error, IoReader, Limits, deserialize_with, encoded_len, from_slice,
    from_slice_with, to_vec,
};

use super::support::golden;

/// The enum of the specification's examples.
#[derive(Debug, Clone, PartialEq, Codec)]
enum E {
    A,
    B(u8, String),
}

#[derive(Debug, Clone, PartialEq, Codec)]
struct Node {
    value: u32,
    next: Option<Box<Node>>,
}

#[derive(Debug, Clone, PartialEq, Codec)]
struct Record {
    id: u32,
    name: String,
    kind: E,
    flags: [bool; 3],
    tags: Vec<String>,
    nested: Option<Box<Record>>,
    extra: BTreeMap<u8, Vec<E>>,
    last: bool,
}

fn record() -> Record {
    let inner = Record {
        id: 1,
        name: "in".into(),
        kind: E::A,
        flags: [true, false, true],
        tags: vec![],
        nested: None,
        extra: BTreeMap::new(),
        last: false,
    };
    Record {
        name: "outer".into(),
        kind: E::B(3, "x".into()),
        tags: vec!["a".into(), String::new()],
        extra: BTreeMap::from([(1, vec![E::A, E::B(1, "y".into())]), (2, vec![])]),
        last: true,
        nested: Some(Box::new(inner.clone())),
        ..inner
    }
}

/// Section 1, "Examples".
#[test]
fn the_enum_of_the_specification() {
    golden(&E::A, &[0]);
    golden(&E::B(3, "x".into()), &[1, 3, 1, 0, 0, 0, b'x']);
    golden(&(E::B(3, "x".into()), 9_u8), &[1, 9, 3, 1, 0, 0, 0, b'x']);
}

/// Section 2: the recursive struct, and its levels.
#[test]
fn the_node_of_the_specification() {
    assert_eq!(schema_of::<Node>().to_string(), "struct{value:u32,next:?*^0}");
    assert_eq!(schema_of::<E>().to_string(), "enum8{A=0{},B=1{0:u8,1:text}}");
    assert_eq!(
        schema_of::<Record>().to_string(),
        "struct{id:u32,name:text,kind:enum8{A=0{},B=1{0:u8,1:text}},flags:[bool;3],tags:[text],nested:?*^0,\
         extra:{u8:[enum8{A=0{},B=1{0:u8,1:text}}]},last:bool}"
    );
}

/// A slice and a stream agree, and what they read has the bytes that it was read from.
fn error_or_value<T: Codec>(bytes: &[u8]) {
    let limits = Limits { bytes: 1 << 20, items: 1_000, depth: 128 };
    let slice = from_slice_with::<T>(bytes, limits);
    let stream = deserialize_with::<T, _>(&mut IoReader(bytes), limits);
    match slice {
        Ok(value) => {
            assert_eq!(encoded_len(&value).unwrap(), bytes.len());
            assert_eq!(to_vec(&stream.unwrap()).unwrap(), to_vec(&value).unwrap());
        }
        Err(Error::TrailingBytes { offset, .. }) => {
            assert_eq!(encoded_len(&stream.unwrap()).unwrap() as u64, offset);
        }
        Err(_) => assert!(stream.is_err()),
    }
}

#[test]
fn case_02_every_prefix_ends_unexpectedly_where_it_ends() {
    let bytes = to_vec(&record()).unwrap();
    for length in 0..bytes.len() {
        for error in [
            from_slice::<Record>(&bytes[..length]).unwrap_err(),
            Record::deserialize(&mut IoReader(&bytes[..length])).unwrap_err(),
            Record::deserialize(&mut Buffer::from(bytes[..length].to_vec())).unwrap_err(),
        ] {
            let Error::UnexpectedEnd { offset, found, .. } = error else { panic!("{error:?}") };
            assert_eq!(offset + found, length as u64, "{error:?}");
        }
    }
}

#[test]
fn case_04_and_05_broken_bytes_are_an_error_or_a_value() {
    let bytes = to_vec(&record()).unwrap();
    for at in 0..bytes.len() {
        let flips = (0..8).map(|bit| bytes[at] ^ (1 << bit));
        for byte in flips.chain([0x00, 0x7F, 0x80, 0xFF]) {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            error_or_value::<Record>(&bytes);
            error_or_value::<Vec<Record>>(&bytes);
            bytes[at..].fill(byte);
            error_or_value::<Record>(&bytes);
        }
    }
}

#[test]
fn case_13_a_derived_list_of_any_depth_is_an_error() {
    // Frames of an unoptimised build are about eight times as large.
    let stack = if cfg!(debug_assertions) { 2 << 20 } else { 256 << 10 };
    for levels in [100, 10_000, 1_000_000] {
        let bytes: Vec<u8> = [7, 0, 0, 0, 1].repeat(levels).into_iter().chain([0; 5]).collect();
        let work = move || {
            [from_slice::<Node>(&bytes).map(drop), Node::deserialize(&mut IoReader(&bytes[..])).map(drop)]
        };
        for result in thread::Builder::new().stack_size(stack).spawn(work).unwrap().join().unwrap() {
            match result {
                Ok(()) => assert_eq!(levels, 100),
                Err(error) => assert!(levels > 100 && matches!(error, Error::DepthLimit { .. }), "{error:?}"),
            }
        }
    }
}

#[test]
fn case_18_an_unknown_tag_is_refused_where_it_stands() {
    for tag in 2..=255_u8 {
        let check = |error: Error, at: u64| {
            let right = matches!(
                error,
                Error::UnknownTag { offset, name: "E", found } if (offset, found) == (at, tag.into())
            );
            assert!(right, "expected {at}: {error:?}");
        };
        check(from_slice::<E>(&[tag]).unwrap_err(), 0);
        check(E::deserialize(&mut IoReader(&[tag][..])).unwrap_err(), 0);
        check(from_slice::<(u16, E)>(&[0, 0, tag]).unwrap_err(), 2);
        check(<(u16, E)>::deserialize(&mut IoReader(&[0, 0, tag][..])).unwrap_err(), 2);
        check(from_slice::<Vec<E>>(&[2, 0, 0, 0, 0, tag]).unwrap_err(), 5);
        check(from_slice::<(String, E)>(&[1, 0, 0, 0, tag, b'x']).unwrap_err(), 4);
        check(<(String, E)>::deserialize(&mut IoReader(&[1, 0, 0, 0, tag, b'x'][..])).unwrap_err(), 4);
    }
}

#[test]
fn case_26_padding_never_reaches_the_wire() {
    #[derive(Debug, Clone, Copy, Codec)]
    #[repr(C)]
    struct Padded {
        a: u8,
        b: u32,
        c: u16,
    }
    // Whatever stood in the memory before: a value among others, and boxed where other bytes were.
    let encoded = |poison: u8| {
        drop(vec![poison; size_of::<Padded>() * 64]);
        let values: Box<[Padded]> = (0..64).map(|_| Padded { a: 1, b: 2, c: 3 }).collect();
        to_vec(&values).unwrap()
    };
    assert_eq!(encoded(0xAA), encoded(0x55));
    assert_eq!(to_vec(&Padded { a: 1, b: 2, c: 3 }).unwrap(), [1, 2, 0, 0, 0, 3, 0]);
    assert_eq!(encoded(0)[4..], [1, 2, 0, 0, 0, 3, 0].repeat(64));
}

#[test]
fn case_28_every_change_of_a_field_changes_the_fingerprint() {
    macro_rules! prints {
        ($($name:ident { $($body:tt)* })+) => {{
            $(
                #[allow(dead_code, reason = "only its schema is of interest")]
                #[derive(Codec)]
                struct $name { $($body)* }
            )+
            vec![$(schema_of::<$name>().fingerprint()),+]
        }};
    }
    let mut prints = prints! {
        Base { a: u8, b: u16 }
        Renamed { a: u8, c: u16 }
        Reordered { b: u16, a: u8 }
        Widened { a: u8, b: u32 }
        Signed { a: i8, b: u16 }
        Removed { a: u8 }
        Added { a: u8, b: u16, c: bool }
        Optional { a: Option<u8>, b: u16 }
        Boxed { a: Box<u8>, b: u16 }
        Many { a: Vec<u8>, b: u16 }
    };
    let count = prints.len();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), count);
    #[allow(dead_code, reason = "only its schema is of interest")]
    #[derive(Codec)]
    struct Another {
        a: u8,
        b: u16,
    }
    let base = prints! { Base { a: u8, b: u16 } };
    assert_eq!(vec![schema_of::<Another>().fingerprint()], base, "the name of the type does not count");
}

thread_local! {
    static ALIVE: Cell<i64> = const { Cell::new(0) };
}

/// One byte, alive from its decoding to its drop. 1 fails, 2 panics.
#[derive(Debug, PartialEq)]
struct Fuse(u8);

impl Drop for Fuse {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

impl Encode for Fuse {
    fn encode(&self, writer: &mut podwire::Writer<'_>) -> podwire::Result<()> {
        writer.encode(&self.0)
    }
}

impl<'de> podwire::Decode<'de> for Fuse {
    fn decode(reader: &mut podwire::Reader<'de>) -> podwire::Result<Self> {
        let byte = reader.decode::<u8>()?;
        match byte {
            1 => return Err(Error::OutOfMemory { bytes: 1 }),
            2 => panic!("decode"),
            _ => ALIVE.set(ALIVE.get() + 1),
        }
        Ok(Self(byte))
    }
}

#[test]
fn case_35_derived_types_drop_what_was_complete_once() {
    #[derive(Debug, Codec)]
    #[allow(dead_code, reason = "only made and dropped")]
    struct Fused {
        a: Fuse,
        number: u16,
        b: Option<Fuse>,
        c: Either,
        d: [Fuse; 2],
    }
    #[derive(Debug, Codec)]
    #[allow(dead_code, reason = "only made and dropped")]
    enum Either {
        None,
        Two(Fuse, Fuse),
        Named { left: Box<Fuse>, right: Fuse },
    }
    std::panic::set_hook(Box::new(|_| {}));
    // Head: number, two tags. Tail: six or seven fuses.
    for bytes in
        [vec![9, 9, 1, 1, 7, 7, 7, 7, 7, 7], vec![9, 9, 1, 2, 7, 7, 7, 7, 7, 7], vec![9, 9, 0, 0, 7, 7, 7]]
    {
        from_slice::<Fused>(&bytes).map(drop).unwrap();
        assert_eq!(ALIVE.get(), 0);
        for at in 4..bytes.len() {
            for fuse in [1, 2] {
                let mut bytes = bytes.clone();
                bytes[at] = fuse;
                let _ = catch_unwind(AssertUnwindSafe(|| from_slice::<Fused>(&bytes).map(drop).unwrap_err()));
                assert_eq!(ALIVE.get(), 0, "{fuse} at {at}");
                let stream = || Fused::deserialize(&mut IoReader(&bytes[..])).map(drop).unwrap_err();
                let _ = catch_unwind(AssertUnwindSafe(stream));
                assert_eq!(ALIVE.get(), 0, "{fuse} at {at}, streamed");
                let twice = [&[2, 0, 0, 0][..], &[9, 9, 0, 0, 7, 7, 7], &bytes].concat();
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    from_slice::<Vec<Fused>>(&twice).map(drop).unwrap_err()
                }));
                assert_eq!(ALIVE.get(), 0, "{fuse} at {at}, in a vector");
            }
        }
    }
    let _ = std::panic::take_hook();
}
