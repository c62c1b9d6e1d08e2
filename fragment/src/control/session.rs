//! The session with Zenoh: a driver listens, a worker connects, and nobody does anything else.
//!
//! The driver is a router, so that what workers send to each other finds its way through it where it must; a worker is a
//! client, and a peer only if it is told to listen (`docs/adr/0008-the-driver-is-a-router.md`). Invariant: no multicast, no port
//! that was not asked for.

use std::{
    fs, io,
    net::{TcpListener, TcpStream, ToSocketAddrs},
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

/// Opens the driver's session, which listens at the address.
pub(super) fn listen(address: &Address, settings: &Settings) -> Result<Session, ControlError> {
    check_file(settings)?;
    open("router", Some(address), None, settings).map_err(|error| cannot_listen(address, &error))
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
fn cannot_listen(address: &Address, error: &zenoh::Error) -> ControlError {
    let address = address.clone();
    match TcpListener::bind((address.host(), address.port())) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => ControlError::PortInUse { address },
        Err(error) => ControlError::CannotListen { address, source: error.into() },
        Ok(_) => ControlError::CannotListen { address, source: plain(error) },
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
    let (begun, waited) = (Instant::now(), settings.join_timeout.unwrap_or(JOIN));
    let mode = if own.is_some() { "peer" } else { "client" };
    let (mut next, mut told) = (PAUSES.0, false);
    loop {
        // Somebody must be there before Zenoh is asked, which takes long to find out that nobody is.
        let reached = reach(address, waited.saturating_sub(begun.elapsed()));
        let error = match reached {
            Ok(()) => match open(mode, own, Some(address), settings) {
                Ok(session) => return Ok(Some(session)),
                Err(error) => Ok(error),
            },
            Err(error) => Err(error),
        };
        if let (Some(own), Ok(source)) = (own, &error)
            && own.port() != 0
            && TcpListener::bind((own.host(), own.port())).is_err()
        {
            return Err(cannot_listen(own, source));
        }
        if begun.elapsed() >= waited {
            let address = address.clone();
            return Err(match error {
                Ok(error) => ControlError::NoDriver { address, waited, source: Some(plain(&error)) },
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

/// Whether anybody listens there.
pub(super) fn reach(address: &Address, patience: Duration) -> io::Result<()> {
    let patience = patience.clamp(Duration::from_millis(100), Duration::from_secs(3));
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for place in (address.host(), address.port()).to_socket_addrs()? {
        match TcpStream::connect_timeout(&place, patience) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn open(
    mode: &str,
    listen: Option<&Address>,
    connect: Option<&Address>,
    settings: &Settings,
) -> zenoh::Result<Session> {
    let file = settings.zenoh_config.clone();
    let scheme = match &file {
        Some(file) if secured(&Config::from_file(file)?) => "tls",
        _ => "tcp",
    };
    let endpoints =
        |address: Option<&Address>| address.map(|it| format!("{scheme}/{it}")).into_iter().collect();
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

/// Whether the configuration has certificates: then nothing goes over the network in the clear.
fn secured(config: &Config) -> bool {
    let tls = config.get_json("transport/link/tls").unwrap_or_default();
    ["root_ca_certificate", "listen_private_key", "connect_private_key"].iter().any(|key| {
        let rest = tls.split_once(&format!("\"{key}\":")).map_or("null", |(_, rest)| rest);
        !rest.trim_start().starts_with("null")
    })
}
