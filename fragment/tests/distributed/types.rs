//! Applications whose messages are of every type, and of types that do not travel.

use std::{any::Any, collections::HashMap, sync::Arc};

use num_complex::Complex;
use podwire_codec_core::{
    Buffer, CodecRegistry, Tensor,
    tensor::{AudioBuffer, AudioLayout, EndOfStream, PixelFormat, TensorMap, Timestamp, VideoBuffer},
};
use podwire_codec_derive::Codec;
use podwire_fragment::{Application, Context, Input, Message, Operator, OperatorSpec, Output, Result};

use crate::applications::fragment;

/// Values of a type, of vectors and of nested vectors of it, and of each of these shared.
macro_rules! family {
    ($messages:ident: $($value:expr),+ $(,)?) => {$({
        let one = $value;
        let row = vec![one.clone(), one.clone()];
        let rows = vec![row.clone(), Vec::new(), row.clone()];
        $messages.extend([Message::new(one.clone()), Message::new(Arc::new(one))]);
        $messages.extend([Message::new(row.clone()), Message::new(Arc::new(row))]);
        $messages.extend([Message::new(rows.clone()), Message::new(Arc::new(rows))]);
    })+};
}

/// A value of every type that every registry knows.
fn messages() -> Vec<Message> {
    let mut messages = Vec::new();
    family! { messages:
        true, i8::MIN, i16::MIN, i32::MIN, i64::MIN, u8::MAX, u16::MAX, u32::MAX, u64::MAX, f32::MIN, f64::MIN,
        Complex::new(1.0_f32, -2.0), Complex::new(1.0_f64, -2.0), "grüße".to_owned(),
    }
    let map: HashMap<String, String> = [("key".to_owned(), "value".to_owned())].into();
    messages.extend([Message::new(map.clone()), Message::new(Arc::new(map))]);
    messages.extend([Message::new(Arc::new([0.5_f32; 16])), Message::new(i128::MIN)]);
    messages.extend([Message::new(u128::MAX), Message::new('ß')]);
    let tensor = Tensor::from_vec((0..2000_i64).collect(), &[50, 40]).unwrap();
    messages.push(Message::new(TensorMap::from([("voxels".to_owned(), tensor.clone())])));
    messages.push(Message::new(tensor));
    messages
        .push(Message::new(VideoBuffer::new(8, 6, PixelFormat::Rgb8, vec![3; 8 * 6 * 3].into()).unwrap()));
    let sound = AudioBuffer::from_vec(vec![0.5_f32; 2 * 480], 2, 48_000, AudioLayout::Interleaved);
    messages.push(Message::new(sound.unwrap()));
    messages.extend([Message::new(Timestamp { acqtime: 1, pubtime: i64::MAX }), Message::new(EndOfStream)]);
    let table = CodecRegistry::preregistered();
    for name in table.names() {
        let of = table.by_name(&name).unwrap().value_type();
        assert!(messages.iter().any(|message| message.type_id() == of), "no value of {name}");
    }
    messages
}

fn encoded(value: &(dyn Any + Send + Sync)) -> Vec<u8> {
    let entry = CodecRegistry::global().by_type(value.type_id()).unwrap();
    let mut buffer = Buffer::new();
    let mut writer = podwire_codec_core::Writer::new(&mut buffer);
    entry.encode(value, &mut writer).unwrap();
    writer.finish().unwrap();
    let mut bytes = entry.name().as_bytes().to_vec();
    bytes.extend_from_slice(buffer.as_slice());
    bytes
}

struct Everything;

impl Operator for Everything {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output_any("out");
        spec.count(1);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        messages().into_iter().try_for_each(|message| output.emit_message("out", message))?;
        Ok(())
    }
}

struct Anything;

impl Operator for Anything {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input_any("in");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, context: &mut Context) -> Result {
        let (expected, found) = (messages(), input.receive_any("in")?);
        let expected = &expected[context.tick() as usize];
        if (expected.type_id(), encoded(expected.value())) != (found.type_id(), encoded(found.value())) {
            return Err(format!("message {} is another one", context.tick()).into());
        }
        Ok(())
    }

    fn stop(&mut self, context: &mut Context) -> Result {
        println!("@ {} of {} types", context.tick(), messages().len());
        Ok(())
    }
}

pub(crate) fn all(app: &mut Application) {
    fragment(app, "a", [("everything", Everything)]);
    fragment(app, "b", [("anything", Anything)]);
    app.add_flow("a", "b", [("everything.out", "anything.in")]);
}

/// Emits one value of a type.
struct Emits<T>(fn() -> T);

impl<T: Any + Send + Sync> Operator for Emits<T> {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output::<T>("out");
        spec.count(1);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        output.emit("out", self.0())?;
        Ok(())
    }
}

/// Shows the values that it receives.
struct Shows<T>(fn(&T) -> String);

impl<T: Any + Send + Sync> Operator for Shows<T> {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<T>("in");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        println!("@ {}", self.0(&*input.receive::<T>("in")?));
        Ok(())
    }
}

fn one<T: Any + Send + Sync>(app: &mut Application, value: fn() -> T, show: fn(&T) -> String) {
    fragment(app, "a", [("emits", Emits(value))]);
    fragment(app, "b", [("shows", Shows(show))]);
    app.add_flow("a", "b", [("emits.out", "shows.in")]);
}

/// A million numbers in one message.
pub(crate) fn doubles(app: &mut Application) {
    one(
        app,
        || (0..1_000_000).map(f64::from).collect::<Vec<f64>>(),
        |values| {
            let right = values.iter().enumerate().all(|(at, value)| *value == at as f64);
            format!("{} doubles, right: {right}", values.len())
        },
    );
}

struct Unregistered;

/// A type without a codec between two fragments.
pub(crate) fn unknown(app: &mut Application) {
    one(app, || Unregistered, |_| "it came".into());
}

struct Surprise;

impl Operator for Surprise {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output_any("out");
        spec.count(1);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        output.emit("out", Unregistered)?;
        Ok(())
    }
}

/// A value without a codec on a port that takes any.
pub(crate) fn unknown_value(app: &mut Application) {
    fragment(app, "a", [("surprise", Surprise)]);
    fragment(app, "b", [("anything", Anything)]);
    app.add_flow("a", "b", [("surprise.out", "anything.in")]);
}

#[derive(Codec)]
#[codec(crate = podwire_codec_core)]
struct Old {
    x: f32,
    time: u32,
}

#[derive(Codec)]
#[codec(crate = podwire_codec_core)]
struct New {
    x: f32,
    time: u64,
}

/// `Pose` is another type in a process of another build.
pub(crate) fn pose(app: &mut Application) {
    let registry = CodecRegistry::global();
    if std::env::var_os("PODWIRE_TEST_OLD").is_some() {
        registry.register::<Old>("Pose").unwrap();
        one(app, || Old { x: 0.5, time: 1 }, |pose| format!("{} {}", pose.x, pose.time));
    } else {
        registry.register::<New>("Pose").unwrap();
        one(app, || New { x: 0.5, time: 1 }, |pose| format!("{} {}", pose.x, pose.time));
    }
}
