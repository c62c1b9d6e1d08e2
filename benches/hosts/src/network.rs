//! Messages between two network namespaces, beside a bare TCP connection between them.

use std::process::{Command, Stdio};

use crate::{
    Effort,
    processes::{Memory, Process},
};

/// Bytes of an array, and how many of them are sent.
const SIZES: [(usize, u64); 5] =
    [(8, 50_000), (1 << 10, 50_000), (64 << 10, 5_000), (1 << 20, 500), (64 << 20, 20)];

#[derive(Clone, Copy)]
enum Subject {
    Bare,
    Over(&'static str),
}

pub fn measure(effort: Effort) {
    let Some(cable) = Cable::new() else { return println!("skipped: network namespaces") };
    println!(
        "\n### Two hosts\n\nMessages per second between two network namespaces, joined by a cable of the kernel; in brackets, \
         beside bare TCP.\n\n| bytes | bare TCP | Zenoh | UCX |\n|--:|--:|--:|--:|"
    );
    let (rounds, part) = match effort {
        Effort::Check => (1, 50),
        Effort::Quick => (3, 5),
        Effort::Full => (5, 1),
    };
    for (bytes, messages) in SIZES {
        if effort == Effort::Check && bytes > 1 << 20 {
            continue;
        }
        let messages = (messages / part).max(5);
        let subjects = [Subject::Bare, Subject::Over("zenoh"), Subject::Over("ucx")];
        let mut rates = subjects.map(|_| Vec::new());
        for _ in 0..rounds {
            for (subject, rates) in subjects.iter().zip(&mut rates) {
                rates.push(cable.turn(*subject, bytes, messages));
            }
        }
        let [bare, zenoh, ucx] = rates.map(|mut rates| {
            rates.sort_by(f64::total_cmp);
            rates[rates.len() / 2]
        });
        println!("| {bytes} | {bare:.0} | {zenoh:.0} ({:.2}) | {ucx:.0} ({:.2}) |", zenoh / bare, ucx / bare);
    }
}

/// Two namespaces and what joins them.
struct Cable {
    names: [String; 2],
}

const ADDRESSES: [&str; 2] = ["10.78.0.1", "10.78.0.2"];

impl Cable {
    fn new() -> Option<Self> {
        let cable =
            Self { names: ["a", "b"].map(|end| format!("podwire-bench-{}-{end}", std::process::id())) };
        let [a, b] = &cable.names;
        let mut commands = vec![
            vec!["netns", "add", a],
            vec!["netns", "add", b],
            vec!["-n", a, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", b],
        ];
        let networks = ADDRESSES.map(|address| format!("{address}/24"));
        for (name, network) in cable.names.iter().zip(&networks) {
            commands.push(vec!["-n", name, "addr", "add", network, "dev", "eth0"]);
            commands.push(vec!["-n", name, "link", "set", "lo", "up"]);
            commands.push(vec!["-n", name, "link", "set", "eth0", "up"]);
        }
        commands.iter().all(|arguments| ip(arguments)).then_some(cable)
    }

    /// Messages per second.
    fn turn(&self, subject: Subject, bytes: usize, messages: u64) -> f64 {
        let memories = [Memory::new(0), Memory::new(1)];
        let [a, b] = [0, 1].map(|at| (Some(self.names[at].as_str()), &memories[at]));
        let rate = match subject {
            Subject::Bare => {
                let application = format!("bare {}:5000 {bytes} {messages}", ADDRESSES[1]);
                let mut to = Process::start(b.0, &application, &["listen"], b.1, &[]);
                to.says("listening").expect("it listens");
                let from = Process::start(a.0, &application, &[], a.1, &[]);
                let rate = to.says("rate");
                [from, to].into_iter().for_each(Process::end);
                rate
            }
            Subject::Over(transport) => {
                let application = format!("stream {bytes} {messages}");
                let environment = [
                    ("PODWIRE_TRANSPORT", transport),
                    ("UCX_NET_DEVICES", "eth0"),
                    ("UCX_LOG_LEVEL", "fatal"),
                ];
                let address = format!("{}:57777", ADDRESSES[0]);
                let with = |first: &[&'static str], fragment: &'static str| -> Vec<String> {
                    let rest = ["--worker", "--fragments", fragment, "--address", &address];
                    first.iter().copied().chain(rest).map(str::to_owned).collect()
                };
                let start = |(namespace, memory): (Option<&str>, &Memory), arguments: Vec<String>| {
                    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                    Process::start(namespace, &application, &arguments, memory, &environment)
                };
                let from = start(a, with(&["--driver"], "from"));
                let mut to = start(b, with(&[], "to"));
                let rate = to.says("rate");
                [to, from].into_iter().for_each(Process::end);
                rate
            }
        };
        let rate = rate.expect("a rate; PODWIRE_BENCH_LOUD=1 shows why there is none");
        rate.parse().expect("a number")
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for name in &self.names {
            ip(&["netns", "delete", name]);
        }
    }
}

fn ip(arguments: &[&str]) -> bool {
    let status = Command::new("ip").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
