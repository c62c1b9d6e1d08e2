//! The memory that a reader takes from, and the endpoint that refills it.
//!
//! The invariant: `input` is over bytes that stay for `'i` (`stays`), or over bytes of the endpoint that stay until
//! it is used again; in the second case [`Source::close`] comes before every use of the endpoint. Nothing is read
//! from the endpoint beyond what is asked for.

use alloc::vec::Vec;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

use super::window::Input;
use crate::endpoint::{Endpoint, Placement};
use crate::error::{Error, Result};
use crate::segment::Segment;

/// Where a head was copied to, and where in the input it stands. The address is compared, never read from.
pub(crate) struct Copied {
    start: *const u8,
    length: usize,
    offset: u64,
}

impl Copied {
    const NOTHING: Self = Self { start: core::ptr::null(), length: 0, offset: 0 };

    fn offset_of(&self, address: *const u8) -> Option<u64> {
        let position = address.addr().wrapping_sub(self.start.addr());
        (position < self.length).then(|| self.offset + position as u64)
    }
}

pub(crate) struct Source<'i> {
    input: Input<'i>,
    /// The head that was copied last; only errors look at it.
    head: Copied,
    stays: bool,
    /// Bytes that were taken before the window was opened.
    before: u64,
    scratch: Vec<u8>,
    endpoint: Option<*mut (dyn Endpoint + 'i)>,
    exclusive: PhantomData<&'i mut (dyn Endpoint + 'i)>,
}

impl<'i> Source<'i> {
    /// A source over bytes, whose segments, if it has any, are with `segments`.
    #[inline]
    pub(crate) fn slice(bytes: &'i [u8], segments: Option<&'i mut (dyn Endpoint + 'i)>) -> Self {
        Self {
            input: Input::over(bytes),
            head: Copied::NOTHING,
            stays: true,
            before: 0,
            scratch: Vec::new(),
            endpoint: segments.map(|endpoint| endpoint as *mut _),
            exclusive: PhantomData,
        }
    }

    /// A source over whatever the endpoint gives.
    pub(crate) fn endpoint(endpoint: &'i mut (dyn Endpoint + 'i)) -> Self {
        Self { stays: false, ..Self::slice(&[], Some(endpoint)) }
    }

    /// Whether what is taken stays for `'i`.
    #[inline(always)]
    pub(crate) fn stays(&self) -> bool {
        self.stays
    }

    /// Bytes that are left in the window.
    #[inline(always)]
    pub(crate) fn left(&self) -> usize {
        self.input.left()
    }

    /// Bytes that are left in all, where that is known.
    pub(crate) fn remaining(&mut self) -> Option<u64> {
        if self.stays {
            return Some(self.input.left() as u64);
        }
        self.close();
        self.behind()?.remaining()
    }

    /// Bytes taken since the beginning.
    pub(crate) fn offset(&self) -> u64 {
        self.before + self.input.taken() as u64
    }

    /// The offset that a byte of the input has which is at `address` now: in the window, in the head that was
    /// copied last, or in the scratch memory, which was filled last.
    pub(crate) fn offset_of(&self, address: *const u8) -> u64 {
        if let Some(position) = self.input.position_of(address) {
            return self.before + position as u64;
        }
        let scratch = Copied { start: self.scratch.as_ptr(), length: self.scratch.len(), offset: 0 };
        if let Some(position) = scratch.offset_of(address) {
            return self.offset() - self.scratch.len() as u64 + position;
        }
        self.head.offset_of(address).unwrap_or_else(|| self.offset())
    }

    /// Notes that the head of a row was copied from the input, and gives what was noted before, for
    /// [`restore`](Self::restore) when the row is complete. Only errors look at it.
    pub(crate) fn copied(&mut self, head: &[u8]) -> Copied {
        let offset = self.offset() - head.len() as u64;
        core::mem::replace(&mut self.head, Copied { start: head.as_ptr(), length: head.len(), offset })
    }

    /// Notes again what was noted before.
    pub(crate) fn restore(&mut self, outer: Copied) {
        self.head = outer;
    }

    /// The bytes that the window shows, at least `count` if the endpoint can show so many; nothing is taken.
    pub(crate) fn show(&mut self, count: usize) -> Result<&[u8]> {
        if self.input.left() < count && !self.stays {
            self.open(count)?;
        }
        Ok(self.input.rest())
    }

    /// Takes `count` bytes from the window.
    #[inline(always)]
    pub(crate) fn take(&mut self, count: usize) -> Option<*const u8> {
        self.input.take(count)
    }

    /// Whether the input stays and its next `count` bytes are there and are ASCII.
    #[inline(always)]
    pub(crate) fn ascii_ahead(&self, count: usize) -> bool {
        self.stays && self.input.rest().get(..count).is_some_and(super::text::is_ascii_run)
    }

    /// Takes text of which [`ascii_ahead`](Self::ascii_ahead) said that it is there and is ASCII.
    ///
    /// # Safety
    ///
    /// It said so, of as many bytes or more, and nothing but parts of them was taken since.
    #[inline(always)]
    pub(crate) unsafe fn take_ascii(&mut self, count: usize) -> &'i str {
        // SAFETY: the bytes were seen to be there, and the input to stay.
        let bytes = unsafe { self.input.take_unchecked(count) };
        // SAFETY: they were seen to be ASCII, all of them.
        unsafe { core::str::from_utf8_unchecked(bytes) }
    }

    /// Takes `count` bytes that stay: nothing if they do not, or if there are fewer; [`refuse`](Self::refuse) says
    /// which.
    #[inline(always)]
    pub(crate) fn take_slice(&mut self, count: usize) -> Option<&'i [u8]> {
        if !self.stays {
            return None;
        }
        // SAFETY: `stays` says that the window is over bytes that stay for `'i`.
        unsafe { self.input.take_slice(count) }
    }

    /// [`take_slice`](Self::take_slice), and whether the bytes are ASCII.
    #[inline(always)]
    pub(crate) fn take_text(&mut self, count: usize) -> Option<(&'i [u8], bool)> {
        if !self.stays {
            return None;
        }
        let readable = self.input.left();
        let start = self.input.take(count)?;
        // SAFETY: the window reaches from `start` over the `readable` bytes that were left, which `count`, as `take`
        // saw, does not exceed.
        let ascii = unsafe { super::text::is_ascii(start, count, readable) };
        // SAFETY: these bytes are part of the slice that the window was made over, and stay for `'i`.
        Some((unsafe { core::slice::from_raw_parts(start, count) }, ascii))
    }

    /// Why [`take_slice`](Self::take_slice) gave nothing.
    #[cold]
    #[inline(never)]
    pub(crate) fn refuse(&self, count: usize, expected: &'static str) -> Error {
        if self.stays { self.end(count) } else { Error::CannotBorrow { offset: self.offset(), expected } }
    }

    /// Takes `count` bytes from wherever they are and gives their address, which is valid until the source is used
    /// again.
    #[cold]
    #[inline(never)]
    pub(crate) fn gather(&mut self, count: usize) -> Result<*const u8> {
        if self.stays {
            return Err(self.end(count));
        }
        self.open(count)?;
        if let Some(start) = self.input.take(count) {
            return Ok(start);
        }
        let mut scratch = core::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.try_reserve(count).map_err(|_| Error::OutOfMemory { bytes: count as u64 })?;
        scratch.resize(count, 0);
        let read = self.read(&mut scratch);
        self.scratch = scratch;
        read?;
        Ok(self.scratch.as_ptr())
    }

    /// Fills `bytes`.
    #[inline(always)]
    pub(crate) fn copy_to(&mut self, bytes: &mut [MaybeUninit<u8>]) -> Result<()> {
        if self.input.copy_to(bytes) { Ok(()) } else { self.copy_beyond(bytes) }
    }

    /// Fills bytes that are initialised already.
    #[inline(always)]
    pub(crate) fn read_into(&mut self, bytes: &mut [u8]) -> Result<()> {
        // SAFETY: `copy_to` writes initialised bytes only, so that the slice stays initialised.
        let bytes = unsafe { &mut *(core::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>]) };
        self.copy_to(bytes)
    }

    #[cold]
    #[inline(never)]
    fn copy_beyond(&mut self, bytes: &mut [MaybeUninit<u8>]) -> Result<()> {
        if self.stays {
            return Err(self.end(bytes.len()));
        }
        self.open(bytes.len())?;
        if self.input.copy_to(bytes) {
            return Ok(());
        }
        bytes.fill(MaybeUninit::new(0));
        // SAFETY: every byte was just written.
        let bytes = unsafe { bytes.assume_init_mut() };
        self.read(bytes)
    }

    /// Takes the segment that a value refers to.
    pub(crate) fn segment(&mut self, placement: Placement<'_>) -> Result<Segment> {
        self.close();
        match self.behind() {
            Some(endpoint) => endpoint.take_segment(placement),
            None => Err(Error::NoSegment { index: placement.index, found: 0 }),
        }
    }

    /// Tells the endpoint how much was taken of what it showed, and closes the window.
    pub(crate) fn close(&mut self) {
        if self.stays {
            return;
        }
        let taken = self.input.taken();
        self.input = Input::over(&[]);
        self.before += taken as u64;
        if taken > 0
            && let Some(endpoint) = self.behind()
        {
            endpoint.consume(taken);
        }
    }

    /// That the input ends before `wanted` further bytes.
    #[cold]
    pub(crate) fn end(&self, wanted: usize) -> Error {
        Error::UnexpectedEnd { offset: self.offset(), wanted: wanted as u64, found: self.input.left() as u64 }
    }

    /// The endpoint. No window into it is open: it is over bytes that stay, or was closed by the caller.
    fn behind(&mut self) -> Option<&mut (dyn Endpoint + 'i)> {
        // SAFETY: the pointer came from an exclusive reference that `'i` keeps borrowed, and `&mut self` makes this
        // its only use.
        self.endpoint.map(|endpoint| unsafe { &mut *endpoint })
    }

    /// Opens a window of what the endpoint can show, at least `count` bytes if it can.
    fn open(&mut self, count: usize) -> Result<()> {
        self.close();
        let Some(endpoint) = self.endpoint else { return Ok(()) };
        // SAFETY: as in `behind`; the window was closed.
        let window = unsafe { &mut *endpoint }.peek(count)?;
        if window.len() >= count {
            // SAFETY: every use of the endpoint is preceded by `close`, which replaces the window.
            self.input = unsafe { Input::over_transient(window) };
        }
        Ok(())
    }

    /// Reads `bytes` from the endpoint itself.
    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.close();
        let offset = self.before;
        let Some(endpoint) = self.behind() else { return Err(self.end(bytes.len())) };
        endpoint.read(bytes).map_err(|error| match error {
            Error::UnexpectedEnd { wanted, found, .. } => Error::UnexpectedEnd { offset, wanted, found },
            other => other,
        })?;
        self.before += bytes.len() as u64;
        Ok(())
    }
}
