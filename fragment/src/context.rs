//! What an operator can ask about the application that it runs in, and of it.
//!
//! Not here: messages. Invariant: an operator sees its own context only.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use podwire_codec_core::CodecRegistry;
use podwire_fastio::{FastIoContext, PipelineOptions};

use crate::{
    graph::dotted,
    run::{Shared, StopReason},
};

/// What an operator can ask about the application that it runs in, and of it.
pub struct Context {
    fragment: String,
    operator: String,
    pub(crate) tick: u64,
    pub(crate) finished: bool,
    shared: Arc<Shared>,
}

impl Context {
    pub(crate) fn new(fragment: String, operator: String, shared: Arc<Shared>) -> Self {
        Self { fragment, operator, tick: 0, finished: false, shared }
    }

    /// Takes all of it, for a caller that needs to own it until the end of a call, and puts it back then.
    #[doc(hidden)]
    #[must_use]
    pub fn take(&mut self) -> Self {
        let nothing = Self::new(String::new(), String::new(), Arc::clone(&self.shared));
        std::mem::replace(self, nothing)
    }

    /// The name of the fragment; empty in an application without fragments.
    #[must_use]
    pub fn fragment(&self) -> &str {
        &self.fragment
    }

    /// The name of the operator in its fragment.
    #[must_use]
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// How often `compute` was called before.
    #[must_use]
    pub fn tick(&self) -> u64 {
        self.tick
    }

    /// Time since the application was started in this process.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.shared.started().elapsed()
    }

    /// The codecs of this process.
    #[must_use]
    pub fn registry(&self) -> &'static CodecRegistry {
        CodecRegistry::global()
    }

    /// The Fast I/O pipeline of the application: what is created in it goes to other processes of the host without a copy.
    ///
    /// It is opened when it is first asked for, and gone when the application has ended.
    ///
    /// # Errors
    /// As [`FastIoContext::open_with`].
    pub fn fast_io(&self) -> Result<FastIoContext, podwire_fastio::Error> {
        self.shared.fast_io.open()
    }

    /// The operator ends after this call.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// The application ends in order: its sources first, and what they have emitted is still computed.
    pub fn stop_application(&mut self) {
        let name = dotted(&self.fragment, &self.operator);
        self.shared.observer.stop_asked(&name);
        self.shared.request_stop(StopReason::Asked(name));
    }

    /// Whether the application is being stopped. An operator that computes for long looks at it now and then.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.shared.stopping()
    }
}

/// The pipeline of an application, opened when it is first asked for.
pub(crate) struct FastIo {
    pipeline: String,
    context: Mutex<Option<FastIoContext>>,
}

impl FastIo {
    /// A pipeline that goes with the application.
    pub(crate) fn ephemeral(pipeline: String) -> Self {
        Self { pipeline, context: Mutex::default() }
    }

    fn open(&self) -> Result<FastIoContext, podwire_fastio::Error> {
        let mut context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(context) = &*context {
            return Ok(context.clone());
        }
        let options = PipelineOptions::new().ephemeral(true);
        Ok(context.insert(FastIoContext::open_with(&self.pipeline, options)?).clone())
    }
}

impl From<FastIoContext> for FastIo {
    fn from(context: FastIoContext) -> Self {
        Self { pipeline: String::new(), context: Mutex::new(Some(context)) }
    }
}
