//! Case 96: processes that are killed, and ends that go, while a large message is under way.

use std::{sync::Arc, time::Duration};

use podwire_codec_core::Bulk;
use podwire_fragment::{
    Message,
    transport::{FolderDirectory, Link, LinkError, Peer, UcxTransport, conformance},
};

use crate::{FOLDER, Folder, Rx, SHARED, TCP, TLS, Tx, options};

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
    let mut command = conformance::test_process("killed::victim");
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
