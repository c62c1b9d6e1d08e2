//! What lists and watches give.

use std::{
    sync::{Mutex, PoisonError},
    time::UNIX_EPOCH,
};

use podwire_fastio::Event as FastIoEvent;
use pyo3::prelude::*;

use crate::{errors, waiting::patiently};

/// One name of a list.
#[pyclass(frozen, get_all, module = "podwire")]
#[derive(Clone)]
pub(crate) struct Listing {
    /// The name.
    name: String,
    /// What it stands for.
    id: (u32, u64),
    /// The size in bytes.
    nbytes: u64,
    /// Whether the bytes are immutable.
    sealed: bool,
    /// Whether a writer died in the middle of writing.
    poisoned: bool,
    /// Processes that have a handle.
    holders: usize,
    /// Counts the publications of the pipeline: a later one has a higher number.
    publication: u64,
    /// When it was published, in seconds since 1970.
    published: f64,
}

impl Listing {
    pub(crate) fn new(listing: podwire_fastio::Listing) -> Self {
        Self {
            name: listing.name,
            id: (listing.id.index, listing.id.generation),
            nbytes: listing.size,
            sealed: listing.sealed,
            poisoned: listing.poisoned,
            holders: listing.holders,
            publication: listing.publication,
            published: listing.published.duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64()),
        }
    }
}

#[pymethods]
impl Listing {
    fn __repr__(&self) -> String {
        format!("<podwire.Listing {:?} of {} bytes>", self.name, self.nbytes)
    }
}

/// Something that became of a name.
#[pyclass(frozen, get_all, module = "podwire")]
pub(crate) struct Event {
    /// `"published"`, `"freed"`, or `"missed"`: publications came and went before the watcher looked.
    kind: &'static str,
    /// The name; `None` of what was missed.
    name: Option<String>,
    /// The number of the publication; of what was missed, how many.
    publication: u64,
    /// What was published.
    listing: Option<Listing>,
}

#[pymethods]
impl Event {
    fn __repr__(&self) -> String {
        format!("<podwire.Event {} {:?}>", self.kind, self.name.as_deref().unwrap_or(""))
    }
}

/// A stream of what becomes of the names of a pipeline: an iterator that waits.
///
/// >>> context = getfixture("context")
/// >>> watch = context.watch()
/// >>> allocation = context.publish_array([1], "one")
/// >>> event = watch.next(timeout=1)
/// >>> event.kind, event.name
/// ('published', 'one')
#[pyclass(frozen, module = "podwire")]
pub(crate) struct Watch {
    watch: Mutex<podwire_fastio::Watch>,
}

impl Watch {
    pub(crate) fn new(watch: podwire_fastio::Watch) -> Self {
        Self { watch: Mutex::new(watch) }
    }
}

#[pymethods]
impl Watch {
    /// The next event. `timeout` is in seconds; without one it waits for ever.
    #[pyo3(signature = (timeout=None))]
    fn next(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Event> {
        let event = patiently(py, timeout, |slice| {
            self.watch.lock().unwrap_or_else(PoisonError::into_inner).next(slice)
        })?;
        match event {
            FastIoEvent::Published(listing) => {
                let listing = Listing::new(listing);
                let (name, publication) = (Some(listing.name.clone()), listing.publication);
                Ok(Event { kind: "published", name, publication, listing: Some(listing) })
            }
            FastIoEvent::Freed { name, publication } => {
                Ok(Event { kind: "freed", name: Some(name), publication, listing: None })
            }
            FastIoEvent::Missed { publications } => {
                Ok(Event { kind: "missed", name: None, publication: publications, listing: None })
            }
            other => Err(errors::error(py, "Error", format!("an event that is not known here: {other:?}"))),
        }
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Event> {
        self.next(py, None)
    }
}
