//! Processes that publish, read, write, free, send, receive and sweep, and are killed at random times; in the end all
//! of them at once.
//!
//! A worker notes what it has published or sent after the call returned, and what it frees before it frees it. After one
//! sweep, what was noted as published and not as being freed must be there, whole, and nothing else, but for the one
//! call in which a worker was killed; every message that was noted as sent must have been received, but for one that a
//! killed receiver had taken; nothing may be torn, left over, or have kept a survivor waiting. Workers note into files,
//! which never make them wait. `PODWIRE_STORM_KILLS` sets the number of kills, `PODWIRE_STORM_SEED` the seed;
//! `scripts/storm` sets both.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::Write,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::OnceLock,
    time::{Duration, Instant},
};

use podwire_fastio::{AllocationOptions, ChannelOptions, Error, FastIoContext, Incoming};

use rustix::time::{ClockId, clock_gettime};

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

/// Beyond so many names workers also free those of others, so that the dead leave no ever longer list.
const MANY_NAMES: usize = 60;

/// A file in which a worker keeps something for us.
fn note_file(seed: &str, what: &str) -> PathBuf {
    std::env::temp_dir().join(format!("podwire-storm-{seed}.{what}"))
}

fn open_note(what: &str) -> File {
    File::create(note_file(&std::env::var("PODWIRE_WORKER_SEED").unwrap(), what)).unwrap()
}

/// Nanoseconds by a clock that all processes share.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// Runs a call of the library, and notes since when it runs: so we know where a kill has hit it, and whether it hangs.
fn inside<T>(call: impl FnOnce() -> T) -> T {
    static CALL: OnceLock<File> = OnceLock::new();
    let file = CALL.get_or_init(|| open_note("call"));
    file.write_all_at(&now().to_le_bytes(), 0).unwrap();
    let result = call();
    file.write_all_at(&[0; 8], 0).unwrap();
    result
}

/// Notes what is to be known of a worker after its death.
fn note(what: impl std::fmt::Display) {
    static DEEDS: OnceLock<File> = OnceLock::new();
    DEEDS.get_or_init(|| open_note("deeds")).write_all(format!("{what}\n").as_bytes()).unwrap();
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
            note(format_args!("problem: {problem}"));
            return;
        }
        if start.elapsed() > STALL {
            note(format_args!("problem: waited for {:?}", start.elapsed()));
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

/// Sends one message: its number and its sender, inline, in memory of its own, or in memory that is lent.
fn send(context: &FastIoContext, random: &mut Random, worker: &mut Worker, name: &str) -> Result<(), String> {
    let seed = name.split_once('-').map_or(name, |(seed, _)| seed);
    let sender = match &mut worker.sender {
        Some(sender) => sender,
        none => none.insert(open(|| context.sender("stream", &STREAM))?),
    };
    let message = format!("{seed} {}", worker.sent);
    let kind = random.below(3);
    let fill = |bytes: &mut [u8]| {
        bytes.fill(b' ');
        bytes[..message.len()].copy_from_slice(message.as_bytes());
        let end = bytes.len() - message.len();
        bytes[end..].copy_from_slice(message.as_bytes());
    };
    let start = Instant::now();
    loop {
        let sent = inside(|| {
            let size = message.len() + 5000;
            match kind {
                0 => sender.send_timeout(message.as_bytes(), STALL / 2),
                1 => {
                    let allocation = context.create(size)?;
                    fill(&mut allocation.map_mut()?);
                    sender.send_timeout(&allocation, STALL / 2)
                }
                _ => {
                    let mut loan = sender.loan_timeout(size, STALL / 2)?;
                    fill(&mut loan);
                    loan.send()
                }
            }
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
    note(format_args!("sent {message}"));
    worker.sent += 1;
    Ok(())
}

fn receive(context: &FastIoContext, _: &mut Random, worker: &mut Worker, _: &str) -> Result<(), String> {
    let receiver = match &mut worker.receiver {
        Some(receiver) => receiver,
        none => none.insert(open(|| context.receiver("stream", &STREAM))?),
    };
    match inside(|| receiver.receive_timeout(STALL / 2)) {
        Ok(message) => note(format_args!("got {}", read(message)?)),
        Err(Error::PeerDied { .. } | Error::Timeout { .. }) => std::thread::sleep(Duration::from_millis(1)),
        Err(error) => return Err(error.to_string()),
    }
    Ok(())
}

/// The text of a message of the stream, if it is whole.
fn read(message: Incoming<'_>) -> Result<String, String> {
    match message {
        Incoming::Bytes(bytes) if bytes.len() < 5000 => Ok(String::from_utf8_lossy(bytes).into_owned()),
        Incoming::Bytes(bytes) => read_large(bytes),
        other => read_large(&other.allocation().map_err(text)?.map().map_err(text)?),
    }
}

fn read_large(bytes: &[u8]) -> Result<String, String> {
    let length = bytes.len() - 5000;
    let (first, last) = (&bytes[..length], &bytes[bytes.len() - length..]);
    if first == last && whole(&bytes[length..bytes.len() - length], b' ') {
        Ok(String::from_utf8_lossy(first).into_owned())
    } else {
        Err("a message is torn".into())
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
            note(format_args!("published {name}"));
            mine.push(name.to_owned());
        }
        3 | 4 if mine.len() > 3 => {
            let name = mine.swap_remove(random.below(mine.len() as u64) as usize);
            if !free(context, &name)? {
                note(format_args!("missing {name}"));
            }
        }
        5 => {
            // One allocation that everybody writes to; who finds it poisoned puts a new one in its place.
            let hot = match inside(|| context.try_get("hot")).map_err(text)? {
                Some(hot) => hot,
                None => return Ok(()),
            };
            match inside(|| hot.map_mut()) {
                Ok(mut guard) => guard.fill(random.below(256) as u8),
                Err(Error::Poisoned) => {
                    let fresh =
                        context.create_with(AllocationOptions::new(50_000).zeroed(true)).map_err(text)?;
                    inside(|| fresh.replace("hot")).map_err(text)?;
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        6 | 7 => {
            let Some(hot) = inside(|| context.try_get("hot")).map_err(text)? else { return Ok(()) };
            match inside(|| hot.map()) {
                Ok(guard) if whole(&guard, guard[0]) => {}
                Ok(_) => return Err("the hot allocation is torn".into()),
                Err(Error::Poisoned) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        8 if random.below(20) == 0 => drop(inside(|| context.sweep()).map_err(text)?),
        _ => {
            let mut listed = inside(|| context.list()).map_err(text)?;
            listed.retain(|entry| entry.name != "hot");
            for entry in listed.iter().take(3) {
                if let Some(found) = inside(|| context.try_get(&entry.name)).map_err(text)? {
                    check(&found, &entry.name)?;
                }
            }
            if listed.len() > MANY_NAMES {
                let entry = &listed[random.below(listed.len() as u64) as usize];
                mine.retain(|name| *name != entry.name);
                free(context, &entry.name)?;
            }
        }
    }
    Ok(())
}

/// Frees what has a name, and notes it before; whether there was something.
fn free(context: &FastIoContext, name: &str) -> Result<bool, String> {
    let Some(found) = inside(|| context.try_get(name)).map_err(text)? else { return Ok(false) };
    check(&found, name)?;
    note(format_args!("freeing {name}"));
    match inside(|| found.free()) {
        // Somebody else was faster, and noted it too.
        Ok(()) | Err(Error::Freed) => Ok(true),
        Err(error) => Err(error.to_string()),
    }
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

/// What the workers noted.
#[derive(Default)]
struct Said {
    published: HashSet<String>,
    freeing: HashSet<String>,
    /// What somebody who wanted to free it did not find.
    missing: Vec<String>,
    /// The last deeds of those who were killed, which may have been done or not.
    last: HashSet<String>,
    /// By sender: messages that were acknowledged, and the number that is to come next.
    sent: HashMap<String, u64>,
    next: HashMap<String, u64>,
    /// Messages that did not come so far. One for each killed receiver is excused.
    gaps: usize,
    receivers_killed: usize,
}

impl Said {
    fn note(&mut self, line: &str, tally: &mut Tally) {
        match line.split_once(' ') {
            Some(("published", name)) => drop(self.published.insert(name.to_owned())),
            Some(("freeing", name)) => drop(self.freeing.insert(name.to_owned())),
            Some(("missing", name)) => self.missing.push(name.to_owned()),
            Some(("got", message)) => self.got(message, tally),
            Some(("sent", message)) => {
                let (sender, _) = message.split_once(' ').unwrap();
                *self.sent.entry(sender.to_owned()).or_default() += 1;
            }
            Some(("problem:", problem)) if problem.contains("torn") => tally.torn.push(problem.to_owned()),
            Some(("problem:", problem)) => tally.disturbed.push(problem.to_owned()),
            _ => tally.torn.push(format!("the note {line:?}")),
        }
    }

    /// Messages come in order; only a receiver that is killed may take one, which it had not told of yet.
    fn got(&mut self, message: &str, tally: &mut Tally) {
        let (sender, number) = message.split_once(' ').unwrap_or((message, "x"));
        let Ok(number) = number.parse::<u64>() else {
            tally.torn.push(format!("message {message:?}"));
            return;
        };
        let expected = self.next.entry(sender.to_owned()).or_default();
        if number < *expected {
            tally.torn.push(format!("message {message:?} came again or too late"));
            return;
        }
        let missed = number - std::mem::replace(expected, number + 1);
        self.missed(missed, || format!("a message before {message:?}"), tally);
    }

    fn missed(&mut self, count: u64, what: impl FnOnce() -> String, tally: &mut Tally) {
        self.gaps += count as usize;
        if self.gaps > self.receivers_killed {
            tally.lost.push(what());
            self.gaps = self.receivers_killed;
        }
    }

    /// What was sent must have come by now.
    fn check_stream(&mut self, tally: &mut Tally) {
        for (sender, count) in std::mem::take(&mut self.sent) {
            let came = self.next.get(&sender).copied().unwrap_or(0);
            let what = || format!("the end of the stream of {sender}: {came} of {count}");
            self.missed(count.saturating_sub(came), what, tally);
        }
    }

    /// What is there must be what was published and not freed. A call in which a worker was killed may have had its
    /// effect or not: one for each.
    fn check_names(&self, listed: &HashSet<String>, killed: &HashSet<String>, tally: &mut Tally) {
        let kept = |name: &&String| !self.freeing.contains(*name);
        tally.lost.extend(self.published.iter().filter(kept).filter(|name| !listed.contains(*name)).cloned());
        tally.lost.extend(self.missing.iter().filter(kept).cloned());
        let mut excused = HashSet::new();
        for name in listed {
            let worker = name.split_once('-').map_or("", |(worker, _)| worker);
            let right = if self.freeing.contains(name) {
                self.last.contains(&format!("freeing {name}"))
            } else {
                self.published.contains(name) || (killed.contains(worker) && excused.insert(worker))
            };
            if !right {
                tally.leaked.push(format!("the name {name}"));
            }
        }
    }
}

/// A worker that was started.
struct Victim {
    role: &'static str,
    seed: String,
    actor: Actor,
    alive: bool,
}

impl Victim {
    fn start(role: &'static str, pipeline: &str, random: &mut Random) -> Self {
        let seed = (random.below(u64::MAX / 2) + 1).to_string();
        let mut actor = Actor::start_with(role, pipeline, &[("PODWIRE_WORKER_SEED", &seed)]);
        actor.expect("begin");
        Self { role, seed, actor, alive: false }
    }

    fn kill(&mut self) {
        self.alive = self.actor.child.try_wait().unwrap().is_none();
        self.actor.child.kill().unwrap();
    }
}

/// All who were killed.
#[derive(Default)]
struct Dead {
    seeds: HashSet<String>,
    kills: u64,
    inside: u64,
}

impl Dead {
    /// Takes in what a killed worker had noted.
    fn bury(&mut self, mut victim: Victim, said: &mut Said, tally: &mut Tally) {
        let killed = now();
        victim.actor.child.wait().unwrap();
        let read = |what| {
            let file = note_file(&victim.seed, what);
            let bytes = std::fs::read(&file).unwrap_or_default();
            let _ = std::fs::remove_file(file);
            bytes
        };
        let mut deeds = String::from_utf8(read("deeds")).unwrap();
        // A note that was being written does not count.
        deeds.truncate(deeds.rfind('\n').map_or(0, |end| end + 1));
        deeds.lines().for_each(|line| said.note(line, tally));
        said.last.extend(deeds.lines().last().map(str::to_owned));
        said.receivers_killed += usize::from(victim.role == "receiver");
        let since = read("call").first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        if since != 0 && killed.saturating_sub(since) > STALL.as_nanos() as u64 {
            tally.disturbed.push(format!("a {} hung in a call", victim.role));
        }
        self.kills += u64::from(victim.alive);
        self.inside += u64::from(victim.alive && since != 0);
        self.seeds.insert(victim.seed);
    }
}

/// The files of a pipeline that hold memory.
fn segment_files(pipeline: &str) -> Vec<String> {
    let files = std::fs::read_dir(directory(pipeline)).unwrap().flatten();
    let files = files.map(|file| file.file_name().to_string_lossy().into_owned());
    files.filter(|file| file.starts_with("segment.")).collect()
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
    let roles = ["worker", "worker", "worker", "sender", "receiver", "cleaner"];
    let mut workers: Vec<_> = roles.iter().map(|role| Victim::start(role, &pipeline, &mut random)).collect();
    let mut dead = Dead::default();
    while dead.kills + (roles.len() as u64) < wanted {
        std::thread::sleep(Duration::from_micros(random.below(15_000)));
        let mut victim = workers.swap_remove(random.below(workers.len() as u64) as usize);
        let role = victim.role;
        victim.kill();
        dead.bury(victim, &mut said, &mut tally);
        workers.push(Victim::start(role, &pipeline, &mut random));
    }
    // All at once.
    workers.iter_mut().for_each(Victim::kill);
    workers.into_iter().for_each(|worker| dead.bury(worker, &mut said, &mut tally));
    let Dead { seeds, kills: done, inside } = dead;

    // One sweep, and then everything that was acknowledged is there, and nothing else.
    context.sweep().unwrap();
    let stats = context.stats().unwrap();
    let leftover = (stats.processes, stats.private, stats.freed, stats.pooled_bytes);
    if leftover != (1, 0, 0, 0) || segment_files(&pipeline).len() != stats.published + stats.channels {
        tally.leaked.push(format!("{stats:?}"));
    }
    if let Ok(mut receiver) = context.receiver("stream", &STREAM) {
        while let Ok(Some(message)) = receiver.try_receive() {
            match read(message) {
                Ok(message) => said.got(&message, &mut tally),
                Err(problem) => tally.torn.push(problem),
            }
        }
    }
    said.check_stream(&mut tally);
    let mut listed: HashSet<_> = context.list().unwrap().into_iter().map(|entry| entry.name).collect();
    listed.remove("hot");
    said.check_names(&listed, &seeds, &mut tally);
    for name in &listed {
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
    tally.leaked.extend(segment_files(&pipeline));
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
        "{} publications and {} messages were acknowledged; {inside} of {done} kills hit a worker inside a call; {} \
         publications outlived all",
        said.published.len(),
        said.next.values().sum::<u64>(),
        listed.len(),
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
