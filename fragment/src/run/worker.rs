//! The life of one operator, on its own thread: start, compute whenever its conditions hold, stop.
//!
//! Not here: other operators. Invariant: whatever happens in the operator's code, or a transport's, its connections are closed at the end,
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
    error::{EmitError, Result, causes, panic_message},
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
        // One by one, as a transport may be a user's code, and what is behind the others has to end as well.
        while let Some(lane) = self.input.take_lane() {
            because = self.guard(|_| lane.close()).err().unwrap_or(because);
        }
        while let Some(lane) = self.output.take_lane() {
            let closed = self.guard(|_| lane.close());
            because = closed.map(|link| self.sleeper.shared.watch_links(link)).err().unwrap_or(because);
        }
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
            match self.guard(|it| it.schedule.next(&it.input, &it.output, &it.sleeper)) {
                Ok(Next::Run) => {}
                Ok(Next::End(because)) | Err(because) => return because,
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
        let settled = self.guard(|it| it.input.settle());
        self.context.tick += 1;
        ended.or(settled.err()).or_else(|| self.context.finished.then_some(Because::Finished))
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

    /// Calls code of transports; a panic in it is a failure of the operator that they belong to.
    fn guard<T>(&mut self, code: impl FnOnce(&mut Self) -> T) -> Result<T, Because> {
        catch_unwind(AssertUnwindSafe(|| code(self))).map_err(|panic| {
            self.sleeper.shared.fail(Failure::panic(&self.name, During::TransportPanic, &*panic));
            Because::Failed
        })
    }

    fn state(&self, state: OperatorState) {
        self.sleeper.counters.set_state(state);
    }
}

/// Whether an error is, or comes from, an `emit` that was given up because the application stops.
fn says_stopping(error: &(dyn StdError + 'static)) -> bool {
    let mut chain = std::iter::successors(Some(error), |error| (*error).source());
    chain.any(|error| matches!(error.downcast_ref(), Some(EmitError::Stopping { .. })))
}

impl Failure {
    fn error(name: &str, during: During, error: Box<dyn StdError + Send + Sync>) -> Self {
        Self { name: name.into(), during, causes: causes(&*error), error: Some(error.into()) }
    }

    fn panic(name: &str, during: During, panic: &(dyn Any + Send)) -> Self {
        Self { name: name.into(), during, causes: vec![panic_message(panic)], error: None }
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
