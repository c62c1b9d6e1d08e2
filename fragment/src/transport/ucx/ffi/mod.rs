//! The unsafe room of the UCX transport: a worker, its endpoints and its active messages, as safe values.
//!
//! Not here: what messages mean. Invariants, on which the proofs stand:
//! - a worker and its endpoints stay in the thread that made them (they are not `Send`), and UCX calls back only from
//!   within the calls that this thread makes;
//! - whatever UCX may still read or write belongs to an operation on the heap, which is freed when UCX says that it is
//!   done with it, and never before; what UCX never says so of is never freed;
//! - callbacks only note down events: they call nothing back.
#![allow(unsafe_code, reason = "UCX is a C library")]

use std::{
    cell::{Cell, RefCell},
    ffi::CString,
    os::fd::{AsFd, BorrowedFd},
    ptr,
};

use ucx_rs::sys;

use super::{
    error::UcxError,
    memory::{Buffer, Pool},
    wire,
};

mod endpoint;
mod messages;

pub(super) use endpoint::Endpoint;
pub(super) use messages::{Body, Outgoing, Parts, Rendezvous};

/// A structure of UCX's with nothing in it, of which its mask of fields then says what counts.
macro_rules! blank {
    ($type:ty) => {
        // SAFETY: a structure of integers, raw pointers and optional function pointers, for which zeros are values.
        unsafe { std::mem::zeroed::<$type>() }
    };
}
use blank;

/// Turns a status into a result.
fn check(step: &'static str, status: sys::ucs_status_t) -> Result<(), UcxError> {
    if status == sys::ucs_status_t_UCS_OK { Ok(()) } else { Err(said(step, status)) }
}

fn said(step: &'static str, status: sys::ucs_status_t) -> UcxError {
    UcxError::Engine { step, says: ucx_rs::status_string(status), code: status }
}

/// What happened in a worker.
#[derive(Debug)]
pub(super) enum Event {
    /// An active message came.
    Message {
        /// The first bytes of its header, and how many it had.
        header: [u8; wire::HEADER],
        header_length: usize,
        body: Body,
    },
    /// A rendezvous is over. The ticket is the one that was given to [`Worker::receive`].
    Received { ticket: u64, result: Result<Buffer, UcxError> },
    /// The endpoint of this number is of no use any more.
    Failed { endpoint: u64, error: UcxError },
}

/// What callbacks reach: where they note down events, and what they need for it.
struct Shared {
    events: RefCell<Vec<Event>>,
    pool: Pool,
    /// Operations and closing endpoints that UCX is not done with.
    pending: Cell<usize>,
}

impl Shared {
    fn note(&self, event: Event) {
        // It is never borrowed while UCX runs; were it, the event would be lost rather than the process.
        if let Ok(mut events) = self.events.try_borrow_mut() {
            events.push(event);
        }
    }

    fn begins(&self) {
        self.pending.set(self.pending.get() + 1);
    }

    fn is_done(&self) {
        self.pending.set(self.pending.get().saturating_sub(1));
    }
}

/// A UCX context with one worker, in one thread.
pub(super) struct Worker {
    context: sys::ucp_context_h,
    worker: sys::ucp_worker_h,
    /// From a box, which is freed after the worker.
    shared: *mut Shared,
    descriptor: i32,
}

impl Worker {
    /// A worker with these settings, which receives into the pool's buffers.
    pub(super) fn open(settings: &[(String, String)], pool: Pool) -> Result<Self, UcxError> {
        let context = open_context(settings)?;
        let mut worker = ptr::null_mut();
        let params = blank!(sys::ucp_worker_params_t);
        // SAFETY: the context was made above; the parameters say that no field of theirs counts: one thread.
        let status = unsafe { sys::ucp_worker_create(context, &raw const params, &raw mut worker) };
        if let Err(error) = check("making a worker", status) {
            // SAFETY: the context was made above, and nothing was made of it.
            unsafe { sys::ucp_cleanup(context) };
            return Err(error);
        }
        let shared = Shared { events: RefCell::default(), pool, pending: Cell::new(0) };
        let mut made = Self { context, worker, shared: Box::into_raw(Box::new(shared)), descriptor: -1 };
        // SAFETY: the worker was made above, of a context that has this feature.
        let status = unsafe { sys::ucp_worker_get_efd(made.worker, &raw mut made.descriptor) };
        check("getting the worker's descriptor", status)?;
        made.listen()?;
        Ok(made)
    }

    fn shared(&self) -> &Shared {
        // SAFETY: it came from a box in `open`, and is freed in `drop` only; nobody makes a unique reference of it.
        unsafe { &*self.shared }
    }

    /// The address by which others reach this worker.
    pub(super) fn address(&self) -> Result<Vec<u8>, UcxError> {
        let mut found = blank!(sys::ucp_worker_attr_t);
        found.field_mask = u64::from(sys::ucp_worker_attr_field_UCP_WORKER_ATTR_FIELD_ADDRESS);
        // SAFETY: the worker lives; what is asked for is written into the structure.
        let status = unsafe { sys::ucp_worker_query(self.worker, &raw mut found) };
        check("asking for the worker's address", status)?;
        // SAFETY: UCX says that so many bytes are there, and nobody else has them.
        let address = unsafe { std::slice::from_raw_parts(found.address.cast::<u8>(), found.address_length) };
        let address = address.to_vec();
        // SAFETY: it is the worker's, was not released, and is not used any more.
        unsafe { sys::ucp_worker_release_address(self.worker, found.address) };
        Ok(address)
    }

    /// Lets UCX work; whether there was anything to do.
    pub(super) fn progress(&self) -> bool {
        // SAFETY: the worker lives, this is its thread, and no callback calls this.
        let events = unsafe { sys::ucp_worker_progress(self.worker) };
        events != 0
    }

    /// Makes the descriptor readable at the next event; `false` if there is one already.
    pub(super) fn arm(&self) -> Result<bool, UcxError> {
        // SAFETY: the worker lives, and this is its thread.
        match unsafe { sys::ucp_worker_arm(self.worker) } {
            sys::ucs_status_t_UCS_ERR_BUSY => Ok(false),
            status => check("arming the worker", status).map(|()| true),
        }
    }

    /// Takes what happened since the last call.
    pub(super) fn take_events(&self, into: &mut Vec<Event>) {
        if let Ok(mut events) = self.shared().events.try_borrow_mut() {
            into.append(&mut events);
        }
    }

    /// How many operations UCX is not done with.
    pub(super) fn pending(&self) -> usize {
        self.shared().pending.get()
    }
}

impl AsFd for Worker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is the worker's, which stays open as long as the worker lives.
        unsafe { BorrowedFd::borrow_raw(self.descriptor) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // What UCX is not done with may still be read or written: it stays, and with it the worker.
        if self.pending() > 0 {
            return;
        }
        // SAFETY: the worker lives; its endpoints were closed, or are closed with it.
        unsafe { sys::ucp_worker_destroy(self.worker) };
        // SAFETY: the context's only worker is gone.
        unsafe { sys::ucp_cleanup(self.context) };
        // SAFETY: it came from a box, and the worker, whose callbacks knew it, is gone.
        drop(unsafe { Box::from_raw(self.shared) });
    }
}

fn open_context(settings: &[(String, String)]) -> Result<sys::ucp_context_h, UcxError> {
    let mut config = ptr::null_mut();
    // SAFETY: no prefix and no file are allowed; the result is written where the pointer points.
    let status = unsafe { sys::ucp_config_read(ptr::null(), ptr::null(), &raw mut config) };
    check("reading the configuration", status)?;
    let mut params = blank!(sys::ucp_params_t);
    params.field_mask = u64::from(sys::ucp_params_field_UCP_PARAM_FIELD_FEATURES);
    params.features = u64::from(sys::ucp_feature_UCP_FEATURE_AM | sys::ucp_feature_UCP_FEATURE_WAKEUP);
    let mut context = ptr::null_mut();
    let opened = modify(config, settings).and_then(|()| {
        let (major, minor) = (sys::UCP_API_MAJOR, sys::UCP_API_MINOR);
        // SAFETY: the parameters say which of their fields count; the configuration was read above.
        let status =
            unsafe { sys::ucp_init_version(major, minor, &raw const params, config, &raw mut context) };
        check("starting UCX", status)
    });
    // SAFETY: it was read above, and UCX has taken what it needs of it.
    unsafe { sys::ucp_config_release(config) };
    opened.map(|()| context)
}

fn modify(config: *mut sys::ucp_config_t, settings: &[(String, String)]) -> Result<(), UcxError> {
    for (name, value) in settings {
        let refused = |says| UcxError::Setting { name: name.clone(), value: value.clone(), says };
        let (Ok(key), Ok(text)) = (CString::new(name.as_str()), CString::new(value.as_str())) else {
            return Err(refused("no zero byte can stand in a setting"));
        };
        // SAFETY: the configuration was read by the caller; both texts end with a zero and outlive the call.
        let status = unsafe { sys::ucp_config_modify(config, key.as_ptr(), text.as_ptr()) };
        if status != sys::ucs_status_t_UCS_OK {
            return Err(refused(ucx_rs::status_string(status)));
        }
    }
    Ok(())
}
