//! Tensors and buffers as a user sees them: views that share memory, and messages that copy none of it.

mod common;

use std::sync::Arc;

use common::Random;
use num_complex::Complex;
use podwire_codec_core::endpoint::{Capabilities, Placement};
use podwire_codec_core::tensor::{
    AudioBuffer, AudioLayout, DType, PixelFormat, Plane, SampleFormat, Tensor, TensorError, TensorMap,
    VideoBuffer,
};
use podwire_codec_core::{
    Bulk, Codec, Endpoint, Error, Gather, Owner, Result, Segment, encoded_len, from_slice, serialize, to_vec,
};

/// Carries segments, and counts every byte that is copied through it, out and in.
#[derive(Default)]
struct Ledger {
    inner: Gather,
    out: usize,
    back: usize,
}

impl Endpoint for Ledger {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.out += bytes.len();
        self.inner.write(bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.back += bytes.len();
        self.inner.read(bytes)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn attach(&mut self, segment: &Segment) -> Result<Option<u32>> {
        self.inner.attach(segment)
    }

    fn take_segment(&mut self, placement: Placement<'_>) -> Result<Segment> {
        self.inner.take_segment(placement)
    }
}

/// Sends a value, and says what came, and how many bytes were copied.
fn sent<T: Codec>(value: &T) -> (T, usize, usize) {
    let mut ledger = Ledger::default();
    serialize(value, &mut ledger).unwrap();
    let received = T::deserialize(&mut ledger).unwrap();
    (received, ledger.out, ledger.back)
}

fn at(segment: &Segment) -> *const u8 {
    segment.bytes().unwrap().as_ptr()
}

#[track_caller]
fn tensor_error<T: std::fmt::Debug>(found: Result<T>) -> TensorError {
    match found {
        Err(Error::Tensor(error)) => *error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tensor_is_not_copied_where_segments_are_carried() {
    let tensor = Tensor::from_vec(vec![0.5_f32; 1_000_000], &[100, 100, 100]).unwrap();
    let (received, out, back) = sent(&tensor);
    assert_eq!((out, back), (52, 52), "shape and type, and none of 4,000,000 bytes");
    assert_eq!(at(received.segment()), at(tensor.segment()));

    let part = tensor.part(2, 3..99).unwrap();
    let (received, out, _) = sent(&part);
    assert!(out < 100, "three strides more: {out}");
    assert_eq!((received.strides(), at(received.segment())), (part.strides(), at(part.segment())));
}

#[test]
fn maps_frames_and_audio_are_not_copied_where_segments_are_carried() {
    let map: TensorMap =
        ["a", "b"].map(|name| (name.to_string(), Tensor::from(vec![1_u16; 50_000]))).into_iter().collect();
    let (received, out, back) = sent(&map);
    assert!(out < 120 && back < 120, "{out} and {back} of 200,000 bytes");
    assert_eq!(at(received["b"].segment()), at(map["b"].segment()));

    let frame = VideoBuffer::new(640, 480, PixelFormat::Nv12, vec![7; 460_800].into()).unwrap();
    let (received, out, back) = sent(&frame);
    assert!(out < 100 && back < 100, "{out} and {back} of 460,800 bytes");
    assert_eq!(at(received.segment()), at(frame.segment()));

    let audio = AudioBuffer::from_vec(vec![0_i16; 96_000], 2, 48_000, AudioLayout::Interleaved).unwrap();
    let (received, out, back) = sent(&audio);
    assert!(out < 100 && back < 100, "{out} and {back} of 192,000 bytes");
    assert_eq!(at(received.segment()), at(audio.segment()));
}

#[test]
fn inline_only_the_elements_of_a_part_travel() {
    let tensor = Tensor::from_vec((0..10_000_u32).collect(), &[100, 100]).unwrap();
    let column = tensor.part(1, 7..8).unwrap();
    assert_eq!(encoded_len(&column).unwrap(), 7 + 8 + 16 + 9 + 400);
    let received: Tensor = from_slice(&to_vec(&column).unwrap()).unwrap();
    assert!(received.is_contiguous());
    assert_eq!(received, column, "equal elements, wherever they lie");
    assert_eq!(received.as_slice::<u32>().unwrap()[99], 9_907);
}

#[test]
fn every_element_type_comes_back_aligned() {
    fn check<T: podwire_codec_core::tensor::Element + PartialEq + std::fmt::Debug>(value: T) {
        assert_eq!(T::DTYPE.alignment(), align_of::<T>());
        let tensor = Tensor::from_vec(vec![value; 6], &[2, 3]).unwrap();
        let bytes = to_vec(&(7_u8, tensor)).unwrap();
        for shift in 0..16 {
            let shifted = [&vec![0; shift][..], &bytes].concat();
            let (_, received): (u8, Tensor) = from_slice(&shifted[shift..]).unwrap();
            assert_eq!(received.as_slice::<T>().unwrap(), [value; 6]);
        }
    }
    check(1_u8);
    check(2_u16);
    check(3_u32);
    check(4_u64);
    check(-1_i8);
    check(-2_i16);
    check(-3_i32);
    check(-4_i64);
    check(0.5_f32);
    check(0.25_f64);
    check(true);
    check(Complex::new(1.0_f32, 2.0));
    check(Complex::new(1.0_f64, 2.0));
    check([1.0_f32, 2.0]);
    #[cfg(feature = "half")]
    check(half::f16::from_f32(0.5));
    #[cfg(feature = "half")]
    check(half::bf16::from_f32(0.5));
}

#[test]
fn views_share_memory_and_say_what_is_wrong() {
    let tensor = Tensor::from_vec(vec![1_i16, 2, 3, 4, 5, 6], &[2, 3]).unwrap();
    assert_eq!((tensor.dtype(), tensor.rank(), tensor.len()), (DType::I16, 2, 6));
    assert_eq!((tensor.shape(), tensor.strides()), (&[2, 3][..], &[3, 1][..]));
    let clone = tensor.clone();
    assert_eq!(at(clone.segment()), at(tensor.segment()));

    let wrong = tensor_error(tensor.as_slice::<u16>());
    assert_eq!(wrong, TensorError::WrongType { wanted: DType::U16, found: DType::I16 });
    assert_eq!(wrong.to_string(), "the elements are i16, not u16");

    let row = tensor.part(0, 1..2).unwrap();
    assert_eq!(row.as_slice::<i16>().unwrap(), [4, 5, 6]);
    let column = tensor.part(1, 1..2).unwrap();
    assert_eq!(tensor_error(column.as_slice::<i16>()), TensorError::NotContiguous);
    assert_eq!(column.to_vec::<i16>().unwrap(), [2, 5]);
    assert_eq!(column.part(0, 1..2).unwrap().as_slice::<i16>().unwrap(), [5], "a part of a part");
    assert!(tensor.part(1, 3..3).unwrap().is_empty());
    for (axis, range) in [(2, 0..1), (1, 2..4)] {
        assert!(matches!(tensor_error(tensor.part(axis, range)), TensorError::Range { .. }));
    }
    #[allow(clippy::reversed_empty_ranges, reason = "that is what is refused")]
    let backwards = tensor.part(0, 1..0);
    assert!(matches!(tensor_error(backwards), TensorError::Range { .. }));

    assert_eq!(tensor.reshape(&[3, 2]).unwrap().strides(), [2, 1]);
    assert_eq!(tensor.reshape(&[6, 1, 1]).unwrap().as_slice::<i16>().unwrap().len(), 6);
    assert_eq!(tensor_error(tensor.reshape(&[4])), TensorError::Count { wanted: 4, found: 6 });
    assert_eq!(tensor_error(column.reshape(&[2])), TensorError::NotContiguous);
    let wrong = Tensor::from_vec(vec![1_u32], &[2]);
    assert_eq!(tensor_error(wrong), TensorError::Length { wanted: 8, found: 4 });
}

#[test]
fn a_turned_tensor_has_parts_of_its_own() {
    let memory = Segment::from((0..24).collect::<Vec<u8>>());
    let turned = Tensor::from_strides(memory, DType::U8, &[2, 3, 4], &[12, -4, -1], 11).unwrap();
    let all = turned.to_vec::<u8>().unwrap();
    assert_eq!(all[..6], [11, 10, 9, 8, 7, 6]);
    let part = turned.part(1, 1..3).unwrap().part(2, 0..2).unwrap();
    assert_eq!(part.to_vec::<u8>().unwrap(), [7, 6, 3, 2, 19, 18, 15, 14]);
    assert_eq!(part.segment().length(), 18, "only what the elements reach over");
    assert_eq!(sent(&part).0, part);
}

#[test]
fn equal_tensors_have_equal_elements() {
    let one = Tensor::from_vec(vec![1_u8, 2, 3, 4], &[2, 2]).unwrap();
    let memory = Segment::from(vec![1_u8, 9, 2, 3, 9, 4]);
    let spread = Tensor::from_strides(memory, DType::U8, &[2, 2], &[3, 2], 0).unwrap();
    assert_eq!(one, spread);
    let memory = Segment::from(vec![1_u8, 8, 2, 3, 8, 4]);
    let gaps = Tensor::from_strides(memory, DType::U8, &[2, 2], &[3, 2], 0).unwrap();
    assert_eq!(spread, gaps, "what lies between the elements is none of them");
    assert_ne!(one, one.reshape(&[4]).unwrap());
    assert_ne!(Tensor::from(vec![0_u8]), Tensor::from(vec![0_i8]));
    assert_ne!(Tensor::from(vec![0.0_f32]), Tensor::from(vec![-0.0_f32]), "the same bytes");
    let nan = Tensor::from(vec![f32::NAN]);
    assert_eq!(nan, nan.clone());
}

#[test]
fn bulks_are_equal_where_their_elements_are() {
    let bulk = |elements: &[u16]| Bulk::from(elements.to_vec());
    assert_eq!(bulk(&[1, 2]), bulk(&[1, 2]));
    for other in [&[1, 3][..], &[1], &[1, 2, 0], &[]] {
        assert_ne!(bulk(&[1, 2]), bulk(other));
    }
}

#[test]
fn a_bulk_is_a_tensor_of_one_dimension() {
    let bulk = Bulk::from(vec![1.0_f64, 2.0]);
    let tensor = Tensor::from(bulk.clone());
    assert_eq!(tensor.as_slice::<f64>().unwrap().as_ptr(), bulk.as_ptr());
    assert_eq!(*Bulk::<f64>::from_segment(tensor.segment().clone()).unwrap(), [1.0, 2.0]);
}

#[test]
fn every_pixel_format_has_planes_that_are_tensors() {
    for format in PixelFormat::ALL.iter().copied() {
        let (width, height) = (5, 3);
        let bytes: u64 = format
            .planes()
            .iter()
            .map(|plane| {
                let columns = u64::from(width).div_ceil(plane.columns.into());
                let rows = u64::from(height).div_ceil(plane.rows.into());
                columns * rows * u64::from(plane.channels) * plane.dtype.size() as u64
            })
            .sum();
        let words = Bulk::from(vec![1_u64; bytes as usize / 8 + 1]);
        let memory = words.segment().part(0..bytes as usize).unwrap();
        let frame = VideoBuffer::new(width, height, format, memory).unwrap();
        assert_eq!(from_slice::<VideoBuffer>(&to_vec(&frame).unwrap()).unwrap(), frame, "{format}");
        for (number, plane) in format.planes().iter().enumerate() {
            let tensor = frame.plane(number).unwrap();
            assert_eq!((tensor.dtype(), tensor.shape()[2]), (plane.dtype, plane.channels.into()), "{format}");
        }
        assert!(matches!(tensor_error(frame.plane(format.planes().len())), TensorError::Planes { .. }));
        let empty = VideoBuffer::new(0, 0, format, Segment::from(vec![])).unwrap();
        assert!(empty.plane(0).unwrap().is_empty(), "{format}");
    }
}

#[test]
fn rows_of_a_plane_may_have_gaps() {
    let memory = Segment::from(vec![1_u8, 2, 3, 0xFF, 4, 5, 6, 0xFF]);
    let plane = Plane { offset: 0, stride: 4, size: 8 };
    let frame = VideoBuffer::with_planes(1, 2, PixelFormat::Rgb8, vec![plane], memory).unwrap();
    let pixels = frame.plane(0).unwrap();
    assert_eq!((pixels.shape(), pixels.to_vec::<u8>().unwrap()), (&[2, 1, 3][..], vec![1, 2, 3, 4, 5, 6]));
    assert_eq!(from_slice::<VideoBuffer>(&to_vec(&frame).unwrap()).unwrap(), frame);
}

#[test]
fn channels_are_found_in_either_layout() {
    let samples = vec![1_i32, 2, 3, 4, 5, 6];
    let planar = AudioBuffer::from_vec(samples.clone(), 2, 44_100, AudioLayout::Planar).unwrap();
    assert_eq!(planar.channel(1).unwrap().as_slice::<i32>().unwrap(), [4, 5, 6]);
    let mixed = AudioBuffer::from_vec(samples, 2, 44_100, AudioLayout::Interleaved).unwrap();
    assert_eq!(mixed.channel(1).unwrap().to_vec::<i32>().unwrap(), [2, 4, 6]);
    assert_eq!(mixed.channel(1).unwrap().shape(), [3]);
    assert!(matches!(tensor_error(mixed.channel(2)), TensorError::Range { .. }));
    assert!(matches!(tensor_error(mixed.channel(u32::MAX)), TensorError::Range { .. }));
    let memory = Segment::from(vec![1_u8, 2, 3, 4, 5, 6]);
    let wide = AudioBuffer::new(SampleFormat::I24, AudioLayout::Interleaved, 2, 1, 8_000, memory).unwrap();
    assert_eq!(wide.channel(1).unwrap().to_vec::<u8>().unwrap(), [4, 5, 6]);
}

/// Any strides, against the definition: an element lies at the offset plus the sum of index times stride.
#[test]
fn random_strides_lead_where_their_definition_says() {
    let mut random = Random(7);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let rank = random.below(5);
        let shape: Vec<usize> = (0..rank).map(|_| random.below(4)).collect();
        let strides: Vec<isize> = (0..rank).map(|_| random.below(25) as isize - 12).collect();
        let offset = random.below(64);
        let memory = Segment::from((0..64).collect::<Vec<u8>>());
        let mut expected = vec![offset as isize];
        for (extent, stride) in shape.iter().zip(&strides) {
            let extent = *extent as isize;
            expected =
                expected.iter().flat_map(|at| (0..extent).map(move |index| at + index * stride)).collect();
        }
        let tensor = match Tensor::from_strides(memory, DType::U8, &shape, &strides, offset) {
            Ok(tensor) => tensor,
            Err(Error::Tensor(error)) => {
                match *error {
                    TensorError::OutOfBounds { .. } => {
                        assert!(expected.iter().any(|at| !(0..64).contains(at)), "{shape:?} {strides:?}");
                    }
                    TensorError::Repeated { .. } => {
                        expected.sort_unstable();
                        assert!(expected.windows(2).any(|pair| pair[0] == pair[1]), "{shape:?} {strides:?}");
                    }
                    other => panic!("{other}"),
                }
                continue;
            }
            Err(other) => panic!("{other}"),
        };
        accepted += 1;
        let found = tensor.to_vec::<u8>().unwrap();
        assert!(found.iter().map(|at| *at as isize).eq(expected.iter().copied()), "{shape:?} {strides:?}");
        let packed: Tensor = from_slice(&to_vec(&tensor).unwrap()).unwrap();
        assert_eq!((&packed, packed.as_slice::<u8>().unwrap()), (&tensor, &found[..]));
        let mut gather = Gather::with_capabilities(Capabilities { segments: 1, threshold: 0 });
        serialize(&tensor, &mut gather).unwrap();
        let attached = Tensor::deserialize(&mut gather).unwrap();
        assert_eq!((attached.strides(), &attached), (tensor.strides(), &tensor));
        #[cfg(feature = "ndarray")]
        assert!(tensor.view::<u8>().unwrap().iter().eq(&found));
    }
    assert!(accepted > 5_000, "{accepted}");
}

#[cfg(feature = "ndarray")]
mod arrays {
    use super::{DType, Tensor, tensor_error};
    use ndarray::{Array, Array2, Array3, ArrayD, Axis, IxDyn, ShapeBuilder, array, s};
    use podwire_codec_core::tensor::TensorError;

    #[test]
    fn an_array_becomes_a_tensor_and_a_view_without_a_copy() {
        let array = Array3::from_shape_fn((4, 5, 6), |(z, y, x)| (100 * z + 10 * y + x) as f32);
        let (same, start) = (array.clone(), array.as_ptr());
        let tensor = Tensor::from(array);
        assert_eq!((tensor.dtype(), tensor.shape()), (DType::F32, &[4, 5, 6][..]));
        let view = tensor.view::<f32>().unwrap();
        assert_eq!((view.as_ptr(), view), (start, same.view().into_dyn()));
    }

    #[test]
    fn arrays_of_any_layout_keep_it() {
        let column_major = Array2::from_shape_fn((3, 4).f(), |(y, x)| (10 * y + x) as i16);
        let mut turned = column_major.clone();
        turned.invert_axis(Axis(0));
        let mut sliced = Array2::from_shape_fn((6, 9), |(y, x)| (10 * y + x) as i16);
        sliced.slice_collapse(s![1..;2, ..;-2]);
        let mut single = sliced.clone();
        single.slice_collapse(s![.., 2..3]);
        let empty = Array2::<i16>::zeros((3, 0));
        for array in [column_major, turned, sliced, single, empty] {
            let expected = array.clone();
            let tensor = Tensor::from(array);
            assert_eq!(tensor.view::<i16>().unwrap(), expected.view().into_dyn());
            assert!(tensor.to_vec::<i16>().unwrap().iter().eq(expected.iter()), "row-major order");
            let received: Tensor =
                podwire_codec_core::from_slice(&podwire_codec_core::to_vec(&tensor).unwrap()).unwrap();
            assert_eq!(received.view::<i16>().unwrap(), expected.view().into_dyn());
        }
        let part = Tensor::from(Array2::from_shape_fn((6, 9), |(y, x)| (10 * y + x) as u8));
        let part = part.part(0, 2..4).unwrap().part(1, 3..5).unwrap();
        assert_eq!(part.view::<u8>().unwrap(), array![[23, 24], [33, 34]].into_dyn());
    }

    #[test]
    fn every_rank_becomes_a_tensor() {
        assert_eq!(Tensor::from(ndarray::arr0(1.5_f64)).view::<f64>().unwrap()[IxDyn(&[])], 1.5);
        assert!(Tensor::from(array![false, true]).view::<bool>().unwrap()[1]);
        assert_eq!(Tensor::from(Array::<u8, _>::zeros((1, 2, 3, 4, 5, 6))).rank(), 6);
        assert_eq!(Tensor::try_from(ArrayD::<u8>::zeros(vec![1; 32])).unwrap().rank(), 32);
        let found = Tensor::try_from(ArrayD::<u8>::zeros(vec![1; 33]));
        assert_eq!(tensor_error(found), TensorError::Rank { found: 33 });
        let huge = Array2::<f64>::zeros((isize::MAX as usize, 0));
        assert!(Tensor::from(huge).view::<f64>().is_ok());
    }
}

/// Memory of which the host knows nothing but that there is a lot of it.
struct Vast;

impl Owner for Vast {
    fn bytes(&self) -> Option<&[u8]> {
        None
    }

    fn length(&self) -> usize {
        isize::MAX as usize
    }
}

#[test]
fn the_end_of_a_dimension_may_lie_beyond_the_address_space() {
    let memory = Segment::new(Arc::new(Vast));
    let tensor = Tensor::from_strides(memory, DType::U8, &[2], &[isize::MAX - 1], 0).unwrap();
    assert!(tensor.part(0, 2..2).unwrap().is_empty());
    assert_eq!(tensor.part(0, 1..2).unwrap().segment().start(), isize::MAX as usize - 1);
}
