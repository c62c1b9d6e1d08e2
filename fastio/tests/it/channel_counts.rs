//! How many messages were sent, received and settled, whoever dies; and what travels with a value.

use podwire_codec_core::{Bulk, message, register_codec};
use podwire_fastio::{ChannelOptions, Error, FastIoContext, Incoming, Payload, Peer};

use crate::support::{Actor, LONG, Pipeline, Role, pause, say};

const OPTIONS: ChannelOptions = ChannelOptions::new().capacity(4).inline(64);

type Told = (u32, Bulk<u16>);
register_codec!(Told, "test.Told");

type Labelled = (String, Vec<Bulk<u8>>);
register_codec!(Labelled, "test.Labelled");

pub(crate) const ROLES: &[Role] = &[("take-and-stay", |pipeline| {
    let context = FastIoContext::open(pipeline).unwrap();
    let mut receiver = context.receiver("counted", &OPTIONS).unwrap();
    for _ in 0..2 {
        receiver.receive_timeout(LONG).unwrap();
    }
    say("two");
    pause();
    receiver.settle().unwrap();
    say("settled");
    pause();
    receiver.receive_timeout(LONG).unwrap();
    say("three");
    pause();
})];

#[test]
fn a_sender_knows_how_many_messages_died_with_a_killed_receiver() {
    // Killed with a message in hand; between two messages; in the hand of a second receiver, too.
    for (steps, received, settled) in [(0, 2, 1), (1, 2, 2), (2, 3, 2)] {
        let pipeline = Pipeline::new();
        let context = pipeline.open();
        let mut sender = context.sender("counted", &OPTIONS).unwrap();
        let buffer = context.create(1000).unwrap();
        for round in 0..4 {
            if round % 2 == 0 { sender.send(&buffer) } else { sender.send(b"inline") }.unwrap();
        }
        let mut actor = Actor::start("take-and-stay", &pipeline);
        actor.expect("two");
        for said in ["settled", "three"].iter().take(steps) {
            actor.go_on();
            actor.expect(said);
        }
        actor.kill();
        context.sweep().unwrap();
        assert_eq!(sender.peer().unwrap(), Peer::Died);
        assert!(matches!(sender.send(b"more"), Err(Error::PeerDied { .. })));
        assert_eq!((sender.sent(), sender.received(), sender.settled()), (4, received, settled), "{steps}");

        let mut receiver = context.receiver("counted", &OPTIONS).unwrap();
        while receiver.try_receive().unwrap().is_some() {}
        assert_eq!(receiver.number(), None);
        let lost = received - settled;
        assert_eq!((sender.sent(), sender.received(), sender.settled()), (4, 4, 4 - lost), "{steps}");
        // Who sends from then on counts on.
        drop(sender);
        let mut sender = context.sender("counted", &OPTIONS).unwrap();
        sender.send(b"fifth").unwrap();
        assert_eq!((sender.sent(), sender.waiting()), (5, 1));
        receiver.receive().unwrap();
        assert_eq!(receiver.number(), Some(4));
        drop(receiver);
        assert_eq!((sender.received(), sender.settled()), (5, 5 - lost), "leaving settles");
        assert_eq!(sender.peer().unwrap(), Peer::Closed);
    }
}

#[test]
fn settling_lets_go_of_the_memory_of_a_message_and_is_done_once() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let (mut sender, mut receiver) = context.channel("counted", &OPTIONS).unwrap();
    receiver.settle().unwrap();
    assert_eq!((receiver.number(), sender.settled()), (None, 0));
    for number in 0..3 {
        sender.send(&context.create(10_000).unwrap()).unwrap();
        drop(receiver.receive().unwrap());
        assert_eq!(
            (receiver.number(), sender.received(), sender.settled()),
            (Some(number), number + 1, number)
        );
        assert_eq!(context.stats().unwrap().published, 1, "the message, until it is settled");
        receiver.settle().unwrap();
        receiver.settle().unwrap();
        assert_eq!((receiver.number(), receiver.settled(), sender.settled()), (None, number + 1, number + 1));
        assert_eq!(context.stats().unwrap().published, 0);
    }
}

#[test]
fn a_value_with_one_buffer_refers_to_it_and_makes_no_allocation_of_its_own() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let (mut sender, mut receiver) = context.channel("beside", &OPTIONS.inline(200)).unwrap();
    let buffer = |byte| {
        let buffer = context.create(100_000).unwrap();
        buffer.map_mut().unwrap().fill(byte);
        buffer.seal().unwrap();
        buffer.into_shared().unwrap().into_bulk::<u8>().unwrap()
    };
    let short = String::from("left");
    let cases: [(Labelled, usize, u64); 4] = [
        ((short.clone(), vec![buffer(1)]), 1, 0),
        ((short.clone(), vec![Bulk::from(vec![2; 50_000])]), 1, 50_000),
        ((short, vec![buffer(3), buffer(4)]), 3, 0),
        (("left".repeat(100), vec![buffer(5)]), 2, 400),
    ];
    for (value, allocations, copied) in cases {
        let before = context.stats().unwrap().published;
        let copied_before = sender.copied_bytes();
        sender.send_value(&value).unwrap();
        assert_eq!(context.stats().unwrap().published - before, allocations);
        let more = sender.copied_bytes() - copied_before;
        assert!((copied..copied + 100).contains(&more), "{more} bytes were copied");
        let received = receiver.receive().unwrap().value::<Labelled>().unwrap();
        receiver.settle().unwrap();
        assert_eq!(context.stats().unwrap().published, before, "the channel keeps nothing");
        assert_eq!(received, value, "and what was received stays");
        // It can be sent on, while its sender still has it.
        sender.send_value(&received).unwrap();
        assert_eq!(receiver.receive().unwrap().value::<Labelled>().unwrap(), value);
        receiver.settle().unwrap();
    }
    drop((sender, receiver));
    let stats = context.stats().unwrap();
    assert_eq!((stats.channels, stats.published, stats.private, stats.freed), (0, 0, 0, 0), "{stats:?}");
}

#[test]
fn metadata_travels_with_a_value_inline_and_by_reference() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let (mut sender, mut receiver) = context.channel("told", &OPTIONS.inline(200)).unwrap();
    let mut metadata = message::Metadata::new();
    metadata.insert("acquired", &7_u64).unwrap();
    metadata.insert_bytes("by", *b"probe");
    for count in [3usize, 50_000] {
        let value: Told = (count as u32, vec![5; count].into());
        sender.send(Payload::value_with(&value, &metadata)).unwrap();
        sender.send(Payload::any_with(&value, &metadata)).unwrap();
        sender.send_value(&value).unwrap();
        let Incoming::Value(message) = receiver.receive().unwrap() else { panic!("a value") };
        let (found, told) = message.decode_with_metadata::<Told>().unwrap();
        assert_eq!((found, &told), (value.clone(), &metadata));
        assert_eq!(told.get::<u64>("acquired").unwrap(), Some(7));
        let Incoming::Value(message) = receiver.receive().unwrap() else { panic!("a value") };
        assert_eq!(message.metadata().unwrap(), metadata);
        let (found, told) = message.decode_any_with_metadata().unwrap();
        assert_eq!((found.downcast_ref::<Told>(), told), (Some(&value), metadata.clone()));
        let Incoming::Value(message) = receiver.receive().unwrap() else { panic!("a value") };
        assert!(message.metadata().unwrap().is_empty());
    }
}

#[test]
fn a_channel_that_is_kept_goes_on_counting_when_both_ends_were_gone() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    for (options, name, sent) in [(OPTIONS, "left", 0), (OPTIONS.kept(true), "kept", 1)] {
        let (mut sender, mut receiver) = context.channel(name, &options).unwrap();
        sender.send(b"one").unwrap();
        drop(receiver.receive().unwrap());
        drop((sender, receiver));
        context.sweep().unwrap();
        assert_eq!(context.sender(name, &options).unwrap().sent(), sent, "{name}");
    }
    assert!(context.remove_channel("kept").unwrap());
    assert_eq!(context.channels().unwrap(), []);
}
