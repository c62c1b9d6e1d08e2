//! Values travel with their codec, their buffers by reference.

use std::sync::Arc;

use podwire_codec_core::{Bulk, CodecRegistry, Segment, register_codec};
use podwire_fastio::{AllocationOptions, Error, FastIoContext, SharedBytes};

type Labelled = (String, Bulk<u16>, Vec<Bulk<u16>>);
register_codec!(Labelled, "Labelled");

/// A pipeline of its own, removed at the end.
struct Pipeline {
    name: String,
    context: FastIoContext,
}

impl Pipeline {
    fn new(test: &str) -> Self {
        let name = format!("values-{test}-{}", std::process::id());
        let context = FastIoContext::open(&name).unwrap();
        Self { name, context }
    }

    fn copied(&self) -> u64 {
        self.context.stats().unwrap().bytes_copied
    }

    /// Sealed memory of the pipeline with ascending numbers.
    fn numbers(&self, count: u16) -> SharedBytes {
        let allocation = self.context.create(usize::from(count) * 2).unwrap();
        let mut bytes = allocation.map_mut().unwrap();
        for (number, slot) in (0..count).zip(bytes.chunks_exact_mut(2)) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
        drop(bytes);
        allocation.seal().unwrap();
        allocation.into_shared().unwrap()
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        FastIoContext::remove(&self.name).unwrap();
    }
}

#[test]
fn a_buffer_that_lies_in_the_pipeline_is_published_and_got_without_a_copy() {
    let pipeline = Pipeline::new("shared");
    let shared = pipeline.numbers(50_000);
    let whole = Bulk::from_segment(Segment::new(Arc::new(shared.clone()))).unwrap();
    let part = whole.part(10_000..40_000).unwrap();
    let value: Labelled = ("a".into(), whole, vec![part.clone(), part]);
    let before = pipeline.copied();
    pipeline.context.publish_value(&value, "v").unwrap();
    let message = pipeline.copied() - before;
    assert!(message < 512, "{message} bytes were copied");

    let (label, whole, parts): Labelled = pipeline.context.get_value("v").unwrap();
    assert_eq!((label.as_str(), whole.len(), parts.len()), ("a", 50_000, 2));
    assert_eq!(whole.as_ptr().cast(), shared.as_ptr());
    for part in &parts {
        assert_eq!(part.as_ptr(), whole[10_000..].as_ptr());
        assert_eq!((part[0], part.len()), (10_000, 30_000));
    }
    assert_eq!(pipeline.copied() - before, message, "getting copies nothing");
}

#[test]
fn a_buffer_from_elsewhere_is_copied_once_and_counted() {
    let pipeline = Pipeline::new("copied");
    let large = Bulk::from(vec![7_u16; 100_000]);
    let small = Bulk::from(vec![8_u16; 100]);
    let value: Labelled = ("b".into(), large, vec![small]);
    pipeline.context.publish_value(&value, "v").unwrap();
    let copied = pipeline.copied();
    assert!((200_200..200_800).contains(&copied), "{copied} bytes were copied");
    drop(value);
    let got: Labelled = pipeline.context.get_value("v").unwrap();
    assert_eq!((got.1[99_999], got.2[0][99]), (7, 8));
}

#[test]
fn a_publication_owns_its_buffers_and_a_value_keeps_them_beyond_it() {
    let pipeline = Pipeline::new("owned");
    let buffer = Bulk::<u16>::from_segment(pipeline.numbers(50_000).into()).unwrap();
    let value: Labelled = ("c".into(), buffer, Vec::new());
    let published = pipeline.context.publish_value(&value, "v").unwrap();
    drop((value, published));
    pipeline.context.sweep().unwrap();

    let got: Labelled = pipeline.context.get_value("v").unwrap();
    assert!(pipeline.context.unpublish("v").unwrap());
    let other = pipeline.context.create_with(AllocationOptions::new(100_000)).unwrap();
    other.map_mut().unwrap().fill(0xEE);
    assert!((0..50_000).eq(got.1.iter().map(|number| u32::from(*number))), "the memory was not used again");
    assert!(matches!(pipeline.context.get_value::<Labelled>("v"), Err(Error::NotFound { .. })));

    drop((got, other));
    pipeline.context.sweep().unwrap();
    let stats = pipeline.context.stats().unwrap();
    assert_eq!((stats.published, stats.private, stats.freed), (0, 0, 0));
}

#[test]
fn what_is_no_value_or_another_value_is_a_typed_error() {
    let pipeline = Pipeline::new("errors");
    let context = &pipeline.context;
    let bytes = context.create(10).unwrap();
    bytes.publish("bytes").unwrap();
    assert!(matches!(context.get_value::<Labelled>("bytes"), Err(Error::NotAValue { .. })));
    assert!(
        matches!(context.publish_value(&Some(1.5_f32), "x"), Err(Error::Codec(_))),
        "Option<f32> is not registered here"
    );

    CodecRegistry::global().register::<Vec<u8>>("errors.bytes").unwrap();
    context.publish_value(&vec![1_u8], "v").unwrap();
    let error = context.get_value::<Labelled>("v").unwrap_err();
    assert_eq!(error.to_string(), "the message is a \"errors.bytes\", not a \"Labelled\"");
    assert!(matches!(context.publish_value(&vec![2_u8], "v"), Err(Error::NameTaken { .. })));
    assert_eq!(*context.get_any("v").unwrap().downcast::<Vec<u8>>().unwrap(), [1]);

    CodecRegistry::global().register::<Vec<u16>>("errors.bytes").unwrap();
    let error = context.get_any("v").unwrap_err().to_string();
    assert!(error.contains("has schema") && error.contains("this build has"), "{error}");
}

#[test]
fn a_name_is_taken_over_where_only_the_latest_is_wanted() {
    let pipeline = Pipeline::new("latest");
    let context = &pipeline.context;
    for round in 0..3_u16 {
        let value: Labelled = (round.to_string(), vec![round; 20_000].into(), Vec::new());
        context.replace_value(&value, "latest").unwrap();
        context.replace_array(&ndarray::Array1::from_elem(5_000, round), "array").unwrap();
        let got: Labelled = context.get_value("latest").unwrap();
        assert_eq!((got.0, got.1[19_999]), (round.to_string(), round));
        let array = context.get("array").unwrap();
        assert_eq!(array.map().unwrap().as_array::<u16>().unwrap()[[4_999]], round);
    }
    assert_eq!(context.list().unwrap().len(), 2);
    assert_eq!(context.stats().unwrap().published, 3, "two names, and the buffer of the value");
}

#[test]
fn a_part_of_another_pipelines_memory_is_copied_and_read_as_it_was() {
    let (here, there) = (Pipeline::new("here"), Pipeline::new("there"));
    let whole = Bulk::<u16>::from_segment(there.numbers(50_000).into()).unwrap();
    let value: Labelled = ("part".into(), whole.part(20_000..40_000).unwrap(), Vec::new());
    here.context.publish_value(&value, "v").unwrap();
    let got: Labelled = here.context.get_value("v").unwrap();
    assert_eq!((got.1.len(), got.1[0], got.1[19_999]), (20_000, 20_000, 39_999));
}
