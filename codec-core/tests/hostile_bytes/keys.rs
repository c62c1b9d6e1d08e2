//! Keys that stand twice, and keys that collide.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use podwire_codec_core::{Codec, Error, IoReader, from_slice, to_vec};

#[test]
fn case_29_a_key_that_stands_twice_is_refused() {
    let twice = crate::common::hex("03000000 01 02 01");
    let maps = crate::common::hex("03000000 01FF 02FF 0100");
    assert!(matches!(from_slice::<BTreeSet<u8>>(&twice), Err(Error::DuplicateKey { offset: 7 })));
    assert!(matches!(from_slice::<HashSet<u8>>(&twice), Err(Error::DuplicateKey { offset: 7 })));
    assert!(matches!(from_slice::<BTreeMap<u8, u8>>(&maps), Err(Error::DuplicateKey { offset: 10 })));
    assert!(matches!(from_slice::<HashMap<u8, u8>>(&maps), Err(Error::DuplicateKey { offset: 10 })));
    let nothing = 2_u32.to_le_bytes();
    assert!(matches!(from_slice::<BTreeSet<()>>(&nothing), Err(Error::DuplicateKey { .. })));
    assert!(matches!(HashSet::<u8>::deserialize(&mut IoReader(&twice[..])), Err(Error::DuplicateKey { .. })));
}

#[test]
fn case_37_keys_that_collide_are_kept_apart() {
    /// All keys have one hash.
    #[derive(Default)]
    struct Same;
    impl Hasher for Same {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, _: &[u8]) {}
    }
    type Collided = HashMap<u32, u32, BuildHasherDefault<Same>>;
    let count = if cfg!(miri) { 20 } else { 1_000 };
    let map: Collided = (0..count).map(|key| (key, key * 2)).collect();
    let bytes = to_vec(&map).unwrap();
    assert!(from_slice::<Collided>(&bytes).unwrap() == map);
    let mut twice = bytes;
    let (first, last) = (4, twice.len() - 8);
    twice.copy_within(first..first + 4, last);
    assert!(matches!(from_slice::<Collided>(&twice), Err(Error::DuplicateKey { .. })));
}

/// Keys that an attacker makes collide under one hasher do not collide under another: the standard one is seeded.
#[test]
#[cfg_attr(miri, ignore = "measures time")]
fn case_37_the_standard_hasher_is_seeded() {
    use std::hash::BuildHasher;
    let map: HashMap<u64, ()> = from_slice(&to_vec(&BTreeMap::from([(1_u64, ())])).unwrap()).unwrap();
    let other: HashMap<u64, ()> = from_slice(&to_vec(&BTreeMap::from([(1_u64, ())])).unwrap()).unwrap();
    assert_ne!(map.hasher().hash_one(7), other.hasher().hash_one(7), "two maps, two seeds");
}
