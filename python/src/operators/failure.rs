//! Exceptions on their way through Rust, and Rust's errors as exceptions.
//!
//! Invariant: an exception that an operator raised comes out of `run` as the cause of the error, with its traceback.

use std::{
    error::Error as StdError,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use podwire_fragment::{EmitError, Error, ReceiveError};
use pyo3::{intern, prelude::*};

use crate::errors;

/// An exception, and its text with the traceback, which can be shown without the GIL.
#[derive(Debug)]
pub(crate) struct Raised {
    text: String,
}

impl Raised {
    pub(crate) fn new(py: Python<'_>, exception: &PyErr) -> Self {
        let text = formatted(py, exception).unwrap_or_else(|_| exception.to_string());
        Self { text }
    }
}

fn formatted(py: Python<'_>, exception: &PyErr) -> PyResult<String> {
    let parts = (exception.get_type(py), exception.value(py), exception.traceback(py));
    let lines = py.import("traceback")?.call_method1("format_exception", parts)?;
    let lines: Vec<String> = lines.extract()?;
    Ok(format!("{exception}\n{}", lines.concat().trim_end()))
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Raised {}

/// The first exception of an application, and the operator that raised it.
#[derive(Clone, Default)]
pub(crate) struct First(Arc<Mutex<Option<(String, PyErr)>>>);

impl First {
    pub(crate) fn note(&self, py: Python<'_>, operator: &str, exception: &PyErr) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| (operator.to_owned(), exception.clone_ref(py)));
    }

    fn take(&self) -> Option<(String, PyErr)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The exception for an application that did not run to its end.
pub(crate) fn of_run(py: Python<'_>, error: &Error, first: &First) -> PyErr {
    let class = match error {
        Error::Composition(problems) => return composition(py, problems),
        Error::Failed(_) => "OperatorFailed",
        #[cfg(feature = "distributed")]
        Error::Control(error) => of_control(error),
        _ => "Error",
    };
    let exception = errors::error(py, class, chain(error));
    if class == "OperatorFailed"
        && let Some((operator, cause)) = first.take()
    {
        let _ = exception.value(py).setattr(intern!(py, "operator"), operator);
        exception.set_cause(py, Some(cause));
    }
    exception
}

#[cfg(feature = "distributed")]
fn of_control(error: &podwire_fragment::control::ControlError) -> &'static str {
    use podwire_fragment::control::ControlError;
    match error {
        ControlError::Failed { .. } => "OperatorFailed",
        ControlError::WorkerLost { .. } | ControlError::DriverGone { .. } => "WorkerLost",
        ControlError::Refused { .. } => "Refused",
        ControlError::Unreachable { .. } | ControlError::NoDriver { .. } => "Unreachable",
        _ => "Error",
    }
}

pub(crate) fn composition(py: Python<'_>, problems: &podwire_fragment::graph::Problems) -> PyErr {
    let error = errors::error(py, "CompositionError", problems);
    let list: Vec<String> = problems.list().iter().map(|problem| chain(problem)).collect();
    let _ = error.value(py).setattr(intern!(py, "problems"), list);
    error
}

/// An error and its causes, in one line for each that is not in the text already.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

pub(crate) fn of_emit(py: Python<'_>, error: &EmitError) -> PyErr {
    if let Some(own) = exception_in(py, error) {
        return own;
    }
    let class = match error {
        EmitError::UnknownPort { .. } => "UnknownPort",
        EmitError::WrongType { .. } => "WrongType",
        EmitError::Full { .. } => "Full",
        EmitError::Stopping { .. } => "Stopping",
        EmitError::Deadlock { .. } => "Deadlock",
        _ => "EncodeError",
    };
    errors::error(py, class, chain(error))
}

pub(crate) fn of_receive(py: Python<'_>, error: &ReceiveError) -> PyErr {
    let class = match error {
        ReceiveError::UnknownPort { .. } => "UnknownPort",
        ReceiveError::Empty { .. } => "Empty",
        ReceiveError::WrongType { .. } => "WrongType",
        _ => "DecodeError",
    };
    exception_in(py, error).unwrap_or_else(|| errors::error(py, class, chain(error)))
}

/// The exception that an error comes from, if it comes from one.
fn exception_in(py: Python<'_>, error: &(dyn StdError + 'static)) -> Option<PyErr> {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.find_map(|error| {
        let inner = match error.downcast_ref::<podwire_codec_core::Error>() {
            Some(podwire_codec_core::Error::Backend(inner)) => &**inner as &(dyn StdError + 'static),
            _ => error,
        };
        inner.downcast_ref::<PyErr>().map(|exception| exception.clone_ref(py))
    })
}
