//! Dying at every named step, as the sender of a channel and as its receiver.
//!
//! The other end gets every message that was acknowledged, whole, and perhaps the one that was under way; it is told
//! of the death; another process takes the dead one's place; and one sweep leaves nothing behind.

use std::{os::unix::process::ExitStatusExt, time::Instant};

use podwire_codec_core::{Bulk, register_codec};
use podwire_fastio::{
    CRASH_POINTS, ChannelOptions, Error, FastIoAllocation, FastIoContext, Incoming, Receiver,
};

use crate::support::{Actor, LONG, Pipeline, Role, say};

const OPTIONS: ChannelOptions = ChannelOptions::new().capacity(3).inline(64);
const MESSAGES: u8 = 18;
/// Bytes of a message that does not fit a slot.
const LARGE: usize = 9000;

type Crashed = (u8, Bulk<u8>);
register_codec!(Crashed, "test.Crashed");

pub(crate) const ROLES: &[Role] = &[
    ("send-and-die", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let mut sender = context.sender("channel", &OPTIONS).unwrap();
        // One buffer goes again and again, as a camera's does.
        let buffer = context.create(20_000).unwrap();
        for number in 0..MESSAGES {
            match number % 4 {
                0 => sender.send(&[number; 30]).unwrap(),
                3 => sender.send(&[number; LARGE]).unwrap(),
                1 => {
                    buffer.map_mut().unwrap().fill(number);
                    sender.send(&buffer).unwrap();
                }
                _ => sender.send_value::<Crashed>(&(number, vec![number; 20_000].into())).unwrap(),
            }
            say(number);
            // The same buffer is not to be written to before it was read.
            while sender.waiting() != 0 {
                std::thread::yield_now();
            }
        }
    }),
    ("receive-and-die", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let mut receiver = context.receiver("channel", &OPTIONS).unwrap();
        for number in 0..MESSAGES {
            let _kept = check(&mut receiver, number);
            say(number);
        }
    }),
];

/// Receives a message, which must be this one, whole.
fn check(receiver: &mut Receiver, number: u8) -> Option<FastIoAllocation> {
    whole(receiver.receive_timeout(LONG).unwrap(), number)
}

fn whole(message: Incoming<'_>, number: u8) -> Option<FastIoAllocation> {
    match message {
        Incoming::Bytes(bytes) => {
            assert!(matches!(bytes.len(), 30 | LARGE) && bytes.iter().all(|byte| *byte == number));
        }
        Incoming::Allocation(found) => {
            assert!(found.map().unwrap().iter().all(|byte| *byte == number));
            return Some(found);
        }
        Incoming::Value(value) => {
            let (found, bulk): Crashed = value.decode().unwrap();
            assert!(found == number && bulk.len() == 20_000 && bulk.iter().all(|byte| *byte == number));
        }
        other => panic!("{other:?}"),
    }
    None
}

/// How far a child came, and whether it was killed.
fn rest(mut actor: Actor) -> (u8, bool) {
    let mut said = 0;
    while let Some(number) = actor.hear() {
        said = number.parse::<u8>().unwrap() + 1;
    }
    (said, actor.child.wait().unwrap().signal() == Some(9))
}

fn nothing_is_left(context: &FastIoContext, point: &str) {
    context.sweep().unwrap();
    let stats = context.stats().unwrap();
    let left = (stats.processes, stats.channels, stats.published, stats.private, stats.freed);
    assert_eq!(left, (1, 0, 0, 0, 0), "{point}: {stats:?}");
    assert_eq!(context.sweep().unwrap(), Default::default(), "{point}: one sweep was not enough");
}

#[test]
fn a_sender_may_die_at_any_step() {
    let mut hit = 0;
    for point in CRASH_POINTS {
        let pipeline = Pipeline::new();
        let context = pipeline.open();
        let mut receiver = context.receiver("channel", &OPTIONS).unwrap();
        let actor = Actor::start_with("send-and-die", &pipeline, &[("PODWIRE_CRASH_POINT", point)]);
        let start = Instant::now();
        let mut received = 0;
        // One that dies before it comes keeps us waiting for another one, rightly.
        let mut actor = Some(actor);
        let mut said = (0, false);
        loop {
            if let Some(child) = &mut actor
                && child.child.try_wait().unwrap().is_some()
            {
                said = rest(actor.take().unwrap());
            }
            match receiver.try_receive() {
                Ok(Some(message)) => {
                    whole(message, received);
                    received += 1;
                }
                Ok(None) if actor.is_none() && start.elapsed().as_millis() > 200 => break,
                Ok(None) => {}
                Err(Error::PeerDied { .. } | Error::Closed { .. }) if actor.is_none() => break,
                Err(Error::PeerDied { .. } | Error::Closed { .. }) => {}
                Err(error) => panic!("{point}: {error}"),
            }
        }
        let (said, killed) = said;
        assert!(received == said || received == said + 1, "{point}: {said} were sent, {received} came");
        assert!(killed || received == MESSAGES, "{point}");
        hit += u32::from(killed);
        let mut sender = context.sender("channel", &OPTIONS).unwrap();
        sender.send(&[77; 30]).unwrap();
        check(&mut receiver, 77);
        drop((sender, receiver));
        nothing_is_left(&context, point);
    }
    println!("{hit} steps were hit");
    assert!(hit > 20, "only {hit} steps were hit");
}

#[test]
fn a_receiver_may_die_at_any_step() {
    let mut hit = 0;
    for point in CRASH_POINTS {
        let pipeline = Pipeline::new();
        let context = pipeline.open();
        let mut sender = context.sender("channel", &OPTIONS).unwrap();
        let mut actor =
            Some(Actor::start_with("receive-and-die", &pipeline, &[("PODWIRE_CRASH_POINT", point)]));
        let mut buffers = Vec::new();
        let mut receiver = None;
        let mut next = 0;
        let mut said = (0, false);
        for number in 0..MESSAGES {
            let buffer = context.create(20_000).unwrap();
            buffer.map_mut().unwrap().fill(number);
            loop {
                let sent = match number % 4 {
                    0 => sender.try_send(&[number; 30]),
                    3 => sender.try_send(&[number; LARGE]),
                    1 => sender.try_send(&buffer),
                    _ => {
                        let value: Crashed = (number, vec![number; 20_000].into());
                        sender.try_send(podwire_fastio::Payload::value(&value))
                    }
                };
                if let Some(child) = &mut actor
                    && child.child.try_wait().unwrap().is_some()
                {
                    said = rest(actor.take().unwrap());
                    let mut taken = context.receiver("channel", &OPTIONS).unwrap();
                    // What it had taken and not acknowledged may be gone with it.
                    let rest = sender.waiting() > 0;
                    next = if rest {
                        first_number(&taken.receive_timeout(LONG).unwrap())
                    } else {
                        number + u8::from(sent.is_ok())
                    };
                    let acknowledged = said.0;
                    assert!(
                        next == acknowledged || next == acknowledged + 1,
                        "{point}: {next} comes after {acknowledged}"
                    );
                    next += u8::from(rest);
                    receiver = Some(taken);
                }
                match sent {
                    Ok(()) => break,
                    Err(Error::Full { .. }) => {
                        // It may have been full before its receiver took the rest and died.
                        if let Some(receiver) = &mut receiver
                            && sender.waiting() > 0
                        {
                            check(receiver, next);
                            next += 1;
                        }
                    }
                    Err(Error::PeerDied { .. } | Error::Closed { .. }) => {}
                    Err(error) => panic!("{point}: {error}"),
                }
                std::thread::yield_now();
            }
            buffers.push(buffer);
        }
        if let Some(actor) = actor.take() {
            said = rest(actor);
        }
        hit += u32::from(said.1);
        let mut receiver = match receiver {
            Some(receiver) => receiver,
            None => context.receiver("channel", &OPTIONS).unwrap(),
        };
        while let Some(message) = receiver.try_receive().unwrap() {
            let number = first_number(&message);
            whole(message, number);
        }
        // A buffer that went through the dead can be sent again by the one who kept it.
        for (number, buffer) in buffers.iter().enumerate() {
            sender.send(buffer).unwrap();
            check(&mut receiver, number as u8);
        }
        drop((sender, receiver, buffers));
        nothing_is_left(&context, point);
    }
    println!("{hit} steps were hit");
    assert!(hit > 8, "only {hit} steps were hit");
}

fn first_number(message: &Incoming<'_>) -> u8 {
    match message {
        Incoming::Bytes(bytes) => bytes[0],
        Incoming::Allocation(found) => found.map().unwrap()[0],
        Incoming::Value(value) => value.decode::<Crashed>().unwrap().0,
        other => panic!("{other:?}"),
    }
}
