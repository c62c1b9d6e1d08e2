//! Leaving a pipeline that goes with its last member: alone, at once with others, while others come, and dying at it.

use podwire_fastio::{FastIoContext, PipelineOptions};
use rustix::time::{ClockId, clock_gettime};

use crate::support::{Actor, Pipeline, Role, directory, pause, say};

pub(crate) const ROLES: &[Role] = &[
    ("leave-together", |pipeline| {
        loop {
            let context = open(pipeline);
            say("in");
            let time = pause().parse().unwrap();
            while now() < time {
                std::hint::spin_loop();
            }
            drop(context);
            say("out");
            pause();
        }
    }),
    ("come-and-go", come_and_go),
    ("leave-last", |pipeline| {
        let context = open(pipeline);
        context.create(10).unwrap().publish("mine").unwrap();
        say("in");
        pause();
    }),
    ("fill-the-pool", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        drop(context.create(1 << 20).unwrap());
        say("in");
        pause();
    }),
];

fn open(pipeline: &str) -> FastIoContext {
    FastIoContext::open_with(pipeline, PipelineOptions::new().ephemeral(true)).unwrap()
}

/// Nanoseconds by a clock that all processes share.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// Comes and goes from several threads. Whoever is a member finds what it has published.
fn come_and_go(pipeline: &str) {
    std::thread::scope(|scope| {
        for thread in 0..3 {
            scope.spawn(move || {
                for round in 0..200 {
                    let context = open(pipeline);
                    let name = format!("{}-{thread}-{round}", std::process::id());
                    context.create(10).unwrap().publish(&name).unwrap();
                    assert_eq!(context.get(&name).unwrap().len(), 10);
                }
            });
        }
    });
}

#[test]
fn of_many_members_that_leave_at_once_the_last_takes_the_pipeline_along() {
    let pipeline = Pipeline::new();
    let mut actors: Vec<_> = (0..3).map(|_| Actor::start("leave-together", &pipeline)).collect();
    for round in 0..200 {
        actors.iter_mut().for_each(|actor| actor.expect("in"));
        assert!(directory(&pipeline).exists());
        let time = now() + 1_000_000;
        actors.iter_mut().for_each(|actor| actor.tell(time));
        actors.iter_mut().for_each(|actor| actor.expect("out"));
        assert!(!directory(&pipeline).exists(), "round {round}: it was left behind");
        actors.iter_mut().for_each(Actor::go_on);
    }
}

#[test]
fn members_that_come_while_others_leave_have_a_pipeline_and_the_last_leaves_none() {
    let pipeline = Pipeline::new();
    let actors: Vec<_> = (0..3).map(|_| Actor::start("come-and-go", &pipeline)).collect();
    come_and_go(&pipeline);
    actors.into_iter().for_each(Actor::finish);
    assert!(!directory(&pipeline).exists(), "it was left behind");
}

#[test]
fn of_many_members_that_leave_at_once_the_last_takes_the_pool_along() {
    let pipeline = Pipeline::new();
    let mut actors: Vec<_> = (0..4).map(|_| Actor::start("fill-the-pool", &pipeline)).collect();
    actors.iter_mut().for_each(|actor| actor.expect("in"));
    actors.iter_mut().for_each(Actor::go_on);
    actors.into_iter().for_each(Actor::finish);
    assert_eq!(pipeline.open().stats().unwrap().pooled_bytes, 0);
}

#[test]
fn a_member_that_was_killed_keeps_no_pipeline_from_going() {
    let pipeline = Pipeline::new();
    let context = open(&pipeline);
    let mut actor = Actor::start("leave-last", &pipeline);
    actor.expect("in");
    actor.kill();
    drop(context);
    assert!(!directory(&pipeline).exists());
}

#[cfg(feature = "crash-points")]
#[test]
fn a_death_at_any_step_of_leaving_lets_the_pipeline_go_when_it_is_opened_next() {
    use std::os::unix::process::ExitStatusExt;

    let steps = [
        "after-slot-cleared",
        "after-claim",
        "after-remove-flag",
        "after-remove-rename",
        "after-remove-unlink",
    ];
    for step in steps {
        for survivors in 0..2 {
            let pipeline = Pipeline::new();
            let survivor = (survivors == 1).then(|| open(&pipeline));
            let mut actor = Actor::start_with("leave-last", &pipeline, &[("PODWIRE_CRASH_POINT", step)]);
            actor.expect("in");
            actor.go_on();
            while actor.hear().is_some() {}
            let signal = actor.child.wait().unwrap().signal();
            // Who is not the last removes nothing.
            assert_eq!(signal, (survivors == 0 || step == "after-slot-cleared").then_some(9), "{step}");
            let context = open(&pipeline);
            assert_eq!(context.try_get("mine").unwrap().is_some(), survivors == 1, "{step}");
            drop((survivor, context));
            assert!(!directory(&pipeline).exists(), "{step}");
        }
    }
}

#[cfg(feature = "crash-points")]
#[test]
fn a_death_at_any_step_of_coming_is_no_member() {
    for step in ["after-slot-file", "after-slot-lock", "after-slot-coming", "after-slot-used"] {
        let pipeline = Pipeline::new();
        let context = open(&pipeline);
        let mut actor = Actor::start_with("leave-last", &pipeline, &[("PODWIRE_CRASH_POINT", step)]);
        assert!(actor.hear().is_none(), "{step}");
        actor.kill();
        context.create(1).unwrap().publish("still there").unwrap();
        drop(context);
        assert!(!directory(&pipeline).exists(), "{step}");
    }
}
