//! Opening the links of a worker's fragments, on a thread of its own.
//!
//! It may take long: another process may have an end of one of them, which was lost because it does not answer, and is not
//! dead. Not here: which transports there are (`links`). Invariant: whatever comes of it comes as one event, also where a
//! transport panics.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::Sender,
    },
    thread,
    time::Duration,
};

use podwire_fastio::FastIoContext;

use super::{
    links::Links,
    words::{Cause, Plan},
    work::Input,
};
use crate::{
    application::Composed,
    condition::WorkerLost,
    context::FastIo,
    error::{causes, panic_message},
    graph::Graph,
    run::{self, Failure, Observer, Runtime},
};

/// Between two looks whether a link is free.
const PAUSE: Duration = Duration::from_millis(20);

/// What the links of fragments are opened with.
pub(super) struct Opening {
    pub(super) links: Links,
    pub(super) grace: Duration,
    pub(super) worker: String,
    pub(super) graph: Arc<Graph>,
    pub(super) events: Sender<Input>,
    /// Looked at now and then.
    pub(super) wanted: Arc<AtomicBool>,
}

/// Fragments that can begin.
pub(super) struct Opened {
    pub(super) runtime: Runtime,
    pub(super) memory: Option<FastIoContext>,
}

impl Opening {
    /// Opens the links of a plan, and says what came of it.
    pub(super) fn run(self, composed: Composed, plan: &Plan) {
        let opened = catch_unwind(AssertUnwindSafe(|| self.open(composed, plan)));
        let opened = opened
            .unwrap_or_else(|panic| Err(format!("a transport panicked: {}", panic_message(&*panic)).into()));
        let opened = opened.map_err(|error| Cause {
            operator: String::new(),
            fragments: self.names(plan),
            worker: self.worker.clone(),
            what: format!("a link cannot be opened: {}", causes(&*error).join(": ")),
        });
        if opened.is_ok() && self.wanted.load(Relaxed) {
            eprintln!("podwire: this worker runs fragment {}", self.names(plan).join(", "));
        }
        // Nobody hears it where the worker has left meanwhile.
        let _ = self.events.send(Input::Opened(Box::new(opened)));
    }

    /// The fragments that are to run here.
    fn names(&self, plan: &Plan) -> Vec<String> {
        let name = |at: &u32| Some(self.graph.fragments.get(*at as usize)?.name.clone());
        plan.yours.iter().filter_map(name).collect()
    }

    fn open(&self, composed: Composed, plan: &Plan) -> crate::Result<Opened> {
        let opened = self.links.open(plan)?;
        let memory = opened.memory.clone();
        let fast_io = memory.clone().map_or_else(|| FastIo::ephemeral(plan.run.clone()), FastIo::from);
        for (connection, name) in self.graph.connections.iter().zip(&plan.transports) {
            if !name.is_empty() {
                let connection = self.graph.connection_name(connection);
                tracing::info!(target: "podwire::fragment", connection, transport = name, "chosen");
            }
        }
        let observer =
            Ears { graph: Arc::clone(&self.graph), worker: self.worker.clone(), events: self.events.clone() };
        let told = Cell::new(false);
        let plan = run::Plan {
            local: &|fragment| plan.yours.iter().any(|at| *at as usize == fragment),
            transport: &|connection| opened.get(plan.transports.get(connection)?),
            when_lost: if plan.waits { WorkerLost::Wait } else { WorkerLost::End },
            try_again: &|link| plan.waits && self.wait_for(link, &told),
            observer: Arc::new(observer),
            fast_io,
            grace: self.grace,
        };
        Ok(Opened { runtime: Runtime::prepare(composed, plan)?, memory })
    }

    /// Waits a moment for whoever has an end of a link. Once that process comes to itself, it sees that it was given up, and
    /// goes.
    fn wait_for(&self, link: &str, told: &Cell<bool>) -> bool {
        if !told.replace(true) {
            eprintln!(
                "podwire: waiting until the process is gone that has {link} open: it was lost because it does not answer, \
                 but it is not dead"
            );
        }
        thread::sleep(PAUSE);
        self.wanted.load(Relaxed)
    }
}

/// Hears at once what others must know.
struct Ears {
    graph: Arc<Graph>,
    worker: String,
    events: Sender<Input>,
}

impl Observer for Ears {
    fn failed(&self, failure: &Failure) {
        let of = |(id, _): (crate::graph::OperatorId, _)| {
            (self.graph.operator_name(id) == failure.name)
                .then(|| self.graph.fragments[id.fragment].name.clone())
        };
        let cause = Cause {
            operator: failure.name.clone(),
            fragments: self.graph.operators().find_map(of).into_iter().collect(),
            worker: self.worker.clone(),
            what: format!("{}: {}", failure.during, failure.causes.join(": ")),
        };
        let _ = self.events.send(Input::Failed(cause));
    }

    fn stop_asked(&self, operator: &str) {
        let _ = self.events.send(Input::StopAsked(operator.to_owned()));
    }
}
