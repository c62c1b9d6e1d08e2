//! `Bytes` and `BytesMut`: the same as a `Vec<u8>`, whose memory they take over.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::raw::head::HeadReader;
use crate::raw::sequence;
use crate::reader::Reader;
use crate::types::length;

macro_rules! bytes {
    ($($type:ty, $from:expr;)+) => {$(
        impl Encode for $type {
            encode_as!([u8]);
        }

        impl<'de> Decode<'de> for $type {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                // SAFETY: the caller has the four bytes of the layout.
                let count = unsafe { length::decode(&mut head, reader) }?;
                let elements = sequence::decode::<u8>(count, reader)?;
                slot.write($from(elements));
                Ok(())
            }
        }
    )+};
}

bytes! {
    Bytes, Bytes::from;
    // Takes the vector's memory over, as `Bytes` does, as long as nobody shares it.
    BytesMut, |elements| BytesMut::from(Bytes::from(elements));
}
