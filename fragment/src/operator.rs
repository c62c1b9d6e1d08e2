//! An operator: what a user writes.
//!
//! Not here: who calls it, and when. Invariant: all calls of one operator come from one thread at a time, in the order
//! `setup`, `start`, `compute` any number of times, `stop`.

use crate::{context::Context, error::Result, input::Input, output::Output, spec::OperatorSpec};

/// A step of an application: it receives messages, computes, and emits messages.
///
/// ```
/// use podwire_fragment::{Context, Input, Operator, OperatorSpec, Output, Result};
///
/// struct Doubler;
///
/// impl Operator for Doubler {
///     fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
///         spec.input::<f64>("in");
///         spec.output::<f64>("out");
///         Ok(())
///     }
///
///     fn compute(&mut self, input: &mut Input, output: &mut Output, _: &mut Context) -> Result {
///         let value = input.receive::<f64>("in")?;
///         output.emit("out", *value * 2.0)?;
///         Ok(())
///     }
/// }
/// ```
pub trait Operator: Send + 'static {
    /// Says which ports the operator has, and when it runs.
    ///
    /// It is called before anything runs, in each process of the application, also where the operator will not run: what
    /// needs a device or a file belongs into [`start`](Self::start).
    ///
    /// # Errors
    /// Whatever keeps the operator from running; the application does not start.
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        let _ = spec;
        Ok(())
    }

    /// Called once, on the thread of the operator, before the first `compute`.
    ///
    /// # Errors
    /// Whatever keeps the operator from running; the application ends in order.
    fn start(&mut self, context: &mut Context) -> Result {
        let _ = context;
        Ok(())
    }

    /// Called whenever the conditions of the operator hold.
    ///
    /// An operator that neither has inputs nor conditions is called again and again, until it says
    /// [`context.finish()`](Context::finish).
    ///
    /// # Errors
    /// Whatever the operator cannot go on with; the application ends in order.
    fn compute(&mut self, input: &mut Input, output: &mut Output, context: &mut Context) -> Result;

    /// Called once after the last `compute`, if `start` was called; also after an error.
    ///
    /// # Errors
    /// Whatever was not brought to its end.
    fn stop(&mut self, context: &mut Context) -> Result {
        let _ = context;
        Ok(())
    }
}
