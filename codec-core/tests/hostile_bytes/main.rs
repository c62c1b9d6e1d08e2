//! Hostile bytes for single values: section A of the list of hostile cases, except for memory (`allocation.rs`) and
//! panics (`panics.rs`). `docs/hostile-cases.md` maps each number to its tests.

mod any;
#[path = "../common/mod.rs"]
mod common;
mod endpoints;
mod keys;
mod lengths;
mod text;
mod values;

use podwire_codec_core::Limits;

/// Limits under which a claim of a million elements costs no time.
const MODEST: Limits = Limits { bytes: 1 << 20, items: 1_000, depth: 128 };
