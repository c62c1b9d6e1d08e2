//! Operators of another program: what a process knows of those that it cannot run.
//!
//! Invariant: such an operator has ports, so that others can be connected to it, and never computes.

use crate::{
    context::Context, error::Result, input::Input, operator::Operator, output::Output, spec::OperatorSpec,
};

/// An operator that is declared by its ports alone.
pub(crate) struct Declared<F>(pub(crate) F);

impl<F> Operator for Declared<F>
where
    F: FnMut(&mut OperatorSpec) -> Result + Send + 'static,
{
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        (self.0)(spec)
    }

    /// Fragments that run elsewhere are given to nobody who declares them so.
    fn compute(&mut self, _: &mut Input, _: &mut Output, context: &mut Context) -> Result {
        Err(format!("operator {} is only declared here: another program runs it", context.operator()).into())
    }
}
