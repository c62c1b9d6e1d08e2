//! The life of one operator, on its own thread: start, compute whenever its conditions hold, stop.
//!
//! Not here: other operators. Invariant: whatever happens in the operator's code, its connections are closed at the end,
//! so that the operators behind it end too; and `stop` is called before that, so that it is called roots first.

use std::{
    any::Any,
    error::Error as StdError,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use super::{
    conditions::{Next, Schedule},
    counters::add,
    report::{Because, During, Failure},
    sleeper::Sleeper,
    snapshot::OperatorState,
    standstill::Rest,
};
use crate::{
    context::Context,
    error::{EmitError, Result},
    input::Input,
    operator::Operator,
    output::Output,
};

/// An operator with all that its thread needs.
pub(crate) struct Worker {
    pub(crate) name: Arc<str>,
    pub(crate) operator: Box<dyn Operator>,
    pub(crate) input: Input,
    pub(crate) output: Output,
    pub(crate) context: Context,
    pub(crate) schedule: Schedule,
    pub(crate) sleeper: Sleeper,
}

impl Worker {
    /// From the first call to the last.
    pub(crate) fn live(mut self) {
        self.state(OperatorState::Starting);
        let started = self.call(During::Start, |it| it.operator.start(&mut it.context));
        let mut because = started.unwrap_or_else(|| self.work());
        if started.is_none() {
            self.state(OperatorState::Stopping);
            because = self.call(During::Stop, |it| it.operator.stop(&mut it.context)).unwrap_or(because);
        }
        self.input.close();
        self.output.close();
        self.sleeper.rest(Rest::Ended, || false);
        // Dropping it is a user's code too.
        let Self { name, operator, sleeper, .. } = self;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(operator))) {
            sleeper.shared.fail(Failure::panic(&name, During::StopPanic, &*panic));
            because = Because::Failed;
        }
        sleeper.counters.ended(because);
        sleeper.shared.observer.operator_ended(&sleeper.counters.report(&name));
    }

    /// Computes until there is nothing left to do.
    fn work(&mut self) -> Because {
        loop {
            self.state(OperatorState::Waiting);
            if let Next::End(because) = self.schedule.next(&self.input, &self.output, &self.sleeper) {
                return because;
            }
            if let Some(because) = self.tick() {
                return because;
            }
        }
    }

    /// One `compute`; why it was the last one, if it was.
    fn tick(&mut self) -> Option<Because> {
        self.state(OperatorState::Computing);
        add(&self.sleeper.counters.ticks, 1);
        let (operator, tick) = (&*self.name, self.context.tick);
        let span = tracing::debug_span!(target: "podwire::fragment", "compute", operator, tick);
        let begin = Instant::now();
        let ended = span.in_scope(|| {
            self.call(During::Compute, |it| {
                it.operator.compute(&mut it.input, &mut it.output, &mut it.context)
            })
        });
        self.sleeper.counters.computed(begin.elapsed());
        self.input.settle();
        self.context.tick += 1;
        ended.or_else(|| self.context.finished.then_some(Because::Finished))
    }

    /// Calls the operator's code; why it has to end, if it does.
    fn call(&mut self, during: During, code: impl FnOnce(&mut Self) -> Result) -> Option<Because> {
        let failure = match catch_unwind(AssertUnwindSafe(|| code(self))) {
            Ok(Ok(())) => return None,
            Ok(Err(error)) if self.sleeper.shared.stopping() && says_stopping(&*error) => {
                return Some(Because::Stopping);
            }
            Ok(Err(error)) => Failure::error(&self.name, during, error),
            Err(panic) => Failure::panic(&self.name, during.by_panic(), &*panic),
        };
        self.sleeper.shared.fail(failure);
        Some(Because::Failed)
    }

    fn state(&self, state: OperatorState) {
        self.sleeper.counters.set_state(state);
    }
}

/// Whether an error is, or comes from, an `emit` that was given up because the application stops.
fn says_stopping(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|error| matches!(error.downcast_ref(), Some(EmitError::Stopping { .. })))
}

/// An error and its causes, outermost first.
fn chain<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

impl Failure {
    fn error(name: &str, during: During, error: Box<dyn StdError + Send + Sync>) -> Self {
        let causes = chain(&*error).map(ToString::to_string).collect();
        Self { name: name.into(), during, causes, error: Some(error.into()) }
    }

    pub(super) fn panic(name: &str, during: During, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let cause = text.unwrap_or_else(|| "the panic has no message".into());
        Self { name: name.into(), during, causes: vec![cause], error: None }
    }
}

impl During {
    fn by_panic(self) -> Self {
        match self {
            Self::Start => Self::StartPanic,
            Self::Stop => Self::StopPanic,
            _ => Self::ComputePanic,
        }
    }
}
