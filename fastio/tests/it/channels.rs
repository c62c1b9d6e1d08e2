//! Channels: between processes and threads, full, closed, abandoned, damaged.

use std::{
    fs::OpenOptions,
    os::unix::fs::FileExt,
    time::{Duration, Instant},
};

use podwire_codec_core::{Bulk, register_codec};
use podwire_fastio::{
    ChannelOptions, Error, FastIoContext, Incoming, Metadata, Payload, Peer, Receiver, Sender, Wait,
    WhenFull, wait_for_any,
};

use crate::support::{Actor, LONG, Pipeline, Role, directory, pause, say};

const OPTIONS: ChannelOptions = ChannelOptions::new().capacity(4).inline(64);

type Frame = (u64, Bulk<u16>);
register_codec!(Frame, "test.Frame");

pub(crate) const ROLES: &[Role] = &[
    ("count-to-you", |pipeline| {
        let mut sender = FastIoContext::open(pipeline).unwrap().sender("numbers", &OPTIONS).unwrap();
        for number in 0..20_000u64 {
            sender.send(&number.to_le_bytes()).unwrap();
        }
    }),
    ("send-three-and-stay", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let mut sender = context.sender("numbers", &OPTIONS).unwrap();
        sender.send(b"first").unwrap();
        let allocation = context.create(10_000).unwrap();
        allocation.map_mut().unwrap().fill(2);
        sender.send(&allocation).unwrap();
        sender.send_value::<Frame>(&(3, vec![3; 50_000].into())).unwrap();
        say("sent");
        pause();
    }),
    ("receive-one-and-stay", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let mut receiver = context.receiver("numbers", &OPTIONS).unwrap();
        let found = receiver.receive().unwrap();
        say(if let Incoming::Allocation(found) = found { found.map().unwrap()[0] } else { 0 });
        let _last = receiver.try_receive();
        say("took another one");
        pause();
    }),
    ("wait-for-number", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let mut receiver = context.receiver("numbers", &OPTIONS).unwrap();
        say("waiting");
        say(receiver.receive_timeout(LONG).unwrap().bytes().unwrap().len());
    }),
];

fn both(pipeline: &Pipeline, options: &ChannelOptions) -> (FastIoContext, Sender, Receiver) {
    let context = pipeline.open();
    let (sender, receiver) = context.channel("numbers", options).unwrap();
    (context, sender, receiver)
}

fn nothing_is_left(context: &FastIoContext) {
    let stats = context.stats().unwrap();
    assert_eq!((stats.channels, stats.published, stats.private, stats.freed), (0, 0, 0, 0), "{stats:?}");
}

#[test]
fn an_allocation_is_sent_again_in_the_place_where_it_is_not_settled() {
    for capacity in [1, 3] {
        let pipeline = Pipeline::new();
        let (context, mut sender, mut receiver) = both(&pipeline, &OPTIONS.capacity(capacity));
        let allocation = context.create(10_000).unwrap();
        allocation.map_mut().unwrap().fill(7);
        for _ in 0..capacity {
            sender.send(&allocation).unwrap();
        }
        for _ in 0..3 * capacity {
            let Incoming::Allocation(found) = receiver.receive().unwrap() else { panic!("no allocation") };
            assert_eq!(found.id(), allocation.id());
            assert_eq!(found.map().unwrap()[9_999], 7);
            sender.send(&allocation).unwrap();
        }
        for _ in 0..capacity {
            assert!(matches!(receiver.receive(), Ok(Incoming::Allocation(_))));
        }
        drop((sender, receiver, allocation));
        nothing_is_left(&context);
    }
}

#[test]
fn numbers_arrive_in_order_from_another_process() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut receiver = context.receiver("numbers", &OPTIONS).unwrap();
    let actor = Actor::start("count-to-you", &pipeline);
    for number in 0..20_000u64 {
        assert_eq!(receiver.receive().unwrap().bytes().unwrap(), number.to_le_bytes());
    }
    assert!(matches!(receiver.receive(), Err(Error::Closed { .. })));
    actor.finish();
    drop(receiver);
    nothing_is_left(&context);
}

#[test]
fn messages_of_every_kind_and_size_come_as_they_went_also_between_spinning_threads() {
    for (wait, rounds) in [(Wait::Sleep, 300usize), (Wait::Spin, 30)] {
        let pipeline = Pipeline::new();
        let (context, mut sender, mut receiver) = both(&pipeline, &OPTIONS.wait(wait));
        let sending = std::thread::spawn(move || {
            for round in 0..rounds {
                sender.send(&vec![round as u8; round * 7 % 300]).unwrap();
                let allocation = sender_allocation(&sender, round);
                sender.send(&allocation).unwrap();
                sender.send_value(&(round as u64, Bulk::from(vec![round as u16; round * 100]))).unwrap();
            }
        });
        for round in 0..rounds {
            let bytes = receiver.receive().unwrap().bytes().unwrap();
            assert_eq!(bytes, vec![round as u8; round * 7 % 300]);
            let allocation = receiver.receive().unwrap().allocation().unwrap();
            assert!(
                allocation.len() == round
                    && allocation.map().unwrap().iter().all(|byte| *byte == round as u8)
            );
            let (number, bulk): Frame = receiver.receive_value().unwrap();
            assert_eq!((number as usize, &*bulk), (round, &*vec![round as u16; round * 100]));
        }
        sending.join().unwrap();
        assert!(matches!(receiver.try_receive(), Err(Error::Closed { .. })));
        drop(receiver);
        nothing_is_left(&context);
    }
}

fn sender_allocation(sender: &Sender, round: usize) -> podwire_fastio::FastIoAllocation {
    let allocation = sender.context().create(round).unwrap();
    allocation.map_mut().unwrap().fill(round as u8);
    allocation
}

#[test]
fn a_channel_holds_what_was_asked_for_and_then_refuses_or_waits() {
    for capacity in [1, 2, 3, 7] {
        let pipeline = Pipeline::new();
        let options = OPTIONS.capacity(capacity).when_full(WhenFull::Refuse);
        let (_context, mut sender, mut receiver) = both(&pipeline, &options);
        for round in 0..5 {
            for number in 0..capacity {
                sender.send(&[number as u8]).unwrap();
                assert_eq!(sender.waiting(), number + 1);
            }
            assert!(matches!(sender.send(b"more"), Err(Error::Full { .. })), "round {round}");
            assert!(matches!(sender.try_send(b"more"), Err(Error::Full { .. })));
            let error = sender.send_timeout(b"more", Duration::from_millis(10)).unwrap_err();
            assert_eq!(error.to_string(), "waited 10ms for room in the channel \"numbers\"");
            for number in 0..capacity {
                assert_eq!(receiver.receive().unwrap().bytes().unwrap(), [number as u8]);
            }
            assert!(receiver.try_receive().unwrap().is_none());
        }
        let error = receiver.receive_timeout(Duration::from_millis(10)).unwrap_err();
        assert_eq!(error.to_string(), "waited 10ms for a message of the channel \"numbers\"");
    }
}

#[test]
fn a_sender_that_waits_for_room_goes_on_when_there_is_some() {
    let pipeline = Pipeline::new();
    let (_context, mut sender, mut receiver) = both(&pipeline, &OPTIONS.capacity(1));
    sender.send(b"one").unwrap();
    let sending = std::thread::spawn(move || sender.send(b"two").map(|()| sender));
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(receiver.receive().unwrap().bytes().unwrap(), b"one");
    assert_eq!(receiver.receive().unwrap().bytes().unwrap(), b"two");
    drop(receiver);
    let mut sender = sending.join().unwrap().unwrap();
    assert!(matches!(sender.send(b"three"), Err(Error::Closed { .. })));
}

#[test]
fn what_was_sent_outlives_its_sender_even_when_it_is_killed() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut actor = Actor::start("send-three-and-stay", &pipeline);
    actor.expect("sent");
    actor.kill();
    context.sweep().unwrap();
    let mut receiver = context.receiver("numbers", &OPTIONS).unwrap();
    assert_eq!(receiver.receive().unwrap().bytes().unwrap(), b"first");
    let second = receiver.receive().unwrap().allocation().unwrap();
    assert!(second.map().unwrap().iter().all(|byte| *byte == 2));
    let third: Frame = receiver.receive_value().unwrap();
    assert_eq!((third.0, third.1.len(), third.1[49_999]), (3, 50_000, 3));
    let start = Instant::now();
    assert!(matches!(receiver.receive(), Err(Error::PeerDied { .. })));
    assert!(start.elapsed() < LONG / 4);
    // A new sender takes the place of the dead one.
    let mut sender = context.sender("numbers", &OPTIONS).unwrap();
    sender.send(b"again").unwrap();
    assert_eq!(receiver.receive().unwrap().bytes().unwrap(), b"again");
    drop((sender, receiver, second, third));
    nothing_is_left(&context);
}

#[test]
fn a_receiver_that_is_killed_is_noticed_and_another_one_goes_on_where_it_was() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut sender = context.sender("numbers", &OPTIONS).unwrap();
    let buffers = [4u8, 5, 6].map(|byte| {
        let buffer = context.create(1000).unwrap();
        buffer.map_mut().unwrap().fill(byte);
        sender.send(&buffer).unwrap();
        buffer
    });
    let mut actor = Actor::start("receive-one-and-stay", &pipeline);
    actor.expect("4");
    actor.expect("took another one");
    assert_eq!(sender.peer().unwrap(), Peer::Attached);
    actor.kill();
    let error = loop {
        match sender.send_timeout(b"fill", LONG) {
            Ok(()) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::PeerDied { .. }), "{error}");
    assert_eq!(sender.peer().unwrap(), Peer::Died);
    let mut receiver = context.receiver("numbers", &OPTIONS).unwrap();
    assert_eq!(receiver.receive().unwrap().allocation().unwrap().map().unwrap()[0], 6);
    while receiver.try_receive().unwrap().is_some() {}
    // What was received comes back to the one who kept it, and can be sent again.
    for (buffer, byte) in buffers.iter().zip([4, 5, 6]) {
        sender.send(buffer).unwrap();
        assert_eq!(receiver.receive().unwrap().allocation().unwrap().map().unwrap()[0], byte);
    }
    drop((sender, receiver));
    assert_eq!(context.stats().unwrap().private, 3);
    drop(buffers);
    nothing_is_left(&context);
}

#[test]
fn one_who_is_stopped_is_waited_for_and_never_declared_dead() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut receiver = context.receiver("numbers", &OPTIONS).unwrap();
    let actor = Actor::start("count-to-you", &pipeline);
    let signal = |signal| {
        let child = rustix::process::Pid::from_child(&actor.child);
        rustix::process::kill_process(child, signal).unwrap();
    };
    let mut expected = 0u64;
    let mut next = |receiver: &mut Receiver, patience| {
        let message = receiver.receive_timeout(patience).map(|message| message.bytes().unwrap().to_vec());
        if let Ok(bytes) = &message {
            assert_eq!(bytes[..], expected.to_le_bytes());
            expected += 1;
        }
        message
    };
    for _ in 0..20 {
        next(&mut receiver, LONG).unwrap();
    }
    signal(rustix::process::Signal::STOP);
    let error = loop {
        if let Err(error) = next(&mut receiver, Duration::from_millis(100)) {
            break error;
        }
    };
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    context.sweep().unwrap();
    assert_eq!(receiver.peer().unwrap(), Peer::Attached);
    signal(rustix::process::Signal::CONT);
    let error = loop {
        if let Err(error) = next(&mut receiver, LONG) {
            break error;
        }
    };
    assert!(matches!(error, Error::Closed { .. }), "{error}");
    assert_eq!(expected, 20_000);
    actor.finish();
}

#[test]
fn a_sleeping_receiver_is_woken_from_another_process() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut actor = Actor::start("wait-for-number", &pipeline);
    actor.expect("waiting");
    std::thread::sleep(Duration::from_millis(20));
    context.sender("numbers", &OPTIONS).unwrap().send(&[0; 500]).unwrap();
    actor.expect("500");
    actor.finish();
}

#[test]
fn memory_that_was_received_can_be_changed_published_and_sent_on() {
    let pipeline = Pipeline::new();
    let (context, mut sender, mut receiver) = both(&pipeline, &OPTIONS);
    let (mut onward, mut end) = context.channel("onward", &OPTIONS).unwrap();
    let allocation = context.create(100).unwrap();
    let id = allocation.id();
    sender.send(&allocation).unwrap();
    drop(allocation);
    let received = receiver.receive().unwrap().allocation().unwrap();
    assert!(receiver.try_receive().unwrap().is_none());
    received.map_mut().unwrap().fill(9);
    onward.send(&received).unwrap();
    drop(received);
    let received = end.receive().unwrap().allocation().unwrap();
    assert_eq!((received.id(), received.map().unwrap()[99]), (id, 9));
    assert!(end.try_receive().unwrap().is_none());
    received.publish("kept").unwrap();
    drop((received, sender, receiver, onward, end));
    let kept = context.get("kept").unwrap();
    assert_eq!(kept.id(), id);
    kept.free().unwrap();
    drop(kept);
    nothing_is_left(&context);
}

#[test]
fn a_freed_allocation_is_refused_and_the_channel_goes_on() {
    let pipeline = Pipeline::new();
    let (context, mut sender, mut receiver) = both(&pipeline, &OPTIONS);
    let freed = context.create(10).unwrap();
    freed.free().unwrap();
    assert!(matches!(sender.send(&freed), Err(Error::Freed)));
    let other = Pipeline::new();
    let foreign = other.open().create(10).unwrap();
    assert!(matches!(sender.send(&foreign), Err(Error::CannotAdopt { .. })));
    assert!(matches!(sender.send(Payload::value(&Some(1_u8))), Err(Error::Codec(_))), "it is not registered");
    sender.send(b"fine").unwrap();
    assert_eq!(receiver.receive().unwrap().bytes().unwrap(), b"fine");
}

#[test]
fn metadata_travels_with_the_handle_that_was_sent() {
    let pipeline = Pipeline::new();
    let (context, mut sender, mut receiver) = both(&pipeline, &OPTIONS);
    let mut allocation = context.create(10).unwrap();
    allocation.set_metadata(Metadata::default().with("first", "1"));
    sender.send(&allocation).unwrap();
    allocation.publish("named").unwrap();
    allocation.set_metadata(Metadata::default().with("second", "2"));
    sender.send(&allocation).unwrap();
    for key in ["first", "second"] {
        let received = receiver.receive().unwrap().allocation().unwrap();
        assert_eq!(received.id(), allocation.id());
        assert!(received.metadata().unwrap().user.contains_key(key));
    }
    assert!(context.get("named").unwrap().metadata().unwrap().user.contains_key("first"));
    drop((sender, receiver));
    allocation.free().unwrap();
    drop(allocation);
    nothing_is_left(&context);
}

#[test]
fn an_end_is_taken_once_and_a_channel_has_one_shape() {
    let pipeline = Pipeline::new();
    let (context, sender, receiver) = both(&pipeline, &OPTIONS);
    assert!(matches!(context.sender("numbers", &OPTIONS), Err(Error::EndTaken { end: "sender", .. })));
    assert!(matches!(context.receiver("numbers", &OPTIONS), Err(Error::EndTaken { end: "receiver", .. })));
    let other = OPTIONS.capacity(5);
    assert!(matches!(
        context.sender("numbers", &other),
        Err(Error::ChannelDiffers { what: "capacity", found: 4, wanted: 5, .. })
    ));
    assert!(matches!(
        context.sender("numbers", &OPTIONS.inline(1000)),
        Err(Error::ChannelDiffers { what: "inline bytes", .. })
    ));
    for bad in [OPTIONS.capacity(0), OPTIONS.capacity(32_768), OPTIONS.inline(65_537)] {
        assert!(matches!(context.sender("other", &bad), Err(Error::BadChannel { .. })));
    }
    for bad in ["", "/", "a/b", "..", &"x".repeat(255)] {
        assert!(matches!(context.sender(bad, &OPTIONS), Err(Error::BadName { .. })), "{bad}");
    }
    assert!(matches!(context.remove_channel("numbers"), Err(Error::EndTaken { .. })));
    drop(sender);
    let sender = context.sender("numbers", &OPTIONS).unwrap();
    drop((sender, receiver));
    assert!(context.channels().unwrap().is_empty());
}

#[test]
fn a_channel_is_no_publication() {
    let pipeline = Pipeline::new();
    let (context, mut sender, _receiver) = both(&pipeline, &OPTIONS);
    sender.send(b"x").unwrap();
    assert!(context.list().unwrap().is_empty());
    assert!(context.try_get("numbers").unwrap().is_none());
    context.create(1).unwrap().publish("numbers").unwrap();
    let [listing] = &context.channels().unwrap()[..] else { panic!("one channel") };
    assert_eq!((listing.name.as_str(), listing.capacity, listing.waiting), ("numbers", 4, 1));
    assert_eq!((listing.sender, listing.receiver), (Peer::Attached, Peer::Attached));
    for index in 0..3 {
        for generation in 1..3 {
            if let Ok(found) = context.get_by_id(podwire_fastio::AllocationId { index, generation }) {
                assert_eq!(found.len(), 1, "the memory of a channel cannot be mapped as payload");
            }
        }
    }
}

#[test]
fn what_waits_keeps_a_channel_and_removal_takes_both() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut sender = context.sender("numbers", &OPTIONS).unwrap();
    sender.send(&[7; 1000]).unwrap();
    drop(sender);
    context.sweep().unwrap();
    assert_eq!(context.channels().unwrap()[0].waiting, 1);
    assert!(context.remove_channel("numbers").unwrap());
    assert!(!context.remove_channel("numbers").unwrap());
    nothing_is_left(&context);
}

#[test]
fn one_who_waits_for_many_gets_from_all() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let names: Vec<_> = (0..5).map(|number| format!("lane-{number}")).collect();
    let mut receivers: Vec<_> = names.iter().map(|name| context.receiver(name, &OPTIONS).unwrap()).collect();
    let error = wait_for_any(&receivers, 0, Duration::from_millis(10)).unwrap_err();
    assert_eq!(error.to_string(), "waited 10ms for a message of 5 channels");
    let sending: Vec<_> = names
        .iter()
        .cloned()
        .map(|name| {
            let context = context.clone();
            std::thread::spawn(move || {
                let mut sender = context.sender(&name, &OPTIONS).unwrap();
                for number in 0..200u64 {
                    sender.send(&number.to_le_bytes()).unwrap();
                }
            })
        })
        .collect();
    let mut counts = vec![0u64; receivers.len()];
    let mut last = 0;
    while !receivers.is_empty() {
        last = wait_for_any(&receivers, last, LONG).unwrap();
        match receivers[last].receive() {
            Ok(message) => {
                assert_eq!(message.bytes().unwrap(), counts[last].to_le_bytes());
                counts[last] += 1;
            }
            Err(Error::Closed { .. }) => {
                assert_eq!(counts.remove(last), 200);
                drop(receivers.remove(last));
            }
            Err(error) => panic!("{error}"),
        }
    }
    sending.into_iter().for_each(|thread| thread.join().unwrap());
    nothing_is_left(&context);
}

#[test]
fn a_removed_pipeline_ends_the_wait() {
    let pipeline = Pipeline::new();
    let (_context, mut sender, mut receiver) = both(&pipeline, &OPTIONS);
    let waiting = std::thread::spawn(move || receiver.receive().map(drop));
    std::thread::sleep(Duration::from_millis(20));
    FastIoContext::remove(&pipeline).unwrap();
    assert!(matches!(waiting.join().unwrap(), Err(Error::Removed)));
    assert!(matches!(sender.send(b"x"), Err(Error::Removed)));
}

/// Where the payload of the only segment begins, as a channel of four messages has it.
const START: u64 = 4096;

#[test]
fn garbage_in_a_ring_is_an_error_and_never_more() {
    let slot = START + 192;
    let header: [(&str, u64, &[u8]); 5] = [
        ("magic", START, &[0]),
        ("capacity", START + 8, &[255; 4]),
        ("no capacity", START + 8, &[0; 4]),
        ("stride", START + 12, &[255; 4]),
        ("odd stride", START + 12, &[97, 0, 0, 0]),
    ];
    let spoil = |pipeline: &Pipeline, at: u64, bytes: &[u8]| {
        let file = OpenOptions::new().write(true).open(directory(pipeline).join("segment.0.1")).unwrap();
        file.write_all_at(bytes, at).unwrap();
    };
    for (kind, at, bytes) in header {
        let pipeline = Pipeline::new();
        let (context, mut sender, receiver) = both(&pipeline, &OPTIONS);
        sender.send(b"x").unwrap();
        drop(receiver);
        spoil(&pipeline, at, bytes);
        let error = context.receiver("numbers", &OPTIONS).map(drop).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{kind}: {error}");
        let _ = (context.channels(), context.sweep());
    }
    let message: [(&str, u64, &[u8]); 6] = [
        ("length", slot + 8, &[255; 4]),
        ("kind", slot + 12, &[77]),
        ("target", slot + 12, &[2, 1]),
        ("target without a reference", slot + 12, &[2, 0]),
        ("bytes beside a buffer", slot + 12, &[1, 9]),
        ("a value beside a buffer that is not there", slot + 12, &[3, 9]),
    ];
    for (kind, at, bytes) in message {
        let pipeline = Pipeline::new();
        let (_context, mut sender, mut receiver) = both(&pipeline, &OPTIONS);
        sender.send(b"x").unwrap();
        sender.send(b"y").unwrap();
        spoil(&pipeline, at, bytes);
        let error = receiver.receive().unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{kind}: {error}");
        assert_eq!(receiver.receive().unwrap().bytes().unwrap(), b"y", "{kind}: it is skipped");
    }
    for tail in [5u64, 1 << 40, u64::MAX] {
        let pipeline = Pipeline::new();
        let (_context, mut sender, _receiver) = both(&pipeline, &OPTIONS);
        for _ in 0..4 {
            sender.send(b"x").unwrap();
        }
        spoil(&pipeline, START + 128, &tail.to_le_bytes());
        assert!(matches!(sender.try_send(b"y"), Err(Error::Corrupt { .. })), "tail {tail}");
    }
}

#[test]
fn random_garbage_in_a_ring_never_panics() {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..50 {
        let pipeline = Pipeline::new();
        let (context, mut sender, mut receiver) = both(&pipeline, &OPTIONS);
        let buffer = context.create(10).unwrap();
        for _ in 0..2 {
            sender.send(b"x").unwrap();
            sender.send(&buffer).unwrap();
        }
        let file = OpenOptions::new().write(true).open(directory(&pipeline).join("segment.0.1")).unwrap();
        for _ in 0..20 {
            // The list of children, the header of the ring, and its slots.
            let at = [3072 + random() % 64, START + random() % 192, START + random() % 600];
            file.write_all_at(&random().to_le_bytes(), at[random() as usize % 3] & !7).unwrap();
        }
        for _ in 0..6 {
            let _ =
                receiver.try_receive().map(|message| message.map(|message| message.bytes().map(<[u8]>::len)));
            let _ = sender.try_send(&buffer);
        }
        let _ = (context.channels(), context.sweep());
        drop((sender, receiver));
        let _ = (context.receiver("numbers", &OPTIONS), context.sweep());
    }
}

#[test]
fn a_channel_that_is_opened_while_an_older_one_is_taken_away_stays() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    std::thread::scope(|scope| {
        let user = scope.spawn(|| {
            for round in 0..500 {
                // Of another size, so that it lies elsewhere than the one before.
                let options = OPTIONS.inline([64, 8192][round % 2]);
                let (mut sender, mut receiver) = context.channel("numbers", &options).unwrap();
                sender.send(b"x").unwrap();
                assert_eq!(receiver.receive_timeout(LONG).unwrap().bytes().unwrap(), b"x");
                assert_eq!(context.stats().unwrap().channels, 1, "round {round}: it was taken away");
            }
        });
        while !user.is_finished() {
            let removed = context.remove_channel("numbers");
            assert!(matches!(removed, Ok(_) | Err(Error::EndTaken { .. })), "{removed:?}");
        }
    });
}
