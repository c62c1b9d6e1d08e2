//! Where bytes go to and come from.
//!
//! One trait, one file per backend. An endpoint moves bytes and segments; it never learns what they mean.

use alloc::boxed::Box;
use core::mem::MaybeUninit;

use crate::error::{Error, Result};
use crate::segment::{MemoryKind, Segment};

mod buffer;
#[cfg(feature = "conformance")]
pub mod conformance;
mod counter;
mod ext;
mod gather;
#[cfg(feature = "std")]
mod io;
mod slice;

pub use buffer::Buffer;
pub use counter::Counter;
pub use ext::EndpointExt;
pub use gather::Gather;
#[cfg(feature = "std")]
pub use io::{IoReader, IoWriter};
pub use slice::{SliceReader, SliceWriter};

/// What an endpoint can carry besides packed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// How many segments one message may have; 0 if all bytes must be inline.
    pub segments: u32,
    /// Buffers smaller than this, in bytes, are better written inline.
    pub threshold: usize,
}

impl Capabilities {
    /// Packed bytes only.
    pub const INLINE: Self = Self { segments: 0, threshold: usize::MAX };
}

/// A segment that a value refers to, and how the value wants to have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement<'p> {
    /// Its number, as [`Endpoint::attach`] gave it.
    pub index: u32,
    /// Its length in bytes.
    pub length: u64,
    /// The alignment in bytes that its elements need.
    pub alignment: usize,
    /// The memory that it was in when it was attached.
    pub kind: MemoryKind,
    /// What its owner said of it then; empty where only the number is known.
    pub descriptor: &'p [u8],
}

/// A backend for bytes.
///
/// Two methods are enough:
///
/// ```
/// use podwire_codec_core::{Codec, Endpoint, Error, Result};
///
/// /// A queue of bytes.
/// #[derive(Default)]
/// struct Queue(std::collections::VecDeque<u8>);
///
/// impl Endpoint for Queue {
///     fn write(&mut self, bytes: &[u8]) -> Result<()> {
///         self.0.extend(bytes);
///         Ok(())
///     }
///
///     fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
///         let (wanted, found) = (bytes.len() as u64, self.0.len() as u64);
///         if wanted > found {
///             return Err(Error::UnexpectedEnd { offset: 0, wanted, found });
///         }
///         bytes.fill_with(|| self.0.pop_front().unwrap_or_default());
///         Ok(())
///     }
/// }
///
/// let mut queue = Queue::default();
/// Codec::serialize(&vec![1.5_f32, 2.5], &mut queue)?;
/// assert_eq!(Vec::<f32>::deserialize(&mut queue)?, [1.5, 2.5]);
/// # Ok::<(), Error>(())
/// ```
///
/// The rest is there to be overridden for speed: windows save a copy, [`remaining`](Self::remaining) lets a reader
/// allocate at once, and [`attach`](Self::attach) with [`take_segment`](Self::take_segment) carry large buffers
/// beside the packed bytes. Whether yours keeps what is promised here, the suite in `endpoint::conformance` says
/// (feature `conformance`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an endpoint",
    label = "nothing can be written to it or read from it",
    note = "memory: `Buffer`, `Vec<u8>`, `SliceWriter`, `SliceReader`; files, sockets and whatever else `std::io` knows: `IoWriter(...)`, `IoReader(...)`"
)]
pub trait Endpoint {
    /// Writes all of `bytes`.
    ///
    /// # Errors
    ///
    /// [`Error::EndpointFull`], or the backend's own ([`Error::backend`]).
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Fills all of `bytes`.
    ///
    /// # Errors
    ///
    /// [`Error::UnexpectedEnd`] if there are fewer: `wanted` is the length of `bytes`, `found` says how many there
    /// were, and the offset is set by the reader; or the backend's own.
    fn read(&mut self, bytes: &mut [u8]) -> Result<()>;

    /// Memory to write into, at least `count` bytes; fewer, such as none, if the endpoint cannot lend so much.
    ///
    /// # Errors
    ///
    /// [`Error::EndpointFull`] and [`Error::OutOfMemory`].
    ///
    /// # Safety
    ///
    /// Only initialised bytes are written to it: it may be somebody's initialised memory.
    #[allow(unsafe_code, reason = "the caller promises initialised bytes")]
    unsafe fn window(&mut self, count: usize) -> Result<&mut [MaybeUninit<u8>]> {
        let _ = count;
        Ok(&mut [])
    }

    /// Takes over the first `count` bytes of the last [`window`](Self::window).
    ///
    /// # Safety
    ///
    /// They were written since that call, and no other method was called since.
    #[allow(unsafe_code, reason = "the caller promises initialised bytes")]
    unsafe fn commit(&mut self, count: usize) {
        assert_eq!(count, 0, "an endpoint that lends windows implements commit");
    }

    /// Bytes that come next, without taking them: at least `count`, or fewer if the endpoint cannot show so many.
    ///
    /// # Errors
    ///
    /// The backend's own. That there are fewer bytes is none.
    fn peek(&mut self, count: usize) -> Result<&[u8]> {
        let _ = count;
        Ok(&[])
    }

    /// Takes `count` of the bytes that [`peek`](Self::peek) showed last.
    fn consume(&mut self, count: usize) {
        assert_eq!(count, 0, "an endpoint that shows bytes implements consume");
    }

    /// Exactly how many bytes are left to read, if that is known. Bounds what a reader allocates at once.
    fn remaining(&self) -> Option<u64> {
        None
    }

    /// What the endpoint can carry besides packed bytes.
    fn capabilities(&self) -> Capabilities {
        Capabilities::INLINE
    }

    /// Takes a segment to be carried beside the packed bytes and gives its number, or `None` if its bytes are to be
    /// written inline.
    ///
    /// # Errors
    ///
    /// The backend's own.
    fn attach(&mut self, segment: &Segment) -> Result<Option<u32>> {
        let _ = segment;
        Ok(None)
    }

    /// Gives the segment that was attached under `placement.index`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSegment`], or the backend's own.
    fn take_segment(&mut self, placement: Placement<'_>) -> Result<Segment> {
        Err(Error::NoSegment { index: placement.index, found: 0 })
    }
}

/// What refers to an endpoint is one.
macro_rules! forwarded {
    ($($pointer:ty)+) => {$(
        impl<E: Endpoint + ?Sized> Endpoint for $pointer {
            fn write(&mut self, bytes: &[u8]) -> Result<()> {
                (**self).write(bytes)
            }

            fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
                (**self).read(bytes)
            }

            #[allow(unsafe_code, reason = "forwarded")]
            unsafe fn window(&mut self, count: usize) -> Result<&mut [MaybeUninit<u8>]> {
                // SAFETY: the caller's.
                unsafe { (**self).window(count) }
            }

            #[allow(unsafe_code, reason = "forwarded")]
            unsafe fn commit(&mut self, count: usize) {
                // SAFETY: the caller's.
                unsafe { (**self).commit(count) }
            }

            fn peek(&mut self, count: usize) -> Result<&[u8]> {
                (**self).peek(count)
            }

            fn consume(&mut self, count: usize) {
                (**self).consume(count);
            }

            fn remaining(&self) -> Option<u64> {
                (**self).remaining()
            }

            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }

            fn attach(&mut self, segment: &Segment) -> Result<Option<u32>> {
                (**self).attach(segment)
            }

            fn take_segment(&mut self, placement: Placement<'_>) -> Result<Segment> {
                (**self).take_segment(placement)
            }
        }
    )+};
}

forwarded!(&mut E Box<E>);
