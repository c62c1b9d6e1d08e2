//! Which transports an application can take between its processes: those that are built in, and those that it was given.
//!
//! Not here: which of them a connection takes, which the driver decides. Invariant: names are in order of preference, and
//! each of them stands for one transport.

use std::sync::Arc;

use super::{Directory, Transport};
use crate::graph::Problem;

/// Transports that lead to other processes, best first, each with its version and whether it stays within a host.
const BUILT_IN: &[(&str, u32, bool)] = &[
    ("fastio", 1, true),
    #[cfg(feature = "ucx")]
    ("ucx", 1, false),
    #[cfg(feature = "distributed")]
    ("zenoh", 1, false),
];

/// The feature that a transport of podwire needs, if it needs one.
fn feature_of(name: &str) -> Option<&'static str> {
    [("ucx", "ucx"), ("zenoh", "distributed")].into_iter().find(|(ours, _)| *ours == name).map(|(_, it)| it)
}

/// What a transport that was added is told when a process opens it: the run of the application, which is the same in all
/// processes and never the same again.
#[derive(Clone)]
pub struct Run {
    pub(crate) application: String,
    pub(crate) name: String,
    pub(crate) worker: String,
    pub(crate) directory: Arc<dyn Directory>,
}

impl Run {
    /// The name of the application.
    #[must_use]
    pub fn application(&self) -> &str {
        &self.application
    }

    /// The name of the run, in letters that files and keys can have: what two runs on a host must not share begins with it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For people: the host and the number of this process.
    #[must_use]
    pub fn worker(&self) -> &str {
        &self.worker
    }

    /// Where the receivers of this run leave addresses and senders find them. What a process left goes when it goes.
    #[must_use]
    pub fn directory(&self) -> &Arc<dyn Directory> {
        &self.directory
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { application, name, worker, .. } = self;
        f.debug_struct("Run")
            .field("application", application)
            .field("name", name)
            .field("worker", worker)
            .finish_non_exhaustive()
    }
}

type Open = dyn Fn(&Run) -> crate::Result<Arc<dyn Transport>> + Send + Sync;

/// A transport that was added to an application: [`Application::add_transport`](crate::Application::add_transport).
pub struct Added {
    name: String,
    version: u32,
    within_host: bool,
    preferred: bool,
    #[cfg_attr(not(feature = "distributed"), expect(dead_code, reason = "one process opens no transport"))]
    open: Box<Open>,
}

impl Added {
    /// The version of what goes over it, 0 if nothing is said: a worker whose version is not the driver's cannot join.
    pub fn version(&mut self, version: u32) -> &mut Self {
        self.version = version;
        self
    }

    /// It leads to processes of the same host only: those that share memory.
    pub fn within_host(&mut self) -> &mut Self {
        self.within_host = true;
        self
    }

    /// It is taken wherever it leads. Without this, it is taken where nothing else leads, or where it is forced.
    pub fn preferred(&mut self) -> &mut Self {
        self.preferred = true;
        self
    }
}

/// The transports of a process that lead to others.
#[derive(Default)]
pub(crate) struct Transports(Vec<Added>);

impl Transports {
    pub(crate) fn add<T: Transport + 'static>(
        &mut self,
        name: String,
        open: impl Fn(&Run) -> crate::Result<T> + Send + Sync + 'static,
    ) -> &mut Added {
        let open = Box::new(move |run: &Run| open(run).map(|it| Arc::new(it) as Arc<dyn Transport>));
        let added = Added { name, version: 0, within_host: false, preferred: false, open };
        self.0.push_mut(added)
    }

    /// All of them, best first, each with its version and whether it stays within a host.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, u32, bool)> {
        let added = |preferred| {
            let added = self.0.iter().filter(move |it| it.preferred == preferred);
            added.map(|it| (it.name.as_str(), it.version, it.within_host))
        };
        added(true).chain(BUILT_IN.iter().copied()).chain(added(false))
    }

    /// What is wrong with those that were added, and with the name of the one that is forced, which `by` says.
    pub(crate) fn problems(&self, forced: Option<(&str, &'static str)>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (at, Added { name, .. }) in self.0.iter().enumerate() {
            let what = || "transport".to_owned();
            let is_ours = ["local", "fastio"].contains(&&**name) || feature_of(name).is_some();
            if let Some(reason) = crate::graph::flaw(name) {
                problems.push(Problem::BadName { what: what(), name: name.clone(), reason });
            } else if is_ours || self.0[..at].iter().any(|other| other.name == *name) {
                problems.push(Problem::Taken { what: what(), name: name.clone() });
            }
        }
        if let Some((name, by)) = forced
            && !self.all().any(|(known, ..)| known == name)
        {
            let known = self.all().map(|(known, ..)| known.to_owned()).collect();
            let (name, feature) = (name.to_owned(), feature_of(name));
            problems.push(Problem::NoSuchTransport { by, name, known, feature });
        }
        problems
    }

    /// Opens one that was added; nothing if none is called so.
    #[cfg(feature = "distributed")]
    pub(crate) fn open(&self, name: &str, run: &Run) -> Option<crate::Result<Arc<dyn Transport>>> {
        let opened = (self.0.iter().find(|added| added.name == name)?.open)(run);
        Some(opened.and_then(|transport| match transport.name() {
            same if same == name => Ok(transport),
            other => Err(format!("the transport that was added as {name:?} calls itself {other:?}").into()),
        }))
    }
}
