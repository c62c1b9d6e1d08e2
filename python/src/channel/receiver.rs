//! The receiving end, and waiting for several.

use std::sync::TryLockError;

use podwire_codec_core::message::Metadata;
use podwire_fastio::{
    ChannelOptions, Described, Doorbell, Error, FastIoAllocation, FastIoContext, Incoming,
    Receiver as FastIoReceiver, Result as FastIoResult,
};
use pyo3::{
    exceptions::PyStopIteration,
    prelude::*,
    types::{PyBytes, PyDict, PyTuple},
};

use super::end::{End, methods_of_both};
use crate::{allocation::FastIOAllocation, errors, value, waiting::patiently};

/// The receiving end of a channel. `FastIOContext.receiver` opens it; it is an iterator that ends when the sender was closed.
///
/// Leaving its `with`, or `close`, closes it: the sender gets `Closed`. Threads take turns.
///
/// >>> context = getfixture("context")
/// >>> with context.sender("words") as sender, context.receiver("words") as receiver:
/// ...     sender.send(b"bytes")
/// ...     sender.send({"a": 1}, dict[str, podwire.u8])
/// ...     receiver.receive(), receiver.receive()
/// (b'bytes', {'a': 1})
#[pyclass(frozen, module = "podwire")]
pub(crate) struct Receiver {
    end: End<FastIoReceiver>,
    context: FastIoContext,
}

/// What was taken from a channel.
enum Received {
    Bytes(Py<PyBytes>),
    Allocation(FastIoAllocation),
    Value(Box<(Described, Metadata)>),
}

impl Received {
    fn of(incoming: Incoming<'_>, context: &FastIoContext) -> FastIoResult<Self> {
        match incoming {
            Incoming::Bytes(bytes) => Ok(Self::Bytes(Python::attach(|py| PyBytes::new(py, bytes).unbind()))),
            Incoming::Allocation(allocation) => Ok(Self::Allocation(allocation)),
            Incoming::Value(value) => Ok(Self::Value(Box::new(value.described(context)?))),
            // There are no others; the enum is open to more.
            other => other.allocation().map(Self::Allocation),
        }
    }

    fn into_python<'py>(
        self,
        py: Python<'py>,
        r#type: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
        let metadata = PyDict::new(py);
        let object = match self {
            Self::Bytes(bytes) => bytes.into_bound(py).into_any(),
            Self::Allocation(allocation) => FastIOAllocation::new(py, allocation)?.into_any(),
            Self::Value(value) => {
                let (Described { codec, schema, value, .. }, keys) = *value;
                for (key, bytes) in keys.iter() {
                    metadata.set_item(key, PyBytes::new(py, bytes))?;
                }
                let read = value::to_python(py, &value)?;
                return Ok((value::bound(py, read, &codec, schema, r#type)?, metadata));
            }
        };
        match r#type {
            None => Ok((object, metadata)),
            Some(_) => {
                let found = object.get_type().name()?;
                Err(errors::error(py, "WrongType", format!("the message is no value, but {found}")))
            }
        }
    }
}

impl Receiver {
    pub(crate) fn open(
        py: Python<'_>,
        context: FastIoContext,
        name: &str,
        options: ChannelOptions,
    ) -> PyResult<Self> {
        let end = End::open(py, name, || context.receiver(name, &options))?;
        Ok(Self { end, context })
    }

    fn take(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Received> {
        patiently(py, timeout, |slice| {
            self.end.used(|receiver| Received::of(receiver.receive_timeout(slice)?, &self.context))
        })
    }
}

#[pymethods]
impl Receiver {
    /// Waits for the next message and takes it: `bytes`, a `FastIOAllocation`, or a value as `FastIOContext.get_value` gives it,
    /// whose arrays are the memory that was sent.
    ///
    /// `Timeout` after so many seconds; without a timeout it waits for ever. `Closed` if nothing is left and the sender was closed,
    /// `PeerDied` if its process died.
    #[pyo3(signature = (timeout=None, r#type=None))]
    fn receive<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<f64>,
        r#type: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.take(py, timeout)?.into_python(py, r#type)?.0)
    }

    /// The same with the bytes that travelled with the value, by their names.
    #[pyo3(signature = (timeout=None, r#type=None))]
    fn receive_with_metadata<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<f64>,
        r#type: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
        self.take(py, timeout)?.into_python(py, r#type)
    }

    /// The next message without waiting; `default` if there is none, and one may still come.
    #[pyo3(signature = (default=None, r#type=None))]
    fn try_receive<'py>(
        &self,
        py: Python<'py>,
        default: Option<Bound<'py, PyAny>>,
        r#type: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let taken = self.end.with(py, |receiver| {
            receiver.try_receive()?.map(|incoming| Received::of(incoming, &self.context)).transpose()
        })?;
        match taken {
            Some(received) => Ok(received.into_python(py, r#type)?.0),
            None => Ok(default.unwrap_or_else(|| py.None().into_bound(py))),
        }
    }

    /// Is done with the message that was taken last: it counts as settled, and memory without a name belongs to those who have
    /// it. The next `receive` does so first.
    fn settle(&self, py: Python<'_>) -> PyResult<()> {
        self.end.with(py, FastIoReceiver::settle)
    }

    /// The number of the message that was taken last, from 0 since the channel was made; `None` if it is settled.
    #[getter]
    fn number(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        self.end.with(py, |receiver| Ok(receiver.number()))
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.receive(py, None, None).map_err(|error| {
            let class = py.import("podwire.errors").and_then(|module| module.getattr("Closed"));
            match class {
                Ok(class) if error.is_instance(py, &class) => PyStopIteration::new_err(()),
                _ => error,
            }
        })
    }
}

methods_of_both!(Receiver);

/// Waits until one of several receivers has a message, or no sender any more: its place in the list.
///
/// The search begins behind `after`, the place that was given last, so that a busy channel keeps no other waiting. `Timeout` after
/// so many seconds; `Busy` if another thread uses one of them, or it stands there twice.
///
/// >>> context = getfixture("context")
/// >>> receivers = [context.receiver("left"), context.receiver("right")]
/// >>> context.sender("right").send(b"hello")
/// >>> ready = podwire.wait_for_any(receivers, timeout=1)
/// >>> ready, receivers[ready].receive()
/// (1, b'hello')
#[pyfunction]
#[pyo3(signature = (receivers, timeout=None, *, after=0))]
pub(crate) fn wait_for_any(
    py: Python<'_>,
    receivers: Vec<Py<Receiver>>,
    timeout: Option<f64>,
    after: usize,
) -> PyResult<usize> {
    let ends: Vec<&End<FastIoReceiver>> = receivers.iter().map(|receiver| &receiver.get().end).collect();
    let bell = Doorbell::new();
    patiently(py, timeout, |slice| {
        let locked = ends.iter().map(|end| match end.open.try_lock() {
            Ok(locked) => Ok(locked),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(Error::Busy),
        });
        let locked = locked.collect::<FastIoResult<Vec<_>>>()?;
        let open = locked.iter().zip(&ends).map(|(open, end)| open.as_ref().ok_or_else(|| end.closed()));
        let open = open.collect::<FastIoResult<Vec<&FastIoReceiver>>>()?;
        if !open.is_empty() {
            bell.wait_with(open.iter().copied(), Some(slice))?;
        }
        let count = open.len();
        let mut turn = (1..=count).map(|step| (after % count + step) % count);
        let timeout = || Error::Timeout { what: format!("a message of {count} channels"), waited: slice };
        turn.find(|at| open[*at].is_ready()).ok_or_else(timeout)
    })
}
