//! Hostile frames: a rogue process that is let into the session writes whatever it likes to the keys of a link.

use std::{sync::Arc, time::Duration};

use podwire_codec_core::{Buffer, CodecRegistry, Limits};
use podwire_fastio::Doorbell;
use podwire_fragment::{
    Message,
    transport::{
        Link, LinkError, ReceiveEnd, Transport, receive,
        zenoh::{FrameError, ZenohTransport},
    },
};
use zenoh::Wait;

use crate::suite::over_zenoh::{free_address, open};

const LONG: Duration = Duration::from_secs(30);
const DATA: u8 = 1;
const OPEN: u8 = 2;
const HELLO: u8 = 3;
/// Bytes of a piece that others follow.
const PIECE: usize = 1 << 20;
/// The number of the rogue's opening.
const ROGUE: u64 = 77;

type Hellos = zenoh::pubsub::Subscriber<zenoh::handlers::FifoChannelHandler<zenoh::sample::Sample>>;

/// A receiver, and a rogue that plays its sender.
struct Stage {
    rogue: zenoh::Session,
    base: String,
    receiver: Box<dyn ReceiveEnd>,
    bell: Doorbell,
    link: u64,
    hello: u64,
    hellos: Hellos,
    receiving: ZenohTransport,
    honest: Arc<ZenohTransport>,
    spec: Link,
    token: Option<zenoh::liveliness::LivelinessToken>,
}

impl Stage {
    fn new(name: &str, capacity: usize) -> Self {
        Self::within(name, capacity, Limits::DEFAULT)
    }

    fn within(name: &str, capacity: usize, limits: Limits) -> Self {
        let address = free_address();
        let receiving = ZenohTransport::new(open("peer", &[&address], &[]), "rogue").unwrap();
        let rogue = open("peer", &[], &[&address]);
        let (spec, bell) = (Link { limits, ..Link::new(name, capacity) }, Doorbell::new());
        let base = format!("rogue/link/{name}");
        // The receiver says hello to the rogue, and tells it so the numbers of the link and of its own opening.
        let hellos = rogue.declare_subscriber(format!("{base}/taken")).wait().unwrap();
        let receiver = receiving.receiver(&spec, &bell).unwrap();
        let token = rogue.liveliness().declare_token(format!("{base}/sender/{ROGUE}")).wait().unwrap();
        let hello = hellos.recv_timeout(LONG).unwrap().expect("a hello").payload().to_bytes().into_owned();
        assert_eq!(hello[..8], *b"PWLK\x01\x03\0\0");
        let word = |at: usize| u64::from_le_bytes(hello[at..at + 8].try_into().unwrap());
        assert_eq!(word(24), ROGUE);
        let (link, hello) = (word(8), word(16));
        let honest = Arc::new(ZenohTransport::new(rogue.clone(), "rogue").unwrap());
        Self { rogue, base, receiver, bell, link, hello, hellos, receiving, honest, spec, token: Some(token) }
    }

    fn frame(&self, kind: u8, number: u64, body: &[u8]) -> Vec<u8> {
        let mut frame = b"PWLK\x01".to_vec();
        frame.extend([kind, 0, 0]);
        for word in [self.link, ROGUE, self.hello, number, 0] {
            frame.extend(word.to_le_bytes());
        }
        frame.extend(body);
        frame
    }

    /// A piece of a message that begins at this byte of it; others follow if it is as long as they all are.
    fn piece(&self, number: u64, at: usize, body: &[u8]) {
        let piece = &body[at..body.len().min(at + PIECE)];
        let mut frame = self.frame(DATA, number, piece);
        frame[6] = u8::from(at + PIECE < body.len());
        frame[40..48].copy_from_slice(&(at as u64).to_le_bytes());
        self.put(frame);
    }

    fn put(&self, frame: Vec<u8>) {
        let put = self.rogue.put(format!("{}/data", self.base), frame);
        put.congestion_control(zenoh::qos::CongestionControl::Block).wait().unwrap();
    }

    /// Waits until the receiver asks for all from this number on.
    fn is_asked_from(&self, number: u64) {
        let asked = |frame: &[u8]| frame[5] == HELLO && frame[32..40] == number.to_le_bytes();
        while !asked(&self.hellos.recv_timeout(LONG).unwrap().expect("a hello").payload().to_bytes()) {}
    }

    fn send(&self, number: u64, value: u64) {
        self.put(self.frame(DATA, number, &message(value)));
    }

    fn next(&mut self) -> Result<Option<Message>, LinkError> {
        receive(&mut *self.receiver, &self.bell, LONG)
    }

    fn expect(&mut self, value: u64) {
        let message = self.next().unwrap().expect("a message");
        assert_eq!(message.value().downcast_ref(), Some(&value));
    }

    fn frame_error(&mut self) -> FrameError {
        match self.next() {
            Err(LinkError::Transport { source, .. }) => source.downcast_ref::<FrameError>().unwrap().clone(),
            Err(LinkError::Codec { source: podwire_codec_core::Error::Backend(source), .. }) => {
                source.downcast_ref::<FrameError>().unwrap().clone()
            }
            other => panic!("{other:?}"),
        }
    }

    /// The rogue goes, and an honest sender takes its place: the link is as good as new.
    fn honest_sender_goes_on(&mut self) {
        drop(self.token.take());
        let mut sender = self.honest.sender(&self.spec, &Doorbell::new()).unwrap();
        sender.try_send(&Message::new(4711_u64)).unwrap();
        let deadline = std::time::Instant::now() + LONG;
        loop {
            match self.next() {
                Ok(Some(message)) if message.value().downcast_ref() == Some(&4711_u64) => return,
                Ok(None) => panic!("nothing came"),
                // What the rogue left, and that it is gone.
                Ok(Some(_)) | Err(_) => assert!(std::time::Instant::now() < deadline),
            }
        }
    }
}

fn message(value: u64) -> Vec<u8> {
    let mut bytes = Buffer::new();
    CodecRegistry::global().serialize(&value, &mut bytes).unwrap();
    bytes.as_slice().to_vec()
}

#[test]
fn case_57_a_number_that_is_repeated_is_ignored_and_one_that_is_skipped_is_a_gap() {
    let mut stage = Stage::new("numbers", 8);
    stage.put(stage.frame(OPEN, 0, &[]));
    for number in [0, 1, 1, 0, 2] {
        stage.send(number, 100 + number);
    }
    (100..103).for_each(|value| stage.expect(value));
    // What was left out is asked for; and it is a gap if the sender has it no more.
    stage.send(5, 105);
    stage.is_asked_from(3);
    stage.put(stage.frame(OPEN, 5, &[]));
    stage.send(5, 105);
    match stage.next() {
        Err(LinkError::Gap { missing: 2, next: 5, .. }) => {}
        other => panic!("{other:?}"),
    }
    stage.expect(105);
    // One that no message follows is no message either.
    stage.put(stage.frame(OPEN, 6, &[]));
    stage.put(stage.frame(OPEN, 8, &[]));
    match stage.next() {
        Err(LinkError::Gap { missing: 2, next: 8, .. }) => assert_eq!(stage.receiver.waiting(), 0),
        other => panic!("{other:?}"),
    }
    // What comes too late is no message any more, or order would be broken.
    stage.send(3, 103);
    stage.send(8, 106);
    stage.expect(106);
    // Who says that it begins later than was expected has lost something.
    stage.put(stage.frame(OPEN, 10, &[]));
    stage.send(10, 110);
    assert!(matches!(stage.next(), Err(LinkError::Gap { missing: 1, next: 10, .. })));
    stage.expect(110);
    let traffic = stage.receiver.traffic();
    assert_eq!((traffic.sent, traffic.received), (6, 6));
    stage.honest_sender_goes_on();
}

#[test]
fn case_57_a_sender_that_leaves_out_numbers_again_and_again_is_asked_no_more_often() {
    let mut stage = Stage::new("skipping", 4);
    for _ in 0..200 {
        stage.put(stage.frame(OPEN, 0, &[]));
        stage.send(1, 1);
    }
    // What is not answered is asked again, a little later each time: once, and not once for each number that was left out.
    let end = std::time::Instant::now() + Duration::from_secs(2);
    let mut asked = 0;
    while let Some(left) = end.checked_duration_since(std::time::Instant::now()) {
        asked += usize::from(stage.hellos.recv_timeout(left).unwrap().is_some());
    }
    assert!(asked <= 400, "{asked} questions for 200 answers");
    stage.honest_sender_goes_on();
}

#[test]
fn case_57_numbers_wrap_around() {
    let mut stage = Stage::new("wrapping", 8);
    let first = u64::MAX - 1;
    stage.put(stage.frame(OPEN, first, &[]));
    for step in 0..4 {
        stage.send(first.wrapping_add(step), step);
    }
    (0..4).for_each(|step| stage.expect(step));
    stage.send(3, 9); // number 2 is missing
    stage.is_asked_from(2);
    stage.put(stage.frame(OPEN, 3, &[]));
    stage.send(3, 9);
    assert!(matches!(stage.next(), Err(LinkError::Gap { missing: 1, next: 3, .. })));
    stage.expect(9);
    stage.send(u64::MAX, 0); // of before
    stage.send(4, 10);
    stage.expect(10);
    stage.honest_sender_goes_on();
}

#[test]
fn case_57_a_number_that_no_honest_sender_can_have_reached_is_refused() {
    let mut stage = Stage::new("ahead", 4);
    stage.put(stage.frame(OPEN, 0, &[]));
    for number in [4, 1000, 1 << 62, u64::MAX / 2] {
        stage.send(number, 0);
        let error = stage.frame_error();
        assert_eq!(error, FrameError::Ahead { number, expected: 0, capacity: 4 });
    }
    stage.send(0, 7);
    stage.expect(7);
    stage.honest_sender_goes_on();
}

#[test]
fn case_49_to_56_what_is_no_frame_of_the_link_is_counted_and_costs_nothing() {
    let mut stage = Stage::new("garbage", 4);
    stage.put(stage.frame(OPEN, 0, &[]));
    let good = stage.frame(DATA, 0, &message(1));
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let foreign = [
        Vec::new(),
        good[..47].to_vec(),
        with(0, b'X'),
        b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n".to_vec(),
        with(4, 0),
        with(4, 2),
        with(5, 0),
        with(6, 2),
        with(7, 0x80),
        with(8, !good[8]),
    ];
    let deadline = std::time::Instant::now() + LONG;
    for (bytes, refused) in foreign.into_iter().zip(1..) {
        stage.put(bytes);
        while stage.receiving.refused() < refused {
            assert!(std::time::Instant::now() < deadline);
            stage.bell.wait(Some(Duration::from_millis(1)));
        }
        assert_eq!(stage.receiver.waiting(), 0);
        assert!(matches!(stage.receiver.try_receive(), Ok(None)));
    }
    // What the sender itself does wrong is said.
    stage.put(with(5, 4));
    assert_eq!(stage.frame_error(), FrameError::Kind { kind: 4, flags: 0 });
    // One whose opening is not known is not heard at all.
    stage.put(with(16, 0));
    stage.put(good.clone());
    stage.expect(1);
    stage.honest_sender_goes_on();
}

#[test]
fn case_55_a_frame_that_is_cut_at_any_byte_or_glued_to_another_is_an_error_of_its_message_alone() {
    let mut stage = Stage::new("cut", 4);
    stage.put(stage.frame(OPEN, 0, &[]));
    let body = message(7);
    let mut number = 0;
    for cut in 0..body.len() {
        stage.put(stage.frame(DATA, number, &body[..cut]));
        number += 1;
        match stage.next() {
            Err(LinkError::Codec { source, .. }) => drop(source),
            other => panic!("cut at {cut}: {other:?}"),
        }
    }
    let glued = [body.clone(), stage.frame(DATA, number + 1, &body)].concat();
    stage.put(stage.frame(DATA, number, &glued));
    let found = glued.len() as u64 - body.len() as u64;
    assert_eq!(stage.frame_error(), FrameError::Segments { expected: 0, found });
    stage.send(number + 1, 8);
    stage.expect(8);
    stage.honest_sender_goes_on();
}

#[test]
fn case_58_60_segments_that_are_not_what_the_envelope_says_are_refused_and_nothing_is_allocated_for_them() {
    let mut stage = Stage::new("segments", 4);
    stage.put(stage.frame(OPEN, 0, &[]));
    // The envelope of an array in one segment, with the entry of the table at its end: length, number, and the rest.
    let mut gather = podwire_codec_core::Gather::new();
    let tensor = podwire_codec_core::Tensor::from_vec(vec![1_u8; 8192], &[8192]).unwrap();
    CodecRegistry::global().serialize(&tensor, &mut gather).unwrap();
    let (envelope, segments) = gather.into_parts();
    let bytes = segments[0].bytes().unwrap();
    let entry = envelope.len() - 16;
    let lying = |at: usize, word: u64, size: usize| {
        let mut envelope = envelope.clone();
        envelope[at..at + size].copy_from_slice(&word.to_le_bytes()[..size]);
        [&envelope, bytes].concat()
    };
    let cases = [
        (lying(entry, 8191, 8), FrameError::Segments { expected: 8191, found: 8192 }),
        (lying(entry, 8193, 8), FrameError::Segments { expected: 8193, found: 8192 }),
        (lying(entry, u64::MAX, 8), FrameError::Segments { expected: u64::MAX, found: 8192 }),
        // A number that is not its place in the table: it would overlap another, or be out of range.
        (lying(entry + 8, 1, 4), FrameError::Segments { expected: u64::MAX, found: 8192 }),
        (envelope.clone(), FrameError::Segments { expected: 8192, found: 0 }),
    ];
    let mut number = 0;
    for (body, wanted) in cases {
        stage.put(stage.frame(DATA, number, &body));
        assert_eq!(stage.frame_error(), wanted);
        number += 1;
    }
    stage.put(stage.frame(DATA, number, &lying(24, u64::from(u32::MAX), 4)));
    assert!(matches!(stage.next(), Err(LinkError::Codec { .. })), "a table of 2^32 entries");
    stage.put(stage.frame(DATA, number + 1, &[&envelope, bytes].concat()));
    let received = stage.next().unwrap().unwrap().received::<podwire_codec_core::Tensor>().unwrap();
    assert_eq!(*received, tensor);
    let address = received.as_slice::<u8>().unwrap().as_ptr().addr();
    assert!(address.is_multiple_of(64), "aligned for vector instructions");
    stage.honest_sender_goes_on();
}

#[test]
fn case_95_a_flood_of_maximum_frames_is_held_within_the_capacity() {
    if !crate::is_alone("frames::case_95_a_flood_of_maximum_frames_is_held_within_the_capacity") {
        return;
    }
    let limits = Limits { bytes: 1 << 20, ..Limits::DEFAULT };
    let mut stage = Stage::within("flood", 4, limits);
    stage.put(stage.frame(OPEN, 0, &[]));
    let body = vec![0xAB; 24 << 20]; // beyond the limit and what an envelope may have besides
    let before = resident();
    for number in 0..50 {
        stage.put(stage.frame(DATA, number, &body));
    }
    // Whoever does not keep to the capacity is not heard beyond it; and what is too long is not even held.
    for number in 0..4 {
        match stage.frame_error() {
            FrameError::Ahead { capacity: 4, .. } => break,
            error => assert!(
                matches!(error, FrameError::TooLong { number: found, .. } if found == number),
                "{error}"
            ),
        }
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 512 << 20, "1.2 GiB were sent, and {grown} bytes are held");
    stage.honest_sender_goes_on();
}

#[test]
fn case_55_57_of_pieces_that_are_repeated_left_out_cut_or_endless_no_message_is_made_that_was_not_sent() {
    let limits = Limits { bytes: 4 << 20, ..Limits::DEFAULT };
    let mut stage = Stage::within("pieces", 4, limits);
    stage.put(stage.frame(OPEN, 0, &[]));
    let value: Vec<u8> = (0..PIECE * 5 / 2).map(|at| (at % 251) as u8).collect();
    let mut bytes = Buffer::new();
    CodecRegistry::global().serialize(&value, &mut bytes).unwrap();
    let body = bytes.as_slice();
    let orders: [&[usize]; 4] = [&[0, 1, 2], &[0, 0, 1, 1, 2], &[0, 2, 1, 2, 2], &[1, 2, 0, 1, 0, 1, 2]];
    for (number, order) in (0..).zip(orders) {
        order.iter().for_each(|piece| stage.piece(number, piece * PIECE, body));
        let received = stage.next().unwrap().expect("a message").received::<Vec<u8>>().unwrap();
        assert!(*received == value, "{order:?}");
    }
    // A message whose pieces never come, or not all, is a gap; and the pieces of one are none of the next.
    stage.piece(4, PIECE, body);
    stage.piece(5, 0, body);
    stage.piece(6, PIECE, body);
    stage.piece(6, 2 * PIECE, body);
    stage.is_asked_from(4);
    stage.put(stage.frame(OPEN, 7, &[]));
    stage.send(7, 107);
    match stage.next() {
        Err(LinkError::Gap { missing: 3, next: 7, .. }) => {}
        other => panic!("{other:?}"),
    }
    stage.expect(107);
    // Many small ones would cost more than they carry.
    let mut small = stage.frame(DATA, 8, &body[..100]);
    small[6] = 1;
    stage.put(small);
    assert_eq!(stage.frame_error(), FrameError::Piece { number: 8, expected: PIECE as u64, found: 100 });
    // One that does not end is given up when it is too long.
    let endless = vec![0xAB; 40 << 20];
    (0..40).for_each(|piece| stage.piece(8, piece * PIECE, &endless));
    let (limit, found) = (20 << 20, 21 << 20);
    assert_eq!(stage.frame_error(), FrameError::TooLong { number: 8, found, limit });
    stage.send(9, 109);
    stage.expect(109);
    stage.honest_sender_goes_on();
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().split(' ').next().unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn garbage_on_the_way_back_changes_nothing_that_was_sent() {
    let address = free_address();
    let transport = ZenohTransport::new(open("peer", &[&address], &[]), "rogue").unwrap();
    let rogue = open("peer", &[], &[&address]);
    let (link, bell) = (Link::new("back", 4), Doorbell::new());
    let mut sender = transport.sender(&link, &bell).unwrap();
    (0..4).for_each(|number| sender.try_send(&Message::new(number as u64)).unwrap());
    let key = "rogue/link/back/taken";
    for bytes in [&b""[..], b"PWLK", &[0xFF; 48], &[0; 1000]] {
        rogue.put(key, bytes).wait().unwrap();
    }
    // Frames that look right: of nobody's opening, for nobody's, from beyond what was sent.
    for (kind, to, number) in [(3_u8, 0_u64, 0_u64), (4, u64::MAX, u64::MAX), (4, 0, 4)] {
        let mut frame = b"PWLK\x01".to_vec();
        frame.extend([kind, 0, 0]);
        for word in [1, 2, to, number, u64::MAX] {
            frame.extend(word.to_le_bytes());
        }
        rogue.put(key, frame).wait().unwrap();
    }
    for token in ["x", "1/closed/18446744073709551615/7", "0/closed/4/4"] {
        drop(rogue.liveliness().declare_token(format!("rogue/link/back/receiver/{token}")).wait().unwrap());
    }
    let mut receiver = ZenohTransport::new(rogue, "rogue").unwrap().receiver(&link, &bell).unwrap();
    for number in 0..4_u64 {
        let message = receive(&mut *receiver, &bell, LONG).unwrap().unwrap();
        assert_eq!(message.value().downcast_ref(), Some(&number));
    }
}
