//! Operators in Python: applications, fragments, ports and messages over `podwire-fragment`.
//!
//! Not here: the classes that users derive from and the types of ports, which are Python (`podwire/_operators.py`).
//! Invariant: what an operator is lent for a call is taken back when the call returns, whatever Python still holds.

mod application;
mod codec;
mod failure;
mod lent;
mod operator;
mod ports;
mod spec;

pub(crate) use application::Application;
pub(crate) use codec::{builtin, register};
pub(crate) use ports::{Context, Input, Output};
pub(crate) use spec::OperatorSpec;
