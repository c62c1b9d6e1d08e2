//! Where the ends of links and the thread that drives UCX meet.
//!
//! The invariant: whoever tells the thread something wakes it afterwards, and the thread looks after it has said that it
//! sleeps, so that nothing is left lying.

use std::{
    collections::HashMap,
    os::fd::OwnedFd,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc::Sender,
    },
    time::{Duration, Instant},
};

use rustix::event::{EventfdFlags, eventfd};

use super::{closed::News, detour::Piece, error::UcxError, receiving::Inbox, sending::Outbox};

/// Something for the thread to do.
pub(super) enum Command {
    /// A sending end was opened.
    Sender(Arc<Outbox>),
    /// A receiving end was opened.
    Receiver(Arc<Inbox>),
    /// An end has something to send, or to tell.
    Look(u64),
    /// A receiving end was closed.
    Gone(u64),
    /// A piece of a message came by the detour.
    Piece(Piece),
}

/// What was refused, because it was for none of the links, or no message.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Refused {
    /// How many messages.
    pub count: u64,
    /// Why, of the last one.
    pub last: Option<UcxError>,
}

pub(super) struct Hub {
    commands: Mutex<Vec<Command>>,
    /// There are some: the thread looks too often to take the lock each time.
    told: AtomicBool,
    /// A receiving end has received what its sender does not have to know at once.
    owing: AtomicBool,
    pub(super) event: OwnedFd,
    sleeping: AtomicBool,
    pub(super) directory_changed: AtomicBool,
    pub(super) stop: AtomicBool,
    refused: Mutex<Refused>,
    lingering: Mutex<Lingering>,
    left: Condvar,
    /// All that are not done.
    senders: Mutex<HashMap<u64, Arc<Outbox>>>,
    /// To whom it is told which ones come and go.
    news: Sender<News>,
}

/// What closed senders have left.
#[derive(Default)]
struct Lingering {
    /// Messages that were not received, by sender.
    waiting: HashMap<u64, u64>,
    /// Messages that nobody will receive, since this was asked last.
    lost: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    pub(super) fn new(news: Sender<News>) -> Result<Self, UcxError> {
        let event = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC);
        let event = event.map_err(|error| UcxError::Thread(error.kind()))?;
        Ok(Self {
            commands: Mutex::default(),
            told: AtomicBool::new(false),
            owing: AtomicBool::new(false),
            event,
            sleeping: AtomicBool::new(false),
            directory_changed: AtomicBool::new(true),
            stop: AtomicBool::new(false),
            refused: Mutex::default(),
            lingering: Mutex::default(),
            left: Condvar::new(),
            senders: Mutex::default(),
            news,
        })
    }

    pub(super) fn tell(&self, command: Command) {
        lock(&self.commands).push(command);
        self.told.store(true, SeqCst);
        self.wake();
    }

    /// A sender is to be told what was received, when the thread comes to it.
    pub(super) fn owe(&self) {
        if !self.owes() && !self.owing.swap(true, SeqCst) {
            self.wake();
        }
    }

    /// Whether a sender is to be told something.
    pub(super) fn owes(&self) -> bool {
        self.owing.load(SeqCst)
    }

    /// The thread tells all senders: who has received more from here on owes it anew.
    pub(super) fn pays(&self) {
        self.owing.store(false, SeqCst);
    }

    /// Wakes the thread if it sleeps. To be called after what it is to see.
    pub(super) fn wake(&self) {
        if self.sleeping.load(SeqCst) && self.sleeping.swap(false, SeqCst) {
            // Only a full counter refuses, and that wakes as well.
            let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
        }
    }

    /// The thread takes what it was told.
    pub(super) fn take(&self, into: &mut Vec<Command>) {
        if self.told.load(SeqCst) {
            self.told.store(false, SeqCst);
            into.append(&mut lock(&self.commands));
        }
    }

    /// The thread says that it is going to sleep; `false` if it must not.
    pub(super) fn going_to_sleep(&self) -> bool {
        self.sleeping.store(true, SeqCst);
        let nothing = !self.told.load(SeqCst)
            && !self.owes()
            && !self.directory_changed.load(SeqCst)
            && !self.stop.load(SeqCst);
        if !nothing {
            self.awake();
        }
        nothing
    }

    pub(super) fn awake(&self) {
        self.sleeping.store(false, SeqCst);
        // Nothing to read is no error here.
        let _ = rustix::io::read(&self.event, &mut [0_u8; 8]);
    }

    pub(super) fn refuse(&self, why: UcxError) {
        let mut refused = lock(&self.refused);
        refused.count += 1;
        refused.last = Some(why);
    }

    pub(super) fn refused(&self) -> Refused {
        lock(&self.refused).clone()
    }

    /// A sender was opened.
    pub(super) fn comes(&self, outbox: &Arc<Outbox>) {
        lock(&self.senders).insert(outbox.id, Arc::clone(outbox));
        // It is heard for as long as there is a hub.
        let _ = self.news.send(News::Opened { link: outbox.link.name.clone() });
    }

    /// Nothing is told any more.
    pub(super) fn is_over(&self) {
        let _ = self.news.send(News::Over);
    }

    /// A closed sender has so many messages that were not received.
    pub(super) fn lingers(&self, id: u64, messages: u64) {
        lock(&self.lingering).waiting.insert(id, messages);
    }

    /// A closed sender is done, and so many of its messages will not be received.
    pub(super) fn is_gone(&self, id: u64, lost: u64) {
        let mut lingering = lock(&self.lingering);
        lingering.waiting.remove(&id);
        lingering.lost += lost;
        drop(lingering);
        self.left.notify_all();
        let gone = lock(&self.senders).remove(&id);
        if let Some(outbox) = gone {
            let is_last = outbox.state().refused.is_none();
            let _ = self.news.send(News::Gone { link: outbox.link.name.clone(), is_last });
        }
    }

    /// Waits until no closed sender has messages left; how many are, or were lost.
    pub(super) fn flush(&self, timeout: Duration) -> u64 {
        // Not by a time of the clock, which may have none that is so far away.
        let begun = Instant::now();
        let mut lingering = lock(&self.lingering);
        while !lingering.waiting.is_empty() {
            let Some(left) = timeout.checked_sub(begun.elapsed()) else { break };
            let waited = self.left.wait_timeout(lingering, left);
            (lingering, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        lingering.waiting.values().sum::<u64>() + std::mem::take(&mut lingering.lost)
    }
}
