//! The outputs of an operator: where a value leaves it.
//!
//! Not here: queues and links themselves (`transport`). Invariant: after `emit` returned `Ok`, the message is in each
//! connection of the output whose receiver had not ended.

use std::{
    any::{Any, TypeId, type_name},
    sync::Arc,
};

use podwire_codec_core::message::Metadata;

use crate::{
    error::EmitError,
    graph::PortType,
    lane::OutLane,
    message::Message,
    run::{Sleeper, add, clock},
};

/// One message of so many is measured on its way.
const MEASURED: u64 = 16;

/// The outputs of an operator.
pub struct Output {
    operator: Arc<str>,
    ports: Vec<OutputPort>,
    sleeper: Sleeper,
    emitted: u64,
}

/// One output.
pub(crate) struct OutputPort {
    pub(crate) name: String,
    pub(crate) of: Option<PortType>,
    pub(crate) lanes: Vec<OutLane>,
}

impl Output {
    pub(crate) fn new(operator: Arc<str>, ports: Vec<OutputPort>, sleeper: Sleeper) -> Self {
        Self { operator, ports, sleeper, emitted: 0 }
    }

    /// Emits a value: each connection of the output gets it.
    ///
    /// Where there is no room, the policy of the connected input decides. A receiver that has ended gets nothing; an
    /// output without connections emits into the void.
    ///
    /// # Errors
    /// [`EmitError`].
    pub fn emit<T: Any + Send + Sync>(&mut self, port: &str, value: T) -> Result<(), EmitError> {
        self.emit_typed::<T>(port, Message::new(value))
    }

    /// Emits a value with a dictionary that travels with it.
    ///
    /// # Errors
    /// [`EmitError`].
    pub fn emit_with<T: Any + Send + Sync>(
        &mut self,
        port: &str,
        value: T,
        metadata: Metadata,
    ) -> Result<(), EmitError> {
        self.emit_typed::<T>(port, Message::new(value).with_metadata(metadata))
    }

    /// Emits a value that others hold too.
    ///
    /// # Errors
    /// [`EmitError`].
    pub fn emit_shared<T: Any + Send + Sync>(&mut self, port: &str, value: Arc<T>) -> Result<(), EmitError> {
        self.emit_typed::<T>(port, Message::shared(value))
    }

    /// Emits a message: one that was received, or one of any type.
    ///
    /// # Errors
    /// [`EmitError`].
    pub fn emit_message(&mut self, port: &str, message: Message) -> Result<(), EmitError> {
        let of = message.type_id();
        self.emit_checked(port, message, of, "another")
    }

    /// Whether anybody may receive what is emitted there: a connection leads on whose receiver has not ended.
    #[must_use]
    pub fn is_heard(&self, port: &str) -> bool {
        self.ports.iter().any(|it| it.name == port && it.lanes.iter().any(|lane| !lane.unheard()))
    }

    /// Takes all of it, for a caller that needs to own it until the end of `compute`, and puts it back then. What is left has
    /// no ports.
    #[doc(hidden)]
    #[must_use]
    pub fn take(&mut self) -> Self {
        let nothing = Self::new(Arc::clone(&self.operator), Vec::new(), self.sleeper.clone());
        std::mem::replace(self, nothing)
    }

    fn emit_typed<T: Any>(&mut self, port: &str, message: Message) -> Result<(), EmitError> {
        self.emit_checked(port, message, TypeId::of::<T>(), type_name::<T>())
    }

    fn emit_checked(
        &mut self,
        port: &str,
        mut message: Message,
        of: TypeId,
        given: &'static str,
    ) -> Result<(), EmitError> {
        let Some(at) = self.ports.iter().position(|it| it.name == port) else {
            return Err(EmitError::UnknownPort {
                operator: self.operator.to_string(),
                port: port.into(),
                known: self.ports.iter().map(|port| port.name.clone()).collect(),
            });
        };
        let found = &mut self.ports[at];
        if let Some(declared) = &found.of
            && (declared.id != Some(of) || !declared.is_codec_of(message.value()))
        {
            let (port, declared) = (format!("{}.{port}", self.operator), declared.name.clone());
            return Err(EmitError::WrongType { port, declared, given });
        }
        message.set_stamp(if self.emitted.is_multiple_of(MEASURED) { clock::now() } else { 0 });
        self.emitted += 1;
        add(&self.sleeper.counters.emitted, 1);
        found.send(message, &self.sleeper)
    }

    /// Whether something is connected, and no receiver is left.
    pub(crate) fn unheard(&self) -> bool {
        let mut lanes = self.ports.iter().flat_map(|port| &port.lanes).peekable();
        lanes.peek().is_some() && lanes.all(OutLane::unheard)
    }

    /// A lane to which nothing will be emitted any more, until there is none.
    pub(crate) fn take_lane(&mut self) -> Option<OutLane> {
        self.ports.iter_mut().find_map(|port| port.lanes.pop())
    }
}

impl OutputPort {
    /// Gives a message to each connection; the last one gets it itself, so that a single receiver can take the value.
    fn send(&mut self, message: Message, sleeper: &Sleeper) -> Result<(), EmitError> {
        let Some((last, most)) = self.lanes.split_last_mut() else { return Ok(()) };
        let mut refused = Ok(());
        for lane in most {
            keep_full(lane.send(message.clone(), sleeper), &mut refused)?;
        }
        keep_full(last.send(message, sleeper), &mut refused)?;
        refused
    }
}

/// That one receiver has no room does not keep a message from the others.
fn keep_full(sent: Result<(), EmitError>, refused: &mut Result<(), EmitError>) -> Result<(), EmitError> {
    match sent {
        full @ Err(EmitError::Full { .. }) => *refused = full,
        sent => return sent,
    }
    Ok(())
}
