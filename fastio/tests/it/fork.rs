//! What a forked child may do with what it inherited: nothing, until it opens the pipeline itself.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use podwire_fastio::{Error, FastIoContext};

use crate::support::Pipeline;

/// Runs `child` in a forked process; its result.
fn forked(child: impl FnOnce() -> bool) -> bool {
    // SAFETY: this thread of the child runs only `child` and `_exit`. Other threads of the harness may hold locks of
    // the allocator in no C library that is used here (they are reset by `fork`), and `child` prints nothing.
    match unsafe { libc::fork() } {
        0 => {
            let good = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(false);
            // SAFETY: it ends the process and runs nothing else.
            unsafe { libc::_exit(i32::from(!good)) }
        }
        pid => {
            let mut status = 0;
            // SAFETY: `status` lives, and `pid` is a child that nobody else waits for.
            assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
            status == 0
        }
    }
}

#[test]
fn handles_in_a_forked_child_are_errors_and_take_nothing_from_the_parent() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(64).unwrap();
    allocation.map_mut().unwrap().fill(6);
    allocation.publish("data").unwrap();
    let private = context.create(64).unwrap();
    let guard = private.map_mut().unwrap();
    let name = &*pipeline;
    let good = forked(|| {
        let refused = matches!(allocation.map(), Err(Error::Forked))
            && matches!(allocation.map_mut(), Err(Error::Forked))
            && matches!(allocation.free(), Err(Error::Forked))
            && matches!(allocation.publish("other"), Err(Error::Forked))
            && matches!(context.get("data"), Err(Error::Forked))
            && matches!(context.create(1), Err(Error::Forked))
            && matches!(context.list(), Err(Error::Forked));
        drop(guard);
        drop((allocation.clone(), private.clone()));
        let own = FastIoContext::open(name).unwrap();
        let _same = FastIoContext::open(name).unwrap();
        refused && own.get("data").unwrap().map().unwrap()[0] == 6 && own.stats().unwrap().processes == 2
    });
    assert!(good);
    assert!(matches!(context.stats().unwrap(), stats if stats.private == 1 && stats.published == 1));
    assert_eq!(allocation.map().unwrap()[63], 6);
}

#[test]
fn a_child_that_is_forked_while_another_thread_opens_a_pipeline_can_open_it() {
    let pipeline = Pipeline::new();
    let name = &*pipeline;
    let _open = pipeline.open();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                drop(FastIoContext::open(name));
            }
        });
        let good = (0..200).all(|_| forked(|| FastIoContext::open(name).is_ok()));
        stop.store(true, Relaxed);
        assert!(good);
    });
}
