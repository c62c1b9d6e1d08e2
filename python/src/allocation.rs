//! `FastIOAllocation`: the handle of an allocation.
//!
//! Invariant: an object that was released gives `Closed`, and never another allocation.

use std::sync::{Mutex, PoisonError};

use podwire_fastio::{AllocationId, FastIoAllocation, Metadata};
use pyo3::{
    exceptions::PyAttributeError,
    intern,
    prelude::*,
    types::{PyBytes, PyDict},
};

use crate::{
    array,
    dlpack::{self, Asked},
    errors,
    layout::{ELEMENTS, layout_from},
    raw::AsArray,
    view::{self, View},
    waiting::patiently,
};

/// A piece of shared memory, and a handle that keeps it.
///
/// It is private to its process until it is published; from then on any process of the pipeline can get it, map it, publish it
/// under further names, and free it. Dropping a handle takes nothing away that is published.
///
/// >>> context = getfixture("context")
/// >>> allocation = context.create(4)
/// >>> with allocation.map_mut() as view:
/// ...     view[:] = 7
/// >>> allocation.publish("bytes")
/// >>> context.get("bytes").to_numpy()
/// array([7, 7, 7, 7], dtype=uint8)
#[pyclass(frozen, extends = AsArray, module = "podwire")]
pub(crate) struct FastIOAllocation {
    handle: Mutex<Option<FastIoAllocation>>,
}

impl FastIOAllocation {
    pub(crate) fn new(py: Python<'_>, handle: FastIoAllocation) -> PyResult<Bound<'_, Self>> {
        let own = Self { handle: Mutex::new(Some(handle)) };
        Bound::new(py, PyClassInitializer::from(AsArray).add_subclass(own))
    }

    /// One more handle.
    pub(crate) fn handle(&self, py: Python<'_>) -> PyResult<FastIoAllocation> {
        self.with(py, |handle| handle.clone())
    }

    fn with<R>(&self, py: Python<'_>, ask: impl FnOnce(&mut FastIoAllocation) -> R) -> PyResult<R> {
        match &mut *self.handle.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(handle) => Ok(ask(handle)),
            None => Err(errors::error(py, "Closed", "the allocation was released")),
        }
    }

    fn metadata_of(&self, py: Python<'_>) -> PyResult<Metadata> {
        let metadata = self.with(py, |handle| handle.metadata().cloned())?;
        metadata.map_err(|error| errors::fastio(py, error, "Error"))
    }

    /// Does what changes shared memory, without the GIL.
    fn act<R: Send>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&FastIoAllocation) -> podwire_fastio::Result<R> + Send,
    ) -> PyResult<R> {
        let handle = self.handle(py)?;
        py.detach(move || act(&handle)).map_err(|error| errors::fastio(py, error, "Error"))
    }
}

#[pymethods]
impl FastIOAllocation {
    /// What stands for this allocation in messages between processes of the pipeline: two numbers.
    #[getter]
    fn id(&self, py: Python<'_>) -> PyResult<(u32, u64)> {
        let AllocationId { index, generation } = self.with(py, |handle| handle.id())?;
        Ok((index, generation))
    }

    /// The size in bytes.
    #[getter]
    fn nbytes(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |handle| handle.len())
    }

    /// `"bytes"`, `"array"` or `"value"`.
    #[getter]
    fn kind(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("{:?}", self.metadata_of(py)?.kind).to_lowercase())
    }

    /// The extent of each dimension in elements; of plain bytes, their number.
    #[getter]
    fn shape(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let shape = view::layout(py, &self.handle(py)?)?.shape;
        Ok(pyo3::types::PyTuple::new(py, shape)?.into_any().unbind())
    }

    /// The dtype of the elements, as numpy's; of plain bytes `uint8`.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(view::layout(py, &self.handle(py)?)?.dtype)
    }

    /// The name of the codec that wrote the value; `None` for bytes and arrays.
    #[getter]
    fn codec(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.metadata_of(py)?.codec)
    }

    /// The user's own keys, a `dict` of text. It is a copy: assign a `dict` to change them. Others see the change under the
    /// names that this handle publishes afterwards.
    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let keys = PyDict::new(py);
        for (key, value) in self.metadata_of(py)?.user {
            if key != ELEMENTS {
                keys.set_item(key, value)?;
            }
        }
        Ok(keys)
    }

    #[setter]
    fn set_metadata(&self, py: Python<'_>, keys: std::collections::BTreeMap<String, String>) -> PyResult<()> {
        let changed = self.with(py, |handle| {
            let metadata = handle.metadata_mut()?;
            let elements = metadata.user.remove(ELEMENTS);
            metadata.user = keys;
            metadata.user.remove(ELEMENTS);
            metadata.user.extend(elements.map(|text| (ELEMENTS.to_owned(), text)));
            Ok(())
        })?;
        changed.map_err(|error| errors::fastio(py, error, "Error"))
    }

    /// Says that the bytes are an array: of this dtype and shape, in C order, or in Fortran order with `order="F"`.
    #[pyo3(signature = (dtype, shape, order="C"))]
    fn set_type_and_dimensions(
        &self,
        py: Python<'_>,
        dtype: &Bound<'_, PyAny>,
        shape: &Bound<'_, PyAny>,
        order: &str,
    ) -> PyResult<()> {
        let layout = layout_from(dtype, shape, order)?;
        let (wanted, found) = (layout.bytes()?, self.nbytes(py)?);
        if wanted > found {
            let message = format!("an array of {wanted} bytes does not fit into {found}");
            return Err(errors::error(py, "WrongShape", message));
        }
        let mut metadata = layout.metadata()?;
        let mut keys = self.metadata_of(py)?.user;
        keys.remove(ELEMENTS);
        metadata.user.extend(keys);
        self.with(py, |handle| handle.set_metadata(metadata))
    }

    /// Gives the allocation a name, under which every process of the pipeline gets it. With `replace`, a name that is taken
    /// is taken over; else it is `NameTaken`.
    #[pyo3(signature = (name, *, replace=false))]
    fn publish(&self, py: Python<'_>, name: &str, replace: bool) -> PyResult<()> {
        // By this handle, as its metadata is not shared with others.
        let handle = self.handle(py)?;
        let publish = || if replace { handle.replace(name) } else { handle.publish(name) };
        py.detach(publish).map_err(|error| errors::fastio(py, error, "Error"))
    }

    /// Takes all names away: nobody gets it any more. Handles and arrays that exist stay valid.
    fn free(&self, py: Python<'_>) -> PyResult<()> {
        self.act(py, |handle| handle.free())
    }

    /// Waits until nobody writes, and makes the bytes immutable: mapping them costs no lock from then on.
    ///
    /// An array of it that is still being written here must be done first: else this waits for itself.
    #[pyo3(signature = (timeout=None))]
    fn seal(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let handle = self.handle(py)?;
        patiently(py, timeout, |slice| handle.seal_timeout(slice))
    }

    /// Whether the bytes are immutable.
    #[getter]
    fn sealed(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |handle| handle.is_sealed())
    }

    /// Takes the bytes of a poisoned allocation as they are, for everybody; whether it was poisoned.
    fn accept_poisoned(&self, py: Python<'_>) -> PyResult<bool> {
        self.act(py, |handle| handle.accept_poisoned())
    }

    /// `with allocation.map() as view:` gives the array to read, under a lock that keeps writers out until the block ends.
    ///
    /// `timeout` is in seconds; `Timeout` if somebody writes for longer.
    #[pyo3(signature = (timeout=None))]
    fn map(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<View> {
        Ok(View::new(self.handle(py)?, timeout, false))
    }

    /// `with allocation.map_mut() as view:` gives the array to write; nobody else reads or writes until the block ends. Then the
    /// view becomes read-only.
    ///
    /// `ViewInUse` at the end if there are parts of the view that could still write: the lock stays until they are gone. An
    /// exception that leaves the block poisons the allocation. `timeout` is in seconds; `Timeout` if others read or write for
    /// longer. A thread that holds an array of the same allocation waits for itself.
    #[pyo3(signature = (timeout=None))]
    fn map_mut(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<View> {
        Ok(View::new(self.handle(py)?, timeout, true))
    }

    /// The array, in place and read-only. It keeps the memory, whatever becomes of this handle.
    ///
    /// Of an allocation that is not sealed it also keeps a lock: writers wait until it is gone, with all of its parts.
    #[pyo3(signature = (timeout=None))]
    fn to_numpy<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        let handle = self.handle(py)?;
        let layout = view::layout(py, &handle)?;
        let memory = view::read(py, handle, timeout)?;
        layout.on(&Bound::new(py, memory)?)
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        array::converted(self.to_numpy(py, None)?, dtype, copy)
    }

    /// Of sealed memory only: what reads it through this holds no lock.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if !self.sealed(py)? {
            return Err(PyAttributeError::new_err("the allocation is not sealed"));
        }
        self.to_numpy(py, None)?.getattr(intern!(py, "__array_interface__"))
    }

    fn __dlpack_device__(&self) -> (i32, i32) {
        dlpack::HOST
    }

    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<&Bound<'py, PyAny>>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = stream;
        let asked = Asked { max_version, dl_device, copy };
        let handle = self.handle(py)?;
        // Only what is sealed needs no lock.
        let tensor = || {
            let tensor = handle.is_sealed().then(|| handle.into_tensor()).transpose();
            tensor.map_err(|error| errors::fastio(py, error, "WrongType"))
        };
        dlpack::answer(py, &asked, self.__dlpack_device__(), tensor, || self.to_numpy(py, None))
    }

    /// Copies bytes without mapping them, for files that somebody might truncate: `size` bytes from `offset`, or all that follow.
    #[pyo3(signature = (offset=0, size=None))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        offset: usize,
        size: Option<usize>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let handle = self.handle(py)?;
        let size = size.unwrap_or_else(|| handle.len().saturating_sub(offset));
        if offset.checked_add(size).is_none_or(|end| end > handle.len()) {
            return Err(errors::error(py, "WrongShape", "the allocation ends before"));
        }
        PyBytes::new_with(py, size, |bytes| {
            py.detach(|| handle.read_into(offset, bytes)).map_err(|error| errors::fastio(py, error, "Error"))
        })
    }

    /// Gives the handle back now; what is published stays. Arrays stay valid.
    fn release(&self, py: Python<'_>) {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(handle));
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.nbytes(py)
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, pyo3::types::PyTuple>) {
        self.release(py);
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        match self.id(py) {
            Ok((index, generation)) => {
                let nbytes = self.nbytes(py).unwrap_or(0);
                format!("<podwire.FastIOAllocation {index}.{generation} of {nbytes} bytes>")
            }
            Err(_) => "<podwire.FastIOAllocation, released>".into(),
        }
    }
}
