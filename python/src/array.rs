//! numpy arrays on memory, and memory behind numpy arrays.
//!
//! Not here: locks (`memory.rs`). Invariant: an array that is made here refers to its memory, and lies within it, which numpy
//! itself checks.

use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyType},
};

use crate::{dtype, errors, memory::Memory, raw, waiting::patiently};

/// The class `numpy.ndarray`.
pub(crate) fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static NDARRAY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    NDARRAY.import(py, "numpy", "ndarray")
}

pub(crate) fn numpy(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import(intern!(py, "numpy"))
}

/// An array of a fresh allocation, or of a part of one: the memory, and the array on it that all its views refer to.
pub(crate) struct Found<'py> {
    pub(crate) memory: Bound<'py, Memory>,
    pub(crate) root: Bound<'py, PyAny>,
}

/// What `__array__` gives of an array: itself, or a copy if one is asked for or another dtype needs it.
pub(crate) fn converted<'py>(
    array: Bound<'py, PyAny>,
    dtype: Option<&Bound<'py, PyAny>>,
    copy: Option<bool>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let wanted = dtype.map(dtype::dtype).transpose()?;
    match wanted {
        Some(wanted) if !wanted.eq(array.getattr(intern!(py, "dtype"))?)? => {
            if copy == Some(false) {
                return Err(PyValueError::new_err("another dtype needs a copy"));
            }
            array.call_method1(intern!(py, "astype"), (wanted,))
        }
        _ if copy == Some(true) => array.call_method0(intern!(py, "copy")),
        _ => Ok(array),
    }
}

/// The memory of ours that an array lies in.
pub(crate) fn memory_of<'py>(array: &Bound<'py, PyAny>) -> PyResult<Option<Found<'py>>> {
    let mut root = array.clone();
    // numpy keeps these chains short.
    for _ in 0..16 {
        if !root.is_instance(class(array.py())?)? {
            return Ok(None);
        }
        let base = root.getattr(intern!(array.py(), "base"))?;
        match base.cast_into::<Memory>() {
            Ok(memory) => return Ok(Some(Found { memory, root })),
            Err(other) => root = other.into_inner(),
        }
    }
    Ok(None)
}

/// The address of an array's first element.
pub(crate) fn address(array: &Bound<'_, PyAny>) -> PyResult<usize> {
    let py = array.py();
    let interface = array.getattr(intern!(py, "__array_interface__"))?;
    interface.get_item(intern!(py, "data"))?.get_item(0)?.extract()
}

/// Forbids numpy to write to an array.
pub(crate) fn freeze(array: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = array.py();
    let options = PyDict::new(py);
    options.set_item(intern!(py, "write"), false)?;
    array.call_method(intern!(py, "setflags"), (), Some(&options)).map(drop)
}

/// Ends the writing to a fresh array that nobody else can write to: it is read-only from then on.
pub(crate) fn finish(array: &Bound<'_, PyAny>, found: &Found<'_>) -> PyResult<()> {
    let py = array.py();
    check_alone(array, found)?;
    freeze(array)?;
    // An array can be made writable again as long as its base is.
    freeze(&found.root)?;
    found.memory.get().unlock(py);
    Ok(())
}

/// Refuses where other arrays than this one look into the same memory.
pub(crate) fn check_alone(array: &Bound<'_, PyAny>, found: &Found<'_>) -> PyResult<()> {
    let py = array.py();
    // `found.root` is one reference. An array that is not the root has another one, as its base; the root itself, which is
    // never given out, would have those of whoever took it.
    let expected = if array.is(&found.root) { 1 } else { 2 };
    let others = raw::references(&found.root) - expected;
    if others > 0 {
        let message = format!("{others} other arrays look into this memory and could still write to it");
        return Err(errors::error(py, "ViewInUse", message));
    }
    Ok(())
}

/// Makes an array of `FastIOContext.empty_array` immutable, where it lies: from then on it is shared by reference.
///
/// Nobody writes to it any more, and readers need no lock. A field of a value that is published refers to it then, and copies
/// nothing. `ViewInUse` if other arrays look into its memory.
///
/// >>> context = getfixture("context")
/// >>> pixels = context.empty_array((4,), "uint8")
/// >>> pixels[:] = 7
/// >>> podwire.seal(pixels).flags.writeable
/// False
#[pyfunction]
pub(crate) fn seal<'py>(array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let found = memory_of(array)?.filter(|found| found.memory.get().is_fresh());
    let Some(found) = found else {
        return Err(PyTypeError::new_err("only an array of `empty_array` can be sealed"));
    };
    let memory = found.memory.get();
    if memory.is_writable() {
        finish(array, &found)?;
    }
    seal_memory(py, memory)?;
    Ok(array.clone())
}

/// Seals the allocation behind memory that is not locked.
pub(crate) fn seal_memory(py: Python<'_>, memory: &Memory) -> PyResult<()> {
    if let Some(allocation) = memory.allocation().filter(|_| memory.segment().is_none()) {
        patiently(py, None, |slice| allocation.seal_timeout(slice))?;
        let shared = allocation.into_shared().map_err(|error| errors::fastio(py, error, "Error"))?;
        memory.became_sealed(shared);
    }
    Ok(())
}
