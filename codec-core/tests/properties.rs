//! Properties that hold for any value, and for any bytes: round trips across all endpoints, prefixes, and the
//! arithmetic of lengths.
//!
//! `PROPTEST_CASES=10000 cargo test -p podwire-codec-core --test properties` looks longer.

mod common;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;

use common::{Chunks, Drip, List, Queue, Tree};
use podwire_codec_core::endpoint::Capabilities;
use podwire_codec_core::message::{self, Message, Metadata};
use podwire_codec_core::{
    Buffer, Bulk, Codec, Counter, Error, Gather, IoReader, IoWriter, Limits, Reader, SliceReader,
    SliceWriter, deserialize_with, encoded_len, from_prefix, from_slice, from_slice_with, serialize, to_vec,
};
use proptest::collection::{btree_map, btree_set, hash_map, hash_set, vec};
use proptest::option;
use proptest::prelude::*;

/// Few cases by default, so that the whole file takes seconds.
fn config() -> ProptestConfig {
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default().cases,
        None if cfg!(miri) => 2,
        None => 32,
    };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// The value goes through every endpoint, and every proper prefix of its bytes is refused.
fn round<T: Codec + PartialEq + Debug>(value: &T, canonical: bool) -> Result<(), TestCaseError> {
    let bytes = to_vec(value).unwrap();
    prop_assert_eq!(encoded_len(value).unwrap(), bytes.len());
    prop_assert_eq!(&from_slice::<T>(&bytes).unwrap(), value);
    let again = to_vec(&from_slice::<T>(&bytes).unwrap()).unwrap();
    prop_assert!(!canonical || again == bytes);

    let followed = [&bytes[..], &[0xFF; 9]].concat();
    let (back, rest) = from_prefix::<T>(&followed).unwrap();
    prop_assert_eq!((&back, rest.len()), (value, 9));
    let trailing = matches!(from_slice::<T>(&followed), Err(Error::TrailingBytes { count: 9, .. }));
    prop_assert!(trailing);

    let mut counter = Counter::new(Capabilities::INLINE);
    serialize(value, &mut counter).unwrap();
    prop_assert_eq!(counter.packed, bytes.len() as u64);

    let mut buffer = Buffer::new();
    serialize(value, &mut buffer).unwrap();
    serialize(value, &mut buffer).unwrap();
    prop_assert_eq!(&T::deserialize(&mut buffer).unwrap(), value);
    prop_assert_eq!(&T::deserialize(&mut buffer).unwrap(), value);
    prop_assert!(buffer.as_slice().is_empty());

    let mut vector = Vec::new();
    serialize(value, &mut vector).unwrap();
    prop_assert_eq!(&T::deserialize(&mut vector).unwrap(), value);

    let mut gather = Gather::new();
    serialize(value, &mut gather).unwrap();
    prop_assert_eq!(&T::deserialize(&mut gather).unwrap(), value);

    let mut written = Vec::new();
    serialize(value, &mut IoWriter(&mut written)).unwrap();
    prop_assert!(!canonical || written == bytes);
    let mut reader = IoReader(&followed[..]);
    prop_assert_eq!(&T::deserialize(&mut reader).unwrap(), value);
    prop_assert_eq!(reader.0.len(), 9);
    let mut drip = IoReader(Drip::new(&followed));
    prop_assert_eq!(&T::deserialize(&mut drip).unwrap(), value);
    prop_assert_eq!(drip.0.rest.len(), 9);

    let mut queue = Queue::default();
    serialize(value, &mut queue).unwrap();
    prop_assert_eq!(&T::deserialize(&mut queue).unwrap(), value);
    prop_assert!(queue.0.is_empty());
    for window in [1, 2, 3, 7, 100] {
        let mut chunks = Chunks { rest: &followed, window };
        prop_assert_eq!(&T::deserialize(&mut chunks).unwrap(), value);
        prop_assert_eq!(chunks.rest.len(), 9);
    }

    let mut memory = vec![0xAA; bytes.len()];
    serialize(value, &mut SliceWriter::new(&mut memory)).unwrap();
    prop_assert!(!canonical || memory == bytes);
    prop_assert_eq!(&T::deserialize(&mut SliceReader::new(&memory)).unwrap(), value);

    for length in (0..bytes.len()).step_by(1 + bytes.len() / 50) {
        let ended = matches!(from_slice::<T>(&bytes[..length]), Err(Error::UnexpectedEnd { .. }));
        prop_assert!(ended);
        prop_assert!(T::deserialize(&mut IoReader(&bytes[..length])).is_err());
        prop_assert!(serialize(value, &mut SliceWriter::new(&mut memory[..length])).is_err());
    }

    // A field between others is what it is alone, between other heads.
    let between = to_vec(&(7_u8, value, 9_u16)).unwrap();
    prop_assert_eq!(between.len(), bytes.len() + 3);
    let (a, back, b) = from_slice::<(u8, T, u16)>(&between).unwrap();
    prop_assert_eq!((a, &back, b), (7, value, 9));

    message::write("property", 1, &Metadata::new(), &mut buffer, |writer| writer.encode(value)).unwrap();
    let message = Message::read(&mut buffer, Limits::default()).unwrap();
    prop_assert_eq!(&message.value::<T>(&mut buffer, Limits::default()).unwrap(), value);
    Ok(())
}

/// Names a property: any value of this strategy makes the round.
macro_rules! rounds {
    ($($canonical:literal $name:ident: $strategy:expr;)+) => {$(
        #[test]
        fn $name() {
            proptest!(config(), |(value in $strategy)| round(&value, $canonical)?);
        }
    )+};
}

/// Strings of every short length, ASCII and not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        vec(32_u8..127, 0..80).prop_map(|bytes| String::from_utf8(bytes).expect("ASCII")),
        vec(any::<char>(), 0..20).prop_map(|characters| characters.into_iter().collect()),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = text().prop_map(|name| Tree { name, children: vec![] });
    leaf.prop_recursive(4, 20, 4, |inner| {
        (text(), vec(inner, 0..4)).prop_map(|(name, children)| Tree { name, children })
    })
}

rounds! {
    true numbers_come_back: any::<(u8, i16, u32, i64, u128, i128)>();
    true sizes_bools_and_chars_come_back: any::<(usize, isize, bool, char)>();
    true finite_floats_come_back: (-1e30_f32..1e30, -1e300_f64..1e300);
    true text_comes_back: (text(), text(), text());
    true vectors_of_numbers_come_back: (vec(any::<u8>(), 0..600), vec(any::<u64>(), 0..600), vec(any::<i16>(), 0..9));
    true vectors_of_checked_values_come_back: (vec(any::<bool>(), 0..6_000), vec(any::<char>(), 0..300));
    true vectors_of_padded_tuples_come_back: vec(any::<(u8, u32, bool, u16)>(), 0..700);
    true vectors_of_text_come_back: vec(text(), 0..60);
    true nested_vectors_come_back: vec(vec(vec(any::<u16>(), 0..4), 0..4), 0..6);
    true nested_options_come_back: vec(option::of(option::of(any::<u32>())), 0..40);
    true options_of_text_come_back: (option::of(text()), any::<u8>(), option::of(vec(text(), 0..3)));
    true arrays_come_back: (any::<[u32; 3]>(), [text(), text()], [option::of(text()), option::of(text())]);
    true vectors_of_arrays_come_back: vec([text(), text(), text()], 0..9);
    true wide_tuples_come_back: (any::<u8>(), text(), any::<bool>(), vec(any::<f32>().prop_filter("no NaN", |f| !f.is_nan()), 0..9),
        option::of(any::<char>()), any::<u64>(), text(), any::<[i32; 5]>());
    true deep_tuples_come_back: ((any::<u8>(), (text(), (any::<bool>(), text()))), ((text(), any::<u16>()), any::<u8>()));
    true boxes_come_back: (any::<u16>().prop_map(Box::new), text().prop_map(|text| Box::new(Box::new(text))),
        vec(any::<u8>().prop_map(Box::new), 0..9));
    true boxed_slices_come_back: (vec(any::<u32>(), 0..30).prop_map(Vec::into_boxed_slice), text().prop_map(String::into_boxed_str));
    true trees_come_back: tree();
    true lists_come_back: (0..100_usize).prop_map(List::of);
    true nothings_come_back: (vec(Just(()), 0..50), Just(()), option::of(Just(())));
    true large_heads_come_back: (any::<[[[u64; 32]; 2]; 2]>(), text());
    true bulk_comes_back: (vec(any::<u16>(), 0..5_000).prop_map(Bulk::from), text());
    false sorted_maps_come_back: (btree_map(text(), any::<u32>(), 0..20), btree_set(any::<i64>(), 0..50));
    false hash_maps_come_back: (hash_map(any::<u32>(), text(), 0..20), hash_set(text(), 0..20));
    false maps_of_maps_come_back: btree_map(any::<u8>(), hash_map(text(), vec(option::of(any::<u16>()), 0..4), 0..4), 0..5);
    false vectors_of_sets_come_back: vec(btree_set(text(), 0..4), 0..6);
}

#[test]
fn floats_keep_any_bits() {
    proptest!(config(), |(bits in vec(any::<u64>(), 0..50), more in vec(any::<u32>(), 0..50))| {
        let wide: Vec<f64> = bits.iter().copied().map(f64::from_bits).collect();
        let narrow: Vec<f32> = more.iter().copied().map(f32::from_bits).collect();
        let bytes = to_vec(&(&wide, &narrow)).unwrap();
        let (wide, narrow) = from_slice::<(Vec<f64>, Vec<f32>)>(&bytes).unwrap();
        prop_assert!(wide.iter().map(|value| value.to_bits()).eq(bits));
        prop_assert!(narrow.iter().map(|value| value.to_bits()).eq(more));
    });
}

#[test]
fn borrowed_values_are_the_owned_ones_and_lie_in_the_input() {
    proptest!(config(), |(text in text(), numbers in vec(any::<u8>(), 0..100), wide in vec(any::<u32>(), 0..40), shift in 0..16_usize)| {
        let bytes = to_vec(&(&text, &numbers, &wide)).unwrap();
        let memory = [&vec![0; shift][..], &bytes].concat();
        let input = &memory[shift..];
        let (a, b, c) = from_slice::<(&str, &[u8], Cow<'_, [u32]>)>(input).unwrap();
        prop_assert_eq!((a, b, &c[..]), (&text[..], &numbers[..], &wide[..]));
        prop_assert!(a.is_empty() || input.as_ptr_range().contains(&a.as_ptr()));
        prop_assert!(b.is_empty() || input.as_ptr_range().contains(&b.as_ptr()));
        if let Cow::Borrowed(slice) = c {
            prop_assert!(slice.is_empty() || input.as_ptr_range().contains(&slice.as_ptr().cast()));
        }
        let (a, b) = from_prefix::<(Cow<'_, str>, Cow<'_, [u8]>)>(&to_vec(&(&text, &numbers)).unwrap()).map(|((a, b), _)| (a.into_owned(), b.into_owned())).unwrap();
        prop_assert_eq!((a, b), (text, numbers));
    });
}

#[test]
fn large_buffers_travel_beside_the_value_unmoved() {
    proptest!(config(), |(small in vec(any::<u16>(), 0..40), large in vec(any::<u64>(), 600..900), text in text())| {
        let value = (Bulk::from(small), text, Bulk::from(large));
        let mut gather = Gather::new();
        message::write("bulk", 0, &Metadata::new(), &mut gather, |writer| writer.encode(&value)).unwrap();
        prop_assert_eq!(gather.segments().len(), 1);
        prop_assert!(gather.packed().len() < 4_096);
        let message = Message::read(&mut gather, Limits::default()).unwrap();
        let back = message.value::<(Bulk<u16>, String, Bulk<u64>)>(&mut gather, Limits::default()).unwrap();
        prop_assert_eq!(&back, &value);
        prop_assert!(std::ptr::eq(&*back.2, &*value.2));
    });
}

#[test]
fn any_bytes_are_an_error_or_a_value_for_any_type() {
    let limits = Limits { bytes: 1 << 20, items: 4_096, depth: 32 };
    fn tried<T: Codec>(bytes: &[u8], limits: Limits) -> Result<(), TestCaseError> {
        if let Ok(value) = from_slice_with::<T>(bytes, limits) {
            let again = to_vec(&value).unwrap();
            prop_assert_eq!(again.len(), bytes.len());
        }
        if let Ok(value) = deserialize_with::<T, _>(&mut IoReader(Drip::new(bytes)), limits) {
            prop_assert!(to_vec(&value).unwrap().len() <= bytes.len());
        }
        deserialize_with::<T, _>(&mut Queue::from(bytes), limits).map(drop).err();
        Ok(())
    }
    // Small numbers as often as any, so that lengths and tags are sometimes right.
    let bytes = vec(prop_oneof![0..4_u8, any::<u8>()], 0..60);
    proptest!(config(), |(bytes in bytes)| {
        tried::<String>(&bytes, limits)?;
        tried::<Vec<u8>>(&bytes, limits)?;
        tried::<Vec<(bool, u16)>>(&bytes, limits)?;
        tried::<Vec<String>>(&bytes, limits)?;
        tried::<Vec<Option<Box<str>>>>(&bytes, limits)?;
        tried::<(String, Option<char>, Vec<Vec<u8>>)>(&bytes, limits)?;
        tried::<[Option<String>; 3]>(&bytes, limits)?;
        tried::<BTreeMap<u8, Vec<u8>>>(&bytes, limits)?;
        tried::<HashMap<String, u16>>(&bytes, limits)?;
        tried::<BTreeSet<(u8, bool)>>(&bytes, limits)?;
        tried::<HashSet<Vec<()>>>(&bytes, limits)?;
        tried::<Vec<[(); 3]>>(&bytes, limits)?;
        tried::<Bulk<u32>>(&bytes, limits)?;
        tried::<List>(&bytes, limits)?;
        tried::<Tree>(&bytes, limits)?;
        from_slice::<(&str, Cow<'_, [u32]>, &[u8])>(&bytes).map(drop).err();
        Message::parse(&bytes, limits).map(drop).err();
    });
}

#[test]
fn a_reader_counts_what_it_gives() {
    proptest!(config(), |(parts in vec(vec(any::<u8>(), 0..300), 0..20), window in 0..400_usize)| {
        let all = parts.concat();
        let mut chunks = Chunks { rest: &all, window };
        let mut streamed = Reader::from_endpoint(&mut chunks, Limits::default());
        let mut reader = Reader::from_slice(&all);
        let mut offset = 0;
        for part in &parts {
            let mut bytes = vec![0; part.len()];
            streamed.read(&mut bytes).unwrap();
            prop_assert_eq!(&bytes, part);
            prop_assert_eq!(reader.borrow(part.len()).unwrap(), &part[..]);
            offset += part.len() as u64;
            prop_assert_eq!((streamed.offset(), reader.offset()), (offset, offset));
            prop_assert_eq!(reader.remaining(), Some(all.len() as u64 - offset));
        }
        prop_assert_eq!(streamed.finish(), offset);
        prop_assert!(chunks.rest.is_empty());
    });
}
