//! Channels: `FastIOContext.sender` and `FastIOContext.receiver`.
//!
//! Not here: which codec an object has (`podwire/_codecs.py`). Invariant: an end is locked only by who does not hold the GIL, so
//! that nobody who waits keeps the others from going on; one thread at a time uses an end.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
    time::Duration,
};

use podwire_codec_core::message::Metadata;
use podwire_fastio::{
    ChannelListing, ChannelOptions, Described, Doorbell, Error, FastIoAllocation, FastIoContext, Incoming,
    Payload, Peer, Receiver as FastIoReceiver, Result as FastIoResult, Sender as FastIoSender, Wait,
    WhenFull,
};
use pyo3::{
    exceptions::{PyStopIteration, PyValueError},
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyTuple},
};

use crate::{
    allocation::FastIOAllocation,
    encode::{self, Encoded},
    errors, publish,
    schema::Schema,
    value,
    waiting::{patiently, patiently_or},
};

/// What is asked of a channel.
pub(crate) fn options(
    capacity: usize,
    inline: usize,
    wait: &str,
    when_full: &str,
    kept: bool,
) -> PyResult<ChannelOptions> {
    let wait = match wait {
        "sleep" => Wait::Sleep,
        "spin" => Wait::Spin,
        other => {
            return Err(PyValueError::new_err(format!("wait={other:?}: there are \"sleep\" and \"spin\"")));
        }
    };
    let when_full = match when_full {
        "block" => WhenFull::Block,
        "refuse" => WhenFull::Refuse,
        other => {
            let message = format!("when_full={other:?}: there are \"block\" and \"refuse\"");
            return Err(PyValueError::new_err(message));
        }
    };
    Ok(ChannelOptions::new().capacity(capacity).inline(inline).wait(wait).when_full(when_full).kept(kept))
}

fn peer(peer: Peer) -> &'static str {
    match peer {
        Peer::Absent => "absent",
        Peer::Attached => "attached",
        Peer::Closed => "closed",
        _ => "died",
    }
}

/// An end, until it is closed here.
struct End<T> {
    open: Mutex<Option<T>>,
    name: String,
}

impl<T: Send> End<T> {
    fn new(end: T, name: &str) -> Self {
        Self { open: Mutex::new(Some(end)), name: name.into() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> Error {
        Error::Closed { channel: self.name.clone() }
    }

    /// Uses it without the GIL.
    fn with<R: Send>(
        &self,
        py: Python<'_>,
        using: impl FnOnce(&mut T) -> FastIoResult<R> + Send,
    ) -> PyResult<R> {
        let used = py.detach(|| self.lock().as_mut().map_or_else(|| Err(self.closed()), using));
        used.map_err(|error| errors::fastio(py, error, "DecodeError"))
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.lock().take()));
    }

    fn shown(&self, py: Python<'_>, what: &str) -> String {
        let open = py.detach(|| self.lock().is_some());
        format!("<podwire.{what} of {:?}{}>", self.name, if open { "" } else { ", closed" })
    }
}

/// The sending end of a channel: a bounded queue from one process to another. `FastIOContext.sender` opens it.
///
/// Leaving its `with`, or `close`, closes it; the receiver gets what is still there, and then `Closed`. Threads take turns.
///
/// >>> context = getfixture("context")
/// >>> sender, receiver = context.sender("frames"), context.receiver("frames")
/// >>> frame = context.empty_array((480, 640), "uint16")
/// >>> frame[:] = 7
/// >>> sender.send(frame)  # nothing is copied, and it is read-only from then on
/// >>> sender.close()
/// >>> [int(frame[479, 639]) for frame in receiver]
/// [7]
#[pyclass(frozen, module = "podwire")]
pub(crate) struct Sender {
    end: End<FastIoSender>,
    context: FastIoContext,
    refuses: bool,
}

/// An object on its way into a channel.
enum Outgoing {
    Bytes(PyBackedBytes),
    Allocation(FastIoAllocation),
    Value { object: Py<PyAny>, schema: Py<Schema>, codec: String },
}

impl Sender {
    pub(crate) fn open(
        py: Python<'_>,
        context: FastIoContext,
        name: &str,
        options: ChannelOptions,
        refuses: bool,
    ) -> PyResult<Self> {
        let sender = py.detach(|| context.sender(name, &options));
        let sender = sender.map_err(|error| errors::fastio(py, error, "Error"))?;
        Ok(Self { end: End::new(sender, name), context, refuses })
    }

    fn outgoing(&self, object: &Bound<'_, PyAny>, r#type: Option<&Bound<'_, PyAny>>) -> PyResult<Outgoing> {
        let py = object.py();
        if r#type.is_none() {
            if let Ok(allocation) = object.cast::<FastIOAllocation>() {
                return Ok(Outgoing::Allocation(allocation.get().handle(py)?));
            }
            if object.is_instance_of::<PyBytes>() || object.is_instance_of::<PyByteArray>() {
                return Ok(Outgoing::Bytes(object.extract()?));
            }
            if object.is_instance_of::<PyMemoryView>() {
                return Ok(Outgoing::Bytes(object.call_method0("tobytes")?.extract()?));
            }
        }
        publish::sealed_in_place(&self.context, object)?;
        let (schema, codec) = encode::codec_for(object, r#type)?;
        Ok(Outgoing::Value { object: object.clone().unbind(), schema, codec })
    }
}

/// Sends what is ready to be sent, waiting no longer than `slice`; not at all if there is none.
fn send(
    sender: &mut FastIoSender,
    outgoing: &Outgoing,
    metadata: Option<&Metadata>,
    slice: Option<Duration>,
) -> FastIoResult<()> {
    let mut put = |payload: Payload<'_>| match slice {
        Some(slice) => sender.send_timeout(payload, slice),
        None => sender.try_send(payload),
    };
    match outgoing {
        Outgoing::Bytes(bytes) => put(Payload::Bytes(bytes)),
        Outgoing::Allocation(allocation) => put(Payload::Allocation(allocation)),
        Outgoing::Value { object, schema, codec } => {
            let schema = schema.get();
            let encode = |writer: &mut podwire_codec_core::Writer<'_>| {
                Python::attach(|py| Encoded::of(schema, object.bind(py)))?.write(writer)
            };
            put(Payload::Described { codec, schema: schema.inner(), encode: &encode, metadata })
        }
    }
}

#[pymethods]
impl Sender {
    /// Sends `bytes`, an allocation, or a value: an array of any library, an object of a class with `@podwire.codec`, or anything
    /// of the `type` that is said.
    ///
    /// An allocation, and an array of `empty_array`, go by reference; that array is sealed by it. Any other array is copied once.
    /// What was sent owns what it refers to until it is received, whatever becomes of this process. `metadata` are bytes by text
    /// that travel with a value.
    ///
    /// Waits for room, for at most `timeout` seconds (`Timeout`); with `when_full="refuse"`, and without a timeout, it is `Full`
    /// at once. `Closed` if the receiver was closed, `PeerDied` if its process died.
    #[pyo3(signature = (message, r#type=None, *, timeout=None, metadata=None))]
    fn send(
        &self,
        py: Python<'_>,
        message: &Bound<'_, PyAny>,
        r#type: Option<&Bound<'_, PyAny>>,
        timeout: Option<f64>,
        metadata: Option<BTreeMap<String, Vec<u8>>>,
    ) -> PyResult<()> {
        let outgoing = self.outgoing(message, r#type)?;
        if metadata.is_some() && !matches!(outgoing, Outgoing::Value { .. }) {
            return Err(PyValueError::new_err(
                "metadata travels with values, not with bytes and allocations",
            ));
        }
        let keys = metadata.map(|keys| {
            let mut metadata = Metadata::new();
            for (key, bytes) in keys {
                metadata.insert_bytes(&key, bytes);
            }
            metadata
        });
        let refuses = self.refuses && timeout.is_none();
        patiently_or(py, timeout, "EncodeError", |slice| {
            let mut end = self.end.lock();
            let sender = end.as_mut().ok_or_else(|| self.end.closed())?;
            send(sender, &outgoing, keys.as_ref(), (!refuses).then_some(slice))
        })
    }

    /// The same without waiting: `Full` if there is no room.
    #[pyo3(signature = (message, r#type=None))]
    fn try_send(
        &self,
        py: Python<'_>,
        message: &Bound<'_, PyAny>,
        r#type: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let outgoing = self.outgoing(message, r#type)?;
        let sent = py.detach(|| {
            let mut end = self.end.lock();
            send(end.as_mut().ok_or_else(|| self.end.closed())?, &outgoing, None, None)
        });
        sent.map_err(|error| errors::fastio(py, error, "EncodeError"))
    }

    /// What is known about the receiver: `"absent"`, `"attached"`, `"closed"` or `"died"`.
    #[getter]
    fn peer(&self, py: Python<'_>) -> PyResult<&'static str> {
        self.end.with(py, |sender| sender.peer()).map(peer)
    }

    /// Messages that were sent through the channel since it was made, by this sender and those before it.
    #[getter]
    fn sent(&self, py: Python<'_>) -> PyResult<u64> {
        self.end.with(py, |sender| Ok(sender.sent()))
    }

    /// Messages of these that receivers have taken.
    #[getter]
    fn received(&self, py: Python<'_>) -> PyResult<u64> {
        self.end.with(py, |sender| Ok(sender.received()))
    }

    /// Messages of these that receivers were done with. Of a receiver that died, `received - settled` died in its hands.
    #[getter]
    fn settled(&self, py: Python<'_>) -> PyResult<u64> {
        self.end.with(py, |sender| Ok(sender.settled()))
    }

    /// Messages that were sent and not received.
    #[getter]
    fn waiting(&self, py: Python<'_>) -> PyResult<usize> {
        self.end.with(py, |sender| Ok(sender.waiting()))
    }

    /// Messages that the channel can hold.
    #[getter]
    fn capacity(&self, py: Python<'_>) -> PyResult<usize> {
        self.end.with(py, |sender| Ok(sender.capacity()))
    }

    /// Bytes of this sender's messages that were copied into allocations of their own.
    #[getter]
    fn copied_bytes(&self, py: Python<'_>) -> PyResult<u64> {
        self.end.with(py, |sender| Ok(sender.copied_bytes()))
    }

    /// Closes it: the receiver gets what is still there, and then `Closed`. Another sender can be opened.
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
        self.end.shown(py, "Sender")
    }
}

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
        let receiver = py.detach(|| context.receiver(name, &options));
        let receiver = receiver.map_err(|error| errors::fastio(py, error, "Error"))?;
        Ok(Self { end: End::new(receiver, name), context })
    }

    fn take(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Received> {
        patiently(py, timeout, |slice| {
            let mut end = self.end.lock();
            let receiver = end.as_mut().ok_or_else(|| self.end.closed())?;
            Received::of(receiver.receive_timeout(slice)?, &self.context)
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

    /// What is known about the sender: `"absent"`, `"attached"`, `"closed"` or `"died"`.
    #[getter]
    fn peer(&self, py: Python<'_>) -> PyResult<&'static str> {
        self.end.with(py, |receiver| receiver.peer()).map(peer)
    }

    /// Messages that were received through the channel since it was made, by this receiver and those before it.
    #[getter]
    fn received(&self, py: Python<'_>) -> PyResult<u64> {
        self.end.with(py, |receiver| Ok(receiver.received()))
    }

    /// Messages that wait to be received.
    #[getter]
    fn waiting(&self, py: Python<'_>) -> PyResult<usize> {
        self.end.with(py, |receiver| Ok(receiver.waiting()))
    }

    /// Messages that the channel can hold.
    #[getter]
    fn capacity(&self, py: Python<'_>) -> PyResult<usize> {
        self.end.with(py, |receiver| Ok(receiver.capacity()))
    }

    /// Closes it: the sender gets `Closed`. What waits stays for another receiver.
    fn close(&self, py: Python<'_>) {
        self.end.close(py);
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

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyTuple>) {
        self.end.close(py);
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        self.end.shown(py, "Receiver")
    }
}

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

/// One channel of a list.
#[pyclass(frozen, get_all, module = "podwire")]
pub(crate) struct Channel {
    /// The name.
    name: String,
    /// Messages that it can hold.
    capacity: usize,
    /// Bytes of a message that lie in the channel itself.
    inline: usize,
    /// Messages that wait to be received.
    waiting: usize,
    /// What is known about the sender: `"absent"`, `"attached"`, `"closed"` or `"died"`.
    sender: &'static str,
    /// What is known about the receiver.
    receiver: &'static str,
}

impl From<ChannelListing> for Channel {
    fn from(listing: ChannelListing) -> Self {
        let (sender, receiver) = (peer(listing.sender), peer(listing.receiver));
        let ChannelListing { name, capacity, inline, waiting, .. } = listing;
        Self { name, capacity, inline, waiting, sender, receiver }
    }
}

#[pymethods]
impl Channel {
    fn __repr__(&self) -> String {
        format!("<podwire.Channel {:?} with {} of {} messages>", self.name, self.waiting, self.capacity)
    }
}
