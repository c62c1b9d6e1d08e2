//! What does a link over UCX cost, beside a bare loop on UCX's own interface?
//!
//! `podwire-bench-ucx [--quick] [--tcp | --shared] [--set NAME=VALUE].. [--eager BYTES] [BYTES..]` prints messages a second, megabytes a second and ratios of one run: two processes, over
//! TCP and over shared memory, 8 bytes to 64 MiB. The subjects take turns, and the best round of each counts, because
//! machines change their speed. A link carries values: its time has encoding and decoding in it, and its receiver sleeps
//! where the bare loop spins.

#[path = "../../machine.rs"]
mod machine;
mod raw;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use podwire_codec_core::{Bulk, CodecRegistry};
use podwire_fastio::Doorbell;
use podwire_fragment::{
    Message,
    transport::{self, FolderDirectory, Link, Transport, UcxOptions, UcxTransport},
};
use raw::Raw;

const SIZES: [usize; 8] = [8, 256, 4 << 10, 64 << 10, 256 << 10, 1 << 20, 8 << 20, 64 << 20];
const TLS: [&str; 2] = ["tcp", "posix,cma,self"];
const LONG: Duration = Duration::from_secs(60);

/// How many messages of this size make a round, and how many are under way.
fn plan(size: usize, quick: bool) -> (u64, u64) {
    let bytes: usize = if quick { 64 << 20 } else { 256 << 20 };
    let count = (bytes / size.max(512)).clamp(4, if quick { 20_000 } else { 100_000 }) as u64;
    (count, if size <= 64 << 10 { 256 } else { 4 })
}

fn link(size: usize, window: u64) -> Link {
    Link::new(format!("bench.{size}>out"), window as usize)
}

/// What is set for links, and not for the bare loop: by `--set` and `--eager`.
fn options(tls: &str, args: &[String]) -> UcxOptions {
    let mut options = UcxOptions::new().transports(tls);
    for pair in args.windows(2) {
        options = match (pair[0].as_str(), pair[1].split_once('=')) {
            ("--set", Some((name, value))) => options.setting(name, value),
            ("--eager", _) => options.eager(pair[1].parse().unwrap()),
            _ => options,
        };
    }
    options
}

fn transport(tls: &str, folder: &Path) -> UcxTransport {
    let directory = Arc::new(FolderDirectory::new(folder.join("links")).unwrap());
    let args: Vec<String> = std::env::args().collect();
    UcxTransport::open(&options(tls, &args), directory).unwrap()
}

const ROUNDS: u32 = 4;

fn receive(tls: &str, folder: &Path, quick: bool, sizes: &[usize]) {
    let mut raw = Raw::open(tls, folder, "receiver", "sender");
    let transport = transport(tls, folder);
    for &size in sizes {
        let (count, window) = plan(size, quick);
        let bell = Doorbell::new();
        let mut end = transport.receiver(&link(size, window), &bell).unwrap();
        for _ in 0..ROUNDS {
            raw.receive_all(count, window);
            for _ in 0..count {
                let message = transport::receive(&mut *end, &bell, LONG).unwrap().expect("within a minute");
                if size > 8 {
                    let value = message.received::<Bulk<u8>>().unwrap();
                    assert!(value.len() == size && value[size - 1] == 7);
                } else {
                    assert_eq!(*message.received::<u64>().unwrap(), 7);
                }
            }
            end.settle();
        }
    }
}

fn main() {
    CodecRegistry::global().register::<Bulk<u8>>("bench.Bytes").unwrap();
    let args: Vec<String> = std::env::args().collect();
    let quick = args.iter().any(|arg| arg == "--quick");
    let sizes = args.iter().enumerate().filter(|(at, _)| *at > 0 && args[at - 1] != "--eager");
    let chosen: Vec<usize> = sizes.filter_map(|(_, arg)| arg.parse().ok()).collect();
    let sizes = if chosen.is_empty() { SIZES.to_vec() } else { chosen };
    if let Some(at) = args.iter().position(|arg| arg == "--receive") {
        return receive(&args[at + 1], Path::new(&args[at + 2]), quick, &sizes);
    }
    println!("# Links over UCX, measured\n\n{}.\n", machine::describe());
    println!(
        "Messages from one process to another, the best of {ROUNDS} rounds. A ratio of 1: as fast as the bare loop.\n"
    );
    println!("| UCX over | bytes | bare, messages/s | link, messages/s | bare, MB/s | link, MB/s | ratio |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let only = ["--tcp", "--shared"].map(|name| args.iter().any(|arg| arg == name));
    for tls in
        TLS.into_iter().zip(only).filter(|(_, chosen)| *chosen || only == [false; 2]).map(|(tls, _)| tls)
    {
        let folder: PathBuf = std::env::temp_dir().join(format!("podwire-bench-ucx-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--receive", tls]).arg(&folder).args(quick.then_some("--quick"));
        command.args(sizes.iter().map(ToString::to_string));
        let set = args.windows(2).filter(|pair| ["--set", "--eager"].contains(&pair[0].as_str()));
        command.args(set.flatten());
        let mut child = command.spawn().unwrap();
        let mut raw = Raw::open(tls, &folder, "sender", "receiver");
        let transport = transport(tls, &folder);
        for &size in &sizes {
            let (count, window) = plan(size, quick);
            let bell = Doorbell::new();
            let mut end = transport.sender(&link(size, window), &bell).unwrap();
            let body = vec![7_u8; size];
            let message = if size > 8 { Message::new(Bulk::from(body.clone())) } else { Message::new(7_u64) };
            let mut best = [f64::INFINITY; 2];
            for round in 1..=u64::from(ROUNDS) {
                let start = Instant::now();
                raw.send_all(&body, count, window);
                best[0] = best[0].min(start.elapsed().as_secs_f64());
                let start = Instant::now();
                for _ in 0..count {
                    transport::send(&mut *end, &message, &bell, LONG).unwrap();
                }
                while end.traffic().received < round * count {
                    bell.wait(Some(Duration::from_millis(1)));
                }
                best[1] = best[1].min(start.elapsed().as_secs_f64());
            }
            let [bare, link] = best.map(|time| count as f64 / time);
            let megabytes = |rate: f64| rate * size as f64 / 1e6;
            println!(
                "| {tls} | {size} | {bare:.0} | {link:.0} | {:.1} | {:.1} | {:.2} |",
                megabytes(bare),
                megabytes(link),
                link / bare
            );
        }
        drop(transport);
        assert!(child.wait().unwrap().success(), "the receiver failed");
        let _ = std::fs::remove_dir_all(&folder);
    }
}
