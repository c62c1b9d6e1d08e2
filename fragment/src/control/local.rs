//! The fragments that a worker runs: prepared from the driver's plan, started and stopped when it says so.
//!
//! Not here: the running itself (`run`). Invariant: what happens in it reaches the worker's machine as events, the end
//! after everything else.

use std::{
    sync::{Arc, mpsc::Sender},
    thread,
    time::Duration,
};

use podwire_fastio::FastIoContext;
use zenoh::{Session, Wait};

use super::{
    keys::Keys,
    links::Links,
    post::say,
    words::{Cause, Outcome, Plan, Said, Word},
    work::Input,
    worker::Leave,
};
use crate::{
    application::Composed,
    condition::WorkerLost,
    context::FastIo,
    error::causes,
    graph::Graph,
    monitor::metrics,
    run::{self, Ended, Failure, Observer, Report, Running, Runtime, Snapshot, StopReason},
};

/// What a worker runs, or will.
pub(super) struct Local {
    session: Session,
    keys: Keys,
    grace: Duration,
    worker: String,
    graph: Arc<Graph>,
    links: Links,
    stage: Stage,
    /// The shared memory of the application; here so that it goes after what lies in it.
    memory: Option<FastIoContext>,
    watched: Duration,
    events: Sender<Input>,
}

enum Stage {
    Composed(Composed),
    Prepared(Runtime),
    Running(Arc<Running>),
    /// Nothing is left to be done.
    Spent,
}

impl Local {
    pub(super) fn new(
        session: Session,
        keys: Keys,
        grace: Duration,
        worker: String,
        composed: Composed,
        links: Links,
        events: Sender<Input>,
    ) -> Self {
        let graph = Arc::clone(&composed.graph);
        Self {
            session,
            keys,
            grace,
            worker,
            graph,
            links,
            stage: Stage::Composed(composed),
            memory: None,
            watched: Duration::ZERO,
            events,
        }
    }

    /// Opens the links of the fragments in the plan.
    pub(super) fn prepare(&mut self, plan: &Plan) -> Result<(), Cause> {
        let Stage::Composed(composed) = std::mem::replace(&mut self.stage, Stage::Spent) else {
            return Ok(());
        };
        let runtime = self.open(composed, plan).map_err(|error| {
            let what = format!("a link cannot be opened: {}", causes(&*error).join(": "));
            Cause { operator: String::new(), fragments: self.names(plan), worker: self.worker.clone(), what }
        })?;
        eprintln!("podwire: this worker runs fragment {}", self.names(plan).join(", "));
        self.stage = Stage::Prepared(runtime);
        self.watched = Duration::from_millis(plan.watched);
        Ok(())
    }

    /// The fragments that are to run here.
    fn names(&self, plan: &Plan) -> Vec<String> {
        let name = |at: &u32| Some(self.graph.fragments.get(*at as usize)?.name.clone());
        plan.yours.iter().filter_map(name).collect()
    }

    fn open(&mut self, composed: Composed, plan: &Plan) -> crate::Result<Runtime> {
        let opened = self.links.open(plan)?;
        self.memory = opened.memory.clone();
        let fast_io = opened.memory.clone().map_or_else(|| FastIo::ephemeral(plan.run.clone()), FastIo::from);
        for (connection, name) in self.graph.connections.iter().zip(&plan.transports) {
            if !name.is_empty() {
                let connection = self.graph.connection_name(connection);
                tracing::info!(target: "podwire::fragment", connection, transport = name, "chosen");
            }
        }
        let observer =
            Ears { graph: Arc::clone(&self.graph), worker: self.worker.clone(), events: self.events.clone() };
        let plan = run::Plan {
            local: &|fragment| plan.yours.iter().any(|at| *at as usize == fragment),
            transport: &|connection| opened.get(plan.transports.get(connection)?),
            when_lost: if plan.waits { WorkerLost::Wait } else { WorkerLost::End },
            observer: Arc::new(observer),
            fast_io,
            grace: self.grace,
        };
        Ok(Runtime::prepare(composed, plan)?)
    }

    /// Begins; what happens from then on comes as events.
    pub(super) fn start(&mut self) {
        let Stage::Prepared(runtime) = std::mem::replace(&mut self.stage, Stage::Spent) else { return };
        let running = match runtime.start() {
            Ok(running) => Arc::new(running),
            Err(error) => return self.no_thread(&error),
        };
        self.stage = Stage::Running(Arc::clone(&running));
        self.watch(&running);
        self.metrics(&running);
        let events = self.events.clone();
        let waiter = thread::Builder::new().name("end of fragments".into()).spawn(move || {
            let _ = events.send(Input::Ended(Box::new(running.wait())));
        });
        if let Err(error) = waiter {
            self.no_thread(&error);
        }
    }

    fn no_thread(&self, error: &dyn std::error::Error) {
        let (worker, what) = (self.worker.clone(), error.to_string());
        let _ = self.events.send(Input::Failed(Cause {
            operator: String::new(),
            fragments: Vec::new(),
            worker,
            what,
        }));
        let _ =
            self.events.send(Input::Ended(Box::new(Report { ended: Ended::Failed, ..Report::default() })));
    }

    /// What the fragments did, if they ran.
    pub(super) fn report(&self) -> Option<Report> {
        match &self.stage {
            Stage::Running(running) => Some(running.report()),
            _ => None,
        }
    }

    /// What the fragments do at this moment, if somebody watches.
    pub(super) fn snapshot(&self) -> Option<Snapshot> {
        match &self.stage {
            Stage::Running(running) if !self.watched.is_zero() => Some(running.snapshot()),
            _ => None,
        }
    }

    /// Tells the driver what the fragments do, as long as they run.
    fn watch(&self, running: &Arc<Running>) {
        if self.watched.is_zero() {
            return;
        }
        let (running, period) = (Arc::downgrade(running), self.watched);
        let (session, key) = (self.session.clone(), self.keys.word(&self.session.zid().to_string()));
        let telling = move || {
            while let Some(running) = running.upgrade() {
                let snapshot = Some(running.snapshot());
                drop(running);
                if say(&session, &key, &Said { word: Word::Doing, report: None, snapshot }).is_err() {
                    return;
                }
                thread::sleep(period);
            }
        };
        // Without the thread, the driver's monitor shows less.
        let _ = thread::Builder::new().name("snapshots".into()).spawn(telling);
    }

    /// Answers whoever asks what the fragments do, for as long as they run.
    fn metrics(&self, running: &Arc<Running>) {
        let key = self.keys.metrics(&self.session.zid().to_string());
        let (running, keys, own) = (Arc::downgrade(running), self.keys.clone(), key.clone());
        let answering = self.session.declare_queryable(key).callback(move |query| {
            if let Some(running) = running.upgrade() {
                // Who does not hear the answer asks again.
                let _ = query.reply(own.clone(), metrics(keys.application(), &running.snapshot())).wait();
            }
        });
        // Without it, one thing less can be seen from outside.
        let _ = answering.background().wait();
    }

    /// Has the fragments end.
    pub(super) fn stop(&self, why: &Leave) {
        let Stage::Running(running) = &self.stage else { return };
        running.request_stop(match why {
            Leave::Outcome(Outcome::Stopped { operator }) => StopReason::Asked(operator.clone()),
            Leave::Outcome(Outcome::Interrupted { signal }) => StopReason::Signal(*signal),
            _ => StopReason::Failed,
        });
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // The last process takes the memory along, and sees that it is the last one if nobody is in it who is dead: a
        // driver that was killed.
        let _ = self.memory.as_ref().map(FastIoContext::sweep);
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
