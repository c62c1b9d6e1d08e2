//! The examples in several processes: a driver and its workers, on a port of their own.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::run::{Home, Outcome, example_called, series};

/// An example that runs in a process, which ends with this.
pub(crate) struct Process(Child);

impl Process {
    /// Starts an example, with arguments that are written with spaces.
    fn start(home: &Home, name: &str, address: &str, arguments: &str) -> Self {
        Self::start_command(home, example_called(name), address, arguments)
    }

    /// The same for an example with an environment of its own.
    pub(crate) fn start_command(home: &Home, mut command: Command, address: &str, arguments: &str) -> Self {
        command.args(["--address", address]).args(arguments.split_whitespace());
        command.env("PODWIRE_SHM_DIR", home.path("")).stdin(Stdio::null());
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Waits for the end, and gives what was printed.
    #[track_caller]
    pub(crate) fn end(mut self) -> String {
        let start = Instant::now();
        while self.is_running() && start.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(5));
        }
        let hangs = self.is_running();
        let _ = self.0.kill();
        let text = |pipe: &mut dyn std::io::Read| {
            let mut text = String::new();
            pipe.read_to_string(&mut text).unwrap();
            text
        };
        let out = text(self.0.stdout.as_mut().unwrap());
        let error = text(self.0.stderr.as_mut().unwrap());
        let outcome = Outcome { status: self.0.wait().unwrap(), out, error };
        assert!(!hangs, "it hangs:\n{}{}", outcome.out, outcome.error);
        assert!(outcome.status.success(), "{:?}:\n{}{}", outcome.status, outcome.out, outcome.error);
        outcome.out
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address of this host that nobody uses.
pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn ping_and_pong_are_two_processes() {
    let (home, address) = (Home::new(), free_address());
    let start = |arguments| Process::start(&home, "ping_distributed", &address, arguments);
    let ping = start("--driver --worker --fragments=fragment1 --count 20");
    let pong = start("--worker --fragments fragment2 --count 20");
    assert!(pong.end().starts_with("20 messages, each f64 [1, 64, 64], 655360 bytes in "));
    assert_eq!(ping.end(), "");
    home.assert_empty();
}

#[test]
fn a_worker_that_starts_before_its_driver_waits_for_it() {
    let (home, address) = (Home::new(), free_address());
    let start = |arguments| Process::start(&home, "ping_distributed", &address, arguments);
    let mut pong = start("--worker --fragments fragment2");
    let ping = start("--worker --fragments fragment1");
    thread::sleep(Duration::from_millis(300));
    assert!(pong.is_running());
    let driver = start("--driver");
    assert!(pong.end().starts_with("10 messages"));
    assert_eq!(ping.end() + &driver.end(), "");
    home.assert_empty();
}

#[test]
fn one_process_can_be_driver_and_worker_of_everything() {
    let (home, address) = (Home::new(), free_address());
    let all = Process::start(&home, "ping_distributed", &address, "--driver --worker --count 3");
    assert!(all.end().starts_with("3 messages"));
    home.assert_empty();
}

#[test]
fn the_stages_of_the_main_job_are_processes_again() {
    let (home, address) = (Home::new(), free_address());
    let mut pictures = ["alone", "together"].map(|name| home.path(name));
    let arguments = |picture: &std::path::Path| format!("{} --out {}", series().display(), picture.display());
    Process::start(&home, "volume_fragments", &address, &arguments(&pictures[0])).end();

    let together = arguments(&pictures[1]);
    let start = |roles| Process::start(&home, "volume_fragments", &address, &format!("{roles} {together}"));
    let report = start("--driver --worker --fragments report");
    let load = start("--worker --fragments load");
    let segment = start("--worker --fragments segment");
    assert!(report.end().contains("volume 1: the head has "));
    assert_eq!(load.end() + &segment.end(), "");

    let [alone, together] = pictures.each_ref().map(|picture| fs::read(picture).unwrap());
    assert!(!alone.is_empty() && alone == together);
    pictures.iter_mut().for_each(|picture| fs::remove_file(picture).unwrap());
    home.assert_empty();
}

#[test]
fn an_application_runs_over_a_transport_of_its_own() {
    let (home, address) = (Home::new(), free_address());
    let start = |arguments| Process::start(&home, "custom_transport", &address, arguments);
    let camera = start("--driver --worker --fragments camera --monitor");
    assert_eq!(start("--worker --fragments screen").end(), "20 images\n");
    let shown = camera.end();
    let last = shown.lines().rfind(|line| line.contains(" connection=")).unwrap_or_default();
    assert!(
        last.contains(" connection=camera.camera.images>screen.screen.in transport=sockets ")
            && last.contains(" received=20 ")
            && last.contains(" p50_us="),
        "{shown}"
    );
    home.assert_empty();
}
