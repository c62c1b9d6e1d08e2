//! When an operator runs next, and when it never will again.
//!
//! Not here: calling it. Invariant: a thread sleeps only after it has looked at everything that could wake it, and what
//! changes after that look rings its bell.

use std::time::{Duration, Instant};

use super::{
    report::Because,
    sleeper::{LOOK_AGAIN, Sleeper},
    snapshot::OperatorState,
    standstill::Rest,
};
use crate::{
    condition::{Conditions, WhenInputs},
    input::{Input, InputPort},
    lane::{InLane, Wakes},
    output::Output,
};

/// What an operator does next.
pub(crate) enum Next {
    /// It computes.
    Run,
    /// It ends.
    End(Because),
}

/// The conditions of an operator, and how far it is.
pub(crate) struct Schedule {
    conditions: Conditions,
    ticks: u64,
    /// When it ran for the first time, and when it may run next.
    first: Option<Instant>,
    due: Option<Instant>,
    /// Something may come from outside of its cycle.
    open: bool,
}

/// What the inputs of an operator say, best things first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Inputs {
    Ready,
    /// More must come.
    Lacking,
    /// Not enough will ever come.
    Over,
}

impl Schedule {
    pub(crate) fn new(conditions: Conditions) -> Self {
        Self { conditions, ticks: 0, first: None, due: None, open: true }
    }

    /// Waits until the operator is to run, or to end.
    pub(crate) fn next(&mut self, input: &Input, output: &Output, sleeper: &Sleeper) -> Next {
        if self.conditions.count.is_some_and(|count| self.ticks >= count) {
            return Next::End(Because::Count);
        }
        loop {
            let wakes = lacking(input);
            let inputs = self.look(input);
            self.look_outside(input, sleeper);
            if let Some(because) = self.end(inputs, input, output, sleeper) {
                return Next::End(because);
            }
            match self.due {
                _ if inputs != Inputs::Ready => self.sleep_for_messages(input, wakes, sleeper),
                Some(due) if Instant::now() < due => {
                    sleeper.sleep(OperatorState::Waiting, std::iter::empty(), Some(due));
                }
                _ => {
                    self.ran();
                    return Next::Run;
                }
            }
        }
    }

    /// Why the operator ends now, if it does.
    fn end(&self, inputs: Inputs, input: &Input, output: &Output, sleeper: &Sleeper) -> Option<Because> {
        let stopping = sleeper.shared.stopping();
        if sleeper.shared.aborted() {
            Some(Because::Stopping)
        } else if sleeper.cycle_is_over() {
            Some(Because::CycleEnded)
        } else if inputs == Inputs::Over {
            Some(Because::InputsClosed)
        } else if stopping && (sleeper.isolated() || input.ports().iter().all(InputPort::is_over)) {
            Some(Because::Stopping)
        } else if output.unheard() {
            Some(Because::Unheard)
        } else {
            None
        }
    }

    /// Sleeps until a message may have come, or the end.
    fn sleep_for_messages(&self, input: &Input, wakes: Vec<Wakes<'_>>, sleeper: &Sleeper) {
        if let Some(rest) = rest(input, sleeper.in_cycle()) {
            sleeper.rest(rest, || self.look(input) != Inputs::Lacking);
        }
        // These ring no bell: the return of a process, and the second message of a channel that has one.
        let more = |port: &InputPort| port.at_least > 1 && port.lanes.iter().any(|lane| !lane.is_local());
        let again = wakes.iter().any(|it| matches!(it, Wakes::Time)) || input.ports().iter().any(more);
        let channels =
            wakes.iter().filter_map(|it| if let Wakes::Channel(end) = it { Some(*end) } else { None });
        let deadline = again.then(|| Instant::now() + LOOK_AGAIN);
        sleeper.sleep(OperatorState::Waiting, channels, deadline);
    }

    /// Says once that nothing more comes from outside of the cycle.
    fn look_outside(&mut self, input: &Input, sleeper: &Sleeper) {
        if self.open
            && sleeper.in_cycle()
            && lanes(input).filter(|lane| !lane.of_cycle).all(|lane| lane.closed() && lane.waiting() == 0)
        {
            self.open = false;
            sleeper.close_outside();
        }
    }

    /// What the inputs say. Optional ones are not asked.
    fn look(&self, input: &Input) -> Inputs {
        let asked = input.ports().iter().filter(|port| port.at_least > 0).map(look_at);
        let decisive = match self.conditions.inputs {
            WhenInputs::All => asked.max(),
            WhenInputs::Any => asked.min(),
        };
        decisive.unwrap_or(Inputs::Ready)
    }

    /// Notes that the operator runs, and when it may run next: at the first multiple of its period that is not over.
    fn ran(&mut self) {
        self.ticks += 1;
        let Some(period) = self.conditions.period.filter(|period| !period.is_zero()) else { return };
        let now = Instant::now();
        let first = *self.first.get_or_insert(now);
        let periods = (now - first).as_nanos() / period.as_nanos() + 1;
        self.due = Some(first + Duration::from_nanos((periods * period.as_nanos()) as u64));
    }
}

fn look_at(port: &InputPort) -> Inputs {
    let closed = port.closed();
    match port.waiting() {
        0 if closed => Inputs::Over,
        waiting if waiting >= port.at_least || closed => Inputs::Ready,
        _ => Inputs::Lacking,
    }
}

fn lanes(input: &Input) -> impl Iterator<Item = &InLane> + Clone {
    input.ports().iter().flat_map(|port| &port.lanes)
}

/// Whom an operator waits for that lacks messages, if they are all in this process.
fn rest(input: &Input, in_cycle: bool) -> Option<Rest> {
    let mut open = lanes(input).filter(|lane| !lane.closed());
    if in_cycle && open.clone().all(|lane| lane.within_cycle) {
        Some(Rest::IdleWithin)
    } else {
        open.all(InLane::is_local).then_some(Rest::Idle)
    }
}

/// What wakes the operator, of lanes that have nothing. To be asked before the inputs are looked at.
fn lacking(input: &Input) -> Vec<Wakes<'_>> {
    lanes(input).filter(|lane| lane.waiting() == 0).map(InLane::wakes).collect()
}
