//! A worker: from the first hello until it leaves.
//!
//! A pure machine, as the driver is: events in, actions out. Invariants: fragments are prepared at most once, and begin
//! only when the driver says so; whatever happens, the machine comes to [`Action::Over`].

use super::{
    refusal::Refusal,
    words::{Answer, Cause, Order, Outcome, Plan, Word},
};

/// What happens to a worker.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The driver answered the hello.
    Answered(Answer),
    Ordered(Order),
    /// The driver's process is gone, or cannot be reached.
    DriverGone,
    /// The fragments can begin.
    Prepared,
    /// The fragments cannot be prepared, or an operator failed and they are ending.
    Failed(Cause),
    /// An operator asked that the application stops.
    StopAsked {
        operator: String,
    },
    /// The fragments have ended.
    Ended,
    /// A signal came.
    Interrupted(i32),
}

/// What a worker does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Asks to join, with the description of the application or without.
    Hello {
        describe: bool,
    },
    Say(Word),
    /// Prepares the fragments, and says whether that went well.
    Prepare(Plan),
    /// Gives up what is prepared, or is being prepared: whoever waits for it is let go.
    Cancel,
    /// Begins.
    Start,
    /// Ends the fragments that run, in order, and says when they have ended.
    Stop(Leave),
    /// Leaves.
    Over(Leave),
}

/// Why a worker ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Leave {
    /// The application ended.
    Outcome(Outcome),
    /// The driver did not let it join.
    Refused(Refusal),
    /// The driver is gone.
    DriverGone,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum State {
    /// It has asked to join.
    Asking,
    /// It has joined, and has no fragments.
    Idle,
    Preparing,
    /// It prepares fragments that are no longer wanted.
    Cancelled,
    /// Its fragments wait for the start.
    Prepared,
    Running,
    /// Its fragments were told to end.
    Stopping,
    /// Its fragments have ended, and the driver was told so.
    Ended,
    Over,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Worker {
    state: State,
    /// Why it leaves, once its fragments have ended.
    leave: Option<Leave>,
    interrupted: bool,
}

impl Worker {
    /// A worker, and what it does first.
    pub(crate) fn new() -> (Self, Vec<Action>) {
        let worker = Self { state: State::Asking, leave: None, interrupted: false };
        (worker, vec![Action::Hello { describe: false }])
    }

    /// What is to be done now that this has happened, in this order.
    pub(crate) fn handle(&mut self, event: Event) -> Vec<Action> {
        if self.state == State::Over {
            return Vec::new();
        }
        match event {
            Event::Answered(answer) => self.answered(answer),
            Event::Ordered(order) => self.ordered(order),
            Event::DriverGone => self.leave(Leave::DriverGone),
            Event::Prepared => self.prepared(),
            Event::Failed(cause) => self.failed(cause),
            Event::StopAsked { operator } => match self.state {
                State::Running => vec![Action::Say(Word::Stop { operator })],
                _ => Vec::new(),
            },
            Event::Ended => self.ended(),
            Event::Interrupted(signal) => self.interrupted(signal),
        }
    }

    fn answered(&mut self, answer: Answer) -> Vec<Action> {
        match answer {
            Answer::Noted => Vec::new(),
            _ if self.state != State::Asking => Vec::new(),
            Answer::Welcome => {
                self.state = State::Idle;
                Vec::new()
            }
            Answer::Describe => vec![Action::Hello { describe: true }],
            // Who asks again and again gives up at some time.
            Answer::Later(why) | Answer::Refused(why) => self.over(Leave::Refused(why)),
        }
    }

    fn ordered(&mut self, order: Order) -> Vec<Action> {
        match (order, &self.state) {
            // The order may overtake the answer: they come to different ears.
            (Order::Assign(plan), State::Asking | State::Idle) => {
                self.state = State::Preparing;
                vec![Action::Prepare(plan)]
            }
            (Order::Start, State::Prepared) => {
                self.state = State::Running;
                vec![Action::Start]
            }
            (Order::Stop(outcome), State::Running) => {
                self.state = State::Stopping;
                vec![Action::Stop(Leave::Outcome(outcome))]
            }
            // Nothing runs yet, and nothing will.
            (Order::Stop(_), State::Prepared) => {
                self.state = State::Ended;
                vec![Action::Cancel, Action::Say(Word::Finished)]
            }
            (Order::Stop(_), State::Preparing) => {
                self.state = State::Cancelled;
                vec![Action::Cancel]
            }
            (Order::End(outcome), _) => self.leave(Leave::Outcome(outcome)),
            _ => Vec::new(),
        }
    }

    /// Ends, and lets the fragments end before.
    fn leave(&mut self, why: Leave) -> Vec<Action> {
        match self.state {
            State::Running => {
                self.state = State::Stopping;
                self.leave = Some(why.clone());
                vec![Action::Stop(why)]
            }
            State::Preparing => {
                self.state = State::Cancelled;
                self.leave = Some(why);
                vec![Action::Cancel]
            }
            State::Stopping | State::Cancelled => {
                self.leave.get_or_insert(why);
                Vec::new()
            }
            _ => self.over(why),
        }
    }

    fn prepared(&mut self) -> Vec<Action> {
        match self.state {
            State::Preparing => {
                self.state = State::Prepared;
                vec![Action::Say(Word::Ready)]
            }
            State::Cancelled => [vec![Action::Cancel], self.ended()].concat(),
            _ => Vec::new(),
        }
    }

    fn failed(&mut self, cause: Cause) -> Vec<Action> {
        match self.state {
            State::Preparing => {
                self.state = State::Ended;
                vec![Action::Say(Word::Failed(cause)), Action::Say(Word::Finished)]
            }
            // Who is told to end can still fail, and what has ended may not have reached the others; the driver knows whether
            // it counts.
            State::Running | State::Stopping | State::Ended => vec![Action::Say(Word::Failed(cause))],
            State::Cancelled => self.ended(),
            _ => Vec::new(),
        }
    }

    fn ended(&mut self) -> Vec<Action> {
        match (&self.state, self.leave.take()) {
            (State::Running | State::Stopping | State::Cancelled, None) => {
                self.state = State::Ended;
                vec![Action::Say(Word::Finished)]
            }
            (State::Running | State::Stopping | State::Cancelled, Some(why)) => {
                let mut actions = vec![Action::Say(Word::Finished)];
                actions.extend(self.over(why));
                actions
            }
            _ => Vec::new(),
        }
    }

    /// The first signal ends the application in order; the second one does not wait for anybody.
    fn interrupted(&mut self, signal: i32) -> Vec<Action> {
        if self.state == State::Asking || std::mem::replace(&mut self.interrupted, true) {
            return self.over(Leave::Outcome(Outcome::Interrupted { signal }));
        }
        vec![Action::Say(Word::Interrupted { signal })]
    }

    fn over(&mut self, why: Leave) -> Vec<Action> {
        self.state = State::Over;
        vec![Action::Over(why)]
    }
}
