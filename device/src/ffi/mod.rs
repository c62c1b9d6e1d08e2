//! The one room for unsafe code: calls of the CUDA driver, which is loaded when it is first asked for.
//!
//! Not here: when memory is made, shared or let go. Invariant: no function of the driver is called before its library was
//! found and is new enough; each call, also of a `drop`, finds the primary context of its device current, and leaves the thread
//! as it was.
//!
//! The bindings give results as an enum of what this version of CUDA knows, so that they are those of a late version.
#![allow(unsafe_code)]

mod kernel;
mod memory;
mod pinned;

use std::{
    ffi::CStr,
    ptr::null_mut,
    sync::{Mutex, PoisonError},
};

use cudarc::driver::sys::{self, CUcontext, CUdevice_attribute as Attribute, CUresult};

#[cfg(test)]
pub(crate) use kernel::launch_in_tests;
pub(crate) use kernel::{Function, RawStream};
pub(crate) use memory::vouch;
pub(crate) use pinned::Pinned;

use crate::{
    driver::Details,
    error::{Error, Result},
};

/// The oldest driver that shares memory by descriptors and tells devices apart by UUID: CUDA 11.4.
const NEEDED: u32 = 11_040;

/// What a call returned, as a result.
fn check(call: &'static str, result: CUresult) -> Result<()> {
    if result == CUresult::CUDA_SUCCESS {
        return Ok(());
    }
    let mut name = std::ptr::null();
    // SAFETY: `name` is a place for a pointer.
    let known = unsafe { sys::cuGetErrorName(result, &mut name) };
    let name = if known == CUresult::CUDA_SUCCESS && !name.is_null() {
        // SAFETY: the driver gave a string that lasts as long as the library.
        unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
    } else {
        String::from("an unknown error")
    };
    Err(Error::Driver { call, name, code: result as u32 })
}

/// The primary context of a device, retained for as long as the process lives.
#[derive(Clone, Copy)]
struct Primary(CUcontext);

// SAFETY: a context belongs to the process; any thread may make it current.
unsafe impl Send for Primary {}
// SAFETY: as above; it does not change.
unsafe impl Sync for Primary {}

impl Primary {
    fn enter(self) -> Result<Current> {
        // SAFETY: the context is retained for as long as the process lives.
        check("cuCtxPushCurrent", unsafe { sys::cuCtxPushCurrent_v2(self.0) })?;
        Ok(Current)
    }

    /// Frees what was made in this context, from whichever thread drops it. Nobody is told of a failure: where one fails,
    /// everything does.
    fn free(self, free: impl FnOnce() -> CUresult) {
        let freed = self.enter().and_then(|_current| check("freeing", free()));
        #[cfg(test)]
        NOT_FREED.fetch_add(usize::from(freed.is_err()), std::sync::atomic::Ordering::Relaxed);
        drop(freed);
    }
}

/// How much the driver would not free.
#[cfg(test)]
pub(crate) static NOT_FREED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// The driver, loaded, and the devices that were made ready.
pub(crate) struct Cuda {
    contexts: Mutex<Vec<Option<Primary>>>,
}

/// The context of a device is current in this thread, until this is dropped.
struct Current;

impl Drop for Current {
    fn drop(&mut self) {
        let mut context = null_mut();
        // SAFETY: what is on top is what `enter` has pushed; `context` is a place for it.
        let _ = unsafe { sys::cuCtxPopCurrent_v2(&mut context) };
    }
}

impl Cuda {
    /// Loads the driver and starts it.
    pub(crate) fn load() -> Result<Self> {
        // SAFETY: loading the library runs its initialisers, which a driver is installed for.
        if !unsafe { sys::is_culib_present() } {
            return Err(Error::NoDriver);
        }
        let mut version = 0;
        // SAFETY: `version` is a place for a number; this may be called before `cuInit`.
        check("cuDriverGetVersion", unsafe { sys::cuDriverGetVersion(&mut version) })?;
        if (version.unsigned_abs()) < NEEDED {
            return Err(Error::OldDriver { found: version.unsigned_abs(), needed: NEEDED });
        }
        // SAFETY: 0 is the only flag there is.
        match check("cuInit", unsafe { sys::cuInit(0) }) {
            Err(Error::Driver { code: 100, .. }) => Err(Error::NoDevice),
            // The library is a stub, which a toolkit links against.
            Err(Error::Driver { code: 34, .. }) => Err(Error::NoDriver),
            other => other.map(|()| Self { contexts: Mutex::default() }),
        }
    }

    pub(crate) fn devices(&self) -> Result<u32> {
        let mut count = 0;
        // SAFETY: `count` is a place for a number.
        check("cuDeviceGetCount", unsafe { sys::cuDeviceGetCount(&mut count) })?;
        Ok(count.unsigned_abs())
    }

    /// Retains the primary context of a device, once, for as long as the process lives.
    pub(crate) fn retain(&self, device: u32) -> Result<Details> {
        let handle = Self::handle(device)?;
        let mut contexts = self.contexts.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = device as usize;
        if contexts.len() <= slot {
            contexts.resize(slot + 1, None);
        }
        if contexts[slot].is_none() {
            let mut context = null_mut();
            // SAFETY: `context` is a place for a context, and the device is one.
            check("cuDevicePrimaryCtxRetain", unsafe {
                sys::cuDevicePrimaryCtxRetain(&mut context, handle)
            })?;
            contexts[slot] = Some(Primary(context));
        }
        drop(contexts);
        let shares = Attribute::CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED;
        let mut supported = 0;
        // SAFETY: `supported` is a place for a number.
        let asked = unsafe { sys::cuDeviceGetAttribute(&mut supported, shares, handle) };
        check("cuDeviceGetAttribute", asked)?;
        if supported == 0 {
            return Err(Error::Unsupported { what: "share memory between processes by descriptors" });
        }
        let mut name = [0_u8; 96];
        let length = name.len() as i32 - 1;
        // SAFETY: there is room for so many characters, and one more stays 0.
        check("cuDeviceGetName", unsafe { sys::cuDeviceGetName(name.as_mut_ptr().cast(), length, handle) })?;
        let name = CStr::from_bytes_until_nul(&name).unwrap_or_default().to_string_lossy().into_owned();
        Ok(Details { name, uuid: Self::uuid_of(device)?, granularity: self.granularity(device)? })
    }

    fn uuid_of(device: u32) -> Result<[u8; 16]> {
        let handle = Self::handle(device)?;
        let mut uuid = sys::CUuuid { bytes: [0; 16] };
        // SAFETY: `uuid` is a place for one.
        let asked = unsafe { sys::cuDeviceGetUuid_v2(&mut uuid, handle) };
        check("cuDeviceGetUuid_v2", asked)?;
        Ok(uuid.bytes.map(|byte| byte as u8))
    }

    fn handle(device: u32) -> Result<sys::CUdevice> {
        let mut handle = 0;
        let ordinal = i32::try_from(device).unwrap_or(i32::MAX);
        // SAFETY: `handle` is a place for one.
        check("cuDeviceGet", unsafe { sys::cuDeviceGet(&mut handle, ordinal) })?;
        Ok(handle)
    }

    /// The context of a device, which was retained.
    fn primary(&self, device: u32) -> Result<Primary> {
        let contexts = self.contexts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = contexts.get(device as usize).copied().flatten();
        known.ok_or(Error::WrongOrdinal { ordinal: device, devices: contexts.len() as u32 })
    }

    /// Makes it current.
    fn enter(&self, device: u32) -> Result<Current> {
        self.primary(device)?.enter()
    }

    /// The first device that was made ready, which is device 0 if there was none.
    fn any(&self) -> Result<u32> {
        let contexts = self.contexts.lock().unwrap_or_else(PoisonError::into_inner);
        let found = contexts.iter().position(Option::is_some);
        drop(contexts);
        match found {
            Some(device) => Ok(device as u32),
            None => self.retain(0).map(|_| 0),
        }
    }
}
