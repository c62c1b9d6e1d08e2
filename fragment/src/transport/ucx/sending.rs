//! The end of a link that sends: what it shares with the thread that drives UCX.
//!
//! The invariant: messages wait here from when they are sent until the receiver says that it has received them, never
//! more than the capacity, so that another receiver can get what the last one did not.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use podwire_codec_core::{CodecRegistry, Gather, Segment, message};
use podwire_fastio::Doorbell;

use super::{Running, error::UcxError, ffi::Parts, hub::Command, wire};
use crate::{
    message::Message,
    transport::{self, Link, LinkError, Peer, SendEnd, Traffic},
};

/// A message as it goes out: packed bytes, and arrays where they lie.
pub(super) struct Frame {
    pub(super) packed: Vec<u8>,
    segments: Vec<Segment>,
    /// Bytes of the body: packed bytes and segments, each from where [`wire::aligned`] says.
    pub(super) length: u64,
}

impl Frame {
    fn of(message: &Message) -> podwire_codec_core::Result<Self> {
        let codec = CodecRegistry::global().by_value(message.value())?;
        let mut gather = Gather::new();
        message::write(codec.name(), codec.fingerprint(), message.metadata(), &mut gather, |writer| {
            codec.encode(message.value(), writer)
        })?;
        let (packed, segments) = gather.into_parts();
        // What the host cannot read is sent as the copy that its owner makes, or refused here, before it was sent.
        let segments: Vec<_> =
            segments.iter().map(Segment::to_host).collect::<podwire_codec_core::Result<_>>()?;
        let mut length = packed.len() as u64;
        for segment in &segments {
            let bytes = segment.bytes()?.len() as u64;
            let end = wire::aligned(length).and_then(|start| start.checked_add(bytes));
            length = end.ok_or(podwire_codec_core::Error::OutOfMemory { bytes: u64::MAX })?;
        }
        Ok(Self { packed, segments, length })
    }

    /// Whether it is nothing but packed bytes.
    pub(super) fn is_packed(&self) -> bool {
        self.segments.is_empty()
    }

    /// Bytes that the network copies.
    fn bulk(&self) -> u64 {
        transport::bulk(self.packed.len(), &self.segments)
    }
}

/// A frame that UCX reads, however long that takes.
pub(super) struct Shipped(pub(super) Arc<Frame>);

impl Parts for Shipped {
    fn parts<'p>(&'p self, each: &mut dyn FnMut(&'p [u8])) {
        static GAP: [u8; super::memory::ALIGNMENT] = [0; super::memory::ALIGNMENT];
        each(&self.0.packed);
        let mut end = self.0.packed.len();
        for segment in &self.0.segments {
            let gap = end.next_multiple_of(GAP.len()) - end;
            each(&GAP[..gap]);
            // Checked when the frame was made; should an owner think otherwise now, the receiver finds it too short.
            let bytes = segment.bytes().unwrap_or_default();
            each(bytes);
            end += gap + bytes.len();
        }
    }
}

/// What a sending end and the thread share.
pub(super) struct Outbox {
    pub(super) id: u64,
    pub(super) link: Link,
    pub(super) bell: Doorbell,
    /// The thread was told that there is something to do.
    told: AtomicBool,
    /// What is sent goes around UCX.
    pub(super) around: AtomicBool,
    state: Mutex<Out>,
}

/// What is to be sent, and what is known of the receiver.
pub(super) struct Out {
    /// Messages that were not received; the first has number `received + 1`.
    pub(super) frames: VecDeque<Arc<Frame>>,
    pub(super) received: u64,
    /// What earlier receivers settled, and what this one did.
    settled: (u64, u64),
    /// Bytes of arrays and bulk data that were sent.
    copied: u64,
    pub(super) peer: Peer,
    /// The end was closed.
    pub(super) closing: bool,
    /// Why the receiver does not take this end.
    pub(super) refused: Option<UcxError>,
}

impl Out {
    fn sent(&self) -> u64 {
        self.received + self.frames.len() as u64
    }

    /// The numbers that a receiver can expect next: of the messages that wait, and of the one after them.
    pub(super) fn numbers(&self) -> std::ops::RangeInclusive<u64> {
        self.received + 1..=self.sent() + 1
    }

    /// Another receiver has come: it counts from 0, and what the last one had in hand is not settled any more.
    pub(super) fn another_receiver(&mut self) {
        self.settled = (self.settled.0 + self.settled.1, 0);
    }
}

impl Outbox {
    pub(super) fn new(id: u64, link: Link, bell: Doorbell) -> Self {
        let state = Out {
            frames: VecDeque::new(),
            received: 0,
            settled: (0, 0),
            copied: 0,
            peer: Peer::Absent,
            closing: false,
            refused: None,
        };
        let (told, around) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { id, link, bell, told, around, state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Out> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread looks from here on: who has something new tells it again.
    pub(super) fn looked_at(&self) {
        self.told.store(false, SeqCst);
    }

    /// The receiver has received all up to this number, and settled so many.
    pub(super) fn credit(&self, received: u64, settled: u64) {
        let mut state = self.state();
        let news = received.saturating_sub(state.received).min(state.frames.len() as u64);
        state.frames.drain(..news as usize);
        state.received += news;
        let most = state.received - state.settled.0;
        state.settled.1 = state.settled.1.max(settled.min(most));
        drop(state);
        self.bell.ring();
    }

    pub(super) fn set_peer(&self, peer: Peer) {
        self.state().peer = peer;
        self.bell.ring();
    }

    /// The receiver does not take this end.
    pub(super) fn refuse(&self, why: UcxError) {
        self.state().refused = Some(why);
        self.bell.ring();
    }
}

/// The end itself.
pub(super) struct Sending {
    pub(super) outbox: Arc<Outbox>,
    pub(super) running: Arc<Running>,
}

impl Sending {
    fn tell(&self) {
        if !self.outbox.told.swap(true, SeqCst) {
            self.running.hub.tell(Command::Look(self.outbox.id));
        }
    }
}

impl SendEnd for Sending {
    fn try_send(&mut self, message: &Message) -> Result<(), LinkError> {
        let link = &self.outbox.link;
        let name = || link.name.clone();
        {
            let state = self.outbox.state();
            if let Some(why) = &state.refused {
                return Err(match why {
                    UcxError::Replaced => LinkError::Closed { link: name() },
                    why => LinkError::transport(name(), why.clone()),
                });
            }
            match state.peer {
                _ if state.closing => return Err(LinkError::Closed { link: name() }),
                Peer::Closed => return Err(LinkError::Closed { link: name() }),
                Peer::Died => return Err(LinkError::PeerDied { link: name() }),
                _ => {}
            }
            if state.frames.len() >= link.capacity {
                return Err(LinkError::Full { link: name(), capacity: link.capacity });
            }
        }
        let frame = Frame::of(message).map_err(|source| LinkError::Codec { link: name(), source })?;
        let mut state = self.outbox.state();
        state.copied += frame.bulk();
        state.frames.push_back(Arc::new(frame));
        drop(state);
        self.tell();
        Ok(())
    }

    fn close(&mut self) -> bool {
        let mut state = self.outbox.state();
        if state.closing {
            return true;
        }
        state.closing = true;
        // Before the thread can see that it is closed, and be done with it.
        self.running.hub.lingers(self.outbox.id, state.frames.len() as u64);
        drop(state);
        self.running.hub.tell(Command::Look(self.outbox.id));
        true
    }

    fn peer(&self) -> Peer {
        self.outbox.state().peer
    }

    fn traffic(&self) -> Traffic {
        let state = self.outbox.state();
        Traffic {
            sent: state.sent(),
            received: state.received,
            settled: state.settled.0 + state.settled.1,
            dropped: 0,
            copied_bytes: state.copied,
        }
    }

    fn detour(&self) -> Option<&'static str> {
        self.outbox.around.load(SeqCst).then_some("zenoh")
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.close();
    }
}
