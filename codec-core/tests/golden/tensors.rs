//! Section 1, "Tensors and buffers", and the small types of the table that travel with them.

use num_complex::Complex;
use podwire_codec_core::schema::schema_of;
use podwire_codec_core::tensor::{
    AudioBuffer, AudioLayout, DType, Device, DeviceKind, EndOfStream, PixelFormat, Plane, SampleFormat,
    Tensor, TensorMap, Timestamp, VideoBuffer,
};
use podwire_codec_core::{Bulk, Codec, Gather, endpoint::Capabilities, from_slice, serialize, to_vec};

use super::{golden, hex, refused};

const HOST: &str = "0100 00000000";

fn rows() -> Tensor {
    Tensor::from_vec(vec![1_u16, 2, 3, 4], &[2, 2]).unwrap()
}

/// On an endpoint that carries every segment.
#[track_caller]
fn golden_attached<T: Codec + PartialEq + std::fmt::Debug>(value: &T, bytes: &str, memory: &[u8]) {
    let mut gather = Gather::with_capabilities(Capabilities { segments: 8, threshold: 0 });
    serialize(value, &mut gather).unwrap();
    assert_eq!(gather.packed(), hex(bytes));
    assert_eq!(gather.segments()[0].bytes().unwrap(), memory);
    assert_eq!(T::deserialize(&mut gather).unwrap(), *value);
}

#[test]
fn a_tensor_is_a_struct_that_ends_with_its_memory() {
    golden(
        &rows(),
        "02 0100 00000000  02000000 00000000  0200000000000000 0200000000000000
         00 0800000000000000  0100 0200 0300 0400",
    );
    golden_attached(
        &rows(),
        "02 0100 00000000  02000000 00000000  0200000000000000 0200000000000000
         01 0800000000000000 00000000",
        &hex("0100 0200 0300 0400"),
    );
}

#[test]
fn a_strided_tensor_keeps_its_strides_in_a_segment_and_is_packed_inline() {
    let memory = rows().segment().clone();
    let column = Tensor::from_strides(memory, DType::U16, &[2], &[2], 0).unwrap();
    golden_attached(
        &column,
        "02 0100 00000000  01000000 01000000  0200000000000000  0200000000000000
         01 0600000000000000 00000000",
        &hex("0100 0200 0300"),
    );
    golden(&column, "02 0100 00000000  01000000 00000000  0200000000000000  00 0400000000000000  0100 0300");
}

#[test]
fn a_negative_stride_begins_above_the_lowest_element() {
    let memory = rows().segment().clone();
    let turned = Tensor::from_strides(memory, DType::U16, &[2, 2], &[-2, 1], 4).unwrap();
    golden_attached(
        &turned,
        "02 0100 00000000  02000000 02000000  0200000000000000 0200000000000000
         FEFFFFFFFFFFFFFF 0100000000000000  01 0800000000000000 00000000",
        &hex("0100 0200 0300 0400"),
    );
    assert_eq!(turned.to_vec::<u16>().unwrap(), [3, 4, 1, 2]);
}

#[test]
fn every_dtype_has_its_code() {
    let codes: [(DType, &str); 15] = [
        (DType::U8, "01"),
        (DType::U16, "02"),
        (DType::U32, "03"),
        (DType::U64, "04"),
        (DType::I8, "05"),
        (DType::I16, "06"),
        (DType::I32, "07"),
        (DType::I64, "08"),
        (DType::F16, "09"),
        (DType::BF16, "0A"),
        (DType::F32, "0B"),
        (DType::F64, "0C"),
        (DType::C64, "0D"),
        (DType::C128, "0E"),
        (DType::Bool, "0F"),
    ];
    assert!(codes.iter().map(|(dtype, _)| dtype).eq(DType::ALL));
    for (dtype, code) in codes {
        golden(&dtype, code);
        let aligned = Bulk::from(vec![0_u64; 2]);
        let memory = aligned.segment().part(0..dtype.size()).unwrap();
        let size = format!("{:02X}00000000000000", dtype.size());
        let bytes = "00".repeat(dtype.size());
        golden(
            &Tensor::from_segment(memory, dtype, &[]).unwrap(),
            &format!("{code} {HOST} 00000000 00000000 00 {size} {bytes}"),
        );
    }
    refused::<DType>("00");
    refused::<DType>("10");
}

#[test]
fn a_device_is_its_kind_and_its_number() {
    golden(&Device::HOST, HOST);
    golden(&Device::cuda(3), "0200 03000000");
    golden(&Device { kind: DeviceKind::CUDA_MANAGED, index: 0 }, "0D00 00000000");
    golden(&DeviceKind::CUDA_HOST, "0300");
}

#[test]
fn a_tensor_map_is_a_map() {
    let map = TensorMap::from([(String::from("a"), Tensor::from(vec![7_u8]))]);
    golden(
        &map,
        "01000000  01000000 61
         01 0100 00000000  01000000 00000000  0100000000000000  00 0100000000000000  07",
    );
    assert_eq!(
        schema_of::<TensorMap>().to_string(),
        format!("{{text:{}}}", schema_of::<Tensor>()),
        "its schema is that of a map"
    );
}

#[test]
fn a_video_buffer_is_its_planes_and_all_its_memory() {
    let frame = VideoBuffer::new(2, 2, PixelFormat::Nv12, hex("01020304 0506").into()).unwrap();
    golden(
        &frame,
        "02000000 02000000 0E 0100 00000000 02000000
         0000000000000000 0200000000000000 0400000000000000
         0400000000000000 0200000000000000 0200000000000000
         00 0600000000000000  01020304 0506",
    );
    let plane = Plane { offset: 1, stride: 3, size: 5 };
    let gray = VideoBuffer::with_planes(2, 2, PixelFormat::Gray8, vec![plane], hex("FF 0102FF 0304").into());
    let gray = gray.unwrap();
    let fields = "02000000 02000000 01 0100 00000000 01000000
                  0100000000000000 0300000000000000 0500000000000000";
    golden(&gray, &format!("{fields} 00 0600000000000000  FF0102FF0304"));
    golden_attached(&gray, &format!("{fields} 01 0600000000000000 00000000"), &hex("FF0102FF0304"));
    assert_eq!(gray.plane(0).unwrap().to_vec::<u8>().unwrap(), [1, 2, 3, 4]);
    for (number, format) in PixelFormat::ALL.iter().enumerate() {
        golden(format, &format!("{:02X}", number + 1));
    }
    assert_eq!(PixelFormat::ALL.len(), 23);
    refused::<PixelFormat>("18");
}

#[test]
fn an_audio_buffer_is_its_format_and_its_samples() {
    let stereo = AudioBuffer::from_vec(vec![1_i16, -1, 2, -2], 2, 48_000, AudioLayout::Interleaved).unwrap();
    let fields = "02 01 02000000 0200000000000000 80BB0000 0100 00000000";
    golden(&stereo, &format!("{fields} 00 0800000000000000  0100 FFFF 0200 FEFF"));
    golden_attached(&stereo, &format!("{fields} 01 0800000000000000 00000000"), &hex("0100FFFF0200FEFF"));
    let (format, layout) = (SampleFormat::I24, AudioLayout::Planar);
    let mono = AudioBuffer::new(format, layout, 1, 1, 8_000, hex("010203").into()).unwrap();
    golden(&mono, "03 02 01000000 0100000000000000 401F0000 0100 00000000  00 0300000000000000  010203");
    for (number, format) in SampleFormat::ALL.iter().enumerate() {
        golden(format, &format!("{:02X}", number + 1));
    }
    refused::<SampleFormat>("07");
    refused::<AudioLayout>("03");
}

#[test]
fn a_timestamp_is_two_times_and_the_end_of_a_stream_is_nothing() {
    golden(&Timestamp { acqtime: 1, pubtime: -1 }, "0100000000000000 FFFFFFFFFFFFFFFF");
    golden(&vec![Timestamp { acqtime: 2, pubtime: 3 }], "01000000 0200000000000000 0300000000000000");
    golden(&EndOfStream, "");
    golden(&(EndOfStream, 7_u8), "07");
}

#[test]
fn a_complex_number_is_its_two_parts() {
    let number = Complex::new(1.0_f32, -2.0);
    golden(&number, "0000803F 000000C0");
    golden(&vec![number; 2], "02000000 0000803F 000000C0 0000803F 000000C0");
    golden(&Complex::new(String::from("a"), "bc".into()), "01000000 02000000 61 6263");
    golden(&Bulk::from(vec![number]), "00 0100000000000000 0000803F 000000C0");
}

#[cfg(feature = "half")]
#[test]
fn a_short_float_is_its_two_bytes() {
    use half::{bf16, f16};
    golden(&f16::ONE, "003C");
    golden(&bf16::ONE, "803F");
    golden(&vec![f16::NEG_ONE, f16::ONE], "02000000 00BC 003C");
    assert_eq!(schema_of::<(f16, bf16)>().to_string(), "struct{0:f16,1:bf16}");
}

/// Section 2.
#[test]
fn the_schemas_describe_every_byte() {
    assert_eq!(schema_of::<Complex<f32>>().to_string(), "struct{re:f32,im:f32}");
    assert_eq!(schema_of::<Timestamp>().to_string(), "struct{acqtime:i64,pubtime:i64}");
    assert_eq!(schema_of::<EndOfStream>().to_string(), "struct{}");
    let dtype = schema_of::<DType>().to_string();
    assert!(dtype.starts_with("enum8{u8=1{},u16=2{},u32=3{},"), "{dtype}");
    assert!(dtype.ends_with("c64=13{},c128=14{},bool=15{}}"), "{dtype}");
    let (device, planes) = ("struct{kind:u16,index:u32}", "[struct{offset:u64,stride:u64,size:u64}]");
    assert_eq!(
        schema_of::<Tensor>().to_string(),
        format!("*struct{{dtype:{dtype},device:{device},shape:[u64],strides:[i64],memory:bulk[u8]}}")
    );
    let pixels = schema_of::<PixelFormat>();
    assert_eq!(
        schema_of::<VideoBuffer>().to_string(),
        format!(
            "*struct{{width:u32,height:u32,format:{pixels},device:{device},planes:{planes},memory:bulk[u8]}}"
        )
    );
    let (samples, layout) = (schema_of::<SampleFormat>(), schema_of::<AudioLayout>());
    assert_eq!(layout.to_string(), "enum8{interleaved=1{},planar=2{}}");
    assert_eq!(
        schema_of::<AudioBuffer>().to_string(),
        format!(
            "*struct{{format:{samples},layout:{layout},channels:u32,samples:u64,rate:u32,device:{device},\
             memory:bulk[u8]}}"
        )
    );
}

/// "Each is written … as a value behind a pointer: a complete struct."
#[test]
fn the_bytes_are_those_of_the_struct_that_the_schema_says() {
    type Fields = Box<(DType, Device, Vec<u64>, Vec<i64>, Bulk<u8>)>;
    let (fields, end): (Fields, u8) = from_slice(&to_vec(&(rows(), 9_u8)).unwrap()).unwrap();
    let memory = Bulk::from(hex("0100 0200 0300 0400"));
    assert_eq!((*fields, end), ((DType::U16, Device::HOST, vec![2, 2], vec![], memory), 9));

    type Frame = Box<(u32, u32, PixelFormat, Device, Vec<Plane>, Bulk<u8>)>;
    let frame = VideoBuffer::new(1, 2, PixelFormat::Rgb8, hex("010203 040506").into()).unwrap();
    let fields: Frame = from_slice(&to_vec(&frame).unwrap()).unwrap();
    assert_eq!(*fields.5, hex("010203 040506"));
    assert_eq!(fields.4, frame.planes());

    type Audio = Box<(SampleFormat, AudioLayout, u32, u64, u32, Device, Bulk<u8>)>;
    let audio = AudioBuffer::from_vec(vec![1_i16, 2], 1, 8_000, AudioLayout::Planar).unwrap();
    let fields: Audio = from_slice(&to_vec(&audio).unwrap()).unwrap();
    assert_eq!((fields.2, fields.3, fields.4, &*fields.6), (1, 2, 8_000, &hex("0100 0200")[..]));
}
