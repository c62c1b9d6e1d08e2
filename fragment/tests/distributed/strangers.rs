//! Whoever else comes to the driver's port.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use ::zenoh::{Session, Wait};
use podwire_codec_derive::Codec;
use podwire_fragment::transport::zenoh::{self, SessionSettings};

use rustix::process::Signal;

use crate::processes::Place;

/// A driver whom strangers visit, and who then drives its application to a good end.
fn visited(visit: impl FnOnce(&Place)) {
    let place = Place::new();
    let driver = place.driver("pair");
    driver.until("waiting for workers");
    visit(&place);
    let workers = ["a", "b"].map(|fragment| place.worker("pair", fragment));
    workers.into_iter().for_each(|worker| drop(worker.good()));
    driver.good();
    place.clean();
}

fn says(place: &Place, bytes: &[u8]) -> TcpStream {
    let mut stranger = TcpStream::connect(&place.address).unwrap();
    stranger.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    // Whether it is heard to the end is the other side's choice.
    let _ = stranger.write_all(bytes);
    let _ = stranger.read(&mut [0; 64]);
    stranger
}

#[test]
fn case_56_http_tls_and_random_bytes_at_the_port_disturb_nobody() {
    visited(|place| {
        says(place, b"GET / HTTP/1.1\r\nHost: scanner\r\n\r\n");
        // The beginning of a TLS handshake.
        says(place, &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3, 7, 7, 7, 7]);
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for length in [1, 2, 3, 64, 70_000] {
            let bytes: Vec<u8> = std::iter::repeat_with(|| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .take(length)
            .collect();
            says(place, &bytes);
        }
    });
}

#[test]
fn case_94_connections_that_never_speak_disturb_nobody() {
    let mut silent = Vec::new();
    visited(|place| {
        silent.extend((0..50).map(|_| TcpStream::connect(&place.address).unwrap()));
    });
}

#[test]
fn case_95_a_worker_that_finds_another_program_at_the_port_says_so() {
    let place = Place::new();
    let other = std::net::TcpListener::bind(&place.address).unwrap();
    std::thread::spawn(move || {
        for stream in other.incoming() {
            let _ = stream.map(|mut stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        }
    });
    let environment = [("PODWIRE_JOIN_TIMEOUT", "0.3"), ("PODWIRE_LEASE", "300")];
    let worker = place.start("pair", &["--worker"], &environment);
    worker.bad(&[&format!("who listens at {} is no driver", place.address)]);
}

#[test]
fn strangers_who_come_go_report_and_say_hello_change_nothing_and_are_not_answered() {
    let place = Place::new();
    let driver = place.driver("endless");
    let workers = ["a", "b"].map(|fragment| place.worker("endless", fragment));
    workers[1].until("@ flowing");
    let session = session("client", None, Some(&place));
    // A driver that comes and goes is not the one whose workers these are.
    for token in ["driver/0123456789abcdef", "worker/0123456789abcdef"] {
        let token = session.liveliness().declare_token(format!("podwire/endless/{token}")).wait().unwrap();
        token.undeclare().wait().unwrap();
    }
    // Words of nobody, and orders to whom it may concern.
    for key in ["word/0123456789abcdef", "word/*", "order/*", "**"] {
        session.put(format!("podwire/endless/{key}"), Envelope::of_the_future()).wait().unwrap();
        session.put(format!("podwire/endless/{key}"), vec![0xFF_u8; 100]).wait().unwrap();
    }
    // What was said before an answered question has been heard.
    let ask = |bytes: Vec<u8>| {
        let replies =
            session.get("podwire/endless/hello").payload(bytes).timeout(Duration::from_secs(20)).wait();
        replies.unwrap().recv().ok().map(|reply| reply.result().unwrap().payload().len())
    };
    for _ in 0..300 {
        assert!(ask(Envelope::of_the_future()).is_some(), "it is refused, with both versions");
    }
    session.close().wait().unwrap();
    driver.signal(Signal::INT);
    let said = driver.said();
    for process in workers.into_iter().chain([driver]) {
        let end = process.end();
        assert_eq!(end.code, Some(130), "{}", end.said);
    }
    assert!(said.lines().count() < 100, "a flood of strangers is not told line by line:\n{said}");
    assert!(!said.contains("a message of worker"), "{said}");
    place.clean();
}

/// A message as every version of podwire writes it: this much stays as it is.
#[derive(Codec)]
#[codec(crate = podwire_codec_core)]
struct Envelope {
    magic: [u8; 4],
    protocol: u32,
    podwire: String,
    content: Vec<u8>,
}

impl Envelope {
    fn of_the_future() -> Vec<u8> {
        let content = vec![0xFF; 100];
        podwire_codec_core::to_vec(&Self { magic: *b"PWCT", protocol: 9, podwire: "7.1.0".into(), content })
            .unwrap()
    }
}

fn session(mode: &str, listen: Option<&Place>, connect: Option<&Place>) -> Session {
    let endpoint =
        |place: Option<&Place>| place.map(|place| format!("tcp/{}", place.address)).into_iter().collect();
    let (listen, connect) = (endpoint(listen), endpoint(connect));
    zenoh::session(&SessionSettings { mode: mode.into(), listen, connect, ..SessionSettings::default() })
        .unwrap()
}

#[test]
fn a_worker_of_another_version_is_refused_with_both_versions_and_garbage_is_not_answered() {
    visited(|place| {
        let session = session("client", None, Some(place));
        let ask = |bytes: Vec<u8>| {
            let replies =
                session.get("podwire/*/hello").payload(bytes).timeout(Duration::from_secs(5)).wait();
            let reply = replies.unwrap().recv().ok()?;
            Some(reply.result().unwrap().payload().to_bytes().into_owned())
        };
        let answer = ask(Envelope::of_the_future()).expect("it is refused");
        let answer: Envelope = podwire_codec_core::from_slice(&answer).unwrap();
        assert_eq!((answer.magic, answer.protocol), (*b"PWCT", 3));
        let text = String::from_utf8_lossy(&answer.content);
        assert!(text.contains("7.1.0") && text.contains(&answer.podwire), "{text}");
        for garbage in [Vec::new(), b"hello".to_vec(), b"PWCT".to_vec(), vec![0xFF; 1000]] {
            assert_eq!(ask(garbage), None);
        }
        // Orders and words from nowhere.
        session.put("podwire/pair/word/nobody", vec![7_u8; 100]).wait().unwrap();
        session.put("podwire/pair/word/nobody", Envelope::of_the_future()).wait().unwrap();
        session.close().wait().unwrap();
    });
}

#[test]
fn a_worker_that_finds_a_driver_of_another_version_names_both() {
    let place = Place::new();
    let session = session("router", Some(&place), None);
    let answering = session.declare_queryable("podwire/pair/hello").callback(|query| {
        query.reply("podwire/pair/hello", Envelope::of_the_future()).wait().unwrap();
    });
    let _answering = answering.wait().unwrap();
    place
        .worker("pair", "a")
        .bad(&["the driver is of podwire 7.1.0 (protocol 9)", "this worker of podwire 0."]);
}
