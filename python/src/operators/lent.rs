//! What a call is lent: there while it runs, and an error afterwards.
//!
//! Invariant: who holds the GIL never waits here for somebody who needs it.

use std::sync::{Mutex, PoisonError, TryLockError};

use pyo3::prelude::*;

use crate::errors;

/// Something that Python may use for as long as a call runs.
pub(crate) struct Lent<T>(Mutex<Option<T>>);

impl<T: Send> Lent<T> {
    pub(crate) fn nothing() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn lend(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    /// Takes it back; waits for threads that still use it.
    pub(crate) fn take_back(&self, py: Python<'_>) -> Option<T> {
        py.detach(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).take())
    }

    /// Uses it.
    pub(crate) fn with<R>(&self, py: Python<'_>, using: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        let used = self.try_with(using).map_err(|why| errors::error(py, why.class(), why.text()))?;
        Ok(used)
    }

    /// The same for who does not hold the GIL.
    pub(crate) fn try_with<R>(&self, using: impl FnOnce(&mut T) -> R) -> Result<R, Unusable> {
        let mut guard = match self.0.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(Unusable::Busy),
        };
        guard.as_mut().map(using).ok_or(Unusable::Over)
    }
}

/// Why something lent cannot be used.
pub(crate) enum Unusable {
    /// The call that it was lent for has returned.
    Over,
    /// Another thread uses it.
    Busy,
}

impl Unusable {
    fn class(&self) -> &'static str {
        match self {
            Self::Over => "Closed",
            Self::Busy => "Busy",
        }
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Over => "this is there only while the operator is called",
            Self::Busy => "another thread of the operator uses this",
        }
    }
}
