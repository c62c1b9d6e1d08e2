//! `with allocation.map() as view` and `with allocation.map_mut() as view`.
//!
//! Invariant: a lock is given back at the end of the `with` only if nothing that numpy made of the view can still write; else
//! it is given back when the last such array goes.

use std::sync::{Mutex, PoisonError};

use podwire_fastio::FastIoAllocation;
use pyo3::{exceptions::PyRuntimeError, intern, prelude::*};

use crate::{
    array, errors,
    layout::Layout,
    memory::{Memory, Reading, Writing},
    raw,
    waiting::patiently,
};

/// What `FastIOAllocation.map` and `map_mut` give: the lock is taken where the `with` begins.
#[pyclass(frozen, module = "podwire")]
pub(crate) struct View {
    allocation: FastIoAllocation,
    timeout: Option<f64>,
    writes: bool,
    open: Mutex<Option<Open>>,
}

/// The memory, the array on it, and the view of that array which the user has: what numpy makes of the view refers to the
/// array, so that its references can be counted.
struct Open {
    memory: Py<Memory>,
    root: Py<PyAny>,
    view: Py<PyAny>,
}

impl View {
    pub(crate) fn new(allocation: FastIoAllocation, timeout: Option<f64>, writes: bool) -> Self {
        Self { allocation, timeout, writes, open: Mutex::new(None) }
    }
}

/// The memory of an allocation to read: locked, or sealed.
pub(crate) fn read(py: Python<'_>, allocation: FastIoAllocation, timeout: Option<f64>) -> PyResult<Memory> {
    if allocation.is_sealed() {
        let shared = allocation.into_shared().map_err(|error| errors::fastio(py, error, "Error"))?;
        return Ok(Memory::sealed(shared));
    }
    let reading = patiently(py, timeout, |slice| {
        Reading::try_new(allocation.clone(), |allocation| allocation.map_timeout(slice))
    })?;
    Ok(Memory::reading(reading))
}

/// The memory of an allocation to write.
pub(crate) fn write(
    py: Python<'_>,
    allocation: &FastIoAllocation,
    timeout: Option<f64>,
    fresh: bool,
) -> PyResult<Memory> {
    let writing = patiently(py, timeout, |slice| {
        Writing::try_new(allocation.clone(), |allocation| allocation.map_mut_timeout(slice))
    })?;
    Ok(Memory::writing(writing, fresh))
}

/// The array that the metadata of an allocation describes.
pub(crate) fn layout<'py>(py: Python<'py>, allocation: &FastIoAllocation) -> PyResult<Layout<'py>> {
    let metadata = allocation.metadata().map_err(|error| errors::fastio(py, error, "Error"))?;
    Layout::of(py, metadata, allocation.len())
}

#[pymethods]
impl View {
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let slot = || self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let opened =
            || Err(PyRuntimeError::new_err("this `with` is open already; call `map` once more for another"));
        // Before anything waits for itself.
        if slot().is_some() {
            return opened();
        }
        let layout = layout(py, &self.allocation)?;
        let memory = match self.writes {
            true => write(py, &self.allocation, self.timeout, false)?,
            false => read(py, self.allocation.clone(), self.timeout)?,
        };
        let memory = Bound::new(py, memory)?;
        let root = layout.on(&memory)?;
        let view = root.call_method0(intern!(py, "view"))?;
        let open = Open { memory: memory.unbind(), root: root.unbind(), view: view.clone().unbind() };
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_some() {
            return Err(PyRuntimeError::new_err(
                "this `with` is open already; call `map` once more for another",
            ));
        }
        *slot = Some(open);
        Ok(view)
    }

    #[pyo3(signature = (kind=None, error=None, trace=None))]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: Option<&Bound<'_, PyAny>>,
        error: Option<&Bound<'_, PyAny>>,
        trace: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let _ = (error, trace);
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Open { memory, root, view }) = open else { return Ok(false) };
        let memory = memory.bind(py).get();
        array::freeze(view.bind(py))?;
        // An array can be made writable again as long as its base is.
        array::freeze(root.bind(py))?;
        if kind.is_some() {
            memory.poison();
        }
        // One is ours, and one is the view's.
        let parts = raw::references(root.bind(py)) - 2;
        if parts == 0 {
            memory.unlock(py);
        } else if self.writes && kind.is_none() {
            let message = format!(
                "{parts} arrays are parts of the view and could still write to it; the lock stays until they are gone, \
                 and the view with them"
            );
            return Err(errors::error(py, "ViewInUse", message));
        }
        Ok(false)
    }
}
