//! The files of transports that read frames, without their engines.

#[path = "../../../fragment/src/transport/name.rs"]
mod name;
pub mod ucx;
pub mod zenoh;
