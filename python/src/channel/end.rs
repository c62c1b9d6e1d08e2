//! What both ends of a channel have: they are open until they are closed here, and say how much went through.

use std::sync::{Mutex, MutexGuard, PoisonError};

use podwire_fastio::{Error, Result};
use pyo3::prelude::*;

use crate::errors;

/// An end, until it is closed here.
pub(super) struct End<T> {
    pub(super) open: Mutex<Option<T>>,
    name: String,
}

impl<T: Send> End<T> {
    pub(super) fn open(
        py: Python<'_>,
        name: &str,
        open: impl FnOnce() -> Result<T> + Send,
    ) -> PyResult<Self> {
        let end = py.detach(open).map_err(|error| errors::fastio(py, error, "Error"))?;
        Ok(Self { open: Mutex::new(Some(end)), name: name.into() })
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn closed(&self) -> Error {
        Error::Closed { channel: self.name.clone() }
    }

    /// Uses it; the caller does not hold the GIL.
    pub(super) fn used<R>(&self, using: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        self.lock().as_mut().map_or_else(|| Err(self.closed()), using)
    }

    /// Uses it without the GIL.
    pub(super) fn with<R: Send>(
        &self,
        py: Python<'_>,
        using: impl FnOnce(&mut T) -> Result<R> + Send,
    ) -> PyResult<R> {
        py.detach(|| self.used(using)).map_err(|error| errors::fastio(py, error, "DecodeError"))
    }

    pub(super) fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.lock().take()));
    }

    pub(super) fn shown(&self, py: Python<'_>, what: &str) -> String {
        let open = py.detach(|| self.lock().is_some());
        format!("<podwire.{what} of {:?}{}>", self.name, if open { "" } else { ", closed" })
    }
}

/// The methods that both ends have.
macro_rules! methods_of_both {
    ($end:ident) => {
        #[pymethods]
        impl $end {
            /// What is known about the other end: `"absent"`, `"attached"`, `"closed"` or `"died"`.
            #[getter]
            fn peer(&self, py: Python<'_>) -> PyResult<&'static str> {
                self.end.with(py, |end| end.peer()).map($crate::channel::peer)
            }

            /// Messages that were received through the channel since it was made, by all its receivers.
            #[getter]
            fn received(&self, py: Python<'_>) -> PyResult<u64> {
                self.end.with(py, |end| Ok(end.received()))
            }

            /// Messages that were sent and not received.
            #[getter]
            fn waiting(&self, py: Python<'_>) -> PyResult<usize> {
                self.end.with(py, |end| Ok(end.waiting()))
            }

            /// Messages that the channel can hold.
            #[getter]
            fn capacity(&self, py: Python<'_>) -> PyResult<usize> {
                self.end.with(py, |end| Ok(end.capacity()))
            }

            /// Closes it: the other end gets `Closed`, a receiver after what still waits. This end can be opened again.
            fn close(&self, py: Python<'_>) {
                self.end.close(py);
            }

            fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
                slf
            }

            #[pyo3(signature = (*_error))]
            fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyTuple>) {
                self.end.close(py);
            }

            fn __repr__(&self, py: Python<'_>) -> String {
                self.end.shown(py, stringify!($end))
            }
        }
    };
}
pub(super) use methods_of_both;
