//! System calls that fail, one after the other: a typed error or none, nothing leaked, and everything goes on.
//!
//! Every call on files is made to fail in turn: open, create, fstat, fallocate, mmap, link, rename, unlink, write, pread,
//! flock, mkdir, readdir. Once it fails alone, and once with all that come after it, cleaning up included.

use podwire_fastio::{
    AllocationOptions, ChannelOptions, Error, FastIoContext, Metadata, Peer, PipelineOptions, Result,
    with_failing_calls,
};

use crate::{
    faults::descriptors,
    support::{Actor, Pipeline, Role, directory, pause, say},
};

type Step = fn(&FastIoContext) -> Result<()>;

pub(crate) const ROLES: &[Role] = &[
    ("whole-life-failing", |pipeline| {
        every_failure(pipeline, whole_life, &|pipeline| {
            let context = FastIoContext::open(pipeline)?;
            for entry in context.list()? {
                check(&context, &entry.name)?;
                context.unpublish(&entry.name)?;
            }
            nothing_but(&context, 0, "a new member")?;
            context.drop_pipeline()?;
            whole_life(pipeline)
        });
    }),
    ("receive-and-stay", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let _receiver = context.receiver("channel", &ChannelOptions::new()).unwrap();
        say("attached");
        pause();
    }),
    ("member-failing", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let kept = context.create(5000).unwrap();
        kept.publish("kept").unwrap();
        drop(kept);
        let steps: &[(&str, Step)] = &[
            ("create", |context| context.create(100_000).map(drop)),
            ("publish", |context| {
                let child = context.create(9000)?;
                let parent = context.create_with(AllocationOptions::new(100).children(&[&child]))?;
                parent.publish("new")?;
                parent.publish("new-too")?;
                context.unpublish("new")?;
                parent.free()
            }),
            ("replace", |context| {
                let (first, second) = (context.create(10)?, context.create(20_000)?);
                first.replace("replaced")?;
                second.replace("replaced")?;
                second.free()
            }),
            ("get", |context| context.get("kept").map(drop)),
            ("read", |context| context.get("kept")?.read_into(0, &mut [0; 5000])),
            ("channel", through_a_channel),
            ("sweep", |context| context.sweep().map(drop)),
            ("list", |context| context.list().and_then(|_| context.channels()).map(drop)),
        ];
        for (name, step) in steps {
            every_failure(pipeline, |_| step(&context), &|_| {
                for leftover in ["new", "new-too", "replaced"] {
                    context.unpublish(leftover)?;
                }
                nothing_but(&context, 1, name)?;
                step(&context)?;
                nothing_but(&context, 1, name)?;
                check(&context, "kept")
            });
        }
        drop(context);
        assert_eq!(mappings(pipeline), 0, "of a pipeline that is closed");
        say("done");
    }),
];

/// That is all there is, after a sweep.
fn nothing_but(context: &FastIoContext, names: usize, after: &str) -> Result<()> {
    context.remove_channel("channel")?;
    context.sweep()?;
    let stats = context.stats()?;
    let left = (stats.processes, stats.published, stats.names, stats.private, stats.freed, stats.channels);
    assert_eq!(left, (1, names, names, 0, 0, 0), "{after}");
    let pipeline = context.path().file_name().unwrap().to_str().unwrap();
    assert_eq!(segment_files(pipeline), names, "{after}");
    Ok(())
}

/// What is published is whole.
fn check(context: &FastIoContext, name: &str) -> Result<()> {
    let found = context.get(name)?;
    let guard = found.map()?;
    assert!(!name.starts_with("first") || guard.iter().all(|byte| *byte == 1), "{name}");
    Ok(())
}

fn through_a_channel(context: &FastIoContext) -> Result<()> {
    let (mut sender, mut receiver) = context.channel("channel", &ChannelOptions::new().capacity(2))?;
    let memory = context.create(7000)?;
    for _ in 0..3 {
        sender.send(&memory)?;
        drop(receiver.receive()?);
    }
    drop(sender);
    drop(receiver);
    context.remove_channel("channel").map(drop)
}

/// A pipeline from its first file to its last.
fn whole_life(pipeline: &str) -> Result<()> {
    let context = FastIoContext::open_with(pipeline, PipelineOptions::new())?;
    let first = context.create(100_000)?;
    first.map_mut()?.fill(1);
    for name in 0..70 {
        first.publish(&format!("first-{name}"))?;
    }
    let child = context.create(5000)?;
    let mut parent = context.create_with(AllocationOptions::new(10).children(&[&child]))?;
    parent.publish("parent")?;
    parent.set_metadata(Metadata::value("other"));
    parent.publish("parent-too")?;
    context.publish_value(&vec![1_u8, 2], "value")?;
    context.get_described("value")?;
    through_a_channel(&context)?;
    context.get("parent")?.free()?;
    drop((first, child, parent));
    context.unpublish("value")?;
    context.sweep()?;
    drop(context);
    if FastIoContext::remove(pipeline)? { Ok(()) } else { Err(Error::Removed) }
}

/// Has `action` meet every failure there is, and `recovered` say each time that all is well again.
fn every_failure(
    pipeline: &str,
    action: impl Fn(&str) -> Result<()>,
    recovered: &dyn Fn(&str) -> Result<()>,
) {
    recovered(pipeline).unwrap();
    let before = (descriptors(), mappings_of_nothing(pipeline));
    let mut met = 0;
    for until in [|first: u64| first + 1, |_| u64::MAX] {
        for first in 0.. {
            let (result, count) = with_failing_calls(first..until(first), || action(pipeline));
            if count <= first {
                result.unwrap();
                break;
            }
            if let Err(error) = result {
                let typed = matches!(error, Error::Io { .. } | Error::Removed);
                assert!(typed, "call {first}: {error:?}");
                met += 1;
            }
            recovered(pipeline).unwrap_or_else(|error| panic!("after call {first} of {count}: {error}"));
            assert_eq!((descriptors(), mappings_of_nothing(pipeline)), before, "after call {first}");
        }
    }
    say(format_args!("met {met}"));
}

fn maps(pipeline: &str) -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let place = format!("/{pipeline}/");
    maps.lines().filter(|line| line.contains(&place)).map(str::to_owned).collect()
}

fn mappings(pipeline: &str) -> usize {
    maps(pipeline).len()
}

/// Mappings of files that never had a name, or lost it before they were used; segments stay mapped on purpose.
fn mappings_of_nothing(pipeline: &str) -> usize {
    maps(pipeline).iter().filter(|line| !line.contains("/segment.")).count()
}

fn segment_files(pipeline: &str) -> usize {
    let files = std::fs::read_dir(directory(pipeline)).unwrap().flatten();
    files.filter(|file| file.file_name().to_string_lossy().starts_with("segment.")).count()
}

fn met(role: &str) -> u64 {
    let pipeline = Pipeline::new();
    let mut actor = Actor::start(role, &pipeline);
    let mut met = 0;
    while let Some(line) = actor.hear() {
        met += line.strip_prefix("met ").map_or(0, |count| count.parse::<u64>().unwrap());
    }
    actor.finish();
    assert!(!directory(&pipeline).exists() || role == "member-failing");
    met
}

#[test]
fn whichever_call_of_a_pipelines_life_fails_nothing_leaks_and_the_next_life_is_well() {
    assert!(met("whole-life-failing") > 200);
}

#[test]
fn whichever_call_of_a_member_fails_it_goes_on() {
    assert!(met("member-failing") > 50);
}

#[test]
fn a_peer_that_cannot_be_looked_after_is_not_taken_for_dead() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let sender = context.sender("channel", &ChannelOptions::new()).unwrap();
    let mut actor = Actor::start("receive-and-stay", &pipeline);
    actor.expect("attached");
    let peer_with_failing_calls = || {
        loop {
            let (peer, calls) = with_failing_calls(0..u64::MAX, || sender.peer());
            // It is looked after now and then only.
            if calls != 0 {
                break peer.unwrap();
            }
        }
    };
    assert_eq!(peer_with_failing_calls(), Peer::Attached);
    actor.kill();
    assert_eq!(peer_with_failing_calls(), Peer::Attached, "what was known stays so");
    while sender.peer().unwrap() == Peer::Attached {}
    assert_eq!(sender.peer().unwrap(), Peer::Died);
}
