//! The command, as scripts use it: what it prints, and its exit codes.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Output, Stdio},
};

use podwire_codec_core::{
    CodecRegistry,
    tensor::{DType, Tensor},
};
use podwire_fastio::{ChannelOptions, FastIoContext};

struct Pipeline(String);

impl Pipeline {
    fn new(test: &str) -> Self {
        Self(format!("cli-{test}-{}", std::process::id()))
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, b"")
    }

    fn run_with(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fastio"))
            .args(["--pipeline", &self.0])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        let _ = FastIoContext::remove(&self.0);
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn what_is_put_is_listed_got_and_removed() {
    let pipeline = Pipeline::new("put");
    assert_eq!(code(&pipeline.run(&["ls"])), 3, "looking creates no pipeline");
    assert_eq!(code(&pipeline.run_with(&["put", "greeting"], b"hello")), 0);
    assert_eq!(code(&pipeline.run_with(&["put", "greeting"], b"again")), 4);
    assert_eq!(code(&pipeline.run_with(&["put", "greeting", "--replace"], b"again!")), 0);
    assert_eq!(pipeline.good(&["get", "greeting"]), "again!");
    let list = pipeline.good(&["ls"]);
    let row: Vec<_> = list.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row, ["greeting", "bytes", "6", "now", "0"], "{list}");
    assert!(pipeline.good(&["stat", "greeting", "--json"]).contains("\"bytes\":6"));
    assert!(pipeline.good(&["stat"]).contains("published  1"));
    pipeline.good(&["rm", "greeting"]);
    assert_eq!(code(&pipeline.run(&["get", "greeting"])), 3);
    assert_eq!(code(&pipeline.run(&["get", "greeting", "--wait", "0.01"])), 5);
    assert_eq!(code(&pipeline.run(&["rm", "greeting"])), 3);
    assert_eq!(code(&pipeline.run(&["get", "a/b"])), 2);
    assert_eq!(code(&pipeline.run(&["fly"])), 2);
    pipeline.good(&["gc"]);
    pipeline.good(&["drop"]);
    assert_eq!(code(&pipeline.run(&["ls"])), 3);
}

#[test]
fn an_array_goes_to_numpy_and_comes_back_with_its_shape() {
    let pipeline = Pipeline::new("npy");
    let context = FastIoContext::open(&pipeline.0).unwrap();
    let array = ndarray::Array3::<i16>::from_shape_fn((2, 3, 4), |(a, b, c)| (a * 100 + b * 10 + c) as i16);
    context.publish_array(&array, "volume").unwrap();
    let file = std::env::temp_dir().join(format!("podwire-cli-{}.npy", std::process::id()));
    let path = file.to_str().unwrap();
    pipeline.good(&["get", "volume", path]);
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(bytes.len(), 128 + 48, "a header of 128 bytes, as numpy writes it");
    pipeline.good(&["put", "back", path]);
    let back = context.get("back").unwrap();
    assert_eq!(back.map().unwrap().as_array::<i16>().unwrap(), array.view().into_dyn());
    assert!(pipeline.good(&["ls"]).contains("2x3x4"));
    for cut in [6, 20, 100, bytes.len() - 1] {
        std::fs::write(&file, &bytes[..cut]).unwrap();
        assert_eq!(code(&pipeline.run(&["put", "cut", path])), 1, "{cut}");
    }
    std::fs::remove_file(file).unwrap();
    assert!(context.try_get("cut").unwrap().is_none());
}

#[test]
fn a_slice_is_shown_and_written_as_a_picture() {
    let pipeline = Pipeline::new("show");
    let context = FastIoContext::open(&pipeline.0).unwrap();
    let array = ndarray::Array3::<f32>::from_shape_fn((2, 4, 6), |(a, b, c)| (a + b + c) as f32);
    context.publish_array(&array, "volume").unwrap();
    let shown = pipeline.good(&["show", "volume", "--slice", "1"]);
    assert_eq!((shown.lines().count(), shown.matches('▀').count()), (2, 12));
    let png = pipeline.run(&["show", "volume", "--axis", "2", "--png", "-"]).stdout;
    assert!(png.starts_with(b"\x89PNG"));
    assert_eq!(code(&pipeline.run(&["show", "volume", "--slice", "2"])), 1);
    assert_eq!(code(&pipeline.run(&["show", "volume", "--axis", "3"])), 1);
    context.publish_array(&ndarray::Array2::<u8>::zeros((4, 6)), "image").unwrap();
    pipeline.good(&["show", "image", "--slice", "0", "--axis", "1"]);
    assert_eq!(code(&pipeline.run(&["show", "image", "--slice", "1"])), 1);
    assert_eq!(code(&pipeline.run(&["show", "image", "--axis", "2"])), 1);
    let shown = pipeline.good(&["show", "image", "--columns", "3"]);
    assert_eq!(shown.lines().next().unwrap().matches('▀').count(), 3);
}

#[test]
fn channels_are_listed_and_events_are_told() {
    let pipeline = Pipeline::new("watch");
    let context = FastIoContext::open(&pipeline.0).unwrap();
    let mut sender = context.sender("frames", &ChannelOptions::new()).unwrap();
    sender.send(b"x").unwrap();
    context.create(9).unwrap().publish("nine").unwrap();
    assert!(pipeline.good(&["ls"]).contains("1/16"));
    assert_eq!(pipeline.good(&["watch", "--timeout", "0.05"]), "+ nine (9 bytes)\n");
    assert_eq!(code(&pipeline.run(&["rm", "--channel", "frames"])), 5, "its sender lives");
    assert_eq!(code(&pipeline.run(&["rm", "frames"])), 3, "a channel is not meant");
    drop(sender);
    assert!(pipeline.good(&["ls"]).contains("sender closed, receiver absent"));
    assert!(pipeline.good(&["stat", "frames", "--json"]).contains("\"waiting\":1"));
    pipeline.good(&["rm", "--channel", "frames"]);
    assert_eq!(code(&pipeline.run(&["rm", "--channel", "frames"])), 3);
}

#[test]
fn a_published_tensor_is_shown_whichever_way_its_dimensions_go() {
    let pipeline = Pipeline::new("tensor");
    let context = FastIoContext::open(&pipeline.0).unwrap();
    let array = ndarray::Array3::from_shape_fn((2, 4, 6), |(z, y, x)| (z * 100 + y * 10 + x) as u8);
    context.publish_array(&array, "array").unwrap();
    let elements: Vec<u8> = array.iter().copied().collect();
    let memory = Tensor::from_vec(elements.iter().rev().copied().collect(), &[48]).unwrap();
    let tensor = Tensor::from_vec(elements, &[2, 4, 6]).unwrap();
    let back =
        Tensor::from_strides(memory.segment().clone(), DType::U8, &[2, 4, 6], &[-24, -6, -1], 47).unwrap();
    context.publish_value(&tensor, "tensor").unwrap();
    context.publish_value(&back, "back").unwrap();
    context.publish_value(&7_u32, "number").unwrap();
    let shown = pipeline.good(&["show", "array", "--slice", "1"]);
    assert_eq!(pipeline.good(&["show", "tensor", "--slice", "1"]), shown);
    assert_eq!(pipeline.good(&["show", "back", "--slice", "1"]), shown);
    let refused = pipeline.run(&["show", "number"]);
    assert!(code(&refused) == 1 && String::from_utf8(refused.stderr).unwrap().contains("no tensor"));
}

#[test]
fn names_that_are_not_there_keep_no_other_from_being_removed() {
    let pipeline = Pipeline::new("rm");
    let context = FastIoContext::open(&pipeline.0).unwrap();
    context.create(1).unwrap().publish("there").unwrap();
    let output = pipeline.run(&["rm", "one", "two", "there"]);
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(code(&output) == 3 && told.contains("\"one\"") && told.contains("\"two\""), "{told}");
    assert!(context.list().unwrap().is_empty());
}

#[test]
fn what_a_dead_writer_left_is_refused_until_it_is_accepted() {
    let pipeline = Pipeline::new("accept");
    let context = FastIoContext::open(&pipeline.0).unwrap();
    let allocation = context.create(4).unwrap();
    allocation.publish("half").unwrap();
    let mut bytes = allocation.map_mut().unwrap();
    bytes.copy_from_slice(b"half");
    bytes.poison();
    drop(bytes);
    let refused = pipeline.run(&["get", "half"]);
    assert_eq!(code(&refused), 6);
    assert!(String::from_utf8(refused.stderr).unwrap().contains("`fastio accept`"));
    pipeline.good(&["accept", "half"]);
    assert_eq!(pipeline.good(&["get", "half"]), "half");
    assert_eq!(code(&pipeline.run(&["accept", "other"])), 3);
}

#[test]
fn a_pipeline_that_is_damaged_can_be_dropped() {
    let pipeline = Pipeline::new("damaged");
    let context = FastIoContext::open(&pipeline.0).unwrap();
    let path = context.path().to_owned();
    drop(context);
    std::fs::write(path.join("control"), [0; 100]).unwrap();
    assert_eq!(code(&pipeline.run(&["ls"])), 6);
    pipeline.good(&["drop"]);
    assert!(!path.exists());
    assert_eq!(code(&pipeline.run(&["drop"])), 3);
}

#[test]
fn a_value_is_not_copied_as_if_it_were_its_bytes() {
    let pipeline = Pipeline::new("raw");
    let context = FastIoContext::open(&pipeline.0).unwrap();
    let value = context.publish_value(&vec![1_u32, 2], "value").unwrap();
    let refused = pipeline.run(&["get", "value"]);
    assert!(code(&refused) == 1 && refused.stdout.is_empty());
    assert_eq!(pipeline.run(&["get", "--raw", "value"]).stdout.len(), value.len());
}

#[test]
fn a_name_is_refused_before_anything_is_copied() {
    let pipeline = Pipeline::new("early");
    let context = FastIoContext::open(&pipeline.0).unwrap();
    context.create(1).unwrap().publish("taken").unwrap();
    // A source without end: it is not read.
    assert_eq!(code(&pipeline.run(&["put", "taken", "/dev/zero"])), 4);
    assert_eq!(code(&pipeline.run(&["put", "a/b", "/dev/zero"])), 2);
}

#[test]
fn columns_are_as_wide_as_what_stands_in_them() {
    let pipeline = Pipeline::new("wide");
    let context = FastIoContext::open(&pipeline.0).unwrap();
    for name in ["日本", "ab"] {
        context.create(1).unwrap().publish(name).unwrap();
    }
    let list = pipeline.good(&["ls"]);
    // Four columns each, and two between them.
    assert!(list.contains("\n日本  bytes") && list.contains("\nab    bytes"), "{list}");
}

#[test]
fn who_watches_goes_when_nobody_reads_any_more() {
    let pipeline = Pipeline::new("pipe");
    let context = FastIoContext::open(&pipeline.0).unwrap();
    context.create(1).unwrap().publish("one").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_fastio"))
        .args(["--pipeline", &pipeline.0, "watch"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "+ one (1 bytes)\n");
    assert!(child.wait().unwrap().success(), "although nothing happens");
}

#[test]
fn shells_and_man_get_their_texts() {
    let pipeline = Pipeline::new("texts");
    for shell in ["bash", "zsh", "fish"] {
        assert!(pipeline.good(&["completions", shell]).contains("fastio"));
    }
    let page = pipeline.good(&["man"]);
    assert!(
        page.contains(".TH fastio") && page.contains(".SS show\n") && page.contains("in PODWIRE_PIPELINE"),
        "{page}"
    );
    for option in [r"\-\-replace", r"\-\-png", r"\-\-items", r"\-\-channel", r"\-\-wait"] {
        assert!(page.contains(option), "{option}: {page}");
    }
    assert!(!page.contains("fastio\\-get(1)"), "a page that there is not: {page}");
}

#[test]
fn values_are_printed_from_the_schema_that_their_publisher_left() {
    let pipeline = Pipeline::new("values");
    let context = FastIoContext::open(&pipeline.0).unwrap();
    let codecs = CodecRegistry::global();
    codecs.register::<(String, Vec<Option<i16>>, f64)>("Reading").unwrap();
    codecs.register::<Result<u8, (bool, u128)>>("Outcome").unwrap();
    let samples: Vec<_> = (0..50_i16).map(Some).chain([None]).collect();
    context.publish_value(&("argon".to_owned(), samples, f64::NAN), "reading").unwrap();
    context.publish_value(&Err::<u8, _>((true, u128::MAX)), "outcome").unwrap();
    context.publish_array(&ndarray::arr1(&[1_u16, 2]), "array").unwrap();

    let all = pipeline.good(&["values"]);
    let lines: Vec<_> = all.lines().collect();
    assert_eq!(lines.len(), 2, "the array is no value: {all}");
    assert!(lines.contains(&"outcome: Err((true, 340282366920938463463374607431768211455))"), "{all}");
    let one = pipeline.good(&["values", "reading"]);
    assert!(one.contains("\"argon\"") && one.contains("41 more"), "{one}");
    assert!(!pipeline.good(&["values", "reading", "--items", "60"]).contains("more"));
    let json = pipeline.good(&["values", "reading", "--json"]);
    assert!(json.starts_with(r#"{"name":"reading","value":["argon",[0,1,2,"#), "{json}");
    assert!(json.ends_with("48,49,null],\"NaN\"]}\n"), "{json}");
    let json = pipeline.good(&["--json", "values", "outcome"]);
    let digits = "340282366920938463463374607431768211455";
    assert_eq!(json, format!("{{\"name\":\"outcome\",\"value\":{{\"Err\":[true,\"{digits}\"]}}}}\n"));
    assert_eq!(code(&pipeline.run(&["values", "nothing"])), 3);
    assert_eq!(code(&pipeline.run(&["values", "array"])), 1);
}
