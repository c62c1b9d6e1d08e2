//! Values travel with their codec, their buffers by reference.

use std::sync::Arc;

use podwire_codec_core::{Bulk, CodecRegistry, Segment, register_codec, schema::schema_of};
use podwire_fastio::{AllocationOptions, ChannelOptions, Error, FastIoContext, SharedBytes};

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
    let (mut sender, _receiver) = context.channel("errors", &ChannelOptions::new()).unwrap();
    let unknown = Some(1.5_f32);
    for refused in [
        context.publish_value(&unknown, "x").map(drop),
        context.replace_value(&unknown, "x").map(drop),
        sender.send_value(&unknown),
    ] {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("`core::option::Option<f32>`"), "{error}");
    }

    CodecRegistry::global().register::<Vec<u8>>("errors.bytes").unwrap();
    context.publish_value(&vec![1_u8], "v").unwrap();
    let error = context.get_value::<Labelled>("v").unwrap_err();
    assert_eq!(error.to_string(), "the message is a \"errors.bytes\", not a \"Labelled\"");
    assert!(matches!(context.publish_value(&vec![2_u8], "v"), Err(Error::NameTaken { .. })));
    assert_eq!(*context.get_any("v").unwrap().downcast::<Vec<u8>>().unwrap(), [1]);

    CodecRegistry::global().register::<Vec<u16>>("errors.bytes").unwrap();
    let error = context.get_any("v").unwrap_err().to_string();
    assert_eq!(error, "codec \"errors.bytes\": the message is of another build, []: expected u16, found u8");
}

/// The file of a schema in the pipeline's directory.
fn schema_file(pipeline: &Pipeline, fingerprint: u64) -> std::path::PathBuf {
    pipeline.context.path().join(format!("schema.{fingerprint:016x}"))
}

#[test]
fn the_schema_of_a_value_is_left_once_and_goes_with_the_pipeline() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let pipeline = Pipeline::new("schema");
    let context = &pipeline.context;
    let schema = schema_of::<Labelled>();
    assert_eq!(context.schema(schema.fingerprint()).unwrap(), None);
    assert!(context.schemas().unwrap().is_empty());

    let value: Labelled = ("a".into(), vec![1].into(), Vec::new());
    context.publish_value(&value, "first").unwrap();
    let file = schema_file(&pipeline, schema.fingerprint());
    let first = std::fs::metadata(&file).unwrap();
    assert_eq!((first.permissions().mode() & 0o777, first.nlink()), (0o600, 1));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), schema.to_string());
    context.publish_value(&value, "second").unwrap();
    context.replace_value(&value, "second").unwrap();
    context.sweep().unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().ino(), first.ino(), "left once");
    assert_eq!(context.schema(schema.fingerprint()).unwrap(), Some(schema.clone()));
    assert_eq!(context.schemas().unwrap(), [schema]);

    let directory = context.path().to_owned();
    drop(pipeline);
    assert!(!directory.exists());
}

#[test]
fn a_value_that_is_sent_leaves_its_schema_too() {
    let pipeline = Pipeline::new("sent-schema");
    let context = &pipeline.context;
    let (mut sender, mut receiver) = context.channel("values", &ChannelOptions::new()).unwrap();
    let small: Labelled = ("a".into(), vec![1].into(), Vec::new());
    let large: Labelled = ("b".into(), vec![2; 50_000].into(), Vec::new());
    for value in [&small, &large] {
        sender.send_value(value).unwrap();
        assert_eq!(receiver.receive_value::<Labelled>().unwrap().0, value.0);
    }
    assert_eq!(context.schemas().unwrap(), [schema_of::<Labelled>()]);
}

#[test]
fn a_value_of_an_unknown_type_is_read_by_the_schema_that_was_left() {
    let pipeline = Pipeline::new("described");
    let context = &pipeline.context;
    CodecRegistry::global().register::<(u8, Bulk<u16>)>("described").unwrap();
    context.publish_value(&(7_u8, Bulk::from(vec![3_u16; 50_000])), "v").unwrap();
    // From here on nobody knows the type by this name.
    CodecRegistry::global().register::<String>("described").unwrap();
    let copied = pipeline.copied();
    let value = context.get_described("v").unwrap();
    assert_eq!(value.to_string(), "(7, [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, … 49,990 more])");
    let samples = value.at(1).unwrap();
    assert_eq!(samples.as_elements().unwrap().as_slice::<u16>().unwrap()[49_999], 3);
    assert_eq!(pipeline.copied(), copied, "its buffer is the shared memory");

    let fingerprint = schema_of::<(u8, Bulk<u16>)>().fingerprint();
    std::fs::remove_file(schema_file(&pipeline, fingerprint)).unwrap();
    let error = context.get_described("v").unwrap_err();
    assert!(matches!(error, Error::NoSchema { fingerprint: found, .. } if found == fingerprint), "{error}");
}

#[test]
fn what_lies_there_for_a_schema_is_not_believed() {
    let pipeline = Pipeline::new("garbage");
    let context = &pipeline.context;
    CodecRegistry::global().register::<Vec<i8>>("garbage").unwrap();
    context.publish_value(&vec![1_i8], "v").unwrap();
    CodecRegistry::global().register::<Vec<i16>>("garbage").unwrap();
    let fingerprint = schema_of::<Vec<i8>>().fingerprint();
    let file = schema_file(&pipeline, fingerprint);
    for garbage in ["", "[u8]", "[i8", "struct{a:^0}", &"?".repeat(2 << 20)] {
        std::fs::write(&file, garbage).unwrap();
        assert!(matches!(context.schema(fingerprint), Err(Error::Corrupt { .. })), "{}", garbage.len());
        assert!(matches!(context.schemas(), Err(Error::Corrupt { .. })));
        assert!(matches!(context.get_described("v"), Err(Error::Corrupt { .. })));
        let error = context.get_any("v").unwrap_err().to_string();
        assert!(error.contains(&format!("the message has schema {fingerprint:016x}")), "{error}");
    }
    std::fs::write(&file, [0xFF, 0xFE]).unwrap();
    assert!(matches!(context.schema(fingerprint), Err(Error::Corrupt { .. })));
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    assert!(matches!(context.schema(fingerprint), Err(Error::NotPrivate { .. })));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(context.schema(fingerprint).unwrap(), None);
    // Names that only look like ours.
    std::fs::write(context.path().join("schema.00"), "u8").unwrap();
    assert!(context.schemas().unwrap().is_empty());
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

#[test]
fn a_value_of_which_only_the_schema_is_known_is_published_and_its_elements_are_read_where_they_lie() {
    let pipeline = Pipeline::new("created");
    let schema = schema_of::<Labelled>();
    let whole = Bulk::from_segment(Segment::from(pipeline.numbers(50_000))).unwrap();
    let value: Labelled = ("a".into(), whole, vec![vec![7_u16; 3].into()]);
    let message = pipeline.context.create_value("Labelled", &schema, |writer| writer.encode(&value)).unwrap();
    assert!(message.is_sealed());
    message.publish("v").unwrap();
    assert_eq!(pipeline.context.get_value::<Labelled>("v").unwrap().0, "a", "Rust's codec reads it");

    let described = pipeline.context.described(pipeline.context.get("v").unwrap(), "v").unwrap();
    assert_eq!((described.codec.as_str(), &described.schema), ("Labelled", &schema));
    let small = described.value.at(2).unwrap().at(0).unwrap().into_owned();
    let small = small.as_elements().unwrap().bytes().unwrap().as_ptr_range();
    let memory = message.to_shared().unwrap().as_ptr_range();
    assert!(memory.contains(&small.start) && small.end <= memory.end, "not even small elements are copied");
}

#[test]
fn what_is_no_value_is_not_described() {
    let pipeline = Pipeline::new("no-value");
    let bytes = pipeline.context.create(8).unwrap();
    let refused = pipeline.context.described(bytes, "bytes");
    assert!(matches!(refused, Err(Error::NotAValue { name }) if name == "bytes"));
}
