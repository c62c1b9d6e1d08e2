//! Publishing, getting, freeing: here, there and elsewhere.

use podwire_fastio::{AllocationOptions, Error, FastIoContext, Metadata};

use crate::support::{Actor, Pipeline, Role, pause, say};

pub(crate) const ROLES: &[Role] = &[
    ("publish-and-exit", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let allocation = context.create(100_000).unwrap();
        allocation.map_mut().unwrap().fill(7);
        allocation.publish("data").unwrap();
        say("published");
        pause();
    }),
    ("free", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let allocation = context.get("data").unwrap();
        assert!(allocation.map().unwrap().iter().all(|byte| *byte == 7));
        allocation.free().unwrap();
        say("freed");
    }),
    ("race", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        say("ready");
        pause();
        let mut won = 0;
        for round in 0..200 {
            let allocation = context.create(64).unwrap();
            allocation.map_mut().unwrap().fill(std::process::id() as u8);
            match allocation.publish(&format!("name-{round}")) {
                Ok(()) => won += 1,
                Err(Error::NameTaken { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        say(won);
    }),
];

#[test]
fn published_here_got_there_and_freed_elsewhere() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut publisher = Actor::start("publish-and-exit", &pipeline);
    publisher.expect("published");
    let allocation = context.get("data").unwrap();
    assert_eq!(allocation.len(), 100_000);
    assert!(allocation.map().unwrap().iter().all(|byte| *byte == 7));
    Actor::start("free", &pipeline).finish();
    assert!(matches!(context.get("data"), Err(Error::NotFound { name }) if name == "data"));
    assert!(allocation.map().unwrap().iter().all(|byte| *byte == 7), "maps stay valid");
}

#[test]
fn a_publication_outlives_its_publisher_even_when_it_is_killed() {
    let pipeline = Pipeline::new();
    let mut publisher = Actor::start("publish-and-exit", &pipeline);
    publisher.expect("published");
    publisher.kill();
    let context = pipeline.open();
    assert_eq!(context.get("data").unwrap().map().unwrap()[99_999], 7);
    context.sweep().unwrap();
    assert_eq!(context.get("data").unwrap().map().unwrap()[99_999], 7);
}

#[test]
fn of_two_publishers_of_one_name_exactly_one_wins() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let mut racers = [Actor::start("race", &pipeline), Actor::start("race", &pipeline)];
    racers.iter_mut().for_each(|racer| racer.expect("ready"));
    racers.iter_mut().for_each(Actor::go_on);
    let won: u32 = racers.iter_mut().map(|racer| racer.hear().unwrap().parse::<u32>().unwrap()).sum();
    assert_eq!(won, 200);
    assert_eq!(context.list().unwrap().len(), 200);
}

#[test]
fn a_taken_name_is_refused_and_taken_over_only_when_asked() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let first = context.create(1).unwrap();
    first.publish("name").unwrap();
    let second = context.create(2).unwrap();
    assert!(matches!(second.publish("name"), Err(Error::NameTaken { .. })));
    second.replace("name").unwrap();
    assert_eq!(context.get("name").unwrap().len(), 2);
    assert!(matches!(first.publish("again"), Err(Error::Freed)), "its last name is gone");
    second.replace("name").unwrap();
    assert_eq!(context.get("name").unwrap().len(), 2);
}

#[test]
fn one_allocation_has_many_names_and_free_takes_them_all() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(10).unwrap();
    for name in ["a", "b", "c"] {
        allocation.publish(name).unwrap();
    }
    assert!(context.unpublish("b").unwrap());
    assert!(!context.unpublish("b").unwrap());
    assert_eq!(
        context.list().unwrap().iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(),
        ["a", "c"]
    );
    context.get("c").unwrap().free().unwrap();
    assert!(context.try_get("a").unwrap().is_none());
    assert!(matches!(allocation.free(), Err(Error::Freed)));
    assert!(matches!(allocation.publish("d"), Err(Error::Freed)));
}

#[test]
fn taking_the_last_name_away_frees_the_allocation() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(10).unwrap();
    allocation.publish("name").unwrap();
    context.unpublish("name").unwrap();
    assert!(matches!(allocation.free(), Err(Error::Freed)));
    assert_eq!(context.stats().unwrap().freed, 1);
    drop(allocation);
    assert_eq!(context.stats().unwrap().freed, 0);
}

#[test]
fn a_private_allocation_goes_with_its_last_handle() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(10).unwrap();
    let copy = allocation.clone();
    drop(allocation);
    assert_eq!(context.stats().unwrap().private, 1);
    drop(copy);
    assert_eq!(context.stats().unwrap().private, 0);
}

#[test]
fn a_handle_is_found_by_its_id_until_it_is_freed() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(10).unwrap();
    let id = allocation.id();
    assert_eq!(context.get_by_id(id).unwrap().id(), id);
    allocation.publish("name").unwrap();
    allocation.free().unwrap();
    drop(allocation);
    assert!(matches!(context.get_by_id(id), Err(Error::Freed)));
}

#[test]
fn sealed_bytes_refuse_writers_and_can_be_owned() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation =
        context.create_with(AllocationOptions::new(16).metadata(Metadata::value("Demo"))).unwrap();
    assert!(matches!(allocation.clone().into_shared(), Err(Error::NotSealed)));
    assert!(matches!(allocation.to_shared(), Err(Error::NotSealed)));
    allocation.map_mut().unwrap().fill(3);
    allocation.seal().unwrap();
    allocation.seal().unwrap();
    assert!(matches!(allocation.map_mut(), Err(Error::Sealed)));
    assert!(matches!(allocation.try_map_mut(), Err(Error::Sealed)));
    allocation.publish("sealed").unwrap();
    assert_eq!(*allocation.to_shared().unwrap(), [3; 16]);
    let bytes = context.get("sealed").unwrap().into_shared().unwrap();
    allocation.free().unwrap();
    drop((allocation, context));
    let copy = bytes.clone();
    drop(bytes);
    assert_eq!(
        std::thread::spawn(move || copy.iter().map(|byte| u32::from(*byte)).sum::<u32>()).join().unwrap(),
        48
    );
}

#[test]
fn a_thousand_names_that_come_and_go_leave_the_index_small() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    for round in 0..3000 {
        let allocation = context.create(8).unwrap();
        allocation.publish(&format!("frame-{round}")).unwrap();
        allocation.free().unwrap();
    }
    let files = std::fs::read_dir(crate::support::directory(&pipeline)).unwrap().count();
    assert!(files < 8, "{files} files");
    for round in 0..300 {
        context.create(8).unwrap().publish(&format!("kept-{round}")).unwrap();
    }
    assert_eq!(context.list().unwrap().len(), 300);
    assert!((0..300).all(|round| context.get(&format!("kept-{round}")).is_ok()));
}

#[test]
fn case_85_a_hundred_thousand_names_are_listed_swept_and_taken_away() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(1).unwrap();
    let names = |count: u32| (0..count).map(|number| format!("patient-{number:06}"));
    for name in names(100_000) {
        allocation.publish(&name).unwrap();
    }
    let entries = || (context.list().unwrap().len(), context.stats().unwrap().names);
    assert_eq!(entries(), (100_000, 100_000));
    context.sweep().unwrap();
    assert_eq!(context.get("patient-099999").unwrap().id(), allocation.id());
    allocation.free().unwrap();
    assert_eq!(entries(), (0, 0));
    // The table is used again, and does not grow.
    let tables = || {
        let files = std::fs::read_dir(context.path()).unwrap().flatten();
        files.filter(|file| file.file_name().to_string_lossy().starts_with("names.")).count()
    };
    let before = tables();
    let again = context.create(1).unwrap();
    for name in names(100_000) {
        again.publish(&name).unwrap();
    }
    assert_eq!(tables(), before);
    // The oldest first, which are the last in the list of the allocation's names.
    for name in names(100_000) {
        assert!(context.unpublish(&name).unwrap());
    }
    assert_eq!(entries(), (0, 0));
    assert!(matches!(again.publish("again"), Err(Error::Freed)));
}

#[test]
fn any_of_many_names_of_an_allocation_can_go_and_the_others_stay() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(1).unwrap();
    let mut names: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    for name in &names {
        allocation.publish(name).unwrap();
    }
    for (round, position) in [0, 8, 4, 3, 0, 4].into_iter().enumerate() {
        assert!(context.unpublish(&names.remove(position)).unwrap());
        let listed: Vec<_> = context.list().unwrap().into_iter().map(|entry| entry.name).collect();
        names.sort();
        assert_eq!(listed, names);
        names.push(format!("new-{round}"));
        allocation.publish(names.last().unwrap()).unwrap();
    }
    allocation.free().unwrap();
    assert!(context.list().unwrap().is_empty());
}
