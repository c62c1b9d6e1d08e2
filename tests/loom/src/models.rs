//! The models: what each thread does, and what has to be true in every order.

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use loom::thread;

use crate::doorbell::Doorbell;
use crate::gate::Gate;
use crate::registry::Registry;

/// Each by its name.
pub(crate) const ALL: &[(&str, fn())] = &[
    ("gate: what the first sets up stands until the last is gone", gate),
    ("gate: one who comes while the last leaves", gate_again),
    ("doorbell: no ring is lost", bell),
    ("doorbell: two rings of two threads", two_rings),
    ("registry: what was replaced is not found by whoever knows of it", registry),
    ("registry: an entry is whole when it is found", registry_adds),
];

/// Runs a model in all orders with at most three switches where no thread has to wait, and counts them.
pub(crate) fn explore(model: fn()) -> usize {
    use core::sync::atomic::AtomicUsize;
    static ORDERS: AtomicUsize = AtomicUsize::new(0);
    ORDERS.store(0, core::sync::atomic::Ordering::SeqCst);
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.max_branches = 10_000;
    builder.check(move || {
        ORDERS.fetch_add(1, core::sync::atomic::Ordering::SeqCst);
        model();
    });
    ORDERS.load(core::sync::atomic::Ordering::SeqCst)
}

/// A gate, and what it guards, as a mapping is: set up by the first, taken down by the last.
struct Guarded {
    gate: Gate,
    map: UnsafeCell<Option<u32>>,
}

// SAFETY: the gate says who touches the cell; loom looks whether that is true.
unsafe impl Sync for Guarded {}
// SAFETY: as above.
unsafe impl Send for Guarded {}

impl Guarded {
    fn new() -> Arc<Self> {
        Arc::new(Self { gate: Gate::default(), map: UnsafeCell::new(None) })
    }

    fn use_it(&self) {
        let set_up = || {
            self.map.with_mut(|map| {
                // SAFETY: the step runs alone.
                let map = unsafe { &mut *map };
                assert_eq!(map.replace(7), None);
            });
            Ok::<_, ()>(())
        };
        self.gate.enter(set_up).unwrap();
        self.map.with(|map| {
            // SAFETY: this thread is counted.
            assert_eq!(unsafe { *map }, Some(7));
        });
        self.gate.leave(|| {
            self.map.with_mut(|map| {
                // SAFETY: the step runs alone.
                let map = unsafe { &mut *map };
                assert_eq!(map.take(), Some(7));
            });
        });
    }
}

fn gate() {
    let guarded = Guarded::new();
    let other = Arc::clone(&guarded);
    let thread = thread::spawn(move || other.use_it());
    guarded.use_it();
    thread.join().unwrap();
    guarded.gate.if_unused(|| {
        // SAFETY: the step runs alone.
        guarded.map.with(|map| assert_eq!(unsafe { *map }, None));
    });
}

fn gate_again() {
    let guarded = Guarded::new();
    let other = Arc::clone(&guarded);
    let thread = thread::spawn(move || {
        other.use_it();
        other.use_it();
    });
    guarded.use_it();
    thread.join().unwrap();
}

fn bell() {
    let (bell, done) = (Doorbell::new(), Arc::new(AtomicBool::new(false)));
    let (ringer, said) = (bell.clone(), Arc::clone(&done));
    let thread = thread::spawn(move || {
        said.store(true, Release);
        ringer.ring();
    });
    while !done.load(Acquire) {
        bell.wait(None);
    }
    thread.join().unwrap();
}

fn two_rings() {
    let bell = Doorbell::new();
    let said: [_; 2] = core::array::from_fn(|_| Arc::new(AtomicBool::new(false)));
    let threads = said.clone().map(|said| {
        let bell = bell.clone();
        thread::spawn(move || {
            // The ring alone orders it.
            said.store(true, Relaxed);
            bell.ring();
        })
    });
    while !said.iter().all(|said| said.load(Relaxed)) {
        bell.wait(None);
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

fn registry() {
    let registry = Arc::new(Registry::new());
    let told = Arc::new(AtomicBool::new(false));
    let (changed, tell) = (Arc::clone(&registry), Arc::clone(&told));
    let change = thread::spawn(move || {
        changed.replace(1);
        tell.store(true, Release);
    });
    let other = Arc::clone(&registry);
    let look = thread::spawn(move || assert!(other.by_name().which < 2));
    let knew = told.load(Acquire);
    let found = registry.by_name().which;
    assert!(!knew || found == 1, "what was replaced is found");
    change.join().unwrap();
    look.join().unwrap();
    assert_eq!(registry.by_name().which, 1);
}

fn registry_adds() {
    let registry = Arc::new(Registry::new());
    let other = Arc::clone(&registry);
    let change = thread::spawn(move || {
        other.replace(1);
        assert_ne!(other.by_name().which, 0, "what was replaced is found");
    });
    let before = registry.by_name();
    registry.replace(2);
    assert!(before.which < 2 && before.name == "n", "who borrows an entry keeps it");
    assert_ne!(registry.by_name().which, 0);
    change.join().unwrap();
}
