//! The session with Zenoh: a driver listens, a worker connects, and nobody does anything else.
//!
//! The driver is a router, so that what workers send to each other finds its way through it where it must; a worker is a
//! client, and a peer only if it is told to listen (`docs/adr/0008-the-driver-is-a-router.md`). Invariant: no multicast, no port
//! that was not asked for.

use std::{
    fmt, fs, io,
    net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket},
    time::{Duration, Instant},
};

use zenoh::{Config, Session};

use super::error::{ControlError, plain};
use crate::{
    command::Address,
    config::Settings,
    transport::zenoh::{SessionSettings, session},
};

/// How long a worker looks for its driver, if nobody says otherwise.
pub(super) const JOIN: Duration = Duration::from_secs(60);
/// Whoever waits longer for its driver says so.
const TELL: Duration = Duration::from_millis(50);
/// The first and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// How long a worker that gives up waits for an answer of whoever may be there with certificates, or without.
const OTHERWISE: Duration = Duration::from_millis(500);

/// The shortest datagram that QUIC answers, in bytes.
const ASKING: usize = 1200;

/// What Zenoh's connections go over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Tcp,
    /// With certificates. Not TLS over TCP: Zenoh 1.10.2 reads and writes such a connection from two threads at once, and takes
    /// sound ones for broken (`docs/adr/0011-quic-for-certificates.md`).
    Quic,
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tcp => "tcp",
            Self::Quic => "quic",
        })
    }
}

impl Scheme {
    fn of(settings: &Settings) -> zenoh::Result<Self> {
        Ok(match &settings.zenoh_config {
            Some(file) if secured(&Config::from_file(file)?) => Self::Quic,
            _ => Self::Tcp,
        })
    }

    fn other(self) -> Self {
        match self {
            Self::Tcp => Self::Quic,
            Self::Quic => Self::Tcp,
        }
    }

    /// Whether nobody listens at this address of this host.
    fn is_free(self, address: &Address) -> io::Result<()> {
        let place = (address.host(), address.port());
        match self {
            Self::Tcp => TcpListener::bind(place).map(drop),
            Self::Quic => UdpSocket::bind(place).map(drop),
        }
    }
}

/// Opens the driver's session, which listens at the address.
pub(super) fn listen(address: &Address, settings: &Settings) -> Result<Session, ControlError> {
    check_file(settings)?;
    let scheme = scheme(settings)?;
    open("router", scheme, Some(address), None, settings)
        .map_err(|error| cannot_listen(scheme, address, &error))
}

/// Whether all that goes over Zenoh is encrypted.
pub(super) fn is_encrypted(settings: &Settings) -> bool {
    Scheme::of(settings).is_ok_and(|scheme| scheme == Scheme::Quic)
}

fn scheme(settings: &Settings) -> Result<Scheme, ControlError> {
    let file = settings.zenoh_config.clone().unwrap_or_default();
    Scheme::of(settings).map_err(|error| ControlError::ZenohConfig { file, source: plain(&error) })
}

/// What is wrong with the file stays wrong, however often it is read.
fn check_file(settings: &Settings) -> Result<(), ControlError> {
    let Some(file) = &settings.zenoh_config else { return Ok(()) };
    if let Err(source) = fs::File::open(file) {
        return Err(ControlError::ZenohConfig { file: file.clone(), source: source.into() });
    }
    let wrong = |error| ControlError::ZenohConfig { file: file.clone(), source: plain(&error) };
    Config::from_file(file).map(drop).map_err(wrong)
}

/// Zenoh says in a text why it cannot listen; the system says it so that it can be told apart.
fn cannot_listen(scheme: Scheme, address: &Address, error: &zenoh::Error) -> ControlError {
    let address = address.clone();
    match scheme.is_free(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => ControlError::PortInUse { address },
        Err(error) => ControlError::CannotListen { address, source: error.into() },
        Ok(()) => ControlError::CannotListen { address, source: plain(error) },
    }
}

/// Opens a worker's session; tries until the driver is there, `pause` says to stop, or the time is over.
pub(super) fn connect(
    address: &Address,
    own: Option<&Address>,
    settings: &Settings,
    mut pause: impl FnMut(Duration) -> bool,
) -> Result<Option<Session>, ControlError> {
    check_file(settings)?;
    let scheme = scheme(settings)?;
    let (begun, waited) = (Instant::now(), settings.join_timeout.unwrap_or(JOIN));
    let mode = if own.is_some() { "peer" } else { "client" };
    let (mut next, mut told) = (PAUSES.0, false);
    loop {
        // Somebody must be there before Zenoh is asked, which takes long to find out that nobody is.
        let reached = knock(scheme, address, waited.saturating_sub(begun.elapsed()));
        let error = match reached {
            Ok(()) => match open(mode, scheme, own, Some(address), settings) {
                Ok(session) => return Ok(Some(session)),
                Err(error) => Ok(error),
            },
            Err(error) => Err(error),
        };
        if let (Some(own), Ok(source)) = (own, &error)
            && scheme.is_free(own).is_err()
        {
            return Err(cannot_listen(scheme, own, source));
        }
        if begun.elapsed() >= waited {
            let is_there_otherwise = error.is_err() && knock(scheme.other(), address, OTHERWISE).is_ok();
            let address = address.clone();
            return Err(match error {
                Ok(error) => ControlError::NoDriver { address, waited, source: Some(plain(&error)) },
                Err(_) if is_there_otherwise => {
                    ControlError::Certificates { address, waited, certificates: scheme == Scheme::Quic }
                }
                Err(source) => ControlError::Unreachable { address, waited, source },
            });
        }
        if !told && begun.elapsed() >= TELL {
            eprintln!("podwire: waiting for a driver at {address}");
            told = true;
        }
        if !pause(next) {
            return Ok(None);
        }
        next = (next * 2).min(PAUSES.1);
    }
}

/// Whether anybody listens at the driver's address.
pub(super) fn reach(address: &Address, settings: &Settings) -> io::Result<()> {
    let scheme = Scheme::of(settings).map_err(io::Error::other)?;
    knock(scheme, address, settings.lease)
}

fn knock(scheme: Scheme, address: &Address, patience: Duration) -> io::Result<()> {
    let patience = patience.clamp(Duration::from_millis(100), Duration::from_secs(3));
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for place in (address.host(), address.port()).to_socket_addrs()? {
        let reached = match scheme {
            Scheme::Tcp => TcpStream::connect_timeout(&place, patience).map(drop),
            Scheme::Quic => ask(place, patience),
        };
        match reached {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Asks for a version of QUIC that is kept for this, and which nobody has: who speaks QUIC there says which ones it has.
fn ask(place: SocketAddr, patience: Duration) -> io::Result<()> {
    let own = UdpSocket::bind(if place.is_ipv4() {
        SocketAddr::from(([0; 4], 0))
    } else {
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
    })?;
    own.connect(place)?;
    own.set_read_timeout(Some(patience / 4))?;
    let mut question = [0; ASKING];
    // A long header, the version, and two numbers of eight bytes each with its length.
    question[..6].copy_from_slice(&[0xC0, 0x0A, 0x0A, 0x0A, 0x0A, 8]);
    question[14] = 8;
    let mut answer = Err(io::ErrorKind::TimedOut.into());
    // One of them may be lost on the way.
    for _ in 0..4 {
        answer = own.send(&question).and_then(|_| own.recv(&mut [0; ASKING])).map(drop);
        match &answer {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                answer = Err(io::ErrorKind::TimedOut.into());
            }
            _ => break,
        }
    }
    answer
}

fn open(
    mode: &str,
    scheme: Scheme,
    listen: Option<&Address>,
    connect: Option<&Address>,
    settings: &Settings,
) -> zenoh::Result<Session> {
    let file = settings.zenoh_config.clone();
    // Without brackets: over QUIC, Zenoh 1.10.2 takes those of v6 for a part of the name that the certificate must have.
    let endpoint = |it: &Address| match scheme {
        Scheme::Tcp => format!("{scheme}/{it}"),
        Scheme::Quic => format!("{scheme}/{}:{}", it.host(), it.port()),
    };
    let endpoints = |address: Option<&Address>| address.map(endpoint).into_iter().collect();
    let lease = settings.lease.as_millis().to_string();
    let further = [
        // Peers learn from the driver where the others listen.
        ("scouting/gossip/enabled", (mode != "client").to_string()),
        ("connect/timeout_ms", "0".into()),
        ("connect/exit_on_failure", "true".into()),
        ("adminspace/enabled", "false".into()),
        ("transport/link/tx/lease", lease.clone()),
        ("transport/unicast/open_timeout", lease.clone()),
        ("transport/unicast/accept_timeout", lease),
    ];
    session(&SessionSettings {
        mode: mode.into(),
        listen: endpoints(listen),
        connect: endpoints(connect),
        file,
        further: further.map(|(key, value)| (key.into(), value)).into(),
    })
}

/// Whether the configuration has certificates: then nothing of Zenoh goes over the network in the clear.
fn secured(config: &Config) -> bool {
    let tls = config.get_json("transport/link/tls").unwrap_or_default();
    let keys = ["root_ca_certificate", "listen_private_key", "connect_private_key"];
    keys.iter().flat_map(|key| [format!("\"{key}\":"), format!("\"{key}_base64\":")]).any(|key| {
        let rest = tls.split_once(&key).map_or("null", |(_, rest)| rest);
        !rest.trim_start().starts_with("null")
    })
}
