//! What can be chosen when the UCX transport is opened.
//!
//! The invariant: everything here is given to UCX when it starts, and nothing by the environment.

use std::{fmt, sync::Arc, time::Duration};

use super::{Detour, UcxError};

type Listener = dyn Fn(&str, &UcxError) + Send + Sync;

/// Who is told that a receiver is not reached.
#[derive(Clone, Default)]
pub(super) struct Tell(Option<Arc<Listener>>);

impl Tell {
    pub(super) fn tell(&self, link: &str, why: &UcxError) {
        if let Some(tell) = &self.0 {
            tell(link, why);
        }
    }
}

impl fmt::Debug for Tell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Tell").field(&self.0.is_some()).finish()
    }
}

/// The way around UCX, if there is one.
#[derive(Clone, Default)]
pub(super) struct Around(pub(super) Option<Arc<dyn Detour>>);

impl fmt::Debug for Around {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Around").field(&self.0.is_some()).finish()
    }
}

/// How UCX is to be used.
///
/// ```
/// use podwire_fragment::transport::UcxOptions;
/// use std::time::Duration;
///
/// let options = UcxOptions::new().transports("tcp").devices("eth1").notice(Duration::from_millis(100));
/// ```
#[derive(Clone, Debug)]
pub struct UcxOptions {
    transports: Option<String>,
    devices: Option<String>,
    notice: Duration,
    pub(super) patience: Duration,
    pub(super) process: String,
    pub(super) unreachable: Tell,
    pub(super) lasting: bool,
    pub(super) detour: Around,
    pub(super) eager: u64,
    pub(super) kept: usize,
    more: Vec<(String, String)>,
}

impl Default for UcxOptions {
    fn default() -> Self {
        Self {
            transports: None,
            devices: None,
            notice: Duration::from_millis(200),
            patience: Duration::from_secs(10),
            process: format!("process {}", std::process::id()),
            unreachable: Tell::default(),
            lasting: false,
            detour: Around::default(),
            eager: 128 << 10,
            kept: 512 << 20,
            more: Vec::new(),
        }
    }
}

impl UcxOptions {
    /// What is best for most: every transport and device that UCX finds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The transports that UCX may use, with commas between: `tcp`, `shm`, `rc`, ...; UCX calls it `TLS`.
    #[must_use]
    pub fn transports(mut self, names: impl Into<String>) -> Self {
        self.transports = Some(names.into());
        self
    }

    /// The network devices that UCX may use, with commas between: `eth0`, `mlx5_0:1`; UCX calls it `NET_DEVICES`.
    #[must_use]
    pub fn devices(mut self, names: impl Into<String>) -> Self {
        self.devices = Some(names.into());
        self
    }

    /// How long it may take until it is noticed that a process of the same host died whose memory is shared. Default:
    /// 200 ms. Over TCP the system says so at once.
    #[must_use]
    pub fn notice(mut self, time: Duration) -> Self {
        self.notice = time;
        self
    }

    /// How long a receiver that the directory has may not answer before its senders are told that UCX does not lead there:
    /// [`UcxError::Unreachable`]. It is tried all the same, and they go on should it answer.
    /// A connection on which nothing is heard for as long counts as broken. Default: 10 seconds.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// What others are to call this process in errors: its host and where it is. Default: `process 4711`.
    #[must_use]
    pub fn process(mut self, name: impl Into<String>) -> Self {
        self.process = name.into();
        self
    }

    /// Calls this with the link and the error when its sender is to be told [`UcxError::Unreachable`], also where it sends
    /// nothing more that could say so. It is called by the thread that drives UCX, and must not wait.
    #[must_use]
    pub fn when_unreachable(mut self, tell: impl Fn(&str, &UcxError) + Send + Sync + 'static) -> Self {
        self.unreachable = Tell(Some(Arc::new(tell)));
        self
    }

    /// The directory takes away what a process placed that died: a connection that breaks while it is there is no death, and
    /// neither end says so.
    #[cfg(feature = "distributed")]
    pub(crate) fn lasting(mut self) -> Self {
        self.lasting = true;
        self
    }

    /// Where UCX does not lead, or no longer, links go this way from then on.
    #[cfg(feature = "distributed")]
    pub(crate) fn detour(mut self, way: Arc<dyn Detour>) -> Self {
        self.detour = Around(Some(way));
        self
    }

    /// Messages longer than this many bytes wait until the receiver has a place for them, and then go there. Default:
    /// 128 KiB.
    #[must_use]
    pub fn eager(mut self, bytes: usize) -> Self {
        self.eager = bytes.min(512 << 10) as u64;
        self
    }

    /// How many bytes of memory for received messages are kept to be used again. Default: 512 MiB.
    #[must_use]
    pub fn kept(mut self, bytes: usize) -> Self {
        self.kept = bytes;
        self
    }

    /// Any other setting of UCX, without `UCX_`: the last one of a name counts, also before those that this type knows.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.more.push((name.into(), value.into()));
        self
    }

    /// What UCX is told.
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let fixed = [
            // Workers of UCX 1.13 and of 1.22 do not find each other otherwise.
            ("CM_USE_ALL_DEVICES", "n"),
            // From 8 and 64 KiB: large messages are 1.5 to 3 times as fast.
            ("TCP_TX_SEG_SIZE", "128K"),
            ("TCP_RX_SEG_SIZE", "128K"),
            // From 8 KiB, in pieces of which longer messages are put together again, which is one more copy: messages that go
            // together fit into one piece, and half as many of them lie ready.
            ("MM_SEG_SIZE", "33K"),
            ("MM_FIFO_SIZE", "128"),
            // Otherwise the thread that drives UCX waits for whoever does not answer, and everybody else for it.
            ("TCP_CONN_NB", "y"),
            // A second and two more: then it is tried anew.
            ("TCP_SYN_CNT", "1"),
            // Without it, shared memory does not tell that a process died, and is not used where that matters.
            ("MM_ERROR_HANDLING", "y"),
        ];
        let mut settings: Vec<_> =
            fixed.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        settings.push(("KEEPALIVE_INTERVAL".into(), format!("{}us", self.notice.as_micros().max(1))));
        settings.push(("TCP_USER_TIMEOUT".into(), format!("{}ms", self.patience.as_millis().max(1))));
        let chosen = [("TLS", &self.transports), ("NET_DEVICES", &self.devices)];
        settings
            .extend(chosen.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))));
        settings.extend(self.more.iter().cloned());
        settings
    }
}
