//! Opening a Zenoh session that listens and connects where it is told, and nowhere else.
//!
//! The invariant: no multicast, no port that nobody asked for.

use std::path::PathBuf;

use zenoh::{Config, Session, Wait};

/// What a session is to be.
#[derive(Clone, Debug, Default)]
pub struct SessionSettings {
    /// `router`, `peer` or `client`: a router passes on what clients send each other, a client only connects. Empty: a peer.
    pub mode: String,
    /// Where to listen, such as `tcp/127.0.0.1:57777`.
    pub listen: Vec<String>,
    /// Where to connect.
    pub connect: Vec<String>,
    /// A configuration file of Zenoh's own, which what stands here goes over.
    pub file: Option<PathBuf>,
    /// Further settings of Zenoh's own, as its documentation names them, with their values in JSON5: TLS, users.
    pub further: Vec<(String, String)>,
}

/// The largest frame that a session takes in: far more than a piece of a message, or what processes tell each other.
const LARGEST: u64 = 64 << 20;

/// How long nothing may come from the other end until it counts as gone, in milliseconds.
const LEASE: &str = "transport/link/tx/lease";

/// How long a frame may wait to leave until the other end counts as gone, in microseconds.
const PATIENCE: &str = "transport/link/tx/queue/congestion_control/block/wait_before_close";

/// Opens a session with these settings. A frame that has not left within half of the lease ends the connection: if the lease
/// came first, Zenoh 1.10.2 would hold up the whole session until the frame is given up, and end the connection twice, the
/// second time with the one that came after.
///
/// # Errors
/// What Zenoh says: an address that is taken or cannot be reached, a setting that it does not know.
pub fn session(settings: &SessionSettings) -> zenoh::Result<Session> {
    let list = |addresses: &[String]| {
        let quoted: Vec<_> = addresses.iter().map(|address| format!("{address:?}")).collect();
        format!("[{}]", quoted.join(","))
    };
    let mode = if settings.mode.is_empty() { "peer" } else { &settings.mode };
    let mut config = settings.file.as_ref().map_or_else(|| Ok(Config::default()), Config::from_file)?;
    for (key, value) in [
        ("mode", format!("{mode:?}")),
        ("listen/endpoints", list(&settings.listen)),
        ("connect/endpoints", list(&settings.connect)),
        ("scouting/multicast/enabled", "false".into()),
        ("scouting/gossip/enabled", "false".into()),
        ("scouting/delay", "0".into()),
        ("transport/link/rx/max_message_size", LARGEST.to_string()),
        // Connections that never speak must not keep others out.
        ("transport/unicast/accept_pending", "4096".into()),
        ("transport/unicast/accept_timeout", "3000".into()),
    ] {
        config.insert_json5(key, &value)?;
    }
    for (key, value) in &settings.further {
        config.insert_json5(key, value)?;
    }
    if settings.further.iter().all(|(key, _)| key != PATIENCE) {
        let lease: u64 = config.get_json(LEASE)?.parse().unwrap_or(10_000);
        config.insert_json5(PATIENCE, &lease.saturating_mul(500).to_string())?;
    }
    zenoh::open(config).wait()
}
