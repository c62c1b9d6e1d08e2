//! How the value of a field travels: found out by the type checker, field by field.
//!
//! The derive sees the tokens of a field's type, not what they mean. So it writes
//! `(&&&&&&Probe::<F, _, false>::leaf()).__codec_via()` and leaves the choice to method resolution, which tries the
//! receiver with all its references first and takes one off at a time. Each level below is implemented for one
//! number of references, so the first level whose bound holds is taken:
//!
//! 0. the type has a codec: it travels by it;
//! 1. it is plain old data of which every bit pattern is a value: [`Plain`];
//! 2. it is plain old data that must be checked: [`Checked`];
//! 3. it is a container of something that has no codec: the derive has probed that first, and names what it found;
//! 4. none of these: [`Missing`], and an error.
//!
//! Every level is asked `__codec_via`, which says how the field travels; once for each field `__codec_demand`, which
//! says the same and complains at the last level, so that a type without a codec is one error, on the field's type
//! (`__codec_demand_of`, if it is generic: then the type in the way may be one of its parameters); and for the fields
//! of a trivial struct `__codec_trivial`, which complains if the type is not.
//!
//! A bound that mentions a type parameter holds if the impl's where-clauses prove it. That is why a parameter never
//! travels as plain old data: nothing says that it is.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::marker::PhantomData;
#[cfg(feature = "std")]
use std::collections::HashMap;

use bytemuck::{AnyBitPattern, CheckedBitPattern, NoUninit};

use super::demand::{HasCodec, IsTrivial, PlainOldData};
use super::pod::{Checked, InArray, InOption, InVec, Missing, Plain};
#[cfg(feature = "std")]
use super::within::InHashMap;
use super::within::{InArc, InBTreeMap, InBox, InRc, InTuple};
use crate::encode::Encode;
use crate::raw::transparent::{self, Wrapper};

/// How the values of a type travel.
///
/// # Safety
///
/// `view` and `view_mut` give the address that they were given, and `As` has the size, the alignment and the values of
/// `Of`.
#[allow(unsafe_code, reason = "declares the promise")]
pub unsafe trait Via {
    /// The type.
    type Of;
    /// The type whose codec is used: itself, or a transparent wrapper around it.
    type As: Encode;
    /// Sees a value as what it travels as; so may every pointer to one be cast.
    fn view(value: &Self::Of) -> &Self::As;
    /// Casts a pointer to a value.
    fn view_mut(value: *mut Self::Of) -> *mut Self::As;
    /// Takes the value out.
    fn unview(value: Self::As) -> Self::Of;
}

/// The values travel by the codec of their type.
pub struct Same<T>(PhantomData<fn() -> T>);

/// The values travel by the codec of a wrapper.
pub struct Wrapped<W>(PhantomData<fn() -> W>);

#[allow(unsafe_code, reason = "makes the promise")]
// SAFETY: both types are the same, and every function is the identity.
unsafe impl<T: Encode> Via for Same<T> {
    type Of = T;
    type As = T;

    #[inline(always)]
    fn view(value: &T) -> &T {
        value
    }

    #[inline(always)]
    fn view_mut(value: *mut T) -> *mut T {
        value
    }

    #[inline(always)]
    fn unview(value: T) -> T {
        value
    }
}

#[allow(unsafe_code, reason = "makes the promise")]
// SAFETY: `Wrapper` promises that `W` is transparent around `W::Of`; the pointers are only cast.
unsafe impl<W: Wrapper + Encode> Via for Wrapped<W> {
    type Of = W::Of;
    type As = W;

    #[inline(always)]
    fn view(value: &W::Of) -> &W {
        transparent::wrap_ref(value)
    }

    #[inline(always)]
    fn view_mut(value: *mut W::Of) -> *mut W {
        value.cast()
    }

    #[inline(always)]
    fn unview(value: W) -> W::Of {
        transparent::unwrap(value)
    }
}

/// Sees a field as what it travels as.
#[inline(always)]
pub fn view<V: Via>(_: V, value: &V::Of) -> &V::As {
    V::view(value)
}

/// Casts a pointer to a field.
#[inline(always)]
pub fn view_mut<V: Via>(_: V, value: *mut V::Of) -> *mut V::As {
    V::view_mut(value)
}

/// Takes a field out of what it travelled as.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn unview<V: Via>(_: V, value: V::As) -> V::Of {
    V::unview(value)
}

/// The question how `F` travels.
///
/// `I` is how the elements of `F` travel, if the derive sees that it is a container (a tuple of answers for maps and
/// tuples), and `()` if not. `PLAIN` says that only plain old data will do.
pub struct Probe<F, I, const PLAIN: bool>(PhantomData<fn() -> (F, I)>);

impl<F, const PLAIN: bool> Probe<F, (), PLAIN> {
    /// The question about a type that holds no other.
    #[must_use]
    pub const fn leaf() -> Self {
        Self(PhantomData)
    }
}

impl<F, I, const PLAIN: bool> Probe<F, I, PLAIN> {
    /// The question about a container whose elements travel as `I`.
    #[must_use]
    pub fn of(_: I) -> Self {
        Self(PhantomData)
    }
}

/// The answer for a type that is known to have a codec.
#[inline(always)]
#[must_use]
pub const fn same<T: Encode>() -> Same<T> {
    Same::ANSWER
}

impl<T> Same<T> {
    const ANSWER: Self = Self(PhantomData);
}

impl<W> Wrapped<W> {
    const ANSWER: Self = Self(PhantomData);
}

// The traits stand in full, and not in a macro, since errors show where they demand something.

/// The type has a codec.
pub trait Level0 {
    type Via;
    fn __codec_via(&self) -> Self::Via;
    fn __codec_demand<X>(&self) -> Self::Via;
    fn __codec_demand_of<X>(&self) -> Self::Via;
    fn __codec_trivial<X: IsTrivial>(&self);
}

/// Plain old data.
pub trait Level1 {
    type Via;
    fn __codec_via(&self) -> Self::Via;
    fn __codec_demand<X>(&self) -> Self::Via;
    fn __codec_demand_of<X>(&self) -> Self::Via;
    fn __codec_trivial<X>(&self);
}

/// Plain old data with invalid bit patterns.
pub trait Level2 {
    type Via;
    fn __codec_via(&self) -> Self::Via;
    fn __codec_demand<X>(&self) -> Self::Via;
    fn __codec_demand_of<X>(&self) -> Self::Via;
    fn __codec_trivial<X>(&self);
}

/// A container of such data, or of such containers.
pub trait Level3 {
    type Via;
    fn __codec_via(&self) -> Self::Via;
    fn __codec_demand<X>(&self) -> Self::Via;
    fn __codec_demand_of<X>(&self) -> Self::Via;
    fn __codec_trivial<X: IsTrivial>(&self);
}

/// Neither a codec nor plain old data.
pub trait Level4 {
    type Via;
    fn __codec_via(&self) -> Self::Via;
    fn __codec_demand<X: HasCodec>(&self) -> Self::Via;
    fn __codec_demand_of<X: Encode>(&self) -> Self::Via;
    fn __codec_trivial<X>(&self);
}

/// Not plain old data, where only that will do.
pub trait Level5 {
    type Via;
    fn __codec_via(&self) -> Self::Via;
    fn __codec_demand<X: PlainOldData>(&self) -> Self::Via;
    fn __codec_demand_of<X: PlainOldData>(&self) -> Self::Via;
    fn __codec_trivial<X>(&self);
}

/// Answers the question of one level.
macro_rules! answers {
    ($(
        $(#[$meta:meta])*
        $level:ident [$demand:path, $demand_of:path, $trivial:path] [$($generics:tt)*] $question:ty => $answer:ty;
    )+) => {$(
        $(#[$meta])*
        impl<$($generics)*> $level for $question {
            type Via = $answer;
            #[inline(always)]
            fn __codec_via(&self) -> Self::Via {
                <$answer>::ANSWER
            }
            #[inline(always)]
            fn __codec_demand<X: $demand>(&self) -> Self::Via {
                <$answer>::ANSWER
            }
            #[inline(always)]
            fn __codec_demand_of<X: $demand_of>(&self) -> Self::Via {
                <$answer>::ANSWER
            }
            #[inline(always)]
            fn __codec_trivial<X: $trivial>(&self) {}
        }
    )+};
}

/// Answers the question about a container.
macro_rules! containers {
    ($($(#[$meta:meta])* [$($generics:tt)*] $of:ty, $inner:ty => $answer:ty;)+) => {
        answers! {$(
            $(#[$meta])*
            Level3 [Sized, Sized, IsTrivial] [$($generics)*, const P: bool] &&Probe<$of, $inner, P>
                => Wrapped<$answer>;
        )+}
    };
}

answers! {
    Level0 [Sized, Sized, IsTrivial] [F: Encode, I] &&&&&Probe<F, I, false> => Same<F>;
    Level1 [Sized, Sized, Sized] [F: NoUninit + AnyBitPattern, I, const P: bool] &&&&Probe<F, I, P>
        => Wrapped<Plain<F>>;
    Level2 [Sized, Sized, Sized] [F: NoUninit + CheckedBitPattern, I, const P: bool] &&&Probe<F, I, P>
        => Wrapped<Checked<F>>;
    Level4 [HasCodec, Encode, Sized] [F, I] &Probe<F, I, false> => Wrapped<Missing<F>>;
    Level5 [PlainOldData, PlainOldData, Sized] [F, I] Probe<F, I, true> => Wrapped<Missing<F>>;
}

containers! {
    [W: Wrapper] Vec<W::Of>, Wrapped<W> => InVec<W>;
    [W: Wrapper] Option<W::Of>, Wrapped<W> => InOption<W>;
    [W: Wrapper, const N: usize] [W::Of; N], Wrapped<W> => InArray<W, N>;
    [W: Wrapper] Box<W::Of>, Wrapped<W> => InBox<W>;
    [W: Wrapper] Rc<W::Of>, Wrapped<W> => InRc<W>;
    [W: Wrapper] Arc<W::Of>, Wrapped<W> => InArc<W>;
    [K: Via, V: Via] BTreeMap<K::Of, V::Of>, (K, V) => InBTreeMap<K, V>;
    #[cfg(feature = "std")]
    [K: Via, V: Via, S] HashMap<K::Of, V::Of, S>, (K, V) => InHashMap<K, V, S>;
    [A: Via] (A::Of,), (A,) => InTuple<(A,)>;
    [A: Via, B: Via] (A::Of, B::Of), (A, B) => InTuple<(A, B)>;
    [A: Via, B: Via, C: Via] (A::Of, B::Of, C::Of), (A, B, C) => InTuple<(A, B, C)>;
    [A: Via, B: Via, C: Via, D: Via] (A::Of, B::Of, C::Of, D::Of), (A, B, C, D) => InTuple<(A, B, C, D)>;
}
