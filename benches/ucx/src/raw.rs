//! The bare loop: UCX's own interface, one thread, a worker that spins, one message after the other.
//!
//! It does what a link needs and nothing else: a header of 48 bytes, bodies into buffers of their own, as many as there can
//! be messages under way, a window of messages whose room the receiver gives back. UCX chooses between eager and rendezvous.
//! Everything here lives until the process ends.

use std::{ffi::CString, os::raw::c_void, path::Path, ptr, time::Duration};

use ucx_rs::sys::*;

macro_rules! blank {
    ($type:ty) => {
        // SAFETY: integers, pointers and optional functions: zeros are values.
        unsafe { std::mem::zeroed::<$type>() }
    };
}

/// What the callbacks see.
#[derive(Default)]
struct State {
    /// Messages that came whole.
    got: u64,
    pending: usize,
    waiting: Vec<(*mut c_void, usize)>,
    /// Where messages go, one after the other: who receives one may keep it while the next ones come.
    buffers: Vec<Vec<u8>>,
    next: usize,
    failed: bool,
}

impl State {
    /// Where the next message goes.
    fn buffer(&mut self, length: usize) -> *mut u8 {
        self.next = (self.next + 1) % self.buffers.len();
        let buffer = &mut self.buffers[self.next];
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        buffer.as_mut_ptr()
    }
}

pub struct Raw {
    worker: ucp_worker_h,
    endpoint: ucp_ep_h,
    state: *mut State,
    header: [u8; 48],
    /// Turns without an event since the last one.
    idle: u32,
}

/// Turns without an event after which the processor is offered to others: so that it can be measured on busy machines.
const IDLE: u32 = 200;

unsafe extern "C" fn arrived(
    state: *mut c_void,
    _: *const c_void,
    _: usize,
    data: *mut c_void,
    length: usize,
    params: *const ucp_am_recv_param_t,
) -> ucs_status_t {
    // SAFETY: one thread; UCX calls from within `progress`, which holds no reference.
    let state = unsafe { &mut *state.cast::<State>() };
    // SAFETY: UCX lends it for the call.
    if unsafe { (*params).recv_attr } & u64::from(ucp_am_recv_attr_t_UCP_AM_RECV_ATTR_FLAG_RNDV) != 0 {
        state.waiting.push((data, length));
        return ucs_status_t_UCS_INPROGRESS;
    }
    let buffer = state.buffer(length);
    // SAFETY: so many bytes came, and there is room for them.
    unsafe { ptr::copy_nonoverlapping(data.cast::<u8>(), buffer, length) };
    state.got += 1;
    ucs_status_t_UCS_OK
}

unsafe extern "C" fn received(request: *mut c_void, status: ucs_status_t, _: usize, state: *mut c_void) {
    // SAFETY: as in `arrived`.
    let state = unsafe { &mut *state.cast::<State>() };
    state.pending -= 1;
    state.got += 1;
    state.failed |= status != ucs_status_t_UCS_OK;
    // SAFETY: ours to free.
    unsafe { ucp_request_free(request) };
}

unsafe extern "C" fn sent(request: *mut c_void, status: ucs_status_t, state: *mut c_void) {
    // SAFETY: as in `arrived`.
    let state = unsafe { &mut *state.cast::<State>() };
    state.pending -= 1;
    state.failed |= status != ucs_status_t_UCS_OK;
    // SAFETY: ours to free.
    unsafe { ucp_request_free(request) };
}

fn ok(status: ucs_status_t) {
    assert_eq!(status, ucs_status_t_UCS_OK, "{}", ucx_rs::status_string(status));
}

impl Raw {
    /// Connects the two processes that meet in a folder.
    pub fn open(tls: &str, folder: &Path, me: &str, other: &str) -> Self {
        let mut config = ptr::null_mut();
        // SAFETY: nothing is asked for.
        ok(unsafe { ucp_config_read(ptr::null(), ptr::null(), &raw mut config) });
        for (name, value) in [
            ("TLS", tls),
            ("CM_USE_ALL_DEVICES", "n"),
            ("TCP_TX_SEG_SIZE", "128K"),
            ("TCP_RX_SEG_SIZE", "128K"),
            ("MM_ERROR_HANDLING", "y"),
        ] {
            let (name, value) = (CString::new(name).unwrap(), CString::new(value).unwrap());
            // SAFETY: both texts end with a zero.
            ok(unsafe { ucp_config_modify(config, name.as_ptr(), value.as_ptr()) });
        }
        let mut params = blank!(ucp_params_t);
        params.field_mask = u64::from(ucp_params_field_UCP_PARAM_FIELD_FEATURES);
        params.features = u64::from(ucp_feature_UCP_FEATURE_AM);
        let mut context = ptr::null_mut();
        // SAFETY: the mask says what counts.
        ok(unsafe {
            ucp_init_version(UCP_API_MAJOR, UCP_API_MINOR, &raw const params, config, &raw mut context)
        });
        let mut worker = ptr::null_mut();
        let none = blank!(ucp_worker_params_t);
        // SAFETY: nothing is asked for.
        ok(unsafe { ucp_worker_create(context, &raw const none, &raw mut worker) });
        let mut found = blank!(ucp_worker_attr_t);
        found.field_mask = u64::from(ucp_worker_attr_field_UCP_WORKER_ATTR_FIELD_ADDRESS);
        // SAFETY: the mask says what is asked for.
        ok(unsafe { ucp_worker_query(worker, &raw mut found) });
        // SAFETY: UCX says so.
        let address = unsafe { std::slice::from_raw_parts(found.address.cast::<u8>(), found.address_length) };
        std::fs::write(folder.join(format!("{me}.new")), address).unwrap();
        std::fs::rename(folder.join(format!("{me}.new")), folder.join(me)).unwrap();
        let peer = loop {
            match std::fs::read(folder.join(other)) {
                Ok(address) => break address,
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        let state = State { buffers: vec![Vec::new()], ..State::default() };
        let state = Box::into_raw(Box::new(state));
        let mut handler = blank!(ucp_am_handler_param_t);
        handler.field_mask = 1 | 4 | 8;
        handler.id = 1;
        handler.cb = Some(arrived);
        handler.arg = state.cast();
        // SAFETY: the state is never freed.
        ok(unsafe { ucp_worker_set_am_recv_handler(worker, &raw const handler) });
        let mut params = blank!(ucp_ep_params_t);
        params.field_mask = 1 | 2;
        params.address = peer.as_ptr().cast();
        params.err_mode = ucp_err_handling_mode_t_UCP_ERR_HANDLING_MODE_PEER;
        let mut endpoint = ptr::null_mut();
        // SAFETY: the address is that of the other worker.
        ok(unsafe { ucp_ep_create(worker, &raw const params, &raw mut endpoint) });
        Self { worker, endpoint, state, header: [0; 48], idle: 0 }
    }

    fn state(&mut self) -> &mut State {
        // SAFETY: callbacks run in `progress` only, which holds no reference.
        unsafe { &mut *self.state }
    }

    fn progress(&mut self) {
        // SAFETY: one thread.
        let events = unsafe { ucp_worker_progress(self.worker) };
        self.idle = if events == 0 { self.idle + 1 } else { 0 };
        if self.idle > IDLE {
            std::thread::yield_now();
        }
        while let Some((data, length)) = self.state().waiting.pop() {
            let state = self.state();
            let buffer = state.buffer(length);
            state.pending += 1;
            let mut params = blank!(ucp_request_param_t);
            params.op_attr_mask =
                ucp_op_attr_t_UCP_OP_ATTR_FIELD_CALLBACK | ucp_op_attr_t_UCP_OP_ATTR_FIELD_USER_DATA;
            params.cb.recv_am = Some(received);
            params.user_data = self.state.cast();
            // SAFETY: the buffer does not move: it is used again after a window of messages, all of one length.
            let request =
                unsafe { ucp_am_recv_data_nbx(self.worker, data, buffer.cast(), length, &raw const params) };
            if !matches!(ucx_rs::decode_status_ptr(request), Ok(Some(_))) {
                self.state().pending -= 1;
                self.state().got += 1;
            }
        }
        assert!(!self.state().failed, "a message was lost");
    }

    fn send(&mut self, body: &[u8]) {
        let mut params = blank!(ucp_request_param_t);
        params.op_attr_mask =
            ucp_op_attr_t_UCP_OP_ATTR_FIELD_CALLBACK | ucp_op_attr_t_UCP_OP_ATTR_FIELD_USER_DATA;
        params.cb.send = Some(sent);
        params.user_data = self.state.cast();
        self.state().pending += 1;
        let (header, body, length) = (self.header.as_ptr().cast(), body.as_ptr().cast(), body.len());
        // SAFETY: header and body live until the run is over.
        let request =
            unsafe { ucp_am_send_nbx(self.endpoint, 1, header, 48, body, length, &raw const params) };
        match ucx_rs::decode_status_ptr(request) {
            Ok(Some(_)) => {}
            Ok(None) => self.state().pending -= 1,
            Err(status) => ok(status),
        }
    }

    /// Sends so many messages, never more than the window ahead of the receiver.
    pub fn send_all(&mut self, body: &[u8], count: u64, window: u64) {
        let mut sent = 0;
        self.state().got = 0;
        let step = (window / 2).max(1);
        while sent < count {
            if sent < self.state().got * step + window {
                self.send(body);
                sent += 1;
            } else {
                self.progress();
            }
        }
        while self.state().got < count.div_ceil(step) || self.state().pending > 0 {
            self.progress();
        }
    }

    /// Receives so many, and gives back room for half a window at a time.
    pub fn receive_all(&mut self, count: u64, window: u64) {
        let (mut told, step) = (0, (window / 2).max(1));
        self.state().got = 0;
        let buffers = window as usize + 1;
        if self.state().buffers.len() != buffers {
            self.state().buffers = vec![Vec::new(); buffers];
        }
        while told < count.div_ceil(step) {
            self.progress();
            let got = self.state().got;
            let due = if got >= count { count.div_ceil(step) } else { got / step };
            while told < due {
                self.send(&[0; 8]);
                told += 1;
            }
        }
        while self.state().pending > 0 {
            self.progress();
        }
    }
}
