//! One thread that waits for a bell of its process, for several channels, or for both.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use podwire_fastio::{ChannelEnd, ChannelOptions, Doorbell, Error, FastIoContext, Peer, Receiver, Wait};

use crate::support::{Actor, LONG, Pipeline, Role, pause, say};

const OPTIONS: ChannelOptions = ChannelOptions::new().capacity(4).inline(64);

pub(crate) const ROLES: &[Role] = &[("ring-from-afar", |pipeline| {
    let context = FastIoContext::open(pipeline).unwrap();
    let mut sender = context.sender("far", &OPTIONS).unwrap();
    for number in 0..2000u64 {
        sender.send(&number.to_le_bytes()).unwrap();
    }
    say("sent");
    pause();
})];

#[test]
fn no_ring_is_lost_between_threads() {
    const RINGS: u64 = 20_000;
    let (there, back) = (Doorbell::new(), Doorbell::new());
    let (asked, answered) = (AtomicU64::new(0), AtomicU64::new(0));
    let until = |bell: &Doorbell, word: &AtomicU64, wanted| {
        // Without a limit, and without a channel that would have it look again: a lost ring would be the end.
        while word.load(Ordering::Acquire) < wanted {
            bell.wait(None);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=RINGS {
                until(&there, &asked, number);
                answered.store(number, Ordering::Release);
                back.ring();
            }
        });
        for number in 1..=RINGS {
            asked.store(number, Ordering::Release);
            there.ring();
            until(&back, &answered, number);
        }
    });
}

#[test]
fn many_threads_ring_the_same_bell() {
    let bell = Doorbell::new();
    let count = Arc::new(AtomicU64::new(0));
    let ringing: Vec<_> = (0..4)
        .map(|_| {
            let (bell, count) = (bell.clone(), Arc::clone(&count));
            std::thread::spawn(move || {
                for _ in 0..5000 {
                    count.fetch_add(1, Ordering::AcqRel);
                    bell.ring();
                }
            })
        })
        .collect();
    while count.load(Ordering::Acquire) < 20_000 {
        bell.wait(None);
    }
    ringing.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_ring_stays_until_it_is_taken_and_several_are_one() {
    let bell = Doorbell::new();
    assert!(!bell.wait(Some(Duration::ZERO)));
    bell.ring();
    bell.ring();
    assert!(bell.wait(None));
    let start = Instant::now();
    while bell.wait(Some(Duration::from_millis(20))) {}
    assert!(start.elapsed() >= Duration::from_millis(20));
    // The bell says that somebody sleeps, although nobody does any more: it is rung all the same.
    bell.ring();
    assert!(bell.wait(Some(Duration::MAX)));
    bell.ring();
    assert!(bell.wait_with(<[&Receiver; 0]>::default(), None).unwrap());
}

#[test]
fn a_bell_and_channels_of_other_processes_wake_the_same_thread() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut near = context.receiver("near", &OPTIONS).unwrap();
    let mut far = context.receiver("far", &OPTIONS).unwrap();
    let bell = Doorbell::new();
    let rung = Arc::new(AtomicU64::new(0));
    let mut actor = Actor::start("ring-from-afar", &pipeline);
    let sending = {
        let context = context.clone();
        std::thread::spawn(move || {
            let mut sender = context.sender("near", &OPTIONS).unwrap();
            (0..2000u64).for_each(|number| sender.send(&number.to_le_bytes()).unwrap());
        })
    };
    let ringing = {
        let (bell, rung) = (bell.clone(), Arc::clone(&rung));
        std::thread::spawn(move || {
            for number in 1..=2000 {
                rung.store(number, Ordering::Release);
                bell.ring();
                std::thread::yield_now();
            }
        })
    };
    let mut got = [0u64; 2];
    while got != [2000, 2000] || rung.load(Ordering::Acquire) != 2000 {
        assert!(bell.wait_with([&near, &far], Some(LONG)).unwrap());
        for (receiver, got) in [&mut near, &mut far].into_iter().zip(&mut got) {
            match receiver.try_receive() {
                Ok(Some(message)) => {
                    assert_eq!(message.bytes().unwrap(), got.to_le_bytes());
                    *got += 1;
                }
                Ok(None) => {}
                Err(Error::Closed { .. }) => assert_eq!(*got, 2000),
                Err(error) => panic!("{error}"),
            }
        }
    }
    sending.join().unwrap();
    ringing.join().unwrap();
    // The death of the far one is noticed while we sleep.
    actor.expect("sent");
    actor.kill();
    let start = Instant::now();
    assert!(bell.wait_with(std::slice::from_ref(&far), Some(LONG)).unwrap());
    while far.peer().unwrap() == Peer::Attached {
        bell.wait_with(std::slice::from_ref(&far), Some(LONG)).unwrap();
    }
    assert!(start.elapsed() < LONG / 4);
    assert!(matches!(far.receive(), Err(Error::PeerDied { .. })));
}

#[test]
fn a_wait_ends_by_a_ring_a_message_room_or_time_also_where_it_spins() {
    for options in [OPTIONS.capacity(1), OPTIONS.capacity(1).wait(Wait::Spin)] {
        let pipeline = Pipeline::new();
        let context = pipeline.open();
        let (mut sender, mut receiver) = context.channel("one", &options).unwrap();
        let bell = Doorbell::new();
        assert!(!bell.wait_with([&receiver], Some(Duration::from_millis(10))).unwrap());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(10));
                bell.ring();
            });
            assert!(bell.wait_with([&receiver], None).unwrap());
        });
        assert!(sender.is_ready());
        sender.send(b"full").unwrap();
        assert!(!sender.is_ready() && receiver.is_ready());
        assert!(bell.wait_with([&receiver], None).unwrap());
        assert!(!bell.wait_with([&sender], Some(Duration::from_millis(10))).unwrap());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(10));
                receiver.receive().unwrap();
            });
            assert!(bell.wait_with([ChannelEnd::from(&sender)], None).unwrap());
            assert!(sender.is_ready());
        });
    }
}

#[test]
fn more_channels_than_the_kernel_watches_and_a_bell_are_waited_for() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let receivers: Vec<_> =
        (0..140).map(|number| context.receiver(&format!("lane-{number}"), &OPTIONS).unwrap()).collect();
    let bell = Doorbell::new();
    for lane in ["lane-0", "lane-139"] {
        let context = context.clone();
        let sending = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(10));
            let mut sender = context.sender(lane, &OPTIONS).unwrap();
            sender.send(b"x").unwrap();
            sender
        });
        while !receivers.iter().any(|receiver| context_lane(receiver, lane)) {
            assert!(bell.wait_with(&receivers, Some(LONG)).unwrap());
        }
        drop(sending.join().unwrap());
    }
}

fn context_lane(receiver: &Receiver, lane: &str) -> bool {
    receiver.is_ready() && format!("{receiver:?}").contains(&format!("{lane:?}"))
}

#[test]
fn a_removed_pipeline_ends_a_wait_with_a_bell() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let receiver = context.receiver("one", &OPTIONS).unwrap();
    let waiting = std::thread::spawn(move || Doorbell::new().wait_with([&receiver], None));
    std::thread::sleep(Duration::from_millis(20));
    FastIoContext::remove(&pipeline).unwrap();
    assert!(matches!(waiting.join().unwrap(), Err(Error::Removed)));
}
