//! What a case works with: links of its own, and ends whose errors say what was done.

use std::{
    any::Any,
    cell::Cell,
    time::{Duration, Instant},
};

use podwire_codec_core::CodecRegistry;
use podwire_fastio::Doorbell;

use super::{Breach, Garble, Pair, Promise, Start, Stop, puppet::Puppet};
use crate::{
    message::Message,
    transport::{self, Link, LinkError, ReceiveEnd, SendEnd, Transport},
};

/// Long enough for a busy machine.
pub(super) const LONG: Duration = Duration::from_secs(30);

/// Says what was done when it failed.
pub(super) trait Step<T> {
    fn step(self, step: impl std::fmt::Display) -> Result<T, Breach>;
}

impl<T, E: Into<Box<dyn std::error::Error + Send + Sync>>> Step<T> for Result<T, E> {
    fn step(self, step: impl std::fmt::Display) -> Result<T, Breach> {
        self.map_err(|error| Breach::Failed { step: step.to_string(), error: error.into() })
    }
}

/// The transport under test, for one case.
pub(super) struct Bench<'s> {
    pub(super) pair: &'s Pair,
    pub(super) promise: Promise,
    pub(super) largest: usize,
    pub(super) outlives: bool,
    pub(super) in_process: bool,
    pub(super) once: bool,
    pub(super) start: &'s mut Option<Start>,
    pub(super) garble: &'s mut Option<Garble>,
    pub(super) links: Cell<u32>,
}

impl Bench<'_> {
    /// A link that no other case has.
    pub(super) fn link(&self, capacity: usize) -> Link {
        self.links.update(|count| count + 1);
        let (process, count) = (std::process::id(), self.links.get());
        Link::new(format!("suite{process}.{:?}>{count}", self.promise), capacity)
    }

    pub(super) fn sender(&self, link: &Link) -> Result<Tx, Breach> {
        Tx::open(&*self.pair.sending, link)
    }

    pub(super) fn receiver(&self, link: &Link) -> Result<Rx, Breach> {
        Rx::open(&*self.pair.receiving, link)
    }

    pub(super) fn ends(&self, link: &Link) -> Result<(Tx, Rx), Breach> {
        Ok((self.sender(link)?, self.receiver(link)?))
    }

    /// A process that has an end of the link.
    pub(super) fn puppet(&mut self, end: &str, link: &Link) -> Result<Puppet, Stop> {
        let start = self.start.as_mut().ok_or(Stop::Skip("no way to start processes was given"))?;
        Ok(Puppet::start(start(), end, link)?)
    }
}

/// A sending end.
pub(super) struct Tx {
    pub(super) end: Box<dyn SendEnd>,
    pub(super) bell: Doorbell,
}

impl Tx {
    pub(super) fn open(transport: &dyn Transport, link: &Link) -> Result<Self, Breach> {
        let bell = Doorbell::new();
        let end = transport.sender(link, &bell).step("opening the sender")?;
        Ok(Self { end, bell })
    }

    /// Sends a number, waiting for room.
    pub(super) fn number(&mut self, number: u64) -> Result<(), Breach> {
        self.message(&Message::new(number)).step(format_args!("sending number {number}"))
    }

    pub(super) fn message(&mut self, message: &Message) -> Result<(), LinkError> {
        transport::send(&mut *self.end, message, &self.bell, LONG)
    }

    /// Tries until the error is due.
    pub(super) fn fails(&mut self, step: &str, due: fn(&LinkError) -> bool) -> Result<u64, Breach> {
        let (deadline, mut sent) = (Instant::now() + LONG, 0);
        loop {
            match self.end.try_send(&Message::new(sent)) {
                Ok(()) => sent += 1,
                Err(error) if due(&error) => return Ok(sent),
                Err(LinkError::Full { .. }) => wait(&self.bell, self.end.channel()),
                Err(error) => return Err(Breach::unlike(step, "another error", error)),
            }
            if Instant::now() > deadline {
                return Err(Breach::unlike(step, "an error", format_args!("none for {LONG:?}")));
            }
        }
    }
}

/// A receiving end.
pub(super) struct Rx {
    pub(super) end: Box<dyn ReceiveEnd>,
    pub(super) bell: Doorbell,
}

impl Rx {
    pub(super) fn open(transport: &dyn Transport, link: &Link) -> Result<Self, Breach> {
        let bell = Doorbell::new();
        let end = transport.receiver(link, &bell).step("opening the receiver")?;
        Ok(Self { end, bell })
    }

    /// The next message, waiting for it.
    pub(super) fn message(&mut self, step: &str) -> Result<Message, Breach> {
        let message = transport::receive(&mut *self.end, &self.bell, LONG).step(step)?;
        message.ok_or_else(|| Breach::unlike(step, "a message", format_args!("none for {LONG:?}")))
    }

    pub(super) fn value<T: Any + Clone + Send + Sync>(&mut self, step: &str) -> Result<T, Breach> {
        let value = self.message(step)?.received::<T>();
        value.map(|value| value.into_inner()).step(step)
    }

    /// The next message, which must be this number.
    pub(super) fn number(&mut self, number: u64) -> Result<(), Breach> {
        let step = format!("receiving number {number}");
        match self.value::<u64>(&step)? {
            found if found == number => Ok(()),
            found => Err(Breach::unlike(step, number, found)),
        }
    }

    /// What comes instead of a message.
    pub(super) fn error(&mut self, step: &str) -> Result<LinkError, Breach> {
        match transport::receive(&mut *self.end, &self.bell, LONG) {
            Err(error) => Ok(error),
            Ok(Some(message)) => Err(Breach::unlike(step, "an error", message)),
            Ok(None) => Err(Breach::unlike(step, "an error", format_args!("nothing for {LONG:?}"))),
        }
    }

    pub(super) fn fails(&mut self, step: &str, due: fn(&LinkError) -> bool) -> Result<(), Breach> {
        match self.error(step)? {
            error if due(&error) => Ok(()),
            error => Err(Breach::unlike(step, "another error", error)),
        }
    }
}

pub(super) fn closed(error: &LinkError) -> bool {
    matches!(error, LinkError::Closed { .. })
}

pub(super) fn died(error: &LinkError) -> bool {
    matches!(error, LinkError::PeerDied { .. })
}

/// Sleeps, but not for long.
pub(super) fn wait(bell: &Doorbell, channel: Option<podwire_fastio::ChannelEnd<'_>>) {
    // What is wrong with a channel is said by the next call.
    let _ = bell.wait_with(channel, Some(Duration::from_millis(10)));
}

/// Looks until it is so.
pub(super) fn until<T: std::fmt::Debug>(
    step: &str,
    bell: &Doorbell,
    mut look: impl FnMut() -> (bool, T),
) -> Result<(), Breach> {
    let deadline = Instant::now() + LONG;
    loop {
        let (so, found) = look();
        if so {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Breach::unlike(step, "it in the end", found));
        }
        bell.wait(Some(Duration::from_millis(5)));
    }
}

/// A value as its codec writes it, to compare values of any type.
pub(super) fn bytes_of(value: &(dyn Any + Send + Sync)) -> Result<Vec<u8>, Breach> {
    let mut bytes = Vec::new();
    CodecRegistry::global().serialize(value, &mut bytes).step("encoding a value")?;
    Ok(bytes)
}
