//! Stories of device memory, told with a driver that has no GPU, and with a GPU where there is one; other processes are real.
//!
//! A story runs once for each driver: on a machine without a GPU it prints `skipped: GPU (...)`, once for each story. `library`
//! has them told once more by the calls of CUDA's driver.

mod libcuda;
mod library;
mod lives;
mod messages;
mod several;
mod single;

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use podwire_codec_core::{register_codec, tensor::Tensor};
use podwire_fastio::{ChannelOptions, FastIoContext};

use crate::{Device, Error, kind::Kind, machine::Machine, mock};

/// A message with arrays of both kinds.
type Both = (String, Tensor, Tensor);
register_codec!(Both, "device.tests.both");

const SIZE: usize = 200_000;

/// Bytes that tell every place from its neighbours.
fn pattern(seed: u8) -> Vec<u8> {
    (0..SIZE).map(|at| (at as u8).wrapping_mul(31).wrapping_add((at >> 8) as u8) ^ seed).collect()
}

fn mock() -> Device {
    static MOCK: OnceLock<Arc<Machine>> = OnceLock::new();
    let machine = MOCK.get_or_init(|| {
        let machine = Machine::new(Arc::new(mock::Mock::new(&[7, 8])), mock::KIND);
        podwire_fastio::register_memory(Arc::new(Kind(Arc::clone(&machine))));
        machine
    });
    Device::new(Arc::clone(machine), 0).unwrap()
}

/// A driver of its own with one device, of which nobody else in this process has memory.
fn own_mock() -> Device {
    own_mock_of(&[7])
}

/// The same with these devices, of which it is the first.
fn own_mock_of(devices: &'static [u8]) -> Device {
    Device::new(Machine::new(Arc::new(mock::Mock::new(devices)), mock::KIND), 0).unwrap()
}

/// The next device of the same driver.
fn next(gpu: &Device) -> Device {
    Device::new(Arc::clone(gpu.machine()), gpu.ordinal() + 1).unwrap()
}

/// The GPU, if there is one.
fn gpu() -> Option<Device> {
    match Device::open(0) {
        Ok(device) => Some(device),
        Err(Error::NoDriver) => {
            println!("skipped: GPU (no CUDA driver)");
            None
        }
        Err(Error::NoDevice) => {
            println!("skipped: GPU (no device)");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// One story at a time, so that what is counted is its own.
static ALONE: Mutex<()> = Mutex::new(());

/// A pipeline with a device, removed at the end.
struct Stage {
    _alone: MutexGuard<'static, ()>,
    driver: &'static str,
    name: String,
    context: FastIoContext,
    gpu: Device,
}

impl Stage {
    fn new(driver: &'static str, gpu: Device, story: &str) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("device-{driver}-{story}-{}", std::process::id());
        let context = FastIoContext::open(&name).unwrap();
        Self { _alone: alone, driver, name, context, gpu }
    }

    /// Another process, which plays a part of `play`.
    fn actor(&self, part: &str) -> Actor {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["tests::play", "--exact", "--nocapture", "--test-threads=1"])
            .env("PODWIRE_DEVICE_PART", format!("{} {} {part}", self.driver, self.name))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Actor { child, input, output: BufReader::new(output) }
    }

    /// Waits until so much memory of this process is in use and waits: a process that ended cleans up by and by.
    #[track_caller]
    fn settles_at(&self, expected: (usize, usize)) {
        let begun = Instant::now();
        loop {
            let (used, waiting, _) = self.gpu.machine().counts();
            if (used, waiting) == expected {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{:?}, not {expected:?}", (used, waiting));
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        FastIoContext::remove(&self.name).unwrap();
    }
}

/// Tells a story once for each driver.
fn tell(story: &str, tell: impl Fn(&Stage)) {
    tell(&Stage::new("mock", mock(), story));
    if let Some(gpu) = gpu() {
        tell(&Stage::new("cuda", gpu, story));
    }
}

/// The same about two devices.
fn tell_of_two(story: &str, tell: impl Fn(&Stage, &Device)) {
    tell(&Stage::new("mock", mock(), story), &next(&mock()));
    match gpu() {
        Some(gpu) if Device::count().unwrap() > 1 => {
            let second = next(&gpu);
            tell(&Stage::new("cuda", gpu, story), &second);
        }
        _ => println!("skipped: second GPU"),
    }
}

/// Another process.
struct Actor {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Actor {
    /// Waits until it says this.
    #[track_caller]
    fn says(&mut self, expected: &str) {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            if let Some((_, said)) = line.split_once('@') {
                assert_eq!(said.trim_end(), expected);
                return;
            }
            line.clear();
        }
        panic!("it ended before it said {expected:?}");
    }

    /// Lets it go on.
    fn go_on(&mut self) {
        self.input.write_all(b"\n").unwrap();
    }

    /// Kills it with SIGKILL.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn ends(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
    }
}

fn say(word: &str) {
    println!("@{word}");
    std::io::stdout().flush().unwrap();
}

/// Waits for `go_on`, or for the end of the other process.
fn pause() {
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// The parts that other processes play.
#[test]
fn play() {
    let Ok(part) = std::env::var("PODWIRE_DEVICE_PART") else { return };
    let [driver, pipeline, part] = part.split(' ').collect::<Vec<_>>()[..] else { panic!("{part}") };
    let gpu = if driver == "cuda" { Device::open(0).unwrap() } else { mock() };
    let context = FastIoContext::open(pipeline).unwrap();
    match part {
        // Publishes `made`, and keeps it.
        "maker" => {
            let memory = gpu.create(&context, SIZE).unwrap();
            memory.map_mut().unwrap().upload(0, &pattern(1)).unwrap();
            memory.publish("made").unwrap();
            say("published");
            pause();
        }
        // Gets `made`, and holds it until it is told not to.
        "holder" => {
            let memory = gpu.get(&context, "made").unwrap();
            assert!(memory.to_vec().unwrap() == pattern(1), "the bytes of its maker");
            say("held");
            pause();
            drop(memory);
            say("dropped");
            pause();
        }
        // Gets `made` twice, and publishes an answer.
        "reader" => {
            let memory = gpu.get(&context, "made").unwrap();
            let again = gpu.get(&context, "made").unwrap();
            assert_eq!((gpu.stats().imported, gpu.stats().found), (1, 1));
            assert!(memory.to_vec().unwrap() == pattern(1) && again.to_vec().unwrap() == pattern(1));
            let answer = gpu.create(&context, SIZE).unwrap();
            answer.map_mut().unwrap().upload(0, &pattern(2)).unwrap();
            answer.publish("answer").unwrap();
            say("answered");
            pause();
        }
        // Dies in the middle of writing.
        "writer" => {
            let memory = gpu.get(&context, "made").unwrap();
            let mut guard = memory.map_mut().unwrap();
            guard.upload(0, &[9; 1000]).unwrap();
            say("writing");
            pause();
        }
        // Sends on what it receives.
        "echo" => {
            let options = ChannelOptions::new().capacity(2);
            let mut receiver = context.receiver("there", &options).unwrap();
            let mut sender = context.sender("back", &options).unwrap();
            say("listening");
            while let Ok(message) = receiver.receive() {
                sender.send_value(&message.value::<Both>().unwrap()).unwrap();
            }
            let stats = gpu.stats();
            assert_eq!((stats.bytes_to_host, stats.bytes_to_device, stats.bytes_on_device), (0, 0, 0));
            say(&format!("imported {}", stats.imported));
        }
        part => panic!("{part}"),
    }
}
