//! Active messages: sending parts where they lie, and receiving into buffers.
//!
//! The invariant: an operation owns what UCX reads or writes, lies on the heap, and is freed by the callback of its end,
//! or at once where UCX says that there will be none.

use std::{ffi::c_void, ptr};

use ucx_rs::sys;

use super::{Endpoint, Event, Shared, Worker, blank, check, said};
use crate::transport::ucx::{error::UcxError, memory::Buffer, wire};

/// The longest body that is taken without a rendezvous, in bytes. Senders ask for one from far fewer on.
const LONGEST: usize = 1 << 20;

/// What an active message to be sent consists of.
pub(in crate::transport::ucx) struct Outgoing {
    pub(in crate::transport::ucx) header: [u8; wire::HEADER],
    /// Who keeps the parts of the body alive.
    pub(in crate::transport::ucx) body: Box<dyn Parts>,
    /// The receiver says first where the body goes.
    pub(in crate::transport::ucx) rendezvous: bool,
}

/// Memory that a body is made of.
pub(in crate::transport::ucx) trait Parts: std::marker::Send {
    /// Calls `each` for each part, in order. The parts are lent for as long as this is borrowed: by an operation, until
    /// UCX is done with it.
    fn parts<'p>(&'p self, each: &mut dyn FnMut(&'p [u8]));
}

impl Parts for Vec<u8> {
    fn parts<'p>(&'p self, each: &mut dyn FnMut(&'p [u8])) {
        each(self);
    }
}

/// The body of a message that came.
#[derive(Debug)]
pub(in crate::transport::ucx) enum Body {
    /// It is here.
    Whole(Buffer),
    /// It waits for a buffer.
    Rendezvous(Rendezvous),
    /// There was no memory for it, or it was too long to come without a rendezvous: so many bytes.
    Dropped(usize),
}

impl Body {
    pub(in crate::transport::ucx) fn length(&self) -> usize {
        match self {
            Self::Whole(buffer) => buffer.length(),
            Self::Rendezvous(rendezvous) => rendezvous.length,
            Self::Dropped(length) => *length,
        }
    }
}

/// A message that waits to be received, or refused: by [`Worker::receive`] or [`Worker::refuse`]. Dropped without that,
/// its sender waits for ever.
#[derive(Debug)]
#[must_use]
pub(in crate::transport::ucx) struct Rendezvous {
    descriptor: *mut c_void,
    length: usize,
}

/// A message on its way out.
struct Send {
    shared: *const Shared,
    header: [u8; wire::HEADER],
    parts: Vec<sys::ucp_dt_iov_t>,
    /// Lends the parts, from when they are known until this is dropped.
    body: Box<dyn Parts>,
}

/// A message on its way in.
struct Receive {
    shared: *const Shared,
    buffer: Buffer,
    ticket: u64,
}

impl Worker {
    /// Takes in all messages of podwire's number.
    pub(super) fn listen(&self) -> Result<(), UcxError> {
        let mut params = blank!(sys::ucp_am_handler_param_t);
        params.field_mask = u64::from(
            sys::ucp_am_handler_param_field_UCP_AM_HANDLER_PARAM_FIELD_ID
                | sys::ucp_am_handler_param_field_UCP_AM_HANDLER_PARAM_FIELD_CB
                | sys::ucp_am_handler_param_field_UCP_AM_HANDLER_PARAM_FIELD_ARG,
        );
        params.id = wire::MESSAGE.into();
        params.cb = Some(arrived);
        params.arg = self.shared.cast();
        // SAFETY: the worker lives, and what the callback gets lives as long.
        let status = unsafe { sys::ucp_worker_set_am_recv_handler(self.worker, &raw const params) };
        check("listening for messages", status)
    }

    /// Sends a message. That it has arrived is for the receiver to say; that it failed is said by the endpoint.
    pub(in crate::transport::ucx) fn send(
        &self,
        endpoint: &Endpoint,
        message: Outgoing,
    ) -> Result<(), UcxError> {
        self.send_as(endpoint, message, wire::MESSAGE, wire::HEADER)
    }

    /// The same under any number, and with so many bytes of the header: to see what a stranger's messages do.
    pub(in crate::transport::ucx) fn send_as(
        &self,
        endpoint: &Endpoint,
        message: Outgoing,
        number: u16,
        header_length: usize,
    ) -> Result<(), UcxError> {
        let Outgoing { header, body, rendezvous } = message;
        let send = Box::into_raw(Box::new(Send { shared: self.shared, header, parts: Vec::new(), body }));
        // SAFETY: it came from the box above, and UCX does not know it yet.
        let Send { header, parts, body, .. } = unsafe { &mut *send };
        body.parts(&mut |part| {
            if !part.is_empty() {
                parts.push(sys::ucp_dt_iov_t { buffer: part.as_ptr().cast_mut().cast(), length: part.len() });
            }
        });
        let mut params = blank!(sys::ucp_request_param_t);
        params.op_attr_mask = sys::ucp_op_attr_t_UCP_OP_ATTR_FIELD_CALLBACK
            | sys::ucp_op_attr_t_UCP_OP_ATTR_FIELD_USER_DATA
            | sys::ucp_op_attr_t_UCP_OP_ATTR_FIELD_FLAGS;
        params.cb.send = Some(sent);
        params.user_data = send.cast();
        params.flags = if rendezvous {
            sys::ucp_send_am_flags_UCP_AM_SEND_FLAG_RNDV
        } else {
            sys::ucp_send_am_flags_UCP_AM_SEND_FLAG_EAGER
        };
        let (buffer, count) = match parts.as_slice() {
            [] => (ptr::null(), 0),
            [part] => (part.buffer.cast_const(), part.length),
            parts => {
                params.op_attr_mask |= sys::ucp_op_attr_t_UCP_OP_ATTR_FIELD_DATATYPE;
                params.datatype = sys::ucp_dt_type_UCP_DATATYPE_IOV.into();
                (parts.as_ptr().cast(), parts.len())
            }
        };
        let header = &header[..header_length.min(wire::HEADER)];
        self.shared().begins();
        // SAFETY: the endpoint is open; header, table of parts and parts belong to the operation, which lives until UCX
        // calls back, or says now that it will not.
        let request = unsafe {
            sys::ucp_am_send_nbx(
                endpoint.handle,
                number.into(),
                header.as_ptr().cast(),
                header.len(),
                buffer,
                count,
                &raw const params,
            )
        };
        match ucx_rs::decode_status_ptr(request) {
            // The callback frees the operation; perhaps it already did.
            Ok(Some(_)) => return Ok(()),
            Ok(None) => {}
            Err(status) => {
                self.shared().is_done();
                // SAFETY: it came from the box above, and UCX did not take it.
                drop(unsafe { Box::from_raw(send) });
                return Err(said("sending", status));
            }
        }
        self.shared().is_done();
        // SAFETY: it came from the box above, and UCX is done with it and calls nobody.
        drop(unsafe { Box::from_raw(send) });
        Ok(())
    }

    /// Receives a message into a buffer that is long enough for it; [`Event::Received`] says when it is over.
    ///
    /// A buffer that is too short is not used: the message is refused, and the event says so.
    pub(in crate::transport::ucx) fn receive(&self, rendezvous: Rendezvous, buffer: Buffer, ticket: u64) {
        if buffer.length() < rendezvous.length {
            let (promised, found) = (buffer.length() as u64, rendezvous.length as u64);
            self.refuse(rendezvous);
            let result = Err(UcxError::Length { promised, found });
            return self.shared().note(Event::Received { ticket, result });
        }
        let receive = Box::into_raw(Box::new(Receive { shared: self.shared, buffer, ticket }));
        // SAFETY: it came from the box above, and UCX does not know it yet.
        let bytes = unsafe { &mut *receive }.buffer.bytes_mut();
        let (start, length) = (bytes.as_mut_ptr(), bytes.len());
        let mut params = blank!(sys::ucp_request_param_t);
        params.op_attr_mask =
            sys::ucp_op_attr_t_UCP_OP_ATTR_FIELD_CALLBACK | sys::ucp_op_attr_t_UCP_OP_ATTR_FIELD_USER_DATA;
        params.cb.recv_am = Some(received);
        params.user_data = receive.cast();
        self.shared().begins();
        // SAFETY: the descriptor came from the callback, which kept it, and is used once; the buffer is as long as the
        // message and belongs to the operation, which lives until UCX calls back, or says now that it will not.
        let request = unsafe {
            sys::ucp_am_recv_data_nbx(
                self.worker,
                rendezvous.descriptor,
                start.cast(),
                length,
                &raw const params,
            )
        };
        let status = match ucx_rs::decode_status_ptr(request) {
            // The callback frees the operation; perhaps it already did.
            Ok(Some(_)) => return,
            Ok(None) => sys::ucs_status_t_UCS_OK,
            Err(status) => status,
        };
        // SAFETY: it came from the box above, and UCX is done with it and calls nobody.
        unsafe { Box::from_raw(receive) }.ends(status);
    }

    /// Tells the sender of a message that it is not wanted; for the sender it is as if it had arrived.
    pub(in crate::transport::ucx) fn refuse(&self, rendezvous: Rendezvous) {
        // SAFETY: the worker lives; the descriptor came from the callback, which kept it, and is used once.
        unsafe { sys::ucp_am_data_release(self.worker, rendezvous.descriptor) };
    }
}

impl Receive {
    fn ends(self, status: sys::ucs_status_t) {
        // SAFETY: it lives as long as the worker, which calls this.
        let shared = unsafe { &*self.shared };
        shared.is_done();
        let result = check("receiving", status).map(|()| self.buffer);
        shared.note(Event::Received { ticket: self.ticket, result });
    }
}

/// Called by UCX when a message is gone, or will never go.
unsafe extern "C" fn sent(request: *mut c_void, _: sys::ucs_status_t, send: *mut c_void) {
    // SAFETY: it came from the box of `send_as`, and UCX is done with it.
    let send = unsafe { Box::from_raw(send.cast::<Send>()) };
    // SAFETY: it lives as long as the worker, which calls this.
    let shared = unsafe { &*send.shared };
    shared.is_done();
    // SAFETY: UCX gave the request, is done with it, and leaves it to us.
    unsafe { sys::ucp_request_free(request) };
}

/// Called by UCX when a message is received, or will never be.
unsafe extern "C" fn received(
    request: *mut c_void,
    status: sys::ucs_status_t,
    _: usize,
    receive: *mut c_void,
) {
    // SAFETY: it came from the box of `receive`, and UCX is done with it.
    let receive = unsafe { Box::from_raw(receive.cast::<Receive>()) };
    receive.ends(status);
    // SAFETY: UCX gave the request, is done with it, and leaves it to us.
    unsafe { sys::ucp_request_free(request) };
}

/// Called by UCX when a message comes.
unsafe extern "C" fn arrived(
    shared: *mut c_void,
    header: *const c_void,
    header_length: usize,
    data: *mut c_void,
    length: usize,
    params: *const sys::ucp_am_recv_param_t,
) -> sys::ucs_status_t {
    // SAFETY: `listen` gave it, and it lives as long as the worker, which calls this.
    let shared = unsafe { &*shared.cast::<Shared>() };
    let mut copy = [0; wire::HEADER];
    let known = header_length.min(wire::HEADER);
    if !header.is_null() {
        // SAFETY: UCX says that there are so many bytes of header, and the copy has room for as many.
        unsafe { ptr::copy_nonoverlapping(header.cast::<u8>(), copy.as_mut_ptr(), known) };
    }
    // SAFETY: UCX gives this structure for as long as the call takes.
    let attributes = unsafe { (*params).recv_attr };
    let waits = attributes & u64::from(sys::ucp_am_recv_attr_t_UCP_AM_RECV_ATTR_FLAG_RNDV) != 0;
    let body = if waits {
        Body::Rendezvous(Rendezvous { descriptor: data, length })
    } else {
        match (length <= LONGEST).then(|| shared.pool.take(length)).flatten() {
            None => Body::Dropped(length),
            Some(mut buffer) => {
                let bytes = buffer.bytes_mut();
                if !data.is_null() && bytes.len() == length {
                    // SAFETY: UCX says that there are so many bytes, and the buffer has room for as many.
                    unsafe { ptr::copy_nonoverlapping(data.cast::<u8>(), bytes.as_mut_ptr(), length) };
                }
                Body::Whole(buffer)
            }
        }
    };
    shared.note(Event::Message { header: copy, header_length, body });
    if waits { sys::ucs_status_t_UCS_INPROGRESS } else { sys::ucs_status_t_UCS_OK }
}
