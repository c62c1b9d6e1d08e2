//! The sending end.

use std::{collections::BTreeMap, time::Duration};

use podwire_codec_core::message::Metadata;
use podwire_fastio::{
    ChannelOptions, FastIoAllocation, FastIoContext, Payload, Result as FastIoResult, Sender as FastIoSender,
};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyByteArray, PyBytes, PyMemoryView, PyTuple},
};

use super::end::{End, methods_of_both};
use crate::{
    allocation::FastIOAllocation,
    encode::{self, Encoded},
    errors, publish,
    schema::Schema,
    waiting::patiently_or,
};

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
        let end = End::open(py, name, || context.sender(name, &options))?;
        Ok(Self { end, context, refuses })
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
            self.end.used(|sender| send(sender, &outgoing, keys.as_ref(), (!refuses).then_some(slice)))
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
        let sent = py.detach(|| self.end.used(|sender| send(sender, &outgoing, None, None)));
        sent.map_err(|error| errors::fastio(py, error, "EncodeError"))
    }

    /// Messages that were sent through the channel since it was made, by this sender and those before it.
    #[getter]
    fn sent(&self, py: Python<'_>) -> PyResult<u64> {
        self.end.with(py, |sender| Ok(sender.sent()))
    }

    /// Messages of these that receivers were done with. Of a receiver that died, `received - settled` died in its hands.
    #[getter]
    fn settled(&self, py: Python<'_>) -> PyResult<u64> {
        self.end.with(py, |sender| Ok(sender.settled()))
    }

    /// Bytes of this sender's messages that were copied into allocations of their own.
    #[getter]
    fn copied_bytes(&self, py: Python<'_>) -> PyResult<u64> {
        self.end.with(py, |sender| Ok(sender.copied_bytes()))
    }
}

methods_of_both!(Sender);
