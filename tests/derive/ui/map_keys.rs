//! A map whose keys cannot be keys: the error is the field's, and says what a key needs.

use std::collections::{BTreeSet, HashMap};

#[derive(podwire::Codec)]
struct Key {
    number: u8,
}

#[derive(podwire::Codec)]
struct Maps {
    map: HashMap<Key, u8>,
    fine: HashMap<u8, u8>,
    floats: HashMap<[f32; 2], u8>,
    set: BTreeSet<Key>,
}

#[derive(podwire::Codec)]
struct Generic<K, V> {
    map: HashMap<K, V>,
}

fn main() {}
