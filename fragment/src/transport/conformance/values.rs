//! Cases of what is carried: sizes, arrays, metadata, and what cannot be carried.

use podwire_codec_core::{Bulk, CodecRegistry, Limits, Tensor, message::Metadata};

use super::{
    Breach, Stop, Tried,
    bench::{Bench, Step},
};
use crate::{message::Message, transport::LinkError};

pub(super) fn every_size(bench: &mut Bench<'_>) -> Tried {
    let (mut tx, mut rx) = bench.ends(&bench.link(2))?;
    let largest = bench.largest.min(LARGE);
    let sizes = [0, 1, 7, 8, 100, 479, 480, 481, 4095, 4096, 65_535, 65_536, 65_537, 1 << 20, largest];
    for size in sizes.into_iter().filter(|size| *size <= largest) {
        let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let step = format!("{size} bytes");
        tx.message(&Message::new(bytes.clone())).step(&step)?;
        if rx.value::<Vec<u8>>(&step)? != bytes {
            return Err(Breach::unlike(step, "the bytes that were sent", "others").into());
        }
    }
    Ok(())
}

/// What is larger is sent once only.
const LARGE: usize = 16 << 20;

pub(super) fn huge(bench: &mut Bench<'_>) -> Tried {
    let size = bench.largest;
    if size <= LARGE {
        return Err(Stop::Skip("no value of more than 16 MiB was asked for"));
    }
    if available() < 5 * size as u64 {
        return Err(Stop::Skip("less than five times as much memory is free"));
    }
    CodecRegistry::global().register::<Bulk<u8>>("podwire.conformance.Bytes").step("registering")?;
    let mut link = bench.link(1);
    link.limits.bytes = link.limits.bytes.max(2 * size as u64);
    let (mut tx, mut rx) = bench.ends(&link)?;
    let mut bytes = vec![0_u8; size];
    for (piece, at) in bytes.chunks_mut(4096).zip(0_u64..) {
        let known = piece.len().min(8);
        piece[..known].copy_from_slice(&at.to_le_bytes()[..known]);
    }
    let (bytes, step) = (Bulk::from(bytes), format!("{size} bytes"));
    tx.message(&Message::new(bytes.clone())).step(&step)?;
    let deadline = std::time::Instant::now() + HUGE;
    let received = loop {
        match crate::transport::receive(&mut *rx.end, &rx.bell, super::bench::LONG).step(&step)? {
            Some(message) => break message.received::<Bulk<u8>>().step(&step)?,
            None if std::time::Instant::now() < deadline => {}
            None => return Err(Breach::unlike(step, "a message", "none").into()),
        }
    };
    if **received != *bytes {
        return Err(Breach::unlike(step, "the bytes that were sent", "others").into());
    }
    Ok(())
}

/// How long a huge value may take, on a slow machine with much to do.
const HUGE: std::time::Duration = std::time::Duration::from_secs(110);

/// Bytes of memory that can be had; 0 where the system does not say.
fn available() -> u64 {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// A value with a large array in it.
type Spectrum = (String, Bulk<f32>);

pub(super) fn arrays(bench: &mut Bench<'_>) -> Tried {
    CodecRegistry::global().register::<Spectrum>("podwire.conformance.Spectrum").step("registering")?;
    let (mut tx, mut rx) = bench.ends(&bench.link(4))?;
    let numbers = |count: usize| (0..count).map(|at| at as f32).collect::<Vec<_>>();
    let mut kept: Vec<(Spectrum, usize)> = Vec::new();
    for count in [0, 1, 1000, 5000, 100_000, bench.largest.min(LARGE) / 4] {
        let step = format!("an array of {count} numbers");
        tx.message(&Message::new((step.clone(), Bulk::from(numbers(count))))).step(&step)?;
        kept.push((rx.value::<Spectrum>(&step)?, count));
    }
    let tensor = Tensor::from_vec(numbers(300 * 200), &[300, 200]).step("making a tensor")?;
    let part = tensor.part(1, 50..150).step("making a part of a tensor")?;
    let mut tensors = Vec::new();
    for (tensor, step) in [(&tensor, "a tensor"), (&part, "a part of a tensor, with strides")] {
        tx.message(&Message::new(tensor.clone())).step(step)?;
        tensors.push((tensor.clone(), rx.value::<Tensor>(step)?, step));
    }
    // What was received outlives the link.
    drop((tx, rx));
    for ((name, values), count) in kept {
        if *values != *numbers(count) {
            return Err(Breach::unlike(name, "the numbers that were sent", "others").into());
        }
    }
    for (sent, received, step) in tensors {
        if sent != received {
            return Err(Breach::unlike(step, sent, received).into());
        }
        // Seen as numbers, it is aligned for them.
        received.to_vec::<f32>().step(step)?;
    }
    Ok(())
}

pub(super) fn metadata(bench: &mut Bench<'_>) -> Tried {
    let (mut tx, mut rx) = bench.ends(&bench.link(2))?;
    let mut metadata = Metadata::new();
    metadata.insert("origin", &vec![1.0_f64, 2.0]).step("making metadata")?;
    metadata.insert_bytes("source", vec![7; 10_000]);
    tx.message(&Message::new(1_u64).with_metadata(metadata.clone())).step("sending metadata")?;
    tx.message(&Message::new(2_u64)).step("sending none")?;
    for (number, wanted) in [(1, metadata), (2, Metadata::new())] {
        let message = rx.message("receiving metadata")?;
        if *message.metadata() != wanted {
            return Err(Breach::unlike("metadata", wanted, message.metadata()).into());
        }
        let value = message.received::<u64>().step("receiving metadata")?;
        if *value != number {
            return Err(Breach::unlike("the value beside metadata", number, *value).into());
        }
    }
    Ok(())
}

pub(super) fn bad(bench: &mut Bench<'_>) -> Tried {
    struct NoCodec;
    if bench.in_process {
        return Err(Stop::Skip("values are not encoded"));
    }
    let mut link = bench.link(4);
    link.limits = Limits { bytes: 100_000, ..Limits::DEFAULT };
    let (mut tx, mut rx) = bench.ends(&link)?;
    match tx.end.try_send(&Message::new(NoCodec)) {
        Err(LinkError::Codec { .. }) => {}
        other => return Err(Breach::unlike("sending what has no codec", "Codec", other).into()),
    }
    tx.message(&Message::new(vec![0_u8; 200_000])).step("sending more than the receiver takes")?;
    tx.number(7)?;
    rx.fails("receiving more than the limits", |error| matches!(error, LinkError::Codec { .. }))?;
    rx.number(7)?;
    let step = "what was no message counts as received";
    super::bench::until(step, &tx.bell.clone(), || {
        let traffic = tx.end.traffic();
        ((traffic.sent, traffic.received) == (2, 2), traffic)
    })?;
    Ok(())
}

pub(super) fn garbage(bench: &mut Bench<'_>) -> Tried {
    let garble = bench.garble.take().ok_or(Stop::Skip("no way to send garbage was given"));
    let mut garble = garble?;
    let mut message = Vec::new();
    CodecRegistry::global().serialize(&7_u64, &mut message).step("encoding")?;
    let mut lot = vec![
        Vec::new(),
        vec![0],
        vec![0xFF; 64],
        vec![0; 100_000],
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        message[..message.len() - 1].to_vec(),
    ];
    let mut lying = message.clone();
    lying[24..28].fill(0xFF); // the number of segments
    lot.push(lying);
    for bytes in lot {
        let link = bench.link(4);
        let mut rx = bench.receiver(&link)?;
        garble(&link, &bytes);
        let mut tx = bench.sender(&link)?;
        tx.number(7)?;
        // Typed errors, as many as there may be, and then what a sender sends.
        let deadline = std::time::Instant::now() + super::bench::LONG;
        loop {
            match crate::transport::receive(&mut *rx.end, &rx.bell, super::bench::LONG) {
                Ok(Some(message)) if message.value().downcast_ref() == Some(&7_u64) => break,
                Err(_) if std::time::Instant::now() < deadline => {}
                other => return Err(Breach::unlike("receiving after garbage", 7, other).into()),
            }
        }
    }
    *bench.garble = Some(garble);
    Ok(())
}
