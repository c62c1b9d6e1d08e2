//! The two ends of a link, without operators.

use std::time::Duration;

use podwire_codec_core::{Bulk, CodecRegistry};
use podwire_fastio::{Doorbell, FastIoContext, PipelineOptions, Wait};
use podwire_fragment::{
    Message,
    transport::{
        self, FastIoTransport, Link, LinkError, ReceiveEnd, SendEnd, Transport,
        zenoh::{SessionSettings, ZenohTransport, session},
    },
};

use super::{Failure, Mode, Receiving, Sending, Task, time_of};

const LONG: Duration = Duration::from_secs(60);
/// A message of more than eight bytes: the time, and bytes that have it at both ends, too, where they are written anew.
pub type Sample = (u64, Bulk<u8>);

/// Below this, bytes lie in the message itself.
const INLINE: usize = 4 << 10;

/// Makes the type known to the registry.
pub fn register() -> Result<(), Failure> {
    Ok(CodecRegistry::global().register::<Sample>("bench.Sample")?)
}

/// Bytes for one message: in shared memory where they are many.
pub enum Source {
    Number,
    Same(Bulk<u8>),
    Fresh(FastIoContext, usize),
}

impl Source {
    pub fn shared(context: &FastIoContext, size: usize) -> Self {
        match size {
            8 => Self::Number,
            ..INLINE => Self::Same(Bulk::from(vec![0; size])),
            _ => Self::Fresh(context.clone(), size),
        }
    }

    pub fn bytes(&self) -> Result<Bulk<u8>, Failure> {
        match self {
            Self::Number => Ok(Bulk::from(Vec::new())),
            Self::Same(bytes) => Ok(bytes.clone()),
            Self::Fresh(context, size) => {
                let allocation = context.create(*size)?;
                let mut bytes = allocation.map_mut()?;
                bytes[..8].fill(1);
                bytes[*size - 8..].fill(1);
                drop(bytes);
                allocation.seal()?;
                Ok(allocation.into_shared()?.into_bulk()?)
            }
        }
    }
}

/// The time in a message that was received.
pub fn time(message: Message) -> Result<u64, Failure> {
    if let Some(time) = message.value().downcast_ref::<u64>() {
        return Ok(*time);
    }
    let sample = message.received::<Sample>()?;
    std::hint::black_box(time_of(&sample.1));
    Ok(sample.0)
}

fn context(task: &Task) -> Result<FastIoContext, Failure> {
    Ok(FastIoContext::open_with(&format!("bench-{}", task.name), PipelineOptions::new().ephemeral(true))?)
}

fn over_fastio(context: &FastIoContext, task: &Task) -> FastIoTransport {
    let wait = if task.subject.mode == Mode::Spin { Wait::Spin } else { Wait::Sleep };
    FastIoTransport::new(context.clone()).wait(wait)
}

fn over_zenoh(mode: &str, listen: Vec<String>, connect: Vec<String>) -> Result<ZenohTransport, Failure> {
    let settings = SessionSettings { mode: mode.into(), listen, connect, ..SessionSettings::default() };
    Ok(ZenohTransport::new(session(&settings)?, "bench")?)
}

fn link(task: &Task) -> Link {
    Link::new("left.out>right.in", task.capacity())
}

pub struct Sender {
    end: Box<dyn SendEnd>,
    bell: Doorbell,
    mode: Mode,
    source: Source,
    next: Option<Bulk<u8>>,
    _transport: Box<dyn Transport>,
}

impl Sender {
    fn open(task: &Task, transport: Box<dyn Transport>, source: Source) -> Result<Self, Failure> {
        register()?;
        let bell = Doorbell::new();
        let end = transport.sender(&link(task), &bell)?;
        Ok(Self { end, bell, mode: task.subject.mode, source, next: None, _transport: transport })
    }

    pub fn over_fastio(task: &Task) -> Result<Self, Failure> {
        let context = context(task)?;
        let source = Source::shared(&context, task.size);
        Self::open(task, Box::new(over_fastio(&context, task)), source)
    }

    pub fn over_zenoh(task: &Task) -> Result<Self, Failure> {
        let transport = over_zenoh("peer", vec![format!("tcp/{}", task.address)], Vec::new())?;
        let source =
            if task.size == 8 { Source::Number } else { Source::Same(Bulk::from(vec![0; task.size])) };
        Self::open(task, Box::new(transport), source)
    }
}

impl Sending for Sender {
    fn prepare(&mut self) -> Result<(), Failure> {
        self.next = Some(self.source.bytes()?);
        Ok(())
    }

    fn send(&mut self, time: u64) -> Result<(), Failure> {
        let message = match self.source {
            Source::Number => Message::new(time),
            _ => Message::new::<Sample>((time, self.next.take().ok_or("nothing was prepared")?)),
        };
        if self.mode == Mode::Sleep {
            return Ok(transport::send(&mut *self.end, &message, &self.bell, LONG)?);
        }
        loop {
            match self.end.try_send(&message) {
                Err(LinkError::Full { .. }) => std::hint::spin_loop(),
                sent => return Ok(sent?),
            }
        }
    }
}

pub struct Receiver {
    end: Box<dyn ReceiveEnd>,
    bell: Doorbell,
    mode: Mode,
    _transport: Box<dyn Transport>,
}

impl Receiver {
    fn open(task: &Task, transport: Box<dyn Transport>) -> Result<Self, Failure> {
        register()?;
        let bell = Doorbell::new();
        let end = transport.receiver(&link(task), &bell)?;
        Ok(Self { end, bell, mode: task.subject.mode, _transport: transport })
    }

    pub fn over_fastio(task: &Task) -> Result<Self, Failure> {
        Self::open(task, Box::new(over_fastio(&context(task)?, task)))
    }

    pub fn over_zenoh(task: &Task) -> Result<Self, Failure> {
        let transport = over_zenoh("client", Vec::new(), vec![format!("tcp/{}", task.address)])?;
        Self::open(task, Box::new(transport))
    }
}

impl Receiving for Receiver {
    fn receive(&mut self) -> Result<u64, Failure> {
        if self.mode == Mode::Sleep {
            let message = transport::receive(&mut *self.end, &self.bell, LONG)?;
            return time(message.ok_or("nothing came within a minute")?);
        }
        loop {
            match self.end.try_receive()? {
                Some(message) => return time(message),
                None => std::hint::spin_loop(),
            }
        }
    }
}
