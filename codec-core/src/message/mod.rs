//! One envelope for Fast I/O and transports.
mod error;
pub use error::MessageError;
