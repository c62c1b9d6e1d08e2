//! Hosts that are network namespaces, on one switch; and a proxy for a bad network.
//!
//! Invariant: nothing stays when a network is dropped.

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use crate::processes::Process;

/// Hosts on one switch.
pub(crate) struct Network {
    /// The namespace that is the switch.
    switch: String,
    hosts: Vec<Host>,
}

/// A host: a network, and shared memory, of its own.
pub(crate) struct Host {
    namespace: String,
    number: usize,
    memory: PathBuf,
}

impl Network {
    /// So many hosts; none where this is not permitted, which it says.
    pub(crate) fn new(hosts: usize) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("podwire-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let mut network = Self { switch: format!("{name}-switch"), hosts: Vec::new() };
        let built = network.build(&name, hosts);
        built.map_err(|why| println!("skipped: network namespaces ({})", why.trim())).ok()?;
        Some(network)
    }

    fn build(&mut self, name: &str, hosts: usize) -> Result<(), String> {
        let switch = self.switch.clone();
        ip(&["netns", "add", &switch], "")?;
        ip(&["-n", &switch, "-batch", "-"], "link add br0 type bridge\nlink set br0 up\n")?;
        for number in 1..=hosts {
            let root = std::env::var_os("PODWIRE_SHM_DIR").unwrap_or_else(|| "/dev/shm".into());
            let namespace = format!("{name}-{number}");
            let memory = PathBuf::from(root).join(&namespace);
            std::fs::create_dir(&memory).unwrap();
            ip(&["netns", "add", &namespace], "")?;
            let port = format!(
                "link add p{number} type veth peer name eth0 netns {namespace}\n\
                 link set p{number} master br0 up\n"
            );
            let own = format!(
                "link set lo up\nlink set eth0 up\naddr add 10.77.0.{number}/24 dev eth0\n\
                 addr add fd77::{number}/64 dev eth0 nodad\n"
            );
            self.hosts.push(Host { namespace: namespace.clone(), number, memory });
            ip(&["-n", &switch, "-batch", "-"], &port)?;
            ip(&["-n", &namespace, "-batch", "-"], &own)?;
        }
        Ok(())
    }

    pub(crate) fn hosts<const N: usize>(&self) -> [&Host; N] {
        std::array::from_fn(|at| &self.hosts[at])
    }

    /// Pulls the host's cable, or puts it in again.
    pub(crate) fn plug(&self, host: &Host, is_in: bool) {
        let state = if is_in { "up" } else { "down" };
        ip(&["-n", &self.switch, "link", "set", &format!("p{}", host.number), state], "").unwrap();
    }

    /// From here on all hosts have addresses of v6 only.
    pub(crate) fn without_v4(&self) {
        for host in &self.hosts {
            ip(&["-n", &host.namespace, "-4", "addr", "flush", "dev", "eth0"], "").unwrap();
        }
    }

    /// Nothing that this host says reaches the other one, which is not told.
    #[cfg(feature = "ucx")]
    pub(crate) fn mute(&self, host: &Host, other: &Host) {
        let to = format!("10.77.0.{}/32", other.number);
        ip(&["-n", &host.namespace, "route", "add", "blackhole", &to], "").unwrap();
    }

    /// All processes have ended: nothing may be left.
    pub(crate) fn clean(self) {
        for host in &self.hosts {
            let left: Vec<_> =
                std::fs::read_dir(&host.memory).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert_eq!(left, Vec::<PathBuf>::new());
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for host in &self.hosts {
            let _ = ip(&["netns", "delete", &host.namespace], "");
            let _ = std::fs::remove_dir_all(&host.memory);
        }
        let _ = ip(&["netns", "delete", &self.switch], "");
    }
}

impl Host {
    /// Where a driver listens on this host.
    pub(crate) fn v4(&self) -> String {
        format!("10.77.0.{}:57777", self.number)
    }

    pub(crate) fn v6(&self) -> String {
        format!("[fd77::{}]:57777", self.number)
    }

    /// A process of an application on this host.
    pub(crate) fn start(
        &self,
        application: &str,
        address: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Process {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace]).arg(std::env::current_exe().unwrap());
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--address", address]).collect();
        Process::play(command, application, &arguments, environment, &self.memory)
    }
}

/// Runs `ip` with this input; or what it said.
fn ip(arguments: &[&str], input: &str) -> Result<(), String> {
    let mut command = Command::new("ip");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("ip: {error}"))?;
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().map_err(|error| error.to_string())?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
}

/// A way to an address that delays all bytes, and now and then has them wait as if a packet had been lost and sent again.
/// Returns its own address.
pub(crate) fn bad_way_to(address: &str, delay: Duration, lost: Duration) -> String {
    way_to(address, move |from, to| carry(from, to, delay, lost))
}

/// A way to an address whose bytes, there and back, somebody writes down. Returns its own address, too.
pub(crate) fn overheard_way_to(address: &str) -> (String, Arc<Mutex<Vec<u8>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let writing = Arc::clone(&heard);
    let listen = move |mut from: TcpStream, mut to: TcpStream| {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            writing.lock().unwrap().extend(&buffer[..length]);
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    };
    (way_to(address, listen), heard)
}

/// The same for datagrams.
pub(crate) fn overheard_datagrams_to(address: &str) -> (String, Arc<Mutex<Vec<u8>>>) {
    let near = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
    let (own, address) = (near.local_addr().unwrap().to_string(), address.to_owned());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let writing = Arc::clone(&heard);
    thread::spawn(move || {
        let (mut ways, mut buffer) = (HashMap::<SocketAddr, Arc<UdpSocket>>::new(), vec![0; 64 << 10]);
        loop {
            let Ok((length, from)) = near.recv_from(&mut buffer) else { continue };
            writing.lock().unwrap().extend(&buffer[..length]);
            let far = ways.entry(from).or_insert_with(|| {
                let far = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
                far.connect(&address).unwrap();
                let (back, near, writing) = (Arc::clone(&far), Arc::clone(&near), Arc::clone(&writing));
                thread::spawn(move || {
                    let mut buffer = vec![0; 64 << 10];
                    while let Ok(length) = back.recv(&mut buffer) {
                        writing.lock().unwrap().extend(&buffer[..length]);
                        let _ = near.send_to(&buffer[..length], from);
                    }
                });
                far
            });
            let _ = far.send(&buffer[..length]);
        }
    });
    (own, heard)
}

/// Carries what comes to an address of its own, which it returns, and back.
fn way_to(address: &str, carry: impl Fn(TcpStream, TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (own, address) = (listener.local_addr().unwrap().to_string(), address.to_owned());
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(&address) else { continue };
            for (from, to) in [(&near, &far), (&far, &near)] {
                let (from, to, carry) = (from.try_clone().unwrap(), to.try_clone().unwrap(), carry.clone());
                thread::spawn(move || carry(from, to));
            }
        }
    });
    own
}

/// Bytes leave in their order, each `delay` after it came; every eleventh time `lost` later, and what is behind them waits.
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration, lost: Duration) {
    let (sender, came) = std::sync::mpsc::channel::<(Instant, Vec<u8>)>();
    let leaving = thread::spawn(move || {
        for (count, (at, bytes)) in came.iter().enumerate() {
            let late = if count % 11 == 10 { lost } else { Duration::ZERO };
            thread::sleep((at + delay + late).saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if sender.send((Instant::now(), buffer[..length].to_vec())).is_err() {
            break;
        }
    }
    drop(sender);
    let _ = leaving.join();
}
