//! `OperatorSpec`: what an operator says in `setup`.
//!
//! Not here: which codec a type has, which is `podwire/_operators.py`. Invariant: both sides of a port, that of Rust and
//! that of Python, are made together.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use podwire_fragment::WhenFull;
use pyo3::{
    IntoPyObjectExt,
    exceptions::{PyTypeError, PyValueError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBool, PyFloat, PyInt, PyString},
};

use super::{
    codec,
    lent::Lent,
    ports::{Port, PortCodec},
};
use crate::schema::Schema;

/// What an operator says in `setup`: its ports, its conditions, its parameters. It is there while `setup` runs.
#[pyclass(frozen, module = "podwire")]
pub(crate) struct OperatorSpec {
    pub(crate) lent: Lent<podwire_fragment::OperatorSpec>,
    pub(crate) ports: Mutex<(Vec<Port>, Vec<Port>)>,
}

impl OperatorSpec {
    pub(crate) fn new(spec: podwire_fragment::OperatorSpec) -> Self {
        let lent = Lent::nothing();
        lent.lend(spec);
        Self { lent, ports: Mutex::default() }
    }

    /// The port of a type.
    fn port(py: Python<'_>, name: &str, of: Option<Bound<'_, PyAny>>, pickle: bool) -> PyResult<Port> {
        static PORT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let found = PORT.import(py, "podwire._operators", "port")?.call1((of,))?;
        let codec = if found.is_none() {
            None
        } else {
            let called: String = found.getattr(intern!(py, "name"))?.extract()?;
            let schema = found.getattr(intern!(py, "schema"))?.cast_into::<Schema>()?;
            codec::register(py, &called, schema.unbind(), false)?;
            let optional = |name: &str| -> PyResult<Option<Py<PyAny>>> {
                Ok(Some(found.getattr(name)?).filter(|value| !value.is_none()).map(Bound::unbind))
            };
            Some(PortCodec { name: called.into(), load: optional("load")?, dtype: optional("dtype")? })
        };
        if pickle && codec.is_some() {
            let message = format!("port {name} has a codec, and needs no pickles");
            return Err(PyValueError::new_err(message));
        }
        Ok(Port { name: name.into(), codec, pickle })
    }
}

/// What processes compare of a port that takes pickles.
fn label(py: Python<'_>) -> PyResult<String> {
    Ok(format!("any, or {}", py.import("podwire._pickling")?.getattr("NAME")?.extract::<String>()?))
}

/// A time in seconds.
pub(crate) fn seconds(time: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(time).map_err(|_| PyValueError::new_err("this is no number of seconds"))
}

#[pymethods]
impl OperatorSpec {
    /// Adds an input.
    ///
    /// `type` is the name of a codec in Rust (`"Vec<f64>"`), a class with `@podwire.codec`, an annotation of `podwire`
    /// (`podwire.Tensor`), a `numpy.dtype` for arrays of that dtype, a `podwire.Described`, or `Any`. `capacity` messages can wait
    /// in each connection; then `when_full` decides: `"block"`, `"drop_oldest"` or `"refuse"`. The operator waits for `at_least` of
    /// them, and for none if the input is `optional`, which then need not be connected.
    #[pyo3(signature = (name, r#type=None, *, capacity=4, when_full="block", at_least=1, optional=false, allow_pickle=false))]
    #[expect(clippy::too_many_arguments, reason = "they are named")]
    fn input(
        &self,
        py: Python<'_>,
        name: &str,
        r#type: Option<Bound<'_, PyAny>>,
        capacity: usize,
        when_full: &str,
        at_least: usize,
        optional: bool,
        allow_pickle: bool,
    ) -> PyResult<()> {
        let port = Self::port(py, name, r#type, allow_pickle)?;
        let when_full = match when_full {
            "block" => WhenFull::Block,
            "drop_oldest" => WhenFull::DropOldest,
            "refuse" => WhenFull::Refuse,
            other => {
                let message =
                    format!("when_full={other:?}: there are \"block\", \"drop_oldest\" and \"refuse\"");
                return Err(PyValueError::new_err(message));
            }
        };
        let label = if allow_pickle { Some(label(py)?) } else { None };
        self.lent.with(py, |spec| {
            let mut input = match &port.codec {
                Some(codec) => spec.input_dynamic(name, &codec.name),
                None => spec.input_any(name),
            };
            if let Some(label) = &label {
                input = input.label(label);
            }
            let input = input.capacity(capacity).when_full(when_full).at_least(at_least);
            if optional {
                input.optional();
            }
        })?;
        self.ports.lock().unwrap_or_else(PoisonError::into_inner).0.push(port);
        Ok(())
    }

    /// Adds an output: `type` as of an input. With `allow_pickle`, objects without a codec travel as pickles.
    #[pyo3(signature = (name, r#type=None, *, allow_pickle=false))]
    fn output(
        &self,
        py: Python<'_>,
        name: &str,
        r#type: Option<Bound<'_, PyAny>>,
        allow_pickle: bool,
    ) -> PyResult<()> {
        let port = Self::port(py, name, r#type, allow_pickle)?;
        let label = if allow_pickle { Some(label(py)?) } else { None };
        self.lent.with(py, |spec| {
            match &port.codec {
                Some(codec) => spec.output_dynamic(name, &codec.name),
                None => spec.output_any(name),
            }
            if let Some(label) = &label {
                spec.label_output(label);
            }
        })?;
        self.ports.lock().unwrap_or_else(PoisonError::into_inner).1.push(port);
        Ok(())
    }

    /// After so many runs the operator ends.
    fn count(&self, py: Python<'_>, runs: u64) -> PyResult<()> {
        self.lent.with(py, |spec| {
            spec.count(runs);
        })
    }

    /// The operator runs at multiples of this time, in seconds, after its first run; those that are missed are left out.
    fn period(&self, py: Python<'_>, time: f64) -> PyResult<()> {
        let time = seconds(time)?;
        self.lent.with(py, |spec| {
            spec.period(time);
        })
    }

    /// The operator runs as soon as one of its inputs has messages, instead of all.
    fn when_any_input(&self, py: Python<'_>) -> PyResult<()> {
        self.lent.with(py, |spec| {
            spec.when_any_input();
        })
    }

    /// A parameter of the operator: what the file of `--config` says, or else `default`, whose type it has: `bool`, `int`,
    /// `float`, `str`, or a list of one of these.
    fn parameter<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        help: &str,
        default: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        macro_rules! of {
            ($type:ty) => {{
                let default: $type = default.extract()?;
                return self.lent.with(py, |spec| spec.parameter(name, help, default))?.into_bound_py_any(py);
            }};
        }
        let kind = match default.try_iter() {
            Ok(mut items) if !default.is_instance_of::<PyString>() => items.next().transpose()?,
            _ => None,
        };
        match kind {
            None if default.is_instance_of::<PyBool>() => of!(bool),
            None if default.is_instance_of::<PyInt>() => of!(i64),
            None if default.is_instance_of::<PyFloat>() => of!(f64),
            None if default.is_instance_of::<PyString>() => of!(String),
            Some(first) if first.is_instance_of::<PyBool>() => of!(Vec<bool>),
            Some(first) if first.is_instance_of::<PyInt>() => of!(Vec<i64>),
            Some(first) if first.is_instance_of::<PyFloat>() => of!(Vec<f64>),
            Some(first) if first.is_instance_of::<PyString>() => of!(Vec<String>),
            None if default.len().is_ok() => of!(Vec<String>),
            _ => {
                Err(PyTypeError::new_err("a parameter is a bool, an int, a float, a str, or a list of them"))
            }
        }
    }
}
