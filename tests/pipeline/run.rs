//! One run of the example, with a directory of its own for shared memory and pictures.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A directory that goes when it is dropped; on tmpfs where there is one.
pub(crate) struct Home(PathBuf);

impl Home {
    pub(crate) fn new() -> Home {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let shm = Path::new("/dev/shm");
        let base = if shm.is_dir() { shm.to_owned() } else { std::env::temp_dir() };
        let name =
            format!("volume-pipeline-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        std::fs::create_dir(base.join(&name)).unwrap();
        Home(base.join(name))
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    /// What is in it, deeper down too.
    pub(crate) fn contents(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                }
                found.push(entry.path());
            }
        }
        found
    }

    /// Whether there is shared memory in it of the size of a volume.
    fn holds_volume(&self) -> bool {
        let is_segment = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("segment."))
        };
        let is_large = |path: PathBuf| path.metadata().is_ok_and(|metadata| metadata.len() > 500_000);
        self.contents().into_iter().filter(is_segment).any(is_large)
    }

    #[track_caller]
    pub(crate) fn assert_empty(&self) {
        let contents = self.contents();
        assert!(contents.is_empty(), "left behind: {contents:?}");
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a finished run left on the terminal.
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Outcome {
    /// The one message of a run that failed.
    #[track_caller]
    pub(crate) fn message(&self) -> &str {
        assert_eq!(self.error.lines().count(), 1, "one message, please:\n{}", self.error);
        self.error.trim_end()
    }
}

/// The example, which cargo builds beside the tests of its package.
pub(crate) fn example() -> Command {
    example_called("volume_pipeline")
}

/// Another example of the package.
pub(crate) fn example_called(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(path.is_file(), "{} is missing: `cargo build --example {name}`", path.display());
    Command::new(path)
}

pub(crate) fn series() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/example4d.nii.gz")
}

/// Runs the example to its end.
pub(crate) fn run(home: &Home, arguments: &[&Path]) -> Outcome {
    finish(home, example().args(arguments))
}

/// Runs a command to its end.
pub(crate) fn finish(home: &Home, command: &mut Command) -> Outcome {
    let output = command.env("PODWIRE_SHM_DIR", &home.0).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { status: output.status, out: text(output.stdout), error: text(output.stderr) }
}

/// The example while it runs. It is the first of its process group, as a shell would have it.
pub(crate) struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    seen: String,
}

impl Running {
    /// Starts the example on the series, and waits until it has said the process numbers of its stages.
    pub(crate) fn start(home: &Home, picture: &Path) -> Running {
        let mut child = example()
            .args([series().as_path(), Path::new("--out"), picture])
            .env("PODWIRE_SHM_DIR", &home.0)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut running = Running { child, out, seen: String::new() };
        assert!(running.reaches("report", "started"), "it did not start:\n{}", running.seen);
        running
    }

    /// The same, with *load* stopped before it publishes anything, so that the others wait until they are killed.
    pub(crate) fn start_asleep(home: &Home) -> Running {
        for _ in 0..100 {
            let running = Running::start(home, &home.path("picture.png"));
            let load = running.stage("load");
            if kill_process(load, Signal::STOP).is_ok() {
                wait_until(|| state(load) == 'T' || is_over(load));
                if state(load) == 'T' && !home.holds_volume() {
                    return running;
                }
            }
            kill_process(running.parent(), Signal::TERM).unwrap();
            running.end();
            home.assert_empty();
        }
        panic!("load is always faster than this test");
    }

    /// Reads on until a stage says something that begins with this word; whether it does.
    pub(crate) fn reaches(&mut self, stage: &str, word: &str) -> bool {
        loop {
            let start = self.seen.len();
            if self.out.read_line(&mut self.seen).unwrap() == 0 {
                return false;
            }
            let mut words = self.seen[start..].split_whitespace();
            if (words.next(), words.nth(1)) == (Some(stage), Some(word)) {
                return true;
            }
        }
    }

    pub(crate) fn parent(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn stage(&self, name: &str) -> Pid {
        let line = self.seen.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        Pid::from_raw(line.split_whitespace().nth(1).unwrap().parse().unwrap()).unwrap()
    }

    pub(crate) fn end(mut self) -> Outcome {
        let mut out = std::mem::take(&mut self.seen);
        self.out.read_to_string(&mut out).unwrap();
        let mut error = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        Outcome { status: self.child.wait().unwrap(), out, error }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The letter that the system has for what a process does: `T` if it is stopped, `X` if it is gone.
fn state(process: Pid) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
    stat.ok().and_then(|stat| stat.rsplit(')').next()?.trim_start().chars().next()).unwrap_or('X')
}

/// Whether a process has ended, if only its parent has not looked yet.
fn is_over(process: Pid) -> bool {
    matches!(state(process), 'X' | 'Z')
}

#[track_caller]
fn wait_until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain");
        thread::sleep(Duration::from_millis(1));
    }
}

#[track_caller]
pub(crate) fn assert_over(processes: &[Pid]) {
    wait_until(|| processes.iter().all(|process| is_over(*process)));
}
