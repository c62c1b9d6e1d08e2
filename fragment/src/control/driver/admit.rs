//! Who may join.
//!
//! Invariant: of two workers that want one fragment, the first gets it, and the other one is told who has it.

use super::{Action, Driver, Member, MemberState, Phase};
use crate::control::{
    description::Mismatch,
    notice::Notice,
    paths::{Place, names},
    refusal::Refusal,
    words::{Answer, Hello, Wants, WorkerId},
};

impl Driver {
    pub(super) fn hello(&mut self, hello: &Hello, out: &mut Vec<Action>) {
        let answer = match self.admit(&hello.worker, hello) {
            Ok(answer) => answer,
            // It may be its own dead self: the worker asks again until that must have been missed.
            Err(why @ Refusal::Taken { .. }) if self.setup.waits => Answer::Later(why),
            Err(why) => {
                out.push(Action::Notice(Notice::Refused {
                    worker: hello.name.clone(),
                    why: why.to_string(),
                }));
                Answer::Refused(why)
            }
        };
        let new = answer == Answer::Welcome && !self.state.members.contains_key(&hello.worker);
        out.push(Action::Answer(answer));
        if new {
            let theirs = hello.description.as_ref();
            let differences =
                theirs.map(|theirs| self.setup.description.oddities(theirs)).unwrap_or_default();
            if !differences.is_empty() {
                out.push(Action::Notice(Notice::Odd { worker: hello.name.clone(), differences }));
            }
            self.join(hello.worker.clone(), hello, out);
        }
    }

    fn admit(&self, worker: &WorkerId, hello: &Hello) -> Result<Answer, Refusal> {
        let setup = &self.setup;
        if hello.application != setup.application {
            let (driver, worker) = (setup.application.clone(), hello.application.clone());
            return Err(Refusal::Application { driver, worker });
        }
        if hello.digest != setup.digest {
            let Some(theirs) = &hello.description else { return Ok(Answer::Describe) };
            match setup.description.mismatch(theirs) {
                Some(Mismatch::Composition(difference)) => return Err(Refusal::Differs(difference)),
                Some(Mismatch::Schema { name, difference }) => {
                    return Err(Refusal::Schema { name, difference });
                }
                None => {} // It was a digest of something else; what counts is equal.
            }
        }
        self.admit_transports(hello)?;
        if !matches!(self.state.phase, Phase::Gathering | Phase::Running { .. }) {
            return Err(Refusal::Ending);
        }
        let Wants::Fragments(names) = &hello.wants else { return Ok(Answer::Welcome) };
        for fragment in names {
            let Some(at) = self.fragment(fragment) else {
                let exists = setup.fragments.iter().map(|(name, _)| name.clone()).collect();
                return Err(Refusal::UnknownFragment { fragment: fragment.clone(), exists });
            };
            if let Some(owner) = self.state.slots[at].owner.as_ref().filter(|owner| *owner != worker) {
                let by = self.state.members.get(owner).map(|member| member.name.clone()).unwrap_or_default();
                return Err(Refusal::Taken { fragment: fragment.clone(), by });
            }
            if let Some(transport) = self.out_of_reach(at, hello) {
                return Err(Refusal::OutOfReach { fragment: fragment.clone(), transport });
            }
        }
        Ok(Answer::Welcome)
    }

    /// Whether a worker has the transport that is forced, and understands what goes over those that the driver has, too.
    fn admit_transports(&self, hello: &Hello) -> Result<(), Refusal> {
        let differs = hello.transports.iter().find_map(|theirs| {
            let ours = self.setup.transports.iter().find(|ours| ours.name == theirs.name)?;
            (ours.version != theirs.version).then_some((ours, theirs.version))
        });
        if let Some((ours, worker)) = differs {
            let (transport, driver) = (ours.name.clone(), ours.version);
            return Err(Refusal::TransportVersion { transport, driver, worker });
        }
        match &self.setup.forced {
            Some(forced) if !hello.transports.iter().any(|offer| offer.name == *forced) => {
                let (transport, worker) = (forced.clone(), hello.name.clone());
                Err(Refusal::NoTransport { transport, worker, exists: names(&hello.transports) })
            }
            _ => Ok(()),
        }
    }

    /// The transport of a connection to a fragment that goes on, if it cannot lead to this worker.
    fn out_of_reach(&self, fragment: usize, hello: &Hello) -> Option<String> {
        self.setup.crossings.iter().zip(&self.state.ways).find_map(|(crossing, way)| {
            let other = match (crossing.from == fragment, crossing.to == fragment) {
                (true, _) => crossing.to,
                (_, true) => crossing.from,
                _ => return None,
            };
            let (way, owner) = (way.as_ref()?, self.state.slots[other].owner.as_ref()?);
            let other = self.state.members.get(owner)?;
            let here = Place { host: &hello.host, offers: &hello.transports };
            (!here.reaches(other.place(), way)).then(|| way.clone())
        })
    }

    fn join(&mut self, worker: WorkerId, hello: &Hello, out: &mut Vec<Action>) {
        if let Wants::Fragments(names) = &hello.wants {
            let wanted = names.iter().filter_map(|name| self.fragment(name)).collect::<Vec<_>>();
            for at in wanted {
                let slot = &mut self.state.slots[at];
                if !slot.done {
                    slot.owner = Some(worker.clone());
                }
            }
        }
        let Hello { name, wants, host, resources, transports, .. } = hello.clone();
        let member =
            Member { name: name.clone(), wants, host, resources, transports, state: MemberState::Joined };
        self.state.members.insert(worker.clone(), member);
        let fragments = self.names(&self.fragments_of(&worker));
        out.push(Action::Notice(Notice::Joined { worker: name, fragments }));
        self.gather(out);
        self.settle(out);
    }

    fn fragment(&self, name: &str) -> Option<usize> {
        self.setup.fragments.iter().position(|(known, _)| known == name)
    }
}
