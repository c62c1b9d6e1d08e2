//! More and more workers and fragments: control messages, time until all run, memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use podwire_fragment::transport::zenoh::{SessionSettings, session};
use zenoh::{Session, Wait};

use crate::{
    Effort,
    processes::{self, Memory, Process},
};

/// Workers and fragments: as many hosts as fragments, and more fragments on as many hosts.
const SIZES: [(usize, usize); 10] =
    [(2, 2), (10, 10), (50, 50), (100, 100), (200, 200), (2, 50), (2, 200), (2, 500), (10, 200), (50, 200)];

pub fn measure(effort: Effort, asked: &[(usize, usize)]) {
    println!(
        "\n### Workers and fragments\n\nA line of fragments, each of one operator; each worker with shared memory of its own.\n\n\
         | workers | fragments | control messages | liveliness tokens | s until the first message was through | MiB, driver | MiB, largest worker |\n\
         |--:|--:|--:|--:|--:|--:|--:|"
    );
    let sizes = match effort {
        _ if !asked.is_empty() => asked,
        Effort::Check => &SIZES[..1],
        Effort::Quick => &SIZES[..3],
        Effort::Full => &SIZES[..],
    };
    for (workers, fragments) in sizes {
        one(*workers, *fragments);
    }
}

fn one(workers: usize, fragments: usize) {
    let address = format!("127.0.0.1:{}", free_port());
    let memories: Vec<Memory> = (0..=workers).map(Memory::new).collect();
    let application = format!("line {fragments}");
    let expected = workers.to_string();
    let environment = [("PODWIRE_WORKERS", expected.as_str()), ("PODWIRE_LEASE", "60000")];
    let driver =
        Process::start(None, &application, &["--driver", "--address", &address], &memories[0], &environment);
    let overheard = Overheard::new(&address);
    let begun = Instant::now();
    let start = |memory: &Memory| {
        Process::start(None, &application, &["--worker", "--address", &address], memory, &environment)
    };
    let started: Vec<Process> = memories[1..].iter().map(start).collect();
    let ids: Vec<u32> = started.iter().map(Process::id).collect();
    // Whoever has the last fragment says that the message arrived, and leaves time to look at all.
    let (sender, arrived) = mpsc::channel();
    let waiting = started.into_iter().map(|mut worker| {
        let sender = sender.clone();
        thread::spawn(move || {
            if worker.says("arrived").is_some() {
                let _ = sender.send(Instant::now());
            }
            worker.end();
        })
    });
    let waiting: Vec<_> = waiting.collect();
    drop(sender);
    let arrived = arrived.recv().expect("the last fragment ran; PODWIRE_BENCH_LOUD=1 shows why not");
    let seconds = (arrived - begun).as_secs_f64();
    let in_driver = processes::memory(driver.id());
    let in_workers = ids.into_iter().map(processes::memory).fold(0.0, f64::max);
    waiting.into_iter().for_each(|thread| thread.join().expect("a worker"));
    driver.end();
    let (messages, tokens) = overheard.counts();
    println!(
        "| {workers} | {fragments} | {messages} | {tokens} | {seconds:.2} | {in_driver:.0} | {in_workers:.0} |"
    );
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its number").port()
}

/// Hears what the processes say to each other.
struct Overheard {
    session: Session,
    messages: Arc<AtomicU64>,
    tokens: Arc<AtomicU64>,
}

impl Overheard {
    fn new(address: &str) -> Self {
        let connect = vec![format!("tcp/{address}")];
        let settings = SessionSettings { mode: "client".into(), connect, ..SessionSettings::default() };
        let session = loop {
            match session(&settings) {
                Ok(session) => break session,
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        };
        let (messages, tokens) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        for key in ["podwire/*/order/*", "podwire/*/word/*"] {
            let messages = Arc::clone(&messages);
            let count = move |_| _ = messages.fetch_add(1, Relaxed);
            session.declare_subscriber(key).callback(count).background().wait().expect("a subscriber");
        }
        let count = Arc::clone(&tokens);
        let appeared = move |sample: zenoh::sample::Sample| {
            if sample.kind() == zenoh::sample::SampleKind::Put {
                count.fetch_add(1, Relaxed);
            }
        };
        session
            .liveliness()
            .declare_subscriber("podwire/**")
            .history(true)
            .callback(appeared)
            .background()
            .wait()
            .expect("a subscriber");
        Self { session, messages, tokens }
    }

    fn counts(self) -> (u64, u64) {
        let _ = self.session.close().wait();
        (self.messages.load(Relaxed), self.tokens.load(Relaxed))
    }
}
