//! Short byte strings: copied, and tested for ASCII, by two overlapping loads of one size.
//!
//! Up to 64 bytes this is several times faster than a call of `memcpy` and a loop. The invariant: nothing outside
//! `source..source + length` is read, except what a caller has shown to be readable too; nothing outside
//! `target..target + length` is written.

use core::ptr;

/// The longest string that is handled here; longer ones go to the library's routines.
const SHORT: usize = 64;
/// The bit of each byte that ASCII leaves clear.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Words that a first and a last load of one size consist of.
trait Lanes: Copy {
    /// All their bits, folded so that a high bit of any byte remains in a high bit.
    fn fold(self) -> u64;
}

impl Lanes for u8 {
    #[inline(always)]
    fn fold(self) -> u64 {
        self.into()
    }
}

impl Lanes for u16 {
    #[inline(always)]
    fn fold(self) -> u64 {
        self.into()
    }
}

impl Lanes for u32 {
    #[inline(always)]
    fn fold(self) -> u64 {
        self.into()
    }
}

impl<const N: usize> Lanes for [u64; N] {
    #[inline(always)]
    fn fold(self) -> u64 {
        self.iter().fold(0, |all, word| all | word)
    }
}

impl Lanes for u64 {
    #[inline(always)]
    fn fold(self) -> u64 {
        self
    }
}

impl Lanes for u128 {
    #[inline(always)]
    fn fold(self) -> u64 {
        self as u64 | (self >> 64) as u64
    }
}

/// Copies `length` bytes as a first and a last `L`, and gives their folded bits.
///
/// # Safety
///
/// `size_of::<L>() <= length <= 2 * size_of::<L>()`; `length` bytes are readable at `source` and writable at
/// `target`, which do not overlap.
#[inline(always)]
unsafe fn copy_ends<L: Lanes>(source: *const u8, target: *mut u8, length: usize) -> u64 {
    let last = length - size_of::<L>();
    // SAFETY: the first `size_of::<L>()` of the `length` readable bytes.
    let head = unsafe { source.cast::<L>().read_unaligned() };
    // SAFETY: `last` is within the readable bytes.
    let source = unsafe { source.add(last) };
    // SAFETY: the last `size_of::<L>()` of the readable bytes.
    let tail = unsafe { source.cast::<L>().read_unaligned() };
    // SAFETY: the first `size_of::<L>()` of the `length` writable bytes.
    unsafe { target.cast::<L>().write_unaligned(head) };
    // SAFETY: `last` is within the writable bytes.
    let target = unsafe { target.add(last) };
    // SAFETY: the last `size_of::<L>()` of the writable bytes.
    unsafe { target.cast::<L>().write_unaligned(tail) };
    head.fold() | tail.fold()
}

/// The folded bits of `length` bytes, read as a first and a last `L`.
#[inline(always)]
fn fold_ends<L: Lanes>(bytes: &[u8]) -> u64 {
    debug_assert!(bytes.len() >= size_of::<L>());
    let source = bytes.as_ptr();
    // SAFETY: callers see to it that the slice has at least `size_of::<L>()` bytes.
    let head = unsafe { source.cast::<L>().read_unaligned() };
    // SAFETY: within the slice, as it has at least `size_of::<L>()` bytes.
    let source = unsafe { source.add(bytes.len() - size_of::<L>()) };
    // SAFETY: the last `size_of::<L>()` bytes of the slice.
    let tail = unsafe { source.cast::<L>().read_unaligned() };
    head.fold() | tail.fold()
}

/// Copies up to [`SHORT`] bytes and gives their folded bits.
///
/// # Safety
///
/// `length <= SHORT`; `length` bytes are readable at `source` and writable at `target`, which do not overlap.
#[inline(always)]
unsafe fn copy_folding(source: *const u8, target: *mut u8, length: usize) -> u64 {
    // Asks first what halves the cases; whole words rather than arrays of them, which would pass through the stack.
    if length >= 16 {
        if length <= 32 {
            // SAFETY: 16 to 32 bytes, in lanes of 16; the rest is the caller's.
            return unsafe { copy_ends::<u128>(source, target, length) };
        }
        // SAFETY: 33 to 64 bytes; the rest is the caller's.
        return unsafe { copy_long_ends(source, target, length) };
    }
    match length {
        // SAFETY: 8 to 15 bytes, in lanes of 8; the rest is the caller's.
        8.. => unsafe { copy_ends::<u64>(source, target, length) },
        // SAFETY: 4 to 7 bytes, in lanes of 4; the rest is the caller's.
        4.. => unsafe { copy_ends::<u32>(source, target, length) },
        // SAFETY: 2 or 3 bytes, in lanes of 2; the rest is the caller's.
        2.. => unsafe { copy_ends::<u16>(source, target, length) },
        // SAFETY: one byte, in a lane of one; the rest is the caller's.
        1 => unsafe { copy_ends::<u8>(source, target, length) },
        0 => 0,
    }
}

/// Copies 32 to 64 bytes as the first and the last 32.
///
/// # Safety
///
/// As [`copy_folding`], with `32 <= length`.
#[inline(always)]
unsafe fn copy_long_ends(source: *const u8, target: *mut u8, length: usize) -> u64 {
    // SAFETY: the first 32 of at least 32 bytes; the rest is the caller's.
    let first = unsafe { copy_ends::<u128>(source, target, 32) };
    // SAFETY: within the readable bytes, of which there are at least 32.
    let source = unsafe { source.add(length - 32) };
    // SAFETY: within the writable bytes, likewise.
    let target = unsafe { target.add(length - 32) };
    // SAFETY: the last 32 bytes; the rest is the caller's.
    first | unsafe { copy_ends::<u128>(source, target, 32) }
}

/// Copies `length` bytes.
///
/// # Safety
///
/// They are readable at `source` and writable at `target`, which do not overlap.
#[inline(always)]
pub(crate) unsafe fn copy_short(source: *const u8, target: *mut u8, length: usize) {
    if length <= SHORT {
        // SAFETY: short, as was just seen; the rest is the caller's.
        unsafe { copy_folding(source, target, length) };
    } else {
        // SAFETY: the caller's.
        unsafe { ptr::copy_nonoverlapping(source, target, length) };
    }
}

/// Copies `length` bytes and says whether they are ASCII.
///
/// # Safety
///
/// They are readable at `source` and writable at `target`, which do not overlap.
#[inline(always)]
pub(crate) unsafe fn copy_text(source: *const u8, target: *mut u8, length: usize) -> bool {
    if length <= SHORT {
        // SAFETY: short, as was just seen; the rest is the caller's.
        return unsafe { copy_folding(source, target, length) } & HIGH == 0;
    }
    // SAFETY: the caller's.
    unsafe { ptr::copy_nonoverlapping(source, target, length) };
    // SAFETY: so many bytes are readable there, and nobody writes them meanwhile.
    unsafe { core::slice::from_raw_parts(source, length) }.is_ascii()
}

/// Whether `length` bytes are ASCII, of `readable` bytes that can be read.
///
/// # Safety
///
/// `readable` bytes, and `length` is at most that, are initialised and readable at `start`.
#[inline(always)]
pub(crate) unsafe fn is_ascii(start: *const u8, length: usize, readable: usize) -> bool {
    #[cfg(target_arch = "x86_64")]
    if length <= 32 && readable >= 32 {
        // SAFETY: 32 bytes are readable, as was just seen.
        let high = unsafe { high_bits(start) };
        return u64::from(high) & ((1 << length) - 1) == 0;
    }
    let _ = readable;
    // SAFETY: `length` bytes are initialised and readable, and nobody writes them meanwhile.
    is_ascii_slice(unsafe { core::slice::from_raw_parts(start, length) })
}

/// Whether all bytes are ASCII, without a look at any other.
#[inline(never)]
fn is_ascii_slice(bytes: &[u8]) -> bool {
    let folded = match bytes.len() {
        65.. => return bytes.is_ascii(),
        32.. => fold_ends::<[u64; 4]>(bytes),
        16.. => fold_ends::<[u64; 2]>(bytes),
        8.. => fold_ends::<[u64; 1]>(bytes),
        4.. => fold_ends::<u32>(bytes),
        2.. => fold_ends::<u16>(bytes),
        1 => fold_ends::<u8>(bytes),
        0 => 0,
    };
    folded & HIGH == 0
}

/// The high bit of each of 32 bytes, the first one lowest.
///
/// # Safety
///
/// They are initialised and readable at `start`.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn high_bits(start: *const u8) -> u32 {
    use core::arch::x86_64::{_mm_loadu_si128, _mm_movemask_epi8};
    // SAFETY: the first 16 of the 32 bytes; the load needs no alignment.
    let first = unsafe { _mm_loadu_si128(start.cast()) };
    // SAFETY: within the 32 bytes.
    let second = unsafe { start.add(16) };
    // SAFETY: the last 16 of the 32 bytes; the load needs no alignment.
    let second = unsafe { _mm_loadu_si128(second.cast()) };
    // SAFETY: every x86-64 processor has SSE2.
    let first = unsafe { _mm_movemask_epi8(first) };
    // SAFETY: as above.
    let second = unsafe { _mm_movemask_epi8(second) };
    first as u32 | ((second as u32) << 16)
}

/// Whether all bytes are ASCII: for several texts at once, which together rarely are shorter than 32 bytes or longer
/// than 128. Both have a way without a loop, which the compiler would unroll for stretches that do not come.
#[inline(always)]
pub(crate) fn is_ascii_run(bytes: &[u8]) -> bool {
    let length = bytes.len();
    let words = |at: usize| bytemuck::pod_read_unaligned::<[u64; 4]>(&bytes[at..at + 32]).fold();
    let folded = match length {
        32..=64 => words(0) | words(length - 32),
        65..=128 => words(0) | words(32) | words(length - 64) | words(length - 32),
        _ => return is_ascii_slice(bytes),
    };
    folded & HIGH == 0
}

#[cfg(test)]
mod tests {
    use super::is_ascii_run;
    use alloc::vec;

    #[test]
    fn a_byte_anywhere_in_a_run_of_any_length_is_looked_at() {
        for length in 0..200 {
            let mut bytes = vec![b'a'; length];
            assert!(is_ascii_run(&bytes));
            for at in (0..length).step_by(if cfg!(miri) { 7 } else { 1 }) {
                bytes[at] = 0x80;
                assert!(!is_ascii_run(&bytes), "byte {at} of {length}");
                bytes[at] = b'a';
            }
        }
    }
}
