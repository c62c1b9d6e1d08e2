//! Links between hosts: each is a pair of keys of a Zenoh session, one for frames and one for what was received.
//!
//! Not here: membership and placement, which share the session. Invariant: what Zenoh calls never waits, neither for the
//! network nor for an operator; whatever has to be put in answer is put by a thread of its own.
//!
//! | file | what is in it |
//! |---|---|
//! | `frame` | the header of a frame |
//! | `body` | a message as the bytes behind it, and back |
//! | `keys` | the keys of a link |
//! | `sending`, `receiving` | the two ends |
//! | `session` | opening a session that listens only where it is told |

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use podwire_fastio::Doorbell;
use zenoh::{Session, Wait, bytes::ZBytes, pubsub::Publisher, qos::CongestionControl};

use super::{Link, LinkError, ReceiveEnd, SendEnd, Transport};

mod body;
mod frame;
mod keys;
mod receiving;
mod sending;
mod session;

pub use frame::FrameError;
pub use session::{SessionSettings, session};

use receiving::Receiving;
use sending::Sending;

/// How long a hello waits for its answer before it is said again; each time twice as long, up to a second.
const HELLO: Duration = Duration::from_millis(50);

/// Links over a Zenoh session, between processes that reach each other by it, on whatever hosts.
///
/// Messages that were sent and not received are kept by the sender's process: a receiver that comes back, or comes
/// late, gets them, and a sender that is killed takes them with it.
#[derive(Clone)]
pub struct ZenohTransport {
    inner: Arc<Inner>,
}

/// What all ends share.
struct Inner {
    session: Session,
    prefix: String,
    jobs: Mutex<Sender<Job>>,
    /// Senders that were closed before everything was received.
    lingering: Mutex<Vec<sending::Declared>>,
    reaped: Condvar,
    refused: AtomicU64,
}

/// What is done by a thread of its own, because it may wait for the network.
enum Job {
    /// Tell a receiver where the messages begin, and send it what it does not have.
    SendAgain(Arc<sending::Shared>, u64),
    /// Say hello to a sender, again and again until it answers.
    Hello(Weak<receiving::Shared>, u64),
    /// Let go of closed senders whose messages were all received.
    Reap,
}

impl ZenohTransport {
    /// Links whose keys begin with this prefix, such as `podwire/NAME/RUN`: the same in all processes of an application.
    ///
    /// # Errors
    /// What the system says if no thread can be started.
    pub fn new(session: Session, prefix: &str) -> std::io::Result<Self> {
        let (jobs, list) = channel();
        let inner = Arc::new(Inner {
            session,
            prefix: prefix.into(),
            jobs: Mutex::new(jobs),
            lingering: Mutex::default(),
            reaped: Condvar::new(),
            refused: AtomicU64::new(0),
        });
        let work = Arc::downgrade(&inner);
        // It ends when the transport and all its ends are gone.
        std::thread::Builder::new().name("podwire-zenoh".into()).spawn(move || do_jobs(&work, &list))?;
        Ok(Self { inner })
    }

    /// How much came on the keys of links that was no frame: somebody writes there who has no end of them. It is ignored.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.inner.refused.load(Relaxed)
    }
}

impl std::fmt::Debug for ZenohTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZenohTransport").field("prefix", &self.inner.prefix).finish_non_exhaustive()
    }
}

impl Transport for ZenohTransport {
    fn name(&self) -> &'static str {
        "zenoh"
    }

    fn sender(&self, link: &Link, bell: &Doorbell) -> Result<Box<dyn SendEnd>, LinkError> {
        let opened = Sending::open(&self.inner, link, bell);
        Ok(Box::new(opened.map_err(|error| LinkError::transport(&*link.name, error))?))
    }

    fn receiver(&self, link: &Link, bell: &Doorbell) -> Result<Box<dyn ReceiveEnd>, LinkError> {
        let opened = Receiving::open(&self.inner, link, bell);
        Ok(Box::new(opened.map_err(|error| LinkError::transport(&*link.name, error))?))
    }

    fn flush(&self, timeout: Duration) -> u64 {
        let lingering = self.inner.lingering.lock().unwrap_or_else(PoisonError::into_inner);
        let waited =
            self.inner.reaped.wait_timeout_while(lingering, timeout, |lingering| !lingering.is_empty());
        let (lingering, _) = waited.unwrap_or_else(PoisonError::into_inner);
        lingering.iter().map(|declared| declared.shared.kept() as u64).sum()
    }
}

impl Inner {
    /// Something on the keys of a link is no frame of it.
    fn refuse(&self, link: &str, why: &FrameError) {
        self.refused.fetch_add(1, Relaxed);
        tracing::debug!(target: "podwire::fragment", link, %why, "what came is ignored");
    }

    fn jobs(&self) -> Sender<Job> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what is declared for a closed sender until everything was received.
    fn linger(&self, declared: sending::Declared) {
        self.lingering.lock().unwrap_or_else(PoisonError::into_inner).push(declared);
        // The last of it may have been received meanwhile.
        let _ = self.jobs().send(Job::Reap);
    }

    fn reap(&self) {
        let done: Vec<_> = {
            let mut lingering = self.lingering.lock().unwrap_or_else(PoisonError::into_inner);
            lingering.extract_if(.., |declared| declared.shared.kept() == 0).collect()
        };
        drop(done);
        self.reaped.notify_all();
    }
}

/// A hello that was not answered yet.
struct Waiting {
    link: Weak<receiving::Shared>,
    sender: u64,
    due: Instant,
    /// How often it was said.
    times: u32,
}

fn do_jobs(inner: &Weak<Inner>, jobs: &Receiver<Job>) {
    let mut hellos: Vec<Waiting> = Vec::new();
    loop {
        let now = Instant::now();
        let next = hellos.iter().map(|hello| hello.due.saturating_duration_since(now)).min();
        let job = match next {
            Some(time) => jobs.recv_timeout(time),
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match job {
            Ok(Job::SendAgain(sending, receiver)) => sending.send_again(receiver),
            Ok(Job::Hello(link, sender)) => {
                // A link says one, however often its sender gives a reason.
                hellos.retain(|hello| !hello.link.ptr_eq(&link));
                hellos.push(Waiting { link, sender, due: now, times: 0 });
            }
            Ok(Job::Reap) => inner.upgrade().iter().for_each(|inner| inner.reap()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Instant::now();
        hellos.retain_mut(|hello| {
            if hello.due > now {
                return true;
            }
            let times = hello.times;
            hello.due = now + (HELLO * (1 << times)).min(Duration::from_secs(1));
            hello.times = (times + 1).min(10);
            // A link whose transport is gone is gone as well.
            let link = hello.link.upgrade().zip(inner.upgrade());
            link.is_some_and(|(link, inner)| link.say_hello(hello.sender, times, &inner.jobs()))
        });
    }
}

/// Numbers of openings: later ones are larger, and no two are the same.
fn opening() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64);
    let last = LAST.update(Relaxed, Relaxed, |last| now.max(last + 1));
    now.max(last + 1)
}

/// Who puts the frames of an end: in order, and waiting for the network rather than losing one.
fn publisher(session: &Session, key: String) -> zenoh::Result<Publisher<'static>> {
    session.declare_publisher(key).congestion_control(CongestionControl::Block).wait()
}

/// As much of a frame as a header has, or all of it.
fn start_of(frame: &ZBytes) -> Vec<u8> {
    let bytes = frame.slices().flat_map(|slice| slice.iter().copied());
    bytes.take(frame::HEADER).collect()
}
