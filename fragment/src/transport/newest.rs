//! A sending end that never has to wait: it keeps the newest messages, and drops older ones.
//!
//! Not here: how messages travel. Invariant: `sent == dropped + passed on + kept`, and a message that is passed on to the
//! link is not dropped any more.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use podwire_fastio::Doorbell;

use super::{Link, LinkError, Peer, SendEnd, Traffic, Transport};
use crate::message::Message;

/// How soon it is looked again for room, where no bell says so.
const PAUSE: Duration = Duration::from_millis(2);
/// How long an end that is dropped waits for room for what it keeps.
const LAST: Duration = Duration::from_secs(1);

/// Opens the sending end of a link that drops the oldest message where another would say [`LinkError::Full`].
///
/// The newest messages, as many as the capacity says, are kept here, in the sender's process. A message that is in the link
/// cannot be taken back, so the link itself gets the capacity 1, and its receiver is opened with that capacity: one message
/// that is older may wait there.
///
/// A closed end goes on passing on what it keeps. Dropped, it does so for a second at most, and counts the rest as dropped.
/// What the link says of a message is said by the next `try_send`; of the last ones, it is logged.
///
/// # Errors
/// As [`Transport::sender`]; [`LinkError::Transport`] if no thread can be started.
pub fn newest(transport: &dyn Transport, link: &Link) -> Result<Box<dyn SendEnd>, LinkError> {
    let narrow = Link { capacity: 1, ..link.clone() };
    let bell = Doorbell::new();
    let end = transport.sender(&narrow, &bell)?;
    let shared = Arc::new(Shared {
        name: link.name.clone(),
        end: Mutex::new(Ok(end)),
        state: Mutex::default(),
        bell,
        most: link.capacity.max(1),
    });
    let pump = Arc::clone(&shared);
    let started = std::thread::Builder::new().name("podwire-newest".into()).spawn(move || pump.pass_on());
    let pump = started.map_err(|error| LinkError::transport(&*link.name, error))?;
    Ok(Box::new(Newest { shared, pump: Some(pump) }))
}

/// The link's end, or what was known last when it was dropped.
type End = Result<Box<dyn SendEnd>, (Peer, Traffic)>;

struct Shared {
    name: String,
    end: Mutex<End>,
    state: Mutex<State>,
    bell: Doorbell,
    most: usize,
}

#[derive(Default)]
struct State {
    pending: VecDeque<Message>,
    sent: u64,
    dropped: u64,
    /// What the link said of a message; the sender hears it with its next one.
    error: Option<LinkError>,
    closing: bool,
    /// When to give up what is kept.
    given_up: Option<Instant>,
}

impl State {
    /// Drops what is more than is to be kept.
    fn trim(&mut self, most: usize) {
        while self.pending.len() > most {
            self.pending.pop_front();
            self.dropped += 1;
        }
    }
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
                if state.given_up.is_some_and(|time| time <= Instant::now()) {
                    state.trim(0);
                }
                (state.pending.pop_front(), state.closing)
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
                Err(LinkError::Full { .. } | LinkError::Closed { .. } | LinkError::PeerDied { .. }) => {
                    state.pending.push_front(message);
                    state.trim(self.most);
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

struct Newest {
    shared: Arc<Shared>,
    /// The thread that passes messages on, until it is waited for.
    pump: Option<JoinHandle<()>>,
}

impl SendEnd for Newest {
    fn try_send(&mut self, message: &Message) -> Result<(), LinkError> {
        let name = || self.shared.name.clone();
        let mut state = self.shared.state();
        if state.closing {
            return Err(LinkError::Closed { link: name() });
        }
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        if self.pump.as_ref().is_none_or(JoinHandle::is_finished) {
            return Err(LinkError::transport(name(), "the thread that passes messages on has panicked"));
        }
        state.sent += 1;
        state.pending.push_back(message.clone());
        state.trim(self.shared.most);
        drop(state);
        self.shared.bell.ring();
        Ok(())
    }

    fn close(&mut self) -> bool {
        self.shared.state().closing = true;
        self.shared.bell.ring();
        true
    }

    fn peer(&self) -> Peer {
        self.shared.known().0
    }

    fn traffic(&self) -> Traffic {
        let (_, traffic) = self.shared.known();
        let state = self.shared.state();
        Traffic { sent: state.sent, dropped: state.dropped, ..traffic }
    }

    fn detour(&self) -> Option<&'static str> {
        self.shared.end().as_ref().ok()?.detour()
    }
}

impl Drop for Newest {
    fn drop(&mut self) {
        self.shared.state().given_up = Some(Instant::now() + LAST);
        self.close();
        // A thread that panicked has said so.
        let _ = self.pump.take().map(JoinHandle::join);
        let error = self.shared.state().error.take();
        if let Some(error) = error {
            tracing::warn!(target: "podwire::fragment", %error, "a message was not passed on");
        }
    }
}
