//! The memory that a writer fills, and the endpoint that it goes to.
//!
//! The invariant: `output` is a window into the endpoint or into `staging`, whichever `staged` says, and neither is
//! touched between the opening of the window and [`Sink::flush`], which closes it. The endpoint is kept as a
//! pointer, because a reference would assert, whenever the sink moves, that no window points into the endpoint.

use alloc::vec::Vec;
use core::marker::PhantomData;

use super::head::HeadWriter;
use super::window::Output;
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};

/// Bytes that are gathered before an endpoint without windows is called.
const STAGING: usize = 8 * 1024;

pub(crate) struct Sink<'e> {
    output: Output,
    staged: bool,
    staging: Vec<u8>,
    flushed: u64,
    endpoint: *mut (dyn Endpoint + 'e),
    exclusive: PhantomData<&'e mut (dyn Endpoint + 'e)>,
}

impl<'e> Sink<'e> {
    #[inline]
    pub(crate) fn new(endpoint: &'e mut (dyn Endpoint + 'e)) -> Self {
        Self {
            output: Output::empty(),
            staged: false,
            staging: Vec::new(),
            flushed: 0,
            endpoint,
            exclusive: PhantomData,
        }
    }

    /// The endpoint, when no window into it is open.
    fn endpoint(&mut self) -> &mut (dyn Endpoint + 'e) {
        // SAFETY: the pointer came from an exclusive reference that `'e` keeps borrowed; `&mut self` makes this its
        // only use; every caller has closed the window, or opens it here.
        unsafe { &mut *self.endpoint }
    }

    /// The endpoint, with everything written so far in it.
    pub(crate) fn flushed_endpoint(&mut self) -> Result<&mut (dyn Endpoint + 'e)> {
        self.flush()?;
        Ok(self.endpoint())
    }

    /// Bytes written since the beginning.
    #[inline]
    pub(crate) fn written(&self) -> u64 {
        self.flushed + self.output.written() as u64
    }

    /// Reserves `count` bytes and gives their address.
    ///
    /// # Safety
    ///
    /// They are free, and the caller writes all of them before anything else is done with the sink.
    #[inline(always)]
    pub(crate) unsafe fn reserve(&mut self, count: usize) -> *mut u8 {
        // SAFETY: the caller's.
        unsafe { self.output.reserve(count) }
    }

    /// Writes `bytes`.
    #[inline(always)]
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        if self.output.put(bytes) { Ok(()) } else { self.put_beyond(bytes) }
    }

    /// Writes `bytes` that do not fit into the window: into the next one, or straight to the endpoint.
    #[cold]
    #[inline(never)]
    fn put_beyond(&mut self, bytes: &[u8]) -> Result<()> {
        self.flush()?;
        if !self.open(bytes.len())? {
            if bytes.len() >= STAGING {
                self.endpoint().write(bytes)?;
                self.flushed += bytes.len() as u64;
                return Ok(());
            }
            self.stage(STAGING)?;
        }
        let fits = self.output.put(bytes);
        debug_assert!(fits, "the window was opened for these bytes");
        Ok(())
    }

    /// Sees to it that `count` bytes are free.
    #[inline(always)]
    pub(crate) fn ensure(&mut self, count: usize) -> Result<()> {
        if count <= self.output.free() { Ok(()) } else { self.make_room(count) }
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, count: usize) -> Result<()> {
        self.flush()?;
        if self.open(count)? { Ok(()) } else { self.stage(count.max(STAGING)) }
    }

    /// Reserves `count` bytes, for a head.
    ///
    /// # Safety
    ///
    /// The caller writes all of them before anything else is done with the sink.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn head(&mut self, count: usize) -> Result<HeadWriter<'_>> {
        match self.ensure(count) {
            Ok(()) => {
                // SAFETY: so many bytes were just ensured, and the caller writes them all.
                let start = unsafe { self.reserve(count) };
                // SAFETY: they are exclusive to this head, which keeps the sink borrowed.
                Ok(unsafe { HeadWriter::new(start) })
            }
            Err(error) => Err(error),
        }
    }

    /// Hands what was written to the endpoint and closes the window.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let count = self.output.written();
        self.output = Output::empty();
        if count == 0 {
            return Ok(());
        }
        if self.staged {
            // SAFETY: the window was over the spare capacity of `staging`, and its first `count` bytes are written.
            unsafe { self.staging.set_len(count) };
            // SAFETY: as in `endpoint`; the window is over `staging`, which is borrowed apart.
            let endpoint = unsafe { &mut *self.endpoint };
            let written = endpoint.write(&self.staging);
            self.staging.clear();
            written?;
        } else {
            // SAFETY: the first `count` bytes of the window that the endpoint gave last are written.
            unsafe { self.endpoint().commit(count) };
        }
        self.flushed += count as u64;
        Ok(())
    }

    /// Opens a window of the endpoint with at least `count` bytes, if it has one.
    fn open(&mut self, count: usize) -> Result<bool> {
        // SAFETY: what `Output` writes is initialised: slices of bytes, and the heads that the owner of a reserved
        // address writes whole.
        let window = unsafe { self.endpoint().window(count) }?;
        if window.len() < count {
            return Ok(false);
        }
        // SAFETY: the window is part of the endpoint, which stays borrowed for `'e` and is not used before `flush`
        // has closed the window.
        self.output = unsafe { Output::over(window) };
        self.staged = false;
        Ok(true)
    }

    /// Opens a window of at least `count` bytes over `staging`.
    fn stage(&mut self, count: usize) -> Result<()> {
        // An endpoint that panicked in `flush` has left its bytes here.
        self.staging.clear();
        self.staging.try_reserve(count).map_err(|_| Error::OutOfMemory { bytes: count as u64 })?;
        // SAFETY: `staging` is not touched before `flush` has closed the window.
        self.output = unsafe { Output::over(self.staging.spare_capacity_mut()) };
        self.staged = true;
        Ok(())
    }
}
