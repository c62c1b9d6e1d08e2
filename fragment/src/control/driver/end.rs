//! Losses, stops, and the end.
//!
//! Invariant: the first reason to end is the one that counts, and every worker is told it.

use super::{Action, Alarm, Driver, Phase};
use crate::control::{
    notice::Notice,
    words::{Order, Outcome, WorkerId},
};

impl Driver {
    /// A worker is gone.
    pub(super) fn left(&mut self, worker: &WorkerId, out: &mut Vec<Action>) {
        let lost = self.fragments_of(worker);
        let Some(member) = self.state.members.remove(worker) else { return };
        for slot in self.state.slots.iter_mut().filter(|slot| slot.owner.as_ref() == Some(worker)) {
            slot.owner = None;
        }
        let (waits, fragments) = (self.setup.waits, self.names(&lost));
        let notice =
            |waits| Notice::Lost { worker: member.name.clone(), fragments: fragments.clone(), waits };
        match &self.state.phase {
            Phase::Gathering => {
                out.push(Action::Notice(notice(true)));
                self.gather(out);
            }
            Phase::Running { .. } if lost.is_empty() => self.forget_ways(),
            Phase::Running { .. } if waits => {
                out.push(Action::Notice(notice(true)));
                self.forget_ways();
                self.settle(out);
            }
            Phase::Running { .. } => {
                out.push(Action::Notice(notice(false)));
                self.stop(Outcome::WorkerLost { worker: member.name, fragments }, out);
            }
            Phase::Stopping(_) => {
                if !lost.is_empty() {
                    out.push(Action::Notice(notice(false)));
                }
                self.stopped(out);
            }
            Phase::Ending(_) => {
                if self.state.members.is_empty() {
                    self.over(out);
                }
            }
            Phase::Over => {}
        }
    }

    /// What both ends have left can be decided anew when they are back. An end that was local left with the other one; and
    /// one that is done never comes back.
    fn forget_ways(&mut self) {
        for (crossing, way) in self.setup.crossings.iter().zip(&mut self.state.ways) {
            let free = |at: usize| self.state.slots[at].owner.is_none() && !self.state.slots[at].done;
            if free(crossing.from) && free(crossing.to) {
                *way = None;
            }
        }
    }

    /// A signal came to some process of the application. The second one does not wait for anybody.
    pub(super) fn interrupted(&mut self, signal: i32, out: &mut Vec<Action>) {
        match self.state.phase.clone() {
            Phase::Gathering | Phase::Running { .. } => self.stop(Outcome::Interrupted { signal }, out),
            Phase::Stopping(outcome) => self.end(outcome, out),
            Phase::Ending(_) => self.over(out),
            Phase::Over => {}
        }
    }

    /// Lets all workers end in order.
    pub(super) fn stop(&mut self, outcome: Outcome, out: &mut Vec<Action>) {
        if !matches!(self.state.phase, Phase::Gathering | Phase::Running { .. }) {
            return;
        }
        out.push(Action::Notice(Notice::Stopping { outcome: outcome.clone() }));
        for (worker, member) in &self.state.members {
            if member.state.busy() {
                out.push(Action::Order(worker.clone(), Order::Stop(outcome.clone())));
            }
        }
        let silent = [Alarm::Gather, Alarm::Join].map(Action::Silence);
        out.extend(silent.into_iter().chain([Action::Alarm(Alarm::Stop)]));
        self.state.phase = Phase::Stopping(outcome);
        self.stopped(out);
    }

    /// Looks whether all workers have ended.
    pub(super) fn stopped(&mut self, out: &mut Vec<Action>) {
        if let Phase::Stopping(outcome) = self.state.phase.clone()
            && !self.state.members.values().any(|member| member.state.busy())
        {
            self.end(outcome, out);
        }
    }

    /// Nobody has come for some fragments.
    pub(super) fn unmanned(&mut self, out: &mut Vec<Action>) {
        if self.state.phase == Phase::Gathering {
            let fragments = self.names(&self.free());
            self.stop(Outcome::Unmanned { fragments }, out);
        }
    }

    /// They had time enough.
    pub(super) fn give_up(&mut self, out: &mut Vec<Action>) {
        let Phase::Stopping(outcome) = self.state.phase.clone() else { return };
        let busy = || self.state.members.iter().filter(|(_, member)| member.state.busy());
        let workers = busy().map(|(_, member)| member.name.clone()).collect();
        let fragments = busy().flat_map(|(worker, _)| self.names(&self.fragments_of(worker))).collect();
        // What failed first says more than who did not end because of it.
        let told = match outcome {
            Outcome::Failed(_) | Outcome::WorkerLost { .. } | Outcome::Unmanned { .. } => outcome,
            _ => Outcome::Stuck { workers, fragments },
        };
        self.end(told, out);
    }

    /// Lets all workers leave.
    pub(super) fn end(&mut self, outcome: Outcome, out: &mut Vec<Action>) {
        out.extend([Action::Silence(Alarm::Gather), Action::Silence(Alarm::Stop)]);
        for worker in self.state.members.keys() {
            out.push(Action::Order(worker.clone(), Order::End(outcome.clone())));
        }
        self.state.phase = Phase::Ending(outcome);
        if self.state.members.is_empty() {
            self.over(out);
        } else {
            out.push(Action::Alarm(Alarm::Close));
        }
    }

    pub(super) fn over(&mut self, out: &mut Vec<Action>) {
        if let Phase::Ending(outcome) = std::mem::replace(&mut self.state.phase, Phase::Over) {
            out.extend([Action::Silence(Alarm::Close), Action::Over(outcome)]);
        }
    }
}
