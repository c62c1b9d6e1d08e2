//! `NativeTensor`: podwire's own tensor as an object, of the host or of a device.
//!
//! Not here: how tensors travel (`tensor.rs`), and getting at a GPU (`gpu.rs`). Invariant: it does not change, and every library that
//! it shows itself to keeps it.

use podwire_codec_core::{
    Error, Segment,
    tensor::{DType, Device, DeviceKind, Tensor},
};
use pyo3::{
    exceptions::{PyAttributeError, PyBufferError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyTuple},
};

use crate::{
    array,
    dlpack::{self, Asked, HOST},
    dtype::{self, Element},
    errors, gpu, numbers,
    publish::{self, Source},
};

/// A tensor as podwire has it, on the host or on a GPU: what travels when it is emitted, and what arrives then.
///
/// It is made of anything with `__dlpack__`, `__array_interface__` or `__cuda_array_interface__`, without a copy where that is in
/// order, and shows itself in the same ways: `numpy.asarray`, `torch.from_dlpack`, `cupy.asarray`. Leave what it was made of alone.
///
/// >>> import numpy
/// >>> tensor = podwire.NativeTensor(numpy.arange(6, dtype="f4").reshape(2, 3))
/// >>> tensor.shape, tensor.dtype.name, tensor.device
/// ((2, 3), 'float32', ('cpu', 0))
/// >>> float(numpy.from_dlpack(tensor)[1, 2])
/// 5.0
#[pyclass(frozen, module = "podwire")]
pub(crate) struct NativeTensor {
    pub(crate) tensor: Tensor,
}

/// What may be a GPU's, and its memory not the host's.
fn is_on_gpu(tensor: &Tensor) -> bool {
    tensor.device().kind == DeviceKind::CUDA && tensor.segment().device_address().is_some()
}

/// The tensor that a value is already, or that lies on a GPU; nothing if it is an array of the host, or none.
pub(crate) fn existing(value: &Bound<'_, PyAny>) -> PyResult<Option<Tensor>> {
    match value.cast::<NativeTensor>() {
        Ok(native) => Ok(Some(native.get().tensor.clone())),
        Err(_) => gpu::taken(value),
    }
}

/// The tensor of an array of whatever library.
pub(crate) fn tensor_of(value: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    let py = value.py();
    if let Some(tensor) = existing(value)? {
        return Ok(tensor);
    }
    let Source { array, number } = publish::source(value)?;
    let number = match (number, dtype::element(&array.getattr(intern!(py, "dtype"))?)?) {
        (Some(number), _) | (None, Element::Number(number)) => number,
        (None, Element::Struct(_)) => {
            return Err(errors::error(py, "WrongType", "elements of a tensor are numbers"));
        }
    };
    let shape: Vec<usize> = array.getattr(intern!(py, "shape"))?.extract()?;
    let length: usize = array.getattr(intern!(py, "nbytes"))?.extract()?;
    let lay = |segment: Segment| Tensor::from_segment(segment, number, &shape);
    let tensor = match lay(numbers::segment(&array, length)?) {
        // What lies in a message need not be aligned.
        Err(Error::SegmentAlignment { .. }) => {
            let copy = array.call_method0(intern!(py, "copy"))?;
            lay(numbers::segment(&copy, length)?)
        }
        other => other,
    };
    tensor.map_err(|error| errors::codec(py, error, "WrongShape"))
}

/// What a tensor on a GPU arrives as: CuPy's array where that is installed, else a `NativeTensor`.
pub(crate) fn for_gpu(py: Python<'_>, tensor: Tensor) -> PyResult<Bound<'_, PyAny>> {
    static CUPY: PyOnceLock<Option<Py<PyAny>>> = PyOnceLock::new();
    let number = tensor.dtype();
    let native = Bound::new(py, NativeTensor { tensor })?.into_any();
    let cupy = CUPY.get_or_init(py, || {
        let found = py.import("cupy").and_then(|module| module.getattr("asarray"));
        found.ok().map(Bound::unbind)
    });
    match cupy {
        // CuPy has no name for it.
        Some(asarray) if number != DType::BF16 => asarray.bind(py).call1((native,)),
        _ => Ok(native),
    }
}

impl NativeTensor {
    fn strides_in_bytes(&self) -> impl Iterator<Item = isize> {
        let size = self.tensor.dtype().size() as isize;
        self.tensor.strides().iter().map(move |stride| stride * size)
    }
}

#[pymethods]
impl NativeTensor {
    #[new]
    fn new(array: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self { tensor: tensor_of(array)? })
    }

    /// The extents.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.tensor.shape())
    }

    /// How many bytes lie between neighbours, for each dimension.
    #[getter]
    fn strides<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.strides_in_bytes().collect::<Vec<_>>())
    }

    /// The dtype of its elements; `UnsupportedDType` for bf16 without the package `ml_dtypes`.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        dtype::of_number(py, self.tensor.dtype())
    }

    /// How many bytes its elements have.
    #[getter]
    fn nbytes(&self) -> usize {
        self.tensor.len() * self.tensor.dtype().size()
    }

    /// Where it is meant to be used: `("cpu", 0)`, or `("cuda", 1)` for the second GPU. One that came from a GPU by way of the host
    /// says so here, and its memory is the host's.
    #[getter]
    fn device(&self) -> (&'static str, u32) {
        let Device { kind, index } = self.tensor.device();
        match kind {
            DeviceKind::HOST => ("cpu", index),
            DeviceKind::CUDA => ("cuda", index),
            DeviceKind::CUDA_HOST => ("cuda_host", index),
            DeviceKind::CUDA_MANAGED => ("cuda_managed", index),
            _ => ("other", index),
        }
    }

    /// Whether its elements are in the memory of a GPU, and not the host's.
    #[getter]
    fn is_on_gpu(&self) -> bool {
        is_on_gpu(&self.tensor)
    }

    /// An array of its elements: on its memory, if that is the host's; else on a copy of it.
    fn to_numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let host = py.detach(|| self.tensor.to_host());
        let host = host.map_err(|error| errors::codec(py, error, "WrongType"))?;
        Ok(publish::foreign(py, &host)?.array)
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if is_on_gpu(&self.tensor) {
            let message = "the memory is a GPU's; to_numpy() makes a copy of it";
            return Err(errors::error(py, "WrongType", message));
        }
        array::converted(self.to_numpy(py)?, dtype, copy)
    }

    #[getter]
    fn __cuda_array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let address = self.tensor.segment().device_address();
        let (Some(address), true) = (address, is_on_gpu(&self.tensor)) else {
            return Err(PyAttributeError::new_err("the memory is not a GPU's"));
        };
        // Where strides are negative the first element is not the lowest.
        let extents = self.tensor.shape().iter().zip(self.strides_in_bytes());
        let below: isize = extents
            .filter(|(extent, stride)| *stride < 0 && **extent > 0)
            .map(|(extent, stride)| -stride * (*extent as isize - 1))
            .sum();
        let first = if self.tensor.is_empty() { 0 } else { address + below as usize };
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", self.shape(py)?)?;
        interface.set_item("typestr", self.dtype(py)?.getattr("str")?)?;
        interface.set_item("data", (first, true))?;
        let strides = if self.tensor.is_contiguous() { None } else { Some(self.strides(py)?) };
        interface.set_item("strides", strides)?;
        // It is complete: nobody has to wait for a stream.
        interface.set_item("stream", py.None())?;
        Ok(interface)
    }

    fn __dlpack_device__(&self) -> (i32, i32) {
        if !is_on_gpu(&self.tensor) && self.tensor.device().kind == DeviceKind::CUDA {
            return HOST;
        }
        let Device { kind, index } = self.tensor.device();
        (i32::from(kind.0), index as i32)
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
        if copy == Some(true) {
            return Err(PyBufferError::new_err("it is not copied; the consumer can do that"));
        }
        let asked = Asked { max_version, dl_device, copy };
        let device = self.__dlpack_device__();
        let tensor = || {
            let tensor = self.tensor.clone();
            Ok(Some(if device == HOST { tensor.with_device(Device::HOST) } else { tensor }))
        };
        dlpack::answer(py, &asked, device, tensor, || {
            if is_on_gpu(&self.tensor) {
                return Err(PyBufferError::new_err(
                    "it is read-only, which DLPack says from version 1 on; `__cuda_array_interface__` says it, too",
                ));
            }
            self.to_numpy(py)
        })
    }

    fn __repr__(&self) -> String {
        let (kind, index) = self.device();
        let (shape, dtype) = (self.tensor.shape(), self.tensor.dtype().name());
        format!("<podwire.NativeTensor {shape:?} of {dtype} on {kind}:{index}>")
    }
}
