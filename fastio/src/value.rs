//! Values: published with their codec, with their large buffers by reference.
//!
//! Not here: how a value is encoded, which is the codec's. Invariant: a published value owns every allocation that it
//! refers to, before it can be found.

use std::any::{Any, type_name};
use std::sync::{Arc, atomic::Ordering::Relaxed};
use std::time::Duration;

use podwire_codec_core::{
    Bulk, Codec, CodecRegistry, Endpoint, Limits, MemoryKind, Owner, Plain, Segment, Writer,
    endpoint::{Capabilities, Placement},
    message::{self, Message, Options},
    registry::AnyValue,
    schema::{Schema, Value},
};

use crate::{
    allocation::FastIoAllocation,
    context::FastIoContext,
    error::{Error, Result},
    memory,
    metadata::{ContentKind, Metadata},
    name,
    options::AllocationOptions,
    shared_bytes::SharedBytes,
};

#[cfg(test)]
mod conformance;

/// Buffers below this many bytes are written into the message: an allocation of their own would cost more.
const THRESHOLD: usize = 16 * 1024;
/// Children that one allocation can have.
const CHILDREN: u32 = 65_536;

type CodecResult<T> = podwire_codec_core::Result<T>;

impl FastIoContext {
    /// Publishes a value of a registered type under a name. The first time, the schema of the type is left in the
    /// pipeline; see [`schema`](Self::schema).
    ///
    /// Buffers in it ([`Bulk`](podwire_codec_core::Bulk)) that lie in sealed allocations of this pipeline are
    /// referred to; others of 16 KiB or more are copied once, into allocations of their own, and smaller ones are
    /// part of the message. The publication owns them all.
    ///
    /// ```
    /// # let pipeline = format!("doc-value-{}", std::process::id());
    /// use podwire_codec_core::{Bulk, register_codec};
    /// use podwire_fastio::FastIoContext;
    ///
    /// type Spectrum = (String, Bulk<f32>);
    /// register_codec!(Spectrum, "Spectrum");
    ///
    /// let context = FastIoContext::open(&pipeline)?;
    /// let spectrum: Spectrum = ("argon".into(), vec![0.5_f32; 100_000].into());
    /// context.publish_value(&spectrum, "reference")?;
    ///
    /// let (name, lines): Spectrum = context.get_value("reference")?; // `lines` is the shared memory
    /// assert_eq!((name.as_str(), lines[99_999]), ("argon", 0.5));
    ///
    /// // So that not even the sender copies, let the buffer be in shared memory from the start:
    /// let buffer = context.create_array::<f32>(&[100_000])?;
    /// buffer.map_mut()?.as_array_mut::<f32>()?.fill(0.25);
    /// buffer.seal()?;
    /// let spectrum: Spectrum = ("neon".into(), buffer.into_shared()?.into_bulk()?);
    /// let before = context.stats()?.bytes_copied;
    /// context.publish_value(&spectrum, "neon")?;
    /// assert!(context.stats()?.bytes_copied - before < 200, "the message, and none of the 400,000 bytes");
    /// # drop((context, lines, spectrum));
    /// # FastIoContext::remove(&pipeline)?;
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Codec`] if the type is not registered or cannot be encoded; otherwise as [`create`](Self::create)
    /// and [`FastIoAllocation::publish`].
    pub fn publish_value<T: Codec + Any + Send + Sync>(
        &self,
        value: &T,
        name: &str,
    ) -> Result<FastIoAllocation> {
        self.publish_any(value, name).map_err(|error| error.naming_type(Some(type_name::<T>())))
    }

    /// The same, but takes the name over if it is taken: for what is only ever wanted in its latest form.
    ///
    /// # Errors
    /// As [`publish_value`](Self::publish_value), but not [`Error::NameTaken`].
    pub fn replace_value<T: Codec + Any + Send + Sync>(
        &self,
        value: &T,
        name: &str,
    ) -> Result<FastIoAllocation> {
        let message = self.message(value, name).map_err(|error| error.naming_type(Some(type_name::<T>())))?;
        message.replace(name)?;
        Ok(message)
    }

    /// [`publish_value`](Self::publish_value) for a value whose type only the registry knows.
    ///
    /// # Errors
    /// As [`publish_value`](Self::publish_value).
    pub fn publish_any(&self, value: &(dyn Any + Send + Sync), name: &str) -> Result<FastIoAllocation> {
        let message = self.message(value, name)?;
        message.publish(name)?;
        Ok(message)
    }

    /// The sealed message of a value that `encode` writes, whose type no codec here has: only its schema is known. It is to
    /// be [published](FastIoAllocation::publish). What [`publish_value`](Self::publish_value) says of buffers is true of it.
    ///
    /// ```
    /// # let pipeline = format!("doc-create-value-{}", std::process::id());
    /// use podwire_fastio::FastIoContext;
    ///
    /// let context = FastIoContext::open(&pipeline)?;
    /// let schema = "struct{name:text,gain:f32}".parse().expect("this is a schema");
    /// let message = context.create_value("Sensor", &schema, |writer| writer.encode(&("left", 0.5_f32)))?;
    /// message.publish("sensor")?;
    /// assert_eq!(context.get_described("sensor")?.to_string(), r#"{name: "left", gain: 0.5}"#);
    /// # drop((message, context));
    /// # FastIoContext::remove(&pipeline)?;
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of `encode`, as [`Error::Codec`], which also a name of a codec can be that is too long; otherwise as
    /// [`create`](Self::create).
    pub fn create_value(
        &self,
        codec: &str,
        schema: &Schema,
        encode: impl FnOnce(&mut Writer<'_>) -> CodecResult<()>,
    ) -> Result<FastIoAllocation> {
        let mut outgoing = Outgoing::new(self);
        message::write_with(codec, schema, Options::default(), &mut outgoing, encode)?;
        self.finish_message(outgoing, codec, || schema.clone(), schema.fingerprint(), "")
    }

    /// The sealed message of a value, not published yet.
    fn message(&self, value: &(dyn Any + Send + Sync), name: &str) -> Result<FastIoAllocation> {
        name::check(name)?;
        let registry = CodecRegistry::global();
        let codec = registry.by_value(value)?;
        let mut outgoing = Outgoing::new(self);
        registry.serialize(value, &mut outgoing)?;
        self.finish_message(outgoing, codec.name(), || codec.schema(), codec.fingerprint(), name)
    }

    fn finish_message(
        &self,
        outgoing: Outgoing<'_>,
        codec: &str,
        schema: impl FnOnce() -> Schema,
        fingerprint: u64,
        name: &str,
    ) -> Result<FastIoAllocation> {
        let Outgoing { children, message, .. } = outgoing;
        let mut message = message.ok_or(Error::NotAValue { name: name::shown(name) })?;
        self.store().describe(schema, fingerprint)?;
        message.set_metadata(Metadata::value(codec));
        message.adopt(&children.iter().collect::<Vec<_>>())?;
        message.seal()?;
        Ok(message)
    }

    /// The value that is published under a name. Its buffers are the shared memory, which they keep.
    ///
    /// # Errors
    /// [`Error::NotAValue`] if bytes or an array are published there; [`Error::Codec`] if it is a value of another
    /// type, or of another schema; otherwise as [`get`](Self::get).
    pub fn get_value<T: Codec + Any>(&self, name: &str) -> Result<T> {
        typed(self.get(name)?, name)
    }

    /// Waits until a value is published under a name, and gives it.
    ///
    /// # Errors
    /// [`Error::Timeout`], and as [`get_value`](Self::get_value).
    pub fn wait_value<T: Codec + Any>(&self, name: &str, timeout: Duration) -> Result<T> {
        typed(self.wait(name, timeout)?, name)
    }

    /// The value that is published under a name, whatever registered type it has.
    ///
    /// # Errors
    /// As [`get_value`](Self::get_value).
    pub fn get_any(&self, name: &str) -> Result<AnyValue> {
        read(self.get(name)?, name, |message, incoming| CodecRegistry::global().decode(message, incoming))
    }

    /// The value that is published under a name, read by its schema, whether or not its type is known here. Its buffers
    /// are the shared memory, which they keep.
    ///
    /// ```
    /// # let pipeline = format!("doc-described-{}", std::process::id());
    /// use podwire_codec_core::register_codec;
    /// use podwire_fastio::FastIoContext;
    ///
    /// type Reading = (String, Vec<f32>);
    /// register_codec!(Reading, "Reading");
    ///
    /// let context = FastIoContext::open(&pipeline)?;
    /// context.publish_value::<Reading>(&("argon".into(), vec![0.5; 100]), "reading")?;
    ///
    /// // In a process that knows nothing of the type:
    /// let value = context.get_described("reading")?;
    /// assert_eq!(value.get("0").unwrap().as_str(), Some("argon"));
    /// assert!(value.to_string().starts_with(r#"("argon", [0.5, 0.5, "#));
    /// # drop((value, context));
    /// # FastIoContext::remove(&pipeline)?;
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSchema`] if nobody left it, nor any codec here has it; [`Error::NotAValue`]; [`Error::Codec`];
    /// otherwise as [`get`](Self::get) and [`schema`](Self::schema).
    pub fn get_described(&self, name: &str) -> Result<Value> {
        read(self.get(name)?, name, |message, incoming| {
            let schema = self.schema_for(message, name)?;
            message.decode(incoming, Limits::DEFAULT, |reader| schema.decode(reader))
        })
    }

    /// The value in an allocation that was got as `name`, as [`get_described`](Self::get_described) gives it, and what its
    /// sender called it. Not even small elements of a fixed size are copied: they are parts of the allocation, where they need
    /// not be aligned.
    ///
    /// # Errors
    /// As [`get_described`](Self::get_described).
    pub fn described(&self, allocation: FastIoAllocation, name: &str) -> Result<Described> {
        if allocation.metadata()?.kind != ContentKind::Value {
            return Err(Error::NotAValue { name: name::shown(name) });
        }
        let memory = Segment::from(allocation.to_shared()?);
        read(allocation, name, |message, incoming| {
            let schema = self.schema_for(message, name)?;
            let value =
                message.decode(incoming, Limits::DEFAULT, |reader| schema.decode_sharing(&memory, reader))?;
            Ok(Described { codec: message.name().to_owned(), schema, value })
        })
    }

    pub(crate) fn schema_for(&self, message: &Message<'_>, name: &str) -> CodecResult<Schema> {
        let schema = self.schema_of(message).map_err(podwire_codec_core::Error::backend)?;
        let fingerprint = message.fingerprint();
        let unknown = || Error::NoSchema { name: name::shown(name), fingerprint };
        schema.ok_or_else(|| podwire_codec_core::Error::backend(unknown()))
    }
}

/// A value that was read by its schema, and what its sender called it; see [`FastIoContext::described`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Described {
    /// The name of the codec that wrote it.
    pub codec: String,
    /// The schema of its type.
    pub schema: Schema,
    /// The value.
    pub value: Value,
}

fn typed<T: Codec + Any>(allocation: FastIoAllocation, name: &str) -> Result<T> {
    read(allocation, name, |message, incoming| CodecRegistry::global().decode_as(message, incoming))
}

/// Decodes the message in an allocation.
fn read<R>(
    allocation: FastIoAllocation,
    name: &str,
    decode: impl FnOnce(&Message<'_>, &mut Incoming) -> CodecResult<R>,
) -> Result<R> {
    if allocation.metadata()?.kind != ContentKind::Value {
        return Err(Error::NotAValue { name: name::shown(name) });
    }
    let bytes = allocation.clone().into_shared()?;
    let (message, _) = Message::parse(&bytes, Limits::DEFAULT)?;
    let children = if message.segments().is_empty() { Vec::new() } else { allocation.children()? };
    decode(&message, &mut Incoming { children }).map_err(|error| allocation.context().explain(error).into())
}

/// Where a value goes: buffers into children, the message into an allocation.
pub(crate) struct Outgoing<'c> {
    context: &'c FastIoContext,
    pub(crate) children: Vec<FastIoAllocation>,
    pub(crate) message: Option<FastIoAllocation>,
    /// Bytes that were copied for it so far.
    pub(crate) copied: u64,
}

impl<'c> Outgoing<'c> {
    pub(crate) fn new(context: &'c FastIoContext) -> Self {
        Self { context, children: Vec::new(), message: None, copied: 0 }
    }

    /// A sealed copy of bytes, counted.
    fn copy(&mut self, bytes: &[u8]) -> Result<FastIoAllocation> {
        let allocation = self.context.create_with(AllocationOptions::new(bytes.len()))?;
        allocation.map_mut()?.copy_from_slice(bytes);
        self.count(bytes.len() as u64);
        allocation.seal()?;
        Ok(allocation)
    }

    fn count(&mut self, bytes: u64) {
        self.context.store().copied.fetch_add(bytes, Relaxed);
        self.copied += bytes;
    }

    /// The allocation that a segment lies in already, if it is one of this pipeline.
    fn known(&self, segment: &Segment) -> Option<FastIoAllocation> {
        let owner: &dyn Any = &**segment.owner();
        let allocation = owner.downcast_ref::<SharedBytes>()?.allocation();
        allocation.context().same_pipeline(self.context).then(|| allocation.clone())
    }
}

impl Endpoint for Outgoing<'_> {
    /// Takes the whole message, which is written at once.
    fn write(&mut self, bytes: &[u8]) -> CodecResult<()> {
        let wanted = bytes.len() as u64;
        if self.message.is_some() {
            return Err(podwire_codec_core::Error::EndpointFull { wanted, found: 0 });
        }
        let message = self
            .context
            .create_with(AllocationOptions::new(bytes.len()).room_for_children(self.children.len()));
        let message = message.map_err(podwire_codec_core::Error::backend)?;
        message.map_mut().map_err(podwire_codec_core::Error::backend)?.copy_from_slice(bytes);
        self.count(wanted);
        self.message = Some(message);
        Ok(())
    }

    /// An outgoing value holds nothing to read.
    fn read(&mut self, bytes: &mut [u8]) -> CodecResult<()> {
        Endpoint::read(&mut &[][..], bytes)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { segments: CHILDREN, threshold: THRESHOLD }
    }

    fn attach(&mut self, segment: &Segment) -> CodecResult<Option<u32>> {
        let child = match (self.known(segment), segment.bytes()) {
            (Some(allocation), _) => allocation,
            (None, Ok(bytes)) => self.copy(bytes).map_err(podwire_codec_core::Error::backend)?,
            (None, Err(unreadable)) => {
                let kind = memory::of_kind(segment.kind()).ok_or(unreadable)?;
                kind.stand_in(self.context, segment)?
            }
        };
        let number = self.children.iter().position(|known| known.id() == child.id()).unwrap_or_else(|| {
            self.children.push(child);
            self.children.len() - 1
        });
        Ok(u32::try_from(number).ok())
    }
}

/// Where a value comes from: its buffers are the children.
pub(crate) struct Incoming {
    pub(crate) children: Vec<FastIoAllocation>,
}

impl Endpoint for Incoming {
    /// An incoming value takes nothing.
    fn write(&mut self, bytes: &[u8]) -> CodecResult<()> {
        Err(podwire_codec_core::Error::EndpointFull { wanted: bytes.len() as u64, found: 0 })
    }

    /// The packed bytes are read from the message.
    fn read(&mut self, bytes: &mut [u8]) -> CodecResult<()> {
        Endpoint::read(&mut &[][..], bytes)
    }

    fn take_segment(&mut self, placement: Placement<'_>) -> CodecResult<Segment> {
        let Placement { index, length: wanted, kind, descriptor, .. } = placement;
        let found = self.children.len() as u32;
        let child = self.children.get(index as usize);
        let child = child.ok_or(podwire_codec_core::Error::NoSegment { index, found })?;
        match memory::of_kind(kind) {
            Some(known) => return known.open(child.clone(), descriptor, wanted),
            // A stand-in, which is not what it stands for.
            None if kind == MemoryKind::CUDA => {
                return Err(podwire_codec_core::Error::NotHostMemory { kind: kind.0 });
            }
            None => {}
        }
        let bytes = child.clone().into_shared().map_err(podwire_codec_core::Error::backend)?;
        let found = bytes.len() as u64;
        // A part of an allocation that was there before says where it begins; what is as long as its allocation, such
        // as a copy of a part, is whole.
        let start = match (kind, descriptor.first_chunk()) {
            (MemoryKind::FASTIO, Some(start)) if found != wanted => u64::from_le_bytes(*start),
            _ => 0,
        };
        let range = usize::try_from(start)
            .ok()
            .zip(start.checked_add(wanted).and_then(|end| usize::try_from(end).ok()));
        let part = range.and_then(|(start, end)| Segment::new(Arc::new(bytes)).part(start..end));
        part.ok_or(podwire_codec_core::Error::SegmentLength { index, wanted, found })
    }
}

/// Sealed bytes are an owner of segments: a [`Bulk`](podwire_codec_core::Bulk) of them is published by reference.
impl Owner for SharedBytes {
    fn bytes(&self) -> Option<&[u8]> {
        Some(self)
    }

    fn kind(&self) -> MemoryKind {
        MemoryKind::FASTIO
    }

    /// Where the part begins.
    fn descriptor(&self, part: std::ops::Range<usize>) -> Vec<u8> {
        (part.start as u64).to_le_bytes().into()
    }
}

impl SharedBytes {
    /// The bytes as values: the same memory, for a field of a struct.
    ///
    /// # Errors
    /// [`Error::Codec`] if they are not a whole number of elements.
    pub fn into_bulk<T: Plain>(self) -> Result<Bulk<T>> {
        Ok(Bulk::from_segment(self.into())?)
    }
}

impl From<SharedBytes> for Segment {
    fn from(bytes: SharedBytes) -> Self {
        Self::new(Arc::new(bytes))
    }
}
