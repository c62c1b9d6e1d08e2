//! From one process to another: one message at a time, from before it is sent to after its first and its last byte were
//! read.
//!
//! Times are medians of a run; the subjects take turns, because machines change their speed, and what is compared was
//! measured in the same minute.

use std::{
    process::{Child, Command, Stdio},
    sync::atomic::Ordering::{Acquire, Release, SeqCst},
    time::{Duration, Instant},
};

use podwire_fastio::{ChannelOptions, FastIoAllocation, FastIoContext, Incoming, PipelineOptions, Wait};
use rustix::{
    thread::futex,
    time::{ClockId, clock_gettime},
};

use crate::{Failure, ice, machine, shared::Page};

/// How the receiver waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Spin,
    Sleep,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// A word that changes, and a futex where the receiver sleeps: the floor.
    Bare,
    /// A channel: bytes in the channel itself, or a loan where they are many.
    Channel,
    /// A channel that carries a reference to an allocation, which is taken from the pool each time.
    Reference,
    /// An allocation that is there is published under a new name.
    Publish,
    /// An allocation is taken from the pool and published.
    Create,
    /// iceoryx2: loan, send, receive.
    Ice,
    /// Zenoh: shared memory from its provider, put, and its subscriber's queue.
    #[cfg(feature = "zenoh")]
    Zenoh,
}

pub const SUBJECTS: &[Subject] = &[
    Subject::Bare,
    Subject::Channel,
    Subject::Reference,
    Subject::Publish,
    Subject::Create,
    Subject::Ice,
    #[cfg(feature = "zenoh")]
    Subject::Zenoh,
];

impl Subject {
    fn is_channel(self) -> bool {
        matches!(self, Self::Channel | Self::Reference)
    }

    /// Whether this can be measured with so many bytes.
    pub fn can_have(self, size: usize) -> bool {
        // What is larger does not stay in the pool, so that fresh memory would be measured.
        !matches!(self, Self::Reference | Self::Create) || size <= 64 << 20
    }
}

/// The bytes of a message that lie in a channel itself.
const INLINE: usize = 96;

fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

pub fn parse<T: Copy + std::fmt::Debug>(all: &[T], text: &str) -> Option<T> {
    all.iter().copied().find(|one| format!("{one:?}") == text)
}

fn options(mode: Mode) -> ChannelOptions {
    let wait = if mode == Mode::Spin { Wait::Spin } else { Wait::Sleep };
    ChannelOptions::new().capacity(2).inline(INLINE).wait(wait)
}

fn name_of(round: u64) -> String {
    format!("message-{round}")
}

/// The receiver's process: says when each message was read.
pub fn receive(
    subject: Subject,
    mode: Mode,
    rounds: u64,
    name: &str,
    cpu: Option<usize>,
) -> Result<(), Failure> {
    machine::pin(cpu);
    // Nobody ends one who spins and whose sender failed.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let page = Page::open(&page_path(name))?;
    let context = FastIoContext::open(name)?;
    let mut times = Vec::with_capacity(rounds as usize);
    let mut receiver =
        subject.is_channel().then(|| context.receiver("channel", &options(mode))).transpose()?;
    let mut ice = (subject == Subject::Ice).then(|| ice::Receiving::open(name, mode)).transpose()?;
    #[cfg(feature = "zenoh")]
    let zenoh =
        (subject == Subject::Zenoh).then(|| crate::zenoh_shm::Receiving::open(name, mode)).transpose()?;
    page.seen().store(1, Release);
    for round in 1..=rounds {
        let wanted = name_of(round);
        // Read at once; letting go of the memory is nobody's latency.
        let (ends, read) = match subject {
            Subject::Bare => {
                while page.word().load(Acquire) != round as u32 {
                    if mode == Mode::Sleep {
                        let _ = futex::wait(page.word(), futex::Flags::empty(), round as u32 - 1, None);
                    } else {
                        std::hint::spin_loop();
                    }
                }
                ((round as u8, round as u8), now())
            }
            Subject::Channel | Subject::Reference => {
                match receiver.as_mut().expect("it was opened").receive()? {
                    Incoming::Bytes(bytes) => ends_of(bytes),
                    other => ends_of(&other.allocation()?.map()?),
                }
            }
            Subject::Publish | Subject::Create => {
                let found = loop {
                    match mode {
                        Mode::Sleep => break context.wait(&wanted, Duration::from_secs(10))?,
                        Mode::Spin => match context.try_get(&wanted)? {
                            Some(found) => break found,
                            None => std::hint::spin_loop(),
                        },
                    }
                };
                ends_of(&found.map()?)
            }
            Subject::Ice => ice.as_mut().expect("it was opened").receive()?,
            #[cfg(feature = "zenoh")]
            Subject::Zenoh => zenoh.as_ref().expect("it was opened").receive()?,
        };
        times.push(read.saturating_sub(page.sent_at().load(Acquire)));
        if ends != (round as u8, round as u8) {
            return Err(format!("message {round} holds {ends:?}").into());
        }
        page.seen().store(round + 1, Release);
    }
    // The first messages touch fresh pages and fill caches.
    let mut times = times.split_off(times.len() / 5);
    times.sort_unstable();
    println!("{}", times[times.len() / 2]);
    Ok(())
}

/// The first and the last byte, and when they were read.
pub fn ends_of(bytes: &[u8]) -> ((u8, u8), u64) {
    let ends = std::hint::black_box((bytes[0], bytes[bytes.len() - 1]));
    (ends, now())
}

fn mark(bytes: &mut [u8], number: u8) {
    let last = bytes.len() - 1;
    (bytes[0], bytes[last]) = (number, number);
}

/// The sender's side: one message after the other was read. The median, in microseconds.
pub fn measure(
    subject: Subject,
    mode: Mode,
    size: usize,
    rounds: u64,
    cpu: Option<usize>,
) -> Result<f64, Failure> {
    let name = format!("bench-{}-{subject:?}-{mode:?}-{size}", std::process::id());
    let page = Page::open(&page_path(&name))?;
    page.seen().store(0, SeqCst);
    page.word().store(0, SeqCst);
    let context = FastIoContext::open_with(&name, PipelineOptions::new().ephemeral(true))?;
    let mut sender = subject.is_channel().then(|| context.sender("channel", &options(mode))).transpose()?;
    let mut ice = (subject == Subject::Ice).then(|| ice::Sending::open(&name, mode, size)).transpose()?;
    #[cfg(feature = "zenoh")]
    let zenoh =
        (subject == Subject::Zenoh).then(|| crate::zenoh_shm::Sending::open(&name, size)).transpose()?;
    let published = (subject == Subject::Publish).then(|| context.create(size)).transpose()?;
    if let Some(published) = &published {
        published.publish("kept")?;
    }
    let cpu = cpu.map_or_else(|| "any".into(), |cpu| cpu.to_string());
    let child: Child = Command::new(std::env::current_exe()?)
        .args(["--receive", &format!("{subject:?}"), &format!("{mode:?}"), &rounds.to_string(), &name, &cpu])
        .stdout(Stdio::piped())
        .spawn()?;
    #[cfg(feature = "zenoh")]
    if let Some(zenoh) = &zenoh {
        zenoh.meet()?;
    }
    let mut last = None;
    for round in 1..=rounds {
        let patience = Instant::now();
        while page.seen().load(Acquire) != round {
            std::hint::spin_loop();
            if patience.elapsed() > Duration::from_secs(20) {
                return Err(format!("{subject:?} {mode:?} {size}: message {round} does not arrive").into());
            }
        }
        if round == 1 {
            // The receiver has it open: nothing is left behind, however this ends.
            std::fs::remove_file(page_path(&name))?;
        }
        // Memory and names go back, and the next message is filled where it is there already, before the clock runs.
        drop(last.take());
        let number = round as u8;
        let next = name_of(round);
        if let Some(published) = &published {
            mark(&mut published.map_mut()?, number);
            if round > 1 {
                context.unpublish(&name_of(round - 1))?;
            }
        }
        let pause = Instant::now();
        let quiet = Duration::from_micros(if mode == Mode::Sleep { 60 } else { 2 });
        while pause.elapsed() < quiet {
            std::hint::spin_loop();
        }
        page.sent_at().store(now(), Release);
        match (subject, &mut sender) {
            (Subject::Channel, Some(sender)) if size <= INLINE => {
                let mut bytes = [0; INLINE];
                mark(&mut bytes[..size], number);
                sender.send(&bytes[..size])?;
            }
            (Subject::Channel, Some(sender)) => {
                let mut loan = sender.loan(size)?;
                mark(&mut loan, number);
                loan.send()?;
            }
            (Subject::Reference, Some(sender)) => {
                let allocation = context.create(size)?;
                mark(&mut allocation.map_mut()?, number);
                sender.send(&allocation)?;
            }
            (Subject::Publish, _) => published.as_ref().expect("it was made").publish(&next)?,
            (Subject::Create, _) => {
                let allocation = context.create(size)?;
                mark(&mut allocation.map_mut()?, number);
                allocation.publish(&next)?;
                // Freed when it was read.
                last = Some(Freed(allocation));
            }
            (Subject::Ice, _) => ice.as_mut().expect("it was opened").send(number)?,
            #[cfg(feature = "zenoh")]
            (Subject::Zenoh, _) => zenoh.as_ref().expect("it was opened").send(number)?,
            _ => {
                page.word().store(round as u32, SeqCst);
                if mode == Mode::Sleep {
                    futex::wake(page.word(), futex::Flags::empty(), 1)?;
                }
            }
        }
    }
    let output = child.wait_with_output()?;
    drop(last);
    let text = String::from_utf8(output.stdout)?;
    let median: f64 = text
        .trim()
        .parse()
        .map_err(|_| format!("{subject:?} {mode:?} {size}: the receiver said {text:?}"))?;
    Ok(median / 1000.0)
}

/// Frees its allocation when it goes.
struct Freed(FastIoAllocation);

impl Drop for Freed {
    fn drop(&mut self) {
        let _ = self.0.free();
    }
}

fn page_path(name: &str) -> std::path::PathBuf {
    std::path::Path::new("/dev/shm").join(format!("podwire-page-{name}"))
}
