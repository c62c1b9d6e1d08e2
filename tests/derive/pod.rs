//! Plain old data of other crates, without a word.

use bytemuck::{CheckedBitPattern, NoUninit, Pod, Zeroable};
use podwire::schema::schema_of;
use podwire::{Codec, Error, from_slice};

use crate::support::{facts, golden, round};

/// Another crate's types, which know nothing of podwire.
pub(crate) mod foreign {
    use super::{CheckedBitPattern, NoUninit, Pod, Zeroable};

    #[derive(Debug, PartialEq, Clone, Copy, Pod, Zeroable)]
    #[repr(C)]
    pub(crate) struct Sample {
        pub(crate) time: u32,
        pub(crate) value: f32,
    }

    #[derive(Debug, PartialEq, Clone, Copy, NoUninit, CheckedBitPattern)]
    #[repr(u8)]
    pub(crate) enum Axis {
        X = 1,
        Y = 2,
    }

    #[derive(Debug, PartialEq, Clone, Copy, Zeroable)]
    #[repr(transparent)]
    pub(crate) struct Meters<T>(pub(crate) T);

    #[allow(unsafe_code, reason = "`repr(transparent)`")]
    // SAFETY: the memory is that of `T`.
    unsafe impl<T: Pod> Pod for Meters<T> {}
}

use foreign::{Axis, Meters, Sample};

#[derive(Debug, PartialEq, Codec)]
struct Particle {
    id: u16,
    position: glam::Vec3,
    sample: foreign::Sample,
    axis: Axis,
    trail: Vec<glam::Vec3>,
    target: Option<Sample>,
    corners: [glam::Vec2; 2],
    axes: [Axis; 2],
    history: Vec<Option<[Axis; 2]>>,
    maybe: Option<Vec<glam::Vec4>>,
    many: [Vec<Sample>; 2],
    distance: Meters<f32>,
}

fn particle() -> Particle {
    Particle {
        id: 1,
        position: glam::vec3(1.0, 2.0, 3.0),
        sample: Sample { time: 4, value: 5.0 },
        axis: Axis::Y,
        trail: vec![glam::Vec3::X, glam::Vec3::Y],
        target: Some(Sample { time: 6, value: 7.0 }),
        corners: [glam::Vec2::ZERO, glam::Vec2::ONE],
        axes: [Axis::X, Axis::Y],
        history: vec![None, Some([Axis::X, Axis::X])],
        maybe: Some(vec![glam::Vec4::ONE]),
        many: [vec![], vec![Sample { time: 8, value: 9.0 }]],
        distance: Meters(10.0),
    }
}

#[test]
fn plain_data_of_another_crate_is_a_field_without_a_word() {
    round(&particle());
    assert_eq!(
        schema_of::<Particle>().to_string(),
        "struct{id:u16,position:pod(12),sample:pod(8),axis:pod(1),trail:[pod(12)],target:?pod(8),\
         corners:pod(16),axes:[pod(1);2],history:[?[pod(1);2]],maybe:?[pod(16)],many:[[pod(8)];2],\
         distance:pod(4)}"
    );
}

#[derive(Debug, PartialEq, Codec)]
struct Small {
    axis: Axis,
    samples: Vec<Sample>,
    next: Option<Axis>,
}

#[test]
fn plain_data_is_its_bytes() {
    let value = Small { axis: Axis::Y, samples: vec![Sample { time: 3, value: 0.0 }], next: Some(Axis::X) };
    golden(&value, &[2, 1, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 1]);
}

#[derive(Debug, PartialEq, Codec)]
struct Ray {
    sample: Sample,
    origin: glam::Vec3,
    direction: glam::Vec3,
}

#[derive(Debug, PartialEq, Codec)]
struct Oriented {
    axis: Axis,
    other: Axis,
}

#[test]
fn a_struct_of_plain_data_is_plain() {
    let found = facts::<Ray>();
    assert!(found.plain);
    assert_eq!(found.head, 32);
    let ray =
        || Ray { origin: glam::Vec3::X, direction: glam::Vec3::Y, sample: Sample { time: 1, value: 2.0 } };
    round(&vec![ray(), ray()]);
    let found = facts::<Oriented>();
    assert!(found.bulk && !found.plain);
}

#[test]
fn a_bit_pattern_that_is_no_value_is_an_error() {
    for bytes in [&[3, 0, 0, 0, 0, 0][..], &[0, 0, 0, 0, 0, 0], &[1, 0, 0, 0, 0, 1, 9]] {
        let error = from_slice::<Small>(bytes).unwrap_err();
        assert!(matches!(error, Error::InvalidValue { .. }), "{error}");
    }
    let error = from_slice::<Oriented>(&[1, 7]).unwrap_err();
    assert!(matches!(error, Error::InvalidValue { offset: 1, found: 7, .. }), "{error}");
}

#[derive(Debug, PartialEq, Codec)]
enum Shape {
    Point(glam::Vec3),
    Line { from: glam::Vec3, to: glam::Vec3 },
    Cloud(Vec<glam::Vec3>, Option<Axis>),
}

#[test]
fn plain_data_may_stand_in_a_variant() {
    round(&Shape::Point(glam::Vec3::ONE));
    round(&Shape::Line { from: glam::Vec3::X, to: glam::Vec3::Y });
    round(&Shape::Cloud(vec![glam::Vec3::ONE; 5], Some(Axis::X)));
}

#[derive(Debug, PartialEq, Codec)]
struct OfParameter<T> {
    #[codec(pod)]
    value: T,
    #[codec(pod)]
    values: Vec<Meters<T>>,
    other: u8,
}

#[test]
fn a_parameter_is_plain_data_if_the_field_says_so() {
    let value = OfParameter { value: Sample { time: 1, value: 2.0 }, values: vec![], other: 3 };
    round(&value);
    golden(&OfParameter { value: 1_u8, values: vec![Meters(2)], other: 3 }, &[1, 1, 0, 0, 0, 3, 2]);
}

#[derive(Debug, PartialEq, Clone, Copy, Pod, Zeroable, Codec)]
#[repr(transparent)]
struct Both(u32);

#[derive(Debug, PartialEq, Codec)]
struct Ways {
    codec: Both,
    #[codec(pod)]
    pod: Both,
}

#[test]
fn a_codec_goes_before_plain_data_unless_the_field_says_otherwise() {
    assert_eq!(schema_of::<Ways>().to_string(), "struct{codec:struct{0:u32},pod:pod(4)}");
    round(&Ways { codec: Both(1), pod: Both(2) });
}

#[derive(Debug, PartialEq, Clone, Copy, Codec)]
#[repr(C, packed)]
struct PackedPod {
    small: u8,
    sample: Sample,
}

#[test]
fn a_packed_struct_may_hold_plain_data() {
    assert!(facts::<PackedPod>().plain);
    round(&PackedPod { small: 1, sample: Sample { time: 1, value: 2.0 } });
}
