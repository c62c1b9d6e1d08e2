//! Depth: hostile cases 13 and 14. Nesting that no value should have is a typed error on a small stack.

mod common;

use std::collections::BTreeMap;
use std::thread;

use common::{List, Tree};
use podwire_codec_core::schema::{Node, SchemaBuilder};
use podwire_codec_core::{
    Buffer, Codec, Decode, Encode, Error, IoReader, Limits, Reader, Result, Writer, encoded_len, from_slice,
    from_slice_with, to_vec,
};

/// Frames of an unoptimised build are larger: 4 to 9 KiB for each level, against 0.2 to 1.1 KiB.
const FRAMES: usize = if cfg!(debug_assertions) { 8 } else { 1 };

/// Runs on a thread with a stack of so many KiB, in an optimised build; a stack that overflows ends the process.
fn on_stack<R: Send + 'static>(kib: usize, work: impl FnOnce() -> R + Send + 'static) -> R {
    thread::Builder::new().stack_size(kib * FRAMES * 1024).spawn(work).unwrap().join().unwrap()
}

fn at_depth(depth: u32) -> Limits {
    Limits { depth, ..Limits::default() }
}

/// Every way of nesting that a type has: through a box, a vector, and a map.
#[derive(Debug, PartialEq)]
enum Any {
    Leaf(u8),
    Boxed(Box<Any>),
    Many(Vec<Any>),
    Named(BTreeMap<u8, Any>),
}

impl Encode for Any {
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        match self {
            Self::Leaf(value) => writer.encode(&(0_u8, value)),
            Self::Boxed(value) => writer.encode(&(1_u8, value)),
            Self::Many(values) => writer.encode(&(2_u8, values)),
            Self::Named(values) => writer.encode(&(3_u8, values)),
        }
    }

    fn schema(_: &mut SchemaBuilder) -> Node {
        Node::Opaque
    }
}

impl<'de> Decode<'de> for Any {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        Ok(match reader.decode::<u8>()? {
            0 => Self::Leaf(reader.decode()?),
            1 => Self::Boxed(reader.decode()?),
            2 => Self::Many(reader.decode()?),
            3 => Self::Named(reader.decode()?),
            found => {
                return Err(Error::UnknownTag {
                    offset: reader.offset() - 1,
                    name: "Any",
                    found: found.into(),
                });
            }
        })
    }
}

/// Bytes of so many levels, each through the next kind of container, and a leaf.
fn mixed(levels: usize) -> Vec<u8> {
    let kinds: [&[u8]; 3] = [&[1], &[2, 1, 0, 0, 0], &[3, 1, 0, 0, 0, 9]];
    (0..levels).flat_map(|level| kinds[level % 3]).copied().chain([0, 7]).collect()
}

#[test]
fn case_13_the_default_depth_is_exactly_128() {
    on_stack(1024, || {
        assert_eq!(from_slice::<List>(&List::bytes(128)).unwrap(), List::of(128));
        assert!(matches!(from_slice::<List>(&List::bytes(129)), Err(Error::DepthLimit { .. })));
        from_slice::<Tree>(&Tree::bytes(128)).unwrap();
        assert!(matches!(from_slice::<Tree>(&Tree::bytes(129)), Err(Error::DepthLimit { .. })));
        from_slice::<Any>(&mixed(128)).unwrap();
        assert!(matches!(from_slice::<Any>(&mixed(129)), Err(Error::DepthLimit { .. })));
    });
}

#[test]
fn case_13_any_depth_is_an_error_on_a_stack_of_256_kib() {
    for levels in [100, 10_000, if cfg!(miri) { 20_000 } else { 1_000_000 }] {
        let (list, tree, mixed) = (List::bytes(levels), Tree::bytes(levels), mixed(levels));
        let results = on_stack(256, move || {
            [
                from_slice::<List>(&list).map(drop),
                List::deserialize(&mut IoReader(&list[..])).map(drop),
                List::deserialize(&mut Buffer::from(list)).map(drop),
                from_slice::<Tree>(&tree).map(drop),
                Tree::deserialize(&mut IoReader(&tree[..])).map(drop),
                from_slice::<Any>(&mixed).map(drop),
                Any::deserialize(&mut IoReader(&mixed[..])).map(drop),
            ]
        });
        for result in results {
            match result {
                Ok(()) => assert_eq!(levels, 100),
                Err(error) => assert!(levels > 100 && matches!(error, Error::DepthLimit { .. }), "{error:?}"),
            }
        }
    }
}

#[test]
fn case_13_the_full_default_depth_fits_a_stack_of_256_kib() {
    let (list, tree, mixed) = (List::bytes(128), Tree::bytes(128), mixed(128));
    on_stack(256, move || {
        for list in [from_slice::<List>(&list).unwrap(), List::deserialize(&mut IoReader(&list[..])).unwrap()]
        {
            assert_eq!(to_vec(&list).unwrap(), List::bytes(128));
        }
        let tree = Tree::deserialize(&mut IoReader(&tree[..])).unwrap();
        assert_eq!(to_vec(&tree).unwrap(), Tree::bytes(128));
        let value = Any::deserialize(&mut IoReader(&mixed[..])).unwrap();
        assert_eq!(to_vec(&value).unwrap(), mixed);
    });
}

#[test]
fn case_13_a_lowered_depth_fits_a_stack_of_64_kib() {
    let (list, tree, mixed) = (List::bytes(100_000), Tree::bytes(100_000), mixed(100_000));
    on_stack(64, move || {
        let limits = at_depth(16);
        let errors = [
            from_slice_with::<List>(&list, limits).unwrap_err(),
            podwire_codec_core::deserialize_with::<List, _>(&mut IoReader(&list[..]), limits).unwrap_err(),
            from_slice_with::<Tree>(&tree, limits).unwrap_err(),
            from_slice_with::<Any>(&mixed, limits).unwrap_err(),
        ];
        assert!(errors.iter().all(|error| matches!(error, Error::DepthLimit { .. })), "{errors:?}");
        from_slice_with::<List>(&List::bytes(16), limits).unwrap();
    });
}

#[test]
fn case_13_a_value_that_is_too_deep_is_not_written() {
    let mut deep = List::of(if cfg!(miri) { 1_000 } else { 100_000 });
    assert!(matches!(to_vec(&deep), Err(Error::DepthLimit { .. })));
    assert!(matches!(encoded_len(&deep), Err(Error::DepthLimit { .. })));
    // Taken apart from the front: dropping it whole would be as deep as it is.
    while let Some(next) = deep.next.take() {
        deep = *next;
    }
}

#[test]
fn case_14_a_half_decoded_value_at_the_limit_is_dropped() {
    for levels in [126, 127, 128, 129, 130] {
        let whole = List::bytes(levels);
        let trees = Tree::bytes(levels);
        on_stack(256, move || {
            // The limit, and every way in which the innermost levels can be broken.
            for cut in 0..6 {
                from_slice::<List>(&whole[..whole.len() - cut]).map(drop).err();
                from_slice::<Tree>(&trees[..trees.len() - cut]).map(drop).err();
                let mut bad = whole.clone();
                let last = bad.len() - 1 - cut;
                bad[last] = 9;
                from_slice::<List>(&bad).map(drop).err();
            }
        });
    }
}

/// Siblings do not add up: a wide value is not a deep one.
#[test]
fn case_13_width_is_not_depth() {
    let wide = Any::Many((0..300).map(|value| Any::Boxed(Box::new(Any::Leaf(value as u8)))).collect());
    let bytes = to_vec(&wide).unwrap();
    assert_eq!(from_slice_with::<Any>(&bytes, at_depth(2)).unwrap(), wide);
    assert!(matches!(from_slice_with::<Any>(&bytes, at_depth(1)), Err(Error::DepthLimit { .. })));
}
