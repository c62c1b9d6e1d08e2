//! Hostile connections: raw TCP against the port on which a session listens, and a network that misbehaves in between.
//!
//! Zenoh has to get along with most of it; what is tested is that the application does: a link that is open goes on, and
//! new processes get in.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use podwire_fastio::Doorbell;
use podwire_fragment::{
    Message,
    transport::{
        Link, LinkError, ReceiveEnd, SendEnd, Transport, receive, send,
        zenoh::{SessionSettings, ZenohTransport, session},
    },
};

use crate::suite::over_zenoh::{free_address, open};

const LONG: Duration = Duration::from_secs(30);
const PREFIX: &str = "wire";

/// An application that listens, and a link into it from another process's session.
struct Application {
    socket: String,
    address: String,
    bell: Doorbell,
    sender: Box<dyn SendEnd>,
    receiver: Box<dyn ReceiveEnd>,
    next: u64,
    listening: ZenohTransport,
}

impl Application {
    fn start() -> Self {
        let address = free_address();
        let socket = address.strip_prefix("tcp/").unwrap().to_owned();
        let listening = ZenohTransport::new(open("router", &[&address], &[]), PREFIX).unwrap();
        let bell = Doorbell::new();
        let link = Link::new("a.out>b.in", 4);
        let receiver = listening.receiver(&link, &bell).unwrap();
        let client = ZenohTransport::new(open("client", &[], &[&address]), PREFIX).unwrap();
        let sender = client.sender(&link, &bell).unwrap();
        let mut application = Self { socket, address, bell, sender, receiver, next: 0, listening };
        application.goes_on();
        application
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.socket).unwrap()
    }

    /// Ten messages over the link that is open.
    fn goes_on(&mut self) {
        for _ in 0..10 {
            send(&mut *self.sender, &Message::new(self.next), &self.bell, LONG).unwrap();
            let message = receive(&mut *self.receiver, &self.bell, LONG).unwrap().expect("a message");
            assert_eq!(message.value().downcast_ref(), Some(&self.next));
            self.next += 1;
        }
    }

    /// The same, and another process gets in.
    fn is_well(&mut self) {
        self.goes_on();
        let client = ZenohTransport::new(open("client", &[], &[&self.address]), PREFIX).unwrap();
        let link = Link::new(format!("new{}>b.in", self.next), 4);
        let mut sender = client.sender(&link, &Doorbell::new()).unwrap();
        let bell = Doorbell::new();
        let mut receiver = self.listening.receiver(&link, &bell).unwrap();
        sender.try_send(&Message::new(1_u64)).unwrap();
        assert!(receive(&mut *receiver, &bell, LONG).unwrap().is_some());
    }
}

/// A network between a client and an application: it can go deaf, or end at a byte.
struct Proxy {
    address: String,
    /// Bytes go through; otherwise they are kept, as by a host that fell silent: no FIN, no RST.
    open: Arc<AtomicBool>,
}

impl Proxy {
    /// Passes on `limit` bytes of the clients, and resets the connection then.
    fn start(to: &str, limit: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("tcp/{}", listener.local_addr().unwrap());
        let open = Arc::new(AtomicBool::new(true));
        let (to, is_open) = (to.to_owned(), Arc::clone(&open));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&to) else { continue };
                let left = Arc::new(AtomicUsize::new(limit));
                for (from, to, counted) in [(&client, &server, true), (&server, &client, false)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let (open, left) = (Arc::clone(&is_open), Arc::clone(&left));
                    std::thread::spawn(move || pass_on(from, to, &open, counted.then_some(&left)));
                }
            }
        });
        Self { address, open }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, open: &AtomicBool, left: Option<&AtomicUsize>) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        while !open.load(SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let count = left.map_or(count, |left| {
            let before = left.load(SeqCst);
            left.store(before.saturating_sub(count), SeqCst);
            count.min(before)
        });
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
        if left.is_some_and(|left| left.load(SeqCst) == 0) {
            reset(&to);
            reset(&from);
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// Ends a connection by RST.
fn reset(stream: &TcpStream) {
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
    let _ = stream.shutdown(Shutdown::Both);
}

/// A session that notices after so many milliseconds that nothing comes any more.
fn impatient(lease: &str, mode: &str, listen: &[&str], connect: &[&str]) -> zenoh::Session {
    let list = |addresses: &[&str]| addresses.iter().map(|address| (*address).to_owned()).collect();
    let further = [("transport/link/tx/lease", lease), ("connect/timeout_ms", "-1")];
    session(&SessionSettings {
        mode: mode.into(),
        listen: list(listen),
        connect: list(connect),
        further: further.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..SessionSettings::default()
    })
    .unwrap()
}

#[test]
fn case_93_a_peer_that_vanishes_without_a_fin_is_noticed_and_goes_on_when_it_is_back() {
    let address = free_address();
    let listening = ZenohTransport::new(impatient("600", "router", &[&address], &[]), PREFIX).unwrap();
    let proxy = Proxy::start(address.strip_prefix("tcp/").unwrap(), usize::MAX);
    let away = ZenohTransport::new(impatient("600", "client", &[], &[&proxy.address]), PREFIX).unwrap();
    let (out, back) = (Link::new("out", 4), Link::new("back", 4));
    let (here, there) = (Doorbell::new(), Doorbell::new());
    let mut receiver = listening.receiver(&out, &here).unwrap();
    let mut sender = away.sender(&out, &there).unwrap();
    let mut far = away.receiver(&back, &there).unwrap();
    let mut near = listening.sender(&back, &here).unwrap();
    for number in 0..4_u64 {
        send(&mut *sender, &Message::new(number), &there, LONG).unwrap();
        send(&mut *near, &Message::new(number), &here, LONG).unwrap();
        assert!(receive(&mut *receiver, &here, LONG).unwrap().is_some());
        assert!(receive(&mut *far, &there, LONG).unwrap().is_some());
    }
    proxy.open.store(false, SeqCst);
    let died = |result: Result<Option<Message>, LinkError>| matches!(result, Err(LinkError::PeerDied { .. }));
    assert!(died(receive(&mut *receiver, &here, LONG)), "the receiver notices");
    let deadline = Instant::now() + LONG;
    loop {
        match near.try_send(&Message::new(4_u64)) {
            Err(LinkError::PeerDied { .. }) => break,
            Ok(()) | Err(LinkError::Full { .. }) => here.wait(Some(Duration::from_millis(10))),
            Err(error) => panic!("{error}"),
        };
        assert!(Instant::now() < deadline);
    }
    // It is back: the links go on, and what was sent meanwhile arrives first.
    proxy.open.store(true, SeqCst);
    for (sender, receiver, bell) in [(&mut near, &mut far, &there), (&mut sender, &mut receiver, &here)] {
        let deadline = Instant::now() + LONG;
        while sender.try_send(&Message::new(9_u64)).is_err() {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(10));
        }
        loop {
            match receive_again(&mut **receiver, bell).value().downcast_ref::<u64>() {
                Some(4) => {}
                Some(9) => break,
                other => panic!("{other:?}"),
            }
        }
    }
}

/// The next message of a sender that comes back.
fn receive_again(receiver: &mut dyn ReceiveEnd, bell: &Doorbell) -> Message {
    let deadline = Instant::now() + LONG;
    loop {
        match receiver.try_receive() {
            Ok(Some(message)) => return message,
            Ok(None) | Err(LinkError::PeerDied { .. }) => drop(bell.wait(Some(Duration::from_millis(10)))),
            Err(error) => panic!("{error}"),
        }
        assert!(Instant::now() < deadline);
    }
}

#[test]
fn case_93_sending_to_a_peer_that_takes_nothing_comes_back_and_the_link_goes_on_when_it_does() {
    let name =
        "wire::case_93_sending_to_a_peer_that_takes_nothing_comes_back_and_the_link_goes_on_when_it_does";
    if !crate::is_alone(name) {
        return;
    }
    let address = free_address();
    let lease = "2000";
    let listening = ZenohTransport::new(impatient(lease, "router", &[&address], &[]), PREFIX).unwrap();
    let proxy = Proxy::start(address.strip_prefix("tcp/").unwrap(), usize::MAX);
    let away = ZenohTransport::new(impatient(lease, "client", &[], &[&proxy.address]), PREFIX).unwrap();
    let link = Link::new("stuck", 64);
    let (here, there) = (Doorbell::new(), Doorbell::new());
    let mut receiver = listening.receiver(&link, &here).unwrap();
    let mut sender = away.sender(&link, &there).unwrap();
    send(&mut *sender, &Message::new(vec![0_u8; 1]), &there, LONG).unwrap();
    assert!(receive(&mut *receiver, &here, LONG).unwrap().is_some());
    proxy.open.store(false, SeqCst);
    // More than all that lies between the two can hold.
    let message = Message::new(vec![1_u8; 4 << 20]);
    let deadline = Instant::now() + Duration::from_secs(120);
    let sent = (1..).find(|_| !matches!(sender.try_send(&message), Ok(()))).unwrap();
    assert!(Instant::now() < deadline, "it waited for the peer");
    proxy.open.store(true, SeqCst);
    for _ in 1..sent {
        let value = receive_again(&mut *receiver, &here).received::<Vec<u8>>().unwrap();
        assert_eq!(value.len(), 4 << 20);
    }
}

#[test]
fn case_93_who_reads_nothing_or_sends_a_byte_now_and_then_harms_nobody() {
    let mut application = Application::start();
    let deaf = application.connect();
    let mut slow = application.connect();
    for byte in [1_u8, 0, 0x41, 9, 0, 0xFF, 0xFF, 0xFF] {
        // Zenoh may have closed it by now.
        let _ = slow.write_all(&[byte]);
        application.goes_on();
        std::thread::sleep(Duration::from_millis(20));
    }
    application.is_well();
    drop(deaf);
}

#[test]
fn case_94_a_connection_that_is_reset_at_any_byte_harms_nobody() {
    let mut application = Application::start();
    // The first bytes are the handshake, then come declarations and frames.
    for limit in (0..64).chain((64..1200).step_by(37)) {
        let proxy = Proxy::start(&application.socket, limit);
        let stream = TcpStream::connect(proxy.address.strip_prefix("tcp/").unwrap()).unwrap();
        drop(stream);
        if limit % 8 == 0 {
            let settings = SessionSettings {
                mode: "client".into(),
                connect: vec![proxy.address.clone()],
                ..SessionSettings::default()
            };
            // With few bytes it is not opened at all.
            if let Ok(opened) = session(&settings) {
                let cut = ZenohTransport::new(opened, PREFIX).unwrap();
                let mut sender = cut.sender(&Link::new("cut", 4), &Doorbell::new()).unwrap();
                let _ = sender.try_send(&Message::new(vec![0_u8; 5000]));
            }
            application.goes_on();
        }
    }
    application.is_well();
}

#[test]
fn case_94_a_storm_of_connections_and_connections_that_never_speak_keep_nobody_out() {
    let mut application = Application::start();
    for round in 0..300 {
        let mut stream = application.connect();
        if round % 3 == 0 {
            let _ = stream.write_all(&[round as u8; 7]);
        }
        if round % 2 == 0 {
            reset(&stream);
        }
    }
    application.goes_on();
    let silent: Vec<_> = (0..300).map(|_| application.connect()).collect();
    application.is_well();
    drop(silent);
    application.is_well();
}

/// An application in a process of its own, which sends back what it gets; nothing where there is no address.
#[test]
fn echo() {
    let Ok(address) = std::env::var(ECHO) else { return };
    let transport = ZenohTransport::new(open("router", &[&address], &[]), PREFIX).unwrap();
    let bell = Doorbell::new();
    let mut receiver = transport.receiver(&Link::new("there", 4), &bell).unwrap();
    let mut sender = transport.sender(&Link::new("back", 4), &bell).unwrap();
    // Until the test ends, which kills it.
    loop {
        if let Ok(Some(message)) = receive(&mut *receiver, &bell, LONG) {
            send(&mut *sender, &message, &bell, LONG).unwrap();
        }
    }
}

/// Where [`echo`] listens.
const ECHO: &str = "PODWIRE_TEST_ECHO";

#[test]
fn case_94_without_descriptors_for_new_connections_the_open_ones_go_on() {
    let address = free_address();
    let mut command = podwire_fragment::transport::conformance::test_process("wire::echo");
    let mut child = command.env(ECHO, &address).stdout(std::process::Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + LONG;
    let socket = address.strip_prefix("tcp/").unwrap();
    while TcpStream::connect(socket).is_err() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(10));
    }
    let client = ZenohTransport::new(open("client", &[], &[&address]), PREFIX).unwrap();
    let bell = Doorbell::new();
    let mut sender = client.sender(&Link::new("there", 4), &bell).unwrap();
    let mut receiver = client.receiver(&Link::new("back", 4), &bell).unwrap();
    let mut echo = |count: u64| {
        for number in 0..count {
            send(&mut *sender, &Message::new(number), &bell, LONG).unwrap();
            let message = receive(&mut *receiver, &bell, LONG).unwrap().expect("an echo");
            assert_eq!(message.value().downcast_ref(), Some(&number));
        }
    };
    echo(5);
    // It may have a few more descriptors than it has, and gets many connections.
    let open_now = std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap().count() as u64;
    let limit = rustix::process::Rlimit { current: Some(open_now + 8), maximum: Some(open_now + 8) };
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::prlimit(Some(pid), rustix::process::Resource::Nofile, limit).unwrap();
    let crowd: Vec<_> = (0..64).filter_map(|_| TcpStream::connect(socket).ok()).collect();
    echo(20);
    drop(crowd);
    echo(20);
    // There is room again, and another one gets in, if not at once.
    let settings = SessionSettings {
        mode: "client".into(),
        connect: vec![address.clone()],
        ..SessionSettings::default()
    };
    let deadline = Instant::now() + LONG;
    while let Err(error) = session(&settings) {
        assert!(Instant::now() < deadline, "{error}");
    }
    echo(5);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn case_95_a_port_in_use_is_an_error_that_says_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp/{}", taken.local_addr().unwrap());
    let settings = SessionSettings { listen: vec![address.clone()], ..SessionSettings::default() };
    let error = session(&settings).map(drop).unwrap_err().to_string();
    assert!(error.contains(&address), "{error}");
    drop(taken);
    session(&settings).unwrap();
}

#[test]
fn case_95_other_protocols_on_the_port_harm_nobody() {
    let mut application = Application::start();
    let mut random = vec![0_u8; 100_000];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for byte in &mut random {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = (state >> 56) as u8;
    }
    let lots: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        &[0xFF; 70_000],
        &random,
    ];
    for bytes in lots {
        let mut stream = application.connect();
        // It may be closed before all is written.
        let _ = stream.write_all(bytes);
        application.goes_on();
    }
    application.is_well();
}
