//! How long does a message take from one process to another, beside iceoryx2, a bare futex and a bare spin?
//!
//! `podwire-bench-fastio [--quick] [--check] [BYTES..]` prints microseconds and ratios of one run: two processes, one message at a time,
//! from before the memory is taken to after its first and its last byte were read. The subjects take turns within a
//! round, because machines change their speed; what is compared was measured in the same minute.

mod ice;
mod shared;

use std::{
    process::{Child, Command},
    sync::atomic::Ordering::{Acquire, Release, SeqCst},
    time::{Duration, Instant},
};

use podwire_fastio::{ChannelOptions, FastIoContext, Incoming, PipelineOptions, Wait};
use rustix::{
    thread::futex,
    time::{ClockId, clock_gettime},
};
use shared::Page;

pub type Failure = Box<dyn std::error::Error>;

/// How the receiver waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Spin,
    Sleep,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Subject {
    Bare,
    Channel,
    Named,
    Ice,
}

const SUBJECTS: [Subject; 4] = [Subject::Bare, Subject::Channel, Subject::Named, Subject::Ice];
const SIZES: [usize; 5] = [8, 8 << 10, 1 << 20, 64 << 20, 1 << 30];

fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn parse<T: Copy + std::fmt::Debug>(all: &[T], text: &str) -> Option<T> {
    all.iter().copied().find(|one| format!("{one:?}") == text)
}

fn options(mode: Mode) -> ChannelOptions {
    let wait = if mode == Mode::Spin { Wait::Spin } else { Wait::Sleep };
    ChannelOptions::new().capacity(4).inline(96).wait(wait)
}

/// The receiver's process: says when each message was read.
fn receive(subject: Subject, mode: Mode, rounds: u64, name: &str) -> Result<(), Failure> {
    let page = Page::open(&page_path(name))?;
    let context = FastIoContext::open(name)?;
    let mut times = Vec::with_capacity(rounds as usize);
    let mut receiver =
        (subject == Subject::Channel).then(|| context.receiver("channel", &options(mode))).transpose()?;
    let mut ice = (subject == Subject::Ice).then(|| ice::Receiving::open(name, mode)).transpose()?;
    page.seen().store(1, Release);
    for round in 1..=rounds {
        let ends = match subject {
            Subject::Bare => {
                while page.word().load(Acquire) != round as u32 {
                    if mode == Mode::Sleep {
                        let _ = futex::wait(page.word(), futex::Flags::empty(), round as u32 - 1, None);
                    } else {
                        std::hint::spin_loop();
                    }
                }
                (round as u8, round as u8)
            }
            Subject::Channel => match receiver.as_mut().expect("it was opened").receive()? {
                Incoming::Bytes(bytes) => (bytes[0], bytes[bytes.len() - 1]),
                other => {
                    let allocation = other.allocation()?;
                    let bytes = allocation.map()?;
                    (bytes[0], bytes[bytes.len() - 1])
                }
            },
            Subject::Named => {
                let name = ["even", "odd"][(round % 2) as usize];
                let found = loop {
                    match mode {
                        Mode::Sleep => break context.wait(name, Duration::from_secs(10))?,
                        Mode::Spin => match context.try_get(name)? {
                            Some(found) => break found,
                            None => std::hint::spin_loop(),
                        },
                    }
                };
                let bytes = found.map()?;
                (bytes[0], bytes[bytes.len() - 1])
            }
            Subject::Ice => ice.as_mut().expect("it was opened").receive()?,
        };
        let read = now();
        times.push(read.saturating_sub(page.sent_at().load(Acquire)));
        if ends != (round as u8, round as u8) {
            return Err(format!("message {round} holds {ends:?}").into());
        }
        page.seen().store(round + 1, Release);
    }
    // The first messages touch fresh pages and fill caches.
    let mut times = times.split_off(times.len() / 5);
    times.sort_unstable();
    println!("{} {}", times[times.len() / 2], times[times.len() / 10]);
    Ok(())
}

/// The sender's side: one message after the other was read. Median and best tenth, in nanoseconds.
fn measure(subject: Subject, mode: Mode, size: usize, rounds: u64) -> Result<(f64, f64), Failure> {
    let name = format!("bench-{}-{subject:?}-{mode:?}-{size}", std::process::id());
    let page = Page::open(&page_path(&name))?;
    page.seen().store(0, SeqCst);
    page.word().store(0, SeqCst);
    let context = FastIoContext::open_with(&name, PipelineOptions::new().ephemeral(true))?;
    let mut sender =
        (subject == Subject::Channel).then(|| context.sender("channel", &options(mode))).transpose()?;
    let mut ice = (subject == Subject::Ice).then(|| ice::Sending::open(&name, mode, size)).transpose()?;
    let child: Child = Command::new(std::env::current_exe()?)
        .args(["--receive", &format!("{subject:?}"), &format!("{mode:?}"), &rounds.to_string(), &name])
        .stdout(std::process::Stdio::piped())
        .spawn()?;
    let mut last = None;
    for round in 1..=rounds {
        let patience = Instant::now();
        while page.seen().load(Acquire) != round {
            std::hint::spin_loop();
            if patience.elapsed() > Duration::from_secs(20) {
                return Err(format!("{subject:?} {mode:?} {size}: message {round} does not arrive").into());
            }
        }
        // Memory goes back before the clock runs.
        drop(last.take());
        let pause = Instant::now();
        let quiet = Duration::from_micros(if mode == Mode::Sleep { 60 } else { 2 });
        while pause.elapsed() < quiet {
            std::hint::spin_loop();
        }
        let number = round as u8;
        page.sent_at().store(now(), Release);
        match subject {
            Subject::Bare => {
                page.word().store(round as u32, SeqCst);
                if mode == Mode::Sleep {
                    futex::wake(page.word(), futex::Flags::empty(), 1)?;
                }
            }
            Subject::Channel if size <= 96 => {
                let mut bytes = [0; 96];
                (bytes[0], bytes[size - 1]) = (number, number);
                sender.as_mut().expect("it was opened").send(&bytes[..size])?;
            }
            Subject::Channel | Subject::Named => {
                let allocation = context.create(size)?;
                let mut bytes = allocation.map_mut()?;
                (bytes[0], bytes[size - 1]) = (number, number);
                drop(bytes);
                match &mut sender {
                    Some(sender) => sender.send(&allocation)?,
                    None => {
                        allocation.publish(["even", "odd"][(round % 2) as usize])?;
                        // Freed when it was read.
                        last = Some(Freed(allocation));
                    }
                }
            }
            Subject::Ice => ice.as_mut().expect("it was opened").send(number)?,
        }
    }
    let output = child.wait_with_output()?;
    drop(last);
    let text = String::from_utf8(output.stdout)?;
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let (Some(Ok(median)), Some(Ok(best))) = (numbers.next(), numbers.next()) else {
        return Err(format!("{subject:?} {mode:?} {size}: the receiver said {text:?}").into());
    };
    std::fs::remove_file(page_path(&name))?;
    Ok((median, best))
}

/// Frees its allocation when it goes.
struct Freed(podwire_fastio::FastIoAllocation);

impl Drop for Freed {
    fn drop(&mut self) {
        let _ = self.0.free();
    }
}

fn page_path(name: &str) -> std::path::PathBuf {
    std::path::Path::new("/dev/shm").join(format!("podwire-page-{name}"))
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    iceoryx2::prelude::set_log_level(iceoryx2::prelude::LogLevel::Fatal);
    if let [flag, subject, mode, rounds, name] = &arguments[..]
        && flag == "--receive"
    {
        let subject = parse(&SUBJECTS, subject).ok_or("no such subject")?;
        let mode = parse(&[Mode::Spin, Mode::Sleep], mode).ok_or("no such mode")?;
        return receive(subject, mode, rounds.parse()?, name);
    }
    let asked = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let (turns, rounds) = match () {
        () if asked("--check") => (1, 20),
        () if asked("--quick") => (3, 1000),
        () => (9, 4000),
    };
    let chosen: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if chosen.is_empty() { SIZES.to_vec() } else { chosen };
    for mode in [Mode::Spin, Mode::Sleep] {
        println!("\n{mode:?}: microseconds from one process to another, medians; the best of {turns} turns");
        println!(
            "{:>12} {:>8} {:>9} {:>9} {:>9} {:>14} {:>12}",
            "bytes", "bare", "channel", "named", "iceoryx2", "channel/ice", "named/ice"
        );
        for &size in &sizes {
            let mut best = [f64::MAX; SUBJECTS.len()];
            for _ in 0..turns {
                for (best, subject) in best.iter_mut().zip(SUBJECTS) {
                    // Fewer of the large ones: their memory is recycled all the same.
                    let rounds = if size >= 64 << 20 { (rounds / 4).max(20) } else { rounds };
                    *best = best.min(measure(subject, mode, size, rounds)?.0 / 1000.0);
                }
            }
            let [bare, channel, named, ice] = best;
            println!(
                "{size:>12} {bare:>8.2} {channel:>9.2} {named:>9.2} {ice:>9.2} {:>14.2} {:>12.2}",
                channel / ice,
                named / ice
            );
        }
    }
    Ok(())
}
