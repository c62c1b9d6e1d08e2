//! UCX keeps the contract of transports, over TCP and over shared memory, and survives what case 96 does to it.
#![cfg(all(feature = "ucx", feature = "conformance"))]

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use podwire_codec_core::Bulk;
use podwire_fastio::Doorbell;
use podwire_fragment::{
    Message,
    transport::{
        self, Directory, FolderDirectory, Link, LinkError, Peer, ReceiveEnd, SendEnd, Stranger, Transport,
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

/// The link goes on: another sender comes, and what it sends is received.
fn goes_on(sending: &dyn Transport, rx: &mut Rx, link: &Link) {
    let mut tx = Tx::open(sending, link);
    tx.send(&Message::new(7_u64)).unwrap();
    let deadline = Instant::now() + LONG;
    loop {
        match rx.next() {
            Ok(message) => break assert_eq!(*message.received::<u64>().unwrap(), 7),
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

#[test]
fn case_96_unknown_message_numbers_are_nothing() {
    let folder = Folder::new("unknown");
    for tls in [TCP, SHARED] {
        let (transport, link) = (folder.transport(tls), Link::new("a.out>b.in", 4));
        let mut rx = Rx::open(&*transport, &link);
        let mut stranger = welcomed(tls, &*folder.directory(), &link);
        let header = stranger.header(3, 1, 1, 100, 100);
        for (number, length, waits) in [(0, 100, false), (7, 100, true), (u16::MAX, 100_000, true)] {
            stranger.send(Some(number), header, 48, vec![1; length], waits).unwrap();
        }
        stranger.work(LONG, Stranger::is_idle);
        assert!(rx.0.try_receive().unwrap().is_none());
        drop(stranger);
        goes_on(&*folder.transport(tls), &mut rx, &link);
    }
}

#[test]
fn case_96_truncated_messages_are_typed_errors() {
    let folder = Folder::new("truncated");
    for tls in [TCP, SHARED] {
        let (transport, link) = (folder.transport(tls), Link::new("a.out>b.in", 4));
        let mut rx = Rx::open(&*transport, &link);
        let mut stranger = welcomed(tls, &*folder.directory(), &link);
        // The header is cut off: whom it is for is known from its 16th byte on.
        for length in [0, 5, 20, 47] {
            let header = stranger.header(3, 1, 1, 10, 10);
            let before = transport.refused().count;
            stranger.send(None, header, length, vec![1; 10], length > 20).unwrap();
            stranger.work(LONG, |_| transport.refused().count > before);
            assert!(matches!(transport.refused().last, Some(UcxError::Header { .. })), "{length}");
            if length >= 16 {
                assert!(matches!(ucx(&rx.error()), Some(UcxError::Header { found, .. }) if *found == length));
            }
        }
        // The body is cut off, in all its forms.
        for (count, extra, promised, body, waits) in [
            (1, 10, 100, vec![1; 10], false),
            (1, 10, 1 << 40, vec![1; 100_000], true),
            (1, u64::MAX, 10, vec![1; 10], false),
            (2, 0, 10, vec![0xFF; 10], false),
            (3, 0, 5, vec![1, 0, 0, 0, 9], false),
            (2, 0, 100_000, vec![0; 100_000], true),
        ] {
            let what = format!("{count} of {promised}");
            let header = stranger.header(3, count, 1, extra, promised);
            stranger.send(None, header, 48, body, waits).unwrap();
            // The short messages before the one that is cut off are garbage, too.
            let due = |error: &UcxError| matches!(error, UcxError::Length { .. } | UcxError::Header { .. });
            let mut found = false;
            stranger.work(LONG, |_| {
                found = found || rx.0.try_receive().is_err_and(|error| ucx(&error).is_some_and(due));
                found
            });
            assert!(found, "{what}");
        }
        drop(stranger);
        goes_on(&*folder.transport(tls), &mut rx, &link);
    }
}

#[test]
fn case_96_both_ends_see_another_version() {
    let folder = Folder::new("version");
    let (transport, link) = (folder.transport(TCP), Link::new("a.out>b.in", 4));
    let mut rx = Rx::open(&*transport, &link);
    let directory = folder.directory();
    let entry = directory.lookup(&link.name).unwrap();
    let mut stranger = Stranger::new(&options(TCP), &entry).unwrap();
    let mut published = stranger.entry().unwrap();
    published[4] = 2;
    directory.publish(&Stranger::name(), &published).unwrap();
    let body = Stranger::greeting();
    let mut hello = stranger.header(1, 0, 1, 4, body.len());
    hello[4] = 2;
    stranger.send(None, hello, 48, body, false).unwrap();
    stranger.work(LONG, |stranger| stranger.heard(6));
    assert!(stranger.heard(6), "the sender was not told");
    let error = rx.error();
    assert!(matches!(ucx(&error), Some(UcxError::Version { found: 2, known: 1 })), "{error}");
    // A sender that finds a receiver of another version.
    let mut other = entry.clone();
    other[4] = 9;
    let far = Link::new("a.out>c.in", 4);
    directory.publish(&far.name, &other).unwrap();
    let mut tx = Tx::open(&*transport, &far);
    let deadline = Instant::now() + LONG;
    let error = loop {
        match tx.0.try_send(&Message::new(7_u64)) {
            Err(error @ LinkError::Transport { .. }) => break error,
            other => assert!(Instant::now() < deadline, "{other:?}"),
        }
        tx.1.wait(Some(Duration::from_millis(5)));
    };
    assert!(matches!(ucx(&error), Some(UcxError::Version { found: 9, known: 1 })), "{error}");
    drop(stranger);
    goes_on(&*transport, &mut rx, &link);
}

#[test]
fn case_96_what_the_directory_has_is_checked_before_ucx_sees_it() {
    let folder = Folder::new("address");
    let (transport, link) = (folder.transport(TCP), Link::new("a.out>b.in", 4));
    let directory = folder.directory();
    let mut tx = Tx::open(&*transport, &link);
    for garbage in
        [&b""[..], b"PWUA", &[0xFF; 300], b"PWUA\x01\0\0\0\x01\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0abcd"]
    {
        directory.publish(&link.name, garbage).unwrap();
        let deadline = Instant::now() + LONG;
        loop {
            match tx.0.try_send(&Message::new(0_u64)) {
                Err(error) if matches!(ucx(&error), Some(UcxError::Address { found, .. }) if *found == garbage.len()) =>
                {
                    break;
                }
                other => assert!(Instant::now() < deadline, "{other:?}"),
            }
            tx.1.wait(Some(Duration::from_millis(5)));
        }
    }
    // And once somebody is there, the link begins.
    let mut rx = Rx::open(&*transport, &link);
    while rx.number() != 7 {
        let _ = tx.0.try_send(&Message::new(7_u64));
    }
}

#[test]
fn case_96_an_address_that_comes_in_a_greeting_reaches_nobody() {
    let folder = Folder::new("greeting");
    for tls in [TCP, SHARED] {
        let (transport, link) = (folder.transport(tls), Link::new("a.out>b.in", 4));
        let mut rx = Rx::open(&*transport, &link);
        let directory = folder.directory();
        let mut stranger = Stranger::new(&options(tls), &directory.lookup(&link.name).unwrap()).unwrap();
        // With an address in it, of which nobody but UCX could tell that it is none; and with less than a number.
        let mut address = stranger.entry().unwrap();
        address.extend([0xFF; 100]);
        for body in [address, vec![0; 7], Vec::new()] {
            let before = transport.refused().count;
            let hello = stranger.header(1, 0, 1, 4, body.len());
            stranger.send(None, hello, 48, body, false).unwrap();
            stranger.work(LONG, |_| transport.refused().count > before);
        }
        // Who is not in the directory is not answered, until it is, with an address that is one.
        let refused = |stranger: &mut Stranger, due: fn(&UcxError) -> bool| {
            stranger.work(LONG, |_| transport.refused().last.is_some_and(|last| due(&last)));
            assert!(!stranger.heard(2), "it was answered");
        };
        greet(&mut stranger, 1, 4);
        refused(&mut stranger, |last| matches!(last, UcxError::UnknownWorker { worker: Stranger::ID }));
        for garbage in [&[0xFF; 300][..], &directory.lookup(&link.name).unwrap()] {
            directory.publish(&Stranger::name(), garbage).unwrap();
            greet(&mut stranger, 1, 4);
            refused(&mut stranger, |last| matches!(last, UcxError::Address { .. }));
            directory.withdraw(&Stranger::name(), garbage);
            greet(&mut stranger, 1, 4);
            refused(&mut stranger, |last| matches!(last, UcxError::UnknownWorker { .. }));
        }
        directory.publish(&Stranger::name(), &stranger.entry().unwrap()).unwrap();
        stranger.work(LONG, |stranger| stranger.heard(2));
        assert!(stranger.heard(2), "it is known, and was not answered");
        drop(stranger);
        goes_on(&*folder.transport(tls), &mut rx, &link);
    }
}

#[test]
fn case_96_numbers_near_the_last_one_are_typed_errors_at_both_ends() {
    let folder = Folder::new("numbers");
    let (transport, link) = (folder.transport(TCP), Link::new("a.out>b.in", 4));
    let mut rx = Rx::open(&*transport, &link);
    let directory = folder.directory();
    let mut stranger = Stranger::new(&options(TCP), &directory.lookup(&link.name).unwrap()).unwrap();
    directory.publish(&Stranger::name(), &stranger.entry().unwrap()).unwrap();
    let number = |error: Option<UcxError>| matches!(error, Some(UcxError::Number { .. }));
    for first in [0, u64::MAX / 2 + 1, u64::MAX - 1, u64::MAX] {
        let before = transport.refused().count;
        greet(&mut stranger, first, 4);
        stranger.work(LONG, |_| transport.refused().count > before);
        assert!(number(transport.refused().last), "{first}");
    }
    // The last one that is believed, and what comes after it.
    greet(&mut stranger, u64::MAX / 2, 4);
    stranger.work(LONG, |stranger| stranger.heard(2));
    for (count, first) in [(1, u64::MAX), (3, u64::MAX - 1), (3, u64::MAX), (2, 0)] {
        let before = transport.refused().count;
        let body = [5, 0, 0, 0, 1, 2, 3, 4, 5].repeat(count.into());
        let header = stranger.header(3, count, first, 1, body.len());
        stranger.send(None, header, 48, body, false).unwrap();
        stranger.work(LONG, |_| transport.refused().count >= before + u64::from(count));
        assert!(number(transport.refused().last), "{count} from {first}");
    }
    let close = stranger.header(5, 0, u64::MAX, 0, 0);
    stranger.send(None, close, 48, Vec::new(), false).unwrap();
    stranger.work(LONG, Stranger::is_idle);
    drop(stranger);
    assert!(matches!(rx.error(), LinkError::PeerDied { .. } | LinkError::Closed { .. }));
    goes_on(&*transport, &mut rx, &link);
}

#[test]
fn case_96_a_receiver_that_says_what_cannot_be_is_not_believed() {
    let folder = Folder::new("receiver");
    let (sending, directory) = (folder.transport(TCP), folder.directory());
    // The only one that there is.
    let worker = std::fs::read_dir(&folder.0).unwrap().next().unwrap().unwrap().file_name();
    let entry = directory.lookup(worker.to_str().unwrap()).unwrap();
    let (mut stranger, link) = (Stranger::new(&options(TCP), &entry).unwrap(), Link::new("a.out>b.in", 4));
    directory.publish(&link.name, &stranger.entry().unwrap()).unwrap();
    let mut tx = Tx::open(&*sending, &link);
    tx.send(&Message::new(1_u64)).unwrap();
    stranger.work(LONG, |stranger| stranger.heard(1));
    stranger.speak_to(stranger.heard_from(1).expect("it greets"));
    let mut say = |kind: u8, number: u64, extra: u64, done: &dyn Fn(&Stranger) -> bool| {
        let header = stranger.header(kind, 0, number, extra, 0);
        stranger.send(None, header, 48, Vec::new(), false).unwrap();
        stranger.work(LONG, done);
        assert!(done(&stranger), "{kind} with {number} and {extra}");
    };
    for number in [0, 3, u64::MAX] {
        let before = sending.refused().count;
        say(2, number, 0, &|_| sending.refused().count > before);
        assert!(matches!(sending.refused().last, Some(UcxError::Number { first: 1, last: 2, .. })));
    }
    say(2, 1, 0, &|stranger| stranger.heard(3));
    say(4, u64::MAX, u64::MAX, &|_| tx.0.traffic().settled > 0);
    let traffic = tx.0.traffic();
    assert_eq!((traffic.sent, traffic.received, traffic.settled), (1, 1, 1));
}

#[test]
fn case_96_a_sender_that_keeps_to_no_bounds_takes_bounded_memory() {
    let folder = Folder::new("bounds");
    let (transport, mut link) = (folder.transport(SHARED), Link::new("a.out>b.in", 2));
    link.limits.bytes = 1 << 20;
    let mut rx = Rx::open(&*transport, &link);
    let mut stranger = welcomed(SHARED, &*folder.directory(), &link);
    let before = transport.refused().count;
    for number in [0, 3, 4, 1 << 20, u64::MAX, 1, 1, 2] {
        let header = stranger.header(3, 1, number, 200_000, 200_000);
        stranger.send(None, header, 48, vec![0; 200_000], true).unwrap();
    }
    stranger.work(LONG, |_| transport.refused().count >= before + 6);
    assert!(matches!(transport.refused().last, Some(UcxError::Number { first: 1, last: 2, .. })));
    // More than the link's limits allow is not received at all.
    let header = stranger.header(3, 1, 3, 200_000, 2 << 20);
    for number in 1..=3 {
        let mut found = None;
        stranger.work(LONG, |_| {
            found = found.take().or_else(|| rx.0.try_receive().err());
            found.is_some()
        });
        assert!(matches!(found, Some(LinkError::Codec { .. })), "{number}: {found:?}");
        if number == 2 {
            stranger.send(None, header, 48, vec![0; 2 << 20], true).unwrap();
        }
    }
    stranger.work(LONG, Stranger::is_idle);
    drop(stranger);
    goes_on(&*folder.transport(SHARED), &mut rx, &link);
}

/// What a process of the next tests does until it is killed.
const ROLE: &str = "PODWIRE_TEST_SIGNALS_ROLE";

#[test]
fn victim() {
    let Ok(role) = std::env::var(ROLE) else { return };
    register();
    let directory = Arc::new(FolderDirectory::new(std::env::var(FOLDER).unwrap()).unwrap());
    let transport = UcxTransport::open(&options(&std::env::var(TLS).unwrap()), directory).unwrap();
    let link = Link::new("a.out>b.in", 2);
    if role == "leaver" {
        let mut tx = Tx::open(&transport, &link);
        for number in 0..2 {
            tx.send(&Message::new(vec_of(number))).unwrap();
        }
        // UCX's thread is at work, and nobody tells it.
        std::process::exit(7);
    }
    if role == "sender" {
        let mut tx = Tx::open(&transport, &link);
        for number in 0_u32.. {
            tx.send(&Message::new(vec_of(number))).unwrap();
        }
    }
    let mut rx = Rx::open(&transport, &link);
    loop {
        let _ = rx.next();
    }
}

const COUNT: usize = 4 << 20;

fn vec_of(number: u32) -> (u32, Bulk<u32>) {
    (number, Bulk::from(vec![number; COUNT]))
}

fn register() {
    podwire_codec_core::CodecRegistry::global().register::<(u32, Bulk<u32>)>("test.ucx.Large").unwrap();
}

fn start(role: &str, folder: &Folder, tls: &str) -> std::process::Child {
    let mut command = conformance::test_process("victim");
    command.env(ROLE, role).env(FOLDER, &folder.0).env(TLS, tls).stdout(std::process::Stdio::null());
    command.spawn().unwrap()
}

fn whole(message: Message) -> u32 {
    let value = message.received::<(u32, Bulk<u32>)>().unwrap();
    assert!(value.1.len() == COUNT && value.1.iter().all(|number| *number == value.0), "torn");
    value.0
}

#[test]
fn case_96_a_sender_killed_under_rendezvous() {
    register();
    for tls in [TCP, SHARED] {
        let folder = Folder::new("kill-sender");
        let (transport, link) = (folder.transport(tls), Link::new("a.out>b.in", 2));
        let mut rx = Rx::open(&*transport, &link);
        for delay in [0, 3, 11] {
            let mut child = start("sender", &folder, tls);
            let mut next = 0;
            while next < 2 {
                match rx.next() {
                    Ok(message) => next = whole(message) + 1,
                    // Of the last one.
                    Err(error) => assert!(matches!(error, LinkError::PeerDied { .. }), "{error}"),
                }
            }
            std::thread::sleep(Duration::from_millis(delay));
            child.kill().unwrap();
            child.wait().unwrap();
            // Whole messages, one after the other, and then its death.
            loop {
                match rx.next() {
                    Ok(message) => assert_eq!(whole(message), next, "in order"),
                    Err(LinkError::PeerDied { .. }) => break,
                    Err(error) => panic!("{error}"),
                }
                next += 1;
            }
            assert_eq!(rx.0.peer(), Peer::Died);
        }
        drop(rx);
    }
}

#[test]
fn case_96_a_receiver_killed_under_rendezvous() {
    register();
    for tls in [TCP, SHARED] {
        let folder = Folder::new("kill-receiver");
        let (transport, link) = (folder.transport(tls), Link::new("a.out>b.in", 2));
        let mut tx = Tx::open(&*transport, &link);
        let mut number = 0;
        for delay in [0, 3, 11] {
            let mut child = Some(start("receiver", &folder, tls));
            let received = tx.0.traffic().received;
            loop {
                match tx.send(&Message::new(vec_of(number))) {
                    Ok(()) => number += 1,
                    Err(LinkError::PeerDied { .. }) if child.is_none() => break,
                    // The next one has not come yet.
                    Err(LinkError::PeerDied { .. }) => _ = tx.1.wait(Some(Duration::from_millis(5))),
                    Err(error) => panic!("{error}"),
                }
                // It is at work: it is killed somewhere in the middle of a message.
                if let Some(mut child) = child.take_if(|_| tx.0.traffic().received >= received + 2) {
                    std::thread::sleep(Duration::from_millis(delay));
                    child.kill().unwrap();
                    child.wait().unwrap();
                }
            }
            assert_eq!(tx.0.peer(), Peer::Died);
        }
        // What waits is whole, and goes to the next one.
        let waiting = tx.0.traffic().waiting();
        assert!(waiting <= 2);
        let mut rx = Rx::open(&*folder.transport(tls), &link);
        for waits in (0..number).rev().take(waiting as usize).collect::<Vec<_>>().into_iter().rev() {
            assert_eq!(whole(rx.next().unwrap()), waits);
        }
    }
}

#[test]
fn ends_and_transports_can_go_while_a_rendezvous_is_under_way() {
    register();
    let folder = Folder::new("drop");
    for tls in [TCP, SHARED] {
        for round in 0..6 {
            let (sending, receiving) = (folder.transport(tls), folder.transport(tls));
            let link = Link::new(format!("a.out>{round}.in"), 2);
            let mut tx = Tx::open(&*sending, &link);
            let rx = Rx::open(&*receiving, &link);
            tx.send(&Message::new(vec_of(1))).unwrap();
            tx.send(&Message::new(vec_of(2))).unwrap();
            std::thread::sleep(Duration::from_millis(round));
            match round % 3 {
                0 => drop((tx, sending)),
                1 => drop((rx, receiving)),
                _ => drop((tx, rx, sending, receiving)),
            }
        }
    }
}

#[test]
fn a_process_may_end_while_ucx_is_at_work() {
    register();
    let folder = Folder::new("leaver");
    for tls in [TCP, SHARED] {
        let (transport, link) = (folder.transport(tls), Link::new("a.out>b.in", 2));
        let mut rx = Rx::open(&*transport, &link);
        for _ in 0..4 {
            let mut child = start("leaver", &folder, tls);
            assert_eq!(child.wait().unwrap().code(), Some(7));
            while !matches!(rx.0.try_receive(), Err(LinkError::PeerDied { .. }) | Ok(None)) {}
        }
    }
}

#[test]
fn senders_that_follow_each_other_all_reach_a_receiver_that_comes_late() {
    let folder = Folder::new("late");
    let (sending, receiving) = (folder.transport(SHARED), folder.transport(SHARED));
    let link = Link::new("a.out>b.in", 4);
    for round in 0..3_u64 {
        let mut tx = Tx::open(&*sending, &link);
        for number in 0..4 {
            tx.send(&Message::new(4 * round + number)).unwrap();
        }
    }
    let mut rx = Rx::open(&*receiving, &link);
    let mut next = 0;
    while next < 12 {
        match rx.next() {
            Ok(message) => assert_eq!(*message.received::<u64>().unwrap(), next),
            Err(LinkError::Closed { .. }) => continue,
            Err(error) => panic!("{error}"),
        }
        next += 1;
    }
    assert_eq!(sending.flush(Duration::MAX), 0);
}

#[test]
fn a_closed_sender_is_flushed_and_what_nobody_received_is_counted() {
    let folder = Folder::new("flush");
    let (sending, receiving) = (folder.transport(SHARED), folder.transport(SHARED));
    let link = Link::new("a.out>b.in", 4);
    let (mut tx, mut rx) = (Tx::open(&*sending, &link), Rx::open(&*receiving, &link));
    for number in 0..4_u64 {
        tx.send(&Message::new(number)).unwrap();
    }
    drop(tx);
    assert_eq!(sending.flush(Duration::from_millis(1)), 4);
    let flushed = std::thread::spawn(move || (sending.flush(LONG), sending));
    for number in 0..4 {
        assert_eq!(rx.number(), number);
    }
    let (left, sending) = flushed.join().unwrap();
    assert_eq!(left, 0);
    let mut tx = Tx::open(&*sending, &link);
    let deadline = Instant::now() + LONG;
    while tx.0.peer() != Peer::Attached {
        // It says that the last sender is gone, until the next one is there.
        let _ = rx.0.try_receive();
        tx.1.wait(Some(Duration::from_millis(5)));
        assert!(Instant::now() < deadline);
    }
    tx.send(&Message::new(1_u64)).unwrap();
    drop((tx, rx));
    assert_eq!(sending.flush(LONG), 1, "the receiver went without it");
}

#[test]
fn the_two_ends_agree_on_the_capacity_or_say_so() {
    let folder = Folder::new("capacity");
    let (sending, receiving) = (folder.transport(TCP), folder.transport(TCP));
    let mut tx = Tx::open(&*sending, &Link::new("a.out>b.in", 4));
    let mut rx = Rx::open(&*receiving, &Link::new("a.out>b.in", 5));
    let error = rx.error();
    assert!(matches!(ucx(&error), Some(UcxError::Capacity { found: 4, known: 5 })), "{error}");
    let deadline = Instant::now() + LONG;
    loop {
        match tx.0.try_send(&Message::new(0_u64)) {
            Err(error) if matches!(ucx(&error), Some(UcxError::Capacity { found: 5, known: 4 })) => break,
            other => assert!(Instant::now() < deadline, "{other:?}"),
        }
        tx.1.wait(Some(Duration::from_millis(5)));
    }
}

/// A transport whose patience is short.
fn impatient(folder: &Folder, process: &str) -> UcxTransport {
    let options = options(TCP).patience(Duration::from_millis(300)).process(process);
    UcxTransport::open(&options, folder.directory()).unwrap()
}

#[test]
fn a_receiver_that_does_not_answer_is_an_error_until_it_does() {
    let folder = Folder::new("silent");
    let sending = impatient(&folder, "ward-1/1 at 10.0.0.1");
    // One that never works: connections come to it, and nobody sees them.
    let silent = Stranger::new(&options(TCP), &somebody(&folder)).unwrap();
    let link = Link::new("a.out>b.in", 1);
    folder.directory().publish(&link.name, &silent.entry().unwrap()).unwrap();
    let mut tx = Tx::open(&sending, &link);
    tx.send(&Message::new(1_u64)).unwrap();
    let error = tx.send(&Message::new(2_u64)).unwrap_err();
    let told = matches!(ucx(&error), Some(UcxError::Unreachable { from, to, waited, .. })
        if from == "ward-1/1 at 10.0.0.1" && to == "a stranger" && *waited >= Duration::from_millis(300));
    assert!(told && error.to_string().contains("PODWIRE_TRANSPORT=zenoh"), "{error}");
    // What waits is received by one that answers.
    let mut rx = Rx::open(&*folder.transport(TCP), &link);
    assert_eq!(rx.number(), 1);
    tx.send(&Message::new(2_u64)).unwrap();
    assert_eq!(rx.number(), 2);
}

/// The address of somebody.
fn somebody(folder: &Folder) -> Vec<u8> {
    let link = Link::new("somebody", 1);
    let _rx = Rx::open(&*folder.transport(TCP), &link);
    folder.directory().lookup(&link.name).unwrap()
}

#[test]
fn a_sender_whose_turn_comes_late_is_not_unreachable() {
    let folder = Folder::new("turn");
    let (first, second) = (folder.transport(TCP), impatient(&folder, "second"));
    let link = Link::new("a.out>b.in", 1);
    let (mut tx, mut rx) = (Tx::open(&*first, &link), Rx::open(&*folder.transport(TCP), &link));
    tx.send(&Message::new(1_u64)).unwrap();
    let deadline = Instant::now() + LONG;
    while rx.0.waiting() == 0 {
        rx.1.wait(Some(Duration::from_millis(5)));
        assert!(Instant::now() < deadline);
    }
    // It cannot begin before what the first one sent is received.
    let mut next = Tx::open(&second, &link);
    next.send(&Message::new(2_u64)).unwrap();
    let full = transport::send(&mut *next.0, &Message::new(3_u64), &next.1, Duration::from_secs(2));
    assert!(matches!(full, Err(LinkError::Full { .. })), "{full:?}");
    assert_eq!(rx.number(), 1);
    // That the first one has no more to say comes before.
    let second = std::iter::repeat_with(|| rx.next()).find_map(Result::ok).unwrap();
    assert_eq!(*second.received::<u64>().unwrap(), 2);
}

#[test]
fn settings_that_ucx_does_not_know_are_errors() {
    let folder = Folder::new("settings");
    let opened = UcxTransport::open(&UcxOptions::new().transports("carrier-pigeon"), folder.directory());
    assert!(matches!(opened, Err(UcxError::Engine { .. })), "{opened:?}");
    let opened =
        UcxTransport::open(&UcxOptions::new().setting("KEEPALIVE_INTERVAL", "soon"), folder.directory());
    assert!(matches!(opened, Err(UcxError::Setting { .. })), "{opened:?}");
}
