//! The types of other crates: what they are on the wire, that they come back, and that hostile bytes do not become one.
//! Run with `--all-features`.

mod common;

use std::fmt::Debug;
use std::time::{Duration, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use common::Random;
use glam::{
    Affine2, Affine3A, DAffine2, DAffine3, DMat2, DMat3, DMat4, DQuat, DVec2, DVec3, DVec4, IVec2, IVec3,
    IVec4, Mat2, Mat3, Mat3A, Mat4, Quat, UVec2, UVec3, UVec4, Vec2, Vec3, Vec3A, Vec4,
};
use indexmap::{IndexMap, IndexSet};
use ndarray::{ArcArray, Array, Array1, Array2, ArrayD, Axis, Ix2, IxDyn, arr0, array, s};
use podwire_codec_core::schema::schema_of;
use podwire_codec_core::{
    Buffer, Codec, Encode, Error, IoReader, Limits, deserialize_with, from_slice, from_slice_with, to_vec,
};
use smallvec::SmallVec;
use uuid::Uuid;

/// The value comes back from memory and from a stream, also as an element and within a row; no prefix is a value; other
/// bytes are a value or an error.
#[track_caller]
fn round<T: Codec + PartialEq + Debug + Clone>(value: T) {
    let bytes = to_vec(&value).unwrap();
    assert_eq!(from_slice::<T>(&bytes).unwrap(), value);
    assert_eq!(T::deserialize(&mut IoReader(&bytes[..])).unwrap(), value);
    assert_eq!(T::deserialize(&mut Buffer::from(bytes.clone())).unwrap(), value);
    for length in 0..bytes.len() {
        let error = from_slice::<T>(&bytes[..length]).unwrap_err();
        assert!(matches!(error, Error::UnexpectedEnd { .. }), "{length} bytes: {error:?}");
        T::deserialize(&mut IoReader(&bytes[..length])).unwrap_err();
    }
    let row = (7_u8, value.clone(), String::from("behind"), vec![value.clone(), value]);
    let bytes = to_vec(&row).unwrap();
    assert_eq!(from_slice::<(u8, T, String, Vec<T>)>(&bytes).unwrap(), row);
    let mut random = Random(bytes.len() as u64 + 1);
    let modest = Limits { bytes: 1 << 20, items: 1_000, depth: 128 };
    for _ in 0..200 {
        let mut noise = bytes.clone();
        let at = random.below(noise.len());
        noise[at] = random.next() as u8;
        if let Ok(row) = from_slice_with::<(u8, T, String, Vec<T>)>(&noise, modest) {
            assert_eq!(to_vec(&row).unwrap().len(), noise.len());
        }
        drop(deserialize_with::<(u8, T, String, Vec<T>), _>(&mut IoReader(&noise[..]), modest));
    }
}

/// Two types are the same on the wire.
#[track_caller]
fn same<A: Encode + ?Sized, B: Encode + ?Sized>(one: &A, other: &B) {
    assert_eq!(to_vec(one).unwrap(), to_vec(other).unwrap());
    assert_eq!(schema_of::<A>().to_string(), schema_of::<B>().to_string());
}

#[track_caller]
fn out_of_range<T: Codec + Debug>(wire: &impl Encode) {
    let error = from_slice::<T>(&to_vec(wire).unwrap()).unwrap_err();
    assert!(matches!(error, Error::OutOfRange { offset: 0, .. }), "{error:?}");
}

#[test]
fn bytes_are_a_sequence_of_bytes() {
    same(&Bytes::from_static(b"pod"), &b"pod".to_vec());
    same(&BytesMut::from(&b"pod"[..]), &b"pod".to_vec());
    round(Bytes::from_static(b"pod"));
    round(Bytes::new());
    round(BytesMut::from(&b"pod"[..]));
    let large = Bytes::from(vec![7; 100_000]);
    assert_eq!(from_slice::<Bytes>(&to_vec(&large).unwrap()).unwrap(), large);
}

#[test]
fn a_small_vector_is_a_vector() {
    same(&SmallVec::<[u16; 4]>::from_slice(&[1, 2, 3]), &vec![1_u16, 2, 3]);
    round(SmallVec::<[u16; 4]>::from_slice(&[1, 2, 3]));
    round(SmallVec::<[u16; 2]>::from_slice(&[1, 2, 3]));
    round(SmallVec::<[String; 2]>::from_vec(vec!["a".into(), String::new(), "c".into()]));
    round(SmallVec::<[bool; 2]>::new());
    let few = from_slice::<SmallVec<[u16; 4]>>(&to_vec(&[1_u16, 2][..]).unwrap()).unwrap();
    assert!(!few.spilled());
}

#[test]
fn index_maps_keep_their_order() {
    let map: IndexMap<String, u8> = [("z".to_owned(), 1), ("a".to_owned(), 2), ("m".to_owned(), 3)].into();
    round(map.clone());
    let back: IndexMap<String, u8> = from_slice(&to_vec(&map).unwrap()).unwrap();
    assert_eq!(back.keys().collect::<Vec<_>>(), ["z", "a", "m"]);
    let sorted: std::collections::BTreeMap<String, u8> = map.clone().into_iter().collect();
    let mut by_key = map;
    by_key.sort_unstable_keys();
    same(&by_key, &sorted);
    round(IndexSet::<i32>::from([3, 1, 2]));
    round(IndexSet::<String>::default());
    same(&IndexSet::<i32>::from([1, 2]), &std::collections::BTreeSet::from([1, 2]));
    let twice = to_vec(&vec![1_u8, 1]).unwrap();
    assert!(matches!(from_slice::<IndexSet<u8>>(&twice), Err(Error::DuplicateKey { .. })));
    // A claim that nothing backs allocates nothing.
    let error = from_slice::<IndexMap<u64, u64>>(&[0xFE, 0xFF, 0xFF, 0xFF, 0, 0]).unwrap_err();
    assert!(matches!(error, Error::UnexpectedEnd { .. }), "{error:?}");
    let small = Limits { bytes: 100, ..Limits::DEFAULT };
    let error = from_slice_with::<IndexSet<u8>>(&to_vec(&vec![1_u8, 2, 3]).unwrap(), small).unwrap_err();
    assert!(matches!(error, Error::ByteLimit { .. }), "{error:?}");
}

#[test]
fn a_uuid_is_sixteen_bytes() {
    let id = Uuid::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    same(&id, &[1_u8, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    same(&vec![id, Uuid::nil()], &vec![*id.as_bytes(), [0; 16]]);
    round(id);
    round(vec![id; 3]);
    round(Some(Uuid::max()));
}

#[test]
fn points_of_time_are_those_of_the_standard_library() {
    for (seconds, nanos) in [(0, 0), (1_700_000_000, 123_456_789), (-1, 999_999_999), (-86_400, 1)] {
        let time = DateTime::from_timestamp(seconds, nanos).unwrap();
        same(&time, &(seconds, nanos));
        let duration = Duration::from_nanos(time.timestamp_nanos_opt().unwrap().unsigned_abs());
        same(&time, &if seconds < 0 { UNIX_EPOCH - duration } else { UNIX_EPOCH + duration });
        same(&time.naive_utc(), &(seconds, nanos));
        round(time);
        round(time.naive_utc());
        round(time.with_timezone(&FixedOffset::east_opt(-5 * 3600).unwrap()));
    }
    for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        round(time);
        round(time.naive_utc());
    }
    // Not the last second of a minute, but chrono has it.
    let time = NaiveTime::from_hms_opt(12, 0, 30).unwrap().with_nanosecond(1_500_000_000).unwrap();
    round(time);
    round(NaiveDate::MAX.and_time(time));
    round(NaiveDate::MIN.and_time(time).and_utc());
    // A leap second.
    round(
        NaiveDate::from_ymd_opt(2016, 12, 31).unwrap().and_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap(),
    );
    let offset = DateTime::parse_from_rfc3339("2024-02-29T23:30:00.5+05:30").unwrap();
    same(&offset, &(1_709_229_600_i64, 500_000_000_u32, 19_800_i32));
    let back: DateTime<FixedOffset> = from_slice(&to_vec(&offset).unwrap()).unwrap();
    assert_eq!((back.naive_local(), back.offset()), (offset.naive_local(), offset.offset()));
    out_of_range::<DateTime<Utc>>(&(i64::MAX, 0_u32));
    out_of_range::<DateTime<Utc>>(&(0_i64, 2_000_000_000_u32));
    out_of_range::<NaiveDateTime>(&(0_i64, u32::MAX));
    out_of_range::<DateTime<FixedOffset>>(&(0_i64, 0_u32, 86_400_i32));
    out_of_range::<DateTime<FixedOffset>>(&(0_i64, 0_u32, i32::MIN));
    // The time is one, but not where it is to be shown.
    let last = DateTime::<Utc>::MAX_UTC.timestamp();
    out_of_range::<DateTime<FixedOffset>>(&(last, 0_u32, 86_399_i32));
}

#[test]
fn dates_are_days_times_of_day_are_seconds_and_spans_are_rounded_down() {
    same(&NaiveDate::from_ymd_opt(1970, 1, 1).unwrap(), &0_i32);
    same(&NaiveDate::from_ymd_opt(1969, 12, 31).unwrap(), &-1_i32);
    same(&NaiveDate::from_ymd_opt(2024, 2, 29).unwrap(), &19_782_i32);
    for date in [NaiveDate::MIN, NaiveDate::MAX, NaiveDate::from_ymd_opt(-44, 3, 15).unwrap()] {
        round(date);
    }
    out_of_range::<NaiveDate>(&i32::MAX);
    out_of_range::<NaiveDate>(&i32::MIN);
    same(&NaiveTime::from_hms_nano_opt(1, 0, 1, 5).unwrap(), &(3_601_u32, 5_u32));
    round(NaiveTime::from_hms_nano_opt(23, 59, 59, 1_999_999_999).unwrap());
    out_of_range::<NaiveTime>(&(86_400_u32, 0_u32));
    out_of_range::<NaiveTime>(&(0_u32, 2_000_000_000_u32));
    same(&TimeDelta::new(5, 7).unwrap(), &(5_i64, 7_u32));
    same(&TimeDelta::nanoseconds(-1), &(-1_i64, 999_999_999_u32));
    same(&TimeDelta::seconds(-3), &(-3_i64, 0_u32));
    for span in [TimeDelta::MIN, TimeDelta::MAX, TimeDelta::zero(), TimeDelta::milliseconds(-1_500)] {
        round(span);
    }
    out_of_range::<TimeDelta>(&(i64::MIN, 0_u32));
    out_of_range::<TimeDelta>(&(0_i64, 1_000_000_000_u32));
}

#[test]
fn vectors_and_matrices_are_their_numbers() {
    macro_rules! built {
        ($($to:ident $from:ident $by:tt: $($type:ident: $number:ident)+;)+) => {$($(
            let mut numbers = $type::default().$to();
            for (at, number) in numbers.iter_mut().enumerate() {
                *number = (at + 1) as $number;
            }
            let value = built!($by $type $from numbers);
            same(&value, &numbers);
            same(&vec![value; 3], &vec![numbers; 3]);
            same(&[Some(value), None], &[Some(numbers), None]);
            round(value);
            round(vec![value; 5]);
            round([value; 2]);
        )+)+};
        (value $type:ident $from:ident $numbers:ident) => { $type::$from($numbers) };
        (reference $type:ident $from:ident $numbers:ident) => { $type::$from(&$numbers) };
    }
    built! {
        to_array from_array value:
            Vec2: f32 Vec3: f32 Vec3A: f32 Vec4: f32 Quat: f32 DVec2: f64 DVec3: f64 DVec4: f64 DQuat: f64
            IVec2: i32 IVec3: i32 IVec4: i32 UVec2: u32 UVec3: u32 UVec4: u32;
        to_cols_array from_cols_array reference:
            Mat2: f32 Mat3: f32 Mat3A: f32 Mat4: f32 DMat2: f64 DMat3: f64 DMat4: f64
            Affine2: f32 Affine3A: f32 DAffine2: f64 DAffine3: f64;
    }
    // Behind a type parameter, where plain data without a codec is not found.
    fn generic<T: Codec>(value: &T) -> usize {
        to_vec(value).unwrap().len()
    }
    assert_eq!(generic(&(Vec3::ONE, Vec3A::ONE, Mat4::IDENTITY)), 12 + 12 + 64);
}

#[test]
fn an_array_is_its_shape_and_its_elements_in_logical_order() {
    let matrix = array![[1_u16, 2, 3], [4, 5, 6]];
    let wire = (vec![2_u64, 3], vec![1_u16, 2, 3, 4, 5, 6]);
    assert_eq!(to_vec(&matrix).unwrap(), to_vec(&wire).unwrap());
    assert_eq!(schema_of::<Array2<u16>>().to_string(), "struct{shape:[u64],elements:[u16]}");
    // Whatever its strides: transposed, reversed, stepped, as a view.
    let mut column_major = Array2::zeros(ndarray::ShapeBuilder::f((2, 3)));
    column_major.assign(&matrix);
    assert!(column_major.as_slice().is_none());
    assert_eq!(to_vec(&column_major).unwrap(), to_vec(&wire).unwrap());
    let transposed: Array2<u16> = from_slice(&to_vec(&matrix.t()).unwrap()).unwrap();
    assert_eq!(transposed, matrix.t());
    let stepped = matrix.slice(s![..;-1, ..;2]);
    assert_eq!(from_slice::<Array2<u16>>(&to_vec(&stepped).unwrap()).unwrap(), stepped);

    round(matrix.clone());
    round(matrix.clone().into_dyn());
    round(matrix.into_shared());
    round(arr0(7_i64));
    round(Array1::<f32>::zeros(0));
    round(array![["a".to_owned(), String::new()], ["c".into(), "d".into()]]);
    round(Array::<bool, _>::from_elem((2, 0, 3), true));
    round(ArrayD::<u8>::from_elem(IxDyn(&[1; 12]), 7));
    round(ArcArray::<(u8, bool), Ix2>::from_elem((2, 2), (1, true)));
    round(array![[[1_u8]], [[2]]].index_axis_move(Axis(1), 0));
}

#[test]
fn a_shape_that_does_not_fit_makes_no_array() {
    for shape in
        [vec![], vec![6], vec![2, 2], vec![2, 3, 1], vec![3, 3], vec![0, 6], vec![u64::MAX, u64::MAX]]
    {
        out_of_range::<Array2<u16>>(&(shape, vec![1_u16, 2, 3, 4, 5, 6]));
    }
    for shape in [vec![0, u64::MAX, u64::MAX], vec![1 << 32, 1 << 32], vec![7]] {
        out_of_range::<ArrayD<u16>>(&(shape.clone(), Vec::<u16>::new()));
        out_of_range::<ArrayD<()>>(&(shape, Vec::<()>::new()));
    }
    let claim = [1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 0, 0, 0, 0];
    let error = from_slice::<Array1<f64>>(&claim).unwrap_err();
    assert!(matches!(error, Error::UnexpectedEnd { .. }), "{error:?}");
    Array1::<f64>::deserialize(&mut IoReader(&claim[..])).unwrap_err();
}
