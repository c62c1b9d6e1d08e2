//! The two ends of one connection: what an output gives messages to, and an input takes them from.
//!
//! Not here: queues and links themselves (`transport`). Invariant: an end says that nothing will come only when nothing
//! waits any more that was sent before.

use std::sync::{
    Arc,
    atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    },
};

use podwire_fastio::ChannelEnd;

use crate::{
    condition::{WhenFull, WorkerLost},
    error::EmitError,
    message::Message,
    run::{Counts, LOOK_AGAIN, Latencies, LinkCounters, OperatorState, Rest, Sleeper, clock},
    transport::{
        LinkError, Peer, ReceiveEnd, SendEnd, Traffic,
        local::{Pushed, Queue},
    },
};

/// Whether the return of a process that died is waited for: if the application says so, and no longer once the run is to
/// stop, as nobody comes back then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    waits: AtomicBool,
    vanishes: AtomicBool,
}

impl Waits {
    pub(crate) fn new(when_lost: WorkerLost) -> Self {
        let waits = Self::default();
        waits.0.waits.store(when_lost == WorkerLost::Wait, Release);
        waits
    }

    /// Nobody's return is waited for any more.
    pub(crate) fn end(&self) {
        self.0.waits.store(false, Release);
    }

    /// The others have given this process up, and wait for another one in its place: the ends of its links are not closed in
    /// order, which would say that nobody comes, but go with the process.
    #[cfg(feature = "distributed")]
    pub(crate) fn vanish(&self) {
        self.0.vanishes.store(self.wait(), Release);
    }

    fn wait(&self) -> bool {
        self.0.waits.load(Acquire)
    }

    fn vanishes(&self) -> bool {
        self.0.vanishes.load(Acquire)
    }

    /// Whether the other end of a link is gone for good.
    fn is_over(&self, peer: Peer) -> bool {
        peer == Peer::Closed || peer == Peer::Died && !self.wait()
    }
}

/// The beginning of a connection.
pub(crate) struct OutLane {
    pub(crate) name: Arc<str>,
    pub(crate) way: OutWay,
    pub(crate) capacity: usize,
    pub(crate) when_full: WhenFull,
    /// It leads to an operator of the same cycle, in this process.
    pub(crate) within_cycle: bool,
}

/// Which way messages go.
pub(crate) enum OutWay {
    /// To another thread.
    Local(Arc<Queue>),
    /// To another process.
    Link(OutLink),
}

/// The beginning of a connection to another process.
pub(crate) struct OutLink {
    pub(crate) end: Box<dyn SendEnd>,
    pub(crate) counters: Arc<LinkCounters>,
    pub(crate) waits: Waits,
    /// The last message was not sent, because nobody is there.
    pub(crate) deserted: bool,
    /// Messages that were emitted when nobody was there any more.
    pub(crate) unheard: u64,
}

impl OutLane {
    /// Sends a message; where there is no room, the policy decides.
    pub(crate) fn send(&mut self, mut message: Message, sleeper: &Sleeper) -> Result<(), EmitError> {
        loop {
            message = match self.way.offer(message)? {
                Pushed::Yes | Pushed::Unheard => return Ok(()),
                Pushed::Full(message) => message,
            };
            if self.when_full == WhenFull::Refuse {
                return Err(EmitError::Full { connection: self.name.to_string(), capacity: self.capacity });
            }
            self.wait_for_room(sleeper)?;
        }
    }

    /// Sleeps until there may be room.
    fn wait_for_room(&self, sleeper: &Sleeper) -> Result<(), EmitError> {
        if sleeper.released() {
            return Err(EmitError::Stopping { connection: self.name.to_string() });
        }
        if let OutWay::Local(queue) = &self.way {
            let rest = if self.within_cycle { Rest::BlockedWithin } else { Rest::Blocked };
            sleeper.rest(rest, || queue.has_room());
        }
        let (channel, again) = match &self.way {
            OutWay::Local(_) => (None, None),
            OutWay::Link(link) => (link.end.channel(), link.look_again()),
        };
        sleeper.sleep(OperatorState::Blocked, channel.into_iter(), again);
        if sleeper.take_stuck() {
            return Err(EmitError::Deadlock { connection: self.name.to_string() });
        }
        Ok(())
    }

    /// Whether nobody will receive what is sent.
    pub(crate) fn unheard(&self) -> bool {
        match &self.way {
            OutWay::Local(queue) => queue.receiver_gone(),
            OutWay::Link(link) => link.waits.is_over(link.end.peer()),
        }
    }

    /// Nothing will be sent any more. A link is given to those who want to know what becomes of what is on its way.
    pub(crate) fn close(self) -> Option<OutLink> {
        match self.way {
            OutWay::Local(queue) => queue.close_sender(),
            OutWay::Link(link) if link.waits.vanishes() => {
                link.count();
                std::mem::forget(link);
            }
            OutWay::Link(mut link) => {
                let stays = link.end.close();
                link.count();
                return stays.then_some(link);
            }
        }
        None
    }
}

impl OutWay {
    fn offer(&mut self, message: Message) -> Result<Pushed, LinkError> {
        match self {
            Self::Local(queue) => Ok(queue.push(message)),
            Self::Link(link) => {
                let offered = link.offer(message);
                link.count();
                offered
            }
        }
    }
}

impl OutLink {
    fn offer(&mut self, mut message: Message) -> Result<Pushed, LinkError> {
        message.pack_stamp();
        let sent = self.end.try_send(&message);
        self.deserted = matches!(sent, Err(LinkError::PeerDied { .. }));
        match sent {
            Ok(()) => Ok(Pushed::Yes),
            Err(LinkError::Full { .. }) => Ok(Pushed::Full(message)),
            Err(LinkError::PeerDied { .. }) if self.waits.wait() => Ok(Pushed::Full(message)),
            Err(LinkError::Closed { .. } | LinkError::PeerDied { .. }) => {
                self.unheard += 1;
                Ok(Pushed::Unheard)
            }
            Err(error) => Err(error),
        }
    }

    /// When to look again for a process that rings no bell when it comes back.
    fn look_again(&self) -> Option<std::time::Instant> {
        self.deserted.then(|| std::time::Instant::now() + LOOK_AGAIN)
    }

    /// Whether messages wait for a receiver that is there, as far as is known.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.end.peer() == Peer::Attached && self.end.traffic().waiting() > 0
    }

    /// Lets other threads see the counts.
    pub(crate) fn count(&self) {
        let traffic = self.end.traffic();
        let Traffic { sent, settled, dropped, copied_bytes, .. } = traffic;
        // What a receiver that died had in hand went with it, also if another one came after it.
        let (lost, unread) = match self.end.peer() {
            Peer::Died => (traffic.in_hand() + traffic.waiting(), 0),
            Peer::Closed => (traffic.in_hand(), traffic.waiting()),
            _ => (0, 0),
        };
        self.counters.set_detour(self.end.detour());
        self.counters.store(&Counts {
            sent: sent + self.unheard,
            received: settled,
            dropped: dropped + self.unheard + unread,
            lost,
            copied_bytes,
        });
    }
}

/// The end of a connection.
pub(crate) struct InLane {
    pub(crate) way: InWay,
    pub(crate) latencies: Arc<Latencies>,
    /// It comes from an operator of the same cycle, in this process.
    pub(crate) within_cycle: bool,
    /// It comes from an operator of the same cycle, in whatever process.
    pub(crate) of_cycle: bool,
}

/// What wakes an operator that lacks messages.
pub(crate) enum Wakes<'e> {
    Bell,
    Channel(ChannelEnd<'e>),
    /// Nothing: it looks again after a while.
    Time,
}

/// Which way messages come.
pub(crate) enum InWay {
    /// From another thread.
    Local(Arc<Queue>),
    /// From another process.
    Link(InLink),
}

/// The end of a connection from another process.
pub(crate) struct InLink {
    pub(crate) end: Box<dyn ReceiveEnd>,
    pub(crate) counters: Arc<LinkCounters>,
    pub(crate) waits: Waits,
    pub(crate) lost: u64,
}

impl InLane {
    /// How many messages wait.
    pub(crate) fn waiting(&self) -> usize {
        match &self.way {
            InWay::Local(queue) => queue.waiting(),
            InWay::Link(link) => link.waiting(),
        }
    }

    /// Whether nothing will come beyond what waits. To be asked before [`waiting`](Self::waiting): what was sent before
    /// the end is in the queue by then.
    pub(crate) fn closed(&self) -> bool {
        match &self.way {
            InWay::Local(queue) => queue.sender_gone(),
            InWay::Link(link) => link.waits.is_over(link.end.peer()),
        }
    }

    /// Whether it comes from an operator of this process.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.way, InWay::Local(_))
    }

    /// The message that waits longest.
    pub(crate) fn receive(&mut self) -> Result<Option<Message>, LinkError> {
        let message = match &mut self.way {
            InWay::Local(queue) => queue.pop(),
            InWay::Link(link) => link.receive()?,
        };
        if let Some(stamp) = message.as_ref().map(Message::stamp).filter(|stamp| *stamp != 0) {
            self.latencies.note(clock::now().saturating_sub(stamp));
        }
        Ok(message)
    }

    /// Is done with what was received.
    pub(crate) fn settle(&mut self) {
        if let InWay::Link(link) = &mut self.way {
            link.end.settle();
            link.count();
        }
    }

    /// What wakes an operator that lacks messages of this lane. To be asked before it is looked whether some wait: what the
    /// answer says holds from then on, whatever becomes of the sender.
    pub(crate) fn wakes(&self) -> Wakes<'_> {
        let InWay::Link(link) = &self.way else { return Wakes::Bell };
        match link.end.peer() {
            // A channel whose sender is gone is ready for ever; and who comes back rings no bell.
            Peer::Died if link.waits.wait() => Wakes::Time,
            Peer::Died | Peer::Closed => Wakes::Bell,
            _ => link.end.channel().map_or(Wakes::Bell, Wakes::Channel),
        }
    }

    /// Nothing will be received any more.
    pub(crate) fn close(self) {
        match self.way {
            InWay::Local(queue) => queue.close_receiver(),
            InWay::Link(mut link) => {
                link.count_last_gap();
                link.count();
                if link.waits.vanishes() {
                    std::mem::forget(link);
                }
            }
        }
    }
}

impl InLink {
    /// How many messages wait. For the end itself the end of the sender counts as one more, until it was said; nobody
    /// receives that.
    fn waiting(&self) -> usize {
        // Asked before and after: a sender can come back, or go, while this looks.
        let was_gone = self.peer_is_gone();
        match self.end.waiting() {
            1 if was_gone || self.peer_is_gone() => self.end.traffic().waiting() as usize,
            waiting => waiting,
        }
    }

    fn peer_is_gone(&self) -> bool {
        matches!(self.end.peer(), Peer::Closed | Peer::Died)
    }

    /// A gap that no message follows: nobody asks for that.
    fn count_last_gap(&mut self) {
        if self.peer_is_gone()
            && self.end.traffic().waiting() == 0
            && let Err(LinkError::Gap { link, missing, .. }) = self.end.try_receive()
        {
            self.lose(&link, missing);
        }
    }

    fn lose(&mut self, link: &str, missing: u64) {
        self.lost += missing;
        tracing::warn!(target: "podwire::fragment", %link, missing, "messages were lost");
    }

    fn receive(&mut self) -> Result<Option<Message>, LinkError> {
        loop {
            match self.end.try_receive() {
                Ok(mut message) => {
                    message.iter_mut().for_each(Message::unpack_stamp);
                    return Ok(message);
                }
                Err(LinkError::Gap { link, missing, .. }) => self.lose(&link, missing),
                Err(LinkError::Closed { .. } | LinkError::PeerDied { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Lets other threads see the counts.
    fn count(&self) {
        let Traffic { sent, settled, dropped, copied_bytes, .. } = self.end.traffic();
        let lost = self.lost;
        self.counters.set_detour(self.end.detour());
        self.counters.store(&Counts { sent: sent + lost, received: settled, dropped, lost, copied_bytes });
    }
}
