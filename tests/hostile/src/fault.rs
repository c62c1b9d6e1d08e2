//! What must not be, and the net in which panics are caught.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Something that must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Also a check of this program that failed.
    Panic,
    /// Of the process, also by a stack that was too small.
    Abort,
    /// More than a tenth of a second.
    Hang,
    /// More memory than the input backs, or than the limits grant.
    Over,
}

impl Fault {
    pub(crate) const ALL: [Self; 4] = [Self::Panic, Self::Abort, Self::Hang, Self::Over];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Abort => "abort",
            Self::Hang => "hang",
            Self::Over => "over",
        }
    }
}

thread_local! {
    /// Where and why the last panic was.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
    /// Whether a panic is caught.
    static NET: Cell<bool> = const { Cell::new(false) };
}

/// Notes panics that are caught instead of printing them.
pub(crate) fn note_panics() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.to_string().replace('\n', " ");
        match NET.try_with(Cell::get) {
            Ok(true) => PANIC.with(|place| *place.borrow_mut() = text),
            _ => eprintln!("{text}"),
        }
    }));
}

/// The result of work that may panic.
pub(crate) fn caught<R>(work: impl FnOnce() -> R) -> std::thread::Result<R> {
    NET.set(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    NET.set(false);
    result
}

/// Where and why the last panic of this thread was.
pub(crate) fn last_panic() -> String {
    PANIC.with(|place| place.borrow().clone())
}
