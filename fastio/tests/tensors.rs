//! Sealed allocations are tensors, and tensors travel by reference.

use std::sync::Arc;

use ndarray::Array3;
use podwire_codec_core::tensor::{DType, Device, Tensor, TensorError};
use podwire_codec_core::{MemoryKind, Owner, Segment, register_codec};
use podwire_fastio::{AllocationOptions, ChannelOptions, Error, FastIoContext, Metadata};

type Labelled = (String, Tensor);
register_codec!(Labelled, "LabelledTensor");

/// A pipeline of its own, removed at the end.
struct Pipeline {
    name: String,
    context: FastIoContext,
}

impl Pipeline {
    fn new(test: &str) -> Self {
        let name = format!("tensors-{test}-{}", std::process::id());
        let context = FastIoContext::open(&name).unwrap();
        Self { name, context }
    }

    /// What `into_tensor` says of a sealed allocation with this metadata.
    fn tensor(&self, bytes: usize, metadata: Metadata) -> Result<Tensor, Error> {
        let allocation = self.context.create_with(AllocationOptions::new(bytes).metadata(metadata)).unwrap();
        allocation.seal().unwrap();
        allocation.into_tensor()
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        FastIoContext::remove(&self.name).unwrap();
    }
}

#[test]
fn a_tensor_of_an_allocation_is_published_and_got_without_a_copy() {
    let pipeline = Pipeline::new("shared");
    let context = &pipeline.context;
    let volume = Array3::from_shape_fn((20, 30, 40), |(z, y, x)| (10_000 * z + 100 * y + x) as f32);
    let allocation = context.publish_array(&volume, "volume").unwrap();
    allocation.seal().unwrap();
    let tensor = allocation.into_tensor().unwrap();
    assert_eq!((tensor.dtype(), tensor.shape()), (DType::F32, &[20, 30, 40][..]));
    let memory = tensor.as_slice::<f32>().unwrap().as_ptr();

    let part = tensor.part(2, 10..30).unwrap();
    assert!(!part.is_contiguous());
    let before = context.stats().unwrap().bytes_copied;
    context.publish_value(&Labelled::from(("whole".into(), tensor.clone())), "whole").unwrap();
    context.publish_value(&Labelled::from(("part".into(), part.clone())), "part").unwrap();
    let copied = context.stats().unwrap().bytes_copied - before;
    assert!(copied < 1024, "{copied} bytes were copied: two messages, and none of 192,000 bytes");

    let (_, whole): Labelled = context.get_value("whole").unwrap();
    assert_eq!(whole, tensor);
    assert_eq!(whole.as_slice::<f32>().unwrap().as_ptr(), memory, "the memory of the publisher");
    let (_, same): Labelled = context.get_value("part").unwrap();
    assert_eq!((same.shape(), same.strides()), (part.shape(), part.strides()), "strides stay");
    assert_eq!(same.to_vec::<f32>().unwrap(), part.to_vec::<f32>().unwrap());

    drop((tensor, part, whole));
    context.unpublish("volume").unwrap();
    context.unpublish("part").unwrap();
    assert_eq!(same.to_vec::<f32>().unwrap()[0], 10.0, "a tensor keeps its memory");
}

#[test]
fn a_tensor_can_be_sent_and_published_again_when_nothing_is_left_of_the_first_time() {
    let pipeline = Pipeline::new("again");
    let context = &pipeline.context;
    let allocation = context.create_array::<u8>(&[20, 30, 40]).unwrap();
    allocation.seal().unwrap();
    let value: Labelled = ("volume".into(), allocation.into_tensor().unwrap());
    let (mut sender, mut receiver) = context.channel("again", &ChannelOptions::new()).unwrap();
    for round in 0..3 {
        sender.send_value(&value).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(receiver.receive().unwrap().value::<Labelled>().unwrap(), value);
        receiver.settle().unwrap();
        context.publish_value(&value, "value").unwrap();
        assert!(context.unpublish("value").unwrap());
    }
    drop((value, sender, receiver));
    let stats = context.stats().unwrap();
    assert_eq!((stats.published, stats.private, stats.freed), (0, 0, 0), "and goes with its last handle");
}

#[test]
fn a_tensor_of_other_memory_is_copied_once() {
    let pipeline = Pipeline::new("copied");
    let value: Labelled = ("vector".into(), vec![7_u16; 50_000].into());
    let before = pipeline.context.stats().unwrap().bytes_copied;
    pipeline.context.publish_value(&value, "v").unwrap();
    let copied = pipeline.context.stats().unwrap().bytes_copied - before;
    assert!((100_000..100_512).contains(&copied), "{copied} bytes were copied");
    assert_eq!(pipeline.context.get_value::<Labelled>("v").unwrap(), value);
}

#[test]
fn what_the_metadata_says_is_checked_against_the_bytes() {
    let pipeline = Pipeline::new("metadata");
    let mut strided = Metadata::array(DType::U8, [3, 2]);
    strided.strides = Some(vec![4, 1]);
    assert_eq!(pipeline.tensor(10, strided.clone()).unwrap().strides(), [4, 1]);
    let larger = pipeline.tensor(100, Metadata::array(DType::I16, [3])).unwrap();
    assert_eq!(larger.len(), 3, "an allocation may be larger than its array");

    assert!(matches!(pipeline.tensor(8, Metadata::default()), Err(Error::WrongShape { .. })));
    let tensor_error = |bytes, metadata| match pipeline.tensor(bytes, metadata) {
        Err(Error::Codec(podwire_codec_core::Error::Tensor(error))) => *error,
        other => panic!("{other:?}"),
    };
    let short = tensor_error(8, Metadata::array(DType::F32, [3]));
    assert_eq!(short, TensorError::Length { wanted: 12, found: 8 });
    assert!(matches!(tensor_error(9, strided.clone()), TensorError::OutOfBounds { end: 10, .. }));
    strided.strides = Some(vec![-4, 1]);
    assert!(matches!(tensor_error(10, strided), TensorError::OutOfBounds { start: -8, .. }));
    let unsealed = pipeline.context.create_array::<u8>(&[4]).unwrap();
    assert!(matches!(unsealed.into_tensor(), Err(Error::NotSealed)));
}

/// Memory that the host cannot read.
struct Opaque;

impl Owner for Opaque {
    fn bytes(&self) -> Option<&[u8]> {
        None
    }

    fn length(&self) -> usize {
        4096
    }

    fn kind(&self) -> MemoryKind {
        MemoryKind::CUDA
    }
}

#[test]
fn a_device_tensor_is_not_published_as_something_else() {
    let pipeline = Pipeline::new("device");
    let tensor = Tensor::from_segment(Segment::new(Arc::new(Opaque)), DType::F32, &[1024]).unwrap();
    let value: Labelled = ("device".into(), tensor.with_device(Device::cuda(0)));
    let error = pipeline.context.publish_value(&value, "v").unwrap_err();
    assert!(matches!(error, Error::Codec(podwire_codec_core::Error::NotHostMemory { kind: 2 })), "{error:?}");
    assert!(pipeline.context.list().unwrap().is_empty(), "nothing is left behind");
}
