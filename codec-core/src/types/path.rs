//! Paths: as text.
//!
//! The caveat: a path that is not UTF-8 has no encoding, and is refused with
//! [`Error::NotText`](crate::Error::NotText); and a path of one host need not mean anything on another.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

macro_rules! paths {
    ($($type:ty: $to_str:expr;)+) => {$(
        /// Opaque to the row around it, because a path can refuse to be written.
        impl Encode for $type {
            fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
                let to_str: fn(&Self) -> Option<&str> = $to_str;
                writer.encode(to_str(self).ok_or(Error::NotText)?)
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                Node::Pointer(types.node::<str>())
            }
        }
    )+};
}

paths! {
    Path: Path::to_str;
    PathBuf: |path| path.to_str();
    OsStr: OsStr::to_str;
    OsString: |text| text.to_str();
}

impl<'de> Decode<'de> for PathBuf {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        reader.decode::<alloc::string::String>().map(Into::into)
    }
}

impl<'de> Decode<'de> for OsString {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        reader.decode::<alloc::string::String>().map(Into::into)
    }
}
