//! What an operator sees of links to other processes, told by a transport that says what a test wants.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use podwire_fastio::Doorbell;

use super::{Because, Ended, Nobody, OperatorState, Plan, Report, Running, Runtime};
use crate::{
    Application, Context, Fragment, Input, Message, Operator, OperatorSpec, Output, Result, WorkerLost,
    context::FastIo,
    transport::{Link, LinkError, Peer, ReceiveEnd, SendEnd, Traffic, Transport},
};

/// Emits at `out` for ever.
struct Emit;

impl Operator for Emit {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output::<u64>("out");
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, context: &mut Context) -> Result {
        Ok(output.emit("out", context.tick())?)
    }
}

/// Takes what comes at `in`.
struct Take;

impl Operator for Take {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<u64>("in").capacity(3);
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        input.receive::<u64>("in")?;
        Ok(())
    }
}

/// The only link of a test, as its other end would see it.
#[derive(Clone)]
struct Script(Arc<Mutex<State>>);

struct State {
    peer: Peer,
    capacity: usize,
    waiting: VecDeque<std::result::Result<Message, LinkError>>,
    traffic: Traffic,
    bell: Doorbell,
    /// The call in which the transport panics.
    panics_in: &'static str,
}

impl Script {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            peer: Peer::Attached,
            capacity: 0,
            waiting: VecDeque::new(),
            traffic: Traffic::default(),
            bell: Doorbell::new(),
            panics_in: "",
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics with it")
    }

    fn call(&self, name: &'static str) -> MutexGuard<'_, State> {
        let state = self.state();
        if state.panics_in == name {
            drop(state);
            panic!("no {name}");
        }
        state
    }

    /// Changes what the other end has done, and rings.
    fn then(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let bell = state.bell.clone();
        drop(state);
        bell.ring();
    }

    fn arrive(&self, what: std::result::Result<Message, LinkError>) {
        self.then(|state| {
            state.traffic.sent += u64::from(!matches!(what, Err(LinkError::Gap { .. })));
            state.waiting.push_back(what);
        });
    }

    fn becomes(&self, peer: Peer) {
        self.then(|state| state.peer = peer);
    }

    /// Runs one of the two fragments, with this link in the place of the other one.
    fn run(&self, fragment: usize, when_lost: WorkerLost) -> Running {
        let mut left = Fragment::new("left");
        left.add_operator("emit", Emit);
        let mut right = Fragment::new("right");
        right.add_operator("take", Take);
        let mut app = Application::new(["app"]);
        app.add_fragment(left);
        app.add_fragment(right);
        app.add_flow("left", "right", [("emit.out", "take.in")]);
        let graph = app.check().expect("it is composed well");
        let transport: Arc<dyn Transport> = Arc::new(self.clone());
        let plan = Plan {
            local: &|at| at == fragment,
            transport: &|_| Some(Arc::clone(&transport)),
            when_lost,
            try_again: &|_| false,
            observer: Arc::new(Nobody),
            fast_io: FastIo::ephemeral("never-opened".into()),
            grace: Duration::from_secs(5),
        };
        Runtime::prepare(app.composed(graph), plan).expect("it opens").start().expect("it starts")
    }
}

impl Transport for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    fn sender(&self, link: &Link, bell: &Doorbell) -> std::result::Result<Box<dyn SendEnd>, LinkError> {
        self.then(|state| (state.capacity, state.bell) = (link.capacity, bell.clone()));
        Ok(Box::new(self.clone()))
    }

    fn receiver(&self, _: &Link, bell: &Doorbell) -> std::result::Result<Box<dyn ReceiveEnd>, LinkError> {
        self.then(|state| state.bell = bell.clone());
        Ok(Box::new(self.clone()))
    }
}

fn link() -> String {
    "left.emit.out>right.take.in".into()
}

impl SendEnd for Script {
    fn try_send(&mut self, message: &Message) -> std::result::Result<(), LinkError> {
        let mut state = self.state();
        match state.peer {
            Peer::Closed => return Err(LinkError::Closed { link: link() }),
            Peer::Died => return Err(LinkError::PeerDied { link: link() }),
            _ if state.waiting.len() == state.capacity => {
                return Err(LinkError::Full { link: link(), capacity: state.capacity });
            }
            _ => {}
        }
        state.waiting.push_back(Ok(message.clone()));
        state.traffic.sent += 1;
        Ok(())
    }

    fn close(&mut self) -> bool {
        drop(self.call("close"));
        true
    }

    fn peer(&self) -> Peer {
        self.call("peer").peer
    }

    fn traffic(&self) -> Traffic {
        self.call("traffic").traffic
    }
}

impl ReceiveEnd for Script {
    fn try_receive(&mut self) -> std::result::Result<Option<Message>, LinkError> {
        let mut state = self.state();
        let received = state.waiting.pop_front().transpose();
        if matches!(received, Ok(Some(_))) {
            state.traffic.received += 1;
            state.traffic.settled += 1;
        }
        received
    }

    fn settle(&mut self) {
        drop(self.call("settle"));
    }

    fn waiting(&self) -> usize {
        self.state().waiting.iter().filter(|it| !matches!(it, Err(LinkError::Gap { .. }))).count()
    }

    fn peer(&self) -> Peer {
        self.call("peer").peer
    }

    fn traffic(&self) -> Traffic {
        self.call("traffic").traffic
    }
}

/// Waits until the only operator has come so far.
fn until(running: &Running, state: OperatorState, ticks: u64) {
    let so_far = |it: &super::OperatorSnapshot| it.state == state && it.ticks >= ticks;
    while !so_far(&running.snapshot().operators[0]) {
        std::thread::yield_now();
    }
}

fn stopped(running: &Running) -> Report {
    running.stop();
    running.wait()
}

#[test]
fn what_cannot_be_decoded_is_a_failure_of_the_operator_and_names_the_link() {
    let script = Script::new();
    let running = script.run(1, WorkerLost::End);
    script.arrive(Ok(Message::new(1_u64)));
    let source = podwire_codec_core::from_slice::<u64>(&[]).expect_err("nothing is no number");
    script.arrive(Err(LinkError::Codec { link: link(), source }));
    let report = running.wait();
    assert_eq!(report.ended, Ended::Failed);
    let failure = report.failures[0].to_string();
    assert!(failure.starts_with("right.take failed: left.emit.out>right.take.in: "), "{failure}");
    assert_eq!(report.operators[0].received, 1);
}

#[test]
fn messages_that_a_link_lost_are_counted_and_the_next_one_is_received() {
    let script = Script::new();
    let running = script.run(1, WorkerLost::End);
    script.arrive(Err(LinkError::Gap { link: link(), missing: 4, next: 4 }));
    script.arrive(Ok(Message::new(4_u64)));
    script.becomes(Peer::Closed);
    let report = running.wait();
    assert_eq!(report.ended, Ended::Done, "{:?}", report.failures);
    assert_eq!((report.operators[0].received, report.connections[0].counts.lost), (1, 4));
}

#[test]
fn messages_that_a_link_lost_are_counted_also_if_none_follows_them_and_are_no_failure() {
    let script = Script::new();
    let running = script.run(1, WorkerLost::End);
    script.arrive(Ok(Message::new(1_u64)));
    until(&running, OperatorState::Waiting, 1);
    script.arrive(Err(LinkError::Gap { link: link(), missing: 3, next: 4 }));
    until(&running, OperatorState::Waiting, 1);
    script.becomes(Peer::Closed);
    let report = running.wait();
    assert_eq!(report.ended, Ended::Done, "{:?}", report.failures);
    let counts = report.connections[0].counts;
    assert_eq!((report.operators[0].received, counts.sent, counts.lost), (1, 4, 3));
}

#[test]
fn an_input_whose_sender_died_ends_or_waits_for_its_return_as_the_application_says() {
    let script = Script::new();
    let running = script.run(1, WorkerLost::End);
    script.arrive(Ok(Message::new(1_u64)));
    script.becomes(Peer::Died);
    let report = running.wait();
    assert_eq!((report.operators[0].received, report.operators[0].because), (1, Because::InputsClosed));

    let script = Script::new();
    let running = script.run(1, WorkerLost::Wait);
    script.becomes(Peer::Died);
    until(&running, OperatorState::Waiting, 0);
    script.state().peer = Peer::Attached; // who comes back rings no bell
    script.state().waiting.push_back(Ok(Message::new(2_u64)));
    until(&running, OperatorState::Waiting, 1);
    script.becomes(Peer::Closed);
    assert_eq!(running.wait().operators[0].because, Because::InputsClosed);
}

#[test]
fn an_emit_waits_for_room_in_a_link_and_is_released_by_the_end() {
    let script = Script::new();
    let running = script.run(0, WorkerLost::End);
    until(&running, OperatorState::Blocked, 4);
    assert_eq!(script.state().waiting.len(), 3, "it has the capacity of the input");
    script.then(|state| {
        state.waiting.clear();
        state.traffic.received = 3;
        state.traffic.settled = 3;
    });
    until(&running, OperatorState::Blocked, 7);
    let report = stopped(&running);
    assert_eq!((report.operators[0].because, report.failures.len()), (Because::Stopping, 0));
    assert_eq!(report.connections[0].counts.sent, 6);
}

#[test]
fn what_a_receiver_that_died_had_not_settled_is_lost_and_a_sender_that_may_wait_goes_on() {
    let script = Script::new();
    let running = script.run(0, WorkerLost::End);
    until(&running, OperatorState::Blocked, 4);
    script.then(|state| {
        // Two were taken, one of them was in its hands.
        state.waiting.drain(..2);
        (state.traffic.received, state.traffic.settled) = (2, 1);
        state.peer = Peer::Died;
    });
    let report = running.wait();
    assert_eq!(report.operators[0].because, Because::Unheard);
    let counts = report.connections[0].counts;
    assert_eq!((counts.received, counts.lost), (1, 2));
    assert_eq!(counts.sent, counts.received + counts.dropped + counts.lost);

    let script = Script::new();
    let running = script.run(0, WorkerLost::Wait);
    until(&running, OperatorState::Blocked, 4);
    script.becomes(Peer::Died);
    script.then(|state| {
        state.waiting.clear();
        (state.traffic.received, state.traffic.settled) = (3, 3);
        state.peer = Peer::Attached;
    });
    until(&running, OperatorState::Blocked, 7);
    assert!(stopped(&running).failures.is_empty());
}

#[test]
fn a_transport_that_panics_between_the_calls_of_an_operator_is_a_failure_and_the_run_ends() {
    for (fragment, call) in [(0, "peer"), (0, "close"), (0, "traffic"), (1, "peer"), (1, "settle")] {
        let script = Script::new();
        let running = script.run(fragment, WorkerLost::End);
        script.then(|state| state.panics_in = call);
        script.arrive(Ok(Message::new(1_u64)));
        running.stop();
        let report = running.wait();
        assert_eq!(report.ended, Ended::Failed, "{call}");
        let told = report.failures[0].to_string();
        assert!(told.contains("panicked") && told.ends_with(&format!(": no {call}")), "{told}");
    }
}
