//! The fragments that a worker runs: prepared from the driver's plan, started and stopped when it says so.
//!
//! Not here: the running itself (`run`). Invariant: what happens in it reaches the worker's machine as events, the end
//! after everything else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::Sender,
    },
    thread,
    time::Duration,
};

use podwire_fastio::FastIoContext;
use zenoh::{Session, Wait};

use super::{
    keys::Keys,
    links::Links,
    opening::{Opened, Opening},
    post::say,
    words::{Cause, Outcome, Plan, Said, Word},
    work::Input,
    worker::Leave,
};
use crate::{
    application::Composed,
    graph::Graph,
    monitor::metrics,
    run::{Ended, Report, Running, Runtime, Snapshot, StopReason},
};

/// What a worker runs, or will.
pub(super) struct Local {
    session: Session,
    keys: Keys,
    grace: Duration,
    worker: String,
    graph: Arc<Graph>,
    stage: Stage,
    /// The shared memory of the application; here so that it goes after what lies in it.
    memory: Option<FastIoContext>,
    watched: Duration,
    /// Whether the return of a lost worker is waited for.
    waits: bool,
    events: Sender<Input>,
}

enum Stage {
    Composed(Composed, Links),
    /// On a thread of its own, which looks now and then whether it is still wanted.
    Preparing(Arc<AtomicBool>),
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
            stage: Stage::Composed(composed, links),
            memory: None,
            watched: Duration::ZERO,
            waits: false,
            events,
        }
    }

    /// Opens the links of the fragments in the plan, on a thread of its own, as it may take as long as another process has
    /// an end of one of them. What comes of it comes as an event.
    pub(super) fn prepare(&mut self, plan: Plan) {
        let wanted = Arc::new(AtomicBool::new(true));
        let preparing = Stage::Preparing(Arc::clone(&wanted));
        let Stage::Composed(composed, links) = std::mem::replace(&mut self.stage, preparing) else { return };
        (self.watched, self.waits) = (Duration::from_millis(plan.watched), plan.waits);
        let opening = Opening {
            links,
            grace: self.grace,
            worker: self.worker.clone(),
            graph: Arc::clone(&self.graph),
            events: self.events.clone(),
            wanted,
        };
        let preparing = thread::Builder::new().name("preparing".into());
        if let Err(error) = preparing.spawn(move || opening.run(composed, &plan)) {
            self.no_thread(&error);
        }
    }

    /// The links are open, or cannot be opened.
    pub(super) fn opened(&mut self, opened: Result<Opened, Cause>) -> Result<(), Cause> {
        let Opened { runtime, memory } = opened?;
        self.memory = memory;
        self.stage = Stage::Prepared(runtime);
        Ok(())
    }

    /// The driver may live, and have given this worker up: it then waits for another one in its place, if the application
    /// waits.
    pub(super) fn vanish(&mut self) {
        match std::mem::replace(&mut self.stage, Stage::Spent) {
            Stage::Running(running) => {
                running.shared().vanish();
                self.stage = Stage::Running(running);
            }
            // Closing its links in order would say that nobody comes.
            Stage::Prepared(runtime) if self.waits => std::mem::forget(runtime),
            other => self.stage = other,
        }
    }

    /// What was prepared, or is being prepared, is not wanted any more: its links are closed.
    pub(super) fn cancel(&mut self) {
        match &self.stage {
            Stage::Preparing(wanted) => wanted.store(false, Relaxed),
            Stage::Prepared(_) => self.stage = Stage::Spent,
            _ => {}
        }
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
