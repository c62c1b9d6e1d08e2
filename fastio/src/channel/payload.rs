//! What is sent: bytes, an allocation, or a value.
//!
//! Not here: waiting for room. Invariant: what is too large for the ring, or refers to other memory, is an allocation
//! of its own before it is sent.

use std::{any::Any, sync::atomic::Ordering::Relaxed};

use podwire_codec_core::{
    Codec, CodecRegistry, Endpoint, Segment, Writer, endpoint::Capabilities, message, schema::Schema,
};

use super::{
    ends::End,
    ring::{BESIDE, REFERENCED, WRAPPED},
};
use crate::{
    allocation::FastIoAllocation,
    error::{Error, Result},
    metadata::Metadata,
    value::Outgoing,
};

/// A message is bytes.
pub(super) const BYTES: u32 = 1;
/// A message is an allocation.
pub(super) const ALLOCATION: u32 = 2;
/// A message is a value: the envelope of `docs/wire-format.md`.
pub(super) const VALUE: u32 = 3;

/// Messages of more bytes than this go into an allocation of their own: what is lent stays with the channel, and so it
/// keeps no more than so much for each message, unless [`Sender::loan`](super::Sender::loan) asks for it.
const MOST_LENT: usize = 1 << 20;

/// A message to be sent. Bytes and allocations convert into it by themselves:
///
/// ```
/// # let pipeline = format!("doc-payload-{}", std::process::id());
/// use podwire_fastio::{ChannelOptions, FastIoContext, Payload};
/// let context = FastIoContext::open(&pipeline)?;
/// let (mut sender, _receiver) = context.channel("mixed", &ChannelOptions::new())?;
/// sender.send(b"bytes")?;
/// sender.send(&context.create(1 << 20)?)?;
/// # podwire_codec_core::CodecRegistry::global().register::<Vec<u8>>("doc.bytes").unwrap();
/// sender.send(Payload::value(&vec![1_u8, 2]))?; // a value of a registered type
/// # drop((sender, _receiver, context));
/// # FastIoContext::remove(&pipeline)?;
/// # Ok::<(), podwire_fastio::Error>(())
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Payload<'p> {
    /// Bytes: copied into the channel, or into an allocation if they are too many for it.
    Bytes(&'p [u8]),
    /// Memory of the pipeline: nothing is copied. The sender may keep its handle.
    Allocation(&'p FastIoAllocation),
    /// A value of a registered type, with its large buffers by reference.
    Value {
        /// The value.
        value: &'p (dyn Any + Send + Sync),
        /// What the compiler calls its type, where that is known, for an error to name it.
        type_name: Option<&'static str>,
        /// What travels with it.
        metadata: Option<&'p message::Metadata>,
    },
    /// A value whose type no codec here has: only its schema is known, as for
    /// [`FastIoContext::create_value`](crate::FastIoContext::create_value).
    Described {
        /// The name of its codec.
        codec: &'p str,
        /// The schema of its type.
        schema: &'p Schema,
        /// Writes it, as the schema says. Called once at most, and only if there is room.
        encode: &'p dyn Fn(&mut Writer<'_>) -> podwire_codec_core::Result<()>,
        /// What travels with it.
        metadata: Option<&'p message::Metadata>,
    },
}

impl<'p> Payload<'p> {
    /// A value of a registered type.
    pub fn value<T: Codec + Any + Send + Sync>(value: &'p T) -> Self {
        Self::Value { value, type_name: Some(std::any::type_name::<T>()), metadata: None }
    }

    /// A value whose type only the registry knows.
    pub fn any(value: &'p (dyn Any + Send + Sync)) -> Self {
        Self::Value { value, type_name: None, metadata: None }
    }

    /// A value of a registered type, and what travels with it: [`ValueMessage::metadata`](super::ValueMessage::metadata)
    /// at the other end.
    ///
    /// ```
    /// # let pipeline = format!("doc-value-with-{}", std::process::id());
    /// use podwire_codec_core::{message::Metadata, register_codec};
    /// use podwire_fastio::{ChannelOptions, FastIoContext, Incoming, Payload};
    ///
    /// register_codec!(Vec<f32>, "doc.samples");
    /// let context = FastIoContext::open(&pipeline)?;
    /// let (mut sender, mut receiver) = context.channel("samples", &ChannelOptions::new())?;
    /// let mut metadata = Metadata::new();
    /// metadata.insert_bytes("source", *b"probe 3");
    /// sender.send(Payload::value_with(&vec![0.5_f32], &metadata))?;
    ///
    /// let Incoming::Value(message) = receiver.receive()? else { panic!("it is a value") };
    /// let (samples, metadata) = message.decode_with_metadata::<Vec<f32>>()?;
    /// assert_eq!((samples[0], metadata.bytes("source")), (0.5, Some(&b"probe 3"[..])));
    /// # drop((sender, receiver, context));
    /// # FastIoContext::remove(&pipeline)?;
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    pub fn value_with<T: Codec + Any + Send + Sync>(value: &'p T, metadata: &'p message::Metadata) -> Self {
        Self::Value { value, type_name: Some(std::any::type_name::<T>()), metadata: Some(metadata) }
    }

    /// A value whose type only the registry knows, and what travels with it.
    pub fn any_with(value: &'p (dyn Any + Send + Sync), metadata: &'p message::Metadata) -> Self {
        Self::Value { value, type_name: None, metadata: Some(metadata) }
    }
}

impl<'p> From<&'p [u8]> for Payload<'p> {
    fn from(bytes: &'p [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'p, const N: usize> From<&'p [u8; N]> for Payload<'p> {
    fn from(bytes: &'p [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'p> From<&'p Vec<u8>> for Payload<'p> {
    fn from(bytes: &'p Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'p> From<&'p FastIoAllocation> for Payload<'p> {
    fn from(allocation: &'p FastIoAllocation) -> Self {
        Self::Allocation(allocation)
    }
}

/// A message as it goes into the ring.
pub(super) enum Ready<'p> {
    /// Into the slot.
    Inline(u32, &'p [u8]),
    /// Into memory that is lent to the channel.
    Copied(u32, &'p [u8]),
    /// By reference to memory that already is an allocation.
    Known(u32, &'p FastIoAllocation),
    /// By reference to memory that was made for it.
    Made(u32, FastIoAllocation),
    /// Into the slot, with a reference to the one buffer.
    Beside(u32, FastIoAllocation, &'p [u8]),
}

/// Brings a message into the form in which it is sent. `scratch` is memory to work in.
pub(super) fn prepare<'p>(end: &End, payload: Payload<'p>, scratch: &'p mut Vec<u8>) -> Result<Ready<'p>> {
    match payload {
        Payload::Bytes(bytes) if bytes.len() <= end.ring.shape.inline() => Ok(Ready::Inline(BYTES, bytes)),
        Payload::Bytes(bytes) if bytes.len() <= MOST_LENT => Ok(Ready::Copied(BYTES, bytes)),
        Payload::Bytes(bytes) => {
            let memory = end.context.create(bytes.len())?;
            memory.map_mut()?.copy_from_slice(bytes);
            end.store().copied.fetch_add(bytes.len() as u64, Relaxed);
            end.copied.update(|copied| copied + bytes.len() as u64);
            memory.seal()?;
            Ok(Ready::Made(BYTES | REFERENCED, memory))
        }
        Payload::Allocation(allocation) => with_metadata(end, allocation),
        Payload::Value { value, type_name, metadata } => {
            encode_any(end, value, metadata, scratch).map_err(|error| error.naming_type(type_name))
        }
        Payload::Described { codec, schema, encode: write, metadata } => {
            encode(end, (codec, schema.fingerprint()), || schema.clone(), metadata, scratch, write)
        }
    }
}

/// An allocation goes with the metadata of the handle that is sent.
fn with_metadata<'p>(end: &End, allocation: &'p FastIoAllocation) -> Result<Ready<'p>> {
    if !allocation.context().same_pipeline(&end.context) {
        return Err(Error::CannotAdopt { reason: "it belongs to another pipeline" });
    }
    allocation.seal_if_asked()?;
    if allocation.settle_metadata()? {
        return Ok(Ready::Known(ALLOCATION | REFERENCED, allocation));
    }
    // Others may read its header, so that the changed metadata gets one of its own.
    let wrapper = end.context.create_with(
        crate::AllocationOptions::new(0).metadata(allocation.metadata()?.clone()).children(&[allocation]),
    )?;
    Ok(Ready::Made(ALLOCATION | REFERENCED | WRAPPED, wrapper))
}

fn encode_any<'p>(
    end: &End,
    value: &(dyn Any + Send + Sync),
    metadata: Option<&message::Metadata>,
    scratch: &'p mut Vec<u8>,
) -> Result<Ready<'p>> {
    let codec = CodecRegistry::global().by_value(value)?;
    let named = (codec.name(), codec.fingerprint());
    encode(end, named, || codec.schema(), metadata, scratch, |writer| codec.encode(value, writer))
}

fn encode<'p>(
    end: &End,
    (codec, fingerprint): (&str, u64),
    schema: impl FnOnce() -> Schema,
    metadata: Option<&message::Metadata>,
    scratch: &'p mut Vec<u8>,
    write: impl FnOnce(&mut Writer<'_>) -> podwire_codec_core::Result<()>,
) -> Result<Ready<'p>> {
    scratch.clear();
    let mut envelope = Envelope { outgoing: Outgoing::new(&end.context), bytes: scratch };
    let metadata = metadata.unwrap_or(const { &message::Metadata::new() });
    message::write(codec, fingerprint, metadata, &mut envelope, write)?;
    end.store().describe(schema, fingerprint)?;
    let Envelope { mut outgoing, bytes } = envelope;
    let inline = bytes.len() <= end.ring.shape.inline();
    match outgoing.children.len() {
        0 if inline => return Ok(Ready::Inline(VALUE, bytes)),
        0 if bytes.len() <= MOST_LENT => return Ok(Ready::Copied(VALUE, bytes)),
        1 if inline => {
            end.copied.update(|copied| copied + outgoing.copied);
            let buffer = outgoing.children.remove(0);
            return Ok(Ready::Beside(VALUE | REFERENCED | BESIDE, buffer, bytes));
        }
        _ => {}
    }
    // What goes beside buffers and would fit the channel without them is no copy that anybody could spare.
    let beside = if inline { bytes.len() as u64 } else { 0 };
    outgoing.write(bytes)?;
    let Outgoing { children, message, copied, .. } = outgoing;
    end.copied.update(|before| before + copied.saturating_sub(beside));
    let mut message = message.ok_or_else(|| Error::NotAValue { name: end.shown() })?;
    message.set_metadata(Metadata::value(codec));
    message.settle_metadata()?;
    message.adopt(&children.iter().collect::<Vec<_>>())?;
    message.seal()?;
    Ok(Ready::Made(VALUE | REFERENCED, message))
}

/// Where a value goes: its buffers where a published value's go, its packed bytes into scratch memory.
struct Envelope<'c, 'b> {
    outgoing: Outgoing<'c>,
    bytes: &'b mut Vec<u8>,
}

impl Endpoint for Envelope<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> podwire_codec_core::Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// An outgoing value holds nothing to read.
    fn read(&mut self, bytes: &mut [u8]) -> podwire_codec_core::Result<()> {
        self.outgoing.read(bytes)
    }

    fn capabilities(&self) -> Capabilities {
        self.outgoing.capabilities()
    }

    fn attach(&mut self, segment: &Segment) -> podwire_codec_core::Result<Option<u32>> {
        self.outgoing.attach(segment)
    }
}
