//! What an operator receives from, emits to, and asks: `Input`, `Output` and `Context`.
//!
//! Invariant: the GIL is released while a message is waited for, copied, read or written.

use std::{collections::BTreeMap, sync::Arc};

use podwire_codec_core::{message::Metadata, registry::Dynamic};
use podwire_fragment::Message;
use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyDict},
};

use super::{
    codec::{self, Object, Read},
    failure,
    lent::Lent,
};
use crate::{context::FastIOContext, errors, native::NativeTensor};

/// What a port takes, beside its name.
pub(crate) struct Port {
    pub(crate) name: String,
    /// Its codec; nothing if it takes any object.
    pub(crate) codec: Option<PortCodec>,
    /// Objects without a codec travel as pickles.
    pub(crate) pickle: bool,
}

/// The codec of a port.
pub(crate) struct PortCodec {
    pub(crate) name: Arc<str>,
    /// Makes what was received an object of the port's class, where it has one.
    pub(crate) load: Option<Py<PyAny>>,
    /// Arrays must have this dtype.
    pub(crate) dtype: Option<Py<PyAny>>,
}

/// Travels with a `NativeTensor`, which arrives as one: other arrays become those of numpy or CuPy.
const NATIVE: &str = "podwire.native";

fn find<'p>(ports: &'p [Port], name: &str) -> Option<&'p Port> {
    ports.iter().find(|port| port.name == name)
}

/// Checks the dtype of an array for a port that asks for one.
fn check(port: &Port, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = value.py();
    let Some(wanted) = port.codec.as_ref().and_then(|codec| codec.dtype.as_ref()) else { return Ok(()) };
    let found = match value.getattr_opt(intern!(py, "dtype"))? {
        Some(found) => found,
        None => crate::array::numpy(py)?.call_method1(intern!(py, "asarray"), (value,))?.getattr("dtype")?,
    };
    if wanted.bind(py).eq(&found)? {
        return Ok(());
    }
    let message =
        format!("port {} is for arrays of {}, and this one is of {found}", port.name, wanted.bind(py));
    Err(errors::error(py, "WrongType", message))
}

/// The outputs of an operator: where an object leaves it. It is there while `compute` runs.
#[pyclass(frozen, module = "podwire")]
pub(crate) struct Output {
    pub(crate) lent: Lent<podwire_fragment::Output>,
    pub(crate) ports: Vec<Port>,
    pub(crate) context: Arc<Lent<podwire_fragment::Context>>,
}

#[pymethods]
impl Output {
    /// Emits an object: every connection of the output gets it.
    ///
    /// Within the process it is the object itself, so leave it alone from then on. Other processes get what its codec makes of
    /// it. Where there is no room, the policy of the connected input decides. `metadata` are bytes by text that travel with it.
    #[pyo3(signature = (port, value, metadata=None))]
    fn emit(
        &self,
        py: Python<'_>,
        port: &str,
        value: &Bound<'_, PyAny>,
        metadata: Option<BTreeMap<String, Vec<u8>>>,
    ) -> PyResult<()> {
        let mut message = match find(&self.ports, port) {
            Some(known) => message(known, value)?,
            None => Message::new(Object(value.clone().unbind())), // which is refused below
        };
        let is_bare = message.value().is::<Object>();
        let is_native = value.is_instance_of::<NativeTensor>();
        if metadata.is_some() || is_native {
            let mut keys = Metadata::new();
            for (key, bytes) in metadata.unwrap_or_default() {
                keys.insert_bytes(&key, bytes);
            }
            if is_native {
                keys.insert_bytes(NATIVE, []);
            }
            message = message.with_metadata(keys);
        }
        let emitted = self.lent.with(py, |output| {
            py.detach(|| codec::emitting(&self.context, || output.emit_message(port, message)))
        })?;
        emitted.map_err(|error| match error {
            podwire_fragment::EmitError::Link(_) if is_bare => no_codec(value),
            error => failure::of_emit(py, &error),
        })
    }

    /// Whether anybody may receive what is emitted there.
    fn is_heard(&self, py: Python<'_>, port: &str) -> PyResult<bool> {
        self.lent.with(py, |output| py.detach(move || output.is_heard(port)))
    }
}

/// That an object cannot leave the process.
fn no_codec(value: &Bound<'_, PyAny>) -> PyErr {
    let kind = value.get_type().name().map_or_else(|_| "this".into(), |name| name.to_string());
    let message = format!(
        "a {kind} has no codec to travel to another process by: give the port a type, or both ports allow_pickle=True"
    );
    errors::error(value.py(), "EncodeError", message)
}

/// An object as a message of a port.
fn message(port: &Port, value: &Bound<'_, PyAny>) -> PyResult<Message> {
    static WIRE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = value.py();
    let object = Object(value.clone().unbind());
    let name: Arc<str> = match &port.codec {
        Some(codec) => {
            check(port, value)?;
            Arc::clone(&codec.name)
        }
        None => {
            let wire = WIRE.import(py, "podwire._operators", "wire")?;
            match wire.call1((value, port.pickle))?.extract::<Option<String>>()? {
                Some(name) => name.into(),
                // It stays within the process, or the link says that it cannot travel.
                None => return Ok(Message::new(object)),
            }
        }
    };
    Ok(Message::any(Box::new(Dynamic::new(name, Box::new(object)))))
}

/// The inputs of an operator: where an object arrives. It is there while `compute` runs.
#[pyclass(frozen, module = "podwire")]
pub(crate) struct Input {
    pub(crate) lent: Lent<podwire_fragment::Input>,
    pub(crate) ports: Vec<Port>,
}

impl Input {
    fn take(&self, py: Python<'_>, port: &str) -> PyResult<Option<Message>> {
        let message = self.lent.with(py, |input| py.detach(|| input.try_receive_any(port)))?;
        message.map_err(|error| failure::of_receive(py, &error))
    }

    fn object<'py>(&self, py: Python<'py>, port: &str, message: &Message) -> PyResult<Bound<'py, PyAny>> {
        if let Some(Object(object)) = message.value().downcast_ref() {
            return Ok(object.bind(py).clone());
        }
        let Some(dynamic) = message.value().downcast_ref::<Dynamic>() else {
            return Err(errors::error(
                py,
                "WrongType",
                format!("the message at input {port} is not of Python"),
            ));
        };
        if let Some(Object(object)) = dynamic.value().downcast_ref() {
            return Ok(object.bind(py).clone());
        }
        let (Some(read), Some(port)) = (dynamic.value().downcast_ref::<Read>(), find(&self.ports, port))
        else {
            return Err(errors::error(
                py,
                "WrongType",
                format!("the message at input {port} is not of Python"),
            ));
        };
        if read.pickled {
            if !port.pickle {
                let message = format!("a pickle came to input {}, which does not allow any", port.name);
                return Err(errors::error(py, "PickleRefused", message));
            }
            return codec::loaded(&read.bare(py)?);
        }
        let native = || match message.metadata().bytes(NATIVE) {
            Some(_) => read.native(py),
            None => Ok(None),
        };
        let Some(PortCodec { name, load, .. }) = &port.codec else {
            return native()?.map_or_else(|| read.to_python(py, dynamic.codec()), Ok);
        };
        if **name != *dynamic.codec() {
            let message = format!("input {} is for {name}, and a {} came", port.name, dynamic.codec());
            return Err(errors::error(py, "WrongType", message));
        }
        let value = match load {
            Some(load) => load.bind(py).call1((read.bare(py)?,))?,
            None => match native()? {
                Some(native) => native,
                None => read.to_python(py, name)?,
            },
        };
        check(port, &value)?;
        Ok(value)
    }
}

#[pymethods]
impl Input {
    /// The object that waits at an input. `Empty` if none does, which cannot be at an input that the operator waits for, the
    /// first time that it asks.
    fn receive<'py>(&self, py: Python<'py>, port: &str) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.receive_with_metadata(py, port)?.0)
    }

    /// The object that waits at an input; `default` if none does.
    #[pyo3(signature = (port, default=None))]
    fn try_receive<'py>(
        &self,
        py: Python<'py>,
        port: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.take(py, port)? {
            Some(message) => self.object(py, port, &message),
            None => Ok(default.unwrap_or_else(|| py.None().into_bound(py))),
        }
    }

    /// The object that waits at an input, and the bytes that travelled with it, by their names.
    fn receive_with_metadata<'py>(
        &self,
        py: Python<'py>,
        port: &str,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
        let Some(message) = self.take(py, port)? else {
            return Err(errors::error(py, "Empty", format!("no message waits at input {port}")));
        };
        let metadata = PyDict::new(py);
        for (key, bytes) in message.metadata().iter().filter(|(key, _)| *key != NATIVE) {
            metadata.set_item(key, PyBytes::new(py, bytes))?;
        }
        Ok((self.object(py, port, &message)?, metadata))
    }

    /// How many messages wait at an input; at least so many, where some come from other processes.
    fn waiting(&self, py: Python<'_>, port: &str) -> PyResult<usize> {
        self.lent.with(py, |input| py.detach(move || input.waiting(port)))
    }

    /// Whether nothing waits at an input and nothing will come.
    fn is_closed(&self, py: Python<'_>, port: &str) -> PyResult<bool> {
        self.lent.with(py, |input| py.detach(move || input.is_closed(port)))
    }
}

/// What an operator can ask about its application, and of it. It is there while `start`, `compute` or `stop` runs.
#[pyclass(frozen, module = "podwire")]
pub(crate) struct Context {
    pub(crate) lent: Arc<Lent<podwire_fragment::Context>>,
}

#[pymethods]
impl Context {
    /// The name of the fragment; empty in an application without fragments.
    #[getter]
    fn fragment(&self, py: Python<'_>) -> PyResult<String> {
        self.lent.with(py, |context| context.fragment().to_owned())
    }

    /// The name of the operator in its fragment.
    #[getter]
    fn operator(&self, py: Python<'_>) -> PyResult<String> {
        self.lent.with(py, |context| context.operator().to_owned())
    }

    /// How often `compute` was called before.
    #[getter]
    fn tick(&self, py: Python<'_>) -> PyResult<u64> {
        self.lent.with(py, |context| context.tick())
    }

    /// Seconds since the application was started in this process.
    #[getter]
    fn time(&self, py: Python<'_>) -> PyResult<f64> {
        self.lent.with(py, |context| context.time().as_secs_f64())
    }

    /// Whether the application is being stopped. An operator that computes for long looks at it now and then.
    #[getter]
    fn is_stopping(&self, py: Python<'_>) -> PyResult<bool> {
        self.lent.with(py, |context| context.is_stopping())
    }

    /// The Fast I/O pipeline of the application: what is created in it, and sealed, goes to other processes of the host without
    /// a copy. It is gone when the application has ended.
    fn fast_io(&self, py: Python<'_>) -> PyResult<FastIOContext> {
        let opened = self.lent.with(py, |context| py.detach(|| context.fast_io()))?;
        opened.map(FastIOContext::from_open).map_err(|error| errors::fastio(py, error, "Error"))
    }

    /// The operator ends after this call.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.lent.with(py, |context| context.finish())
    }

    /// The application ends in order: its sources first, and what they have emitted is still computed.
    fn stop_application(&self, py: Python<'_>) -> PyResult<()> {
        self.lent.with(py, |context| py.detach(|| context.stop_application()))
    }
}
