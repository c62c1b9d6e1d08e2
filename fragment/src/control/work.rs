//! Runs a worker's machine over Zenoh, and the fragments that it is given.
//!
//! Not here: any decision, which `worker` makes. Invariant: as that of `drive`.

use std::{
    collections::VecDeque,
    io::ErrorKind,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::{Duration, Instant},
};

use zenoh::{Session, liveliness::LivelinessToken};

use super::{
    description::Description,
    envelope::{Unreadable, Version, open},
    error::ControlError,
    keys::Keys,
    local::Local,
    opening::Opened,
    post::{appear, ask, hear, say, watch},
    refusal::Refusal,
    session::{JOIN, reach},
    words::{Answer, Answered, Cause, Hello, Order, Said, Word, WorkerId},
    worker::{Action, Event, Leave, Worker},
};
use crate::{command::Address, config::Settings, run::Report};

/// The pause after a hello that nobody answered, as a driver's port is open a moment before its ears are.
const PAUSE: Duration = Duration::from_millis(20);

/// What comes to a worker.
pub(super) enum Input {
    Ordered(Vec<u8>),
    /// A driver is gone; whether it is this worker's is not known yet.
    DriverGone(WorkerId),
    Opened(Box<Result<Opened, Cause>>),
    Failed(Cause),
    StopAsked(String),
    Ended(Box<Report>),
    Signal(i32),
}

/// A worker at work.
pub(super) struct Work {
    session: Session,
    keys: Keys,
    settings: Settings,
    address: Address,
    hello: Hello,
    description: Description,
    /// The driver that answered last. Whoever else says that a driver is gone is a stranger, or speaks of one before.
    driver: Option<WorkerId>,
    machine: Worker,
    local: Local,
    events: Receiver<Input>,
    /// What came while something else was waited for.
    early: VecDeque<Input>,
    report: Report,
    _token: LivelinessToken,
}

impl Work {
    /// A worker whom the driver sees from now on; signals go to the sender that comes with it.
    pub(super) fn open(
        session: Session,
        address: Address,
        hello: Hello,
        description: Description,
        settings: &Settings,
        local: impl FnOnce(Sender<Input>) -> Local,
    ) -> Result<(Self, Vec<Action>, Sender<Input>), ControlError> {
        let (sender, events) = channel();
        let keys = Keys::new(&hello.application);
        let (to, own) = (sender.clone(), hello.worker.clone());
        hear(&session, &keys.order(&hello.worker), move |worker, sample| {
            // A key with a `*` comes here too: that is nobody who knows whom it speaks to.
            if worker == own {
                let _ = to.send(Input::Ordered(sample.payload().to_bytes().into_owned()));
            }
        })?;
        let to = sender.clone();
        watch(&session, &keys.driver("*"), move |driver, there| {
            if !there {
                let _ = to.send(Input::DriverGone(driver));
            }
        })?;
        let token = appear(&session, &keys.worker(&hello.worker.0))?;
        let (machine, first) = Worker::new();
        let (settings, local) = (settings.clone(), local(sender.clone()));
        let (early, report) = (VecDeque::new(), Report::default());
        let work = Self {
            session,
            keys,
            settings,
            address,
            hello,
            description,
            driver: None,
            machine,
            local,
            events,
            early,
            report,
            _token: token,
        };
        Ok((work, first, sender))
    }

    /// Works until the application is over, or this worker is.
    pub(super) fn run(mut self, first: Vec<Action>) -> Result<(Leave, Report), ControlError> {
        let mut over = self.take(first)?;
        while over.is_none() {
            let Some(input) = self.early.pop_front().or_else(|| self.events.recv().ok()) else { break };
            over = self.input(input)?;
        }
        // What became of messages on their way to others may have changed since the fragments ended.
        self.report = self.local.report().unwrap_or(self.report);
        if let Err(error) = self.bye() {
            eprintln!("podwire: {error}");
        }
        Ok((over.unwrap_or(Leave::DriverGone), self.report))
    }

    fn input(&mut self, input: Input) -> Result<Option<Leave>, ControlError> {
        let event = match input {
            Input::Ordered(bytes) => match open::<Order>(&bytes) {
                Ok(order) => Event::Ordered(order),
                Err(why) => {
                    eprintln!("podwire: an order is not understood: {why}");
                    return Ok(None);
                }
            },
            Input::DriverGone(driver) if self.driver.as_ref() == Some(&driver) => {
                // Its host says that nobody listens there any more: then all end. Otherwise it may be this worker that was lost,
                // as it did not answer, or was cut off.
                let listens = reach(&self.address, &self.settings);
                if !listens.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
                    self.local.vanish();
                }
                Event::DriverGone
            }
            Input::DriverGone(_) => return Ok(None),
            Input::Opened(opened) => match self.local.opened(*opened) {
                Ok(()) => Event::Prepared,
                Err(cause) => Event::Failed(cause),
            },
            Input::Failed(cause) => Event::Failed(cause),
            Input::StopAsked(operator) => Event::StopAsked { operator },
            Input::Signal(signal) => Event::Interrupted(signal),
            Input::Ended(report) => {
                self.report = *report;
                Event::Ended
            }
        };
        self.happens(event)
    }

    fn happens(&mut self, event: Event) -> Result<Option<Leave>, ControlError> {
        let actions = self.machine.handle(event);
        self.take(actions)
    }

    fn take(&mut self, actions: Vec<Action>) -> Result<Option<Leave>, ControlError> {
        let mut over = None;
        for action in actions {
            let next = match action {
                Action::Hello { describe } => Some(self.ask(describe)?),
                Action::Say(word) => {
                    self.say(word)?;
                    None
                }
                Action::Prepare(plan) => {
                    self.local.prepare(plan);
                    None
                }
                Action::Cancel => {
                    self.local.cancel();
                    None
                }
                Action::Start => {
                    self.local.start();
                    None
                }
                Action::Stop(leave) => {
                    self.local.stop(&leave);
                    None
                }
                Action::Over(leave) => {
                    over = Some(leave);
                    None
                }
            };
            if let Some(event) = next
                && let Some(leave) = self.happens(event)?
            {
                over = Some(leave);
            }
        }
        Ok(over)
    }

    fn say(&self, word: Word) -> Result<(), ControlError> {
        let finished = word == Word::Finished;
        let report = finished.then(|| self.report.clone());
        let snapshot = self.local.snapshot().filter(|_| finished);
        say(&self.session, &self.keys.word(&self.hello.worker.0), &Said { word, report, snapshot })
    }

    /// Tells the driver the last report, and waits until it was heard: that this process leaves would overtake it.
    fn bye(&self) -> Result<(), ControlError> {
        let (key, report) = (self.keys.word(&self.hello.worker.0), Some(self.report.clone()));
        let bye = Said { word: Word::Bye, report, snapshot: self.local.snapshot() };
        ask::<_, Answered>(&self.session, &key, &bye, self.settings.lease).map(drop)
    }

    /// Says hello until the driver answers.
    fn ask(&mut self, describe: bool) -> Result<Event, ControlError> {
        let hello = Hello { description: describe.then(|| self.description.clone()), ..self.hello.clone() };
        let (begun, waited) = (Instant::now(), self.settings.join_timeout.unwrap_or(JOIN));
        // Since when the driver says that it may be let in soon.
        let mut put_off = None;
        loop {
            // A driver answers at once, or it is gone.
            let answered = ask::<_, Answered>(&self.session, Keys::ANY_HELLO, &hello, self.settings.lease)?;
            let answer = answered.map(|answered| {
                answered.map(|Answered { driver, answer }| {
                    self.driver = Some(driver);
                    answer
                })
            });
            if let Some(Ok(Answer::Later(_))) = answer {
                put_off.get_or_insert_with(Instant::now);
            }
            let enough = put_off.is_some_and(|since| since.elapsed() >= self.settings.lease * 2);
            match answer {
                Some(Ok(Answer::Later(_))) if !enough => {}
                Some(Ok(answer)) => return Ok(Event::Answered(answer)),
                Some(Err(Unreadable::Version(driver))) => {
                    let refusal = Refusal::Version { driver, worker: Version::own() };
                    return Ok(Event::Answered(Answer::Refused(refusal)));
                }
                Some(Err(why)) => eprintln!("podwire: the driver's answer is not understood: {why}"),
                None => {}
            }
            if begun.elapsed() >= waited {
                return Err(ControlError::NoDriver { address: self.address.clone(), waited, source: None });
            }
            match self.events.recv_timeout(PAUSE) {
                Ok(Input::Signal(signal)) => return Ok(Event::Interrupted(signal)),
                // It has put this worker off.
                Ok(Input::DriverGone(driver))
                    if put_off.is_some() && self.driver.as_ref() == Some(&driver) =>
                {
                    return Ok(Event::DriverGone);
                }
                Ok(input) => self.early.push_back(input),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    }
}
