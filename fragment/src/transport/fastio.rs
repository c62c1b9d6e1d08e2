//! Links between processes of one host: each is a Fast I/O channel of the application's pipeline.
//!
//! Not here: channels. Invariant: what lies in Fast I/O already is passed by reference and not touched; what does not is
//! copied once, and counted.

use podwire_fastio::{
    ChannelEnd, ChannelOptions, Doorbell, Error, FastIoContext, Payload, Receiver, Sender, Wait,
};

use super::{Link, LinkError, Peer, ReceiveEnd, SendEnd, Traffic, Transport, name};
use crate::message::Message;

/// The longest name that a channel can have.
const NAME: usize = 254;

/// Shared memory: messages go through channels of a pipeline, large buffers by reference.
///
/// What was sent outlives its sender, also one that was killed, until it is received; a receiver that comes back goes on
/// where the last one was. The two ends agree on the capacity, or the second one is refused.
///
/// ```
/// # let pipeline = format!("doc-fastio-transport-{}", std::process::id());
/// use podwire_fastio::{Doorbell, FastIoContext};
/// use podwire_fragment::{Message, transport::{FastIoTransport, Link, Transport}};
///
/// let transport = FastIoTransport::new(FastIoContext::open(&pipeline)?);
/// let (link, bell) = (Link::new("camera.out>screen.in", 4), Doorbell::new());
/// let mut sender = transport.sender(&link, &bell)?;
/// sender.try_send(&Message::new(vec![0.5_f32; 3]))?;
///
/// // In another process:
/// let mut receiver = transport.receiver(&link, &bell)?;
/// let message = receiver.try_receive()?.expect("it was sent");
/// assert_eq!(message.received::<Vec<f32>>()?[2], 0.5);
/// # drop((sender, receiver, transport));
/// # FastIoContext::remove(&pipeline)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FastIoTransport {
    context: FastIoContext,
    options: ChannelOptions,
}

impl FastIoTransport {
    /// Links are channels of this pipeline, which all processes of the application open.
    #[must_use]
    pub fn new(context: FastIoContext) -> Self {
        Self { context, options: ChannelOptions::new() }
    }

    /// How the ends that this opens wait: spinning is faster, and takes a processor for each operator.
    #[must_use]
    pub fn wait(mut self, wait: Wait) -> Self {
        self.options = self.options.wait(wait);
        self
    }

    /// The bytes of a packed message that lie in the channel itself; what is larger gets an allocation of its own. Both
    /// ends of a link ask for the same.
    #[must_use]
    pub fn inline(mut self, bytes: usize) -> Self {
        self.options = self.options.inline(bytes);
        self
    }

    /// The channels stay for as long as the pipeline: what links count goes on, also after the processes at both ends were
    /// dead at one time. For pipelines that go with their application.
    #[must_use]
    pub fn kept(mut self) -> Self {
        self.options = self.options.kept(true);
        self
    }

    fn options(&self, link: &Link) -> ChannelOptions {
        self.options.capacity(link.capacity)
    }
}

/// The channel of a link.
fn channel(link: &Link) -> std::borrow::Cow<'_, str> {
    name::fitted(&link.name, NAME, |byte| (b'!'..=b'~').contains(&byte) && byte != b'/')
}

impl Transport for FastIoTransport {
    fn name(&self) -> &'static str {
        "fastio"
    }

    fn sender(&self, link: &Link, _: &Doorbell) -> Result<Box<dyn SendEnd>, LinkError> {
        let sender = self.context.sender(&channel(link), &self.options(link));
        let sender = sender.map_err(|error| said(link, error))?;
        Ok(Box::new(Sending { link: link.clone(), sender, told: false }))
    }

    fn receiver(&self, link: &Link, _: &Doorbell) -> Result<Box<dyn ReceiveEnd>, LinkError> {
        let receiver = self.context.receiver(&channel(link), &self.options(link));
        let receiver = receiver.map_err(|error| said(link, error))?;
        Ok(Box::new(Receiving { link: link.clone(), receiver, told: false }))
    }
}

/// What Fast I/O says, as a link says it.
fn said(link: &Link, error: Error) -> LinkError {
    let name = || link.name.clone();
    match error {
        Error::Full { .. } => LinkError::Full { link: name(), capacity: link.capacity },
        Error::Closed { .. } => LinkError::Closed { link: name() },
        Error::PeerDied { .. } => LinkError::PeerDied { link: name() },
        Error::EndTaken { .. } => LinkError::Taken { link: name() },
        Error::Codec(source) => LinkError::Codec { link: name(), source },
        other => LinkError::transport(name(), other),
    }
}

fn peer(peer: podwire_fastio::Result<Peer>) -> Peer {
    match peer {
        Ok(peer) => peer,
        // A channel that cannot be looked at any more leads nowhere.
        Err(Error::Removed | Error::Forked | Error::Corrupt { .. }) => Peer::Died,
        // What cannot be looked at just now is no death.
        Err(_) => Peer::Attached,
    }
}

struct Sending {
    link: Link,
    sender: Sender,
    /// It was said that the receiver is gone.
    told: bool,
}

impl SendEnd for Sending {
    fn try_send(&mut self, message: &Message) -> Result<(), LinkError> {
        let sent = self.sender.try_send(Payload::any_with(message.value(), message.metadata()));
        self.told = matches!(sent, Err(Error::Closed { .. } | Error::PeerDied { .. }));
        sent.map_err(|error| said(&self.link, error))
    }

    fn close(&mut self) -> bool {
        self.sender.close();
        true
    }

    fn peer(&self) -> Peer {
        peer(self.sender.peer())
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            sent: self.sender.sent(),
            received: self.sender.received(),
            settled: self.sender.settled(),
            dropped: 0,
            copied_bytes: self.sender.copied_bytes(),
        }
    }

    fn channel(&self) -> Option<ChannelEnd<'_>> {
        (!self.told).then_some(ChannelEnd::from(&self.sender))
    }
}

struct Receiving {
    link: Link,
    receiver: Receiver,
    /// It was said that the sender is gone.
    told: bool,
}

impl Receiving {
    fn next(&mut self) -> podwire_fastio::Result<Option<Message>> {
        let Some(incoming) = self.receiver.try_receive()? else { return Ok(None) };
        let (value, metadata) = match incoming {
            podwire_fastio::Incoming::Value(value) => value.decode_any_within(self.link.limits)?,
            other => (other.any_value()?, podwire_codec_core::message::Metadata::new()),
        };
        Ok(Some(Message::any(value).with_metadata(metadata)))
    }
}

impl ReceiveEnd for Receiving {
    fn try_receive(&mut self) -> Result<Option<Message>, LinkError> {
        let received = self.next();
        self.told = matches!(received, Err(Error::Closed { .. } | Error::PeerDied { .. }));
        received.map_err(|error| said(&self.link, error))
    }

    fn settle(&mut self) {
        // What is wrong with the channel is said by the next attempt to receive.
        let _ = self.receiver.settle();
    }

    fn waiting(&self) -> usize {
        match self.receiver.waiting() {
            0 => usize::from(!self.told && self.receiver.is_ready()),
            messages => messages,
        }
    }

    fn peer(&self) -> Peer {
        peer(self.receiver.peer())
    }

    fn traffic(&self) -> Traffic {
        let received = self.receiver.received();
        let sent = received + self.receiver.waiting() as u64;
        Traffic { sent, received, settled: self.receiver.settled(), dropped: 0, copied_bytes: 0 }
    }

    fn channel(&self) -> Option<ChannelEnd<'_>> {
        (!self.told).then_some(ChannelEnd::from(&self.receiver))
    }
}
