//! Endpoints: the ways from a worker to others.
//!
//! The invariant: what the error callback gets lives until UCX has closed the endpoint, and an endpoint is closed once.

use std::{ffi::c_void, ptr};

use ucx_rs::sys;

use super::{Event, Shared, Worker, blank, check, said};
use crate::transport::ucx::error::UcxError;

/// A way to another worker. It is to be [closed](Worker::close); dropped without that, it stays open with its worker.
#[derive(Debug)]
pub(in crate::transport::ucx) struct Endpoint {
    pub(super) handle: sys::ucp_ep_h,
    /// From a box; what the error callback gets.
    arg: *mut Arg,
}

/// What the error callback of an endpoint gets.
struct Arg {
    shared: *const Shared,
    number: u64,
}

impl Worker {
    /// A way to the worker of this address. `number` is what [`Event::Failed`] calls it.
    pub(in crate::transport::ucx) fn connect(
        &self,
        address: &[u8],
        number: u64,
    ) -> Result<Endpoint, UcxError> {
        let arg = Box::into_raw(Box::new(Arg { shared: self.shared, number }));
        let mut params = blank!(sys::ucp_ep_params_t);
        params.field_mask = u64::from(
            sys::ucp_ep_params_field_UCP_EP_PARAM_FIELD_REMOTE_ADDRESS
                | sys::ucp_ep_params_field_UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE
                | sys::ucp_ep_params_field_UCP_EP_PARAM_FIELD_ERR_HANDLER,
        );
        params.address = address.as_ptr().cast();
        params.err_mode = sys::ucp_err_handling_mode_t_UCP_ERR_HANDLING_MODE_PEER;
        params.err_handler = sys::ucp_err_handler { cb: Some(failed), arg: arg.cast() };
        let mut handle = ptr::null_mut();
        // SAFETY: the worker lives; the address comes from the directory, where workers publish theirs, is whole (its
        // checksum says so), and outlives the call; the argument of the callback outlives the endpoint.
        let status = unsafe { sys::ucp_ep_create(self.worker, &raw const params, &raw mut handle) };
        match check("connecting", status) {
            Ok(()) => Ok(Endpoint { handle, arg }),
            Err(error) => {
                // SAFETY: it came from the box above, and there is no endpoint that knows it.
                drop(unsafe { Box::from_raw(arg) });
                Err(error)
            }
        }
    }

    /// Closes an endpoint: in order, when all that was sent is gone, or by force, which ends what is under way with an
    /// error.
    pub(in crate::transport::ucx) fn close(&self, endpoint: Endpoint, force: bool) {
        let mut params = blank!(sys::ucp_request_param_t);
        params.op_attr_mask =
            sys::ucp_op_attr_t_UCP_OP_ATTR_FIELD_CALLBACK | sys::ucp_op_attr_t_UCP_OP_ATTR_FIELD_USER_DATA;
        if force {
            params.op_attr_mask |= sys::ucp_op_attr_t_UCP_OP_ATTR_FIELD_FLAGS;
            params.flags = sys::ucp_ep_close_flags_t_UCP_EP_CLOSE_FLAG_FORCE;
        }
        params.cb.send = Some(closed);
        params.user_data = endpoint.arg.cast();
        self.shared().begins();
        // SAFETY: the endpoint is open, and this takes it; its argument lives until it is closed.
        let request = unsafe { sys::ucp_ep_close_nbx(endpoint.handle, &raw const params) };
        // Done at once: nobody calls back.
        if request.is_null() {
            self.shared().is_done();
            // SAFETY: it came from a box, and the endpoint that knew it is gone.
            drop(unsafe { Box::from_raw(endpoint.arg) });
        } else if ucx_rs::decode_status_ptr(request).is_err() {
            // It could not be closed, so that its argument has to stay.
            self.shared().is_done();
        }
    }
}

/// Called by UCX when an endpoint is of no use any more.
unsafe extern "C" fn failed(arg: *mut c_void, _: sys::ucp_ep_h, status: sys::ucs_status_t) {
    // SAFETY: `connect` gave it, and it lives until the endpoint is closed.
    let arg = unsafe { &*arg.cast::<Arg>() };
    // SAFETY: it lives as long as the worker, which calls this.
    let shared = unsafe { &*arg.shared };
    shared.note(Event::Failed { endpoint: arg.number, error: said("an endpoint", status) });
}

/// Called by UCX when an endpoint is closed.
unsafe extern "C" fn closed(request: *mut c_void, _: sys::ucs_status_t, arg: *mut c_void) {
    // SAFETY: it came from the box of `connect`, and the endpoint that knew it is gone.
    let arg = unsafe { Box::from_raw(arg.cast::<Arg>()) };
    // SAFETY: it lives as long as the worker, which calls this.
    let shared = unsafe { &*arg.shared };
    shared.is_done();
    // SAFETY: UCX gave the request, is done with it, and leaves it to us.
    unsafe { sys::ucp_request_free(request) };
}
