//! Several threads of one process share its slot.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use podwire_fastio::{Error, FastIoAllocation, FastIoContext, SharedBytes};

use crate::support::Pipeline;

#[test]
fn contexts_and_handles_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<FastIoContext>();
    crosses::<FastIoAllocation>();
    crosses::<SharedBytes>();
}

#[test]
fn threads_exclude_each_other_as_processes_do() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(4096).unwrap();
    allocation.map_mut().unwrap().fill(0);
    allocation.publish("data").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let own = context.get("data").unwrap();
                    let mut guard = own.map_mut().unwrap();
                    let next = guard[0].wrapping_add(1);
                    guard.fill(next);
                }
            });
            scope.spawn(|| {
                for _ in 0..500 {
                    let guard = allocation.map().unwrap();
                    assert!(guard.iter().all(|byte| *byte == guard[0]));
                }
            });
        }
    });
    assert_eq!(allocation.map().unwrap()[0], (1000 % 256) as u8);
}

#[test]
fn publishing_getting_and_freeing_from_many_threads_loses_nothing() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let makers: Vec<_> = (0..3u8)
            .map(|maker| {
                let context = &context;
                scope.spawn(move || {
                    for round in 0..400u32 {
                        let allocation = context.create(1000).unwrap();
                        allocation.map_mut().unwrap().fill(maker);
                        allocation.replace(&format!("{}", round % 7)).unwrap();
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for name in 0..7 {
                        let Some(found) = context.try_get(&name.to_string()).unwrap() else { continue };
                        let guard = found.map().unwrap();
                        assert!(guard.iter().all(|byte| *byte == guard[0]), "torn");
                        drop(guard);
                        if name == 3 {
                            match found.free() {
                                Ok(()) | Err(Error::Freed) => {}
                                Err(error) => panic!("{error}"),
                            }
                        }
                    }
                }
            });
        }
        for maker in makers {
            maker.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    for entry in context.list().unwrap() {
        context.unpublish(&entry.name).unwrap();
    }
    let stats = context.stats().unwrap();
    assert_eq!((stats.names, stats.published, stats.private, stats.freed), (0, 0, 0, 0));
    assert!(stats.pooled_bytes < 40 * 4096, "memory was used again: {stats:?}");
}

#[test]
fn a_timeout_gives_the_lock_of_a_waiting_writer_back() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(1).unwrap();
    let guard = allocation.map().unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| allocation.map_mut_timeout(Duration::from_millis(20)).map(drop));
        assert!(matches!(writer.join().unwrap(), Err(Error::Timeout { .. })));
    });
    drop(guard);
    assert!(allocation.try_map_mut().is_ok());
}
