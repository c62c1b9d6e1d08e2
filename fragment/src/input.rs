//! The inputs of an operator: where a value arrives.
//!
//! Not here: queues and links themselves (`transport`), and when the operator runs (`run::conditions`). Invariant: of
//! several connections to one input each has its turn, so that a busy one keeps no other waiting.

use std::{
    any::{Any, type_name},
    sync::Arc,
};

use crate::{
    error::ReceiveError,
    lane::InLane,
    message::{Message, Received},
    run::{OperatorCounters, add},
};

/// The inputs of an operator.
pub struct Input {
    operator: Arc<str>,
    ports: Vec<InputPort>,
    counters: Arc<OperatorCounters>,
}

/// One input.
pub(crate) struct InputPort {
    pub(crate) name: String,
    /// Messages that the operator waits for; 0 if it does not.
    pub(crate) at_least: usize,
    pub(crate) lanes: Vec<InLane>,
    /// Whose turn it is.
    pub(crate) turn: usize,
}

impl Input {
    pub(crate) fn new(operator: Arc<str>, ports: Vec<InputPort>, counters: Arc<OperatorCounters>) -> Self {
        Self { operator, ports, counters }
    }

    /// The message that waits at an input, as one of a type.
    ///
    /// # Errors
    /// [`ReceiveError`]; [`ReceiveError::Empty`] if no message waits, which cannot be at an input that the operator waits
    /// for, the first time that it asks.
    pub fn receive<T: Any + Send + Sync>(&mut self, port: &str) -> Result<Received<T>, ReceiveError> {
        self.try_receive(port)?.ok_or_else(|| ReceiveError::Empty { port: self.path(port) })
    }

    /// The message that waits at an input, as one of a type; nothing if no message waits.
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub fn try_receive<T: Any + Send + Sync>(
        &mut self,
        port: &str,
    ) -> Result<Option<Received<T>>, ReceiveError> {
        let Some(message) = self.try_receive_any(port)? else { return Ok(None) };
        message.received().map(Some).map_err(|taken| ReceiveError::WrongType {
            port: self.path(port),
            wanted: type_name::<T>(),
            message: taken.message,
        })
    }

    /// The message that waits at an input, of whatever type.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_any(&mut self, port: &str) -> Result<Message, ReceiveError> {
        self.try_receive_any(port)?.ok_or_else(|| ReceiveError::Empty { port: self.path(port) })
    }

    /// The message that waits at an input, of whatever type; nothing if no message waits.
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub fn try_receive_any(&mut self, port: &str) -> Result<Option<Message>, ReceiveError> {
        let Some(found) = self.ports.iter_mut().find(|it| it.name == port) else {
            return Err(ReceiveError::UnknownPort {
                operator: self.operator.to_string(),
                port: port.into(),
                known: self.ports.iter().map(|port| port.name.clone()).collect(),
            });
        };
        let message = found.receive()?;
        add(&self.counters.received, message.is_some().into());
        Ok(message)
    }

    /// How many messages wait at an input; at least so many, where some come from other processes.
    #[must_use]
    pub fn waiting(&self, port: &str) -> usize {
        self.ports.iter().find(|it| it.name == port).map_or(0, InputPort::waiting)
    }

    /// Whether nothing waits at an input and nothing will come.
    #[must_use]
    pub fn is_closed(&self, port: &str) -> bool {
        self.ports.iter().find(|it| it.name == port).is_none_or(InputPort::is_over)
    }

    /// Takes all of it, for a caller that needs to own it until the end of `compute`, and puts it back then. What is left has
    /// no ports.
    #[doc(hidden)]
    #[must_use]
    pub fn take(&mut self) -> Self {
        let nothing = Self::new(Arc::clone(&self.operator), Vec::new(), Arc::clone(&self.counters));
        std::mem::replace(self, nothing)
    }

    pub(crate) fn ports(&self) -> &[InputPort] {
        &self.ports
    }

    /// Is done with what was received.
    pub(crate) fn settle(&mut self) {
        self.ports.iter_mut().flat_map(|port| &mut port.lanes).for_each(InLane::settle);
    }

    /// A lane from which nothing will be received any more, until there is none.
    pub(crate) fn take_lane(&mut self) -> Option<InLane> {
        self.ports.iter_mut().find_map(|port| port.lanes.pop())
    }

    fn path(&self, port: &str) -> String {
        format!("{}.{port}", self.operator)
    }
}

impl InputPort {
    /// The next message of the connection whose turn it is among those that have one.
    fn receive(&mut self) -> Result<Option<Message>, ReceiveError> {
        let count = self.lanes.len();
        for step in 0..count {
            let at = (self.turn + step) % count;
            let message = self.lanes[at].receive();
            if !matches!(message, Ok(None)) {
                self.turn = (at + 1) % count;
                return Ok(message?);
            }
        }
        Ok(None)
    }

    /// How many messages wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lanes.iter().map(InLane::waiting).sum()
    }

    /// Whether nothing will come beyond what waits.
    pub(crate) fn closed(&self) -> bool {
        self.lanes.iter().all(InLane::closed)
    }

    /// Whether nothing waits, and nothing will come.
    pub(crate) fn is_over(&self) -> bool {
        self.closed() && self.waiting() == 0
    }
}
