//! Ends that take turns, agree or do not, and one that does not answer.

use std::time::{Duration, Instant};

use podwire_fragment::{
    Message,
    transport::{
        self, Directory, Link, LinkError, Peer, Stranger, Transport, UcxError, UcxOptions, UcxTransport,
    },
};

use crate::{Folder, LONG, Rx, SHARED, TCP, Tx, options, ucx};

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

#[test]
fn that_a_link_was_closed_in_an_earlier_run_is_nothing_to_a_receiver_of_this_one() {
    let folder = Folder::new("earlier");
    let link = Link::new("a.out>b.in", 4);
    let earlier = folder.transport(SHARED);
    let (mut tx, mut rx) = (Tx::open(&*earlier, &link), Rx::open(&*earlier, &link));
    tx.send(&Message::new(1_u64)).unwrap();
    assert_eq!(rx.number(), 1);
    drop((tx, rx));
    // Who comes now is told that nobody will send, ..
    assert!(matches!(Rx::open(&*earlier, &link).error(), LinkError::Closed { .. }));
    drop(earlier);
    assert!(folder.directory().lookup("closed>a.out>b.in").is_none(), "it took back what it had said");
    // .. but not by a process that was killed before it could take that back.
    folder.directory().publish("closed>a.out>b.in", &7_u64.to_le_bytes()).unwrap();
    let transport = folder.transport(SHARED);
    let mut rx = Rx::open(&*transport, &link);
    assert!(transport::receive(&mut *rx.0, &rx.1, Duration::from_millis(200)).unwrap().is_none());
    let mut tx = Tx::open(&*transport, &link);
    tx.send(&Message::new(2_u64)).unwrap();
    assert_eq!(rx.number(), 2);
}
