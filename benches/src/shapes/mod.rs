//! What is encoded: data of the kinds that real programs have, from fixed seeds.
//!
//! Text is a type parameter, so that one definition is both the owned and the borrowed form.

pub(crate) mod log;
pub(crate) mod mesh;
pub(crate) mod players;
