//! Values seen through a transparent wrapper: the casts that the language guarantees.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::{ManuallyDrop, MaybeUninit};

/// A wrapper whose memory is that of what it wraps.
///
/// # Safety
///
/// `Self` is `repr(transparent)` over `Of`, and has no invariant beyond that of `Of`.
pub unsafe trait Wrapper: Sized {
    /// What is wrapped.
    type Of;
}

/// Wraps a value where it is.
#[inline(always)]
pub(crate) fn wrap_ref<W: Wrapper>(value: &W::Of) -> &W {
    // SAFETY: `Wrapper` promises the same memory and the same invariant.
    unsafe { &*core::ptr::from_ref(value).cast::<W>() }
}

/// Wraps the elements of a slice where they are.
#[inline(always)]
pub(crate) fn wrap_slice<W: Wrapper>(values: &[W::Of]) -> &[W] {
    // SAFETY: as many elements, each with the same memory and the same invariant.
    unsafe { core::slice::from_raw_parts(values.as_ptr().cast::<W>(), values.len()) }
}

/// Wraps the elements of an array where they are.
#[inline(always)]
pub(crate) fn wrap_array<W: Wrapper, const N: usize>(values: &[W::Of; N]) -> &[W; N] {
    // SAFETY: as many elements, each with the same memory and the same invariant.
    unsafe { &*core::ptr::from_ref(values).cast::<[W; N]>() }
}

/// A slot for an array, as one for an array of wrapped elements.
#[inline(always)]
pub(crate) fn wrap_array_slot<W: Wrapper, S: Wrapper<Of = [W::Of; N]>, const N: usize>(
    slot: &mut MaybeUninit<S>,
) -> &mut MaybeUninit<[W; N]> {
    // SAFETY: both wrappers have the memory of the array; what is written there is valid through each.
    unsafe { &mut *core::ptr::from_mut(slot).cast::<MaybeUninit<[W; N]>>() }
}

/// Takes the value out of its wrapper.
#[inline(always)]
pub(crate) fn unwrap<W: Wrapper>(value: W) -> W::Of {
    let value = ManuallyDrop::new(value);
    // SAFETY: the same memory and the same invariant; the wrapper is not dropped, so the value moves.
    unsafe { core::ptr::from_ref(&*value).cast::<W::Of>().read() }
}

/// Takes the elements of a vector out of their wrappers.
pub(crate) fn unwrap_vec<W: Wrapper>(values: Vec<W>) -> Vec<W::Of> {
    let mut values = ManuallyDrop::new(values);
    let (start, length, capacity) = (values.as_mut_ptr().cast::<W::Of>(), values.len(), values.capacity());
    // SAFETY: the parts of a vector that is not dropped; its elements have the same size, alignment and invariant.
    unsafe { Vec::from_raw_parts(start, length, capacity) }
}

/// Takes the value in a pointer out of its wrapper, where it is.
macro_rules! unwrap_pointers {
    ($($name:ident $pointer:ident;)+) => {$(
        pub(crate) fn $name<W: Wrapper>(value: $pointer<W>) -> $pointer<W::Of> {
            let value = $pointer::into_raw(value).cast::<W::Of>();
            // SAFETY: from `into_raw`; what it points to has the same size, alignment and invariant.
            unsafe { $pointer::from_raw(value) }
        }
    )+};
}

unwrap_pointers! {
    unwrap_box Box;
    unwrap_rc Rc;
    unwrap_arc Arc;
}
