//! `#[codec(trivial)]`: the memory is the encoding, as a promise.

use podwire::{Codec, Trivial};

use crate::support::{facts, round};

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
#[repr(C)]
#[codec(trivial)]
struct Coordinate {
    x: f32,
    y: f32,
    z: f32,
}

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
#[repr(C)]
#[codec(trivial)]
struct Segment {
    from: Coordinate,
    to: glam::Vec3,
    flags: [bool; 4],
}

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
#[repr(C, packed)]
#[codec(trivial)]
struct PackedTrivial(u8, u64);

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
#[repr(transparent)]
#[codec(trivial)]
struct Meters<T: Trivial>(T);

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
#[repr(C)]
#[codec(trivial)]
struct Marked {
    value: f32,
    unit: std::marker::PhantomData<fn(String)>,
    nothing: (),
}

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
#[repr(transparent)]
#[codec(trivial)]
struct Typed<T: Trivial, U: 'static> {
    value: T,
    unit: std::marker::PhantomData<fn() -> U>,
}

#[test]
fn phantom_data_and_units_are_not_in_the_way_of_a_trivial_type() {
    let mut buffer = podwire::Buffer::new();
    let marked = Marked { value: 0.0, unit: std::marker::PhantomData, nothing: () };
    assert_eq!(podwire::serialize_trivial_type(&marked, &mut buffer).unwrap(), 4);
    let typed = Typed::<u16, bool> { value: 258, unit: std::marker::PhantomData };
    assert_eq!(podwire::serialize_trivial_type(&typed, &mut buffer).unwrap(), 2);
    assert_eq!(buffer.as_slice(), [0, 0, 0, 0, 2, 1]);
    assert_eq!(podwire::deserialize_trivial_type::<Marked>(&mut buffer).unwrap(), marked);
}

#[test]
fn a_trivial_type_is_its_memory() {
    fn trivial<T: Trivial>(value: &T) -> usize {
        let mut buffer = podwire::Buffer::new();
        podwire::serialize_trivial_type(value, &mut buffer).unwrap()
    }
    let coordinate = Coordinate { x: 1.0, y: 2.0, z: 3.0 };
    let segment = Segment { from: coordinate, to: glam::Vec3::ONE, flags: [true; 4] };
    assert_eq!((trivial(&coordinate), trivial(&segment)), (12, 28));
    assert_eq!((trivial(&PackedTrivial(1, 2)), trivial(&Meters(1.0_f64))), (9, 8));
    assert!(facts::<Coordinate>().plain && facts::<Segment>().bulk && facts::<PackedTrivial>().plain);
    round(&segment);
    round(&Meters(coordinate));
}
