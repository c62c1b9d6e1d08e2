//! What decoding allocates, and what happens when it cannot: hostile cases 6, 8, 10, 11, 12, 36 and 48, measured by
//! the allocator of this test binary.
#![allow(unsafe_code, reason = "an allocator that counts, and fails when told to")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

use common::{Chunks, List, Queue, Random, Tree, Visitor, visit};
use podwire_codec_core::message::{self, Message, Options};
use podwire_codec_core::schema::{Schema, schema_of};
use podwire_codec_core::{
    Blob, Buffer, Bulk, Codec, CodecRegistry, Error, IoReader, IoWriter, Limits, Reader, SharedStr,
    deserialize_with, from_prefix_with, from_slice, from_slice_with, serialize, to_vec,
};

/// The system's allocator, which counts for each thread, and refuses one allocation if told to.
struct Counting;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
    /// How many allocations there were.
    static COUNT: Cell<usize> = const { Cell::new(0) };
    /// How many more allocations succeed before one fails; negative for all.
    static LEFT: Cell<i64> = const { Cell::new(-1) };
}

fn grew(bytes: usize) {
    let now = NOW.get().wrapping_add(bytes);
    NOW.set(now);
    COUNT.set(COUNT.get() + 1);
    if now as isize > PEAK.get() as isize {
        PEAK.set(now);
    }
}

fn refuses() -> bool {
    let left = LEFT.get();
    if left >= 0 {
        LEFT.set(left - 1);
    }
    left == 0
}

// SAFETY: everything is forwarded to the system's allocator, or refused with a null pointer, as an allocator may.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if refuses() {
            return std::ptr::null_mut();
        }
        grew(layout.size());
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if refuses() {
            return std::ptr::null_mut();
        }
        grew(layout.size());
        // SAFETY: the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.set(NOW.get().wrapping_sub(layout.size()));
        // SAFETY: the caller's.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if refuses() {
            return std::ptr::null_mut();
        }
        // Old and new memory may be there at once.
        grew(size);
        NOW.set(NOW.get().wrapping_sub(layout.size()));
        // SAFETY: the caller's.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes of memory that `work` had at once, beyond what was there before.
fn peak<R>(work: impl FnOnce() -> R) -> (R, usize) {
    let before = NOW.get();
    PEAK.set(before);
    let result = work();
    (result, PEAK.get().wrapping_sub(before))
}

/// How many allocations `work` makes.
fn count<R>(work: impl FnOnce() -> R) -> (R, usize) {
    let before = COUNT.get();
    let result = work();
    (result, COUNT.get() - before)
}

/// The result of `work` if its allocation number `number` fails.
fn failing<R>(number: i64, work: impl FnOnce() -> R) -> (R, bool) {
    LEFT.set(number);
    let result = work();
    let failed = LEFT.replace(-1) < 0;
    (result, failed)
}

/// Memory that decoding may need whatever the input is: one step of a stream's vector, or one chunk of heads.
const SLACK: usize = 64 * 1024;

/// Bytes of memory for one byte of input, at the most: `None` of a large type, entries of a hash table, tree nodes.
const EXPANSION: usize = 512;

const SMALL: Limits = Limits { bytes: 256 * 1024, items: 4096, depth: 128 };

/// A vector that grows has its old memory and its new one for an instant; tables likewise.
const GROWTH: usize = 3;

#[track_caller]
fn bounded<T: Codec>(name: &str, bytes: &[u8], limits: Limits) {
    let bound =
        (usize::try_from(limits.bytes).unwrap() * GROWTH).min(bytes.len() * EXPANSION * GROWTH) + 2 * SLACK;
    let schema = schema_of::<T>();
    let (_, used) = peak(|| drop(schema.from_slice_with(bytes, limits)));
    assert!(used <= bound, "{name} by its schema: {used} of {bound} bytes for {} of input", bytes.len());
    let (_, used) = peak(|| drop(schema.decode(&mut Reader::from_endpoint(&mut IoReader(bytes), limits))));
    assert!(used <= bound, "{name} by its schema, from a stream: {used} of {bound} bytes");
    let (_, used) = peak(|| drop(schema.skip(&mut Reader::from_slice_with(bytes, limits))));
    assert!(used <= 1024, "{name}, skipped: {used} bytes");
    let (_, used) = peak(|| drop(from_slice_with::<T>(bytes, limits)));
    assert!(used <= bound, "{name}: {used} bytes for {} from a slice: {bytes:02x?}", bytes.len());
    let (_, used) = peak(|| drop(deserialize_with::<T, _>(&mut IoReader(bytes), limits)));
    assert!(used <= bound, "{name}: {used} bytes for {} from a stream: {bytes:02x?}", bytes.len());
    let (_, used) = peak(|| drop(deserialize_with::<T, _>(&mut Chunks { rest: bytes, window: 9 }, limits)));
    assert!(used <= bound, "{name}: {used} bytes for {} from windows: {bytes:02x?}", bytes.len());
    let mut buffer = Buffer::from(bytes.to_vec());
    let (_, used) = peak(|| drop(deserialize_with::<T, _>(&mut buffer, limits)));
    assert!(used <= bound, "{name}: {used} bytes for {} from a buffer: {bytes:02x?}", bytes.len());
}

/// The schema in it would only tell the difference.
#[test]
fn case_12_a_message_of_another_build_takes_no_more_memory_than_its_schema_is_worth() {
    let registry = CodecRegistry::new();
    registry.register::<u16>("n").unwrap();
    let fields: Vec<String> = (0..100_000).map(|number| format!("f{number}:?u8")).collect();
    let theirs: Schema = format!("struct{{{}}}", fields.join(",")).parse().unwrap();
    let mut bytes = Vec::new();
    let options = Options { schema: true, ..Options::default() };
    message::write_with("n", &theirs, options, &mut bytes, |_| Ok(())).unwrap();
    let (error, used) = peak(|| registry.deserialize(&mut IoReader(&bytes[..])).unwrap_err());
    assert!(error.to_string().starts_with("codec \"n\": the message has schema"), "{error}");
    assert!(used < 4 * bytes.len(), "{used} bytes for a message of {}", bytes.len());
}

/// What the text of a schema comes to is charged before: nothing that fits the limit takes more than it.
#[test]
fn case_12_a_schema_takes_no_more_memory_than_it_is_charged() {
    for text in [
        format!("struct{{{}z:u8}}", "a:u8,".repeat(500)),
        format!("struct{{{}z:u8}}", format!("a:{}u8,", "?".repeat(120)).repeat(30)),
        format!("enum32{{{}}}", (0..500).map(|tag| format!("A={tag}{{}}")).collect::<Vec<_>>().join(",")),
        format!("struct{{{}z:u8}}", "a:struct{},".repeat(500)),
        format!("{}u8{}", "{u8:[".repeat(60), "]}".repeat(60)),
    ] {
        let bytes = to_vec(&text).unwrap();
        let (schema, used) = peak(|| from_slice::<Schema>(&bytes).unwrap());
        assert_eq!(schema.text(), text);
        assert!(used <= text.len() * 256, "{used} bytes for {} of text", text.len());
        let limits = Limits { bytes: used as u64 / 2, ..Limits::default() };
        assert!(matches!(from_slice_with::<Schema>(&bytes, limits), Err(Error::ByteLimit { .. })));
    }
}

#[test]
fn arbitrary_bytes_never_allocate_beyond_what_backs_them() {
    struct Look;
    impl Visitor for Look {
        fn look<T: Codec + PartialEq + Debug>(&mut self, name: &str, value: T, _: bool) {
            let bytes = to_vec(&value).unwrap();
            let mut random = Random(0x9E37_79B9 ^ name.len() as u64);
            for round in 0..30 {
                let mut noise = bytes.clone();
                let more = random.below(30);
                noise.extend(random.bytes(more));
                for _ in 0..=round % 4 {
                    if !noise.is_empty() {
                        let at = random.below(noise.len());
                        noise[at] = (random.next() >> 56) as u8;
                    }
                }
                bounded::<T>(name, &noise, SMALL);
            }
            for at in 0..bytes.len() {
                let mut bytes = bytes.clone();
                bytes[at..].fill(0xFF);
                bounded::<T>(name, &bytes, SMALL);
                let end = (at + 4).min(bytes.len());
                bytes[at..end].copy_from_slice(&[0xFE, 0xFF, 0xFF, 0xFF][..end - at]);
                bounded::<T>(name, &bytes, SMALL);
            }
        }
    }
    visit(&mut Look);
}

#[test]
fn case_06_a_length_that_lies_allocates_nothing_from_a_slice() {
    macro_rules! nothing {
        ($($type:ty)+) => {$(
            for bytes in [&[0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0][..], &[0xFF; 12], &[0, 0, 0, 16, 1]] {
                let (result, used) = peak(|| from_slice::<$type>(bytes).err().map(|error| error.to_string()));
                let error = result.expect(stringify!($type));
                assert!(used <= error.len() * 3 + 64, "{}: {used} bytes, {error}", stringify!($type));
            }
        )+};
    }
    nothing!(String Box<str> Vec<u8> Vec<u64> Vec<u128> Box<[u16]> Vec<bool> Vec<(u8, bool)> Vec<String>);
    nothing!(Vec<Vec<u8>> Vec<[u64; 100]> HashMap<u8, u8> HashSet<String> Cow<'_, str> Cow<'_, [u32]>);
    nothing!(BTreeMap<u64, u64> Arc<[u8]> Rc<str> Vec<Option<u8>>);
}

#[test]
fn case_06_a_length_that_lies_allocates_little_from_a_stream() {
    macro_rules! little {
        ($($type:ty)+) => {$(
            for bytes in [&[0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0][..], &[0xFF; 12], &[0, 0, 0, 16, 1]] {
                let (result, used) = peak(|| <$type>::deserialize(&mut IoReader(bytes)).is_err());
                assert!(result && used <= SLACK, "{}: {used} bytes", stringify!($type));
                let mut queue = Queue::from(bytes);
                let (result, used) = peak(|| <$type>::deserialize(&mut queue).is_err());
                assert!(result && used <= SLACK, "{}: {used} bytes", stringify!($type));
            }
        )+};
    }
    little!(String Box<str> Vec<u8> Vec<u64> Vec<u128> Box<[u16]> Vec<bool> Vec<(u8, bool)> Vec<String>);
    little!(Vec<Vec<u8>> Vec<[u64; 100]> HashMap<u8, u8> HashSet<String> BTreeMap<u64, u64> Vec<Option<u8>>);
}

#[test]
fn case_08_a_product_that_wraps_allocates_nothing() {
    let boundless = Limits { bytes: u64::MAX, items: u64::MAX, depth: 128 };
    for length in [1 << 60, (1 << 61) + 1, isize::MAX as u64 / 8 + 1, isize::MAX as u64] {
        let bytes = [&[0xFF; 4][..], &length.to_le_bytes(), &[0; 64]].concat();
        let (_, used) = peak(|| from_slice_with::<Vec<u64>>(&bytes, boundless).is_err());
        assert_eq!(used, 0);
        let (_, used) = peak(|| from_slice_with::<Vec<(u64, bool)>>(&bytes, boundless).is_err());
        assert_eq!(used, 0);
        let (_, used) =
            peak(|| deserialize_with::<Vec<(String, u64)>, _>(&mut IoReader(&bytes[..]), boundless).is_err());
        assert!(used <= SLACK, "{used}");
    }
}

#[test]
fn case_10_a_vector_of_nothing_allocates_nothing() {
    for bytes in [&[&[0xFF; 4][..], &(1_u64 << 33).to_le_bytes()].concat()[..], &[255, 255, 255, 127]] {
        let (_, used) = peak(|| from_slice::<Vec<()>>(bytes).is_err());
        assert_eq!(used, 0);
        let (_, used) = peak(|| from_slice::<HashMap<(), ()>>(bytes).is_err());
        assert_eq!(used, 0);
    }
}

#[test]
fn case_11_nested_vectors_that_claim_the_maximum_stay_within_the_limit() {
    type Nested = Vec<Vec<Vec<Vec<Vec<u64>>>>>;
    for claim in [u32::MAX - 1, 1 << 24, 1 << 16, 1 << 10, 5] {
        let bytes = claim.to_le_bytes().repeat(200);
        bounded::<Nested>("nested vectors", &bytes, SMALL);
        bounded::<Vec<HashMap<u32, Vec<BTreeMap<u8, String>>>>>("nested maps", &bytes, SMALL);
        bounded::<Tree>("a tree", &bytes, SMALL);
    }
}

/// The same bytes cannot be the elements of all levels: only one gets memory for them.
#[test]
fn case_11_levels_that_each_claim_the_rest_of_the_input_get_it_once() {
    type Four<T> = Vec<Vec<Vec<Vec<T>>>>;
    type Maps<T> = HashMap<u8, HashMap<u8, T>>;
    for left in [8_000_u32, 800_000] {
        let rest = vec![0; left as usize];
        let bytes = [&(left / 4).to_le_bytes().repeat(8)[..], &rest].concat();
        // A vector has 24 bytes, for 4 of its encoding; where it grows, it is there twice for an instant.
        let most = bytes.len() * 24 / 4 + SLACK;
        let (error, used) = peak(|| from_slice::<Four<Four<u8>>>(&bytes).unwrap_err());
        assert!(matches!(error, Error::UnexpectedEnd { .. }), "{error:?}");
        assert!(used <= most, "{used} bytes of {most}, from a slice");
        let mut buffer = Buffer::from(bytes.clone());
        let (_, used) = peak(|| Four::<Four<u8>>::deserialize(&mut buffer).is_err());
        assert!(used <= 3 * most, "{used} bytes of {most}, from a buffer");
        let (_, used) = peak(|| Four::<Four<u8>>::deserialize(&mut IoReader(&bytes[..])).is_err());
        assert!(used <= 3 * most, "{used} bytes of {most}, from a stream");
        // An entry has 56 bytes, for 5 of its encoding, in tables that have room for twice as many.
        let bytes = [&[&(left / 5).to_le_bytes()[..], &[1]].concat().repeat(8)[..], &rest].concat();
        let most = bytes.len() * 2 * 57 / 5 + SLACK;
        let (result, used) = peak(|| from_slice::<Maps<Maps<Maps<u64>>>>(&bytes).is_err());
        assert!(result && used <= most, "{used} bytes of {most}, of maps");
        let mut buffer = Buffer::from(bytes);
        let (result, used) = peak(|| Maps::<Maps<Maps<u64>>>::deserialize(&mut buffer).is_err());
        assert!(result && used <= 2 * most, "{used} bytes of {most}, of maps from a buffer");
    }
}

#[test]
fn case_12_few_bytes_that_expand_to_large_values_are_charged() {
    type Wide = Option<[u64; 1000]>;
    let count = 20_000_u32;
    let bytes = [&count.to_le_bytes()[..], &vec![0; count as usize]].concat();
    let limits = Limits { bytes: 1 << 20, ..Limits::default() };
    // 160 MB of `None` from 20 KB.
    let (error, used) = peak(|| from_slice_with::<Vec<Wide>>(&bytes, limits).unwrap_err());
    assert!(matches!(error, Error::ByteLimit { .. }), "{error:?}");
    assert!(used <= 1 << 20, "{used}");
    let (error, used) =
        peak(|| deserialize_with::<Vec<Wide>, _>(&mut IoReader(&bytes[..]), limits).unwrap_err());
    assert!(matches!(error, Error::ByteLimit { .. }), "{error:?}");
    assert!(used <= 2 << 20, "{used}");
    let (error, used) = peak(|| from_slice_with::<Vec<Box<Wide>>>(&bytes, limits).unwrap_err());
    assert!(matches!(error, Error::ByteLimit { .. }), "{error:?}");
    assert!(used <= 2 << 20, "{used}");
    let empty = [&count.to_le_bytes()[..], &vec![0; 4 * count as usize]].concat();
    let (result, used) = peak(|| from_slice_with::<Vec<BTreeMap<u8, Wide>>>(&empty, limits).is_ok());
    assert!(result && used <= 1 << 20, "{used}");
}

#[test]
fn tables_stay_within_what_they_are_charged() {
    let limits = Limits { bytes: 256 * 1024, ..Limits::default() };
    for count in [1_u32, 7, 100, 1_000, 3_600, 7_200, 20_000] {
        let entries: Vec<u8> = (0..count).flat_map(|key| [key.to_le_bytes(), [1; 4]].concat()).collect();
        let map = [&count.to_le_bytes()[..], &entries].concat();
        let keys: Vec<u8> = (0..count).flat_map(u32::to_le_bytes).collect();
        let set = [&count.to_le_bytes()[..], &keys].concat();
        macro_rules! within {
            ($($type:ty: $bytes:ident)+) => {$(
                let (_, used) = peak(|| drop(from_slice_with::<$type>(&$bytes, limits)));
                assert!(used <= 256 * 1024 + SLACK, "{} of {count}: {used}", stringify!($type));
                let (_, used) = peak(|| drop(deserialize_with::<$type, _>(&mut IoReader(&$bytes[..]), limits)));
                // A table that grows has its old memory and its new one for an instant.
                assert!(used <= 3 * 128 * 1024 + SLACK, "{} of {count}, streamed: {used}", stringify!($type));
            )+};
        }
        within!(HashMap<u32, u32>: map BTreeMap<u32, u32>: map HashSet<u32>: set BTreeSet<u32>: set);
        #[cfg(feature = "indexmap")]
        within!(indexmap::IndexMap<u32, u32>: map indexmap::IndexSet<u32>: set);
    }
}

#[test]
fn a_message_that_claims_to_be_huge_allocates_little() {
    for (packed, segments, metadata) in
        [(u64::MAX / 2, 0, 0), (0, u32::MAX, 0), (0, 0, u32::MAX), (1 << 29, 7, 1 << 30)]
    {
        let mut bytes = common::hex("504F4457 01 00 0100 0000000000000000");
        bytes.extend(u64::to_le_bytes(packed));
        bytes.extend(u32::to_le_bytes(segments));
        bytes.extend(u32::to_le_bytes(metadata));
        bytes.extend(b"n and a few bytes more, which are not enough for anything");
        let (result, used) = peak(|| Message::parse(&bytes, Limits::default()).is_err());
        assert!(result && used <= SLACK, "{used}");
        let (result, used) = peak(|| Message::read(&mut IoReader(&bytes[..]), Limits::default()).is_err());
        assert!(result && used <= 2 * SLACK, "{used}");
        let mut buffer = Buffer::from(bytes);
        let (result, used) = peak(|| Message::read(&mut buffer, Limits::default()).is_err());
        assert!(result && used <= SLACK, "{used}");
    }
}

/// Every allocation of `work` fails once; each time the answer is that memory is out.
#[track_caller]
fn reports_every_failure<R>(name: &str, mut work: impl FnMut() -> Result<R, Error>) {
    work().unwrap();
    for number in 0..1_000 {
        let (result, failed) = failing(number, &mut work);
        if !failed {
            result.unwrap();
            return;
        }
        let Err(error) = result else { panic!("{name}: allocation {number} failed unseen") };
        assert!(matches!(error, Error::OutOfMemory { bytes: 1.. }), "{name}, allocation {number}: {error:?}");
    }
    panic!("{name}: more than a thousand allocations");
}

#[test]
fn case_36_every_allocation_that_fails_is_reported() {
    macro_rules! every {
        ($($type:ty = $value:expr;)+) => {$(
            let value: $type = $value;
            let name = stringify!($type);
            let bytes = to_vec(&value).unwrap();
            reports_every_failure(name, || from_slice::<$type>(&bytes));
            reports_every_failure(name, || <$type>::deserialize(&mut IoReader(&bytes[..])));
            reports_every_failure(name, || <$type>::deserialize(&mut Chunks { rest: &bytes, window: 7 }));
            reports_every_failure(name, || to_vec(&value));
            let mut memory = vec![0_u8; bytes.len()];
            reports_every_failure(name, || serialize(&value, &mut IoWriter(&mut memory[..])));
            reports_every_failure(name, || serialize(&value, &mut Buffer::new()));
        )+};
    }
    every! {
        u64 = 1;
        String = "text".into();
        Box<str> = "text".into();
        Vec<u8> = vec![1; 100];
        Vec<u64> = vec![1; 20_000];
        Vec<bool> = vec![true; 9_000];
        Vec<(u8, u32)> = vec![(1, 2); 3_000];
        Vec<String> = vec!["a".into(), "b".into(), "c".into()];
        Vec<Vec<Vec<u16>>> = vec![vec![vec![1], vec![2, 3]], vec![vec![4]]];
        Box<[u32]> = vec![1, 2, 3].into();
        Box<[String]> = vec![String::from("x"), "y".into()].into();
        Box<u32> = Box::new(1);
        Option<Box<Vec<String>>> = Some(Box::new(vec!["deep".into()]));
        [String; 3] = ["a".into(), "b".into(), "c".into()];
        (String, Box<u8>, Vec<Option<String>>) = ("a".into(), Box::new(1), vec![None, Some("b".into())]);
        (String, [u64; 40], String) = ("large head".into(), [1; 40], "streamed".into());
        HashMap<u32, String> = HashMap::from([(1, "one".into())]);
        HashSet<String> = HashSet::from(["one".into()]);
        List = List::of(5);
        Tree = Tree { name: "r".into(), children: vec![Tree { name: "k".into(), children: vec![] }] };
    }
    let many: HashMap<u32, u32> = (0..500).map(|key| (key, key)).collect();
    let bytes = to_vec(&many).unwrap();
    reports_every_failure("HashMap", || from_slice::<HashMap<u32, u32>>(&bytes));
    reports_every_failure("HashMap", || HashMap::<u32, u32>::deserialize(&mut IoReader(&bytes[..])));
}

#[test]
fn case_36_a_value_that_is_read_by_its_schema_reports_every_failure_but_those_of_elements() {
    type Nested = (Option<Option<String>>, String, [String; 2]);
    let value: Nested = (Some(Some("in".into())), "text".into(), ["a".into(), "b".into()]);
    let (schema, bytes) = (schema_of::<Nested>(), to_vec(&value).unwrap());
    reports_every_failure("by its schema", || schema.from_slice(&bytes));
}

#[test]
fn case_10_elements_of_no_bytes_take_bounded_memory() {
    // Each is a pointer of eight bytes, or a value of 48, and none is backed by the input.
    for count in [1 << 17, u32::MAX - 1] {
        let (_, used) = peak(|| from_slice::<Vec<Box<()>>>(&count.to_le_bytes()).is_err());
        assert!(used <= 32 << 17, "{used}");
        let (_, used) = peak(|| schema_of::<Vec<Box<()>>>().from_slice(&count.to_le_bytes()).is_err());
        assert!(used <= 192 << 17, "{used}");
    }
}

#[test]
fn case_48_a_million_unknown_names_leave_nothing_behind() {
    let registry = CodecRegistry::new();
    registry.register::<u32>("known").unwrap();
    let before = NOW.get();
    for number in 0..if cfg!(miri) { 100 } else { 1_000_000_u32 } {
        let name = number.to_le_bytes().map(|byte| char::from(b'a' + byte % 26));
        let name = name.iter().collect::<String>();
        assert!(registry.by_name(&name).is_err());
    }
    assert_eq!(NOW.get(), before);
    // And messages of unknown names.
    let mut bytes = common::hex("504F4457 01 00 0300 0000000000000000 0000000000000000 00000000 00000000");
    bytes.extend(b"???");
    registry.deserialize(&mut IoReader(&bytes[..])).unwrap_err();
    let before = NOW.get();
    for _ in 0..1_000 {
        registry.deserialize(&mut IoReader(&bytes[..])).unwrap_err();
    }
    assert_eq!(NOW.get(), before);
}

/// Nothing leaks, whatever part of a value fails.
#[test]
fn errors_midway_free_what_was_decoded() {
    struct Look;
    impl Visitor for Look {
        fn look<T: Codec + PartialEq + Debug>(&mut self, name: &str, value: T, _: bool) {
            let bytes = to_vec(&value).unwrap();
            drop(value);
            let before = NOW.get();
            for length in 0..bytes.len() {
                drop(from_slice::<T>(&bytes[..length]));
                assert_eq!(NOW.get(), before, "{name}, {length} bytes");
                drop(T::deserialize(&mut IoReader(&bytes[..length])));
                assert_eq!(NOW.get(), before, "{name}, {length} bytes, streamed");
            }
            for number in 0..20 {
                let ((), _) = failing(number, || {
                    // Shared pointers, trees and what holds segments cannot report it: they abort.
                    let cannot = ["Rc", "Arc", "BTree", "Bulk", "Tensor", "Buffer", "Shared", "shared"];
                    if cannot.iter().any(|cannot| name.contains(cannot)) {
                        return;
                    }
                    drop(from_slice::<T>(&bytes));
                });
                assert_eq!(NOW.get(), before, "{name}, allocation {number} failed");
            }
        }
    }
    visit(&mut Look);
}

#[test]
fn a_buffer_that_is_read_to_its_end_does_not_grow() {
    let mut buffer = Buffer::new();
    let value = (String::from("some text"), vec![1_u32; 20]);
    for _ in 0..10_000 {
        value.serialize(&mut buffer).unwrap();
        assert_eq!(<(String, Vec<u32>)>::deserialize(&mut buffer).unwrap(), value);
    }
    assert!(buffer.capacity() <= SLACK, "{}", buffer.capacity());
}

#[test]
fn inline_bulk_is_charged_and_bounded() {
    let bytes = [&[0][..], &(1_u64 << 40).to_le_bytes(), &[0; 100]].concat();
    let (result, used) = peak(|| from_slice::<Bulk<u64>>(&bytes).is_err());
    assert!(result && used <= 64, "{used}");
    let (result, used) = peak(|| Bulk::<u64>::deserialize(&mut IoReader(&bytes[..])).is_err());
    assert!(result && used <= SLACK, "{used}");
}

#[test]
fn ten_thousand_shared_strings_take_a_handful_of_allocations() {
    let texts: Vec<String> = (0..10_000).map(|number| format!("string number {number}")).collect();
    let bytes = to_vec(&texts).unwrap();
    // From a slice, and from an endpoint that shows its memory: the vector, the reader's note, and copies of 64, 128 and
    // 256 KiB, each a vector and its counters.
    let (shared, allocations) = count(|| from_slice::<Vec<SharedStr>>(&bytes).unwrap());
    assert!(allocations <= 8, "{allocations}");
    assert!(shared.iter().zip(&texts).all(|(shared, text)| shared == text));
    let mut buffer = Buffer::from(bytes.clone());
    let (shared, allocations) = count(|| Vec::<SharedStr>::deserialize(&mut buffer).unwrap());
    assert!(allocations <= 8, "{allocations}");
    assert!(shared.iter().zip(&texts).all(|(shared, text)| shared == text));
    let (blobs, allocations) = count(|| from_slice::<Vec<Blob>>(&bytes).unwrap());
    assert!(allocations <= 8, "{allocations}");
    assert!(blobs.iter().zip(&texts).all(|(blob, text)| **blob == *text.as_bytes()));
    // A clone takes none, empty ones take none, and the last one that goes frees all.
    let (_, allocations) = count(|| (shared[0].clone(), shared[1].part(0..6), SharedStr::default()));
    assert_eq!(allocations, 0);
    let empty = to_vec(&vec![""; 10_000]).unwrap();
    let (_, allocations) = count(|| from_slice::<Vec<SharedStr>>(&empty).unwrap());
    assert_eq!(allocations, 1);
    let before = NOW.get();
    let last = from_slice::<Vec<SharedStr>>(&bytes).unwrap().pop();
    assert!(NOW.get() > before);
    drop(last);
    assert_eq!(NOW.get(), before);
    // A message is memory, too, wherever it came from.
    let registry = CodecRegistry::new();
    registry.register::<Vec<SharedStr>>("texts").unwrap();
    let mut message = Vec::new();
    registry.serialize(&shared, &mut message).unwrap();
    let (back, allocations) = count(|| registry.deserialize(&mut IoReader(&message[..])).unwrap());
    assert!(allocations < 40, "{allocations}");
    assert_eq!(back.downcast_ref::<Vec<SharedStr>>().unwrap(), &shared);
}

#[test]
fn shared_values_keep_a_bounded_part_of_their_input() {
    // A small text in front of much data, and one behind it, share nothing with the data.
    let value = ("front".to_owned(), vec![7_u8; 8 << 20], "back".to_owned());
    let bytes = to_vec(&value).unwrap();
    let before = NOW.get();
    let (front, data, back) = from_slice::<(SharedStr, Vec<u8>, SharedStr)>(&bytes).unwrap();
    assert_eq!((&*front, data.len(), &*back), ("front", 8 << 20, "back"));
    drop(data);
    assert!(NOW.get() - before < 100 << 10, "{}", NOW.get() - before);
    drop((front, back));
    assert_eq!(NOW.get(), before);
    // A copy is charged with what it takes besides its bytes, and with no more.
    let bytes = to_vec("front").unwrap();
    let exact = 5 + (size_of::<Vec<u8>>() + 2 * size_of::<usize>()) as u64;
    let within = |bytes| Limits { bytes, ..Limits::DEFAULT };
    assert_eq!(from_slice_with::<SharedStr>(&bytes, within(exact)).unwrap(), "front");
    from_slice_with::<SharedStr>(&bytes, within(exact - 1)).unwrap_err();
    // What is copied ahead is charged, and leaves half of the limit to the rest.
    let limits = Limits { bytes: 1_000, ..Limits::DEFAULT };
    let mut bytes = to_vec(&("x", vec![1_u8; 300])).unwrap();
    bytes.extend([2; 4_000]);
    let ((), used) = peak(|| {
        let (text, rest) = from_prefix_with::<(SharedStr, Vec<u8>)>(&bytes, limits).unwrap().0;
        assert_eq!((&*text, rest.len()), ("x", 300));
    });
    assert!(used < 1_000, "{used}");
    let few = Limits { bytes: 200, ..limits };
    let error = from_slice_with::<SharedStr>(&to_vec(&"x".repeat(201)).unwrap(), few).unwrap_err();
    assert!(matches!(error, Error::ByteLimit { .. }), "{error:?}");
}

#[test]
fn shared_slices_are_read_in_place_or_charged_twice() {
    let bytes = to_vec(&vec![7_u8; 1 << 20]).unwrap();
    let (value, used) = peak(|| from_slice::<Arc<[u8]>>(&bytes).unwrap());
    assert_eq!((value.len(), used), (1 << 20, (1 << 20) + 16));
    let (value, used) = peak(|| from_slice::<Rc<[u32]>>(&to_vec(&vec![7_u32; 9]).unwrap()).unwrap());
    assert_eq!(value.len(), 9);
    assert!(used < 200, "{used}");
    // Where nobody shows what comes, the bytes pass through a vector, and both are within the limit.
    let limits = Limits { bytes: 3 << 19, ..Limits::DEFAULT };
    let (result, used) = peak(|| deserialize_with::<Arc<[u8]>, _>(&mut IoReader(&bytes[..]), limits));
    assert!(matches!(result, Err(Error::ByteLimit { .. })));
    assert!(used <= 3 << 20, "{used}");
    let limits = Limits { bytes: (2 << 20) + 16, ..Limits::DEFAULT };
    assert!(deserialize_with::<Arc<[u8]>, _>(&mut IoReader(&bytes[..]), limits).is_ok());
    assert!(
        from_slice_with::<Arc<[u8]>>(&bytes, Limits { bytes: (1 << 20) + 16, ..Limits::DEFAULT }).is_ok()
    );
}

#[test]
fn a_hash_map_from_a_stream_stays_within_what_it_is_charged() {
    for count in [100_u32, 448, 449, 3_584, 3_585, 20_000] {
        let bytes = to_vec(&(0..count).map(|key| (key, u64::from(key))).collect::<HashMap<_, _>>()).unwrap();
        for exact in [false, true] {
            let read = |limits| match exact {
                true => from_slice_with::<HashMap<u32, u64>>(&bytes, limits),
                false => deserialize_with::<HashMap<u32, u64>, _>(&mut IoReader(&bytes[..]), limits),
            };
            // The least limit under which it passes is what it is charged.
            let passes = |bytes| read(Limits { bytes, ..Limits::DEFAULT }).is_ok();
            let (mut low, mut high) = (0, u64::from(count) * 200);
            while low < high {
                let middle = (low + high) / 2;
                if passes(middle) { high = middle } else { low = middle + 1 }
            }
            let (_, used) = peak(|| read(Limits { bytes: low, ..Limits::DEFAULT }).unwrap());
            assert!(used as u64 <= low + 256, "{count} entries: {used} bytes, {low} were charged");
        }
    }
}
