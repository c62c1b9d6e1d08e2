//! The unsafe room: the buffer protocol, DLPack's capsules, and counting references.
//!
//! Invariant: every pointer that goes out belongs to an object that the receiver keeps, and every structure that comes in is
//! released once.
#![allow(unsafe_code, reason = "the one place for it: see above")]

use std::{
    ffi::{CStr, c_int},
    ptr::NonNull,
};

#[cfg(feature = "cuda")]
use podwire_codec_core::{DeviceAddress, MemoryKind, Segment};
use podwire_codec_core::{
    Owner,
    tensor::{
        Tensor,
        dlpack::{Abi, DLManagedTensor, DLManagedTensorVersioned, Managed},
    },
};
use pyo3::{
    buffer::PyBuffer,
    exceptions::PyBufferError,
    ffi,
    prelude::*,
    types::{PyCapsule, PyCapsuleMethods},
};

use crate::memory::Memory;

#[pymethods]
impl Memory {
    /// The size in bytes.
    #[getter]
    fn nbytes(&self) -> usize {
        self.length()
    }

    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("there is no view to fill"));
        }
        let memory = slf.get();
        let length = ffi::Py_ssize_t::try_from(memory.length())?;
        let read_only = c_int::from(!memory.is_writable());
        // SAFETY: Python gives a view to be filled; the memory is mapped, for as many bytes, as long as `slf` lives, to which
        // the filled view has a reference; it says that it can be written to only while it has the write lock.
        let filled = unsafe {
            ffi::PyBuffer_FillInfo(view, slf.as_ptr(), memory.address().cast(), length, read_only, flags)
        };
        if filled == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}

/// What shows itself through the buffer protocol as the array that it is.
#[pyclass(subclass, frozen, module = "podwire")]
pub(crate) struct AsArray;

#[pymethods]
impl AsArray {
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("there is no view to fill"));
        }
        let array = slf.as_any().call_method0("to_numpy")?;
        // SAFETY: Python gives a view to be filled; the array fills it, and the view has a reference to the array.
        let filled = unsafe { ffi::PyObject_GetBuffer(array.as_ptr(), view, flags) };
        if filled == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}

/// How many references there are to an object.
pub(crate) fn references(object: &Bound<'_, PyAny>) -> isize {
    // SAFETY: `object` is a live object.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) }
}

/// The bytes of an array of another library, which the buffer keeps.
pub(crate) struct HostArray(PyBuffer<u8>);

impl HostArray {
    /// The bytes of a contiguous array of bytes.
    pub(crate) fn new(bytes: &Bound<'_, PyAny>) -> PyResult<Self> {
        let buffer = PyBuffer::get(bytes)?;
        if buffer.is_c_contiguous() {
            Ok(Self(buffer))
        } else {
            Err(PyBufferError::new_err("the bytes are not contiguous"))
        }
    }
}

impl Owner for HostArray {
    fn bytes(&self) -> Option<&[u8]> {
        let bytes: NonNull<[u8]> = self.0.as_slice_ptr()?;
        // SAFETY: the buffer keeps its memory, which is contiguous, initialised, and as long as the slice says. That nobody
        // writes to it while a call of ours reads it is what all readers of Python's buffers rely on that release the GIL.
        Some(unsafe { bytes.as_ref() })
    }
}

const VERSIONED: &CStr = c"dltensor_versioned";
const USED_VERSIONED: &CStr = c"used_dltensor_versioned";
const PLAIN: &CStr = c"dltensor";
const USED_PLAIN: &CStr = c"used_dltensor";

/// A tensor for another library, as a capsule: of the structure that says that it is read-only.
pub(crate) fn capsule(py: Python<'_>, tensor: Managed) -> PyResult<Bound<'_, PyCapsule>> {
    let Some(pointer) = NonNull::new(tensor.into_raw()) else {
        return Err(PyBufferError::new_err("there is no tensor"));
    };
    // SAFETY: the pointer is valid, and is the capsule's from here on; `discard` releases it if nobody consumes it.
    let made =
        unsafe { PyCapsule::new_with_pointer_and_destructor(py, pointer.cast(), VERSIONED, Some(discard)) };
    if made.is_err() {
        // SAFETY: no capsule took it over.
        drop(unsafe { Managed::<DLManagedTensorVersioned>::from_raw(pointer.as_ptr()) });
    }
    made
}

/// Releases the tensor of a capsule that nobody consumed.
unsafe extern "C" fn discard(capsule: *mut ffi::PyObject) {
    // SAFETY: Python calls this with the capsule that is going.
    if unsafe { ffi::PyCapsule_IsValid(capsule, VERSIONED.as_ptr()) } == 0 {
        return; // a consumer has renamed it
    }
    // SAFETY: it was just seen to have this name.
    let pointer = unsafe { ffi::PyCapsule_GetPointer(capsule, VERSIONED.as_ptr()) };
    // SAFETY: `capsule` put it there, and nobody has consumed it.
    drop(unsafe { Managed::<DLManagedTensorVersioned>::from_raw(pointer.cast()) });
}

/// Consumes a capsule of another library; `None` if it is none of DLPack's.
pub(crate) fn consume(
    capsule: &Bound<'_, PyCapsule>,
) -> PyResult<Option<podwire_codec_core::Result<Tensor>>> {
    if let Some(managed) = take::<DLManagedTensorVersioned>(capsule, VERSIONED, USED_VERSIONED)? {
        return Ok(Some(managed.and_then(Tensor::from_dlpack)));
    }
    let managed = take::<DLManagedTensor>(capsule, PLAIN, USED_PLAIN)?;
    Ok(managed.map(|managed| managed.and_then(Tensor::from_dlpack)))
}

/// Consumes a capsule with memory of a device.
#[cfg(feature = "cuda")]
pub(crate) fn of_device(
    capsule: &Bound<'_, PyCapsule>,
    device: &podwire_device::Device,
) -> PyResult<Option<podwire_device::Result<Tensor>>> {
    let py = capsule.py();
    if let Some(managed) = take::<DLManagedTensorVersioned>(capsule, VERSIONED, USED_VERSIONED)? {
        return Ok(Some(py.detach(|| device.from_dlpack(managed?, None))));
    }
    let managed = take::<DLManagedTensor>(capsule, PLAIN, USED_PLAIN)?;
    Ok(managed.map(|managed| py.detach(|| device.from_dlpack(managed?, None))))
}

/// Memory of a device that an object of another library has, which it keeps.
#[cfg(feature = "cuda")]
struct CudaMemory {
    _object: Py<PyAny>,
    address: usize,
    length: usize,
}

#[cfg(feature = "cuda")]
impl Owner for CudaMemory {
    fn bytes(&self) -> Option<&[u8]> {
        None
    }

    fn length(&self) -> usize {
        self.length
    }

    fn alignment(&self) -> usize {
        1 << self.address.trailing_zeros().min(12)
    }

    fn kind(&self) -> MemoryKind {
        MemoryKind::CUDA
    }

    fn device_address(&self) -> Option<DeviceAddress> {
        // SAFETY: the object said by `__cuda_array_interface__` that it has this memory, which it keeps while it lives, and we
        // keep it; that nobody writes to it meanwhile is what all consumers of that interface rely on.
        Some(unsafe { DeviceAddress::new(self.address) })
    }
}

/// Memory of a device that an object of another library shows by `__cuda_array_interface__`.
#[cfg(feature = "cuda")]
pub(crate) fn cuda_memory(object: &Bound<'_, PyAny>, address: usize, length: usize) -> Segment {
    let memory = CudaMemory { _object: object.clone().unbind(), address, length };
    Segment::new(std::sync::Arc::new(memory))
}

fn take<M: Abi>(
    capsule: &Bound<'_, PyCapsule>,
    name: &'static CStr,
    used: &'static CStr,
) -> PyResult<Option<podwire_codec_core::Result<Managed<M>>>> {
    if !capsule.is_valid_checked(Some(name)) {
        return Ok(None);
    }
    let pointer = capsule.pointer_checked(Some(name))?;
    // SAFETY: the capsule is live; the name is static.
    if unsafe { ffi::PyCapsule_SetName(capsule.as_ptr(), used.as_ptr()) } != 0 {
        return Err(PyErr::fetch(capsule.py()));
    }
    // SAFETY: what a capsule of this name holds is such a structure, which is ours since it is renamed; that its producer
    // does not write to it meanwhile is what all consumers of DLPack rely on.
    Ok(Some(unsafe { Managed::from_raw(pointer.as_ptr().cast()) }))
}
