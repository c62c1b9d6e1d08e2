//! Starting, killing and hearing the processes of an application.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// What takes longer is stuck.
pub(crate) const GUARD: Duration = Duration::from_secs(30);

/// A port and shared memory of one test.
pub(crate) struct Place {
    pub(crate) address: String,
    pub(crate) memory: PathBuf,
}

/// A process of an application.
pub(crate) struct Process {
    child: Child,
    heard: Arc<Heard>,
    readers: Vec<thread::JoinHandle<()>>,
}

/// How a process ended, and what it said.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

#[derive(Default)]
struct Heard {
    text: Mutex<String>,
    more: Condvar,
}

impl Place {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("podwire-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let root = std::env::var_os("PODWIRE_SHM_DIR").unwrap_or_else(|| "/dev/shm".into());
        let memory = PathBuf::from(root).join(name);
        std::fs::create_dir(&memory).unwrap();
        Self { address: format!("127.0.0.1:{}", free_port()), memory }
    }

    pub(crate) fn driver(&self, application: &str) -> Process {
        self.start(application, &["--driver"], &[])
    }

    /// A worker of these fragments: names with commas, or `all`.
    pub(crate) fn worker(&self, application: &str, fragments: &str) -> Process {
        self.start(application, &["--worker", "--fragments", fragments], &[])
    }

    pub(crate) fn start(
        &self,
        application: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Process {
        let mut arguments = arguments.to_vec();
        if !arguments.contains(&"--address") {
            arguments.extend(["--address", &self.address]);
        }
        let command = Command::new(std::env::current_exe().unwrap());
        Process::play(command, application, &arguments, environment, &self.memory)
    }

    /// What is left in shared memory.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let mut left = Vec::new();
        let mut todo = vec![self.memory.clone()];
        while let Some(directory) = todo.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    todo.push(path.clone());
                };
                left.push(path);
            }
        }
        left
    }

    /// All processes have ended: nothing may be left.
    pub(crate) fn clean(self) {
        assert_eq!(self.left(), Vec::<PathBuf>::new());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.memory);
    }
}

/// A port that nobody listens at.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Process {
    /// Has the command, which ends in this binary, be a process of an application.
    pub(crate) fn play(
        mut command: Command,
        application: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
        memory: &Path,
    ) -> Self {
        Self::start(
            command
                .args(["--exact", "applications::play", "--nocapture", "--test-threads=1"])
                .env("PODWIRE_TEST_APPLICATION", application)
                .env("PODWIRE_TEST_ARGUMENTS", arguments.join("\n"))
                .env("PODWIRE_SHM_DIR", memory)
                .envs(environment.iter().copied()),
        )
    }

    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let heard = Arc::new(Heard::default());
        let out = Box::new(child.stdout.take().unwrap()) as Box<dyn Read + Send>;
        let err = Box::new(child.stderr.take().unwrap()) as Box<dyn Read + Send>;
        let readers = [out, err].map(|from| {
            let heard = Arc::clone(&heard);
            thread::spawn(move || {
                for line in BufReader::new(from).lines().map_while(Result::ok) {
                    let mut text = heard.text.lock().unwrap();
                    text.push_str(&line);
                    text.push('\n');
                    heard.more.notify_all();
                }
            })
        });
        Self { child, heard, readers: readers.into() }
    }

    /// Waits until it has said this.
    #[track_caller]
    pub(crate) fn until(&self, said: &str) -> &Self {
        let text = self.heard.text.lock().unwrap();
        let missing = |text: &mut String| !text.contains(said);
        let (text, waited) = self.heard.more.wait_timeout_while(text, GUARD, missing).unwrap();
        assert!(!waited.timed_out(), "it never said {said:?}, but:\n{text}");
        drop(text);
        self
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub(crate) fn said(&self) -> String {
        self.heard.text.lock().unwrap().clone()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> End {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(1);
        let status = loop {
            if let Some(status) = self.ended() {
                break status;
            }
            assert!(begun.elapsed() < GUARD, "it does not end; it said:\n{}", self.said());
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        End { code: status.code(), said: self.said() }
    }

    /// Waits for its end, which must be a good one.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        let end = self.end();
        assert_eq!(end.code, Some(0), "it said:\n{}", end.said);
        end.said
    }

    /// Waits for its end, which must be a failure that it names in these words.
    #[track_caller]
    pub(crate) fn bad(self, words: &[&str]) -> String {
        let end = self.end();
        assert_eq!(end.code, Some(1), "it said:\n{}", end.said);
        for word in words {
            assert!(end.said.contains(word), "it did not say {word:?}, but:\n{}", end.said);
        }
        end.said
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
