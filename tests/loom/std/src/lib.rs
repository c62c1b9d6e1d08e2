//! As much of `std` as the lock-free files use: what is shared between threads is loom's, the rest is `std`'s own.
//!
//! The invariant: nothing that orders memory comes from `std`.

pub use std::{any, array, env, fmt, hash, ops, time};

/// `std::sync`.
pub mod sync {
    pub use loom::sync::{Arc, RwLock, atomic};

    use loom::cell::UnsafeCell;
    use loom::sync::Mutex;
    use loom::sync::atomic::AtomicBool;
    use loom::sync::atomic::Ordering::{Acquire, Release};

    /// `std::sync::OnceLock`, which loom does not have: as much order between threads as the documentation promises.
    #[derive(Debug)]
    pub struct OnceLock<T> {
        is_set: AtomicBool,
        setting: Mutex<()>,
        value: UnsafeCell<Option<T>>,
    }

    // SAFETY: the cell is written under the lock, once, and read only after that was seen.
    unsafe impl<T: Send + Sync> Sync for OnceLock<T> {}

    impl<T> Default for OnceLock<T> {
        fn default() -> Self {
            Self { is_set: AtomicBool::new(false), setting: Mutex::new(()), value: UnsafeCell::new(None) }
        }
    }

    impl<T> OnceLock<T> {
        /// An empty one.
        #[must_use]
        pub fn new() -> Self {
            Self::default()
        }

        /// The value, if it is set.
        pub fn get(&self) -> Option<&T> {
            if !self.is_set.load(Acquire) {
                return None;
            }
            self.value.with(|value| {
                // SAFETY: it was set, and is never written again; loom looks whether that is true.
                unsafe { &*value }.as_ref()
            })
        }

        /// Sets it.
        ///
        /// # Errors
        /// The value, if it was set before.
        pub fn set(&self, value: T) -> Result<(), T> {
            let mut value = Some(value);
            self.get_or_init(|| value.take().expect("asked once"));
            value.map_or(Ok(()), Err)
        }

        /// The value, which `make` makes if it is not set.
        pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            let lock = self.setting.lock().expect("nobody panics here");
            if !self.is_set.load(Acquire) {
                self.value.with_mut(|place| {
                    // SAFETY: nobody reads it before it is set, and nobody else has the lock.
                    unsafe { *place = Some(make()) };
                });
                self.is_set.store(true, Release);
            }
            drop(lock);
            self.get().expect("it is set")
        }
    }
}

/// `std::hint`.
pub mod hint {
    pub use loom::hint::spin_loop;
}

/// `std::thread`.
pub mod thread {
    pub use loom::thread::yield_now;
}
