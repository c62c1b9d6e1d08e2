//! The standard library's types as fields.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{NonZeroU32, NonZeroU64, Saturating, Wrapping};
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize};
use std::time::{Duration, SystemTime};

use podwire::{Codec, from_slice, to_vec};

use crate::support::round;

#[derive(Debug, PartialEq, Codec)]
struct Values {
    integers: (u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize),
    floats: (f32, f64),
    others: (bool, char, (), String),
    texts: (Box<str>, Rc<str>, Arc<str>),
    numbers: Box<[u16]>,
    names: Rc<[String]>,
    bytes: Arc<[u8]>,
    time: (Duration, SystemTime),
    addresses: (Ipv4Addr, Ipv6Addr, IpAddr),
    sockets: (SocketAddrV4, SocketAddrV6, SocketAddr),
    not_zero: (NonZeroU32, NonZeroU64, std::num::NonZero<i8>),
    closed: (Range<u8>, RangeInclusive<char>),
    open: (RangeFrom<u16>, RangeTo<String>, RangeToInclusive<u8>, RangeFull),
    wrappers: (Wrapping<u8>, Saturating<i16>, Reverse<String>),
    order: Ordering,
    result: Result<u8, String>,
    path: PathBuf,
    queue: VecDeque<u16>,
    sets: (HashSet<String>, BTreeSet<char>),
    maps: (HashMap<u8, Vec<u8>>, BTreeMap<String, Option<u8>>),
}

#[test]
fn a_struct_may_hold_the_standard_librarys_values() {
    let v6 = Ipv6Addr::LOCALHOST;
    round(&Values {
        integers: (1, 2, 3, 4, u128::MAX, 6, -1, -2, -3, -4, i128::MIN, -6),
        floats: (0.5, -0.25),
        others: (true, 'ß', (), "text".into()),
        texts: ("a".into(), "b".into(), "c".into()),
        numbers: [1, 2].into(),
        names: ["x".to_owned()].into(),
        bytes: [3].into(),
        time: (Duration::new(1, 2), SystemTime::UNIX_EPOCH + Duration::from_secs(3)),
        addresses: (Ipv4Addr::LOCALHOST, v6, v6.into()),
        sockets: (
            SocketAddrV4::new(Ipv4Addr::BROADCAST, 1),
            SocketAddrV6::new(v6, 2, 3, 4),
            SocketAddr::new(v6.into(), 5),
        ),
        not_zero: (NonZeroU32::MIN, NonZeroU64::MAX, std::num::NonZero::new(-1).unwrap()),
        closed: (1..2, 'a'..='b'),
        open: (3.., .."to".into(), ..=9, ..),
        wrappers: (Wrapping(1), Saturating(-2), Reverse("r".into())),
        order: Ordering::Less,
        result: Err("no".into()),
        path: "a/b".into(),
        queue: [1, 2].into(),
        sets: (["s".to_owned()].into(), ['c'].into()),
        maps: ([(1, vec![2])].into(), [("k".to_owned(), None)].into()),
    });
}

#[derive(Debug, Codec)]
struct Incomparable {
    heap: BinaryHeap<u8>,
    atomics: (AtomicBool, AtomicU32, AtomicI64, AtomicUsize),
}

#[test]
fn a_struct_may_hold_heaps_and_atomics() {
    let value = Incomparable {
        heap: [1, 3, 2].into(),
        atomics: (true.into(), AtomicU32::new(1), AtomicI64::new(-1), AtomicUsize::new(2)),
    };
    let bytes = to_vec(&value).unwrap();
    let back = from_slice::<Incomparable>(&bytes).unwrap();
    assert_eq!(back.heap.into_sorted_vec(), [1, 2, 3]);
    assert!(back.atomics.0.into_inner());
    assert_eq!((back.atomics.1.into_inner(), back.atomics.2.into_inner()), (1, -1));
}
