//! Processes that have one end of a link, do what they are told, and can be killed.
//!
//! A puppet is the test's own binary, started again. It is told by lines, and says by lines that begin with `@` what it
//! did. The invariant: it says so after it was done, and never before.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
};

use super::{
    Breach,
    bench::{Rx, Step, Tx},
};
use crate::transport::{Link, Transport};

/// Says which end of which link a process is to have.
const ROLE: &str = "PODWIRE_CONFORMANCE";

/// A process with one end of a link.
pub(super) struct Puppet {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Puppet {
    pub(super) fn start(mut command: Command, end: &str, link: &Link) -> Result<Self, Breach> {
        command.env(ROLE, format!("{end} {} {}", link.capacity, link.name));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().step("starting a process")?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Breach::unlike("starting a process", "pipes", "none"));
        };
        let mut puppet = Self { child, input, output: BufReader::new(output) };
        puppet.expect("ready")?;
        Ok(puppet)
    }

    pub(super) fn tell(&mut self, what: &str) -> Result<(), Breach> {
        self.input.write_all(format!("{what}\n").as_bytes()).step("telling a process")
    }

    /// What it says next; nothing when it ended.
    pub(super) fn hear(&mut self) -> Result<Option<String>, Breach> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).step("listening to a process")? == 0 {
                return Ok(None);
            }
            // A line that was cut off by a kill says nothing.
            if let Some((_, said)) = line.strip_suffix('\n').and_then(|line| line.split_once('@')) {
                return Ok(Some(said.to_owned()));
            }
        }
    }

    pub(super) fn expect(&mut self, said: &str) -> Result<(), Breach> {
        match self.hear()? {
            Some(found) if found == said => Ok(()),
            found => Err(Breach::unlike("what a process says", said, found)),
        }
    }

    pub(super) fn kill(&mut self) -> Result<(), Breach> {
        self.child.kill().step("killing a process")?;
        self.child.wait().step("killing a process")?;
        Ok(())
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a process that the suite started: does what the suite tells it, and ends the process. In any other: nothing.
///
/// It stands in a test of its own, whose name [`test_process`] gets:
///
/// ```
/// use podwire_fragment::transport::conformance;
/// # fn transport() -> std::sync::Arc<dyn podwire_fragment::transport::Transport> { unreachable!() }
///
/// // #[test]
/// fn play() {
///     conformance::play(|| transport());
/// }
/// # play();
/// ```
pub fn play(make: impl FnOnce() -> Arc<dyn Transport>) {
    let Ok(role) = std::env::var(ROLE) else { return };
    let failed = perform(&role, &*make()).err();
    if let Some(breach) = &failed {
        eprintln!("{role}: {breach}");
    }
    std::process::exit(i32::from(failed.is_some()));
}

/// A command that starts the test binary which is running, with nothing but this test, such as `"suite::play"`.
///
/// # Panics
/// If the binary of this process cannot be found.
#[must_use]
pub fn test_process(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a running program has a file"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command
}

fn say(what: impl std::fmt::Display) -> Result<(), Breach> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "@{what}").and_then(|()| output.flush()).step("saying something")
}

fn perform(role: &str, transport: &dyn Transport) -> Result<(), Breach> {
    let mut words = role.splitn(3, ' ');
    let (end, capacity, name) = (words.next(), words.next(), words.next().unwrap_or_default());
    let link = Link::new(name, capacity.and_then(|word| word.parse().ok()).unwrap_or(1));
    let (mut tx, mut rx) = match end {
        Some("sender") => (Some(Tx::open(transport, &link)?), None),
        _ => (None, Some(Rx::open(transport, &link)?)),
    };
    say("ready")?;
    let mut next = 0;
    for line in std::io::stdin().lines() {
        let line = line.step("listening")?;
        let (verb, count) = line.split_once(' ').unwrap_or((line.as_str(), "0"));
        let count: u64 = count.parse().step("understanding")?;
        match (verb, &mut tx, &mut rx) {
            ("from", ..) => next = count,
            ("send", Some(tx), _) => {
                for _ in 0..count {
                    tx.number(next)?;
                    say(next)?;
                    next += 1;
                }
            }
            ("receive", _, Some(rx)) => {
                for _ in 0..count {
                    say(rx.value::<u64>("receiving")?)?;
                }
            }
            ("close", ..) => {
                (tx, rx) = (None, None);
                transport.flush(super::bench::LONG);
                say("closed")?;
            }
            _ => return Err(Breach::unlike("being told", "something that can be done", line)),
        }
    }
    Ok(())
}
