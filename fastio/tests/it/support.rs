//! Pipelines that go when a test ends, and child processes that play a role.
//!
//! A child is this test binary, started again with the name of a role; it talks by lines that begin with `@`.

use std::{
    io::{BufRead, BufReader, Write},
    ops::Deref,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use podwire_fastio::FastIoContext;

/// Long enough for a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A pipeline of one test.
pub(crate) struct Pipeline(String);

impl Pipeline {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        Self(format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    pub(crate) fn open(&self) -> FastIoContext {
        FastIoContext::open(self).unwrap()
    }
}

impl Deref for Pipeline {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        let _ = FastIoContext::remove(&self.0);
    }
}

/// The directory of a pipeline.
pub(crate) fn directory(pipeline: &str) -> std::path::PathBuf {
    base().join(pipeline)
}

pub(crate) fn base() -> std::path::PathBuf {
    let root = std::env::var("PODWIRE_SHM_DIR").unwrap_or_else(|_| "/dev/shm".into());
    std::path::Path::new(&root).join(format!("podwire-{}", rustix::process::geteuid().as_raw()))
}

/// A child process in a role.
pub(crate) struct Actor {
    pub(crate) child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Actor {
    pub(crate) fn start(role: &str, pipeline: &str) -> Self {
        Self::start_with(role, pipeline, &[])
    }

    pub(crate) fn start_with(role: &str, pipeline: &str, env: &[(&str, &str)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "support::play", "--nocapture", "--test-threads=1"])
            .env("PODWIRE_TEST_ROLE", role)
            .env("PODWIRE_TEST_PIPELINE", pipeline)
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    /// The next thing that the child says; `None` when it ends.
    pub(crate) fn hear(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some((_, said)) = line.trim_end().split_once('@') {
                return Some(said.to_owned());
            }
        }
    }

    pub(crate) fn expect(&mut self, said: &str) {
        assert_eq!(self.hear().as_deref(), Some(said));
    }

    /// Lets the child go on from `pause`.
    pub(crate) fn go_on(&mut self) {
        self.tell("");
    }

    /// Lets the child go on from `pause`, which gives it this line.
    pub(crate) fn tell(&mut self, what: impl std::fmt::Display) {
        self.input.write_all(format!("{what}\n").as_bytes()).unwrap();
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the child to end well.
    pub(crate) fn finish(mut self) {
        while self.hear().is_some() {}
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Said by a child.
pub(crate) fn say(what: impl std::fmt::Display) {
    println!("@{what}");
    std::io::stdout().flush().unwrap();
}

/// A child waits here until it is told to go on, and what it is told.
pub(crate) fn pause() -> String {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// Where a child process begins; nothing without a role.
#[test]
fn play() {
    let Ok(role) = std::env::var("PODWIRE_TEST_ROLE") else { return };
    let pipeline = std::env::var("PODWIRE_TEST_PIPELINE").unwrap();
    let roles = [
        crate::publish::ROLES,
        crate::files::ROLES,
        crate::leaving::ROLES,
        crate::loans::ROLES,
        crate::locks::ROLES,
        crate::wait::ROLES,
        crate::memory::ROLES,
        #[cfg(feature = "crash-points")]
        crate::channel_crashes::ROLES,
        crate::channel_counts::ROLES,
        crate::channels::ROLES,
        crate::children::ROLES,
        crate::contract::ROLES,
        crate::doorbells::ROLES,
        crate::faults::ROLES,
        crate::storm::ROLES,
        #[cfg(feature = "crash-points")]
        crate::crash_points::ROLES,
        #[cfg(feature = "crash-points")]
        crate::failing_calls::ROLES,
    ];
    let (_, act) = roles.iter().copied().flatten().find(|(name, _)| *name == role).expect("no such role");
    act(&pipeline);
}

/// The name of a role, and what a child does in it.
pub(crate) type Role = (&'static str, fn(&str));
