//! `Cow`: borrowed where the input allows it, owned where it does not.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use alloc::borrow::Cow;
use core::mem::MaybeUninit;

use super::length;
use super::slice::borrow_elements;
use crate::bulk::Plain;
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::limits::Limits;
use crate::raw::head::HeadReader;
use crate::raw::sequence;
use crate::reader::Reader;

macro_rules! cows {
    ($([$($generics:tt)*] $borrowed:ty;)+) => {$(
        impl<$($generics)*> Encode for Cow<'_, $borrowed> {
            encode_as!($borrowed);
        }
    )+};
}

cows! {
    [] str;
    [T: Encode + Clone] [T];
}

/// The limits of a copy that was charged already.
const LIMITS: Limits = Limits { bytes: u64::MAX, ..Limits::DEFAULT };

impl<'a, 'de: 'a> Decode<'de> for Cow<'a, str> {
    decode_row!('de);

    #[inline]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller has the four bytes of the layout.
        let count = unsafe { length::decode(&mut head, reader) }?;
        slot.write(match sequence::take_text(count, reader)? {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(sequence::decode_string(count, reader)?),
        });
        Ok(())
    }
}

impl<'a, 'de: 'a, T: Plain> Decode<'de> for Cow<'a, [T]> {
    decode_row!('de);

    #[inline]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller has the four bytes of the layout.
        let count = unsafe { length::decode(&mut head, reader) }?;
        let borrowed = borrow_elements::<T>(count, reader)?;
        slot.write(match borrowed.map(|bytes| (bytes, bytemuck::try_cast_slice(bytes))) {
            Some((_, Ok(elements))) => Cow::Borrowed(elements),
            // The elements are there, but not aligned: they are read once more, into memory that is.
            Some((bytes, Err(_))) => {
                reader.charge(bytes.len())?;
                Cow::Owned(sequence::decode(count, &mut Reader::from_slice_with(bytes, LIMITS))?)
            }
            None => Cow::Owned(sequence::decode(count, reader)?),
        });
        Ok(())
    }
}
