//! The one room of this crate in which unsafe code stands.
//!
//! Each file wraps one kind of raw access, and what it shows to the rest of the crate is safe, or is `unsafe` with a
//! contract that one line of the caller discharges:
//! - `window`: a stretch of memory that a cursor moves over;
//! - `sink`, `source`: windows with an endpoint behind them;
//! - [`head`]: the fixed part of a row, reserved once and then accessed without checks;
//! - [`row`]: a whole value, head and tail, and `whole`, where that is compiled;
//! - `erased`: values of a type that is known only when the program runs;
//! - `sequence`: many values, as one copy or as rows;
//! - `variant`: a row within a row, for the fields of an enum's variant;
//! - `place`: memory that is filled before it is a value;
//! - `transparent`: values seen through a wrapper;
//! - `text`: short strings;
//! - `utf8`: shared bytes that are text;
//! - `address`: memory that only a device sees;
//! - `dlpack`: tensors from and for other libraries.
#![allow(unsafe_code, reason = "this is the room")]

#[allow(unreachable_pub, reason = "the crate's root shows it")]
pub mod address;
#[cfg(feature = "dlpack")]
#[allow(unreachable_pub, reason = "`tensor::dlpack` shows it")]
pub mod dlpack;
#[cfg(feature = "std")]
pub(crate) mod erased;
#[allow(unreachable_pub, reason = "the derive reaches it through `__private`")]
pub mod head;
pub(crate) mod place;
#[allow(unreachable_pub, reason = "as for `head`")]
pub mod row;
pub(crate) mod sequence;
pub(crate) mod sink;
pub(crate) mod source;
pub(crate) mod text;
pub(crate) mod transparent;
pub(crate) mod utf8;
pub(crate) mod variant;
pub(crate) mod whole;
pub(crate) mod window;
