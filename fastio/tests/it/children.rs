//! What a published allocation owns.

use podwire_fastio::{AllocationOptions, Error, FastIoContext, Metadata};

use crate::support::{Actor, Pipeline, Role, pause, say};

pub(crate) const ROLES: &[Role] = &[
    ("parent", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let child =
            context.create_with(AllocationOptions::new(10_000).metadata(Metadata::value("Part"))).unwrap();
        child.map_mut().unwrap().fill(4);
        child.seal().unwrap();
        let parent = context.create_with(AllocationOptions::new(10).children(&[&child])).unwrap();
        drop(child);
        parent.publish("parent").unwrap();
        drop(parent);
        say("published");
        pause();
    }),
    ("unfinished-parent", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let child = context.create(10_000).unwrap();
        let parent = context.create_with(AllocationOptions::new(10).children(&[&child])).unwrap();
        drop(child);
        say("adopted");
        pause();
        drop(parent);
    }),
];

fn gone(context: &FastIoContext) {
    let stats = context.stats().unwrap();
    assert_eq!((stats.published, stats.private, stats.freed), (0, 0, 0));
}

#[test]
fn children_live_as_long_as_their_parent_although_they_have_no_name() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut publisher = Actor::start("parent", &pipeline);
    publisher.expect("published");
    publisher.kill();
    context.sweep().unwrap();
    assert_eq!(context.list().unwrap().len(), 1);
    let parent = context.get("parent").unwrap();
    let children = parent.children().unwrap();
    assert_eq!(children.len(), 1);
    assert_eq!(children[0].metadata().unwrap().codec.as_deref(), Some("Part"));
    parent.free().unwrap();
    drop(children);
    let again = parent.children().unwrap();
    assert!(
        again[0].map().unwrap().iter().all(|byte| *byte == 4),
        "a holder of the parent still gets the child"
    );
    drop(parent);
    let bytes = again.into_iter().next().unwrap().into_shared().unwrap();
    assert_eq!(bytes[9_999], 4, "a holder of the child keeps it without the parent");
    drop(bytes);
    gone(&context);
}

#[test]
fn children_of_a_parent_that_was_never_published_go_with_its_owner() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut publisher = Actor::start("unfinished-parent", &pipeline);
    publisher.expect("adopted");
    assert_eq!(context.stats().unwrap().private, 2);
    publisher.kill();
    context.sweep().unwrap();
    gone(&context);
}

#[test]
fn a_child_may_have_parents_and_names_besides() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let child = context.create(10).unwrap();
    child.publish("child").unwrap();
    let parents: Vec<_> = (0..2)
        .map(|number| {
            let parent = context.create(1).unwrap();
            parent.adopt(&[&child]).unwrap();
            parent.publish(&format!("parent-{number}")).unwrap();
            parent
        })
        .collect();
    child.free().unwrap();
    assert!(context.try_get("child").unwrap().is_none());
    assert!(matches!(child.free(), Err(Error::Freed)));
    child.publish("child again").unwrap();
    context.unpublish("child again").unwrap();
    parents[0].free().unwrap();
    assert_eq!(parents[1].children().unwrap()[0].id(), child.id());
    parents[1].free().unwrap();
    drop((child, parents));
    gone(&context);
}

#[test]
fn children_have_children() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let leaf = context.create(1).unwrap();
    let middle = context.create_with(AllocationOptions::new(1).children(&[&leaf])).unwrap();
    let root = context.create_with(AllocationOptions::new(1).children(&[&middle, &leaf])).unwrap();
    assert!(matches!(leaf.adopt(&[&root]), Err(Error::CannotAdopt { .. })), "no circles");
    assert!(matches!(leaf.adopt(&[&leaf]), Err(Error::CannotAdopt { .. })), "not itself");
    drop((leaf, middle));
    root.publish("root").unwrap();
    assert_eq!(context.stats().unwrap().published, 3);
    let found = context.get("root").unwrap();
    assert_eq!(found.children().unwrap()[0].children().unwrap().len(), 1);
    drop(root);
    assert!(matches!(found.adopt(&[]), Ok(())));
    let late = context.create(1).unwrap();
    assert!(matches!(found.adopt(&[&late]), Err(Error::CannotAdopt { .. })), "too late");
    drop(late);
    found.free().unwrap();
    drop(found);
    gone(&context);
}

#[test]
fn there_is_room_for_as_many_children_as_asked_for() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let child = context.create(1).unwrap();
    let parent = context.create(100).unwrap();
    for _ in 0..64 {
        parent.adopt(&[&child]).unwrap();
    }
    assert!(matches!(parent.adopt(&[&child]), Err(Error::TooManyChildren { limit: 64 })));
    let many = context.create_with(AllocationOptions::new(100).children(&vec![&child; 1000])).unwrap();
    many.map_mut().unwrap().fill(255);
    many.publish("many").unwrap();
    assert!(many.children().unwrap().iter().all(|found| found.id() == child.id()));
    assert!(many.map().unwrap().iter().all(|byte| *byte == 255));
    let too_many = AllocationOptions::new(1).room_for_children(100_000);
    assert!(matches!(context.create_with(too_many), Err(Error::TooManyChildren { .. })));
    many.free().unwrap();
    drop((child, parent, many));
    gone(&context);
}

#[test]
fn allocations_of_another_pipeline_are_not_adopted() {
    let (here, there) = (Pipeline::new(), Pipeline::new());
    let (here, there) = (here.open(), there.open());
    let foreign = there.create(1).unwrap();
    let parent = here.create(1).unwrap();
    assert!(matches!(parent.adopt(&[&foreign]), Err(Error::CannotAdopt { .. })));
}
