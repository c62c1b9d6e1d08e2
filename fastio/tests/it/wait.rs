//! Waiting for names.

use std::time::{Duration, Instant};

use podwire_fastio::{Error, FastIoContext};

use crate::support::{Actor, LONG, Pipeline, Role, pause, say};

pub(crate) const ROLES: &[Role] = &[
    ("waiter", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        say("waiting");
        let found = context.wait("late", LONG).unwrap();
        say(found.map().unwrap()[0]);
    }),
    ("late-publisher", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let allocation = context.create(1).unwrap();
        allocation.map_mut().unwrap()[0] = 9;
        say("ready");
        pause();
        allocation.publish("late").unwrap();
        pause();
    }),
];

#[test]
fn a_waiter_wakes_when_another_process_publishes() {
    let pipeline = Pipeline::new();
    let mut waiters = [Actor::start("waiter", &pipeline), Actor::start("waiter", &pipeline)];
    waiters.iter_mut().for_each(|waiter| waiter.expect("waiting"));
    let mut publisher = Actor::start("late-publisher", &pipeline);
    publisher.expect("ready");
    std::thread::sleep(Duration::from_millis(20));
    publisher.go_on();
    waiters.iter_mut().for_each(|waiter| waiter.expect("9"));
}

#[test]
fn a_wait_ends_with_its_time() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let start = Instant::now();
    let timeout = Duration::from_millis(60);
    let error = context.wait("never", timeout).unwrap_err();
    assert_eq!(error.to_string(), "waited 60ms for the name \"never\"");
    assert!(matches!(error, Error::Timeout { waited, .. } if waited == timeout));
    assert!(start.elapsed() >= timeout && start.elapsed() < LONG);
    assert!(matches!(context.wait("never", Duration::ZERO), Err(Error::Timeout { .. })));
}

#[test]
fn what_is_there_already_needs_no_time() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.create(5).unwrap().publish("there").unwrap();
    assert_eq!(context.wait("there", Duration::ZERO).unwrap().len(), 5);
}

#[test]
fn a_waiter_notices_that_the_pipeline_is_removed() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let waiter = std::thread::spawn(move || context.wait("never", LONG).map(drop));
    std::thread::sleep(Duration::from_millis(20));
    assert!(FastIoContext::remove(&pipeline).unwrap());
    assert!(matches!(waiter.join().unwrap(), Err(Error::Removed)));
}
