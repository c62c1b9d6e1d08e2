//! A way around UCX: what UCX does not get through goes by the application's control plane, in pieces.
//!
//! Not here: when it is taken, which the engine decides. Invariant: who sends waits for nobody, which a thread does in its
//! place; and no memory is taken for a message in pieces but what its link's limits allow.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use super::{
    ffi::{Body, Outgoing},
    memory::{Buffer, Pool},
    wire::HEADER,
};
use crate::transport::name;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Hears pieces.
pub(crate) type Ear = Box<dyn Fn(&[u8]) + Send + Sync>;

/// The most bytes of a body in one piece.
const PIECE: usize = 1 << 20;
/// Bytes of a piece before what it has of the body: the message's header, and how many bytes of the body went before.
const HEAD: usize = HEADER + 8;

/// What carries pieces of messages from any worker of a run to any other: in order, and if it loses some, then until it is
/// asked again.
pub(crate) trait Detour: Send + Sync {
    /// Has the ear hear what is put under this name from now on.
    ///
    /// # Errors
    /// What is in the way.
    fn hear(&self, name: &str, ear: Ear) -> Result<(), Failure>;

    /// Puts a piece under a name, and waits as long as the network takes.
    ///
    /// # Errors
    /// What is in the way.
    fn put(&self, name: &str, piece: Vec<u8>) -> Result<(), Failure>;

    /// Says that a link goes this way from now on, and why.
    fn taken(&self, link: &str, why: &str);
}

/// Under which name the worker of this address hears.
pub(super) fn name_of(address: &[u8]) -> String {
    format!("{:032x}", name::hash(address))
}

/// A part of a message, or all of it.
pub(super) struct Piece {
    pub(super) header: [u8; HEADER],
    /// How many bytes of the body went before.
    at: u64,
    bytes: Vec<u8>,
}

impl Piece {
    /// The piece that these bytes are; none if they are too few, or too many.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk()?;
        let (at, bytes) = rest.split_first_chunk().filter(|(_, bytes)| bytes.len() <= PIECE)?;
        Some(Self { header: *header, at: u64::from_le_bytes(*at), bytes: bytes.to_vec() })
    }

    /// How many bytes the body has, as its header says.
    pub(super) fn promised(&self) -> u64 {
        self.header.last_chunk().map_or(0, |length| u64::from_le_bytes(*length))
    }

    /// Whether the message begins with it.
    pub(super) fn is_first(&self) -> bool {
        self.at == 0
    }

    /// Whether it is all of the message.
    pub(super) fn is_whole(&self) -> bool {
        self.at == 0 && self.bytes.len() as u64 == self.promised()
    }

    /// All of the message, if there is memory for it.
    pub(super) fn whole(&self, pool: &Pool) -> Body {
        let Some(mut buffer) = pool.take(self.bytes.len()) else { return self.dropped() };
        buffer.bytes_mut().copy_from_slice(&self.bytes);
        Body::Whole(buffer)
    }

    /// The message, for which there is no place.
    pub(super) fn dropped(&self) -> Body {
        Body::Dropped(usize::try_from(self.promised()).unwrap_or(usize::MAX))
    }
}

/// Messages of which a part came, by the end that they are for: one each, as they come one after the other.
#[derive(Default)]
pub(super) struct Partial(HashMap<u64, ([u8; HEADER], Buffer, usize)>);

impl Partial {
    /// Takes a piece of a message that is for this end and may be as long as it says, and gives what is complete with it,
    /// or what there is no memory for.
    pub(super) fn take(&mut self, end: u64, piece: &Piece, pool: &Pool) -> Option<Body> {
        match self.add(end, piece, pool) {
            None if piece.is_first() && !self.0.contains_key(&end) => Some(piece.dropped()),
            buffer => buffer.map(Body::Whole),
        }
    }

    fn add(&mut self, end: u64, piece: &Piece, pool: &Pool) -> Option<Buffer> {
        if piece.at == 0 {
            let buffer = pool.take(usize::try_from(piece.promised()).ok()?)?;
            self.0.insert(end, (piece.header, buffer, 0));
        }
        let (header, buffer, filled) = self.0.get_mut(&end)?;
        let fits = *header == piece.header && *filled as u64 == piece.at;
        let room = buffer.bytes_mut().get_mut(*filled..).filter(|_| fits);
        let Some(place) = room.and_then(|room| room.get_mut(..piece.bytes.len())) else {
            // One before it was lost: the message comes again.
            self.0.remove(&end);
            return None;
        };
        place.copy_from_slice(&piece.bytes);
        *filled += piece.bytes.len();
        if *filled < buffer.length() {
            return None;
        }
        self.0.remove(&end).map(|(_, buffer, _)| buffer)
    }

    /// The end is gone.
    pub(super) fn forget(&mut self, end: u64) {
        self.0.remove(&end);
    }
}

/// A message, and the name under which it is heard.
type Addressed = (Arc<str>, Outgoing);

/// What is to go by the detour, and the thread that waits for it.
pub(super) struct Road {
    detour: Arc<dyn Detour>,
    thread: Option<(mpsc::Sender<Addressed>, JoinHandle<()>)>,
}

impl Road {
    pub(super) fn new(detour: Arc<dyn Detour>) -> Self {
        Self { detour, thread: None }
    }

    /// Sends a message, after those that were sent before. What is lost is asked for again.
    pub(super) fn send(&mut self, to: &Arc<str>, message: Outgoing) {
        if self.thread.is_none() {
            let ((sender, messages), detour) = (mpsc::channel(), Arc::clone(&self.detour));
            let thread = std::thread::Builder::new().name("podwire-detour".into());
            let started = thread.spawn(move || carry(&*detour, &messages));
            self.thread = started.ok().map(|thread| (sender, thread));
        }
        if let Some((sender, _)) = &self.thread {
            let _ = sender.send((Arc::clone(to), message));
        }
    }

    pub(super) fn taken(&self, link: &str, why: &str) {
        self.detour.taken(link, why);
    }

    /// Waits until all was sent, no longer than until then.
    pub(super) fn end(&mut self, deadline: Instant) {
        let Some((sender, thread)) = self.thread.take() else { return };
        drop(sender);
        while !thread.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn carry(detour: &dyn Detour, messages: &mpsc::Receiver<Addressed>) {
    for (to, message) in messages {
        let sent = cut(&message, |piece| detour.put(&to, piece));
        if let Err(error) = sent {
            tracing::warn!(target: "podwire::fragment", error, "a message did not go around UCX");
        }
    }
}

/// Gives a message in pieces, and ends with the first error.
fn cut(message: &Outgoing, mut put: impl FnMut(Vec<u8>) -> Result<(), Failure>) -> Result<(), Failure> {
    let head = |at: u64| [&message.header[..], &at.to_le_bytes()].concat();
    let (mut piece, mut at, mut result) = (head(0), 0, Ok(()));
    message.body.parts(&mut |mut part| {
        while !part.is_empty() && result.is_ok() {
            if piece.len() == HEAD + PIECE {
                at += PIECE as u64;
                result = put(std::mem::replace(&mut piece, head(at)));
            }
            let (now, later) = part.split_at(part.len().min(HEAD + PIECE - piece.len()));
            piece.extend(now);
            part = later;
        }
    });
    result?;
    put(piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(body: &[u8]) -> Vec<Piece> {
        let mut header = [7; HEADER];
        header[HEADER - 8..].copy_from_slice(&(body.len() as u64).to_le_bytes());
        let message = Outgoing { header, body: Box::new(body.to_vec()), rendezvous: false };
        let mut pieces = Vec::new();
        cut(&message, |piece| {
            pieces.push(Piece::parse(&piece).unwrap());
            Ok(())
        })
        .unwrap();
        pieces
    }

    #[test]
    fn a_message_comes_back_from_its_pieces_and_one_of_which_some_are_missing_does_not() {
        let pool = Pool::new(0);
        for (length, count) in [(0, 1), (5, 1), (PIECE, 1), (PIECE + 1, 2), (3 * PIECE + 9, 4)] {
            let body: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let all = pieces(&body);
            assert_eq!((all.len(), all[0].is_whole()), (count, count == 1), "{length}");
            assert_eq!(all[0].promised(), length as u64);
            let mut partial = Partial::default();
            let came: Vec<_> = all.iter().filter_map(|piece| partial.add(1, piece, &pool)).collect();
            assert!(came.len() == 1 && came[0].bytes() == body, "{length}");
            assert!(partial.0.is_empty());
            if count > 2 {
                let lost = [&all[0], &all[2], &all[3]].map(|piece| partial.add(1, piece, &pool).is_some());
                assert_eq!((lost, partial.0.len()), ([false; 3], 0));
                // Further bytes than were promised.
                partial.add(1, &all[0], &pool);
                let more = Piece { bytes: vec![0; 4 * PIECE], at: PIECE as u64, header: all[0].header };
                assert!(partial.add(1, &more, &pool).is_none() && partial.0.is_empty());
            }
        }
        assert!(Piece::parse(&[0; HEAD - 1]).is_none());
        assert!(Piece::parse(&vec![0; HEAD + PIECE]).is_some());
        assert!(Piece::parse(&vec![0; HEAD + PIECE + 1]).is_none());
    }
}
