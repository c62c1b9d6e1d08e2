//! Links between processes: every transport keeps the contract, and nothing that arrives harms the application.
#![cfg(feature = "conformance")]

#[cfg(feature = "distributed")]
mod frames;
mod suite;
#[cfg(feature = "distributed")]
mod wire;
