//! `half`'s 16-bit floats: numbers like the others, of two bytes.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::MaybeUninit;

use half::{bf16, f16};

use super::scalar::numbers;
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::trivial::Trivial;

numbers!(f16 bf16);
