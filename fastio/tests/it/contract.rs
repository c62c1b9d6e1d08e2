//! Waiting for one of several names, watching all, quotas, pipelines that go by themselves, and how memory is created.

use std::time::Duration;

use podwire_fastio::{
    AllocationOptions, ChannelOptions, Error, Event, FastIoContext, PipelineOptions, Watch,
};

use crate::support::{Actor, LONG, Pipeline, Role, directory, pause, say};

pub(crate) const ROLES: &[Role] = &[
    ("publish-when-told", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        say("ready");
        pause();
        context.create(3).unwrap().publish("third").unwrap();
        pause();
    }),
    ("watch-and-tell", |pipeline| {
        let mut watch = FastIoContext::open(pipeline).unwrap().watch();
        say("watching");
        for _ in 0..3 {
            say(short(&watch.next(LONG).unwrap()));
        }
    }),
    ("be-a-member", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        match context.create(10).unwrap().publish("mine") {
            Ok(()) => {
                say("in");
                pause();
            }
            Err(error) => say(error),
        }
    }),
];

fn short(event: &Event) -> String {
    match event {
        Event::Published(listing) => format!("+{}", listing.name),
        Event::Freed { name, .. } => format!("-{name}"),
        Event::Missed { publications } => format!("?{publications}"),
        other => panic!("{other:?}"),
    }
}

fn all(watch: &mut Watch) -> Vec<String> {
    std::iter::from_fn(|| watch.try_next().unwrap().map(|event| short(&event))).collect()
}

#[test]
fn one_who_waits_for_several_names_gets_the_first_that_comes_from_another_process() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut actor = Actor::start("publish-when-told", &pipeline);
    actor.expect("ready");
    let names = ["first", "second", "third"];
    let waiter = std::thread::spawn({
        let context = context.clone();
        move || context.wait_any(&names, LONG).map(|(position, found)| (position, found.len()))
    });
    std::thread::sleep(Duration::from_millis(20));
    actor.go_on();
    assert_eq!(waiter.join().unwrap().unwrap(), (2, 3));
    context.create(2).unwrap().publish("second").unwrap();
    assert_eq!(context.wait_any(&names, Duration::ZERO).unwrap().0, 1);
    let error = context.wait_any(&["a", "b"], Duration::from_millis(10)).unwrap_err();
    assert_eq!(error.to_string(), "waited 10ms for one of the names \"a\", \"b\"");
    assert!(matches!(context.wait_any(&["a", "b/c"], LONG), Err(Error::BadName { .. })));
}

#[test]
fn a_watcher_sees_names_come_and_go_from_another_process() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.create(1).unwrap().publish("old").unwrap();
    let mut actor = Actor::start("watch-and-tell", &pipeline);
    actor.expect("watching");
    actor.expect("+old");
    std::thread::sleep(Duration::from_millis(20));
    context.create(1).unwrap().publish("new").unwrap();
    actor.expect("+new");
    context.get("old").unwrap().free().unwrap();
    actor.expect("-old");
    actor.finish();
}

#[test]
fn a_watcher_is_told_of_replacements_and_of_what_it_missed() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut watch = context.watch();
    assert!(watch.try_next().unwrap().is_none());
    let error = watch.next(Duration::from_millis(10)).unwrap_err();
    assert_eq!(error.to_string(), "waited 10ms for any name to be published or freed");
    for name in ["a", "b"] {
        context.create(1).unwrap().publish(name).unwrap();
    }
    assert_eq!(all(&mut watch), ["+a", "+b"]);
    context.create(1).unwrap().replace("a").unwrap();
    assert_eq!(all(&mut watch), ["-a", "+a"]);
    for _ in 0..5 {
        context.create(1).unwrap().publish("gone").unwrap();
        context.unpublish("gone").unwrap();
    }
    let _channel = context.sender("channel", &ChannelOptions::new()).unwrap();
    context.unpublish("b").unwrap();
    assert_eq!(all(&mut watch), ["-b", "?5"]);
    FastIoContext::remove(&pipeline).unwrap();
    assert!(matches!(watch.next(LONG), Err(Error::Removed)));
}

#[test]
fn a_quota_of_names_and_bytes_is_kept_by_every_member_and_counts_what_is_there() {
    let pipeline = Pipeline::new();
    let context =
        FastIoContext::open_with(&pipeline, PipelineOptions::new().quota_names(2).quota_bytes(64 << 10))
            .unwrap();
    let allocation = context.create(100).unwrap();
    allocation.publish("one").unwrap();
    allocation.publish("two").unwrap();
    let error = allocation.publish("three").unwrap_err();
    let stats = context.stats().unwrap();
    assert_eq!((stats.quota_names, stats.quota_bytes, stats.ephemeral), (Some(2), Some(64 << 10), false));
    assert_eq!(stats.file_bytes, 8192, "a page of header, and one of payload");
    assert_eq!(error.to_string(), "that would be more than the pipeline's quota of 2 names");
    allocation.replace("two").unwrap();
    context.unpublish("two").unwrap();
    allocation.publish("three").unwrap();

    let mut held = Vec::new();
    let error = loop {
        match context.create(8000) {
            Ok(allocation) => held.push(allocation),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::QuotaExceeded { what: "bytes", limit: 65_536 }), "{error}");
    // One of 8 KiB, and five of 12.
    assert_eq!(held.len(), 4);
    // What the pool keeps is given up for another size.
    held.clear();
    drop(context.create(40_000).unwrap());
    // A member that is killed has no share in it any more.
    let mut actor = Actor::start("be-a-member", &pipeline);
    actor.expect("that would be more than the pipeline's quota of 2 names");
    actor.kill();
    context.sweep().unwrap();
    drop(context.create(40_000).unwrap());
    FastIoContext::open_with(&pipeline, PipelineOptions::new().quota_bytes(0).quota_names(0)).unwrap();
    context.create(1 << 20).unwrap().publish("large").unwrap();
}

#[test]
fn an_ephemeral_pipeline_goes_with_its_last_member_however_it_goes() {
    let pipeline = Pipeline::new();
    let ephemeral = PipelineOptions::new().ephemeral(true);
    let context = FastIoContext::open_with(&pipeline, ephemeral).unwrap();
    let mut actor = Actor::start("be-a-member", &pipeline);
    actor.expect("in");
    drop(context);
    assert!(directory(&pipeline).exists(), "there is a member left");
    actor.go_on();
    actor.finish();
    assert!(!directory(&pipeline).exists());

    let context = FastIoContext::open_with(&pipeline, ephemeral).unwrap();
    let mut actor = Actor::start("be-a-member", &pipeline);
    actor.expect("in");
    drop(context);
    actor.kill();
    assert!(directory(&pipeline).exists(), "nobody was there to take it away");
    let context = pipeline.open();
    assert!(context.try_get("mine").unwrap().is_none(), "it is another one");
    drop(context);
    assert!(directory(&pipeline).exists(), "which was not asked to go");

    // What is there now stays, as nobody asked it to go; another one has a member; and of the third all were killed.
    let (living, dead) = (Pipeline::new(), Pipeline::new());
    let member = FastIoContext::open_with(&living, ephemeral).unwrap();
    let mut last = Actor::start("be-a-member", &dead);
    last.expect("in");
    drop(FastIoContext::open_with(&dead, ephemeral).unwrap());
    last.kill();
    assert!(directory(&dead).exists());
    assert!(FastIoContext::remove_left_behind().unwrap() >= 1);
    assert!(!directory(&dead).exists() && directory(&living).exists() && directory(&pipeline).exists());
    drop(member.create(100).unwrap());
    drop(member);
    assert!(!directory(&living).exists(), "its last member still takes it away");
    FastIoContext::remove_left_behind().unwrap();
}

#[test]
fn memory_can_be_there_at_once_and_be_sealed_when_it_is_published_or_sent() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    drop(context.create(1 << 20).unwrap());
    let options = || AllocationOptions::new(1 << 20).populated(true).sealed_on_publish(true);
    let allocation = context.create_with(options()).unwrap();
    allocation.map_mut().unwrap().fill(1);
    assert!(!allocation.is_sealed());
    allocation.publish("sealed").unwrap();
    assert!(allocation.is_sealed() && matches!(allocation.map_mut(), Err(Error::Sealed)));
    let (mut sender, mut receiver) = context.channel("channel", &ChannelOptions::new()).unwrap();
    sender.send(&context.create_with(options()).unwrap()).unwrap();
    assert!(receiver.receive().unwrap().allocation().unwrap().is_sealed());
}

#[test]
fn what_a_lent_context_did_not_publish_goes_with_the_loan() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let array = ndarray::Array1::from_elem(10, 4u8);
    context
        .with_payload(|context| {
            context.create(10)?.publish("kept")?;
            context.publish_array(&array, "array")?;
            let _lost = context.create_array::<f32>(&[10])?;
            assert_eq!(context.wait("array", LONG)?.map()?.as_array::<u8>()?.len(), 10);
            context.get("kept")?.free()
        })
        .unwrap();
    let stats = context.stats().unwrap();
    assert_eq!((stats.names, stats.published, stats.private, stats.freed), (1, 1, 0, 0));
}
