//! Objects of Python as messages, and messages of other processes as objects.
//!
//! Within the process a message is the object itself. Invariant: what leaves the process is what the schema of its codec
//! describes, and nothing of it changes any more, whatever Python does with its arrays.

use std::{
    any::{Any, TypeId},
    cell::RefCell,
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use podwire_codec_core::{
    CodecRegistry, Error, Reader, Result, Segment, Writer,
    registry::{AnyValue, Dynamic, DynamicCodec},
    schema::{Schema as CoreSchema, Value},
};
use podwire_fastio::SharedBytes;
use pyo3::{exceptions::PyTypeError, prelude::*, sync::PyOnceLock};

use super::lent::Lent;
use crate::{encode::Encoded, errors, native::NativeTensor, schema::Schema, tensor, value};

/// Smaller memory is copied into the message.
const SMALL: usize = 16 << 10;

/// An object of this process.
pub(crate) struct Object(pub(crate) Py<PyAny>);

/// A value of another process, as its schema describes it.
pub(crate) struct Read {
    value: Value,
    schema: CoreSchema,
    /// It was read by the codec of pickles.
    pub(crate) pickled: bool,
}

/// The codec of a schema.
struct PythonCodec {
    schema: Py<Schema>,
    /// What travels is a pickle, which only this codec makes.
    pickled: bool,
}

impl DynamicCodec for PythonCodec {
    fn schema(&self) -> CoreSchema {
        self.schema.get().inner().clone()
    }

    fn encode(&self, value: &(dyn Any + Send + Sync), writer: &mut Writer<'_>) -> Result<()> {
        let Some(Object(object)) = value.downcast_ref() else {
            return Err(Error::backend(PyTypeError::new_err("this is no object of Python")));
        };
        let mut encoded = Python::attach(|py| {
            let object = object.bind(py).clone();
            let object = if self.pickled { dumped(&object).map_err(Error::backend)? } else { object };
            Encoded::of(self.schema.get(), &object)
        })?;
        encoded.keep(kept)?;
        encoded.write(writer)
    }

    fn decode(&self, reader: &mut Reader<'_>) -> Result<AnyValue> {
        let schema = self.schema.get().inner();
        let (value, pickled) = (schema.decode(reader)?, self.pickled);
        Ok(Box::new(Read { value, schema: schema.clone(), pickled }))
    }
}

impl Read {
    /// As an object of Python, of the class that is bound to its name if there is one.
    pub(crate) fn to_python<'py>(&self, py: Python<'py>, codec: &str) -> PyResult<Bound<'py, PyAny>> {
        let read = self.bare(py)?;
        value::bound(py, read, codec, self.schema.clone(), None)
    }

    /// As a `NativeTensor`, if it is a tensor.
    pub(crate) fn native<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Value::Struct(record) = &self.value else { return Ok(None) };
        let Some(tensor) = tensor::native_of(py, record)? else { return Ok(None) };
        Ok(Some(Bound::new(py, NativeTensor { tensor })?.into_any()))
    }

    /// As it was read.
    pub(crate) fn bare<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        value::to_python(py, &self.value)
    }
}

fn dumped<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static DUMP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    DUMP.import(object.py(), "podwire._pickling", "dump")?.call1((object,))
}

/// The object of a pickle. To be called only where the port allows pickles.
pub(crate) fn loaded<'py>(pickle: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static LOAD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOAD.import(pickle.py(), "podwire._pickling", "load")?.call1((pickle,))
}

thread_local! {
    /// The context of the operator that emits on this thread.
    static EMITTING: RefCell<Option<Arc<Lent<podwire_fragment::Context>>>> = const { RefCell::new(None) };
}

/// Emits: large arrays are copied into the memory of the application's pipeline.
pub(crate) fn emitting<R>(context: &Arc<Lent<podwire_fragment::Context>>, emit: impl FnOnce() -> R) -> R {
    let before = EMITTING.replace(Some(Arc::clone(context)));
    let emitted = emit();
    EMITTING.set(before);
    emitted
}

/// Memory that nobody writes to any more: what is in a sealed allocation already, or a copy.
fn kept(memory: &Segment) -> Result<Segment> {
    let owner: &dyn Any = &**memory.owner();
    if owner.is::<SharedBytes>() {
        return Ok(memory.clone());
    }
    // What is on a device is copied there, by reference it goes only if nobody can write to it.
    let Ok(bytes) = memory.bytes() else { return Ok(memory.clone()) };
    if bytes.len() >= SMALL
        && let Some(shared) = shared(bytes)
    {
        return Ok(shared);
    }
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).map_err(|_| Error::OutOfMemory { bytes: bytes.len() as u64 })?;
    copy.extend_from_slice(bytes);
    Ok(copy.into())
}

/// A copy in the pipeline of the application, if there is room: what goes to processes of the host from there goes by
/// reference, to however many.
fn shared(bytes: &[u8]) -> Option<Segment> {
    let context = EMITTING.with_borrow(Clone::clone)?;
    let pipeline = context.try_with(|context| context.fast_io().ok()).ok()??;
    let memory = pipeline.create(bytes.len()).ok()?;
    memory.map_mut().ok()?.copy_from_slice(bytes);
    memory.seal().ok()?;
    Some(memory.into_shared().ok()?.into())
}

/// Gives a name the codec of a schema, in this process. Pickles have a name of their own, which nothing else gets any more: it is
/// what this codec has read that is a pickle, and not what is called so.
#[pyfunction]
#[pyo3(signature = (name, schema, pickled=false))]
pub(crate) fn register(py: Python<'_>, name: &str, schema: Py<Schema>, pickled: bool) -> PyResult<()> {
    static PICKLES: OnceLock<String> = OnceLock::new();
    let of_pickles = PICKLES.get().is_some_and(|taken| taken == name);
    if of_pickles != pickled && PICKLES.get().is_some() {
        let message =
            format!("{name:?} cannot be the name of a codec: pickles of this Python have one of their own");
        return Err(errors::error(py, "BadName", message));
    }
    let registry = CodecRegistry::global();
    let known = registry.by_name(name).is_ok_and(|entry| {
        entry.value_type() == TypeId::of::<Dynamic>()
            && entry.fingerprint() == schema.get().inner().fingerprint()
    });
    if known && of_pickles == pickled {
        return Ok(());
    }
    let registered = registry.register_dynamic(name, PythonCodec { schema, pickled });
    registered.map_err(|error| errors::codec(py, error, "BadName"))?;
    if pickled {
        let _ = PICKLES.set(name.to_owned());
    }
    Ok(())
}

/// What every program knows, by each of its names: the name under which it is sent, and its schema.
#[pyfunction]
pub(crate) fn builtin(py: Python<'_>, name: &str) -> PyResult<Option<(String, Py<Schema>)>> {
    static BUILTIN: OnceLock<HashMap<Box<str>, (String, CoreSchema)>> = OnceLock::new();
    let known = BUILTIN.get_or_init(|| {
        let registry = CodecRegistry::preregistered();
        let entries = registry.names().into_iter().filter_map(|name| {
            let entry = registry.by_name(&name).ok()?;
            let sent = registry.by_type(entry.value_type()).map_or(&*name, |sent| sent.name()).to_owned();
            let schema = entry.schema();
            Some((name, (sent, schema)))
        });
        entries.collect()
    });
    let Some((sent, schema)) = known.get(name) else { return Ok(None) };
    Ok(Some((sent.clone(), Py::new(py, Schema::from(schema.clone()))?)))
}

/// Lets messages of the names that every program knows be read as objects of Python.
pub(crate) fn register_builtins(py: Python<'_>) -> PyResult<()> {
    static DONE: PyOnceLock<()> = PyOnceLock::new();
    DONE.get_or_try_init(py, || {
        for name in CodecRegistry::global().names() {
            if let Some((_, schema)) = builtin(py, &name)? {
                register(py, &name, schema, false)?;
            }
        }
        Ok(())
    })
    .copied()
}
