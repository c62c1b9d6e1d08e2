//! Metadata: each handle has its own, each name carries the one it was published with.

use podwire_fastio::{AllocationOptions, ContentKind, DType, Error, Metadata};

use crate::support::Pipeline;

#[test]
fn a_name_carries_the_metadata_of_the_handle_that_published_it() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut first =
        context.create_with(AllocationOptions::new(8).metadata(Metadata::array(DType::F32, [2]))).unwrap();
    first.metadata_mut().unwrap().user.insert("unit".into(), "mm".into());
    first.publish("mm").unwrap();

    let mut second = context.get("mm").unwrap();
    assert_eq!(second.metadata().unwrap().user["unit"], "mm");
    second.metadata_mut().unwrap().user.insert("unit".into(), "m".into());
    assert_eq!(first.metadata().unwrap().user["unit"], "mm");
    assert_eq!(context.get("mm").unwrap().metadata().unwrap().user["unit"], "mm");

    second.publish("m").unwrap();
    let third = context.get("m").unwrap();
    assert_eq!(third.metadata().unwrap().user["unit"], "m");
    assert_eq!(third.metadata().unwrap().kind, ContentKind::Array);
    third.publish("also m").unwrap();
    assert_eq!(context.get("also m").unwrap().metadata().unwrap().user["unit"], "m");
    assert_eq!(context.get("mm").unwrap().metadata().unwrap().user["unit"], "mm");

    // What carried the extra metadata goes with the names.
    drop((first, second));
    third.free().unwrap();
    drop(third);
    let stats = context.stats().unwrap();
    assert_eq!((stats.published, stats.freed, stats.private), (0, 0, 0));
}

#[test]
fn memory_that_is_used_again_has_no_old_metadata() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let old = context.create_with(AllocationOptions::new(8).metadata(Metadata::value("Old"))).unwrap();
    drop(old);
    let new = context.create(8).unwrap();
    new.publish("new").unwrap();
    assert_eq!(*context.get("new").unwrap().metadata().unwrap(), Metadata::default());
}

#[test]
fn what_another_handle_of_private_memory_has_written_to_its_header_is_not_published_by_this_one() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let first = context.create(8).unwrap();
    let mut second = first.clone();
    second.set_metadata(Metadata::value("Second"));
    let parent = context.create_with(AllocationOptions::new(0).room_for_children(1)).unwrap();
    parent.adopt(&[&second]).unwrap();
    assert_eq!(*first.metadata().unwrap(), Metadata::default(), "each has its own copy");
    first.publish("first").unwrap();
    second.publish("second").unwrap();
    let found = |name| context.get(name).unwrap().metadata().unwrap().clone();
    assert_eq!((found("first"), found("second")), (Metadata::default(), Metadata::value("Second")));

    let third = context.create(8).unwrap();
    let mut fourth = third.clone();
    fourth.set_metadata(Metadata::value("Fourth"));
    fourth.publish("fourth").unwrap();
    third.publish("third").unwrap();
    assert_eq!((found("third"), found("fourth")), (Metadata::default(), Metadata::value("Fourth")));
}

#[test]
fn too_large_metadata_is_refused_and_nothing_is_published() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut allocation = context.create(8).unwrap();
    allocation.set_metadata(Metadata::default().with("key", "x".repeat(5000)));
    assert!(matches!(allocation.publish("name"), Err(Error::MetadataTooLarge { .. })));
    assert!(context.try_get("name").unwrap().is_none());
    let options = AllocationOptions::new(8).metadata(Metadata::default().with("x".repeat(5000), ""));
    assert!(matches!(context.create_with(options), Err(Error::MetadataTooLarge { .. })));
}
