//! A run: what can be asked of it from other threads, and its end.
//!
//! Not here: the threads themselves. Invariant: `wait` returns, whatever operators do: it names those that do not.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    counters::{Latencies, LinkCounters, OperatorCounters},
    report::{ConnectionReport, During, Ended, Failure, Report},
    shared::{Shared, StopReason},
    snapshot::{ConnectionSnapshot, Counts, OperatorSnapshot, OperatorState, Snapshot},
    worker::Worker,
};
use crate::{
    error::Error,
    transport::{Traffic, local::Queue},
};

/// How long operators have to return after all that they could wait for was taken away.
pub(crate) const LAST_CALL: Duration = Duration::from_secs(1);

/// For how long a process that is to stop asks whether a receiver is dead for which messages wait: that it is becomes known a few
/// milliseconds after its death, and perhaps after the word to stop.
const DOUBT: Duration = Duration::from_millis(100);

/// An application that runs, or the part of it that runs in this process: [`Application::start`](crate::Application::start).
pub struct Running {
    shared: Arc<Shared>,
    operators: Vec<OperatorView>,
    connections: Vec<ConnectionView>,
    grace: Duration,
    /// Of the operators, until somebody waits.
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// When the last snapshot was taken, and the ticks by then.
    before: Mutex<(Instant, Vec<u64>)>,
}

/// Says when it is dropped, whatever happened before, that an operator has ended.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.operator_ended();
    }
}

/// What can be seen of an operator.
pub(crate) struct OperatorView {
    name: Arc<str>,
    counters: Arc<OperatorCounters>,
}

/// What can be seen of a connection.
pub(crate) struct ConnectionView {
    pub(crate) name: String,
    pub(crate) transport: String,
    pub(crate) capacity: usize,
    pub(crate) flow: Flow,
    pub(crate) latencies: Arc<Latencies>,
}

/// Where the counts of a connection are.
pub(crate) enum Flow {
    Queue(Arc<Queue>),
    /// At its two ends, as far as they are in this process.
    Link([Arc<LinkCounters>; 2]),
}

impl OperatorView {
    pub(crate) fn new(worker: &Worker) -> Self {
        Self { name: Arc::clone(&worker.name), counters: Arc::clone(&worker.sleeper.counters) }
    }
}

impl ConnectionView {
    /// What carries it now.
    fn carrier(&self) -> String {
        let detour = match &self.flow {
            Flow::Queue(_) => None,
            Flow::Link(ends) => ends.iter().find_map(|end| end.detour()),
        };
        detour.map_or_else(|| self.transport.clone(), str::to_owned)
    }

    fn counts(&self) -> Counts {
        match &self.flow {
            Flow::Queue(queue) => {
                let Traffic { sent, received, dropped, .. } = queue.traffic();
                Counts { sent, received, dropped, ..Counts::default() }
            }
            Flow::Link([sender, receiver]) => {
                let mut counts = sender.load();
                counts.merge(&receiver.load());
                counts
            }
        }
    }
}

impl Running {
    pub(crate) fn new(
        shared: Arc<Shared>,
        operators: Vec<OperatorView>,
        connections: Vec<ConnectionView>,
        grace: Duration,
    ) -> Self {
        let before = Mutex::new((Instant::now(), vec![0; operators.len()]));
        Self { shared, operators, connections, grace, threads: Mutex::default(), before }
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Starts a thread for each operator.
    pub(crate) fn start(self, workers: Vec<Worker>) -> Result<Self, Error> {
        self.shared.started();
        let mut workers = workers.into_iter();
        let mut start = |worker| self.spawn(worker).map(|thread| self.threads().push(thread)).err();
        let Some(source) = workers.by_ref().find_map(&mut start) else { return Ok(self) };
        // The one that was refused, and those after it.
        let missing = workers.count() + 1;
        self.shared.abort();
        (0..missing).for_each(|_| self.shared.operator_ended());
        self.shared.wait_ended(LAST_CALL);
        Err(Error::System { what: "a thread for each operator", source })
    }

    fn spawn(&self, worker: Worker) -> io::Result<JoinHandle<()>> {
        let (shared, name) = (Arc::clone(&self.shared), worker.name.to_string());
        let live = move || {
            // Whatever happens, whoever waits for the end is told of it.
            let _ended = Ending(shared);
            worker.live();
        };
        thread::Builder::new().name(name).spawn(live)
    }

    /// Has the application end in order: its sources first, and what they have emitted is still computed.
    pub fn stop(&self) {
        self.request_stop(StopReason::Asked(String::new()));
    }

    /// The same, with a reason.
    pub(crate) fn request_stop(&self, reason: StopReason) {
        self.shared.request_stop(reason);
    }

    /// What happens at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let now = Instant::now();
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = (now - before.0).as_secs_f64();
        let operators = self.operators.iter().zip(&before.1).map(|(operator, before)| {
            let counters = &operator.counters;
            let ticks = counters.ticks.load(Relaxed);
            OperatorSnapshot {
                name: operator.name.to_string(),
                state: counters.state(),
                ticks,
                rate: (ticks - before) as f64 / seconds,
                last: Duration::from_nanos(counters.last.load(Relaxed)),
                busy: Duration::from_nanos(counters.busy.load(Relaxed)),
            }
        });
        let operators: Vec<_> = operators.collect();
        *before = (now, operators.iter().map(|operator| operator.ticks).collect());
        let connections = self.connections.iter().map(|connection| ConnectionSnapshot {
            name: connection.name.clone(),
            transport: connection.carrier(),
            capacity: connection.capacity as u64,
            counts: connection.counts(),
            latency: connection.latencies.percentiles(),
        });
        Snapshot { time: self.shared.started().elapsed(), operators, connections: connections.collect() }
    }

    /// Waits until all operators have ended. Once the run is to stop, they have the grace period to do so; then what they
    /// wait for is taken away; and who does not return then is named.
    #[must_use]
    pub fn wait(&self) -> Report {
        let mut ended = self.shared.wait_ended(self.grace);
        if !ended {
            self.shared.abort();
            ended = self.shared.wait_ended(LAST_CALL);
        }
        // What a thread holds is gone when it is: the process may end next, and its pipeline must not stay behind.
        let threads = std::mem::take(&mut *self.threads());
        for thread in threads.into_iter().filter(|thread| ended || thread.is_finished()) {
            // Panics of operators were caught, and told, before.
            let _ = thread.join();
        }
        let began = Instant::now();
        while self.shared.ended() != Ended::Done && self.shared.has_doubt() && began.elapsed() < DOUBT {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.report()
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was done so far. What becomes of messages that are on their way to other processes can still change after
    /// [`wait`](Self::wait).
    #[must_use]
    pub fn report(&self) -> Report {
        self.shared.count_links();
        let mut failures = self.shared.failures();
        let mut ended = self.shared.ended();
        for late in self.operators.iter().filter(|_| self.shared.aborted()) {
            let state = late.counters.state();
            if state != OperatorState::Ended {
                let (name, causes) = (late.name.to_string(), vec![format!("it is {state}")]);
                failures.push(Failure { name, during: During::Ending, causes, error: None });
                ended = Ended::Failed;
            }
        }
        let operators = self.operators.iter().map(|operator| operator.counters.report(&operator.name));
        let connections = self.connections.iter().map(|connection| ConnectionReport {
            name: connection.name.clone(),
            transport: connection.carrier(),
            counts: connection.counts(),
        });
        Report { ended, failures, operators: operators.collect(), connections: connections.collect() }
    }
}
