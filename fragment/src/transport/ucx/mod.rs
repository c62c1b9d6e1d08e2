//! Links between hosts by UCX: arrays go from where they lie to where they are received, and nowhere between.
//!
//! Not here: which host a receiver is on, which a [`Directory`] says. Invariant: UCX is called by one thread, which waits
//! for nobody; the ends of links and that thread meet in queues that the links' capacities bound.
//!
//! | file | what is in it |
//! |---|---|
//! | `sending`, `receiving` | the ends of links, and what waits in them |
//! | `hub`, `engine` | the thread that drives UCX, and what it is told |
//! | `wire` | what the two sides say to each other |
//! | `detour` | the way around UCX |
//! | `closed` | links whose sender is done |
//! | `memory` | the buffers that messages are received into |
//! | `ffi` | UCX itself: the unsafe room |

use std::{
    hash::{BuildHasher, Hasher},
    sync::{Arc, Weak, atomic::Ordering, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use podwire_fastio::Doorbell;

use super::{Directory, Link, LinkError, ReceiveEnd, SendEnd, Transport};

mod closed;
mod detour;
mod engine;
mod error;
mod ffi;
mod folder;
mod hub;
mod memory;
mod options;
mod receiving;
mod sending;
#[cfg(feature = "conformance")]
mod stranger;
mod wire;

pub use error::UcxError;
pub use folder::FolderDirectory;
pub use hub::Refused;
pub use options::UcxOptions;
#[cfg(feature = "conformance")]
pub use stranger::Stranger;

pub(crate) use detour::Detour;
#[cfg(feature = "distributed")]
pub(crate) use detour::Ear;
use engine::Engine;
use hub::{Command, Hub};
use receiving::{Inbox, Receiving};
use sending::{Outbox, Sending};

/// UCX: RDMA where there is such hardware, TCP and shared memory everywhere.
///
/// A message that was sent waits in the sender's process until the receiver's `try_receive` has returned it, so that a
/// receiver that comes back, or another one, gets what the last one did not; with its sender's process it is lost. Arrays
/// are read where they lie when they are sent, and written once where they are received, in memory that 64 divides.
///
/// UCX neither encrypts nor asks who is there: it is for networks whose hosts trust each other.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use podwire_fastio::Doorbell;
/// use podwire_fragment::{Message, transport::{self, FolderDirectory, Link, Transport, UcxOptions, UcxTransport}};
///
/// # let folder = std::env::temp_dir().join(format!("podwire-ucx-{}", std::process::id()));
/// let directory = Arc::new(FolderDirectory::new(&folder)?); // in an application: its control plane
/// let transport = UcxTransport::open(&UcxOptions::new(), directory)?;
/// let (link, bell) = (Link::new("camera.out>screen.in", 4), Doorbell::new());
/// let mut sender = transport.sender(&link, &bell)?;
/// sender.try_send(&Message::new(vec![0.5_f32; 3]))?;
///
/// // In another process, perhaps on another host:
/// let mut receiver = transport.receiver(&link, &bell)?;
/// let message = transport::receive(&mut *receiver, &bell, Duration::from_secs(10))?.expect("it was sent");
/// assert_eq!(message.received::<Vec<f32>>()?[2], 0.5);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct UcxTransport {
    running: Arc<Running>,
    address: Vec<u8>,
    process: String,
}

/// The thread that drives UCX, and the one that tells of closed links; they end with the transport and the last end, one after
/// the other.
struct Running {
    hub: Arc<Hub>,
    directory: Arc<dyn Directory>,
    threads: Vec<JoinHandle<()>>,
    /// Under which name the directory has the address of the worker, and as what.
    name: String,
    entry: Vec<u8>,
}

impl UcxTransport {
    /// Starts UCX, and a thread that drives it, and makes its address known to the directory.
    ///
    /// # Errors
    /// [`UcxError::Setting`] if UCX refuses an option, [`UcxError::Engine`] if it does not start (no such transport or
    /// device, for one), [`UcxError::Thread`], [`UcxError::Directory`].
    pub fn open(options: &UcxOptions, directory: Arc<dyn Directory>) -> Result<Self, UcxError> {
        let (news, heard) = mpsc::channel();
        let hub = Arc::new(Hub::new(news)?);
        let (told, answer) = mpsc::sync_channel(1);
        let me = new_id();
        let parts = (options.clone(), Arc::clone(&hub), Arc::clone(&directory));
        // The worker is made in the thread that drives it, and stays there.
        let thread = std::thread::Builder::new().name("podwire-ucx".into()).spawn(move || {
            let (options, hub, directory) = parts;
            match Engine::open(&options, me, hub, directory) {
                Ok(engine) => {
                    let _ = told.send(Ok(engine.address().to_vec()));
                    engine.run();
                }
                Err(error) => {
                    let _ = told.send(Err(error));
                }
            }
        });
        let thread = thread.map_err(|error| UcxError::Thread(error.kind()))?;
        let address = answer.recv().map_err(|_| UcxError::Thread(std::io::ErrorKind::Other))??;
        let watched: Weak<Hub> = Arc::downgrade(&hub);
        directory.watch(Box::new(move || {
            if let Some(hub) = watched.upgrade() {
                hub.directory_changed.store(true, Ordering::SeqCst);
                hub.wake();
            }
        }));
        let process = options.process.clone();
        let entry = wire::Entry { id: me, address: address.clone(), process: process.clone() }.to_bytes();
        let listed = Arc::clone(&directory);
        let telling = std::thread::Builder::new().name("podwire-closed".into());
        let telling = telling.spawn(move || closed::tell(me, &listed, &heard));
        let name = wire::worker_name(me);
        let mut running = Running { hub, directory, threads: vec![thread], name, entry };
        running.threads.push(telling.map_err(|error| UcxError::Thread(error.kind()))?);
        let published = running.directory.publish(&running.name, &running.entry);
        published.map_err(|error| UcxError::Directory(error.to_string()))?;
        Ok(Self { running: Arc::new(running), address, process })
    }

    /// What came for none of the links, or was no message: broken or foreign senders.
    #[must_use]
    pub fn refused(&self) -> Refused {
        self.running.hub.refused()
    }
}

impl Transport for UcxTransport {
    fn name(&self) -> &'static str {
        "ucx"
    }

    fn sender(&self, link: &Link, bell: &Doorbell) -> Result<Box<dyn SendEnd>, LinkError> {
        let outbox = Arc::new(Outbox::new(new_id(), link.clone(), bell.clone()));
        self.running.hub.comes(&outbox);
        self.running.hub.tell(Command::Sender(Arc::clone(&outbox)));
        Ok(Box::new(Sending { outbox, running: Arc::clone(&self.running), room: 0 }))
    }

    fn receiver(&self, link: &Link, bell: &Doorbell) -> Result<Box<dyn ReceiveEnd>, LinkError> {
        let id = new_id();
        let inbox = Arc::new(Inbox::new(id, link.clone(), bell.clone()));
        let (address, process) = (self.address.clone(), self.process.clone());
        let entry = wire::Entry { id, address, process }.to_bytes();
        // First, so that the end is there when the first sender comes.
        self.running.hub.tell(Command::Receiver(Arc::clone(&inbox)));
        let receiving = Receiving { inbox, running: Arc::clone(&self.running), entry, hand: None };
        match self.running.directory.publish(&link.name, &receiving.entry) {
            Ok(()) => Ok(Box::new(receiving)),
            Err(error) => Err(LinkError::transport(&*link.name, UcxError::Directory(error.to_string()))),
        }
    }

    fn flush(&self, timeout: Duration) -> u64 {
        self.running.hub.flush(timeout)
    }
}

impl std::fmt::Debug for UcxTransport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("UcxTransport").field("refused", &self.refused()).finish_non_exhaustive()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.directory.withdraw(&self.name, &self.entry);
        self.hub.stop.store(true, Ordering::SeqCst);
        self.hub.wake();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
            // After all that the first one had to tell.
            self.hub.is_over();
        }
    }
}

/// A number that no other end has, in any process; not 0.
fn new_id() -> u64 {
    std::hash::RandomState::new().build_hasher().finish() | 1
}
