//! Hostile tensors and buffers: cases 31 and 32 of the list of hostile cases.

mod common;

use std::sync::Arc;

use common::hex;
use podwire_codec_core::endpoint::Capabilities;
use podwire_codec_core::message::{self, Message, Metadata};
use podwire_codec_core::tensor::{
    AudioBuffer, AudioLayout, DType, Device, PixelFormat, Plane, Tensor, TensorError, VideoBuffer,
};
use podwire_codec_core::{
    Buffer, Bulk, Codec, Error, Gather, IoReader, Limits, MemoryKind, Owner, Segment, from_slice,
    from_slice_with, serialize, to_vec,
};

/// The packed bytes of a tensor on the host, inline if there is no segment.
fn packed(dtype: u8, shape: &[u64], strides: &[i64], segment: Option<u32>, memory: (u64, &[u8])) -> Vec<u8> {
    let mut bytes = vec![dtype, 1, 0, 0, 0, 0, 0];
    bytes.extend((shape.len() as u32).to_le_bytes());
    bytes.extend((strides.len() as u32).to_le_bytes());
    bytes.extend(shape.iter().flat_map(|extent| extent.to_le_bytes()));
    bytes.extend(strides.iter().flat_map(|stride| stride.to_le_bytes()));
    bytes.push(u8::from(segment.is_some()));
    bytes.extend(memory.0.to_le_bytes());
    match segment {
        Some(index) => bytes.extend(index.to_le_bytes()),
        None => bytes.extend(memory.1),
    }
    bytes
}

/// A tensor of bytes in row-major order, inline.
fn inline(shape: &[u64], memory: &[u8]) -> Result<Tensor, Error> {
    read(&packed(1, shape, &[], None, (memory.len() as u64, memory)))
}

/// Reads from a slice and from a stream, which agree.
fn read(bytes: &[u8]) -> Result<Tensor, Error> {
    let found = from_slice::<Tensor>(bytes);
    let streamed = Tensor::deserialize(&mut IoReader(bytes));
    match (&found, &streamed) {
        (Ok(found), Ok(streamed)) => assert_eq!(found, streamed),
        (Err(Error::Tensor(found)), Err(Error::Tensor(streamed))) => assert_eq!(found, streamed),
        (Err(_), Err(_)) => {}
        other => panic!("{other:?}"),
    }
    found
}

/// A tensor of bytes whose memory is a segment.
fn attached(shape: &[u64], strides: &[i64], claimed: u64, memory: Segment) -> Result<Tensor, Error> {
    let bytes = packed(1, shape, strides, Some(0), (claimed, &[]));
    let mut gather = Gather::from_parts(bytes, vec![memory]);
    Codec::deserialize(&mut gather)
}

/// Aligned for any element.
fn zeros(count: usize) -> Segment {
    let words = Bulk::from(vec![0_u64; count.div_ceil(8)]);
    words.segment().part(0..count).expect("rounded up")
}

#[track_caller]
fn tensor_error<T: std::fmt::Debug>(found: Result<T, Error>) -> TensorError {
    match found {
        Err(Error::Tensor(error)) => *error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn case_31_ranks_from_0_to_32_are_read_and_others_refused() {
    assert_eq!(inline(&[], &[7]).unwrap().shape(), []);
    assert_eq!(inline(&[1; 32], &[7]).unwrap().rank(), 32);
    assert_eq!(tensor_error(inline(&[1; 33], &[7])), TensorError::Rank { found: 33 });
    assert_eq!(tensor_error(inline(&[1; 255], &[7])), TensorError::Rank { found: 255 });
    let mut endless = packed(1, &[], &[], None, (1, &[7]));
    endless[7..11].copy_from_slice(&[0xFF; 4]);
    assert_eq!(tensor_error(read(&endless)), TensorError::Rank { found: u32::MAX.into() });
}

#[test]
fn case_31_as_many_strides_as_dimensions() {
    for (shape, strides) in [(&[2_u64, 2][..], &[2_i64][..]), (&[], &[1]), (&[4], &[1, 1])] {
        let (rank, found) = (shape.len() as u64, strides.len() as u64);
        let error = tensor_error(attached(shape, strides, 4, zeros(4)));
        assert_eq!(error, TensorError::Strides { rank, found });
    }
}

#[test]
fn case_31_a_dimension_of_0_has_no_elements_and_no_memory() {
    for shape in [&[0_u64][..], &[3, 0, 5], &[1 << 40, 0, 2], &[0, 0]] {
        let empty = inline(shape, &[]).unwrap();
        assert!(empty.is_empty());
        assert_eq!(empty.as_slice::<u8>().unwrap(), []);
        assert_eq!(empty.to_vec::<u8>().unwrap(), []);
        assert_eq!(to_vec(&empty).unwrap(), packed(1, shape, &[], None, (0, &[])));
    }
    assert_eq!(tensor_error(inline(&[0], &[7])), TensorError::Length { wanted: 0, found: 1 });
}

#[test]
fn case_31_extents_whose_product_overflows_are_refused() {
    for shape in [
        &[u64::MAX][..],
        &[1 << 63],
        &[1 << 32, 1 << 32],
        &[u64::MAX, u64::MAX, 0],
        &[1 << 62, 2],
        &[3, u64::MAX / 3 + 1],
    ] {
        assert_eq!(tensor_error(inline(shape, &[])), TensorError::TooLarge, "{shape:?}");
    }
    let wide = packed(14, &[1 << 60], &[], None, (0, &[]));
    assert_eq!(tensor_error(read(&wide)), TensorError::TooLarge, "16 bytes each");
}

#[test]
fn case_31_unknown_dtypes_are_refused() {
    for code in [0, 16, 127, 255] {
        let found = read(&packed(code, &[], &[], None, (1, &[7])));
        assert!(
            matches!(found, Err(Error::UnknownTag { name: "DType", offset: 0, found }) if found == u64::from(code)),
            "{found:?}"
        );
    }
}

#[test]
fn case_31_the_memory_is_exactly_as_long_as_the_elements() {
    for length in [0_u64, 5, 7, 1 << 20] {
        let wanted = TensorError::Length { wanted: 6, found: length };
        let memory = vec![0; length as usize];
        assert_eq!(tensor_error(inline(&[2, 3], &memory)), wanted);
        assert_eq!(tensor_error(attached(&[2, 3], &[], length, zeros(length as usize))), wanted);
    }
    let lies = attached(&[2, 3], &[], 6, zeros(7));
    assert!(matches!(lies, Err(Error::SegmentLength { wanted: 6, found: 7, .. })), "{lies:?}");
    let claims = packed(1, &[1 << 40], &[], None, (1 << 40, &[0; 100]));
    let found = from_slice::<Tensor>(&claims);
    assert!(matches!(found, Err(Error::UnexpectedEnd { .. })), "nothing is allocated: {found:?}");
    let limits = Limits { bytes: 64, ..Limits::default() };
    let large = packed(1, &[100], &[], None, (100, &[0; 100]));
    assert!(matches!(from_slice_with::<Tensor>(&large, limits), Err(Error::ByteLimit { .. })));
}

#[test]
fn case_31_strides_that_leave_the_memory_are_refused() {
    let reach = |strides: &[i64], claimed| tensor_error(attached(&[2, 3], strides, claimed, zeros(6)));
    assert_eq!(reach(&[4, 1], 6), TensorError::Length { wanted: 7, found: 6 });
    assert_eq!(reach(&[-1, 100], 6), TensorError::Length { wanted: 202, found: 6 });
    for strides in [[i64::MAX, 1], [i64::MIN, 1], [1, i64::MIN], [i64::MAX, i64::MAX], [i64::MIN, i64::MAX]] {
        assert_eq!(reach(&strides, 6), TensorError::TooLarge, "{strides:?}");
    }
    let memory = zeros(6);
    for (strides, offset) in [([3, 1], 1), ([-3, 1], 2), ([-3, 1], 4), ([3, -1], 1), ([3, 1], usize::MAX)] {
        let found = Tensor::from_strides(memory.clone(), DType::U8, &[2, 3], &strides, offset);
        assert!(matches!(tensor_error(found), TensorError::OutOfBounds { found: 6, .. }));
    }
}

#[test]
fn case_31_negative_strides_lead_backwards_within_the_memory() {
    let memory = Segment::from(vec![1_u8, 2, 3, 4, 5, 6]);
    let turned = attached(&[2, 3], &[-3, -1], 6, memory).unwrap();
    assert_eq!(turned.to_vec::<u8>().unwrap(), [6, 5, 4, 3, 2, 1]);
}

#[test]
fn case_31_no_more_elements_than_memory() {
    // Three bytes that claim to be 2^40 elements would keep every reader busy for hours.
    let found = attached(&[1 << 40, 3], &[0, 1], 3, zeros(3));
    assert_eq!(tensor_error(found), TensorError::Repeated { wanted: 3 << 40, found: 3 });
    let found = Tensor::from_strides(zeros(8), DType::U8, &[4], &[0], 0);
    assert_eq!(tensor_error(found), TensorError::Repeated { wanted: 4, found: 1 });
}

#[test]
fn case_31_one_layout_has_one_encoding() {
    for (shape, strides, length) in [
        (&[2_u64, 3][..], &[3_i64, 1][..], 6_u64),
        (&[1, 3], &[77, 1], 3),
        (&[2, 1, 2], &[4, 5, 1], 6),
        (&[0, 3], &[9, 9], 0),
    ] {
        let found = attached(shape, strides, length, zeros(length as usize));
        assert_eq!(tensor_error(found), TensorError::NeedlessStrides, "{shape:?} {strides:?}");
    }
    let inline = packed(1, &[2], &[2], None, (3, &[1, 2, 3]));
    assert_eq!(tensor_error(read(&inline)), TensorError::NeedlessStrides, "inline is packed");
}

#[test]
fn case_31_a_segment_that_is_not_aligned_is_refused() {
    let aligned = Bulk::from(vec![0_u64; 3]);
    let odd = aligned.segment().part(1..9).unwrap();
    let bytes = packed(11, &[2], &[], Some(0), (8, &[]));
    let found = Tensor::deserialize(&mut Gather::from_parts(bytes, vec![odd]));
    assert!(matches!(found, Err(Error::SegmentAlignment { wanted: 4, found: 1 })), "{found:?}");
}

#[test]
fn case_31_a_bool_is_checked_before_it_is_seen() {
    let mask = read(&packed(15, &[4], &[], None, (4, &[0, 1, 2, 1]))).unwrap();
    let wrong = TensorError::NotBool { index: 2, found: 2 };
    assert_eq!(tensor_error(mask.as_slice::<bool>()), wrong);
    assert_eq!(tensor_error(mask.to_vec::<bool>()), wrong);
    #[cfg(feature = "ndarray")]
    assert_eq!(tensor_error(mask.view::<bool>()), wrong);
    #[cfg(feature = "dlpack")]
    assert_eq!(tensor_error(mask.to_dlpack()), wrong);
    assert_eq!(mask.part(0, 0..2).unwrap().as_slice::<bool>().unwrap(), [false, true]);
}

#[test]
fn case_31_every_bit_flip_and_every_prefix_is_an_error_or_another_value() {
    let strided = Tensor::from_strides(zeros(40), DType::U16, &[2, 3, 2], &[8, -2, 1], 12).unwrap();
    let mut gather = Gather::with_capabilities(Capabilities { segments: 1, threshold: 0 });
    serialize(&strided, &mut gather).unwrap();
    let (bytes, segments) = gather.into_parts();
    let read = |bytes: &[u8]| -> Result<Tensor, Error> {
        let mut gather = Gather::from_parts(bytes.to_vec(), segments.clone());
        Codec::deserialize(&mut gather)
    };
    assert_eq!(read(&bytes).unwrap(), strided);
    for length in 0..bytes.len() {
        read(&bytes[..length]).unwrap_err();
    }
    let mut values = 0;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = read(&flipped) {
            let mut gather = Gather::with_capabilities(Capabilities { segments: 1, threshold: 0 });
            serialize(&other, &mut gather).unwrap();
            assert_eq!(gather.packed(), flipped, "bit {bit}");
            let _ = other.to_vec::<u16>();
            values += 1;
        }
    }
    assert!(values >= 48, "other devices, at least: {values}");
}

#[test]
fn case_31_planes_of_a_frame_lie_within_its_memory() {
    let frame = |planes: Vec<Plane>| {
        VideoBuffer::with_planes(4, 2, PixelFormat::Gray8, planes, zeros(8)).map(|frame| to_vec(&frame))
    };
    let plane = |offset, stride, size| vec![Plane { offset, stride, size }];
    frame(plane(0, 4, 8)).unwrap().unwrap();
    let (plane_0, max) = (0, u64::MAX);
    for (planes, wanted, found) in [
        (plane(1, 4, 8), 9, 8),
        (plane(max, 4, 8), max, 8),
        (plane(0, 3, 8), 4, 3),
        (plane(0, 4, 7), 8, 7),
        (plane(0, max, 8), max, 8),
        (plane(0, 5, 8), 9, 8),
    ] {
        let error = tensor_error(frame(planes));
        assert_eq!(error, TensorError::Plane { plane: plane_0, wanted, found });
    }
    assert_eq!(tensor_error(frame(vec![])), TensorError::Planes { wanted: 1, found: 0 });
    let found = VideoBuffer::new(u32::MAX, u32::MAX, PixelFormat::RgbaF32, zeros(8));
    assert_eq!(tensor_error(found), TensorError::TooLarge);
    let found = VideoBuffer::new(4, 2, PixelFormat::Nv12, zeros(8));
    assert_eq!(tensor_error(found), TensorError::Length { wanted: 12, found: 8 });
    let bytes = hex(
        "04000000 02000000 01 0100 00000000 01000000
                     0000000000000000 0400000000000000 0900000000000000 00 0800000000000000 0000000000000000",
    );
    let error = tensor_error(from_slice::<VideoBuffer>(&bytes));
    assert_eq!(error, TensorError::Plane { plane: 0, wanted: 9, found: 8 });
}

#[test]
fn case_31_samples_fill_their_memory() {
    let audio = |channels: u32, samples: u64| {
        let mut bytes = hex("05 01");
        bytes.extend(channels.to_le_bytes());
        bytes.extend(samples.to_le_bytes());
        bytes.extend(hex("80BB0000 0100 00000000 00 0800000000000000 0000000000000000"));
        from_slice::<AudioBuffer>(&bytes)
    };
    audio(2, 1).unwrap();
    audio(1, 2).unwrap();
    assert_eq!(tensor_error(audio(2, 2)), TensorError::Length { wanted: 16, found: 8 });
    assert_eq!(tensor_error(audio(0, 2)), TensorError::Length { wanted: 0, found: 8 });
    assert_eq!(tensor_error(audio(u32::MAX, u64::MAX)), TensorError::TooLarge);
    let odd = AudioBuffer::from_vec(vec![0_i16; 3], 2, 8_000, AudioLayout::Planar);
    assert_eq!(tensor_error(odd), TensorError::Length { wanted: 4, found: 6 });
    let halves = AudioBuffer::from_vec(vec![0_u64; 2], 2, 8_000, AudioLayout::Planar);
    assert!(matches!(tensor_error(halves), TensorError::WrongType { found: DType::U64, .. }));
}

/// Memory of a device, which this build cannot read.
struct DeviceMemory(usize);

impl Owner for DeviceMemory {
    fn bytes(&self) -> Option<&[u8]> {
        None
    }

    fn length(&self) -> usize {
        self.0
    }

    fn alignment(&self) -> usize {
        256
    }

    fn kind(&self) -> MemoryKind {
        MemoryKind::CUDA
    }
}

fn on_device(elements: usize) -> Tensor {
    let memory = Segment::new(Arc::new(DeviceMemory(elements * 4)));
    Tensor::from_segment(memory, DType::F32, &[elements]).unwrap().with_device(Device::cuda(1))
}

#[test]
fn case_32_a_device_tensor_is_carried_as_it_is() {
    // Also a small one, which would be inline if the host could read it.
    for elements in [1, 100_000] {
        let tensor = on_device(elements);
        let mut first = Gather::new();
        serialize(&tensor, &mut first).unwrap();
        let received: Tensor = Codec::deserialize(&mut first).unwrap();
        assert_eq!(received, tensor);
        assert_eq!((received.device(), received.segment().kind()), (Device::cuda(1), MemoryKind::CUDA));

        let mut second = Gather::new(); // and forwarded
        serialize(&(received, String::from("next")), &mut second).unwrap();
        let (forwarded, _): (Tensor, String) = Codec::deserialize(&mut second).unwrap();
        assert!(Arc::ptr_eq(forwarded.segment().owner(), tensor.segment().owner()));
    }
}

#[test]
fn case_32_host_and_device_tensors_stand_in_one_message() {
    let value = vec![on_device(64), Tensor::from(vec![1.0_f32; 5_000]), Tensor::from(vec![2_u8])];
    let mut gather = Gather::new();
    message::write("n", 0, &Metadata::new(), &mut gather, |writer| writer.encode(&value)).unwrap();
    let message = Message::read(&mut gather, Limits::default()).unwrap();
    let kinds: Vec<MemoryKind> = message.segments().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [MemoryKind::CUDA, MemoryKind::HOST]);
    let received: Vec<Tensor> = message.value(&mut gather, Limits::default()).unwrap();
    assert_eq!(received, value);
}

#[test]
fn case_32_the_host_does_not_see_the_elements() {
    #[track_caller]
    fn refused<T: std::fmt::Debug>(found: Result<T, Error>) {
        assert!(matches!(found, Err(Error::NotHostMemory { kind: 2 })), "{found:?}");
    }
    let tensor = on_device(1_000);
    refused(tensor.segment().bytes());
    refused(tensor.as_slice::<f32>());
    refused(tensor.to_vec::<f32>());
    refused(to_vec(&tensor)); // nothing carries segments here
    refused(serialize(&tensor, &mut Buffer::new()));
    #[cfg(feature = "ndarray")]
    refused(tensor.view::<f32>());
    let part = tensor.part(0, 10..20).unwrap();
    assert_eq!((part.shape(), part.segment().start(), part.device()), (&[10][..], 40, Device::cuda(1)));
    assert_eq!(tensor.reshape(&[10, 100]).unwrap().rank(), 2);
    assert_ne!(part, tensor.part(0, 11..21).unwrap());
    #[cfg(feature = "dlpack")]
    assert!(matches!(
        tensor_error(tensor.to_dlpack()),
        TensorError::Dlpack(podwire_codec_core::tensor::dlpack::DlpackError::Device { kind: 2 })
    ));
}

/// Memory of a device whose owner copies it for the host: each byte is its number, and `1` more as often as asked.
struct Staging {
    length: usize,
    more: usize,
}

impl Owner for Staging {
    fn bytes(&self) -> Option<&[u8]> {
        None
    }

    fn length(&self) -> usize {
        self.length
    }

    fn kind(&self) -> MemoryKind {
        MemoryKind::CUDA
    }

    fn to_host(&self, part: std::ops::Range<usize>) -> Result<Segment, Error> {
        Ok((part.start..part.end + self.more).map(|at| at as u8).collect::<Vec<_>>().into())
    }
}

#[test]
fn case_32_what_the_owner_copies_for_the_host_goes_inline_and_a_copy_of_another_length_nowhere() {
    let staging = |more| {
        let memory = Segment::new(Arc::new(Staging { length: 12, more }));
        Tensor::from_segment(memory, DType::U8, &[3, 4]).unwrap().with_device(Device::cuda(0))
    };
    let (tensor, column) = (staging(0), staging(0).part(1, 1..3).unwrap());
    for (sent, expected) in [(&tensor, (0..12).collect()), (&column, vec![1, 2, 5, 6, 9, 10])] {
        let received: Tensor = from_slice(&to_vec(sent).unwrap()).unwrap();
        assert_eq!((received.device(), received.segment().kind()), (Device::cuda(0), MemoryKind::HOST));
        assert_eq!(received.to_vec::<u8>().unwrap(), expected);
    }
    let host = column.to_host().unwrap();
    assert_eq!((host.strides(), host.device()), (column.strides(), Device::HOST));
    assert_eq!(host.to_host().unwrap().segment().bytes().unwrap(), host.segment().bytes().unwrap());
    assert!(matches!(to_vec(&staging(1)), Err(Error::SegmentLength { wanted: 12, found: 13, .. })));
    let short = tensor.with_segment(vec![0; 11].into());
    assert_eq!(tensor_error(short), TensorError::Length { wanted: 12, found: 11 });
}

#[test]
fn case_32_a_device_frame_is_carried_as_it_is() {
    let memory = Segment::new(Arc::new(DeviceMemory(12)));
    let frame = VideoBuffer::new(2, 2, PixelFormat::Rgb8, memory).unwrap().with_device(Device::cuda(0));
    let mut gather = Gather::new();
    serialize(&frame, &mut gather).unwrap();
    assert_eq!(VideoBuffer::deserialize(&mut gather).unwrap(), frame);
    assert!(matches!(frame.plane(0).unwrap().as_slice::<u8>(), Err(Error::NotHostMemory { kind: 2 })));
}
