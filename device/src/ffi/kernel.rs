//! Streams, and kernels that come as PTX text.
//!
//! Not here: what kernels do. Invariant: a function is kept with its module, and both with their device.

use std::{
    ffi::{CString, c_void},
    ptr::null_mut,
};

use cudarc::driver::sys::{self, CUfunction, CUmodule, CUstream};

use super::{Cuda, Primary, check};
use crate::{
    error::{Error, Result},
    stream::{Argument, Kernel, Stream},
};

/// A stream of a device, destroyed when it is dropped.
pub(crate) struct RawStream {
    stream: CUstream,
    primary: Primary,
}

// SAFETY: streams belong to the process; the driver lets any thread use them.
unsafe impl Send for RawStream {}
// SAFETY: as above.
unsafe impl Sync for RawStream {}

impl RawStream {
    pub(crate) fn number(&self) -> u64 {
        self.stream.addr() as u64
    }
}

impl Drop for RawStream {
    fn drop(&mut self) {
        // SAFETY: it was created by us; the driver lets queued work come to its end.
        self.primary.free(|| unsafe { sys::cuStreamDestroy_v2(self.stream) });
    }
}

/// A function of a loaded module, which is unloaded when it is dropped.
pub(crate) struct Function {
    module: CUmodule,
    function: CUfunction,
    primary: Primary,
}

// SAFETY: modules belong to the process; the driver lets any thread use them.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

impl Drop for Function {
    fn drop(&mut self) {
        // SAFETY: it was loaded by us, once; the driver waits for kernels that still run.
        self.primary.free(|| unsafe { sys::cuModuleUnload(self.module) });
    }
}

impl Cuda {
    pub(crate) fn stream(&self, device: u32) -> Result<RawStream> {
        let primary = self.primary(device)?;
        let _current = primary.enter()?;
        let mut stream = null_mut();
        let flags = sys::CUstream_flags::CU_STREAM_NON_BLOCKING as u32;
        // SAFETY: `stream` is a place for one.
        check("cuStreamCreate", unsafe { sys::cuStreamCreate(&mut stream, flags) })?;
        Ok(RawStream { stream, primary })
    }

    /// Compiles PTX and finds a function in it.
    pub(crate) fn function(&self, device: u32, ptx: &str, name: &str) -> Result<Function> {
        let primary = self.primary(device)?;
        let _current = primary.enter()?;
        let unsupported = |_| Error::Unsupported { what: "run a kernel whose text has a zero byte in it" };
        let (ptx, name) = (CString::new(ptx).map_err(unsupported)?, CString::new(name).map_err(unsupported)?);
        let mut module = null_mut();
        // SAFETY: the text ends in a zero; the driver compiles it, or says why not.
        check("cuModuleLoadData", unsafe { sys::cuModuleLoadData(&mut module, ptx.as_ptr().cast()) })?;
        let mut found = Function { module, function: null_mut(), primary };
        // SAFETY: the module is loaded, and the name ends in a zero.
        let asked = unsafe { sys::cuModuleGetFunction(&mut found.function, module, name.as_ptr()) };
        check("cuModuleGetFunction", asked)?;
        Ok(found)
    }

    /// Queues a kernel.
    ///
    /// # Safety
    ///
    /// The arguments are as many, and of the types, that the kernel has; what it reads and writes through them is there,
    /// and nobody else's, until it has ended.
    unsafe fn launch(
        &self,
        device: u32,
        function: &Function,
        stream: Option<u64>,
        [grid, block]: [[u32; 3]; 2],
        arguments: &mut [[u8; 8]],
    ) -> Result<()> {
        let _current = self.enter(device)?;
        let mut places: Vec<*mut c_void> =
            arguments.iter_mut().map(|argument| argument.as_mut_ptr().cast()).collect();
        let stream = std::ptr::without_provenance_mut(stream.unwrap_or(0) as usize);
        let ([gx, gy, gz], [bx, by, bz]) = (grid, block);
        let (function, places) = (function.function, places.as_mut_ptr());
        // SAFETY: the function is loaded; the driver copies the arguments before it returns, each at most eight bytes of what
        // its place has; the rest is the caller's.
        let launched =
            unsafe { sys::cuLaunchKernel(function, gx, gy, gz, bx, by, bz, 0, stream, places, null_mut()) };
        check("cuLaunchKernel", launched)
    }
}

impl Kernel {
    /// Queues the kernel on a stream, with so many blocks of so many threads; `None` is the stream that waits for all others.
    ///
    /// # Safety
    ///
    /// The arguments are as many, and of the types, that the kernel has. What it reads and writes by addresses among them is
    /// there until it has ended: keep the guards, and tensors, that gave them until the stream was synchronised.
    ///
    /// # Errors
    /// [`Error::Driver`].
    pub unsafe fn launch(
        &self,
        stream: Option<&Stream>,
        blocks: [u32; 3],
        threads: [u32; 3],
        arguments: &[Argument],
    ) -> Result<()> {
        let cuda = self.device.machine().driver.cuda().ok_or(Error::Unsupported { what: "run kernels" })?;
        let mut arguments: Vec<_> = arguments.iter().map(|argument| argument.0).collect();
        let (function, stream) = (&self.function, stream.map(Stream::number));
        // SAFETY: the caller's.
        unsafe { cuda.launch(self.device.ordinal(), function, stream, [blocks, threads], &mut arguments) }
    }
}

/// Queues a kernel of the tests, for so many threads.
#[cfg(test)]
pub(crate) fn launch_in_tests(kernel: &Kernel, stream: &Stream, threads: u32, arguments: &[Argument]) {
    let (blocks, threads) = (threads.div_ceil(256), threads.min(256));
    // SAFETY: the tests pass what their kernels take, and keep the guards of it until the stream is done.
    unsafe { kernel.launch(Some(stream), [blocks, 1, 1], [threads, 1, 1], arguments) }.unwrap();
}
