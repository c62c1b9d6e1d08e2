//! A count of users whose steps from and to zero are exclusive.
//!
//! Not here: what is done in these steps. Invariant: while a step runs, nobody else enters or leaves; while the count
//! is at least one, what the first step has set up stands.
//!
//! It is a lock and a count in one word, because every `get` and every `map` passes through here.

use std::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

const BUSY: u32 = u32::MAX;
const SPINS: u32 = 64;

/// A count of users in this process.
#[derive(Default)]
pub(crate) struct Gate {
    count: AtomicU32,
}

/// Ends an exclusive step, also when it panics.
struct Step<'a> {
    gate: &'a Gate,
    then: u32,
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.gate.count.store(self.then, Release);
    }
}

impl Gate {
    /// One user more. If it is the first, `first` runs alone, and with an error there is still none. Whether it was.
    #[inline]
    pub(crate) fn enter<E>(&self, first: impl FnOnce() -> Result<(), E>) -> Result<bool, E> {
        let mut spins = 0;
        loop {
            match self.count.load(Relaxed) {
                0 => {
                    if self.count.compare_exchange_weak(0, BUSY, Acquire, Relaxed).is_ok() {
                        let mut step = Step { gate: self, then: 0 };
                        first()?;
                        step.then = 1;
                        return Ok(true);
                    }
                }
                BUSY => pause(&mut spins),
                count if count == BUSY - 1 => panic!("four thousand million handles of one allocation"),
                count => {
                    if self.count.compare_exchange_weak(count, count + 1, Acquire, Relaxed).is_ok() {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Runs a step alone, if there is no user.
    pub(crate) fn if_unused(&self, step: impl FnOnce()) {
        if self.count.compare_exchange(0, BUSY, Acquire, Relaxed).is_ok() {
            let _step = Step { gate: self, then: 0 };
            step();
        }
    }

    /// One user less. If it is the last, `last` runs alone. Whether it was.
    #[inline]
    pub(crate) fn leave(&self, last: impl FnOnce()) -> bool {
        let mut spins = 0;
        loop {
            match self.count.load(Relaxed) {
                0 => return false,
                1 => {
                    if self.count.compare_exchange_weak(1, BUSY, Acquire, Relaxed).is_ok() {
                        let _step = Step { gate: self, then: 0 };
                        last();
                        return true;
                    }
                }
                BUSY => pause(&mut spins),
                count => {
                    if self.count.compare_exchange_weak(count, count - 1, Release, Relaxed).is_ok() {
                        return false;
                    }
                }
            }
        }
    }
}

#[cold]
fn pause(spins: &mut u32) {
    *spins += 1;
    if *spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_step_run_alone() {
        let gate = Gate::default();
        assert_eq!(gate.enter(|| Err(7)), Err(7));
        assert_eq!(gate.enter(|| Ok::<_, ()>(())), Ok(true));
        assert_eq!(gate.enter(|| Err(7)), Ok(false));
        assert!(!gate.leave(|| panic!("it is not the last")));
        assert!(gate.leave(|| {}));
        assert!(!gate.leave(|| panic!("nobody is there")));
        let inside = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        gate.enter(|| {
                            assert_eq!(inside.swap(1, Relaxed), 0);
                            Ok::<_, ()>(())
                        })
                        .unwrap();
                        assert_eq!(inside.load(Relaxed), 1);
                        gate.leave(|| assert_eq!(inside.swap(0, Relaxed), 1));
                    }
                });
            }
        });
    }
}
