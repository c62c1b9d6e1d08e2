//! A value of every type that every registry knows.

use std::{any::TypeId, collections::HashMap, collections::HashSet, sync::Arc};

use num_complex::Complex;
use podwire_codec_core::{
    CodecRegistry, Tensor,
    tensor::{AudioBuffer, AudioLayout, EndOfStream, PixelFormat, TensorMap, Timestamp, VideoBuffer},
};

use super::{
    Breach, Tried,
    bench::{Bench, Step, bytes_of},
};
use crate::message::Message;

/// Values of a type, of vectors and of nested vectors of it, and of each of these shared.
macro_rules! family {
    ($messages:ident: $($values:expr),+ $(,)?) => {$({
        let values = $values;
        let nested = vec![values.clone(), Vec::new(), values.clone()];
        for value in &values {
            $messages.push(Message::new(value.clone()));
        }
        $messages.push(Message::new(Arc::new(values[0].clone())));
        $messages.push(Message::new(values.clone()));
        $messages.push(Message::new(Arc::new(values)));
        $messages.push(Message::new(nested.clone()));
        $messages.push(Message::new(Arc::new(nested)));
    })+};
}

fn messages() -> Result<Vec<Message>, Breach> {
    let mut messages = Vec::new();
    family! { messages:
        vec![true, false],
        vec![i8::MIN, 1], vec![i16::MIN, 1], vec![i32::MIN, 1], vec![i64::MIN, 1],
        vec![u8::MAX, 1], vec![u16::MAX, 1], vec![u32::MAX, 1], vec![u64::MAX, 1],
        vec![f32::MIN, -0.0], vec![f64::MIN, 1.5],
        vec![Complex::new(1.0_f32, -2.0)], vec![Complex::new(1.0_f64, -2.0)],
        vec!["grüße".to_owned(), String::new()],
    }
    let map: HashMap<String, String> = [("key".to_owned(), "value".to_owned())].into();
    messages.extend([Message::new(map.clone()), Message::new(Arc::new(map))]);
    messages.push(Message::new(Arc::new([0.5_f32; 16])));
    messages.extend([Message::new(i128::MIN), Message::new(u128::MAX), Message::new('ß')]);
    let tensor = Tensor::from_vec((0..2000_i64).collect(), &[50, 40]).step("making a tensor")?;
    messages.push(Message::new(TensorMap::from([("voxels".to_owned(), tensor.clone())])));
    messages.push(Message::new(tensor));
    let frame = VideoBuffer::new(64, 48, PixelFormat::Rgb8, vec![3; 64 * 48 * 3].into());
    messages.push(Message::new(frame.step("making a frame")?));
    let sound = AudioBuffer::from_vec(vec![0.5_f32; 2 * 480], 2, 48_000, AudioLayout::Interleaved);
    messages.push(Message::new(sound.step("making sound")?));
    messages.push(Message::new(Timestamp { acqtime: 1, pubtime: i64::MAX }));
    messages.push(Message::new(EndOfStream));
    Ok(messages)
}

pub(super) fn every_type(bench: &mut Bench<'_>) -> Tried {
    let (mut tx, mut rx) = bench.ends(&bench.link(2))?;
    let mut seen: HashSet<TypeId> = HashSet::new();
    for message in messages()? {
        let codec = CodecRegistry::global().by_value(message.value()).step("finding a codec")?;
        let step = format!("a {}", codec.name());
        tx.message(&message).step(&step)?;
        let received = rx.message(&step)?;
        let (wanted, found) = (bytes_of(message.value())?, bytes_of(received.value())?);
        if (message.type_id(), &wanted) != (received.type_id(), &found) {
            return Err(Breach::unlike(step, wanted, found).into());
        }
        seen.insert(message.type_id());
    }
    // Nobody forgot a row of the table.
    let table = CodecRegistry::preregistered();
    for name in table.names() {
        if !seen.contains(&table.by_name(&name).step(&name)?.value_type()) {
            return Err(Breach::unlike("types that the suite knows", name, "no value of it").into());
        }
    }
    Ok(())
}
