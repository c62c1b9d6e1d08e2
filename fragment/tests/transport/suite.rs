//! The suite over every transport of podwire.

use std::{process::Command, sync::Arc, time::Duration};

use podwire_fastio::{ChannelOptions, Doorbell, FastIoContext};
use podwire_fragment::{
    Message,
    transport::{
        FastIoTransport, Link, LinkError, Transport,
        conformance::{self, Pair, Suite},
        newest, receive,
    },
};

/// How a process of the suite opens its transport.
const TRANSPORT: &str = "PODWIRE_TEST_TRANSPORT";

#[test]
fn play() {
    conformance::play(|| {
        let how = std::env::var(TRANSPORT).unwrap();
        match how.split_once(' ').unwrap() {
            ("fastio", pipeline) => Arc::new(FastIoTransport::new(FastIoContext::open(pipeline).unwrap())),
            #[cfg(feature = "distributed")]
            ("zenoh", address) => Arc::new(over_zenoh::client(address)),
            _ => panic!("{how}"),
        }
    });
}

fn process(how: String) -> impl FnMut() -> Command + Send {
    move || {
        let mut command = conformance::test_process("suite::play");
        command.env(TRANSPORT, &how);
        command
    }
}

/// A value of 1 GiB if the shared memory has room for it beside what other tests have there.
fn largest() -> usize {
    let folder = std::env::var("PODWIRE_SHM_DIR").unwrap_or_else(|_| "/dev/shm".into());
    let free = rustix::fs::statvfs(folder).map_or(0, |found| found.f_bavail * found.f_frsize);
    if free >= 3 << 30 { 1 << 30 } else { 64 << 20 }
}

#[test]
fn fast_io_keeps_the_contract() {
    let pipeline = format!("transport-{}", std::process::id());
    let context = FastIoContext::open(&pipeline).unwrap();
    let suite = Suite::over(Pair::of(Arc::new(FastIoTransport::new(context.clone()))));
    let garbage = move |link: &Link, bytes: &[u8]| {
        let options = ChannelOptions::new().capacity(link.capacity);
        context.sender(&link.name, &options).unwrap().send(bytes).unwrap();
    };
    let suite = suite.largest(largest()).processes(process(format!("fastio {pipeline}"))).garbage(garbage);
    let report = suite.run();
    FastIoContext::remove(&pipeline).unwrap();
    println!("{report}");
    report.assert();
}

#[test]
fn an_end_that_keeps_the_newest_never_says_full_and_counts_what_it_dropped() {
    let pipeline = format!("newest-{}", std::process::id());
    let transport = FastIoTransport::new(FastIoContext::open(&pipeline).unwrap());
    let (link, bell) = (Link::new("a.out>b.in", 4), Doorbell::new());
    let mut sender = newest(&transport, &link).unwrap();
    for number in 0..1000_u64 {
        sender.try_send(&Message::new(number)).unwrap();
    }
    let mut receiver = transport.receiver(&Link { capacity: 1, ..link }, &bell).unwrap();
    sender.close();
    let mut received: Vec<u64> = Vec::new();
    loop {
        match receive(&mut *receiver, &bell, Duration::from_secs(30)) {
            Ok(message) => received.push(*message.unwrap().received().unwrap()),
            Err(LinkError::Closed { .. }) => break,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(received.is_sorted() && received.ends_with(&[996, 997, 998, 999]), "{received:?}");
    let traffic = sender.traffic();
    assert_eq!((traffic.sent, traffic.received), (1000, received.len() as u64));
    assert_eq!(traffic.dropped, 1000 - received.len() as u64);
    drop((sender, receiver, transport));
    FastIoContext::remove(&pipeline).unwrap();
}

#[test]
fn an_end_that_keeps_the_newest_and_is_dropped_leaves_no_thread_and_logs_what_was_not_said() {
    struct NoCodec;
    let pipeline = format!("newest-end-{}", std::process::id());
    let transport = FastIoTransport::new(FastIoContext::open(&pipeline).unwrap());
    let (link, bell) = (Link::new("a.out>b.in", 4), Doorbell::new());
    let mut receiver = transport.receiver(&Link { capacity: 1, ..link.clone() }, &bell).unwrap();
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let mut sender = newest(&transport, &link).unwrap();
        sender.try_send(&Message::new(NoCodec)).unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while sender.traffic().dropped == 0 {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
        let said = sender.try_send(&Message::new(1_u64));
        assert!(matches!(said, Err(LinkError::Codec { .. })), "{said:?}");
        assert!(log.0.lock().unwrap().is_empty());
        sender.try_send(&Message::new(NoCodec)).unwrap();
        sender.close();
        assert!(matches!(sender.try_send(&Message::new(1_u64)), Err(LinkError::Closed { .. })));
    });
    // It has been closed by the time that it is dropped: nobody works in the background any more.
    assert!(matches!(receiver.try_receive(), Err(LinkError::Closed { .. })));
    assert_eq!(log.0.lock().unwrap().len(), 1);
    drop((receiver, transport));
    FastIoContext::remove(&pipeline).unwrap();
}

/// Notes what is logged by this thread.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<String>>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "podwire::fragment"
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn event(&self, event: &tracing::Event<'_>) {
        self.0.lock().unwrap().push(event.metadata().name().to_owned());
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[cfg(feature = "distributed")]
pub(crate) mod over_zenoh {
    use podwire_fragment::transport::zenoh::{SessionSettings, ZenohTransport, session};
    use zenoh::Wait;

    use super::*;

    const PREFIX: &str = "podwire/suite/1";

    pub(crate) fn open(mode: &str, listen: &[&str], connect: &[&str]) -> zenoh::Session {
        let list = |addresses: &[&str]| addresses.iter().map(|address| (*address).to_owned()).collect();
        let (listen, connect) = (list(listen), list(connect));
        // A busy machine is silent for long while 1 GiB goes through it.
        let further = vec![("transport/link/tx/lease".to_owned(), "60000".to_owned())];
        session(&SessionSettings {
            mode: mode.into(),
            listen,
            connect,
            further,
            ..SessionSettings::default()
        })
        .unwrap()
    }

    pub(super) fn client(address: &str) -> ZenohTransport {
        ZenohTransport::new(open("client", &[], &[address]), PREFIX).unwrap()
    }

    /// An address that nobody has now.
    pub(crate) fn free_address() -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("tcp/{}", listener.local_addr().unwrap())
    }

    fn garbage(session: zenoh::Session) -> impl FnMut(&Link, &[u8]) + Send {
        move |link, bytes| {
            session.put(format!("{PREFIX}/link/{}/data", link.name), bytes).wait().unwrap();
        }
    }

    #[test]
    fn zenoh_keeps_the_contract_between_two_peers() {
        let address = free_address();
        let listening = open("peer", &[&address], &[]);
        let receiving = Arc::new(ZenohTransport::new(listening, PREFIX).unwrap());
        let connected = open("peer", &[], &[&address]);
        let sending = Arc::new(ZenohTransport::new(connected.clone(), PREFIX).unwrap());
        let suite = Suite::over(Pair { sending, receiving }).messages_die_with_their_sender();
        let suite = suite.largest(1 << 30).processes(process(format!("zenoh {address}")));
        let report = suite.garbage(garbage(connected)).run();
        println!("{report}");
        report.assert();
    }

    #[test]
    fn zenoh_keeps_the_contract_between_clients_of_a_router() {
        let address = free_address();
        let _router = open("router", &[&address], &[]);
        let [sending, receiving] = [(), ()].map(|()| Arc::new(client(&address)) as Arc<dyn Transport>);
        let suite = Suite::over(Pair { sending, receiving }).messages_die_with_their_sender();
        suite.processes(process(format!("zenoh {address}"))).run().assert();
    }
}
