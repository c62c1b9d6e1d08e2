//! Dying at every named step of the protocol.
//!
//! A child goes through the whole life of some allocations and is killed at one step. Whatever the step: what it had
//! published before is complete, what it was about is absent or complete, nobody is blocked, and one sweep leaves
//! nothing else behind.

use std::{os::unix::process::ExitStatusExt, time::Duration};

use podwire_codec_core::CodecRegistry;
use podwire_fastio::{
    AllocationOptions, CRASH_POINTS, ChannelOptions, Error, FastIoContext, Incoming, Metadata,
};

use crate::support::{Actor, LONG, Pipeline, Role, directory, pause, say};

pub(crate) const ROLES: &[Role] = &[
    ("live-and-die", |pipeline| {
        live(pipeline);
        FastIoContext::remove(pipeline).unwrap();
    }),
    ("leave-a-mess", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let poisoned = context.get("kept").unwrap();
        let _writing = poisoned.map_mut().unwrap();
        let child = context.create(100).unwrap();
        let _parent = context.create_with(AllocationOptions::new(1).children(&[&child])).unwrap();
        let (mut sender, mut receiver) = context.channel("channel", &CHANNEL).unwrap();
        sender.send(&child).unwrap();
        sender.send(&child).unwrap();
        let _received = receiver.receive().unwrap();
        say("ready");
        pause();
    }),
    ("clean-and-die", |pipeline| {
        FastIoContext::open(pipeline).unwrap().sweep().unwrap();
    }),
];

const CHANNEL: ChannelOptions = ChannelOptions::new().capacity(2).inline(16);

/// Every kind of step at least once.
fn live(pipeline: &str) {
    let context = FastIoContext::open(pipeline).unwrap();
    let fill = |size: usize, byte: u8| {
        let allocation = context.create(size).unwrap();
        allocation.map_mut().unwrap().fill(byte);
        allocation
    };
    // Fresh memory, and the same memory once more.
    drop(fill(100_000, 1));
    let first = fill(100_000, 1);
    first.publish("first").unwrap();
    // More names than the first table has.
    for name in 0..70 {
        first.publish(&format!("first-{name}")).unwrap();
    }
    // Children, other metadata for a second name, replacement.
    let child = fill(5000, 2);
    let parent = context.create_with(AllocationOptions::new(100).children(&[&child])).unwrap();
    parent.map_mut().unwrap().fill(2);
    drop(child);
    parent.publish("second").unwrap();
    let mut again = context.get("second").unwrap();
    again.set_metadata(Metadata::value("Again"));
    again.publish("again").unwrap();
    let third = fill(100, 3);
    third.replace("again").unwrap();
    fill(100, 1).replace("first").unwrap();
    // A channel, and memory that goes through it and comes back.
    let (mut sender, mut receiver) = context.channel("channel", &CHANNEL).unwrap();
    sender.send(&[2]).unwrap();
    sender.send(&fill(5000, 2)).unwrap();
    assert_eq!(receiver.receive().unwrap().bytes().unwrap(), [2]);
    let received = receiver.receive().unwrap().allocation().unwrap();
    assert!(receiver.try_receive().unwrap().is_none());
    sender.send(&received).unwrap();
    receiver.receive().unwrap();
    let mut loan = sender.loan(5000).unwrap();
    loan.fill(2);
    loan.send().unwrap();
    drop((sender, receiver, received));
    // A value, whose schema is left once.
    CodecRegistry::global().register::<(u8, String)>("crash.pair").unwrap();
    context.publish_value(&(1_u8, String::from("one")), "value").unwrap();
    // Away with it.
    context.unpublish("first-7").unwrap();
    drop((again, parent));
    context.get("second").unwrap().free().unwrap();
    third.free().unwrap();
    drop(third);
    context.sweep().unwrap();
}

fn killed(mut actor: Actor) -> bool {
    while actor.hear().is_some() {}
    actor.child.wait().unwrap().signal() == Some(9)
}

/// What must hold after any death, with `kept` published by somebody else.
fn check(pipeline: &str, point: &str) {
    let context = FastIoContext::open(pipeline).unwrap();
    for entry in context.list().unwrap() {
        let found = context.get(&entry.name).unwrap();
        let byte = match entry.name.as_str() {
            "kept" => continue,
            "value" => {
                let value = context.get_described("value").unwrap();
                assert_eq!(value.to_string(), "(1, \"one\")", "{point}");
                continue;
            }
            "again" => found.map().unwrap()[0],
            "second" => 2,
            _ => 1,
        };
        let guard = found.map_timeout(LONG).unwrap();
        assert!(guard.iter().all(|found| *found == byte), "{point}: {} is torn", entry.name);
        for child in found.children().unwrap() {
            assert!(child.map().unwrap().iter().all(|found| *found == 2), "{point}: a child is torn");
        }
    }
    assert!(context.wait("kept", LONG).is_ok(), "{point}");
    // A schema is there whole or not at all.
    assert!(context.schemas().unwrap().len() <= 1, "{point}");
    context.sweep().unwrap();
    // What was sent is there for whoever comes next, whole.
    for channel in context.channels().unwrap() {
        assert!(channel.waiting != 0, "{point}: an empty channel is left");
        let mut receiver = context.receiver("channel", &CHANNEL).unwrap();
        for _ in 0..channel.waiting {
            match receiver.receive().unwrap() {
                Incoming::Bytes(bytes) => {
                    assert!(
                        matches!(bytes.len(), 1 | 5000) && bytes.iter().all(|byte| *byte == 2),
                        "{point}"
                    );
                }
                Incoming::Allocation(found) => {
                    assert!(matches!(found.len(), 100 | 5000), "{point}");
                    assert!(
                        found.len() == 100 || found.map().unwrap().iter().all(|byte| *byte == 2),
                        "{point}"
                    );
                }
                other => panic!("{point}: {other:?}"),
            }
        }
    }
    context.sweep().unwrap();
    let again = context.sweep().unwrap();
    assert_eq!(again, Default::default(), "{point}: one sweep was not enough");
    let stats = context.stats().unwrap();
    assert_eq!((stats.processes, stats.private, stats.freed, stats.pooled_bytes), (1, 0, 0, 0), "{point}");
    assert_eq!(stats.channels, 0, "{point}");
    for entry in context.list().unwrap().iter().filter(|entry| entry.name != "kept") {
        context.unpublish(&entry.name).unwrap();
    }
    context.sweep().unwrap();
    let stats = context.stats().unwrap();
    assert_eq!((stats.published, stats.names), (1, 1), "{point}: something has no name");
    let segments = std::fs::read_dir(directory(pipeline)).unwrap().flatten();
    let segments = segments.filter(|file| file.file_name().to_string_lossy().starts_with("segment."));
    assert_eq!(segments.count(), 1, "{point}: a file is left");
}

#[test]
fn a_death_at_any_step_costs_nobody_else_anything() {
    let mut missed = Vec::new();
    for point in CRASH_POINTS {
        let pipeline = Pipeline::new();
        let early = [
            "after-mkdir",
            "after-control-fallocate",
            "after-control-link",
            "after-chunk-link",
            "after-epoch",
        ];
        // Some steps are taken only by the first process of a pipeline.
        let keeper = (!early.contains(point)).then(|| {
            let context = pipeline.open();
            let kept = context.create(64).unwrap();
            kept.map_mut().unwrap().fill(64);
            kept.publish("kept").unwrap();
            (context, kept)
        });
        let actor = Actor::start_with("live-and-die", &pipeline, &[("PODWIRE_CRASH_POINT", point)]);
        if !killed(actor) {
            missed.push(*point);
            continue;
        }
        if point.starts_with("after-remove") {
            if let Some((context, _)) = &keeper {
                assert!(matches!(context.get("kept"), Err(Error::Removed)), "{point}");
            }
            drop(keeper);
            let context = pipeline.open();
            assert!(context.list().unwrap().is_empty(), "{point}");
            context.sweep().unwrap();
            drop(context);
            FastIoContext::remove(&pipeline).unwrap();
            assert!(!directory(&pipeline).exists(), "{point}");
            continue;
        }
        let keeper = keeper.unwrap_or_else(|| {
            let context = pipeline.open();
            let kept = context.create(64).unwrap();
            kept.map_mut().unwrap().fill(64);
            kept.publish("kept").unwrap();
            (context, kept)
        });
        let start = std::time::Instant::now();
        check(&pipeline, point);
        assert!(start.elapsed() < LONG, "{point}: somebody was blocked");
        assert!(keeper.1.map().unwrap().iter().all(|byte| *byte == 64));
    }
    // These are steps of cleaning up after somebody else, below, and one of leaving as the last (`leaving.rs`).
    let others = [
        "clean-started",
        "clean-poisoned",
        "clean-channel-end",
        "clean-segments",
        "clean-slot-free",
        "after-claim",
    ];
    assert_eq!(missed, others);
}

#[test]
fn a_cleaner_may_die_while_it_cleans() {
    for point in CRASH_POINTS {
        let pipeline = Pipeline::new();
        let context = pipeline.open();
        let kept = context.create(64).unwrap();
        kept.publish("kept").unwrap();
        let mut dead = Actor::start("leave-a-mess", &pipeline);
        dead.expect("ready");
        dead.kill();
        let cleaner = Actor::start_with("clean-and-die", &pipeline, &[("PODWIRE_CRASH_POINT", point)]);
        let died = killed(cleaner);
        assert!(died || !point.starts_with("clean-"), "{point} is not reached");
        if died {
            assert!(matches!(kept.map_timeout(LONG), Err(Error::Poisoned)), "{point}");
            assert!(kept.accept_poisoned().unwrap(), "{point}");
            check(&pipeline, point);
            // A repeated cleaner may poison once more, what nobody has written to since.
            kept.accept_poisoned().unwrap();
            assert!(kept.map_mut_timeout(LONG).is_ok(), "{point}");
        }
    }
}

#[test]
fn a_publisher_killed_before_it_wakes_anybody_keeps_nobody_waiting() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.create(64).unwrap().publish("kept").unwrap();
    let waiter = std::thread::spawn({
        let context = context.clone();
        move || context.wait("first", LONG).map(|found| found.len())
    });
    assert!(killed(Actor::start_with("live-and-die", &pipeline, &[("PODWIRE_CRASH_POINT", "before-wake")])));
    let start = std::time::Instant::now();
    assert_eq!(waiter.join().unwrap().unwrap(), 100_000);
    assert!(start.elapsed() < LONG / 2);
}

#[test]
fn two_cleaners_at_once_clean_once() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let kept = context.create(64).unwrap();
    kept.publish("kept").unwrap();
    for _ in 0..5 {
        let mut dead = Actor::start("leave-a-mess", &pipeline);
        dead.expect("ready");
        dead.kill();
        let cleaners = ["clean-and-die", "clean-and-die"].map(|role| Actor::start(role, &pipeline));
        context.sweep().unwrap();
        cleaners.into_iter().for_each(Actor::finish);
        assert!(kept.accept_poisoned().unwrap());
        assert!(context.remove_channel("channel").unwrap(), "one message still waits in it");
        let stats = context.stats().unwrap();
        assert_eq!((stats.processes, stats.private, stats.freed, stats.published), (1, 0, 0, 1));
    }
}

#[test]
fn a_process_stopped_inside_the_index_lock_delays_changes_and_nothing_else() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.create(64).unwrap().publish("kept").unwrap();
    let mut actor = Actor::start_with("live-and-die", &pipeline, &[("PODWIRE_STOP_POINT", "index-locked")]);
    let stopped = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", actor.child.id())).unwrap();
        stat.rsplit_once(") ").unwrap().1.starts_with('T')
    };
    while !stopped() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let short = Duration::from_millis(30);
    assert_eq!(context.get("kept").unwrap().map_timeout(LONG).unwrap().len(), 64);
    assert!(context.try_get("nothing").unwrap().is_none());
    assert!(matches!(context.wait("nothing", short), Err(Error::Timeout { .. })));
    assert!(matches!(context.wait_any(&["nothing", "none"], short), Err(Error::Timeout { .. })));
    std::thread::scope(|scope| {
        let publisher = scope.spawn(|| context.create(1).unwrap().publish("later").unwrap());
        std::thread::sleep(short);
        assert!(!publisher.is_finished(), "nobody is robbed by a clock");
        actor.kill();
    });
    assert_eq!(context.wait("later", LONG).unwrap().len(), 1);
}
