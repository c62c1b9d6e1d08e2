//! A connection within a process: a queue of messages, from one thread to another.
//!
//! Not here: bytes. A message moves as a pointer. Invariant: at every moment `sent == received + dropped + waiting`,
//! and a bell is rung after the change that its thread waits for.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicUsize,
            Ordering::{Acquire, Release},
        },
    },
};

#[cfg(all(test, feature = "conformance"))]
mod suite;

use super::Traffic;
use crate::{condition::WhenFull, message::Message, run::Waker};

/// The queue of one connection. One thread pushes, and another one pops.
pub(crate) struct Queue {
    capacity: usize,
    when_full: WhenFull,
    state: Mutex<State>,
    /// How many messages wait, for those who only look.
    waiting: AtomicUsize,
    sender_gone: AtomicBool,
    receiver_gone: AtomicBool,
    sender: Waker,
    receiver: Waker,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    /// The sender wants to know when there is room.
    sender_waits: bool,
    traffic: Traffic,
}

/// What became of a message that was pushed.
pub(crate) enum Pushed {
    /// It is in the queue.
    Yes,
    /// There is no room; here it is again. The sender's bell will be rung when there is.
    Full(Message),
    /// Nobody will receive it; it counts as dropped.
    Unheard,
}

impl Queue {
    pub(crate) fn new(capacity: usize, when_full: WhenFull, sender: Waker, receiver: Waker) -> Self {
        Self {
            capacity,
            when_full,
            state: Mutex::default(),
            waiting: AtomicUsize::new(0),
            sender_gone: AtomicBool::new(false),
            receiver_gone: AtomicBool::new(false),
            sender,
            receiver,
        }
    }

    /// Puts a message at the end.
    pub(crate) fn push(&self, message: Message) -> Pushed {
        let mut state = self.lock();
        if self.receiver_gone.load(Acquire) {
            state.traffic.sent += 1;
            state.traffic.dropped += 1;
            return Pushed::Unheard;
        }
        let mut oldest = None;
        if state.messages.len() >= self.capacity {
            if self.when_full != WhenFull::DropOldest {
                state.sender_waits = self.when_full == WhenFull::Block;
                return Pushed::Full(message);
            }
            oldest = state.messages.pop_front();
            state.traffic.dropped += 1;
        }
        state.messages.push_back(message);
        state.traffic.sent += 1;
        self.waiting.store(state.messages.len(), Release);
        drop(state);
        drop(oldest);
        self.receiver.ring();
        Pushed::Yes
    }

    /// Takes the message that waits longest.
    pub(crate) fn pop(&self) -> Option<Message> {
        let mut state = self.lock();
        let message = state.messages.pop_front()?;
        state.traffic.received += 1;
        self.waiting.store(state.messages.len(), Release);
        let sender_waits = std::mem::take(&mut state.sender_waits);
        drop(state);
        if sender_waits {
            self.sender.ring();
        }
        Some(message)
    }

    /// How many messages wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Acquire)
    }

    /// Whether a push would not find the queue full.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting() < self.capacity || self.receiver_gone()
    }

    /// Whether nothing will be pushed any more.
    pub(crate) fn sender_gone(&self) -> bool {
        self.sender_gone.load(Acquire)
    }

    /// Whether nothing will be popped any more.
    pub(crate) fn receiver_gone(&self) -> bool {
        self.receiver_gone.load(Acquire)
    }

    /// What went through the queue.
    pub(crate) fn traffic(&self) -> Traffic {
        let state = self.lock();
        Traffic { settled: state.traffic.received, ..state.traffic }
    }

    /// Nothing will be pushed any more.
    pub(crate) fn close_sender(&self) {
        self.sender_gone.store(true, Release);
        self.receiver.ring();
    }

    /// Nothing will be popped any more; what waits counts as dropped.
    pub(crate) fn close_receiver(&self) {
        let mut state = self.lock();
        self.receiver_gone.store(true, Release);
        let unread = std::mem::take(&mut state.messages);
        state.traffic.dropped += unread.len() as u64;
        self.waiting.store(0, Release);
        drop(state);
        drop(unread);
        self.sender.ring();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No step between two changes of the state can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
