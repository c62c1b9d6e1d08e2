//! A sending end that never has to wait: it keeps the newest messages, and drops older ones.
//!
//! Not here: how messages travel. Invariant: `sent == dropped + passed on + kept`, and a message that is passed on to the
//! link is not dropped any more.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use podwire_fastio::Doorbell;

use super::{Link, LinkError, Peer, SendEnd, Traffic, Transport};
use crate::message::Message;

/// How soon it is looked again for room, where no bell says so.
const PAUSE: Duration = Duration::from_millis(2);

/// Opens the sending end of a link that drops the oldest message where another would say [`LinkError::Full`].
///
/// A message that is in the link cannot be taken back, so the link itself gets the capacity 1, and its receiver is opened
/// with that capacity; the others are kept here, in the sender's process: `capacity - 1` of them, and one at least.
///
/// # Errors
/// As [`Transport::sender`]; [`LinkError::Transport`] if no thread can be started.
pub fn newest(transport: &dyn Transport, link: &Link) -> Result<Box<dyn SendEnd>, LinkError> {
    let narrow = Link { capacity: 1, ..link.clone() };
    let bell = Doorbell::new();
    let end = transport.sender(&narrow, &bell)?;
    let state = State { pending: VecDeque::new(), sent: 0, dropped: 0, error: None, closing: false };
    let most = link.capacity.saturating_sub(1).max(1);
    let shared = Arc::new(Shared { end: Mutex::new(Ok(end)), state: Mutex::new(state), bell, most });
    let pump = Arc::clone(&shared);
    let started = std::thread::Builder::new().name("podwire-newest".into()).spawn(move || pump.pass_on());
    started.map_err(|error| LinkError::transport(&*link.name, error))?;
    Ok(Box::new(Newest(shared)))
}

/// The link's end, or what was known last when it was dropped.
type End = Result<Box<dyn SendEnd>, (Peer, Traffic)>;

struct Shared {
    end: Mutex<End>,
    state: Mutex<State>,
    bell: Doorbell,
    most: usize,
}

struct State {
    pending: VecDeque<Message>,
    sent: u64,
    dropped: u64,
    /// What the link said of a message; the sender hears it with its next one.
    error: Option<LinkError>,
    closing: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the link, by dropping its end if nothing else does.
    fn finish(&self) {
        let mut end = self.end();
        let Ok(open) = &mut *end else { return };
        if !open.close() {
            *end = Err((open.peer(), open.traffic()));
        }
    }

    fn known(&self) -> (Peer, Traffic) {
        match &*self.end() {
            Ok(end) => (end.peer(), end.traffic()),
            Err(known) => *known,
        }
    }

    /// Moves messages to the link as there is room, until the end is closed and nothing is left that can be received.
    fn pass_on(&self) {
        loop {
            let (message, closing) = {
                let mut state = self.state();
                let message = state.pending.pop_front();
                (message, state.closing)
            };
            let Some(message) = message else {
                if closing {
                    return self.finish();
                }
                self.bell.wait(None);
                continue;
            };
            let passed = match &mut *self.end() {
                Ok(end) => end.try_send(&message),
                Err(_) => return,
            };
            let mut state = self.state();
            match passed {
                Ok(()) => continue,
                Err(LinkError::Full { .. } | LinkError::Closed { .. } | LinkError::PeerDied { .. })
                    if state.pending.len() < self.most =>
                {
                    state.pending.push_front(message);
                }
                Err(LinkError::Full { .. } | LinkError::Closed { .. } | LinkError::PeerDied { .. }) => {
                    state.dropped += 1;
                }
                Err(error) => {
                    state.dropped += 1;
                    state.error = Some(error);
                    continue;
                }
            }
            let closing = state.closing;
            drop(state);
            if closing && matches!(self.known().0, Peer::Closed | Peer::Died) {
                return self.finish();
            }
            self.bell.wait(Some(PAUSE));
        }
    }
}

struct Newest(Arc<Shared>);

impl SendEnd for Newest {
    fn try_send(&mut self, message: &Message) -> Result<(), LinkError> {
        let mut state = self.0.state();
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        state.sent += 1;
        state.pending.push_back(message.clone());
        if state.pending.len() > self.0.most {
            state.pending.pop_front();
            state.dropped += 1;
        }
        drop(state);
        self.0.bell.ring();
        Ok(())
    }

    fn close(&mut self) -> bool {
        self.0.state().closing = true;
        self.0.bell.ring();
        true
    }

    fn peer(&self) -> Peer {
        self.0.known().0
    }

    fn traffic(&self) -> Traffic {
        let (_, traffic) = self.0.known();
        let state = self.0.state();
        Traffic { sent: state.sent, dropped: state.dropped, ..traffic }
    }
}

impl Drop for Newest {
    fn drop(&mut self) {
        self.close();
    }
}
