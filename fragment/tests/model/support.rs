//! Operators for tests, written in place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use podwire_fragment::{Context, Input, Operator, OperatorSpec, Output, Report, Result};

type Compute = Box<dyn FnMut(&mut Input, &mut Output, &mut Context) -> Result + Send>;
type Call = Box<dyn FnMut(&mut Context) -> Result + Send>;

/// An operator made of closures.
pub(crate) struct Op {
    setup: Box<dyn FnMut(&mut OperatorSpec) + Send>,
    start: Call,
    compute: Compute,
    stop: Call,
}

/// An operator with these ports and this `compute`.
pub(crate) fn op(
    setup: impl FnMut(&mut OperatorSpec) + Send + 'static,
    compute: impl FnMut(&mut Input, &mut Output, &mut Context) -> Result + Send + 'static,
) -> Op {
    Op {
        setup: Box::new(setup),
        start: Box::new(|_| Ok(())),
        compute: Box::new(compute),
        stop: Box::new(|_| Ok(())),
    }
}

impl Op {
    pub(crate) fn start(mut self, start: impl FnMut(&mut Context) -> Result + Send + 'static) -> Self {
        self.start = Box::new(start);
        self
    }

    pub(crate) fn stop(mut self, stop: impl FnMut(&mut Context) -> Result + Send + 'static) -> Self {
        self.stop = Box::new(stop);
        self
    }
}

impl Operator for Op {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        (self.setup)(spec);
        Ok(())
    }

    fn start(&mut self, context: &mut Context) -> Result {
        (self.start)(context)
    }

    fn compute(&mut self, input: &mut Input, output: &mut Output, context: &mut Context) -> Result {
        (self.compute)(input, output, context)
    }

    fn stop(&mut self, context: &mut Context) -> Result {
        (self.stop)(context)
    }
}

/// Emits 0, 1, 2 and so on at `out`, so many times.
pub(crate) fn numbers(count: u64) -> Op {
    let setup = move |spec: &mut OperatorSpec| {
        spec.output::<u64>("out");
        spec.count(count);
    };
    op(setup, |_, output, context| Ok(output.emit("out", context.tick())?))
}

/// Emits 0, 1, 2 and so on at `out`, until it is stopped.
pub(crate) fn endless() -> Op {
    op(|spec| spec.output::<u64>("out"), |_, output, context| Ok(output.emit("out", context.tick())?))
}

/// Emits at `out` what it gets at `in`.
pub(crate) fn pass() -> Op {
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in");
        spec.output::<u64>("out");
    };
    op(setup, |input, output, _| Ok(output.emit_message("out", input.receive_any("in")?)?))
}

/// What operators noted, for the test to look at.
#[derive(Clone, Default)]
pub(crate) struct Notes<T = u64>(Arc<Mutex<Vec<T>>>);

impl<T> Notes<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn note(&self, value: T) {
        self.list().push(value);
    }

    pub(crate) fn list(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes what it gets at `in`.
pub(crate) fn collect(notes: &Notes) -> Op {
    let notes = notes.clone();
    op(
        |spec| {
            spec.input::<u64>("in");
        },
        move |input, _, _| {
            notes.note(*input.receive("in")?);
            Ok(())
        },
    )
}

/// Of each connection everything that was sent is accounted for.
pub(crate) fn assert_nothing_is_missing(report: &Report) {
    for connection in &report.connections {
        let counts = connection.counts;
        assert_eq!(counts.sent, counts.received + counts.dropped + counts.lost, "{connection:?}");
    }
}
