//! DLPack, outwards: what `__dlpack__` answers.
//!
//! Not here: capsules (`raw.rs`), and what comes in (`publish.rs`, `gpu.rs`). Invariant: what a capsule of ours holds cannot
//! change, and says that it is read-only.

use podwire_codec_core::tensor::Tensor;
use pyo3::{exceptions::PyBufferError, intern, prelude::*, types::PyDict};

use crate::{errors, raw};

/// The host, as DLPack says it.
pub(crate) const HOST: (i32, i32) = (1, 0);

/// What a consumer asks for. Its stream does not matter: what it gets is complete.
pub(crate) struct Asked {
    pub(crate) max_version: Option<(u32, u32)>,
    pub(crate) dl_device: Option<(i32, i32)>,
    pub(crate) copy: Option<bool>,
}

/// Gives the tensor, if there is one that cannot change, to consumers that know of memory that is read-only, which DLPack says
/// from version 1 on. Else numpy decides what they get of the array.
pub(crate) fn answer<'py>(
    py: Python<'py>,
    asked: &Asked,
    device: (i32, i32),
    tensor: impl FnOnce() -> PyResult<Option<Tensor>>,
    array: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    if asked.dl_device.is_some_and(|wanted| wanted != device) {
        return Err(PyBufferError::new_err("the memory stays where it is"));
    }
    if matches!(asked.max_version, Some((1.., _)))
        && asked.copy != Some(true)
        && let Some(tensor) = tensor()?
    {
        let managed = tensor.to_dlpack().map_err(|error| errors::codec(py, error, "WrongType"))?;
        return Ok(raw::capsule(py, managed)?.into_any());
    }
    let options = PyDict::new(py);
    if let Some(version) = asked.max_version {
        options.set_item(intern!(py, "max_version"), version)?;
    }
    if let Some(copy) = asked.copy {
        options.set_item(intern!(py, "copy"), copy)?;
    }
    array()?.call_method(intern!(py, "__dlpack__"), (), Some(&options))
}
