//! What is received: bytes, an allocation, or a value.
//!
//! Not here: taking it from the ring. Invariant: what a message lends is memory of the receiver, or is held by it.

use std::any::Any;

use podwire_codec_core::{
    Codec, CodecRegistry, Limits, Reader, Segment,
    message::{Message, Metadata},
    registry::AnyValue,
};

use super::{
    lent::Places,
    payload::{ALLOCATION, VALUE},
};
use crate::{
    allocation::FastIoAllocation,
    context::FastIoContext,
    error::{Error, Result},
    shared_bytes::SharedBytes,
    value::{self, Described},
};

/// The message that was taken last, in memory that is used again.
#[derive(Default)]
pub(super) struct Content {
    pub(super) kind: u32,
    pub(super) bytes: Vec<u8>,
    allocation: Option<FastIoAllocation>,
    shared: Option<SharedBytes>,
    /// The only buffer of a value that lies in `bytes`.
    pub(super) buffer: Option<FastIoAllocation>,
    pub(super) lent: Places,
    /// The place of lent memory in which the message lies, and its length.
    pub(super) place: Option<(usize, usize)>,
}

/// Memory for messages that is kept, in bytes.
const KEPT: usize = 1 << 20;

impl Content {
    pub(super) fn clear(&mut self) {
        self.allocation = None;
        self.shared = None;
        self.buffer = None;
        self.place = None;
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
        }
    }

    /// Keeps the allocation of a message.
    pub(super) fn hold(&mut self, allocation: FastIoAllocation) -> Result<()> {
        if self.kind == ALLOCATION {
            self.allocation = Some(allocation);
        } else {
            self.shared = Some(allocation.into_shared()?);
        }
        Ok(())
    }

    pub(super) fn lend(&mut self) -> Incoming<'_> {
        if let Some(allocation) = self.allocation.take() {
            return Incoming::Allocation(allocation);
        }
        let bytes = match (self.place, &self.shared) {
            (Some((place, length)), _) => self.lent.bytes(place, length),
            (None, Some(shared)) => shared,
            (None, None) => &self.bytes,
        };
        match self.kind {
            VALUE => Incoming::Value(ValueMessage {
                bytes,
                shared: self.shared.as_ref(),
                buffer: self.buffer.as_ref(),
            }),
            _ => Incoming::Bytes(bytes),
        }
    }
}

/// A message that was received.
///
/// ```
/// # let pipeline = format!("doc-incoming-{}", std::process::id());
/// use podwire_fastio::{ChannelOptions, FastIoContext, Incoming};
/// let context = FastIoContext::open(&pipeline)?;
/// let (mut sender, mut receiver) = context.channel("commands", &ChannelOptions::new())?;
/// sender.send(b"stop")?;
/// match receiver.receive()? {
///     Incoming::Bytes(bytes) => assert_eq!(bytes, b"stop"),
///     Incoming::Allocation(allocation) => println!("{} bytes", allocation.len()),
///     other => println!("{other:?}"),
/// }
/// # drop((sender, receiver, context));
/// # FastIoContext::remove(&pipeline)?;
/// # Ok::<(), podwire_fastio::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Incoming<'r> {
    /// Bytes.
    Bytes(&'r [u8]),
    /// Memory of the pipeline. If nobody else keeps it, it is private to its holders now: it can be written to, published
    /// and sent on, and goes with its last handle.
    Allocation(FastIoAllocation),
    /// A value, not decoded yet.
    Value(ValueMessage<'r>),
}

impl<'r> Incoming<'r> {
    /// The bytes.
    ///
    /// # Errors
    /// [`Error::WrongKind`].
    pub fn bytes(self) -> Result<&'r [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => Err(other.is_no("bytes")),
        }
    }

    /// The allocation.
    ///
    /// # Errors
    /// [`Error::WrongKind`].
    pub fn allocation(self) -> Result<FastIoAllocation> {
        match self {
            Self::Allocation(allocation) => Ok(allocation),
            other => Err(other.is_no("an allocation")),
        }
    }

    /// The value, decoded. Its large buffers are the shared memory, which they keep.
    ///
    /// # Errors
    /// [`Error::WrongKind`]; [`Error::Codec`] if it is a value of another type, or of another schema.
    pub fn value<T: Codec + Any>(self) -> Result<T> {
        match self {
            Self::Value(value) => value.decode(),
            other => Err(other.is_no("a value")),
        }
    }

    /// The value, of whatever registered type it is.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn any_value(self) -> Result<AnyValue> {
        match self {
            Self::Value(value) => value.decode_any(),
            other => Err(other.is_no("a value")),
        }
    }

    fn is_no(&self, wanted: &'static str) -> Error {
        let found = match self {
            Self::Bytes(_) => "bytes",
            Self::Allocation(_) => "an allocation",
            Self::Value(_) => "a value",
        };
        Error::WrongKind { wanted, found }
    }
}

/// A value that was received: the envelope, which says what it is, and the memory that it refers to.
#[derive(Clone, Copy, Debug)]
pub struct ValueMessage<'r> {
    bytes: &'r [u8],
    shared: Option<&'r SharedBytes>,
    buffer: Option<&'r FastIoAllocation>,
}

impl<'r> ValueMessage<'r> {
    /// The message as `docs/wire-format.md` specifies it.
    ///
    /// # Errors
    /// [`Error::Codec`] if it is none.
    pub fn message(&self) -> Result<Message<'r>> {
        Ok(Message::parse(self.bytes, Limits::DEFAULT)?.0)
    }

    /// What travels with the value: see [`Payload::value_with`](super::Payload::value_with).
    ///
    /// # Errors
    /// As [`message`](Self::message).
    pub fn metadata(&self) -> Result<Metadata> {
        Ok(self.message()?.metadata().clone())
    }

    /// The value.
    ///
    /// # Errors
    /// [`Error::Codec`] if it is a value of another type, or of another schema.
    pub fn decode<T: Codec + Any>(&self) -> Result<T> {
        self.value_of(&self.message()?)
    }

    /// The value and what travels with it, in one look at the message.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_with_metadata<T: Codec + Any>(&self) -> Result<(T, Metadata)> {
        let message = self.message()?;
        Ok((self.value_of(&message)?, message.metadata().clone()))
    }

    /// The value, of whatever registered type it is.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_any(&self) -> Result<AnyValue> {
        self.any_of(&self.message()?)
    }

    /// The same with what travels with it.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_any_with_metadata(&self) -> Result<(AnyValue, Metadata)> {
        let message = self.message()?;
        Ok((self.any_of(&message)?, message.metadata().clone()))
    }

    /// The same under other limits, for the message and again for its value.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_any_within(&self, limits: Limits) -> Result<(AnyValue, Metadata)> {
        let message = Message::parse(self.bytes, limits)?.0;
        let value = CodecRegistry::global().decode_with(&message, &mut self.buffers()?, limits)?;
        Ok((value, message.metadata().clone()))
    }

    /// The value read by its schema, whether or not its type is known here, as
    /// [`FastIoContext::described`] gives it: `context` is the receiver's. Only a message that lies in the channel itself is
    /// copied, once.
    ///
    /// ```
    /// # let pipeline = format!("doc-value-described-{}", std::process::id());
    /// use podwire_fastio::{ChannelOptions, FastIoContext, Incoming, Payload};
    /// # podwire_codec_core::CodecRegistry::global().register::<(String, u8)>("doc.reading").unwrap();
    /// let context = FastIoContext::open(&pipeline)?;
    /// let (mut sender, mut receiver) = context.channel("readings", &ChannelOptions::new())?;
    /// sender.send(Payload::value(&("argon".to_owned(), 18_u8)))?;
    ///
    /// // In a process that knows nothing of the type:
    /// let Incoming::Value(message) = receiver.receive()? else { panic!("it is a value") };
    /// assert_eq!(message.described(&context)?.0.value.to_string(), r#"("argon", 18)"#);
    /// # drop((sender, receiver, context));
    /// # FastIoContext::remove(&pipeline)?;
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`FastIoContext::described`].
    pub fn described(&self, context: &FastIoContext) -> Result<(Described, Metadata)> {
        let memory = match self.shared {
            Some(shared) => Segment::from(shared.clone()),
            None => Segment::from(self.bytes.to_vec()),
        };
        let message = Message::parse(memory.bytes()?, Limits::DEFAULT)?.0;
        let schema = context.schema_for(&message, message.name())?;
        let read = |reader: &mut Reader<'_>| schema.decode_sharing(&memory, reader);
        let value = message.decode(&mut self.buffers()?, Limits::DEFAULT, read)?;
        let described = Described { codec: message.name().to_owned(), schema, value };
        Ok((described, message.metadata().clone()))
    }

    fn value_of<T: Codec + Any>(&self, message: &Message<'_>) -> Result<T> {
        Ok(CodecRegistry::global().decode_as(message, &mut self.buffers()?)?)
    }

    fn any_of(&self, message: &Message<'_>) -> Result<AnyValue> {
        Ok(CodecRegistry::global().decode(message, &mut self.buffers()?)?)
    }

    fn buffers(&self) -> Result<value::Incoming> {
        let children = match (self.shared, self.buffer) {
            (Some(shared), _) => shared.allocation().children()?,
            (None, buffer) => buffer.cloned().into_iter().collect(),
        };
        Ok(value::Incoming { children })
    }
}
