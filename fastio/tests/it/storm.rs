//! Processes that publish, read, write, free, send, receive and sweep, and are killed at random times.
//!
//! A worker says what it has published or sent after the call returned, and what it frees before it frees it.
//! Afterwards everything that was said to be published and not to be freed must be there, whole; every message that was
//! said to be sent must have been received, but for one that a killed receiver had taken; nothing may be torn, left
//! over, or have kept a survivor waiting. `PODWIRE_STORM_KILLS` sets the number of kills, `PODWIRE_STORM_SEED` the seed;
//! `scripts/storm` sets both.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::OnceLock,
    time::{Duration, Instant},
};

use podwire_fastio::{AllocationOptions, ChannelOptions, Error, FastIoContext, Incoming};

use crate::support::{Actor, Pipeline, Role, directory, say};

pub(crate) const ROLES: &[Role] = &[
    ("worker", |pipeline| repeat(pipeline, step)),
    ("sender", |pipeline| repeat(pipeline, send)),
    ("receiver", |pipeline| repeat(pipeline, receive)),
    ("cleaner", |pipeline| {
        repeat(pipeline, |context, _, _, _| inside(|| context.sweep()).map(drop).map_err(text));
    }),
];

/// Longer than any survivor may be kept waiting.
const STALL: Duration = Duration::from_secs(1);

const STREAM: ChannelOptions = ChannelOptions::new().capacity(4).inline(64);

/// Where a worker notes whether it is inside a call, so that we know where a kill has hit it.
fn note_file(seed: &str) -> PathBuf {
    std::env::temp_dir().join(format!("podwire-storm-{seed}"))
}

/// Runs a call of the library, and notes that it runs.
fn inside<T>(call: impl FnOnce() -> T) -> T {
    static NOTE: OnceLock<Option<File>> = OnceLock::new();
    let note = NOTE.get_or_init(|| File::create(note_file(&std::env::var("PODWIRE_WORKER_SEED").ok()?)).ok());
    let write = |byte: u8| note.as_ref().map(|file| file.write_all_at(&[byte], 0));
    write(b'1');
    let result = call();
    write(b'0');
    result
}

fn text(error: Error) -> String {
    error.to_string()
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn byte_of(name: &str) -> u8 {
    name.bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte))
}

fn whole(bytes: &[u8], byte: u8) -> bool {
    bytes.iter().all(|found| *found == byte)
}

type Step = fn(&FastIoContext, &mut Random, &mut Worker, &str) -> Result<(), String>;

/// What a worker keeps from step to step.
#[derive(Default)]
struct Worker {
    published: Vec<String>,
    sender: Option<podwire_fastio::Sender>,
    receiver: Option<podwire_fastio::Receiver>,
    sent: u64,
}

fn repeat(pipeline: &str, step: Step) {
    let seed: u64 = std::env::var("PODWIRE_WORKER_SEED").unwrap().parse().unwrap();
    let mut random = Random(seed | 1);
    let mut worker = Worker::default();
    let context = FastIoContext::open(pipeline).unwrap();
    say("begin");
    for round in 0u64.. {
        let start = Instant::now();
        if let Err(problem) = step(&context, &mut random, &mut worker, &format!("{seed}-{round}")) {
            say(format_args!("problem: {problem}"));
            return;
        }
        if start.elapsed() > STALL {
            say(format_args!("problem: waited for {:?}", start.elapsed()));
            return;
        }
    }
}

/// An end whose last owner was killed a moment ago is free within some milliseconds.
fn open<T>(open: impl Fn() -> Result<T, Error>) -> Result<T, String> {
    let start = Instant::now();
    loop {
        match inside(&open) {
            Err(Error::EndTaken { .. }) if start.elapsed() < STALL => {
                std::thread::sleep(Duration::from_millis(1));
            }
            other => return other.map_err(text),
        }
    }
}

/// Sends one message: its number and its sender, inline or in memory of its own.
fn send(context: &FastIoContext, random: &mut Random, worker: &mut Worker, name: &str) -> Result<(), String> {
    let seed = name.split_once('-').map_or(name, |(seed, _)| seed);
    let sender = match &mut worker.sender {
        Some(sender) => sender,
        none => none.insert(open(|| context.sender("stream", &STREAM))?),
    };
    let message = format!("{seed} {}", worker.sent);
    let large = random.below(2) == 0;
    let start = Instant::now();
    loop {
        let sent = inside(|| {
            if !large {
                return sender.send_timeout(message.as_bytes(), STALL / 2);
            }
            let size = message.len() + 5000;
            let allocation = context.create(size)?;
            let mut bytes = allocation.map_mut()?;
            bytes.fill(b' ');
            bytes[..message.len()].copy_from_slice(message.as_bytes());
            bytes[size - message.len()..].copy_from_slice(message.as_bytes());
            drop(bytes);
            sender.send_timeout(&allocation, STALL / 2)
        });
        match sent {
            Ok(()) => break,
            // The next receiver is on its way.
            Err(Error::PeerDied { .. } | Error::Timeout { .. }) if start.elapsed() < STALL => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    say(format_args!("sent {message}"));
    worker.sent += 1;
    Ok(())
}

fn receive(context: &FastIoContext, _: &mut Random, worker: &mut Worker, _: &str) -> Result<(), String> {
    let receiver = match &mut worker.receiver {
        Some(receiver) => receiver,
        none => none.insert(open(|| context.receiver("stream", &STREAM))?),
    };
    match inside(|| receiver.receive_timeout(STALL / 2)) {
        Ok(message) => say(format_args!("got {}", read(message)?)),
        Err(Error::PeerDied { .. } | Error::Timeout { .. }) => std::thread::sleep(Duration::from_millis(1)),
        Err(error) => return Err(error.to_string()),
    }
    Ok(())
}

/// The text of a message of the stream, if it is whole.
fn read(message: Incoming<'_>) -> Result<String, String> {
    match message {
        Incoming::Bytes(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        other => {
            let allocation = other.allocation().map_err(text)?;
            let bytes = allocation.map().map_err(text)?;
            let length = bytes.len() - 5000;
            let (first, last) = (&bytes[..length], &bytes[bytes.len() - length..]);
            if first == last && whole(&bytes[length..bytes.len() - length], b' ') {
                Ok(String::from_utf8_lossy(first).into_owned())
            } else {
                Err("a message is torn".into())
            }
        }
    }
}

fn step(context: &FastIoContext, random: &mut Random, worker: &mut Worker, name: &str) -> Result<(), String> {
    let mine = &mut worker.published;
    match random.below(10) {
        0..=2 => {
            let size = [100, 5000, 70_000][random.below(3) as usize];
            let part = inside(|| context.create(size)).map_err(text)?;
            part.map_mut().map_err(text)?.fill(byte_of(name));
            let allocation = if random.below(2) == 0 {
                let parent = AllocationOptions::new(10).children(&[&part]);
                let parent = inside(|| context.create_with(parent)).map_err(text)?;
                parent.map_mut().map_err(text)?.fill(byte_of(name));
                parent
            } else {
                part
            };
            inside(|| allocation.publish(name)).map_err(text)?;
            say(format_args!("published {name}"));
            mine.push(name.to_owned());
        }
        3 | 4 if mine.len() > 3 => {
            let name = mine.swap_remove(random.below(mine.len() as u64) as usize);
            say(format_args!("freeing {name}"));
            let found = inside(|| context.get(&name)).map_err(text)?;
            check(&found, &name)?;
            inside(|| found.free()).map_err(text)?;
        }
        5 => {
            // One allocation that everybody writes to; who finds it poisoned puts a new one in its place.
            let hot = match inside(|| context.try_get("hot")).map_err(text)? {
                Some(hot) => hot,
                None => return Ok(()),
            };
            match hot.map_mut() {
                Ok(mut guard) => guard.fill(random.below(256) as u8),
                Err(Error::Poisoned) => {
                    let fresh =
                        context.create_with(AllocationOptions::new(50_000).zeroed(true)).map_err(text)?;
                    fresh.replace("hot").map_err(text)?;
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        6 | 7 => {
            let Some(hot) = inside(|| context.try_get("hot")).map_err(text)? else { return Ok(()) };
            match hot.map() {
                Ok(guard) if whole(&guard, guard[0]) => {}
                Ok(_) => return Err("the hot allocation is torn".into()),
                Err(Error::Poisoned) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        8 if random.below(20) == 0 => drop(inside(|| context.sweep()).map_err(text)?),
        _ => {
            for entry in
                inside(|| context.list()).map_err(text)?.iter().take(3).filter(|entry| entry.name != "hot")
            {
                if let Some(found) = inside(|| context.try_get(&entry.name)).map_err(text)? {
                    check(&found, &entry.name)?;
                }
            }
        }
    }
    Ok(())
}

fn check(found: &podwire_fastio::FastIoAllocation, name: &str) -> Result<(), String> {
    let text = |error: Error| format!("{name}: {error}");
    if !whole(&found.map().map_err(text)?, byte_of(name)) {
        return Err(format!("{name} is torn"));
    }
    for child in found.children().map_err(text)? {
        if !whole(&child.map().map_err(text)?, byte_of(name)) {
            return Err(format!("a child of {name} is torn"));
        }
    }
    Ok(())
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// What was found wrong.
#[derive(Default)]
struct Tally {
    lost: Vec<String>,
    torn: Vec<String>,
    leaked: Vec<String>,
    disturbed: Vec<String>,
}

/// What the workers said.
#[derive(Default)]
struct Said {
    published: HashSet<String>,
    freeing: HashSet<String>,
    /// Messages by sender: how many were acknowledged.
    sent: Vec<(String, u64)>,
    /// Messages in the order in which they came, and after how many of them a receiver was killed.
    got: Vec<String>,
    receivers_killed: Vec<usize>,
}

impl Said {
    fn note(&mut self, line: &str, tally: &mut Tally) {
        match line.split_once(' ') {
            Some(("published", name)) => drop(self.published.insert(name.to_owned())),
            Some(("freeing", name)) => drop(self.freeing.insert(name.to_owned())),
            Some(("got", message)) => self.got.push(message.to_owned()),
            Some(("sent", message)) => {
                let (sender, _) = message.split_once(' ').unwrap();
                match self.sent.iter_mut().find(|(known, _)| known == sender) {
                    Some((_, count)) => *count += 1,
                    None => self.sent.push((sender.to_owned(), 1)),
                }
            }
            Some(("problem:", problem)) if problem.contains("torn") => tally.torn.push(problem.to_owned()),
            Some(("problem:", problem)) => tally.disturbed.push(problem.to_owned()),
            _ => {}
        }
    }

    /// Messages come in order; only a receiver that is killed may take one, which it had not told of yet.
    fn check_stream(&self, tally: &mut Tally) {
        let mut next: HashMap<&str, u64> = HashMap::new();
        let mut excused = 0usize;
        let mut gaps = 0usize;
        for (position, message) in self.got.iter().enumerate() {
            excused = excused.max(self.receivers_killed.iter().filter(|killed| **killed <= position).count());
            let (sender, number) = message.split_once(' ').unwrap_or((message, "x"));
            let Ok(number) = number.parse::<u64>() else {
                tally.torn.push(format!("message {message:?}"));
                continue;
            };
            let expected = next.entry(sender).or_default();
            if number < *expected {
                tally.torn.push(format!("message {message:?} came again or too late"));
                continue;
            }
            gaps += (number - *expected) as usize;
            *expected = number + 1;
            if gaps > excused {
                tally.lost.push(format!("a message before {message:?}"));
                gaps = excused;
            }
        }
        let excused = self.receivers_killed.len();
        for (sender, count) in &self.sent {
            let came = next.get(&**sender).copied().unwrap_or(0);
            gaps += count.saturating_sub(came) as usize;
            if gaps > excused {
                tally.lost.push(format!("the end of the stream of {sender}: {came} of {count}"));
                gaps = excused;
            }
        }
    }
}

#[test]
fn a_storm_of_kills_loses_tears_and_leaks_nothing() {
    let started = Instant::now();
    let wanted = number("PODWIRE_STORM_KILLS").unwrap_or(100);
    let seed = number("PODWIRE_STORM_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("seed {seed}");
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let hot = context.create_with(AllocationOptions::new(50_000).zeroed(true)).unwrap();
    hot.publish("hot").unwrap();
    drop(hot);

    let (mut said, mut tally) = (Said::default(), Tally::default());
    let start = |role: &'static str, random: &mut Random| {
        let seed = (random.below(u64::MAX / 2) + 1).to_string();
        let mut worker = Actor::start_with(role, &pipeline, &[("PODWIRE_WORKER_SEED", &seed)]);
        worker.expect("begin");
        (role, seed, worker)
    };
    let roles = ["worker", "worker", "worker", "sender", "receiver", "cleaner"];
    let mut workers: Vec<_> = roles.iter().map(|role| start(role, &mut random)).collect();
    let (mut kills, mut inside) = (0, 0);
    let mut end = |(role, seed, mut worker): (&str, String, Actor), said: &mut Said, tally: &mut Tally| {
        let alive = worker.child.try_wait().unwrap().is_none();
        worker.kill();
        while let Some(line) = worker.hear() {
            said.note(&line, tally);
        }
        if role == "receiver" {
            said.receivers_killed.push(said.got.len());
        }
        let note = note_file(&seed);
        let was_inside = std::fs::read(&note).is_ok_and(|bytes| bytes == b"1");
        let _ = std::fs::remove_file(note);
        kills += u64::from(alive);
        inside += u64::from(alive && was_inside);
        kills
    };
    let mut done = 0;
    while done + (roles.len() as u64) < wanted {
        std::thread::sleep(Duration::from_micros(random.below(15_000)));
        let victim = workers.swap_remove(random.below(workers.len() as u64) as usize);
        let role = victim.0;
        done = end(victim, &mut said, &mut tally);
        workers.push(start(role, &mut random));
    }
    for worker in workers {
        done = end(worker, &mut said, &mut tally);
    }

    // One sweep, and then everything that was acknowledged is there, and nothing else.
    context.sweep().unwrap();
    let stats = context.stats().unwrap();
    let leftover = (stats.processes, stats.private, stats.freed, stats.pooled_bytes);
    if leftover != (1, 0, 0, 0) {
        tally.leaked.push(format!("{stats:?}"));
    }
    if let Ok(mut receiver) = context.receiver("stream", &STREAM) {
        while let Ok(Some(message)) = receiver.try_receive() {
            match read(message) {
                Ok(message) => said.got.push(message),
                Err(problem) => tally.torn.push(problem),
            }
        }
    }
    said.check_stream(&mut tally);
    let listed: HashSet<_> = context.list().unwrap().into_iter().map(|entry| entry.name).collect();
    let lost = said.published.iter().filter(|name| !said.freeing.contains(*name) && !listed.contains(*name));
    tally.lost.extend(lost.cloned());
    for name in listed.iter().filter(|name| *name != "hot") {
        if let Err(problem) = check(&context.get(name).unwrap(), name) {
            tally.torn.push(problem);
        }
        context.unpublish(name).unwrap();
    }
    context.unpublish("hot").unwrap();
    context.sweep().unwrap();
    let stats = context.stats().unwrap();
    if (stats.names, stats.published, stats.channels, stats.bytes) != (0, 0, 0, 0) {
        tally.leaked.push(format!("{stats:?}"));
    }
    let files = std::fs::read_dir(directory(&pipeline)).unwrap().flatten();
    let files = files.map(|file| file.file_name().to_string_lossy().into_owned());
    tally.leaked.extend(files.filter(|file| file.starts_with("segment.")));
    context.drop_pipeline().unwrap();
    if directory(&pipeline).exists() {
        tally.leaked.push("the pipeline's directory".into());
    }

    for (what, found) in [
        ("lost", &tally.lost),
        ("torn", &tally.torn),
        ("leaked", &tally.leaked),
        ("disturbed", &tally.disturbed),
    ] {
        found.iter().take(10).for_each(|found| println!("{what}: {found}"));
    }
    let Tally { lost, torn, leaked, disturbed } = &tally;
    println!(
        "{} publications and {} messages were acknowledged; {inside} of {done} kills hit a worker inside a call",
        said.published.len(),
        said.sent.iter().map(|(_, count)| count).sum::<u64>(),
    );
    let wrong = [lost, torn, leaked, disturbed].map(Vec::len);
    println!(
        "kills {done}, lost {}, torn {}, leaked {}, disturbed {}, seed {seed}, seconds {}",
        wrong[0],
        wrong[1],
        wrong[2],
        wrong[3],
        started.elapsed().as_secs()
    );
    assert_eq!(wrong, [0; 4], "seed {seed}");
    assert!(inside * 2 >= done, "only {inside} of {done} kills hit a worker inside a call");
}
