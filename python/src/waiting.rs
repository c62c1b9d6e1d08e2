//! Waiting without the GIL, in slices, so that Ctrl-C ends it.
//!
//! Invariant: nothing here holds the GIL while it waits, and what is waited for is asked at least once.

use std::time::{Duration, Instant};

use podwire_fastio::{Error, Result};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::errors;

/// How long Ctrl-C may have to wait.
const SLICE: Duration = Duration::from_millis(100);

/// Asks `ask` again and again, for at most `timeout` seconds, or for ever.
pub(crate) fn patiently<T: Send>(
    py: Python<'_>,
    timeout: Option<f64>,
    ask: impl FnMut(Duration) -> Result<T> + Send,
) -> PyResult<T> {
    patiently_or(py, timeout, "DecodeError", ask)
}

/// The same; `codec` is the class for an error of a codec.
pub(crate) fn patiently_or<T: Send>(
    py: Python<'_>,
    timeout: Option<f64>,
    codec: &str,
    mut ask: impl FnMut(Duration) -> Result<T> + Send,
) -> PyResult<T> {
    let wrong = || PyValueError::new_err("the timeout is no number of seconds that one can wait");
    let wait =
        timeout.map(|seconds| Duration::try_from_secs_f64(seconds).map_err(|_| wrong())).transpose()?;
    let begin = Instant::now();
    loop {
        let left = wait.map(|wait| wait.saturating_sub(begin.elapsed()));
        let slice = left.map_or(SLICE, |left| left.min(SLICE));
        match py.detach(|| ask(slice)) {
            Err(Error::Timeout { what, .. }) => match wait {
                Some(waited) if waited <= begin.elapsed() => {
                    return Err(errors::fastio(py, Error::Timeout { what, waited }, codec));
                }
                _ => py.check_signals()?,
            },
            other => return other.map_err(|problem| errors::fastio(py, problem, codec)),
        }
    }
}
