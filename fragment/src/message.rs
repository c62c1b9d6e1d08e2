//! A message: a value on its way from an output port to an input port, with what travels with it.
//!
//! Not here: queues, and bytes. Invariant: in one process the value is never copied; whoever holds the last pointer to
//! it can take it out.

use std::{
    any::{Any, TypeId},
    ops::Deref,
    sync::Arc,
};

use podwire_codec_core::{message::Metadata, registry::AnyValue};

use crate::run::clock;

/// The entry of the metadata that has the time at which a message was emitted, on its way to another process.
const STAMP: &str = "podwire.stamp";

/// A value of any type, and its metadata. Cloning it clones pointers.
///
/// ```
/// use podwire_fragment::Message;
///
/// let message = Message::new(vec![1.0_f64, 2.0]);
/// let (left, right) = (message.clone(), message); // a broadcast
/// assert_eq!(left.received::<Vec<f64>>().unwrap()[1], 2.0);
/// assert!(right.received::<String>().is_err());
/// ```
#[derive(Clone)]
pub struct Message {
    value: Arc<dyn Any + Send + Sync>,
    metadata: Option<Arc<Metadata>>,
    /// When it was emitted, by the clock of the host; 0 if it is not measured.
    stamp: u64,
}

/// The value of a message was taken as a type that it is not of; the message comes back with it.
#[derive(Debug, thiserror::Error)]
#[error("the message is no {wanted}")]
pub struct Taken {
    /// The type that was asked for.
    pub wanted: &'static str,
    /// The message, as it was.
    pub message: Message,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Message").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

impl Message {
    /// A message with this value.
    #[must_use]
    pub fn new<T: Any + Send + Sync>(value: T) -> Self {
        Self::shared(Arc::new(value))
    }

    /// A message with a value that others hold too.
    #[must_use]
    pub fn shared<T: Any + Send + Sync>(value: Arc<T>) -> Self {
        Self { value, metadata: None, stamp: 0 }
    }

    /// A message with a value whose type the registry found out.
    #[must_use]
    pub fn any(value: AnyValue) -> Self {
        Self { value: value.into(), metadata: None, stamp: 0 }
    }

    /// The same with a value that others may hold too.
    #[must_use]
    pub fn any_shared(value: Arc<dyn Any + Send + Sync>) -> Self {
        Self { value, metadata: None, stamp: 0 }
    }

    /// The same with this metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = (!metadata.is_empty()).then(|| Arc::new(metadata));
        self
    }

    /// The dictionary that travels with the value.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        static NONE: Metadata = Metadata::new();
        self.metadata.as_deref().unwrap_or(&NONE)
    }

    /// When it was emitted, in nanoseconds of the host's monotonic clock; 0 if this message is not measured.
    #[must_use]
    pub fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Sets what [`stamp`](Self::stamp) gives.
    pub(crate) fn set_stamp(&mut self, stamp: u64) {
        self.stamp = stamp;
    }

    /// Puts the time at which it was emitted into its metadata, with the clock that said it, for the way to another process.
    pub(crate) fn pack_stamp(&mut self) {
        let stamp = std::mem::take(&mut self.stamp);
        if let (1.., Some(clock)) = (stamp, clock::id()) {
            let mut metadata = self.metadata().clone();
            metadata.insert_bytes(STAMP, [stamp.to_le_bytes().as_slice(), &clock.to_le_bytes()].concat());
            self.metadata = Some(Arc::new(metadata));
        }
    }

    /// Takes the time out of its metadata again. That of another clock, which is one of another host, says nothing here.
    pub(crate) fn unpack_stamp(&mut self) {
        let Some(metadata) = self.metadata.as_mut().filter(|metadata| metadata.bytes(STAMP).is_some()) else {
            return;
        };
        let packed = Arc::make_mut(metadata).remove(STAMP).unwrap_or_default();
        if metadata.is_empty() {
            self.metadata = None;
        }
        if let Some((stamp, id)) = packed.split_first_chunk()
            && clock::id().is_some_and(|own| own.to_le_bytes() == id)
        {
            self.stamp = u64::from_le_bytes(*stamp);
        }
    }

    /// The value, whatever its type.
    #[must_use]
    pub fn value(&self) -> &(dyn Any + Send + Sync) {
        &*self.value
    }

    /// Which type the value is of.
    #[must_use]
    pub fn type_id(&self) -> TypeId {
        (*self.value).type_id()
    }

    /// The message as one of this type.
    ///
    /// # Errors
    /// [`Taken`] if the value is of another type.
    pub fn received<T: Any + Send + Sync>(self) -> Result<Received<T>, Taken> {
        let Self { value, metadata, stamp } = self;
        match value.downcast() {
            Ok(value) => Ok(Received { value, metadata }),
            Err(value) => {
                let message = Self { value, metadata, stamp };
                Err(Taken { wanted: std::any::type_name::<T>(), message })
            }
        }
    }
}

/// A value that was received; others may hold it too, so that it can be read but not changed.
#[derive(Clone, Debug)]
pub struct Received<T> {
    value: Arc<T>,
    metadata: Option<Arc<Metadata>>,
}

impl<T> Deref for Received<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Any + Send + Sync> Received<T> {
    /// The dictionary that travelled with the value.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        static NONE: Metadata = Metadata::new();
        self.metadata.as_deref().unwrap_or(&NONE)
    }

    /// The value itself; it is cloned only if somebody else holds it.
    #[must_use]
    pub fn into_inner(self) -> T
    where
        T: Clone,
    {
        Arc::unwrap_or_clone(self.value)
    }

    /// The pointer to the value.
    #[must_use]
    pub fn into_shared(self) -> Arc<T> {
        self.value
    }

    /// The message again, to be emitted as it came, with its metadata.
    #[must_use]
    pub fn into_message(self) -> Message {
        Message { value: self.value, metadata: self.metadata, stamp: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(stamp: u64) -> Message {
        let mut metadata = Metadata::new();
        metadata.insert_bytes("own", [1]);
        let mut message = Message::new(7_u8).with_metadata(metadata);
        message.set_stamp(stamp);
        message.pack_stamp();
        message
    }

    #[test]
    fn the_time_of_emitting_travels_as_metadata_that_nobody_sees() {
        for (stamp, entries) in [(12_345, 2), (0, 1)] {
            let mut message = packed(stamp);
            assert_eq!((message.stamp(), message.metadata().len()), (0, entries));
            message.unpack_stamp();
            assert_eq!((message.stamp(), message.metadata().len()), (stamp, 1));
        }
    }

    #[test]
    fn the_time_of_another_clock_or_none_at_all_says_nothing() {
        let damages: [fn(&mut Vec<u8>); 3] =
            [|bytes| bytes[9] ^= 1, |bytes| bytes.truncate(5), |bytes| bytes.push(0)];
        for damage in damages {
            let mut message = packed(12_345);
            let mut metadata = message.metadata().clone();
            let mut bytes = metadata.remove(STAMP).unwrap();
            damage(&mut bytes);
            metadata.insert_bytes(STAMP, bytes);
            message = message.with_metadata(metadata);
            message.unpack_stamp();
            assert_eq!((message.stamp(), message.metadata().len()), (0, 1));
        }
    }
}
