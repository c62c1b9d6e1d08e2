//! The keys of a link, below the prefix of its application.
//!
//! | key | what |
//! |---|---|
//! | `PREFIX/link/NAME/data` | frames from the sender |
//! | `PREFIX/link/NAME/taken` | frames from the receiver |
//! | `PREFIX/link/NAME/sender/OPENING` | liveliness: a sender is there |
//! | `PREFIX/link/NAME/sender/OPENING/closed/NEXT/0` | liveliness: it was closed; the number that its next message would have |
//! | `PREFIX/link/NAME/receiver/OPENING` | liveliness: a receiver is there |
//! | `PREFIX/link/NAME/receiver/OPENING/closed/NEXT/SETTLED` | liveliness: it was closed; what it would have received next |
//!
//! The invariant: what is read from a key that anybody may have made is a number, or nothing.

use super::frame;
use crate::transport::name;

/// The longest name of a link that stands in a key as it is.
const NAME: usize = 200;

/// The keys of one link.
pub(super) struct Keys {
    base: String,
    pub(super) data: String,
    pub(super) taken: String,
    /// The number of the link in its frames.
    pub(super) link: u64,
}

/// What a key of liveliness says of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It is there.
    There,
    /// It was closed: the number that comes next, and how many were settled.
    Closed(u64, u64),
}

impl Keys {
    pub(super) fn new(prefix: &str, link: &str) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._->+=,:".contains(&byte);
        let base = format!("{prefix}/link/{}", name::fitted(link, NAME, plain));
        let (data, taken) = (format!("{base}/data"), format!("{base}/taken"));
        Self { base, data, taken, link: frame::link(link) }
    }

    pub(super) fn sender(&self, opening: u64) -> String {
        format!("{}/sender/{opening}", self.base)
    }

    pub(super) fn receiver(&self, opening: u64) -> String {
        format!("{}/receiver/{opening}", self.base)
    }

    pub(super) fn closed_sender(&self, opening: u64, next: u64) -> String {
        format!("{}/closed/{next}/0", self.sender(opening))
    }

    pub(super) fn closed_receiver(&self, opening: u64, next: u64, settled: u64) -> String {
        format!("{}/closed/{next}/{settled}", self.receiver(opening))
    }

    pub(super) fn every_sender(&self) -> String {
        format!("{}/sender/**", self.base)
    }

    pub(super) fn every_receiver(&self) -> String {
        format!("{}/receiver/**", self.base)
    }

    /// Which end a key of liveliness is of, and what it says.
    pub(super) fn event(&self, key: &str) -> Option<(u64, Event)> {
        let mut words = key.strip_prefix(&*self.base)?.split('/').skip(2);
        let opening = words.next()?.parse().ok()?;
        let Some(word) = words.next() else { return Some((opening, Event::There)) };
        let mut number = || words.next()?.parse().ok();
        let event = (word == "closed").then_some(Event::Closed(number()?, number()?))?;
        words.next().is_none().then_some((opening, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_says_is_read_back_and_garbage_is_not() {
        let keys = Keys::new("podwire/app", "a.out>b.in");
        assert_eq!(keys.data, "podwire/app/link/a.out>b.in/data");
        assert_eq!(keys.event(&keys.sender(7)), Some((7, Event::There)));
        assert_eq!(keys.event(&keys.closed_sender(7, 3)), Some((7, Event::Closed(3, 0))));
        assert_eq!(keys.event(&keys.closed_receiver(8, 3, 2)), Some((8, Event::Closed(3, 2))));
        for garbage in
            ["x", "7x", "7/closed", "7/closed/1", "7/closed/1/x", "7/closed/1/2/3", "7/open/1/2", ""]
        {
            assert_eq!(keys.event(&format!("{}/sender/{garbage}", keys.base)), None, "{garbage}");
        }
    }

    #[test]
    fn any_name_makes_a_key_that_zenoh_allows() {
        for name in ["a b", "*", "a//b", "#?$", "", "ä", "@x", &"x".repeat(500)] {
            let keys = Keys::new("podwire/app", name);
            assert!(zenoh::key_expr::KeyExpr::new(keys.data.as_str()).is_ok(), "{}", keys.data);
        }
    }
}
