//! Readers and writers, and what becomes of their locks when they are killed.

use std::{
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    time::Duration,
};

use podwire_fastio::{Error, FastIoContext};

use crate::support::{Actor, LONG, Pipeline, Role, directory, pause, say};

pub(crate) const ROLES: &[Role] = &[
    ("writer", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let allocation = context.get("data").unwrap();
        let mut guard = allocation.map_mut().unwrap();
        guard[0] = 1;
        say("writing");
        pause();
    }),
    ("reader", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let allocation = context.get("data").unwrap();
        let _guard = allocation.map().unwrap();
        say("reading");
        pause();
    }),
    ("waiting-writer", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let allocation = context.get("data").unwrap();
        say("going to wait");
        let _guard = allocation.map_mut().unwrap();
        say("writing");
        pause();
    }),
    ("private", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let _private = context.create(1 << 20).unwrap();
        say("created");
        pause();
    }),
    ("own-many", |pipeline| {
        let own = |number| {
            let context = FastIoContext::open(&format!("{pipeline}-{number}")).unwrap();
            context.create(1).unwrap()
        };
        let _private: Vec<_> = (0..MANY).map(own).collect();
        say("created");
        if pause() == "be busy" {
            loop {
                std::hint::spin_loop();
            }
        }
    }),
];

/// Pipelines of a process that is a member of many.
const MANY: usize = 250;

fn with_data() -> (Pipeline, FastIoContext) {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.create(64).unwrap().publish("data").unwrap();
    (pipeline, context)
}

#[test]
fn a_killed_writer_leaves_poison_and_blocks_nobody() {
    let (pipeline, context) = with_data();
    let allocation = context.get("data").unwrap();
    let mut writer = Actor::start("writer", &pipeline);
    writer.expect("writing");
    assert!(matches!(allocation.try_map(), Err(Error::Busy)));
    assert!(matches!(allocation.try_map_mut(), Err(Error::Busy)));
    assert!(matches!(allocation.map_timeout(Duration::from_millis(30)), Err(Error::Timeout { .. })));
    writer.kill();
    assert!(matches!(allocation.map_timeout(LONG), Err(Error::Poisoned)));
    assert!(matches!(allocation.map_mut(), Err(Error::Poisoned)));
    assert!(matches!(allocation.seal(), Err(Error::Poisoned)));
    assert!(context.list().unwrap()[0].poisoned);
    assert!(allocation.accept_poisoned().unwrap());
    assert!(!allocation.accept_poisoned().unwrap());
    assert_eq!(allocation.map().unwrap()[0], 1);
    allocation.map_mut().unwrap()[0] = 2;
}

#[test]
fn a_try_does_not_take_the_dead_for_busy() {
    let (pipeline, context) = with_data();
    let allocation = context.get("data").unwrap();
    let mut writer = Actor::start("writer", &pipeline);
    writer.expect("writing");
    writer.kill();
    assert!(matches!(allocation.try_map(), Err(Error::Poisoned)));
}

#[test]
fn a_killed_reader_does_not_block_a_writer() {
    let (pipeline, context) = with_data();
    let allocation = context.get("data").unwrap();
    let mut reader = Actor::start("reader", &pipeline);
    reader.expect("reading");
    assert!(matches!(allocation.try_map_mut(), Err(Error::Busy)));
    assert!(allocation.try_map().is_ok(), "readers share");
    reader.kill();
    allocation.map_mut_timeout(LONG).unwrap()[0] = 5;
    assert_eq!(allocation.map().unwrap()[0], 5, "reading poisons nothing");
}

#[test]
fn a_writer_killed_while_it_waits_poisons_nothing() {
    let (pipeline, context) = with_data();
    let allocation = context.get("data").unwrap();
    let guard = allocation.map().unwrap();
    let mut writer = Actor::start("waiting-writer", &pipeline);
    writer.expect("going to wait");
    std::thread::sleep(Duration::from_millis(30));
    writer.kill();
    assert!(allocation.map().is_ok(), "one who reads may read again");
    drop(guard);
    assert!(allocation.map_timeout(LONG).is_ok());
    assert!(allocation.map_mut_timeout(LONG).is_ok());
}

#[test]
fn a_waiting_writer_goes_on_when_the_readers_go() {
    let (pipeline, context) = with_data();
    let allocation = context.get("data").unwrap();
    let guard = allocation.map().unwrap();
    let mut writer = Actor::start("waiting-writer", &pipeline);
    writer.expect("going to wait");
    std::thread::sleep(Duration::from_millis(20));
    drop(guard);
    writer.expect("writing");
    drop(writer);
}

#[test]
fn a_stopped_writer_is_not_robbed() {
    let (pipeline, context) = with_data();
    let allocation = context.get("data").unwrap();
    let mut writer = Actor::start("writer", &pipeline);
    writer.expect("writing");
    let pid = rustix::process::Pid::from_child(&writer.child);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    assert!(matches!(allocation.map_timeout(Duration::from_millis(100)), Err(Error::Timeout { .. })));
    assert_eq!(context.sweep().unwrap().dead_processes, 0);
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    writer.go_on();
    assert!(allocation.map_timeout(LONG).is_ok());
    writer.finish();
}

#[test]
fn case_89_a_thousand_owners_that_are_stopped_or_busy_or_asleep_are_alive() {
    let pipeline = Pipeline::new();
    let mut owners: Vec<_> = (0..4).map(|_| Actor::start("own-many", &pipeline)).collect();
    owners.iter_mut().for_each(|owner| owner.expect("created"));
    owners[0].tell("be busy");
    for owner in &owners[1..3] {
        let pid = rustix::process::Pid::from_child(&owner.child);
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    }
    let names: Vec<_> = (0..MANY).map(|number| format!("{}-{number}", &*pipeline)).collect();
    for name in &names {
        let context = FastIoContext::open(name).unwrap();
        assert_eq!(context.sweep().unwrap().dead_processes, 0);
        assert_eq!(context.stats().unwrap().private, owners.len());
    }
    drop(owners);
    for name in &names {
        let context = FastIoContext::open(name).unwrap();
        context.sweep().unwrap();
        assert_eq!(context.stats().unwrap().private, 0);
        context.drop_pipeline().unwrap();
    }
}

#[test]
fn what_a_killed_process_had_to_itself_goes_with_a_sweep() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut owner = Actor::start("private", &pipeline);
    owner.expect("created");
    assert_eq!(context.stats().unwrap().private, 1);
    assert_eq!(context.sweep().unwrap().dead_processes, 0);
    assert_eq!(context.stats().unwrap().private, 1);
    owner.kill();
    assert_eq!(context.sweep().unwrap().dead_processes, 1);
    let stats = context.stats().unwrap();
    assert_eq!((stats.private, stats.pooled_bytes, stats.processes), (0, 0, 1));
    assert_eq!(context.sweep().unwrap(), Default::default(), "a second sweep finds nothing");
}

#[test]
fn a_panic_while_writing_poisons_too() {
    let (_pipeline, context) = with_data();
    let allocation = context.get("data").unwrap();
    let panicking = allocation.clone();
    let outcome = std::thread::spawn(move || {
        let _guard = panicking.map_mut().unwrap();
        std::panic::resume_unwind(Box::new("on purpose"));
    })
    .join();
    assert!(outcome.is_err());
    assert!(matches!(allocation.map(), Err(Error::Poisoned)));
    allocation.accept_poisoned().unwrap();
    assert!(allocation.map().is_ok());
}

#[test]
fn whoever_takes_over_the_place_of_the_dead_cleans_it() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut dead = Actor::start("private", &pipeline);
    dead.expect("created");
    dead.kill();
    assert_eq!(context.stats().unwrap().private, 1);
    let mut next = Actor::start("private", &pipeline);
    next.expect("created");
    let stats = context.stats().unwrap();
    assert_eq!((stats.processes, stats.private), (2, 1), "the new one's, not the dead one's");
}

#[test]
fn a_sweep_tells_also_of_the_dead_whose_place_its_own_process_took() {
    let pipeline = Pipeline::new();
    let dead = [(); 2].map(|()| Actor::start("private", &pipeline));
    for mut dead in dead {
        dead.expect("created");
        dead.kill();
    }
    let context = pipeline.open();
    assert_eq!(context.sweep().unwrap().dead_processes, 2);
    assert_eq!(context.sweep().unwrap().dead_processes, 0);
}

#[test]
fn with_every_slot_taken_the_next_process_gets_an_error() {
    let pipeline = Pipeline::new();
    drop(pipeline.open());
    let locks: Vec<_> = (0..256)
        .map(|slot| {
            let path = directory(&pipeline).join(format!("slot.{slot}"));
            let mut options = std::fs::OpenOptions::new();
            let file = options.create(true).truncate(false).write(true).mode(0o600).open(path).unwrap();
            rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
            file
        })
        .collect();
    assert!(matches!(FastIoContext::open(&pipeline), Err(Error::SlotsExhausted { limit: 256 })));
    drop(locks);
    assert!(FastIoContext::open(&pipeline).is_ok());
}

#[test]
fn case_90_a_dead_owner_whose_process_id_still_answers_is_dead() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut owner = Actor::start("private", &pipeline);
    owner.expect("created");
    // Killed and not waited for: its process id is taken, as if by another process.
    owner.child.kill().unwrap();
    let start = std::time::Instant::now();
    while context.sweep().unwrap().dead_processes == 0 {
        assert!(start.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(rustix::process::test_kill_process(rustix::process::Pid::from_child(&owner.child)).is_ok());
    assert_eq!(context.stats().unwrap().private, 0);
}

#[test]
fn case_91_files_that_outlive_a_reboot_are_those_of_dead_processes() {
    let (pipeline, context) = with_data();
    context.get("data").unwrap().map_mut().unwrap().fill(3);
    let mut owner = Actor::start("private", &pipeline);
    owner.expect("created");
    // The same bytes in other files: what a disk holds after a reboot, with marks of processes and none of their locks.
    let rebooted = Pipeline::new();
    std::fs::DirBuilder::new().mode(0o700).create(directory(&rebooted)).unwrap();
    for file in std::fs::read_dir(directory(&pipeline)).unwrap().flatten() {
        std::fs::copy(file.path(), directory(&rebooted).join(file.file_name())).unwrap();
    }
    let context = rebooted.open();
    assert!(context.get("data").unwrap().map().unwrap().iter().all(|byte| *byte == 3));
    context.sweep().unwrap();
    let stats = context.stats().unwrap();
    assert_eq!((stats.processes, stats.published, stats.private, stats.freed), (1, 1, 0, 0));
}

#[test]
fn a_writer_that_gives_up_leaves_the_allocation_poisoned() {
    let (_pipeline, context) = with_data();
    let data = context.get("data").unwrap();
    let mut guard = data.map_mut().unwrap();
    guard.poison();
    assert!(matches!(data.try_map(), Err(Error::Busy)), "the lock stays until the guard goes");
    drop(guard);
    assert!(matches!(data.try_map(), Err(Error::Poisoned)));
    assert!(data.accept_poisoned().unwrap());
    data.try_map().unwrap();
}

#[test]
fn sealing_waits_no_longer_than_it_is_told() {
    let (_pipeline, context) = with_data();
    let data = context.get("data").unwrap();
    let guard = data.map().unwrap();
    let refused = data.seal_timeout(Duration::from_millis(1));
    assert!(matches!(refused, Err(Error::Timeout { .. })));
    drop(guard);
    data.seal_timeout(LONG).unwrap();
    assert!(data.is_sealed());
}
