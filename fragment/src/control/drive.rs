//! Runs the driver's machine over Zenoh.
//!
//! Not here: any decision, which `driver` makes. Invariant: events reach the machine one by one, in the order in which
//! they came, and what it wants done is done before the next one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use podwire_fastio::{FastIoContext, PipelineOptions};
use zenoh::{Session, Wait, liveliness::LivelinessToken, query::Query};

use super::{
    alarms::{Alarms, Woken},
    door::{Door, Room},
    driver::{Action, Alarm, Driver, Event, Setup},
    envelope::{Unreadable, Version, open, seal},
    error::ControlError,
    keys::{Keys, last},
    notice::Notice,
    post::{appear, hear, say, watch, zenoh_failed},
    refusal::Refusal,
    words::{Answer, Answered, Hello, Order, Outcome, Said, WorkerId},
};
use crate::{
    config::Settings,
    monitor::{Monitor, View},
    run::{LAST_CALL, Report, Snapshot},
};

/// How long workers of `all` are waited for after one has come, if it is not said how many there are.
const GATHER: Duration = Duration::from_millis(500);

/// What comes to the driver.
pub(super) enum Input {
    Hello(Query, Room),
    Said(WorkerId, Vec<u8>),
    Left(WorkerId),
    Signal(i32),
}

/// A driver at work.
pub(super) struct Drive {
    session: Session,
    keys: Keys,
    settings: Settings,
    /// How long workers have to end.
    patience: Duration,
    machine: Driver,
    events: Receiver<Input>,
    alarms: Alarms<Alarm>,
    /// Those that have fragments, shown to the others so that they take their addresses.
    members: BTreeMap<WorkerId, LivelinessToken>,
    door: Arc<Door>,
    /// Of each worker the last one.
    reports: BTreeMap<WorkerId, Report>,
    /// What the workers do, for the monitor.
    doing: Arc<Mutex<BTreeMap<WorkerId, Snapshot>>>,
    /// When the first worker began to run, and how long after it each of the others did, so that the monitor's time goes on as
    /// workers come and go.
    began: Option<Instant>,
    later: BTreeMap<WorkerId, Duration>,
    /// Held so that links outlive the processes at both their ends.
    shared_memory: Option<FastIoContext>,
    /// Where it is shown what the workers do.
    views: Vec<View>,
}

impl Drive {
    /// A driver whom workers can find from now on; signals go to the sender that comes with it.
    pub(super) fn open(
        session: Session,
        setup: Arc<Setup>,
        settings: &Settings,
        grace: Duration,
        views: Vec<View>,
    ) -> Result<(Self, Sender<Input>), ControlError> {
        let (sender, events) = channel();
        let keys = Keys::new(&setup.application);
        let run = setup.run.clone();
        let drive = Self {
            keys,
            settings: settings.clone(),
            // As long as theirs is, and until their last words must have come.
            patience: grace.saturating_add(LAST_CALL).saturating_add(settings.lease),
            machine: Driver::new(setup),
            events,
            alarms: Alarms::new(),
            members: BTreeMap::new(),
            door: Arc::default(),
            reports: BTreeMap::new(),
            doing: Arc::default(),
            began: None,
            later: BTreeMap::new(),
            // Where there is no shared memory, links between processes of this host go over Zenoh.
            shared_memory: FastIoContext::open_with(&run, PipelineOptions::new().ephemeral(true)).ok(),
            views,
            session,
        };
        drive.listen(&sender)?;
        Ok((drive, sender))
    }

    fn listen(&self, sender: &Sender<Input>) -> Result<(), ControlError> {
        // Whoever can say hello is heard from the first word on, so hello comes last.
        let (to, door) = (sender.clone(), Arc::clone(&self.door));
        hear(&self.session, &self.keys.word("*"), move |worker, sample| {
            if door.hears(&worker) {
                let _ = to.send(Input::Said(worker, sample.payload().to_bytes().into_owned()));
            }
        })?;
        let (to, door) = (sender.clone(), Arc::clone(&self.door));
        let noted = seal(&self.answered(Answer::Noted)).unwrap_or_default();
        let asked = self.session.declare_queryable(self.keys.word("*")).callback(move |query| {
            let worker = last(query.key_expr().as_str());
            if door.hears(&worker) {
                let bytes = query.payload().map(|payload| payload.to_bytes().into_owned());
                let _ = to.send(Input::Said(worker, bytes.unwrap_or_default()));
            }
            let _ = query.reply(query.key_expr().clone(), noted.clone()).wait();
        });
        asked.background().wait().map_err(zenoh_failed("cannot listen to workers"))?;
        let (to, door) = (sender.clone(), Arc::clone(&self.door));
        watch(&self.session, &self.keys.worker("*"), move |worker, there| {
            if there {
                door.came(worker);
            } else if door.left(&worker) {
                let _ = to.send(Input::Left(worker));
            }
        })?;
        let (to, door) = (sender.clone(), Arc::clone(&self.door));
        let hello = self.session.declare_queryable(self.keys.hello()).complete(true).callback(move |query| {
            let room = door.room(query.payload().map_or(0, |payload| payload.len()));
            if let Some(room) = room {
                let _ = to.send(Input::Hello(query, room));
            }
        });
        hello.background().wait().map_err(zenoh_failed("cannot listen to workers"))
    }

    /// Drives the application to its end.
    pub(super) fn run(mut self) -> Result<(Outcome, Report), ControlError> {
        let _token = appear(&self.session, &self.keys.driver(&self.session.zid().to_string()))?;
        let _monitor = self.monitor()?;
        let mut over = self.take(self.machine.begin(), None);
        while over.is_none() {
            over = match self.alarms.wait(&self.events) {
                Woken::Event(input) => self.input(input),
                Woken::Alarm(alarm) => self.happens(Event::Alarm(alarm), None),
                Woken::Alone => Some(Outcome::Interrupted { signal: 0 }),
            };
        }
        if let Some(context) = self.shared_memory.take() {
            // Whoever was killed last left it there; who still is in it keeps what it has open.
            let _ = context.drop_pipeline();
        }
        let mut report = Report::default();
        self.reports.into_values().for_each(|of_worker| report.merge(of_worker));
        Ok((over.unwrap_or(Outcome::Done), report))
    }

    /// Shows what all workers do, if it was asked for.
    fn monitor(&self) -> Result<Option<Monitor>, ControlError> {
        if self.views.is_empty() {
            return Ok(None);
        }
        let doing = Arc::clone(&self.doing);
        let all = move || {
            let mut all = Snapshot::default();
            lock(&doing).values().for_each(|snapshot| all.merge(snapshot.clone()));
            all
        };
        let monitor = Monitor::start(self.views.iter().cloned(), self.settings.monitor_period, all);
        monitor.map(Some).map_err(|source| ControlError::Thread { source })
    }

    fn input(&mut self, input: Input) -> Option<Outcome> {
        match input {
            Input::Hello(query, _room) => self.hello(&query),
            Input::Left(worker) => {
                self.members.remove(&worker);
                self.happens(Event::Left(worker), None)
            }
            Input::Signal(signal) => self.happens(Event::Interrupted(signal), None),
            Input::Said(worker, bytes) => match open::<Said>(&bytes) {
                Ok(Said { word, report, snapshot }) => {
                    if let Some(report) = report {
                        self.reports.insert(worker.clone(), report);
                    }
                    if let Some(mut snapshot) = snapshot {
                        snapshot.time = snapshot.time.saturating_add(self.later(&worker, snapshot.time));
                        let mut doing = lock(&self.doing);
                        // Somebody has taken the place of a worker that was lost.
                        doing.retain(|_, other| !other.overlaps(&snapshot));
                        doing.insert(worker.clone(), snapshot);
                        self.later.retain(|worker, _| doing.contains_key(worker));
                    }
                    self.happens(Event::Said(worker, word), None)
                }
                Err(why) => {
                    eprintln!("podwire: a message of worker {worker} is not understood: {why}");
                    None
                }
            },
        }
    }

    /// How long after the first worker this one began, which has run for this time.
    fn later(&mut self, worker: &WorkerId, time: Duration) -> Duration {
        let now = Instant::now();
        let began = *self.began.get_or_insert_with(|| now.checked_sub(time).unwrap_or(now));
        *self.later.entry(worker.clone()).or_insert_with(|| (now - began).saturating_sub(time))
    }

    fn hello(&mut self, query: &Query) -> Option<Outcome> {
        let bytes = query.payload().map(|payload| payload.to_bytes()).unwrap_or_default();
        match open::<Hello>(&bytes) {
            // Who is of another application is told so; it is there elsewhere.
            Ok(hello) if self.is_ours(&hello) && !self.door.open(&hello.worker) => None,
            Ok(hello) => {
                let worker = hello.worker.clone();
                let over = self.happens(Event::Hello(Box::new(hello)), Some(query));
                if !self.machine.has(&worker) {
                    self.door.close(&worker);
                }
                over
            }
            Err(why) => {
                self.door.tell(|| format!("podwire: somebody who wants to join is not understood: {why}"));
                if let Unreadable::Version(worker) = why {
                    let refusal = Refusal::Version { driver: Version::own(), worker };
                    self.answer(query, Answer::Refused(refusal));
                }
                None
            }
        }
    }

    fn is_ours(&self, hello: &Hello) -> bool {
        Keys::new(&hello.application).hello() == self.keys.hello()
    }

    fn happens(&mut self, event: Event, query: Option<&Query>) -> Option<Outcome> {
        let actions = self.machine.handle(event);
        self.take(actions, query)
    }

    fn take(&mut self, actions: Vec<Action>, query: Option<&Query>) -> Option<Outcome> {
        let mut over = None;
        for action in actions {
            match action {
                Action::Answer(answer) => {
                    query.into_iter().for_each(|query| self.answer(query, answer.clone()));
                }
                Action::Order(worker, order) => self.order(&worker, &order),
                Action::Alarm(alarm) => self.set(alarm),
                Action::Silence(alarm) => self.alarms.silence(alarm),
                Action::Notice(notice @ Notice::Refused { .. }) => self.door.tell(|| notice.to_string()),
                Action::Notice(notice) => eprintln!("{notice}"),
                Action::Over(outcome) => over = Some(outcome),
            }
        }
        over
    }

    fn set(&mut self, alarm: Alarm) {
        let after = match alarm {
            Alarm::Join => self.settings.join_timeout,
            Alarm::Gather => Some(GATHER),
            Alarm::Stop | Alarm::Close => Some(self.patience),
        };
        if let Some(after) = after {
            self.alarms.set(alarm, after);
        }
    }

    /// A worker that cannot be reached is gone, and liveliness says so.
    fn order(&mut self, worker: &WorkerId, order: &Order) {
        if let Order::Assign(plan) = order {
            match appear(&self.session, &self.keys.member(&plan.run, &worker.0)) {
                Ok(token) => drop(self.members.insert(worker.clone(), token)),
                Err(error) => eprintln!("podwire: worker {worker}: {error}"),
            }
        }
        if let Err(error) = say(&self.session, &self.keys.order(worker), order) {
            eprintln!("podwire: worker {worker}: {error}");
        }
    }

    fn answer(&self, query: &Query, answer: Answer) {
        if let Ok(bytes) = seal(&self.answered(answer)) {
            // Who does not hear the answer asks again.
            let _ = query.reply(self.keys.hello(), bytes).wait();
        }
    }

    fn answered(&self, answer: Answer) -> Answered {
        Answered { driver: WorkerId(self.session.zid().to_string()), answer }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
