//! What a process of several does from its first to its last moment: drive, work, or both.
//!
//! Invariant: a process that does both is one of each, and shares nothing but the session.

use std::{
    ffi::OsString,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use podwire_codec_core::CodecRegistry;
use zenoh::{Session, Wait};

use super::{
    describe::{crossings, describe},
    drive::{self, Drive},
    driver::Setup,
    error::ControlError,
    host,
    keys::Keys,
    links::{Links, offers},
    local::Local,
    session::{connect, is_encrypted, listen},
    words::{Hello, Outcome, Wants, WorkerId},
    work::{self, Work},
    worker::Leave,
};
use crate::{
    application::Composed,
    command::{Address, Selection},
    condition::WorkerLost,
    config::Settings,
    error::Error,
    monitor::View,
    run::{During, Ended, Failure, Report, Signals},
    transport::Transports,
};

/// What a process takes part with.
pub(crate) struct Parts {
    /// The name of the application.
    pub(crate) application: String,
    /// Its own, which are none of podwire's.
    pub(crate) arguments: Vec<OsString>,
    pub(crate) composed: Composed,
    pub(crate) when_lost: WorkerLost,
    pub(crate) settings: Settings,
    pub(crate) transports: Transports,
    /// The transport that connections between processes are to take.
    pub(crate) forced: Option<String>,
    pub(crate) handles_signals: bool,
    /// How long operators have to return once the application is to stop.
    pub(crate) grace: Duration,
    /// Where a driver shows what all workers do.
    pub(crate) views: Vec<View>,
    pub(crate) address: Address,
    /// Whether it drives.
    pub(crate) driver: bool,
    /// Whether it works: for which fragments, and where it listens, if it must.
    pub(crate) worker: Option<(Selection, Option<Address>)>,
}

/// Takes part in an application until it is over.
///
/// # Errors
/// [`Error::Control`].
pub(crate) fn run(parts: Parts) -> Result<Report, Error> {
    let (to, signals) = mpsc::channel();
    let watching = parts.handles_signals.then(|| {
        Signals::watch(move |signal| {
            let _ = to.send(signal);
        })
    });
    let _watching =
        watching.transpose().map_err(|source| Error::System { what: "a signal handler", source })?;
    let (address, both) = (parts.address.clone(), parts.driver && parts.worker.is_some());
    let session = match open(&parts, &signals)? {
        Ok(session) => session,
        Err(signal) => return Ok(Report { ended: Ended::Interrupted { signal }, ..Report::default() }),
    };
    let ended = if both { drive_and_work(&session, parts, signals) } else { one(&session, parts, signals) };
    // Whoever still waits for this process sees that it leaves.
    let _ = session.close().wait();
    let (leave, report) = ended?;
    conclude(leave, report, address)
}

/// A session, or the signal that came before there was one.
fn open(parts: &Parts, signals: &mpsc::Receiver<i32>) -> Result<Result<Session, i32>, ControlError> {
    let Parts { address, settings, driver, worker, .. } = parts;
    if *driver {
        return listen(address, settings).map(Ok);
    }
    let own = worker.as_ref().and_then(|(_, own)| own.as_ref());
    let mut came = 0;
    let pause = |time: Duration| match signals.recv_timeout(time) {
        Ok(signal) => {
            came = signal;
            false
        }
        Err(RecvTimeoutError::Timeout) => true,
        // Nobody watches for signals, and it would return at once for ever.
        Err(RecvTimeoutError::Disconnected) => {
            thread::sleep(time);
            true
        }
    };
    let session = connect(address, own, settings, pause)?;
    Ok(session.ok_or(came))
}

fn one(
    session: &Session,
    parts: Parts,
    signals: mpsc::Receiver<i32>,
) -> Result<(Leave, Report), ControlError> {
    if parts.driver {
        let (drive, events) = driver(session, &parts)?;
        forward(signals, move |signal| events.send(drive::Input::Signal(signal)).is_ok());
        let (outcome, report) = drive.run()?;
        return Ok((Leave::Outcome(outcome), report));
    }
    let (work, first, events) = worker(session, parts)?;
    forward(signals, move |signal| events.send(work::Input::Signal(signal)).is_ok());
    work.run(first)
}

fn drive_and_work(
    session: &Session,
    parts: Parts,
    signals: mpsc::Receiver<i32>,
) -> Result<(Leave, Report), ControlError> {
    let (drive, events) = driver(session, &parts)?;
    forward(signals, move |signal| events.send(drive::Input::Signal(signal)).is_ok());
    let (work, first, _) = worker(session, parts)?;
    let driving = thread::Builder::new().name("driver".into()).spawn(move || drive.run());
    let driving = driving.map_err(|source| ControlError::Thread { source })?;
    let worked = work.run(first);
    let (outcome, report) = driving.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    worked?;
    Ok((Leave::Outcome(outcome), report))
}

/// Passes signals on for as long as somebody wants them.
fn forward(signals: mpsc::Receiver<i32>, to: impl Fn(i32) -> bool + Send + 'static) {
    let forwarding = thread::Builder::new().name("signals to control".into());
    // Without the thread, signals are not heard; the second one ends the process in any case.
    let _ = forwarding.spawn(move || signals.iter().find(|signal| !to(*signal)));
}

fn driver(session: &Session, parts: &Parts) -> Result<(Drive, mpsc::Sender<drive::Input>), ControlError> {
    let graph = &parts.composed.graph;
    let description = describe(graph, CodecRegistry::global(), &parts.arguments);
    let setup = Setup {
        application: parts.application.clone(),
        run: format!("run-{}", session.zid()),
        fragments: graph.fragments.iter().map(|it| (it.name.clone(), it.operators.len())).collect(),
        crossings: crossings(graph),
        connections: graph.connections.len(),
        digest: description.digest(),
        description,
        waits: parts.when_lost == WorkerLost::Wait,
        forced: parts.forced.clone(),
        encrypted: is_encrypted(&parts.settings),
        transports: offers(&parts.transports, None),
        watched: if parts.views.is_empty() { 0 } else { parts.settings.monitor_period.as_millis() as u64 },
        expected: parts.settings.workers,
    };
    Drive::open(session.clone(), Arc::new(setup), &parts.settings, parts.grace, parts.views.clone())
}

type Worker = (Work, Vec<super::worker::Action>, mpsc::Sender<work::Input>);

fn worker(session: &Session, parts: Parts) -> Result<Worker, ControlError> {
    let Parts {
        application, arguments, composed, settings, grace, address, worker, transports, forced, ..
    } = parts;
    let description = describe(&composed.graph, CodecRegistry::global(), &arguments);
    let wants = match worker {
        Some((Selection::Named(names), _)) => Wants::Fragments(names),
        _ => Wants::All,
    };
    let (id, name) = (session.zid().to_string(), host::name());
    let keys = Keys::new(&application);
    let hello = Hello {
        host: host::id(&id),
        worker: WorkerId(id),
        application,
        name: name.clone(),
        wants,
        resources: host::resources(settings.cores),
        // A worker that is forced itself takes part by nothing else.
        transports: offers(&transports, forced.as_deref()),
        digest: description.digest(),
        description: None,
    };
    #[cfg(feature = "ucx")]
    let driver = address.clone();
    let local = |events: mpsc::Sender<work::Input>| {
        let links = Links {
            session: session.clone(),
            keys: keys.clone(),
            worker: name.clone(),
            #[cfg(feature = "ucx")]
            ucx: super::ucx::options(&name, &driver, settings.lease, events.clone()),
            #[cfg(feature = "ucx")]
            forced,
            transports,
        };
        Local::new(session.clone(), keys, grace, name, composed, links, events)
    };
    Work::open(session.clone(), address, hello, description, &settings, local)
}

/// What the caller of `run` is told.
fn conclude(leave: Leave, mut report: Report, address: Address) -> Result<Report, Error> {
    let outcome = match leave {
        Leave::Outcome(outcome) => outcome,
        Leave::Refused(why) => return Err(ControlError::Refused { address, source: Box::new(why) }.into()),
        Leave::DriverGone => return Err(ControlError::DriverGone { address }.into()),
    };
    let ended_well = matches!(outcome, Outcome::Done | Outcome::Stopped { .. } | Outcome::Interrupted { .. });
    // An operator has failed on its way to the end, or is not there yet. Without a failure it is only somebody whom the
    // driver had lost, and has replaced.
    if ended_well && report.ended == Ended::Failed && !report.failures.is_empty() {
        return Err(Error::Failed(Box::new(report)));
    }
    report.ended = match &outcome {
        Outcome::Done => Ended::Done,
        Outcome::Stopped { operator } => Ended::Stopped { operator: operator.clone() },
        Outcome::Interrupted { signal } => Ended::Interrupted { signal: *signal },
        _ => Ended::Failed,
    };
    let report = || Box::new(report.clone());
    Err(match outcome {
        Outcome::Done | Outcome::Stopped { .. } | Outcome::Interrupted { .. } => return Ok(*report()),
        Outcome::Failed(cause) => ControlError::Failed { cause: Box::new(cause), report: report() },
        Outcome::WorkerLost { worker, fragments } => {
            let mut report = report();
            let (name, causes) = (worker.clone(), vec![format!("it ran {}", fragments.join(", "))]);
            report.failures.push(Failure { name, during: During::WorkerLost, causes, error: None });
            ControlError::WorkerLost { worker, fragments, report }
        }
        Outcome::Stuck { workers, fragments } => ControlError::Stuck { workers, fragments },
        Outcome::Unmanned { fragments } => ControlError::Unmanned { fragments },
    }
    .into())
}
