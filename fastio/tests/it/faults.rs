//! Failing system calls: a typed error, and nothing leaked.

use podwire_fastio::{Error, FastIoContext};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::{Actor, Pipeline, Role, say};

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
];

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
