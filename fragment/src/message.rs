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

    /// Sets what [`stamp`](Self::stamp) gives: for transports within a host.
    pub fn set_stamp(&mut self, stamp: u64) {
        self.stamp = stamp;
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
