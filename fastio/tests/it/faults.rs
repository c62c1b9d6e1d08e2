//! Failing system calls: a typed error, and nothing leaked.

use std::time::Duration;

use podwire_fastio::{ChannelOptions, Error, FastIoContext};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::{Actor, LONG, Pipeline, Role, pause, say};

const CHANNEL: ChannelOptions = ChannelOptions::new().capacity(1).inline(64);

pub(crate) const ROLES: &[Role] = &[
    ("open-nowhere", |pipeline| {
        assert!(matches!(FastIoContext::open(pipeline), Err(Error::Io { op: "open", .. })));
    }),
    ("no-descriptors", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let held = context.create(100).unwrap();
        let before = (descriptors(), context.stats().unwrap());
        let limit = getrlimit(Resource::Nofile);
        // From none that is free to a few: the first opening fails, then the second, and so on.
        for current in 3..20 {
            setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum: limit.maximum }).unwrap();
            let created = context.create(1 << 20).map(drop);
            let found = context.get("data").map(drop);
            let _ = context.sweep();
            setrlimit(Resource::Nofile, limit).unwrap();
            if current == 3 {
                assert!(matches!(created, Err(Error::Io { .. })), "{created:?}");
                assert!(matches!(found, Err(Error::Io { .. })), "{found:?}");
            }
        }
        context.sweep().unwrap();
        assert_eq!((descriptors(), context.stats().unwrap()), before);
        assert_eq!(context.get("data").unwrap().len(), 100);
        drop(held);
        say("done");
    }),
    ("hold-and-stay", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let _ends = (context.sender("to", &CHANNEL).unwrap(), context.receiver("fro", &CHANNEL).unwrap());
        let data = context.get("data").unwrap();
        let _writing = data.map_mut().unwrap();
        say("ready");
        pause();
    }),
    ("wait-without-descriptors", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let mut receiver = context.receiver("to", &CHANNEL).unwrap();
        let mut sender = context.sender("fro", &CHANNEL).unwrap();
        sender.send(b"fills it").unwrap();
        let data = context.get("data").unwrap();
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(3), maximum: limit.maximum }).unwrap();
        for peer in ["lives", "is dead"] {
            // It is looked after every 5 ms.
            for _ in 0..5 {
                std::thread::sleep(Duration::from_millis(3));
                assert!(receiver.try_receive().unwrap().is_none(), "{peer}");
                assert!(matches!(sender.try_send(b"x"), Err(Error::Full { .. })), "{peer}");
                assert!(matches!(data.try_map(), Err(Error::Busy)), "{peer}");
            }
            let time = Duration::from_millis(30);
            assert!(matches!(receiver.receive_timeout(time), Err(Error::Timeout { .. })), "{peer}");
            assert!(matches!(sender.send_timeout(b"x", time), Err(Error::Timeout { .. })), "{peer}");
            assert!(matches!(data.map_timeout(time), Err(Error::Timeout { .. })), "{peer}");
            say("waited");
            pause();
        }
        setrlimit(Resource::Nofile, limit).unwrap();
        assert!(matches!(receiver.receive_timeout(LONG), Err(Error::PeerDied { .. })));
        assert!(matches!(sender.send_timeout(b"x", LONG), Err(Error::PeerDied { .. })));
        assert!(matches!(data.map_timeout(LONG), Err(Error::Poisoned)));
        say("done");
    }),
    ("no-maps", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let held = context.create(100).unwrap();
        let before = (maps(), context.stats().unwrap());
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        let mut filler = Vec::with_capacity(1 << 21);
        // The same page again and again is never one mapping with its neighbour.
        while let Ok(map) = memmap2::MmapOptions::new().len(4096).map_raw_read_only(&file) {
            filler.push(map);
            assert!(filler.len() < filler.capacity(), "this system has no limit");
        }
        let created = context.create(1 << 20).map(drop);
        let found = context.get("data").map(drop);
        let opened = FastIoContext::open(&format!("{pipeline}-other")).map(drop);
        filler.clear();
        assert!(matches!(created, Err(Error::Io { op: "mmap", .. })), "{created:?}");
        assert!(matches!(found, Err(Error::Io { op: "mmap", .. })), "{found:?}");
        assert!(matches!(opened, Err(Error::Io { .. })), "{opened:?}");
        FastIoContext::remove(&format!("{pipeline}-other")).unwrap();
        context.sweep().unwrap();
        assert_eq!((maps(), context.stats().unwrap()), before);
        assert_eq!(context.get("data").unwrap().len(), 100);
        context.create(1 << 20).unwrap();
        drop(held);
        say("done");
    }),
];

/// The mapped segments of this process.
fn maps() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains("/segment.")).count()
}

pub(crate) fn descriptors() -> usize {
    // The directory's own descriptor is among them.
    std::fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

#[test]
fn without_descriptors_everything_is_an_error_and_nothing_leaks() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.create(100).unwrap().publish("data").unwrap();
    let mut actor = Actor::start("no-descriptors", &pipeline);
    actor.expect("done");
    actor.finish();
}

#[test]
fn case_77_who_waits_without_descriptors_goes_on_waiting_and_notices_a_death_afterwards() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.create(100).unwrap().publish("data").unwrap();
    let mut peer = Actor::start("hold-and-stay", &pipeline);
    peer.expect("ready");
    let mut actor = Actor::start("wait-without-descriptors", &pipeline);
    actor.expect("waited");
    peer.kill();
    actor.go_on();
    actor.expect("waited");
    actor.go_on();
    actor.expect("done");
    actor.finish();
}

#[test]
fn case_77_without_maps_everything_is_an_error_and_nothing_leaks() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.create(100).unwrap().publish("data").unwrap();
    let mut actor = Actor::start("no-maps", &pipeline);
    actor.expect("done");
    actor.finish();
}

#[test]
fn an_allocation_keeps_no_descriptor() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let held: Vec<_> = (0..100).map(|_| context.create(10).unwrap()).collect();
    // Other tests of this process open files as well, but not a hundred.
    let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let segments = links
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter(|path| path.starts_with(context.path()) && path.to_string_lossy().contains("segment"))
        .count();
    assert_eq!((held.len(), segments), (100, 0));
}
