//! Who runs what, and over which transports.
//!
//! Invariant: a worker gets its fragments once it is known where all of their neighbours are; from then on the
//! transport of a connection stays, for as long as one of its ends is there.

use std::collections::BTreeMap;

use super::{Action, Alarm, Driver, Member, MemberState, Phase};
use crate::control::{
    notice::Notice,
    placement::{Willing, place},
    words::{Cause, Order, Outcome, Placed, Plan, Wants, WorkerId},
};

impl Driver {
    /// While fragments have no owner: whether those that are left can be shared out.
    pub(super) fn gather(&mut self, out: &mut Vec<Action>) {
        if self.state.phase != Phase::Gathering {
            return;
        }
        let (willing, expected) = (self.willing(), self.setup.expected);
        if self.free().is_empty() || (expected > 0 && willing && self.state.members.len() >= expected) {
            self.gathered(out);
        } else if willing && expected == 0 {
            out.push(Action::Alarm(Alarm::Gather));
        } else {
            out.extend([Action::Silence(Alarm::Gather), Action::Notice(self.waiting())]);
        }
    }

    /// Shares out what is left, and begins.
    pub(super) fn gathered(&mut self, out: &mut Vec<Action>) {
        if self.state.phase == Phase::Gathering {
            self.share();
            if self.free().is_empty() {
                out.extend([Action::Silence(Alarm::Gather), Action::Silence(Alarm::Join)]);
                self.state.phase = Phase::Running { started: false };
                self.settle(out);
            }
        }
    }

    /// Gives orders to whoever can have them, as far as the application goes on.
    pub(super) fn settle(&mut self, out: &mut Vec<Action>) {
        let Phase::Running { started } = self.state.phase else { return };
        if self.state.slots.iter().all(|slot| slot.done) {
            return self.end(Outcome::Done, out);
        }
        self.share();
        let waiting: Vec<_> = self.joined().map(|(worker, _)| worker.clone()).collect();
        for worker in waiting {
            if !self.assign(&worker, out) {
                return;
            }
        }
        let ready = self.state.slots.iter().all(|slot| {
            let owner = slot.owner.as_ref().and_then(|owner| self.state.members.get(owner));
            slot.done
                || owner
                    .is_some_and(|owner| !matches!(owner.state, MemberState::Joined | MemberState::Assigned))
        });
        if !started && ready {
            self.state.phase = Phase::Running { started: true };
            out.push(Action::Notice(Notice::Started));
            out.extend(self.carried().into_iter().chain(self.readable()).map(Action::Notice));
        }
        if started || ready {
            for (worker, member) in &mut self.state.members {
                if member.state == MemberState::Ready {
                    member.state = MemberState::Running;
                    out.push(Action::Order(worker.clone(), Order::Start));
                }
            }
        }
    }

    /// Gives a worker its fragments, if all of their neighbours are known. False if the application cannot go on.
    fn assign(&mut self, worker: &WorkerId, out: &mut Vec<Action>) -> bool {
        let yours = self.fragments_of(worker);
        let touches = |at: &usize| {
            let crossing = self.setup.crossings[*at];
            yours.contains(&crossing.from) || yours.contains(&crossing.to)
        };
        let touched: Vec<usize> = (0..self.setup.crossings.len()).filter(touches).collect();
        if yours.is_empty() || !touched.iter().all(|at| self.known(*at)) {
            return true;
        }
        let mut transports = vec![String::new(); self.setup.connections];
        for at in touched {
            match self.way(at) {
                Ok(way) => {
                    transports[self.setup.crossings[at].connection].clone_from(&way);
                    self.state.ways[at] = Some(way);
                }
                Err(cause) => {
                    self.stop(Outcome::Failed(cause), out);
                    return false;
                }
            }
        }
        let placed = self.state.slots.iter().enumerate().filter_map(|(at, slot)| {
            let worker = slot.owner.clone()?;
            let name = self.state.members.get(&worker)?.name.clone();
            Some(Placed { fragment: self.name(at), worker, name })
        });
        let plan = Plan {
            run: self.setup.run.clone(),
            yours: yours.iter().map(|at| *at as u32).collect(),
            placed: placed.collect(),
            transports,
            forced: self.setup.forced.is_some(),
            waits: self.setup.waits,
            watched: self.setup.watched,
        };
        let fragments = self.names(&yours);
        if let Some(member) = self.state.members.get_mut(worker) {
            member.state = MemberState::Assigned;
            out.push(Action::Notice(Notice::Placed { worker: member.name.clone(), fragments }));
            out.push(Action::Order(worker.clone(), Order::Assign(plan)));
        }
        true
    }

    /// Whether it is known where both ends of a crossing are, or which way they have agreed on.
    fn known(&self, crossing: usize) -> bool {
        let ends = self.setup.crossings[crossing];
        let owned = |fragment: usize| self.state.slots[fragment].owner.is_some();
        self.state.ways[crossing].is_some() || (owned(ends.from) && owned(ends.to))
    }

    fn way(&self, at: usize) -> Result<String, Cause> {
        if let Some(way) = &self.state.ways[at] {
            return Ok(way.clone());
        }
        let crossing = self.setup.crossings[at];
        let owner = |fragment: usize| -> Option<(&WorkerId, &Member)> {
            self.state.members.get_key_value(self.state.slots[fragment].owner.as_ref()?)
        };
        let (Some(from), Some(to)) = (owner(crossing.from), owner(crossing.to)) else {
            return Ok(String::new());
        };
        if from.0 == to.0 {
            return Ok("local".into());
        }
        let forced = self.setup.forced.as_deref();
        let (here, there) = (from.1.place(), to.1.place());
        here.best_way(there, forced).map(str::to_owned).ok_or_else(|| Cause {
            operator: String::new(),
            fragments: self.names(&[crossing.from, crossing.to]),
            worker: from.1.name.clone(),
            what: format!(
                "no transport{} leads from here ({}) to worker {} ({})",
                forced.map_or(String::new(), |it| format!(" {it}")),
                here.names(),
                to.1.name,
                there.names(),
            ),
        })
    }

    /// Which transport carries what, for those who look on.
    fn carried(&self) -> Option<Notice> {
        let by = self.by_transport();
        (self.setup.watched > 0 && !by.is_empty()).then_some(Notice::Carried { by })
    }

    /// What everybody on the way can read, where people have certificates and may think that nobody can.
    fn readable(&self) -> Option<Notice> {
        let is_meant = !self.setup.encrypted || self.setup.forced.is_some();
        let connections = self.by_transport().remove("ucx").filter(|_| !is_meant)?;
        Some(Notice::Readable { connections })
    }

    fn by_transport(&self) -> BTreeMap<String, Vec<String>> {
        let mut by = BTreeMap::<_, Vec<_>>::new();
        for (connection, way) in self.setup.description.connections.iter().zip(&self.state.ways) {
            let Some(way) = way else { continue };
            by.entry(way.clone()).or_default().push(connection.name.clone());
        }
        by
    }

    /// Gives the fragments that are left to the workers that take any, and have none yet.
    fn share(&mut self) {
        let free = self.free();
        let weights: Vec<usize> = free.iter().map(|at| self.setup.fragments[*at].1).collect();
        let idle = self
            .joined()
            .filter(|(worker, member)| member.wants == Wants::All && self.fragments_of(worker).is_empty());
        let willing = idle.map(|(worker, member)| Willing {
            worker: worker.clone(),
            resources: member.resources,
            load: 0,
        });
        let placed = place(&weights, willing.collect());
        for (at, worker) in free.into_iter().zip(placed) {
            self.state.slots[at].owner = worker;
        }
    }

    fn willing(&self) -> bool {
        self.joined().any(|(_, member)| member.wants == Wants::All)
    }

    fn joined(&self) -> impl Iterator<Item = (&WorkerId, &Member)> {
        self.state.members.iter().filter(|(_, member)| member.state == MemberState::Joined)
    }

    /// Fragments that have no owner, and need one.
    pub(super) fn free(&self) -> Vec<usize> {
        let free = |(at, slot): (usize, &super::Slot)| (slot.owner.is_none() && !slot.done).then_some(at);
        self.state.slots.iter().enumerate().filter_map(free).collect()
    }
}
