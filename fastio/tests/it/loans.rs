//! Memory that a sender lends to its channel: used again and again, never torn, gone with its ends, whoever dies.

use std::time::{Duration, Instant};

use podwire_fastio::{AllocationId, ChannelOptions, Error, FastIoContext, Peer, Receiver, Wait};

use crate::support::{Actor, LONG, Pipeline, Role, pause, say};

const OPTIONS: ChannelOptions = ChannelOptions::new().capacity(2).inline(64);
const SIZE: usize = 10_000;

pub(crate) const ROLES: &[Role] = &[
    ("lend-for-ever", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let mut sender = context.sender("lent", &OPTIONS).unwrap();
        for number in 0u64.. {
            let mut loan = sender.loan(SIZE).unwrap();
            loan.fill(number as u8);
            loan.send().unwrap();
            if number == 1 {
                say("two");
            }
        }
    }),
    ("take-one-loan-and-stay", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let mut receiver = context.receiver("lent", &OPTIONS).unwrap();
        say(receiver.receive().unwrap().bytes().unwrap()[SIZE - 1]);
        pause();
    }),
];

fn nothing_is_left(context: &FastIoContext) {
    let stats = context.stats().unwrap();
    assert_eq!((stats.channels, stats.published, stats.private, stats.freed), (0, 0, 0, 0), "{stats:?}");
}

fn filled(receiver: &mut Receiver, byte: u8) -> bool {
    let bytes = receiver.receive_timeout(LONG).unwrap().bytes().unwrap();
    bytes.len() == SIZE && bytes.iter().all(|found| *found == byte)
}

#[test]
fn lent_memory_is_used_again_and_never_while_it_is_read() {
    for (wait, rounds) in [(Wait::Sleep, 2000), (Wait::Spin, 60)] {
        let pipeline = Pipeline::new();
        let context = pipeline.open();
        let (mut sender, mut receiver) = context.channel("lent", &OPTIONS.wait(wait)).unwrap();
        let sending = std::thread::spawn(move || {
            for number in 0..rounds as u64 {
                let mut loan = sender.loan(SIZE).unwrap();
                loan.fill(number as u8);
                loan.send().unwrap();
            }
            sender
        });
        for number in 0..rounds as u64 {
            // Read for as long as the sender may run ahead: it must not get at this message.
            let bytes = receiver.receive_timeout(LONG).unwrap().bytes().unwrap();
            for _ in 0..3 {
                assert!(bytes.len() == SIZE && bytes.iter().all(|byte| *byte == number as u8), "{number}");
            }
        }
        let sender = sending.join().unwrap();
        let stats = context.stats().unwrap();
        assert_eq!((stats.published, stats.private), (3, 0), "one for each message that can wait, and one");
        drop((sender, receiver));
        nothing_is_left(&context);
    }
}

#[test]
fn a_loan_that_is_not_sent_is_nothing_and_sizes_may_change() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let (mut sender, mut receiver) = context.channel("lent", &OPTIONS).unwrap();
    sender.loan(SIZE).unwrap()[0] = 77;
    assert_eq!(sender.sent(), 0);
    for (round, size) in [SIZE, 0, 1, 300_000, 65, 3 << 20, 5].into_iter().cycle().take(40).enumerate() {
        let mut loan = sender.loan(size).unwrap();
        assert_eq!(loan.len(), size);
        loan.fill(round as u8);
        loan.send().unwrap();
        // Bytes that are too many for the slot go the same way.
        sender.send(&vec![round as u8; size]).unwrap();
        for _ in 0..2 {
            let bytes = receiver.receive().unwrap().bytes().unwrap();
            assert!(bytes.len() == size && bytes.iter().all(|byte| *byte == round as u8), "{size}");
        }
    }
    let allocation = context.create(SIZE).unwrap();
    sender.send(&allocation).unwrap();
    sender.send(&[1; SIZE]).unwrap();
    assert_eq!(receiver.receive().unwrap().allocation().unwrap().id(), allocation.id());
    assert!(filled(&mut receiver, 1));
    drop((sender, receiver, allocation));
    nothing_is_left(&context);
}

#[test]
fn a_loan_waits_for_room_and_for_nothing_else() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let (mut sender, mut receiver) = context.channel("lent", &OPTIONS.capacity(1)).unwrap();
    for number in 0..5 {
        sender.loan(SIZE).unwrap().send().unwrap();
        assert!(matches!(sender.try_loan(SIZE), Err(Error::Full { .. })));
        assert!(matches!(sender.loan_timeout(SIZE, Duration::from_millis(5)), Err(Error::Timeout { .. })));
        let bytes = receiver.receive().unwrap().bytes().unwrap();
        // The next one is filled while this one is in the receiver's hands.
        let mut loan = sender.try_loan(SIZE).unwrap();
        loan.fill(number);
        assert!(!std::ptr::eq(bytes.as_ptr(), loan.as_ptr()));
        loan.send().unwrap();
        assert!(filled(&mut receiver, number));
    }
    drop(receiver);
    assert!(matches!(sender.loan(SIZE), Err(Error::Closed { .. })));
}

#[test]
fn nobody_else_gets_at_lent_memory() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let (mut sender, mut receiver) = context.channel("lent", &OPTIONS).unwrap();
    sender.send(&[1; SIZE]).unwrap();
    for index in 0..4 {
        for generation in 1..4 {
            assert!(matches!(context.get_by_id(AllocationId { index, generation }), Err(Error::Freed)));
        }
    }
    assert!(filled(&mut receiver, 1));
}

#[test]
fn what_was_lent_outlives_its_sender_until_it_is_received() {
    for killed in [false, true] {
        let pipeline = Pipeline::new();
        let context = pipeline.open();
        let mut receiver = if killed {
            let mut actor = Actor::start("lend-for-ever", &pipeline);
            actor.expect("two");
            let mut receiver = context.receiver("lent", &OPTIONS).unwrap();
            let bytes = receiver.receive_timeout(LONG).unwrap().bytes().unwrap();
            actor.kill();
            context.sweep().unwrap();
            // Other memory is made and used meanwhile, but none that somebody reads.
            for _ in 0..10 {
                context.create(SIZE).unwrap().map_mut().unwrap().fill(99);
            }
            assert!(bytes.iter().all(|byte| *byte == 0));
            receiver
        } else {
            let mut sender = context.sender("lent", &OPTIONS).unwrap();
            sender.send(&[0; SIZE]).unwrap();
            sender.send(&[1; SIZE]).unwrap();
            drop(sender);
            context.sweep().unwrap();
            assert_eq!(context.stats().unwrap().published, 2);
            let mut receiver = context.receiver("lent", &OPTIONS).unwrap();
            assert!(filled(&mut receiver, 0));
            receiver
        };
        assert!(filled(&mut receiver, 1));
        let ended = loop {
            match receiver.receive_timeout(LONG) {
                // What the killed one had sent before it was.
                Ok(message) => assert!(killed && message.bytes().unwrap().len() == SIZE),
                Err(error) => break error,
            }
        };
        let right = if killed {
            matches!(ended, Error::PeerDied { .. })
        } else {
            matches!(ended, Error::Closed { .. })
        };
        assert!(right, "{ended}");
        // Another sender brings memory of its own.
        let mut sender = context.sender("lent", &OPTIONS).unwrap();
        for number in 0..7 {
            sender.send(&[number; SIZE]).unwrap();
            assert!(filled(&mut receiver, number));
        }
        drop((sender, receiver));
        nothing_is_left(&context);
        context.sweep().unwrap();
        assert_eq!(context.stats().unwrap().bytes, 0);
    }
}

#[test]
fn a_receiver_that_dies_with_a_loan_in_its_hands_leaves_the_memory_to_the_sender() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut sender = context.sender("lent", &OPTIONS).unwrap();
    sender.send(&[5; SIZE]).unwrap();
    let mut actor = Actor::start("take-one-loan-and-stay", &pipeline);
    actor.expect("5");
    sender.send(&[6; SIZE]).unwrap();
    actor.kill();
    let start = Instant::now();
    while sender.peer().unwrap() != Peer::Died {
        assert!(start.elapsed() < LONG);
        context.sweep().unwrap();
    }
    assert_eq!((sender.received(), sender.settled()), (1, 0));
    let mut receiver = context.receiver("lent", &OPTIONS).unwrap();
    assert!(filled(&mut receiver, 6));
    for number in 7..20 {
        sender.send(&[number; SIZE]).unwrap();
        assert!(filled(&mut receiver, number));
    }
    assert_eq!(context.stats().unwrap().published, 3);
    drop((sender, receiver));
    nothing_is_left(&context);
}
