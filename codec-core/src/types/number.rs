//! Numbers with fewer values, or with sharing: `NonZero`, atomics, and `Ordering`.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::cmp::Ordering;
use core::num::NonZero;
use core::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize, Ordering::SeqCst,
};

use super::through::through;

macro_rules! non_zeros {
    ($($number:ident)+) => {
        through! {$(
            [] NonZero<$number> as $number, "a number other than zero": |value| value.get(), NonZero::new;
        )+}
    };
}

non_zeros!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

macro_rules! atomics {
    ($($atomic:ident as $number:ident)+) => {
        through! {$(
            [] $atomic as $number, "a number": |value| value.load(SeqCst), |number| Some($atomic::new(number));
        )+}
    };
}

atomics!(
    AtomicBool as bool AtomicU8 as u8 AtomicU16 as u16 AtomicU32 as u32 AtomicU64 as u64 AtomicUsize as usize
    AtomicI8 as i8 AtomicI16 as i16 AtomicI32 as i32 AtomicI64 as i64 AtomicIsize as isize
);

through! {
    [] Ordering as i8, "an ordering: -1, 0 or 1": |value| *value as i8, |number| match number {
        -1 => Some(Ordering::Less),
        0 => Some(Ordering::Equal),
        1 => Some(Ordering::Greater),
        _ => None,
    };
}
