//! Where the processes of a run find each other's addresses: each is a liveliness token of Zenoh, whose key says it.
//!
//! So it comes and goes in one step, with the process that placed it. Not here: what an address means. Invariant: what
//! `lookup` gives was placed under the name of a process that the driver has given fragments of this run, and that is
//! there; and what is held is bounded, whoever declares tokens.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use zenoh::{
    Session, Wait,
    liveliness::LivelinessToken,
    pubsub::Subscriber,
    sample::{Sample, SampleKind},
};

use super::{keys::Keys, words::WorkerId};
use crate::transport::{Directory, name};

/// The longest name that stands in a key as it is.
const NAME: usize = 200;
/// The longest address in bytes: in a key each has two letters, and keys have less than 64 KiB.
const LONGEST: usize = 16 << 10;
/// How many addresses are held at most: more than an application has, and fewer than a flood of them.
const MOST: usize = 1 << 16;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The addresses of a run.
pub(super) struct ZenohDirectory {
    session: Session,
    keys: Keys,
    run: String,
    /// What this process has placed, by name.
    own: Mutex<HashMap<String, (Vec<u8>, LivelinessToken)>>,
    known: Arc<Known>,
    _watching: [Subscriber<()>; 2],
}

/// What was heard of the others.
#[derive(Default)]
struct Known {
    state: Mutex<State>,
    watchers: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
}

#[derive(Default)]
struct State {
    members: HashSet<WorkerId>,
    /// By name, in the order in which they came, with those who placed them.
    addresses: HashMap<String, Vec<(WorkerId, Vec<u8>)>>,
    count: usize,
}

impl ZenohDirectory {
    /// The directory of a run, as this process sees it.
    pub(super) fn open(session: Session, keys: Keys, run: &str) -> zenoh::Result<Self> {
        let known = Arc::new(Known::default());
        let hear = |key: String, heard: fn(&mut State, &str, bool)| {
            let known = Arc::clone(&known);
            let callback = move |sample: Sample| {
                heard(&mut known.state(), sample.key_expr().as_str(), sample.kind() == SampleKind::Put);
                lock(&known.watchers).iter().for_each(|changed| changed());
            };
            session.liveliness().declare_subscriber(key).history(true).callback(callback).wait()
        };
        let members = hear(keys.member(run, "*"), State::member)?;
        let addresses = hear(keys.address(run, "*", "*", "*"), State::address)?;
        let (run, own) = (run.to_owned(), Mutex::default());
        Ok(Self { session, keys, run, own, known, _watching: [members, addresses] })
    }
}

impl Directory for ZenohDirectory {
    fn publish(&self, link: &str, address: &[u8]) -> Result<(), Failure> {
        if address.len() > LONGEST {
            return Err(format!("an address of {} bytes, {LONGEST} are possible", address.len()).into());
        }
        let (name, me) = (fitted(link), self.session.zid().to_string());
        let key = self.keys.address(&self.run, &name, &me, &to_text(address));
        let mut own = lock(&self.own);
        let token = self.session.liveliness().declare_token(key).wait()?;
        // The one that it replaces goes after it came.
        own.insert(name, (address.to_vec(), token));
        Ok(())
    }

    fn withdraw(&self, link: &str, address: &[u8]) {
        let (name, mut own) = (fitted(link), lock(&self.own));
        if own.get(&name).is_some_and(|(placed, _)| placed == address) {
            own.remove(&name);
        }
    }

    fn lookup(&self, link: &str) -> Option<Vec<u8>> {
        let state = self.known.state();
        let mut placed = state.addresses.get(&fitted(link))?.iter().rev();
        placed.find(|(worker, _)| state.members.contains(worker)).map(|(_, address)| address.clone())
    }

    fn watch(&self, changed: Box<dyn Fn() + Send + Sync>) {
        lock(&self.known.watchers).push(changed);
    }
}

impl Known {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// A worker was given fragments, or is gone.
    fn member(&mut self, key: &str, there: bool) {
        let Some(id) = key.rsplit('/').next() else { return };
        let id = WorkerId(id.to_owned());
        if there && self.members.len() < MOST {
            self.members.insert(id);
        } else if !there {
            self.members.remove(&id);
        }
    }

    /// An address was placed, or is gone.
    fn address(&mut self, key: &str, there: bool) {
        let mut parts = key.rsplit('/');
        let (Some(text), Some(id), Some(name)) = (parts.next(), parts.next(), parts.next()) else { return };
        let Some(address) = from_text(text).filter(|address| address.len() <= LONGEST) else { return };
        let entry = (WorkerId(id.to_owned()), address);
        let placed = self.addresses.entry(name.to_owned()).or_default();
        let before = placed.len();
        placed.retain(|known| *known != entry);
        if there && self.count < MOST {
            placed.push(entry);
        }
        self.count = self.count + placed.len() - before;
        if placed.is_empty() {
            self.addresses.remove(name);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name as one part of a key.
fn fitted(link: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._->+=,:".contains(&byte);
    name::fitted(link, NAME, plain).into_owned()
}

/// Bytes in hexadecimal digits; `-` for none, as a part of a key cannot be empty.
fn to_text(bytes: &[u8]) -> String {
    if bytes.is_empty() { "-".into() } else { bytes.iter().map(|byte| format!("{byte:02x}")).collect() }
}

fn from_text(text: &str) -> Option<Vec<u8>> {
    if text == "-" {
        return Some(Vec::new());
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (pairs, rest) = text.as_bytes().as_chunks();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_text_and_come_back_and_garbage_is_none() {
        for bytes in [&[][..], &[0], &[0x0F, 0xF0, 0xAB]] {
            assert_eq!(from_text(&to_text(bytes)).as_deref(), Some(bytes));
        }
        for garbage in ["a", "abc", "x0", "é1", "--", "+1"] {
            assert_eq!(from_text(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn only_addresses_of_members_are_found_the_newest_first() {
        let mut state = State::default();
        let keys = Keys::new("scan");
        let mut place = |id: &str, byte: u8, there| {
            state.address(&keys.address("run-1", "a>b", id, &to_text(&[byte])), there);
            state.count
        };
        assert_eq!([place("w1", 1, true), place("w2", 2, true), place("w2", 2, true)], [1, 2, 2]);
        assert_eq!([place("w2", 9, false), place("w1", 1, false), place("w2", 2, false)], [2, 1, 0]);
        assert!(state.addresses.is_empty());
        state.address("podwire/scan/run/run-1/address/a>b/w1/zz", true);
        state.address("no", true);
        assert_eq!(state.count, 0);
        state.member(&keys.member("run-1", "w1"), true);
        assert!(state.members.contains(&WorkerId("w1".into())));
        state.member(&keys.member("run-1", "w1"), false);
        assert!(state.members.is_empty());
    }
}
