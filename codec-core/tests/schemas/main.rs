//! Schemas: their text, what they say of bytes, and how two of them differ.

mod agreement;
#[path = "../common/mod.rs"]
mod common;
mod differences;
mod hostile;
mod printing;
mod texts;
mod values;
