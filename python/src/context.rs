//! `FastIOContext`: the open pipeline.
//!
//! Not here: how values are written and read (`encode.rs`, `value.rs`). Invariant: what is published is whole, and nothing that
//! Python still holds can write to it unlocked.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use podwire_codec_core::tensor::DType;
use podwire_fastio::{AllocationId, FastIoAllocation, FastIoContext, PipelineOptions};
use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::{
    allocation::FastIOAllocation,
    channel::{self, Channel, Receiver, Sender},
    dtype,
    encode::{self, Encoded},
    errors,
    layout::{Layout, layout_from},
    publish::{copy_of, published_in_place},
    schema::Schema,
    value, view,
    waiting::patiently,
    watch::{Listing, Watch},
};

/// A pipeline, open in this process: a set of named allocations that the processes of one user share.
///
/// It is created if it is not there, and stays until it is removed, whichever processes live. `ephemeral` pipelines go with
/// their last member; quotas hold for all members (`QuotaExceeded`), 0 for none.
///
/// >>> import os
/// >>> with podwire.FastIOContext(f"doc-{os.getpid()}", ephemeral=True) as context:
/// ...     allocation = context.publish_array([[1, 2], [3, 4]], "numbers")
/// ...     context.get("numbers").to_numpy().tolist()
/// [[1, 2], [3, 4]]
#[pyclass(frozen, module = "podwire")]
pub(crate) struct FastIOContext {
    context: Mutex<Option<FastIoContext>>,
}

impl FastIOContext {
    /// A context that is open already.
    pub(crate) fn from_open(context: FastIoContext) -> Self {
        Self { context: Mutex::new(Some(context)) }
    }

    pub(crate) fn open(&self, py: Python<'_>) -> PyResult<FastIoContext> {
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner).clone();
        context.ok_or_else(|| errors::error(py, "Closed", "the context was closed"))
    }

    /// Does something without the GIL.
    fn act<R: Send>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&FastIoContext) -> podwire_fastio::Result<R> + Send,
    ) -> PyResult<R> {
        let context = self.open(py)?;
        py.detach(move || act(&context)).map_err(|error| errors::fastio(py, error, "DecodeError"))
    }
}

/// Options of an allocation to come.
#[derive(Clone, Copy)]
struct Wanted {
    alignment: usize,
    zeroed: bool,
    populated: bool,
}

impl Wanted {
    fn create(self, context: &FastIoContext, size: usize) -> podwire_fastio::Result<FastIoAllocation> {
        let options = podwire_fastio::AllocationOptions::new(size);
        context.create_with(options.alignment(self.alignment).zeroed(self.zeroed).populated(self.populated))
    }
}

const PLAIN: Wanted = Wanted { alignment: 64, zeroed: false, populated: false };

#[pymethods]
impl FastIOContext {
    #[new]
    #[pyo3(signature = (pipeline, *, ephemeral=None, quota_bytes=None, quota_names=None))]
    fn new(
        py: Python<'_>,
        pipeline: &str,
        ephemeral: Option<bool>,
        quota_bytes: Option<u64>,
        quota_names: Option<u32>,
    ) -> PyResult<Self> {
        let mut options = PipelineOptions::new();
        if let Some(ephemeral) = ephemeral {
            options = options.ephemeral(ephemeral);
        }
        if let Some(bytes) = quota_bytes {
            options = options.quota_bytes(bytes);
        }
        if let Some(names) = quota_names {
            options = options.quota_names(names);
        }
        let opened = py.detach(|| FastIoContext::open_with(pipeline, options));
        let context = opened.map_err(|error| errors::fastio(py, error, "Error"))?;
        Ok(Self { context: Mutex::new(Some(context)) })
    }

    /// The pipelines of this user, sorted.
    #[staticmethod]
    fn pipelines(py: Python<'_>) -> PyResult<Vec<String>> {
        py.detach(FastIoContext::pipelines).map_err(|error| errors::fastio(py, error, "Error"))
    }

    /// Removes a pipeline with everything in it, whoever uses it; whether there was one.
    #[staticmethod]
    fn remove(py: Python<'_>, pipeline: &str) -> PyResult<bool> {
        py.detach(|| FastIoContext::remove(pipeline)).map_err(|error| errors::fastio(py, error, "Error"))
    }

    /// The pipeline's directory.
    #[getter]
    fn path(&self, py: Python<'_>) -> PyResult<std::path::PathBuf> {
        Ok(self.open(py)?.path().to_owned())
    }

    /// Creates an allocation of `size` bytes, private to this process until it is published.
    ///
    /// Unless it is to be `zeroed`, its bytes may be what an earlier allocation of the pipeline left. `populated`: all pages are
    /// there at once, so that no first touch costs anything later.
    #[pyo3(signature = (size, *, alignment=64, zeroed=false, populated=false))]
    fn create<'py>(
        &self,
        py: Python<'py>,
        size: usize,
        alignment: usize,
        zeroed: bool,
        populated: bool,
    ) -> PyResult<Bound<'py, FastIOAllocation>> {
        let wanted = Wanted { alignment, zeroed, populated };
        let allocation = self.act(py, |context| wanted.create(context, size))?;
        FastIOAllocation::new(py, allocation)
    }

    /// Creates an allocation for an array, to be filled by `with allocation.map_mut() as view`.
    #[pyo3(signature = (shape, dtype, order="C", *, zeroed=false))]
    fn create_array<'py>(
        &self,
        py: Python<'py>,
        shape: &Bound<'py, PyAny>,
        dtype: &Bound<'py, PyAny>,
        order: &str,
        zeroed: bool,
    ) -> PyResult<Bound<'py, FastIOAllocation>> {
        let layout = layout_from(dtype, shape, order)?;
        let allocation = self.array(py, &layout, Wanted { zeroed, ..PLAIN })?;
        FastIOAllocation::new(py, allocation)
    }

    /// An array that lives in shared memory from the start, to be filled: `publish_array` gives it a name and copies nothing.
    ///
    /// Its elements are anything until they are written; `float64` if nothing is said. From its publication on, it is read-only.
    ///
    /// >>> context = getfixture("context")
    /// >>> frame = context.empty_array((2, 3), "float32")
    /// >>> frame[:] = 0.5
    /// >>> allocation = context.publish_array(frame, "frame")
    /// >>> frame.flags.writeable
    /// False
    #[pyo3(signature = (shape, dtype=None, order="C"))]
    fn empty_array<'py>(
        &self,
        py: Python<'py>,
        shape: &Bound<'py, PyAny>,
        dtype: Option<&Bound<'py, PyAny>>,
        order: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let numbers = dtype::of_number(py, DType::F64)?;
        let layout = layout_from(dtype.unwrap_or(&numbers), shape, order)?;
        let allocation = self.array(py, &layout, PLAIN)?;
        let memory = Bound::new(py, view::write(py, &allocation, None, true)?)?;
        layout.on(&memory)?.call_method0(intern!(py, "view"))
    }

    /// Publishes an array under a name: anything that numpy takes as one, or that has `__dlpack__`.
    ///
    /// An array of `empty_array` is published as it lies, and is read-only from then on; any other is copied once. With
    /// `replace`, a name that is taken is taken over; else it is `NameTaken`. With `seal`, nobody can write to it any more, and
    /// readers need no lock. `metadata` is a `dict` of text for whoever gets it.
    #[pyo3(signature = (array, name, *, replace=false, seal=false, metadata=None))]
    fn publish_array<'py>(
        &self,
        py: Python<'py>,
        array: &Bound<'py, PyAny>,
        name: &str,
        replace: bool,
        seal: bool,
        metadata: Option<BTreeMap<String, String>>,
    ) -> PyResult<Bound<'py, FastIOAllocation>> {
        let context = self.open(py)?;
        let keys = metadata.unwrap_or_default();
        let mut allocation = match published_in_place(&context, array, &keys, seal)? {
            Some(allocation) => allocation,
            None => copy_of(py, &context, array, &keys, seal)?,
        };
        let publish = || {
            if replace { allocation.replace(name) } else { allocation.publish(name) }
        };
        py.detach(publish).map_err(|error| errors::fastio(py, error, "Error"))?;
        // From here on the handle says what the publication says.
        let _ = allocation.metadata_mut();
        FastIOAllocation::new(py, allocation)
    }

    /// What is published under a name. `NotFound` if nothing is.
    fn get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, FastIOAllocation>> {
        // A look-up takes less time than to let go of the GIL.
        let found = self.open(py)?.get(name).map_err(|error| errors::fastio(py, error, "Error"))?;
        FastIOAllocation::new(py, found)
    }

    /// The same; `None` if nothing is published under the name.
    fn try_get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, FastIOAllocation>>> {
        let found = self.open(py)?.try_get(name).map_err(|error| errors::fastio(py, error, "Error"))?;
        found.map(|found| FastIOAllocation::new(py, found)).transpose()
    }

    /// An allocation by its `id`. `Freed` if it is gone.
    fn get_by_id<'py>(&self, py: Python<'py>, id: (u32, u64)) -> PyResult<Bound<'py, FastIOAllocation>> {
        let id = AllocationId { index: id.0, generation: id.1 };
        FastIOAllocation::new(py, self.act(py, |context| context.get_by_id(id))?)
    }

    /// Waits until something is published under a name. `timeout` is in seconds; without one it waits for ever.
    #[pyo3(signature = (name, timeout=None))]
    fn wait<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, FastIOAllocation>> {
        let context = self.open(py)?;
        let found = patiently(py, timeout, |slice| context.wait(name, slice))?;
        FastIOAllocation::new(py, found)
    }

    /// Waits until something is published under one of several names: the name, and the allocation.
    #[pyo3(signature = (names, timeout=None))]
    fn wait_any<'py>(
        &self,
        py: Python<'py>,
        names: Vec<String>,
        timeout: Option<f64>,
    ) -> PyResult<(String, Bound<'py, FastIOAllocation>)> {
        let context = self.open(py)?;
        let keys: Vec<&str> = names.iter().map(String::as_str).collect();
        let (at, found) = patiently(py, timeout, |slice| context.wait_any(&keys, slice))?;
        Ok((names[at].clone(), FastIOAllocation::new(py, found)?))
    }

    /// Takes a name away; whether it was there. An allocation without any name is freed.
    fn unpublish(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        self.act(py, |context| context.unpublish(name))
    }

    /// All names, sorted.
    fn list(&self, py: Python<'_>) -> PyResult<Vec<Listing>> {
        let names = self.act(py, FastIoContext::list)?;
        Ok(names.into_iter().map(Listing::new).collect())
    }

    /// Watches the names come and go: an iterator of events. What is published already comes first.
    fn watch(&self, py: Python<'_>) -> PyResult<Watch> {
        Ok(Watch::new(self.open(py)?.watch()))
    }

    /// Publishes a value: of a class with `@podwire.codec`, or of the `type` that is said.
    ///
    /// Arrays in it (`podwire.Bulk`, `podwire.Tensor`) that lie in sealed allocations of this pipeline are referred to; others
    /// of 16 KiB or more are copied once. The publication owns them all.
    #[pyo3(signature = (value, name, r#type=None, *, replace=false))]
    fn publish_value<'py>(
        &self,
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
        name: &str,
        r#type: Option<&Bound<'py, PyAny>>,
        replace: bool,
    ) -> PyResult<Bound<'py, FastIOAllocation>> {
        let (schema, called) = encode::codec_for(value, r#type)?;
        let schema = schema.get();
        let (context, value) = (self.open(py)?, value.clone().unbind());
        let published = py.detach(|| {
            let message = context.create_value(&called, schema.inner(), |writer| {
                Python::attach(|py| Encoded::of(schema, value.bind(py)))?.write(writer)
            })?;
            if replace { message.replace(name) } else { message.publish(name) }?;
            Ok(message)
        });
        drop(value);
        let message = published.map_err(|error| errors::fastio(py, error, "EncodeError"))?;
        FastIOAllocation::new(py, message)
    }

    /// The value that is published under a name. Its arrays are the shared memory, which they keep.
    ///
    /// It is of the class with `@podwire.codec` that has the name and the schema of the value, or of the `type` that is said:
    /// `SchemaMismatch` if that has another schema. Where there is no such class, or with `type=dict`, structs are `dict`s.
    #[pyo3(signature = (name, r#type=None))]
    fn get_value<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        r#type: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let context = self.open(py)?;
        let found = context.get(name).map_err(|error| errors::fastio(py, error, "Error"))?;
        value_in(py, &context, found, name, r#type)
    }

    /// Waits until a value is published under a name, and gives it as `get_value` does.
    #[pyo3(signature = (name, timeout=None, r#type=None))]
    fn wait_value<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        timeout: Option<f64>,
        r#type: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let context = self.open(py)?;
        let found = patiently(py, timeout, |slice| context.wait(name, slice))?;
        value_in(py, &context, found, name, r#type)
    }

    /// Opens the sending end of a channel, and creates the channel if it is not there: a bounded queue to one receiver.
    ///
    /// `capacity` messages can wait in it, 1 to 32,767, and of each `inline` bytes lie in the channel itself, at most 65,536: who
    /// opens it first decides, and `ChannelDiffers` tells others. When it is full, `send` waits (`when_full="block"`) or is `Full`
    /// (`"refuse"`). An end that waits sleeps, or spins on a processor of its own (`wait="spin"`), which is several times as fast. An
    /// empty channel goes with its last end, unless it is `kept`. `EndTaken` if a living process has this end.
    #[pyo3(signature = (name, *, capacity=16, inline=480, wait="sleep", when_full="block", kept=false))]
    #[expect(clippy::too_many_arguments, reason = "they are named")]
    fn sender(
        &self,
        py: Python<'_>,
        name: &str,
        capacity: usize,
        inline: usize,
        wait: &str,
        when_full: &str,
        kept: bool,
    ) -> PyResult<Sender> {
        let options = channel::options(capacity, inline, wait, when_full, kept)?;
        Sender::open(py, self.open(py)?, name, options, when_full == "refuse")
    }

    /// Opens the receiving end of a channel, and creates the channel if it is not there; see `sender`.
    #[pyo3(signature = (name, *, capacity=16, inline=480, wait="sleep", kept=false))]
    fn receiver(
        &self,
        py: Python<'_>,
        name: &str,
        capacity: usize,
        inline: usize,
        wait: &str,
        kept: bool,
    ) -> PyResult<Receiver> {
        let options = channel::options(capacity, inline, wait, "block", kept)?;
        Receiver::open(py, self.open(py)?, name, options)
    }

    /// All channels, sorted by name.
    fn channels(&self, py: Python<'_>) -> PyResult<Vec<Channel>> {
        Ok(self.act(py, FastIoContext::channels)?.into_iter().map(Channel::from).collect())
    }

    /// Takes a channel away with what waits in it; whether there was one. `EndTaken` if a living process has an end of it.
    fn remove_channel(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        self.act(py, |context| context.remove_channel(name))
    }

    /// The schemas of all values that were ever published or sent here, by their fingerprints.
    fn schemas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = PyDict::new(py);
        for schema in self.act(py, FastIoContext::schemas)? {
            found.set_item(schema.fingerprint(), Schema::from(schema))?;
        }
        Ok(found)
    }

    /// What the pipeline holds, in numbers. What has no quota has no number of one.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.act(py, FastIoContext::stats)?;
        let found = PyDict::new(py);
        found.set_item("processes", stats.processes)?;
        found.set_item("names", stats.names)?;
        found.set_item("published", stats.published)?;
        found.set_item("channels", stats.channels)?;
        found.set_item("private", stats.private)?;
        found.set_item("freed", stats.freed)?;
        found.set_item("bytes", stats.bytes)?;
        found.set_item("pooled_bytes", stats.pooled_bytes)?;
        found.set_item("file_bytes", stats.file_bytes)?;
        let quotas = [("quota_bytes", stats.quota_bytes), ("quota_names", stats.quota_names.map(u64::from))];
        for (name, quota) in quotas {
            if let Some(quota) = quota {
                found.set_item(name, quota)?;
            }
        }
        Ok(found)
    }

    /// Cleans up what dead processes left, and gives pooled memory back to the system. What is published stays.
    fn sweep(&self, py: Python<'_>) -> PyResult<()> {
        self.act(py, FastIoContext::sweep).map(drop)
    }

    /// Removes the pipeline with everything in it, whoever uses it, and closes this context.
    fn drop_pipeline(&self, py: Python<'_>) -> PyResult<bool> {
        let removed = self.act(py, |context| context.clone().drop_pipeline())?;
        self.close(py);
        Ok(removed)
    }

    /// Closes the context: what is published stays, and so do arrays and allocations.
    fn close(&self, py: Python<'_>) {
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(context));
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyTuple>) {
        self.close(py);
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        match self.open(py) {
            Ok(context) => format!("<podwire.FastIOContext {}>", context.path().display()),
            Err(_) => "<podwire.FastIOContext, closed>".into(),
        }
    }
}

impl FastIOContext {
    /// A new allocation for an array.
    fn array(&self, py: Python<'_>, layout: &Layout<'_>, wanted: Wanted) -> PyResult<FastIoAllocation> {
        let (bytes, metadata) = (layout.bytes()?, layout.metadata()?);
        self.act(py, |context| {
            let mut allocation = wanted.create(context, bytes)?;
            allocation.set_metadata(metadata);
            Ok(allocation)
        })
    }
}

/// The value in an allocation.
fn value_in<'py>(
    py: Python<'py>,
    context: &FastIoContext,
    found: FastIoAllocation,
    name: &str,
    r#type: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let described = py.detach(|| context.described(found, name));
    let described = described.map_err(|error| errors::fastio(py, error, "DecodeError"))?;
    let value = value::to_python(py, &described.value)?;
    value::bound(py, value, &described.codec, described.schema, r#type)
}
