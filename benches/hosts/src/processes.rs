//! The processes of an application: this program again.

use std::{
    io::{BufRead, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

/// The variable that has this program play a process of an application.
pub const APPLICATION: &str = "PODWIRE_BENCH_APPLICATION";

/// A process, which is killed when it is dropped.
pub struct Process {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

/// Shared memory for processes that are one host.
pub struct Memory(pub PathBuf);

impl Memory {
    pub fn new(host: usize) -> Self {
        let name = format!("podwire-bench-hosts-{}-{host}", std::process::id());
        let path = Path::new("/dev/shm").join(name);
        std::fs::create_dir_all(&path).expect("shared memory");
        Self(path)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The most memory that a process had, in MiB.
pub fn memory(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes: f64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0.0);
    kibibytes / 1024.0
}

impl Process {
    /// Starts one, in a network namespace if one is named.
    pub fn start(
        namespace: Option<&str>,
        application: &str,
        arguments: &[&str],
        memory: &Memory,
        environment: &[(&str, &str)],
    ) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(if namespace.is_some() { Path::new("ip") } else { &program });
        if let Some(namespace) = namespace {
            command.args(["netns", "exec", namespace]).arg(&program);
        }
        command.args(arguments).env(APPLICATION, application).env("PODWIRE_SHM_DIR", &memory.0);
        command.envs(environment.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped());
        if std::env::var_os("PODWIRE_BENCH_LOUD").is_none() {
            command.stderr(Stdio::null());
        }
        let mut child = command.spawn().expect("a process");
        let said = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, said }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it says next behind this word, if it ever does.
    pub fn says(&mut self, word: &str) -> Option<String> {
        let mut lines = self.said.by_ref().map_while(Result::ok);
        lines.find_map(|line| line.strip_prefix(word).map(|rest| rest.trim().to_owned()))
    }

    /// Waits for its good end.
    pub fn end(mut self) {
        // Whoever writes must not wait for a reader.
        self.said.by_ref().for_each(drop);
        let status = self.child.wait().expect("its end");
        assert!(status.success(), "{status}; PODWIRE_BENCH_LOUD=1 shows why");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
