//! GPUs: `Device`, and taking over the arrays of other libraries on one.
//!
//! Not here: the tensor as an object (`native.rs`). Invariant: what is taken over is complete, as all work of the device that was
//! queued before has been waited for.

#[cfg(feature = "cuda")]
mod cuda {
    use podwire_codec_core::tensor::{DType, Device as TensorDevice, Tensor};
    use podwire_device::Device as Gpu;
    use podwire_fastio::Metadata;
    use pyo3::{
        intern,
        prelude::*,
        types::{PyCapsule, PyDict, PyTuple},
    };

    use crate::{
        context::FastIOContext,
        dtype::{self, Element},
        errors, layout,
        native::{self, NativeTensor},
        raw,
    };

    /// A GPU that this process uses. Opening the first loads the CUDA driver, and lets arrays on a GPU come in from other processes: an
    /// operator that is to receive them does so in `setup`.
    ///
    /// `NoDevice` where there is no driver, no GPU, or none of this number.
    ///
    /// >>> try:
    /// ...     gpu = podwire.Device(0)
    /// ... except podwire.NoDevice:
    /// ...     gpu = None  # the host does it
    #[pyclass(frozen, module = "podwire")]
    pub(crate) struct Device {
        gpu: Gpu,
    }

    fn wrong(py: Python<'_>, error: podwire_device::Error) -> PyErr {
        errors::device(py, error, "WrongType")
    }

    #[pymethods]
    impl Device {
        #[new]
        #[pyo3(signature = (ordinal=0))]
        fn new(py: Python<'_>, ordinal: u32) -> PyResult<Self> {
            let gpu = py.detach(|| Gpu::open(ordinal)).map_err(|error| wrong(py, error))?;
            Ok(Self { gpu })
        }

        /// How many GPUs this process can use; `NoDevice` without a driver.
        #[staticmethod]
        fn count(py: Python<'_>) -> PyResult<u32> {
            py.detach(Gpu::count).map_err(|error| wrong(py, error))
        }

        /// Its number.
        #[getter]
        fn ordinal(&self) -> u32 {
            self.gpu.ordinal()
        }

        /// What its maker calls it.
        #[getter]
        fn name(&self) -> &str {
            self.gpu.name()
        }

        /// A tensor of zeros in memory of this GPU that the processes of a pipeline share: nothing is copied when it is sent.
        fn zeros(
            &self,
            py: Python<'_>,
            context: &FastIOContext,
            shape: &Bound<'_, PyAny>,
            dtype: &Bound<'_, PyAny>,
        ) -> PyResult<NativeTensor> {
            let layout = layout::layout_from(dtype, shape, "C")?;
            let Element::Number(number) = dtype::element(&layout.dtype)? else {
                return Err(errors::error(py, "UnsupportedDType", "elements of a tensor are numbers"));
            };
            let extents: Vec<usize> = layout.shape.iter().map(|extent| *extent as usize).collect();
            let (bytes, context) = (layout.bytes()?, context.open(py)?);
            let made = py.detach(|| {
                let memory = self.gpu.create_with(&context, bytes, Metadata::default())?;
                memory.map_mut()?.fill(0)?;
                memory.seal()?;
                memory.into_tensor(number, &extents)
            });
            Ok(NativeTensor { tensor: made.map_err(|error| wrong(py, error))? })
        }

        /// An array in memory of this GPU that the processes of a pipeline share: itself if it is there already, else a copy.
        fn place(
            &self,
            py: Python<'_>,
            context: &FastIOContext,
            array: &Bound<'_, PyAny>,
        ) -> PyResult<NativeTensor> {
            let (tensor, context) = (native::tensor_of(array)?, context.open(py)?);
            let placed = py.detach(|| self.gpu.place(&context, &tensor));
            Ok(NativeTensor { tensor: placed.map_err(|error| wrong(py, error))? })
        }

        fn __repr__(&self) -> String {
            format!("<podwire.Device {} {:?}>", self.gpu.ordinal(), self.gpu.name())
        }
    }

    /// The tensor of an array on a GPU; nothing if it is the host's, or no array.
    pub(crate) fn taken(value: &Bound<'_, PyAny>) -> PyResult<Option<Tensor>> {
        let py = value.py();
        let device = match value.getattr_opt(intern!(py, "__dlpack_device__"))? {
            Some(device) => Some(device.call0()?.extract::<(i32, i32)>()?),
            None => None,
        };
        match device {
            Some((kind, ordinal)) if kind == i32::from(TensorDevice::cuda(0).kind.0) => {
                by_dlpack(value, u32::try_from(ordinal)?).map(Some)
            }
            Some(_) => Ok(None),
            None if value.hasattr(intern!(py, "__array_interface__"))? => Ok(None),
            None => match value.getattr_opt(intern!(py, "__cuda_array_interface__"))? {
                Some(interface) => by_interface(value, interface.cast::<PyDict>()?).map(Some),
                None => Ok(None),
            },
        }
    }

    fn open(py: Python<'_>, ordinal: u32) -> PyResult<Gpu> {
        py.detach(|| Gpu::open(ordinal)).map_err(|error| wrong(py, error))
    }

    fn by_dlpack(value: &Bound<'_, PyAny>, ordinal: u32) -> PyResult<Tensor> {
        let py = value.py();
        // Before the producer makes anything.
        let gpu = open(py, ordinal)?;
        let export = |versioned: bool| {
            let options = PyDict::new(py);
            // The stream on which it is to be complete: all of the device is waited for below.
            options.set_item(intern!(py, "stream"), 1)?;
            if versioned {
                options.set_item(intern!(py, "max_version"), (1, 0))?;
            }
            value.call_method(intern!(py, "__dlpack__"), (), Some(&options))
        };
        // Older producers know no versions.
        let capsule = match export(true) {
            Err(error) if error.is_instance_of::<pyo3::exceptions::PyTypeError>(py) => export(false),
            other => other,
        }?;
        let capsule = capsule.cast::<PyCapsule>()?;
        let none = || errors::error(py, "WrongType", "`__dlpack__` gave something else");
        let tensor = raw::of_device(capsule, &gpu)?.ok_or_else(none)?;
        tensor.map_err(|error| wrong(py, error))
    }

    /// An array that says only where it is, as numba's do: on the GPU that its `device` names, or on the first.
    fn by_interface(value: &Bound<'_, PyAny>, interface: &Bound<'_, PyDict>) -> PyResult<Tensor> {
        let py = value.py();
        let get = |key: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
            Ok(interface.get_item(key)?.filter(|found| !found.is_none()))
        };
        let wrong_type =
            |why: &str| errors::error(py, "WrongType", format!("`__cuda_array_interface__`: {why}"));
        let need = |key: &str| get(key)?.ok_or_else(|| wrong_type(&format!("there is no {key:?}")));
        let shape: Vec<usize> = need("shape")?.extract()?;
        let Element::Number(number) = dtype::element(&dtype::dtype(&need("typestr")?)?)? else {
            return Err(wrong_type("elements of a tensor are numbers"));
        };
        if get("mask")?.is_some() {
            return Err(wrong_type("a mask does not travel"));
        }
        let address: usize = need("data")?.cast_into::<PyTuple>()?.get_item(0)?.extract()?;
        let size = number.size();
        let strides = match get("strides")? {
            Some(strides) => strides.extract::<Vec<isize>>()?,
            None => row_major(&shape, number),
        };
        let in_order = |stride: &isize| *stride >= 0 && *stride % size as isize == 0;
        if strides.len() != shape.len() || !strides.iter().all(in_order) {
            return Err(wrong_type("these strides are not supported"));
        }
        let last = shape.iter().zip(&strides).try_fold(0_usize, |sum, (extent, stride)| {
            sum.checked_add(extent.saturating_sub(1).checked_mul(stride.unsigned_abs())?)
        });
        let length = match last.and_then(|last| last.checked_add(size)) {
            _ if shape.contains(&0) => 0,
            Some(length) => length,
            None => return Err(wrong_type("it fits no memory")),
        };
        let ordinal = match value.getattr_opt(intern!(py, "device"))? {
            Some(device) => device.getattr_opt("id")?.map(|id| id.extract()).transpose()?.unwrap_or(0),
            None => 0,
        };
        let gpu = open(py, ordinal)?;
        py.detach(|| gpu.synchronize()).map_err(|error| wrong(py, error))?;
        let segment = raw::cuda_memory(value, address, length);
        let strides: Vec<isize> = strides.iter().map(|stride| stride / size as isize).collect();
        let tensor = Tensor::from_strides(segment, number, &shape, &strides, 0);
        let tensor = tensor.map_err(|error| errors::codec(py, error, "WrongShape"))?;
        // As a tensor of another library, which the device knows how to copy.
        let managed = tensor.with_device(TensorDevice::cuda(ordinal)).to_dlpack();
        let managed = managed.map_err(|error| errors::codec(py, error, "WrongType"))?;
        gpu.from_dlpack(managed, None).map_err(|error| wrong(py, error))
    }

    /// Strides in bytes.
    fn row_major(shape: &[usize], number: DType) -> Vec<isize> {
        let mut strides = vec![0; shape.len()];
        let mut step = number.size() as isize;
        for (stride, extent) in strides.iter_mut().zip(shape).rev() {
            *stride = step;
            step = step.saturating_mul(*extent as isize);
        }
        strides
    }
}

#[cfg(feature = "cuda")]
pub(crate) use cuda::{Device, taken};

#[cfg(not(feature = "cuda"))]
mod without {
    use podwire_codec_core::tensor::Tensor;
    use pyo3::{intern, prelude::*};

    use crate::errors;

    /// A GPU; this build knows none, so that it is always `NoDevice`.
    #[pyclass(frozen, module = "podwire")]
    pub(crate) struct Device;

    #[pymethods]
    impl Device {
        #[new]
        #[pyo3(signature = (_ordinal=0))]
        fn new(py: Python<'_>, _ordinal: u32) -> PyResult<Self> {
            Self::count(py).map(|_| Self)
        }

        /// How many GPUs this process can use.
        #[staticmethod]
        fn count(py: Python<'_>) -> PyResult<u32> {
            Err(errors::error(py, "NoDevice", "this build of podwire knows no GPUs"))
        }
    }

    /// Refuses arrays on a GPU.
    pub(crate) fn taken(value: &Bound<'_, PyAny>) -> PyResult<Option<Tensor>> {
        let py = value.py();
        let device = match value.getattr_opt(intern!(py, "__dlpack_device__"))? {
            Some(device) => device.call0()?.extract::<(i32, i32)>()?.0,
            None => 1,
        };
        if device == 2 {
            return Err(errors::error(py, "NoDevice", "this build of podwire knows no GPUs"));
        }
        Ok(None)
    }
}

#[cfg(not(feature = "cuda"))]
pub(crate) use without::{Device, taken};
