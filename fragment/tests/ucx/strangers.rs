//! Case 96: strangers that speak to UCX as a sender or a receiver does, and say what neither would.

use std::time::{Duration, Instant};

use podwire_fragment::{
    Message,
    transport::{Directory, Link, LinkError, Stranger, Transport, UcxError},
};

use crate::{Folder, LONG, Rx, SHARED, TCP, Tx, greet, options, ucx, welcomed};

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

/// A message as it stands in a body: a head that promises so many bytes, and the bytes.
fn message(promised: u64, bytes: &[u8]) -> Vec<u8> {
    [&promised.to_le_bytes()[..], &[0; 8], bytes].concat()
}

#[test]
fn case_96_unknown_message_numbers_are_nothing() {
    let folder = Folder::new("unknown");
    for tls in [TCP, SHARED] {
        let (transport, link) = (folder.transport(tls), Link::new("a.out>b.in", 4));
        let mut rx = Rx::open(&*transport, &link);
        let mut stranger = welcomed(tls, &*folder.directory(), &link);
        let header = stranger.header(3, 1, 1, 0, 100);
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
            let header = stranger.header(3, 1, 1, 0, 10);
            let before = transport.refused().count;
            stranger.send(None, header, length, vec![1; 10], length > 20).unwrap();
            stranger.work(LONG, |_| transport.refused().count > before);
            assert!(matches!(transport.refused().last, Some(UcxError::Header { .. })), "{length}");
            if length >= 16 {
                assert!(matches!(ucx(&rx.error()), Some(UcxError::Header { found, .. }) if *found == length));
            }
        }
        // The body is cut off, in all its forms.
        for (number, count, begins, promised, body, waits) in [
            (1, 1, 0, 100, vec![1; 10], false),
            (1, 1, 0, 1 << 40, vec![1; 100_000], true),
            (1, 1, 0, 100, vec![0xFF; 100], false),
            (2, 1, 0, 10, vec![1; 10], false),
            (3, 1, 0, 19, message(2, &[9; 3]), false),
            (4, 2, 0, 33, [message(1, &[9]), message(1, &[])].concat(), false),
            (6, 2, 0, 100_000, vec![0; 100_000], true),
            // It begins in the middle, or where the body ends, or far beyond.
            (8, 1, 1, 17, message(1, &[9]), false),
            (9, 1, 17, 17, message(1, &[9]), false),
            (10, 1, u64::MAX, 17, message(1, &[9]), false),
        ] {
            let what = format!("{count} of {promised} from {number}");
            let header = stranger.header(3, count, number, begins, promised);
            stranger.send(None, header, 48, body, waits).unwrap();
            // The short messages before the one that is cut off are garbage, too.
            let due = |error: &UcxError| matches!(error, UcxError::Length { .. });
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
    for (count, first) in
        [(1, u64::MAX), (3, u64::MAX - 1), (3, u64::MAX), (2, 0), (0, u64::MAX / 2), (5, u64::MAX / 2)]
    {
        let before = transport.refused().count;
        let body = message(5, &[1, 2, 3, 4, 5]).repeat(count.into());
        let header = stranger.header(3, count, first, 0, body.len());
        stranger.send(None, header, 48, body, false).unwrap();
        stranger.work(LONG, |_| transport.refused().count > before);
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
        let body = message(199_984, &[0; 199_984]);
        stranger.send(None, stranger.header(3, 1, number, 0, body.len()), 48, body, true).unwrap();
    }
    stranger.work(LONG, |_| transport.refused().count >= before + 6);
    assert!(matches!(transport.refused().last, Some(UcxError::Number { first: 1, last: 2, .. })));
    // More than the link's limits allow is not received at all.
    let header = stranger.header(3, 1, 3, 0, 2 << 20);
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
