//! UCX keeps the contract of transports, over TCP and over shared memory, and survives what case 96 does to it.
#![cfg(all(feature = "ucx", feature = "conformance"))]

mod killed;
mod strangers;
mod turns;

use std::{path::PathBuf, sync::Arc, time::Duration};

use podwire_fastio::Doorbell;
use podwire_fragment::{
    Message,
    transport::{
        self, Directory, FolderDirectory, Link, LinkError, ReceiveEnd, SendEnd, Stranger, Transport,
        UcxError, UcxOptions, UcxTransport,
        conformance::{self, Pair, Suite},
    },
};

/// Which folder and which transports of UCX a process of the tests has.
const FOLDER: &str = "PODWIRE_TEST_FOLDER";
const TLS: &str = "PODWIRE_TEST_TLS";
const LONG: Duration = Duration::from_secs(30);
const TCP: &str = "tcp";
const SHARED: &str = "posix,sysv,cma,self";

/// A folder that is a directory of links, for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        Self(std::env::temp_dir().join(format!("podwire-ucx-{test}-{}", std::process::id())))
    }

    fn directory(&self) -> Arc<FolderDirectory> {
        Arc::new(FolderDirectory::new(&self.0).unwrap())
    }

    fn transport(&self, tls: &str) -> Arc<UcxTransport> {
        Arc::new(UcxTransport::open(&options(tls), self.directory()).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn options(tls: &str) -> UcxOptions {
    UcxOptions::new().transports(tls).notice(Duration::from_millis(50))
}

#[test]
fn play() {
    conformance::play(|| {
        let directory = FolderDirectory::new(std::env::var(FOLDER).unwrap()).unwrap();
        let transport = UcxTransport::open(&options(&std::env::var(TLS).unwrap()), Arc::new(directory));
        Arc::new(transport.unwrap()) as Arc<dyn Transport>
    });
}

fn keeps_the_contract(tls: &'static str, folder: &Folder) {
    let pair = Pair { sending: folder.transport(tls), receiving: folder.transport(tls) };
    let path = folder.0.clone();
    let processes = move || {
        let mut command = conformance::test_process("play");
        command.env(FOLDER, &path).env(TLS, tls);
        command
    };
    let directory = folder.directory();
    let garbage = move |link: &Link, bytes: &[u8]| {
        let mut stranger = welcomed(tls, &*directory, link);
        let header = stranger.header(3, 1, 1, bytes.len() as u64, bytes.len());
        stranger.send(None, header, 48, bytes.to_vec(), bytes.len() > 1000).unwrap();
        let mut header = [0; 48];
        let known = bytes.len().min(48);
        header[..known].copy_from_slice(&bytes[..known]);
        stranger.send(None, header, known, bytes.to_vec(), false).unwrap();
        stranger.work(LONG, Stranger::is_idle);
    };
    let suite = Suite::over(pair).messages_die_with_their_sender().largest(1 << 30);
    let report = suite.processes(processes).garbage(garbage).run();
    println!("{report}");
    report.assert();
}

/// One who has greeted the receiver of a link as a sender does, and was welcomed.
fn welcomed(tls: &str, directory: &dyn Directory, link: &Link) -> Stranger {
    let mut stranger = Stranger::new(&options(tls), &directory.lookup(&link.name).unwrap()).unwrap();
    directory.publish(&Stranger::name(), &stranger.entry().unwrap()).unwrap();
    greet(&mut stranger, 1, link.capacity);
    stranger.work(LONG, |stranger| stranger.heard(2));
    assert!(stranger.heard(2), "it was not welcomed");
    stranger
}

/// Greets as a sender whose first message has this number.
fn greet(stranger: &mut Stranger, number: u64, capacity: usize) {
    let body = Stranger::greeting();
    let hello = stranger.header(1, 0, number, capacity as u64, body.len());
    stranger.send(None, hello, 48, body, false).unwrap();
}

#[test]
fn over_tcp_it_keeps_the_contract() {
    keeps_the_contract(TCP, &Folder::new("tcp"));
}

#[test]
fn over_shared_memory_it_keeps_the_contract() {
    keeps_the_contract(SHARED, &Folder::new("shared"));
}

/// A receiving end with its bell.
struct Rx(Box<dyn ReceiveEnd>, Doorbell);

impl Rx {
    fn open(transport: &dyn Transport, link: &Link) -> Self {
        let bell = Doorbell::new();
        Self(transport.receiver(link, &bell).unwrap(), bell)
    }

    fn next(&mut self) -> Result<Message, LinkError> {
        transport::receive(&mut *self.0, &self.1, LONG).map(|message| message.expect("something within time"))
    }

    fn number(&mut self) -> u64 {
        *self.next().unwrap().received::<u64>().unwrap()
    }

    fn error(&mut self) -> LinkError {
        self.next().expect_err("an error was to come")
    }
}

/// A sending end with its bell.
struct Tx(Box<dyn SendEnd>, Doorbell);

impl Tx {
    fn open(transport: &dyn Transport, link: &Link) -> Self {
        let bell = Doorbell::new();
        Self(transport.sender(link, &bell).unwrap(), bell)
    }

    fn send(&mut self, message: &Message) -> Result<(), LinkError> {
        transport::send(&mut *self.0, message, &self.1, LONG)
    }
}

fn ucx(error: &LinkError) -> Option<&UcxError> {
    match error {
        LinkError::Transport { source, .. } => source.downcast_ref(),
        _ => None,
    }
}
