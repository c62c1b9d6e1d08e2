//! What `#[derive(Codec)]` writes: a test for each shape of type, for each attribute, and for each promise.

mod attributes;
mod bulk;
mod decoding;
mod generics;
mod hostile;
mod hygiene;
mod large;
mod names;
mod pod;
mod recursion;
mod registered;
mod schemas;
mod shapes;
mod standard;
mod support;
mod texts;
mod trivial;
mod walked;
mod within;
