//! From one process to another: how long a message is on its way, and how many go through.
//!
//! Large messages of podwire and of iceoryx2 lie in shared memory and move by reference: their first and last eight bytes
//! are written and read. Over Zenoh they are copied through a TCP connection. The subjects of a row take turns.

use std::{
    io::{Read, Write},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

mod fragments;
mod ice;
mod links;
mod zenoh_alone;

use crate::{Effort, head, row};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What carries messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// Operators of two fragments, as an application is run.
    Fragments,
    /// The two ends of a link of Fast I/O.
    Link,
    Ice,
    ZenohLink,
    Zenoh,
}

/// How the receiver waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Sleep,
    Spin,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subject {
    way: Way,
    pub mode: Mode,
}

const SUBJECTS: [Subject; 7] = [
    Subject { way: Way::Fragments, mode: Mode::Sleep },
    Subject { way: Way::Link, mode: Mode::Sleep },
    Subject { way: Way::Ice, mode: Mode::Sleep },
    Subject { way: Way::Link, mode: Mode::Spin },
    Subject { way: Way::Ice, mode: Mode::Spin },
    Subject { way: Way::ZenohLink, mode: Mode::Sleep },
    Subject { way: Way::Zenoh, mode: Mode::Sleep },
];

const SIZES: [usize; 5] = [8, 1 << 10, 64 << 10, 1 << 20, 64 << 20];

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// One message after the other was received: nanoseconds in the middle of all.
    Latency,
    /// As fast as they go: nanoseconds from the first to the last.
    Rate,
}

/// One measurement: what both processes have to know.
#[derive(Clone, Debug)]
pub struct Task {
    subject: Subject,
    measure: Measure,
    pub size: usize,
    pub count: u64,
    /// Unique on this machine.
    pub name: String,
    /// Where somebody listens, if somebody does.
    pub address: String,
}

impl Task {
    /// How many messages may wait.
    pub fn capacity(&self) -> usize {
        match self.size {
            ..=0xF_FFFF => 64,
            ..=0xFF_FFFF => 16,
            _ => 4,
        }
    }

    fn arguments(&self) -> [String; 8] {
        let Self { subject: Subject { way, mode }, measure, size, count, name, address } = self;
        [
            "--receive".into(),
            format!("{way:?}"),
            format!("{mode:?}"),
            format!("{measure:?}"),
            size.to_string(),
            count.to_string(),
            name.clone(),
            address.clone(),
        ]
    }

    fn parse(arguments: &[String]) -> Option<Self> {
        let [_, way, mode, measure, size, count, name, address] = arguments else { return None };
        let subject = SUBJECTS
            .into_iter()
            .find(|subject| format!("{:?}", subject.way) == *way && format!("{:?}", subject.mode) == *mode)?;
        let measure = if measure == "Rate" { Measure::Rate } else { Measure::Latency };
        let (size, count) = (size.parse().ok()?, count.parse().ok()?);
        Some(Self { subject, measure, size, count, name: name.clone(), address: address.clone() })
    }
}

/// The sender's side of a subject.
trait Sending {
    /// What can be done before the clock runs.
    fn prepare(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Sends what was prepared, with the time in it.
    fn send(&mut self, time: u64) -> Result<(), Failure>;
}

/// The receiver's side of a subject.
trait Receiving {
    /// The next message: the time in it.
    fn receive(&mut self) -> Result<u64, Failure>;
}

/// Nanoseconds of a clock that all processes have.
pub fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The time that a message has at its beginning, once its end was read, too.
fn time_of(bytes: &[u8]) -> u64 {
    let number = |bytes: Option<&[u8; 8]>| u64::from_le_bytes(*bytes.expect("there are eight bytes"));
    std::hint::black_box(number(bytes.last_chunk()));
    number(bytes.first_chunk())
}

/// In the receiver's process.
pub fn receive(arguments: &[String]) -> Result<(), Failure> {
    let task = Task::parse(arguments).ok_or("these are no arguments of a receiver")?;
    if task.subject.way == Way::Fragments {
        return fragments::receive(&task);
    }
    let mut end: Box<dyn Receiving> = match task.subject.way {
        Way::Ice => Box::new(ice::Receiver::open(&task)?),
        Way::Zenoh => Box::new(zenoh_alone::Receiver::open(&task)?),
        Way::ZenohLink => Box::new(links::Receiver::over_zenoh(&task)?),
        Way::Link | Way::Fragments => Box::new(links::Receiver::over_fastio(&task)?),
    };
    let mut out = std::io::stdout();
    let mut tell = |number: u64| out.write_all(&number.to_le_bytes()).and_then(|()| out.flush());
    tell(0)?;
    match task.measure {
        Measure::Latency => {
            for _ in 0..task.count {
                let sent = end.receive()?;
                tell(now().saturating_sub(sent))?;
            }
        }
        Measure::Rate => {
            end.receive()?;
            let begin = now();
            for _ in 1..task.count {
                end.receive()?;
            }
            tell(now() - begin)?;
        }
    }
    // The sender goes first, so that nothing is taken from under it.
    let _ = std::io::stdin().read(&mut [0]);
    Ok(())
}

/// The receiver's process, which is killed if it is not done in the end.
struct Other(Child);

impl Other {
    fn start(task: &Task) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(task.arguments()).stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(Self(command.spawn()?))
    }

    fn hear(&mut self) -> Result<u64, Failure> {
        let mut number = [0; 8];
        self.0.stdout.as_mut().ok_or("the receiver has no voice")?.read_exact(&mut number)?;
        Ok(u64::from_le_bytes(number))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let begin = Instant::now();
        while matches!(self.0.try_wait(), Ok(None)) && begin.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Nanoseconds: of one message on its way, or of each of many.
fn measure(task: &Task) -> Result<f64, Failure> {
    if task.subject.way == Way::Fragments {
        return fragments::measure(task);
    }
    let mut end: Box<dyn Sending> = match task.subject.way {
        Way::Ice => Box::new(ice::Sender::open(task)?),
        Way::Zenoh => Box::new(zenoh_alone::Sender::open(task)?),
        Way::ZenohLink => Box::new(links::Sender::over_zenoh(task)?),
        Way::Link | Way::Fragments => Box::new(links::Sender::over_fastio(task)?),
    };
    let mut other = Other::start(task)?;
    other.hear()?;
    if task.measure == Measure::Rate {
        for _ in 0..task.count {
            end.prepare()?;
            end.send(1)?;
        }
        return Ok(other.hear()? as f64 / (task.count - 1) as f64);
    }
    let mut times = Vec::new();
    for _ in 0..task.count {
        end.prepare()?;
        // Long enough for the receiver to fall asleep.
        std::thread::sleep(Duration::from_micros(100));
        end.send(now())?;
        times.push(other.hear()?);
    }
    Ok(middle(times))
}

/// The median, without the first fifth: those touch fresh pages and fill caches.
fn middle(times: Vec<u64>) -> f64 {
    let mut times = times[times.len() / 5..].to_vec();
    times.sort_unstable();
    times[times.len() / 2] as f64
}

fn count(subject: Subject, measure: Measure, size: usize, effort: Effort) -> u64 {
    let copied = matches!(subject.way, Way::Zenoh | Way::ZenohLink);
    let count = match (measure, size) {
        (Measure::Latency, _) if copied && size >= 64 << 20 => 10,
        (Measure::Latency, _) => effort.hops / 2,
        (Measure::Rate, size) if copied => (effort.stream / 5).min(((256 << 20) / size) as u64).max(6),
        (Measure::Rate, ..=0xFFFF) => effort.stream / 5,
        (Measure::Rate, _) => effort.stream / 25,
    };
    count.max(6)
}

fn in_words(size: usize) -> String {
    match size {
        _ if size >= 1 << 20 => format!("{} MiB", size >> 20),
        _ if size >= 1 << 10 => format!("{} KiB", size >> 10),
        _ => format!("{size} B"),
    }
}

/// The best of all turns of each subject; infinite where it could not be measured.
fn best(measured: Measure, size: usize, effort: Effort) -> [f64; SUBJECTS.len()] {
    let mut best = [f64::INFINITY; SUBJECTS.len()];
    let turns = if size >= 64 << 20 { 2 } else { effort.rounds.div_ceil(5) };
    for turn in 0..turns {
        for (best, subject) in best.iter_mut().zip(SUBJECTS) {
            let count = count(subject, measured, size, effort);
            let Subject { way, mode } = subject;
            let name = format!("{way:?}-{mode:?}-{measured:?}-{size}-{turn}-{}", std::process::id());
            let address = free_address();
            let task = Task { subject, measure: measured, size, count, name, address };
            match measure(&task) {
                Ok(time) => *best = best.min(time),
                Err(error) => eprintln!("left out: {task:?}: {error}"),
            }
        }
    }
    best
}

/// An address of this host that nobody has now.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0");
    listener.and_then(|listener| listener.local_addr()).map_or_else(|_| String::new(), |it| it.to_string())
}

/// A number for a table, or a dash for what was not measured.
fn cell(value: f64, digits: usize) -> String {
    if value.is_finite() { format!("{value:.digits$}") } else { "-".into() }
}

pub fn measure_all(effort: Effort) {
    let columns = [
        "fragments, blocking",
        "link, blocking",
        "iceoryx2, blocking",
        "link, spinning",
        "iceoryx2, spinning",
        "link over Zenoh",
        "Zenoh alone",
        "fragments / iceoryx2, blocking",
        "link / iceoryx2, blocking",
        "link / iceoryx2, spinning",
        "link over Zenoh / Zenoh",
    ];
    let sizes = || SIZES.into_iter().filter(|size| *size <= effort.largest);
    // In each column less is better, also in those of the ratios.
    let ratios = |best: [f64; SUBJECTS.len()]| {
        let [fragments, sleep, ice, spin, ice_spin, zenoh_link, zenoh] = best;
        [fragments / ice, sleep / ice, spin / ice_spin, zenoh_link / zenoh].map(|ratio| cell(ratio, 2))
    };
    head("One message from process to process, microseconds", "bytes", &columns);
    for size in sizes() {
        let best = best(Measure::Latency, size, effort);
        let cells = best.map(|time| cell(time / 1000.0, 2)).into_iter().chain(ratios(best));
        row(&in_words(size), &cells.collect::<Vec<_>>());
    }
    let mut tables = [Vec::new(), Vec::new()];
    for size in sizes() {
        let best = best(Measure::Rate, size, effort);
        let each_second = |time: f64| if time.is_finite() { 1e9 / time } else { f64::INFINITY };
        let rates = best.map(|time| cell(each_second(time) / 1e3, 2)).into_iter().chain(ratios(best));
        tables[0].push((size, rates.collect::<Vec<_>>()));
        let bytes = best.map(|time| cell(each_second(time) * size as f64 / 1e6, 0));
        tables[1].push((size, bytes.into_iter().collect()));
    }
    let [rates, bytes] = tables;
    head("Thousand messages a second from process to process; ratios of their times", "bytes", &columns);
    rates.iter().for_each(|(size, cells)| row(&in_words(*size), cells));
    head("Megabytes a second from process to process", "bytes", &columns[..SUBJECTS.len()]);
    bytes.iter().for_each(|(size, cells)| row(&in_words(*size), cells));
}
