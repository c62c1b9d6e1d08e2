//! Who is heard at the driver's port: whoever reaches it can say anything, as often as it likes.
//!
//! It is asked on the threads of Zenoh, before anything is copied or decoded. Not here: who may join. Invariant: what waits
//! to be handled is bounded, whoever comes; and only workers that the driver has let in can say more than hello.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use super::words::WorkerId;

/// Hellos that wait, and their bytes altogether. Who is not heard asks again.
const HELLOS: usize = 256;
const BYTES: usize = 64 << 20;
/// One hello: it grows with the graph and its types.
const HELLO: usize = 16 << 20;
/// Processes that say that they are there.
const THERE: usize = 4096;
/// The longest id that a process has of Zenoh, in hexadecimal.
const ID: usize = 32;
/// Lines about those who were not let in.
const LINES: usize = 50;

/// The driver's door.
#[derive(Debug, Default)]
pub(super) struct Door {
    known: Mutex<Known>,
    waiting: Arc<Waiting>,
    lines: AtomicUsize,
}

#[derive(Debug, Default)]
struct Known {
    /// They are there, whether they have joined or not.
    there: BTreeSet<WorkerId>,
    /// They were let in.
    members: BTreeSet<WorkerId>,
}

#[derive(Debug, Default)]
struct Waiting {
    hellos: AtomicUsize,
    bytes: AtomicUsize,
}

/// Room for one hello, until it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    waiting: Arc<Waiting>,
    bytes: usize,
}

impl Door {
    /// Room for a hello of so many bytes, if there is any.
    pub(super) fn room(&self, bytes: usize) -> Option<Room> {
        // Counted first, and given back with the room if it is too much.
        let room = Room { waiting: Arc::clone(&self.waiting), bytes: bytes.min(BYTES) };
        let hellos = self.waiting.hellos.fetch_add(1, SeqCst);
        let waiting = self.waiting.bytes.fetch_add(room.bytes, SeqCst);
        (bytes <= HELLO && hellos < HELLOS && waiting + bytes <= BYTES).then_some(room)
    }

    /// Somebody is there.
    pub(super) fn came(&self, worker: WorkerId) {
        let mut known = self.known();
        if worker.0.len() <= ID && known.there.len() < THERE {
            known.there.insert(worker);
        }
    }

    /// Somebody is gone; whether it was let in.
    pub(super) fn left(&self, worker: &WorkerId) -> bool {
        let mut known = self.known();
        known.there.remove(worker);
        known.members.remove(worker)
    }

    /// Hears a worker from now on, unless it is not there: its hello may be heard after its death was, and it would never
    /// leave again. Who is there, asks again.
    pub(super) fn open(&self, worker: &WorkerId) -> bool {
        let mut known = self.known();
        let there = known.there.contains(worker);
        if there {
            known.members.insert(worker.clone());
        }
        there
    }

    /// It was not let in.
    pub(super) fn close(&self, worker: &WorkerId) {
        self.known().members.remove(worker);
    }

    /// Whether it was let in.
    pub(super) fn hears(&self, worker: &WorkerId) -> bool {
        self.known().members.contains(worker)
    }

    /// Whether people are to be told of one more who was not let in; the last of them comes with a word that it is.
    pub(super) fn tell(&self, line: impl FnOnce() -> String) {
        match self.lines.fetch_add(1, SeqCst) {
            told if told < LINES => eprintln!("{}", line()),
            LINES => eprintln!("podwire: others who are not let in are not told of any more"),
            _ => {}
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.waiting.hellos.fetch_sub(1, SeqCst);
        self.waiting.bytes.fetch_sub(self.bytes, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> WorkerId {
        WorkerId(number.to_string())
    }

    #[test]
    fn a_flood_of_hellos_finds_no_room_until_some_were_handled() {
        let door = Door::default();
        let mut rooms: Vec<_> = (0..HELLOS).map(|_| door.room(100).expect("there is room")).collect();
        for _ in 0..10_000 {
            assert!(door.room(100).is_none());
        }
        rooms.truncate(HELLOS / 2);
        assert!(door.room(100).is_some());
        assert!(door.room(HELLO + 1).is_none() && door.room(usize::MAX).is_none());
        drop(rooms);
        let large: Vec<_> = std::iter::from_fn(|| door.room(HELLO)).collect();
        assert_eq!(large.len(), BYTES / HELLO);
        drop(large);
        assert!(door.room(0).is_some());
    }

    #[test]
    fn only_who_is_there_and_was_let_in_is_heard_until_it_leaves() {
        let door = Door::default();
        assert!(!door.open(&id(1)) && !door.hears(&id(1)), "it is not there");
        door.came(id(1));
        assert!(!door.hears(&id(1)), "it was not let in");
        assert!(door.open(&id(1)) && door.hears(&id(1)));
        assert!(door.left(&id(1)) && !door.hears(&id(1)));
        door.came(id(2));
        assert!(door.open(&id(2)));
        door.close(&id(2));
        assert!(!door.hears(&id(2)) && !door.left(&id(2)));
    }

    #[test]
    fn no_more_are_noted_than_there_can_be() {
        let door = Door::default();
        (0..2 * THERE).for_each(|number| door.came(id(number)));
        door.came(WorkerId("x".repeat(1_000_000)));
        assert_eq!(door.known().there.len(), THERE);
    }
}
