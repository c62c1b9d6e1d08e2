//! Slices of payload: plain memory that other processes have mapped as well.
//!
//! Not here: the locks. Invariant: `&[u8]` only under a proof that nobody writes, `&mut [u8]` only under a proof
//! that nobody else reads or writes. That other processes keep these locks is what processes of one user are
//! trusted with.

use std::mem::MaybeUninit;

use bytemuck::{AnyBitPattern, NoUninit};
use ndarray::{ArrayView, ArrayViewMut, Dimension};

use super::Held;
use crate::access::{ReadProof, WriteProof};

/// The payload, to read. `None` where it is not inside the mapping.
pub(crate) fn bytes<'a>(
    held: &'a Held,
    offset: usize,
    length: usize,
    _proof: &'a ReadProof,
) -> Option<&'a [u8]> {
    let address = held.address(offset, length)?;
    // SAFETY: the range is inside a mapping that is held for 'a; bytes have no invalid values; the proof says that
    // for 'a no thread and no process writes here (it holds the read lock, or the allocation is sealed or lent to a
    // message that is not given back, and the handle behind it keeps the memory from being recycled).
    Some(unsafe { std::slice::from_raw_parts(address, length) })
}

/// The payload, to write. `None` where it is not inside the mapping.
pub(crate) fn bytes_mut<'a>(
    held: &'a Held,
    offset: usize,
    length: usize,
    _proof: &'a mut WriteProof,
) -> Option<&'a mut [u8]> {
    let address = held.address(offset, length)?;
    // SAFETY: as in `bytes`; the proof is borrowed exclusively and says that its holder alone has access, so that
    // this is the only reference to these bytes for 'a.
    Some(unsafe { std::slice::from_raw_parts_mut(address, length) })
}

/// Bytes as elements; `None` where they are not aligned, or too few for `count`.
pub(crate) fn elements<T: AnyBitPattern>(bytes: &[u8], count: usize) -> Option<&[T]> {
    let address = bytes.as_ptr().cast::<T>();
    if size_of::<T>().checked_mul(count)? > bytes.len() || !address.is_aligned() {
        return None;
    }
    // SAFETY: `count` elements lie inside `bytes` and are aligned; every bit pattern is a `T`; the borrow is the
    // one of `bytes`.
    Some(unsafe { std::slice::from_raw_parts(address, count) })
}

/// The same, to write.
pub(crate) fn elements_mut<T: AnyBitPattern + NoUninit>(bytes: &mut [u8], count: usize) -> Option<&mut [T]> {
    let address = bytes.as_mut_ptr().cast::<T>();
    if size_of::<T>().checked_mul(count)? > bytes.len() || !address.is_aligned() {
        return None;
    }
    // SAFETY: as in `elements`, and the borrow is exclusive; `T: NoUninit` leaves no padding in the bytes.
    Some(unsafe { std::slice::from_raw_parts_mut(address, count) })
}

/// Copies the elements of an array in standard C order to the front of `bytes`; whether they were aligned and fitted.
///
/// For any layout of the source, and for types of which old bytes cannot be seen as elements (`bool`).
pub(crate) fn assign<T: NoUninit, D: Dimension>(bytes: &mut [u8], source: &ArrayView<'_, T, D>) -> bool {
    let address = bytes.as_mut_ptr().cast::<MaybeUninit<T>>();
    let fits = size_of::<T>().checked_mul(source.len()).is_some_and(|size| size <= bytes.len());
    if !fits || !address.is_aligned() {
        return false;
    }
    // SAFETY: that many elements lie inside `bytes`, aligned; `MaybeUninit` accepts any bytes; the borrow is
    // exclusive. Only initialised elements without padding are stored through it, below, so that `bytes` stays
    // initialised.
    let target = unsafe { std::slice::from_raw_parts_mut(address, source.len()) };
    match ArrayViewMut::from_shape(source.raw_dim(), target) {
        Ok(target) => source.assign_to(target),
        Err(_) => return false,
    }
    true
}
