//! `Application`: the native part of it.
//!
//! Not here: what users call, which is Python (`podwire/_operators.py`). Invariant: `run` holds no GIL, and Ctrl-C reaches
//! both: the application ends in order, and then Python is told.

use std::{
    ffi::OsString,
    sync::{Mutex, MutexGuard, PoisonError},
};

use podwire_fragment::{Ended, Error, Fragment, Report, WorkerLost};
use pyo3::{
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt},
};

use super::{
    codec,
    failure::{self, First},
    operator::PythonOperator,
    spec::seconds,
};
use crate::errors;

/// A flow as it was added: from, to, and the pairs of ports.
type Flow = (String, String, Vec<(String, String)>);
/// An operator as it was added: its name, the object, and its count and period where they were said there.
type Placed = (String, Py<PyAny>, Option<u64>, Option<f64>);

/// An application: its command line, and what was added to it.
#[pyclass(frozen, module = "podwire")]
pub(crate) struct Application {
    inner: Mutex<Option<podwire_fragment::Application>>,
    first: First,
}

impl Application {
    fn inner(&self) -> MutexGuard<'_, Option<podwire_fragment::Application>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<R>(
        &self,
        py: Python<'_>,
        using: impl FnOnce(&mut podwire_fragment::Application) -> R,
    ) -> PyResult<R> {
        let mut inner = self.inner();
        let over = || errors::error(py, "Closed", "the application has run");
        inner.as_mut().map(using).ok_or_else(over)
    }

    fn operator(&self, operator: Py<PyAny>) -> PythonOperator {
        PythonOperator::new(operator, self.first.clone())
    }
}

#[pymethods]
impl Application {
    #[new]
    fn new(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<Self> {
        codec::register_builtins(py)?;
        let application = podwire_fragment::Application::new(arguments);
        Ok(Self { inner: Mutex::new(Some(application)), first: First::default() })
    }

    fn _argv(&self, py: Python<'_>) -> PyResult<Vec<OsString>> {
        self.with(py, |application| application.argv().to_vec())
    }

    fn _option<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        value_name: &str,
        help: &str,
        default: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        macro_rules! of {
            ($type:ty) => {{
                let default: $type = default.extract()?;
                let value = self.with(py, |it| it.option(name, value_name, help, default))?;
                Ok(value.into_pyobject(py)?.to_owned().into_any())
            }};
        }
        if default.is_instance_of::<PyBool>() {
            of!(bool)
        } else if default.is_instance_of::<PyInt>() {
            of!(i64)
        } else if default.is_instance_of::<PyFloat>() {
            of!(f64)
        } else {
            of!(String)
        }
    }

    fn _flag(&self, py: Python<'_>, name: &str, help: &str) -> PyResult<bool> {
        self.with(py, |application| application.flag(name, help))
    }

    fn _arguments(&self, py: Python<'_>, value_name: &str, help: &str) -> PyResult<Vec<OsString>> {
        self.with(py, |application| application.arguments(value_name, help))
    }

    fn _about(&self, py: Python<'_>, text: &str) -> PyResult<()> {
        self.with(py, |application| application.about(text))
    }

    fn _version(&self, py: Python<'_>, version: &str) -> PyResult<()> {
        self.with(py, |application| application.version(version))
    }

    fn _help_text(&self, py: Python<'_>, text: &str) -> PyResult<()> {
        self.with(py, |application| application.help_text(text))
    }

    fn _is_asked_for_help(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |application| application.is_asked_for_help())
    }

    fn _settings(&self, py: Python<'_>, waits: bool, signals: bool, grace: Option<f64>) -> PyResult<()> {
        let grace = grace.map(seconds).transpose()?;
        self.with(py, |application| {
            application.when_worker_lost(if waits { WorkerLost::Wait } else { WorkerLost::End });
            application.handle_signals(signals);
            if let Some(time) = grace {
                application.grace_period(time);
            }
        })
    }

    fn _add_fragment(
        &self,
        py: Python<'_>,
        name: &str,
        elsewhere: bool,
        operators: Vec<Placed>,
        flows: Vec<Flow>,
    ) -> PyResult<()> {
        let mut fragment = if elsewhere { Fragment::elsewhere(name) } else { Fragment::new(name) };
        for (name, operator, count, period) in operators {
            let placed = fragment.add_operator(name, self.operator(operator));
            count.map(|runs| placed.count(runs));
            period.map(seconds).transpose()?.map(|time| placed.period(time));
        }
        for (from, to, ports) in flows {
            fragment.add_flow(from, to, ports);
        }
        self.with(py, |application| application.add_fragment(fragment))
    }

    fn _add_operator(&self, py: Python<'_>, placed: Placed) -> PyResult<()> {
        let (name, operator, count, period) = placed;
        let period = period.map(seconds).transpose()?;
        let operator = self.operator(operator);
        self.with(py, |application| {
            let placed = application.add_operator(name, operator);
            count.map(|runs| placed.count(runs));
            period.map(|time| placed.period(time));
        })
    }

    fn _add_flow(&self, py: Python<'_>, flow: Flow) -> PyResult<()> {
        let (from, to, ports) = flow;
        self.with(py, |application| application.add_flow(from, to, ports))
    }

    /// The names of the connections.
    fn _check(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let taken = self.inner().take();
        let mut application = taken.ok_or_else(|| errors::error(py, "Closed", "the application has run"))?;
        // Taken out, as the operators' `setup` may ask the application for something.
        let checked = py.detach(|| application.check());
        *self.inner() = Some(application);
        let graph = checked.map_err(|problems| failure::composition(py, &problems))?;
        Ok(graph.connections.iter().map(|connection| graph.connection_name(connection)).collect())
    }

    fn _run<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let taken = self.inner().take();
        let application = taken.ok_or_else(|| errors::error(py, "Closed", "the application has run"))?;
        let ran = py.detach(|| application.run());
        match ran {
            Ok(report) => {
                // Python saw the signal too: this is where it raises `KeyboardInterrupt`.
                py.check_signals()?;
                of_report(py, &report)
            }
            Err(error) => {
                let exception = failure::of_run(py, &error, &self.first);
                if let Some(report) = report_of(&error) {
                    exception.value(py).setattr("report", of_report(py, report)?)?;
                }
                Err(exception)
            }
        }
    }
}

fn report_of(error: &Error) -> Option<&Report> {
    #[cfg(feature = "distributed")]
    use podwire_fragment::control::ControlError::{Failed, WorkerLost};
    match error {
        Error::Failed(report) => Some(report),
        #[cfg(feature = "distributed")]
        Error::Control(Failed { report, .. } | WorkerLost { report, .. }) => Some(report),
        _ => None,
    }
}

/// A report as plain data, of which `podwire/_operators.py` makes classes.
fn of_report<'py>(py: Python<'py>, report: &Report) -> PyResult<Bound<'py, PyDict>> {
    let found = PyDict::new(py);
    let (ended, signal, by) = match &report.ended {
        Ended::Done => ("done", None, None),
        Ended::Stopped { operator } => ("stopped", None, Some(operator)),
        Ended::Interrupted { signal } => ("interrupted", Some(*signal), None),
        Ended::Failed => ("failed", None, None),
    };
    found.set_item("ended", ended)?;
    found.set_item("signal", signal)?;
    found.set_item("stopped_by", by)?;
    let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    found.set_item("failures", failures)?;
    let operators = report.operators.iter().map(|operator| {
        let because = format!("{:?}", operator.because);
        (&*operator.name, operator.ticks, operator.received, operator.emitted, because)
    });
    found.set_item("operators", operators.collect::<Vec<_>>())?;
    let connections = report.connections.iter().map(|connection| {
        let counts = &connection.counts;
        let numbers = (counts.sent, counts.received, counts.dropped, counts.lost, counts.copied_bytes);
        (&*connection.name, &*connection.transport, numbers)
    });
    found.set_item("connections", connections.collect::<Vec<_>>())?;
    Ok(found)
}
