//! From a graph and its operators to threads that can be started.
//!
//! Not here: checking the graph, and choosing which process runs what. Invariant: each connection has exactly the ends
//! that belong to operators of this process, and nothing runs yet.

use std::{sync::Arc, time::Duration};

use super::{
    conditions::Schedule,
    observer::Observer,
    running::{OperatorView, Running},
    shared::Shared,
    sleeper::Sleeper,
    wiring::{Lanes, Wiring},
    worker::Worker,
};
use crate::{
    application::Composed,
    condition::WorkerLost,
    context::{Context, FastIo},
    error::Error,
    graph::{Graph, OperatorId},
    input::{Input, InputPort},
    lane::Waits,
    operator::Operator,
    output::{Output, OutputPort},
    transport::{LinkError, Transport},
};

/// What a process runs of an application, and how.
pub(crate) struct Plan<'p> {
    /// Which fragments run here.
    pub(crate) local: &'p dyn Fn(usize) -> bool,
    /// Which transport carries a connection, by its place in the graph; none if it stays within this process.
    pub(crate) transport: &'p dyn Fn(usize) -> Option<Arc<dyn Transport>>,
    /// What becomes of connections to a process that died.
    pub(crate) when_lost: WorkerLost,
    /// Asked where another process has an end of a link that is to be opened here; it may wait before it says yes.
    pub(crate) try_again: &'p dyn Fn(&str) -> bool,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) fast_io: FastIo,
    /// How long operators have to return once the run is to stop.
    pub(crate) grace: Duration,
}

/// Operators that are connected, and do not run yet.
pub(crate) struct Runtime {
    workers: Vec<Worker>,
    running: Running,
}

impl Runtime {
    /// Connects the operators that run here.
    ///
    /// # Errors
    /// [`LinkError`] if a transport refuses to open an end.
    pub(crate) fn prepare(composed: Composed, plan: Plan<'_>) -> Result<Self, LinkError> {
        let Composed { graph, operators } = composed;
        let waits = Waits::new(plan.when_lost);
        let mut wiring = Wiring::new(&graph, plan.local, waits.clone());
        for (at, connection) in graph.connections.iter().enumerate() {
            match (plan.transport)(at) {
                None => wiring.queue(connection),
                Some(transport) => loop {
                    match wiring.link(connection, &*transport) {
                        Err(LinkError::Taken { link }) if (plan.try_again)(&link) => {}
                        linked => break linked?,
                    }
                },
            }
        }
        let shared = Arc::new(Shared::new(wiring.bells(), waits, plan.observer, plan.fast_io));
        let (mut workers, mut views) = (Vec::new(), Vec::new());
        for ((id, _), operator) in graph.operators().zip(operators.into_iter().flatten()) {
            let Some(lanes) = wiring.take(id) else { continue };
            let worker = Worker::new(&graph, id, operator, lanes, Arc::clone(&shared));
            views.push(OperatorView::new(&worker));
            workers.push(worker);
        }
        let running = Running::new(shared, views, wiring.connections, plan.grace);
        Ok(Self { workers, running })
    }

    /// What its threads will have in common: for those who may have it stop before it was started.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        self.running.shared()
    }

    /// Starts the operators, each on a thread of its own.
    ///
    /// # Errors
    /// [`Error::System`] if the system gives no more threads; those that were started have ended by then.
    pub(crate) fn start(self) -> Result<Running, Error> {
        self.running.start(self.workers)
    }
}

impl Worker {
    fn new(
        graph: &Graph,
        id: OperatorId,
        operator: Box<dyn Operator>,
        lanes: Lanes,
        shared: Arc<Shared>,
    ) -> Self {
        let node = graph.operator(id);
        let name: Arc<str> = graph.operator_name(id).into();
        let sleeper = Sleeper {
            waker: lanes.waker,
            shared: Arc::clone(&shared),
            counters: Arc::default(),
            is_root: lanes.inputs.iter().all(Vec::is_empty),
        };
        let inputs = node.inputs.iter().zip(lanes.inputs).map(|(port, lanes)| InputPort {
            name: port.name.clone(),
            at_least: port.at_least,
            lanes,
            turn: 0,
        });
        let outputs = node.outputs.iter().zip(lanes.outputs).map(|(port, lanes)| OutputPort {
            name: port.name.clone(),
            of: port.of.clone(),
            lanes,
        });
        Self {
            input: Input::new(Arc::clone(&name), inputs.collect(), Arc::clone(&sleeper.counters)),
            output: Output::new(Arc::clone(&name), outputs.collect(), sleeper.clone()),
            context: Context::new(graph.fragments[id.fragment].name.clone(), node.name.clone(), shared),
            schedule: Schedule::new(node.conditions.clone()),
            name,
            operator,
            sleeper,
        }
    }
}
