//! Plain old data of other crates within pointers, maps and tuples.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use podwire::schema::schema_of;
use podwire::{Codec, Error, from_slice};

use crate::pod::foreign::{Axis, Sample};
use crate::support::{facts, golden, round};

#[derive(Debug, PartialEq, Codec)]
struct Within {
    boxed: Box<Sample>,
    shared: Option<Arc<Axis>>,
    counted: Rc<glam::Vec2>,
    pair: (u8, Axis),
    named: HashMap<String, Sample>,
    cells: HashMap<glam::IVec2, String>,
    sorted: BTreeMap<u8, Vec<Axis>>,
    path: Vec<(glam::Vec2, Option<Sample>, String, u16)>,
    one: (Axis,),
}

type Step = ([f32; 2], Option<(u32, f32)>, String, u16);

#[derive(Debug, PartialEq, Codec)]
struct WithCodecs {
    boxed: Box<(u32, f32)>,
    shared: Option<Arc<u8>>,
    counted: Rc<[f32; 2]>,
    pair: (u8, u8),
    named: HashMap<String, (u32, f32)>,
    cells: HashMap<[i32; 2], String>,
    sorted: BTreeMap<u8, Vec<u8>>,
    path: Vec<Step>,
    one: (u8,),
}

#[test]
fn plain_data_within_pointers_maps_and_tuples_travels_as_if_it_had_a_codec() {
    let sample = |time| Sample { time, value: 0.5 };
    let value = Within {
        boxed: Box::new(sample(1)),
        shared: Some(Arc::new(Axis::Y)),
        counted: Rc::new(glam::vec2(1.0, 2.0)),
        pair: (3, Axis::X),
        named: HashMap::from([("a".into(), sample(4))]),
        cells: HashMap::from([(glam::ivec2(5, -6), "b".into())]),
        sorted: BTreeMap::from([(7, vec![Axis::Y]), (8, vec![])]),
        path: vec![(glam::Vec2::X, Some(sample(9)), "c".into(), 10), (glam::Vec2::Y, None, "d".into(), 11)],
        one: (Axis::Y,),
    };
    let plain = WithCodecs {
        boxed: Box::new((1, 0.5)),
        shared: Some(Arc::new(2)),
        counted: Rc::new([1.0, 2.0]),
        pair: (3, 1),
        named: HashMap::from([("a".into(), (4, 0.5))]),
        cells: HashMap::from([([5, -6], "b".into())]),
        sorted: BTreeMap::from([(7, vec![2]), (8, vec![])]),
        path: vec![([1.0, 0.0], Some((9, 0.5)), "c".into(), 10), ([0.0, 1.0], None, "d".into(), 11)],
        one: (2,),
    };
    golden(&value, &podwire::to_vec(&plain).unwrap());
    assert_eq!(
        schema_of::<Within>().to_string(),
        "struct{boxed:*pod(8),shared:?*pod(1),counted:*pod(8),pair:struct{0:u8,1:pod(1)},\
         named:{text:pod(8)},cells:{pod(8):text},sorted:{u8:[pod(1)]},\
         path:[struct{0:pod(8),1:?pod(8),2:text,3:u16}],one:struct{0:pod(1)}}"
    );
}

#[test]
fn what_is_wrong_with_plain_data_within_containers_is_found() {
    let value = (7_u32, 0.5_f32);
    let twice = [("a".to_owned(), value), ("a".to_owned(), value)];
    let bytes: Vec<u8> =
        [2, 0, 0, 0].into_iter().chain(twice.iter().flat_map(|e| podwire::to_vec(e).unwrap())).collect();
    assert!(matches!(from_slice::<Named>(&bytes), Err(Error::DuplicateKey { .. })));
    let error = from_slice::<Pairs>(&[1, 0, 0, 0, 5, 9]).unwrap_err();
    assert!(matches!(error, Error::InvalidValue { offset: 5, found: 9, .. }), "{error}");
    let error = from_slice::<Pairs>(&[255, 255, 255, 0, 5, 1]).unwrap_err();
    assert!(matches!(error, Error::UnexpectedEnd { .. }), "{error}");
    let deep = Named { named: HashMap::from([("b".into(), Sample { time: 1, value: 2.0 })]) };
    round(&deep);
    round(&Pairs { pairs: vec![(1, Axis::X), (2, Axis::Y)] });
    assert!(facts::<Pair>().bulk, "the memory of such a tuple is its encoding, too");
}

#[derive(Debug, PartialEq, Codec)]
struct Named {
    named: HashMap<String, Sample>,
}

#[derive(Debug, PartialEq, Codec)]
struct Pairs {
    pairs: Vec<(u8, Axis)>,
}

#[derive(Debug, PartialEq, Codec)]
struct Pair((u8, Axis));

#[derive(Debug, PartialEq, Codec)]
struct MapOfParameter<K: Ord, T> {
    #[codec(pod)]
    map: BTreeMap<K, T>,
    #[codec(pod)]
    pair: (T, [T; 2]),
}

#[test]
fn a_map_of_a_plain_parameter_has_keys_with_codecs() {
    let sample = Sample { time: 1, value: 2.0 };
    round(&MapOfParameter { map: BTreeMap::from([("a".to_owned(), sample)]), pair: (sample, [sample; 2]) });
}

/// A struct of another crate that is a key, and a pointer to something with a codec beside it.
#[derive(Debug, PartialEq, Codec)]
struct Recursive {
    place: glam::Vec2,
    children: Vec<(glam::Vec2, Box<Recursive>)>,
    by_cell: BTreeMap<u8, (Axis, Option<Box<Recursive>>)>,
}

#[test]
fn a_type_may_be_recursive_beside_plain_data() {
    let leaf = || Recursive { place: glam::Vec2::X, children: vec![], by_cell: BTreeMap::new() };
    round(&Recursive {
        place: glam::Vec2::Y,
        children: vec![(glam::Vec2::ONE, Box::new(leaf()))],
        by_cell: BTreeMap::from([(1, (Axis::X, Some(Box::new(leaf())))), (2, (Axis::Y, None))]),
    });
}
