//! `Uuid`: its sixteen bytes, in the order in which they are printed, as `[u8; 16]`.
#![allow(unsafe_code, reason = "the traits' methods for types with a layout are unsafe")]

use uuid::Uuid;

use crate::types::through::through;

through! {
    // It is promised to be `repr(transparent)` over its bytes, and all of them are allowed.
    @(true) [] Uuid as [u8; 16], "a UUID": |id| id.into_bytes(), |bytes| Some(Uuid::from_bytes(bytes));
}
