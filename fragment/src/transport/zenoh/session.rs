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

/// The largest frame that a session takes in: an array of 1 GiB with all that goes with it.
const LARGEST: u64 = (1 << 30) + (64 << 20);

/// Opens a session with these settings.
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
        // How long all pieces of a message may wait to leave, in microseconds, before the other end counts as gone: a sender
        // waits no longer, and 1 GiB goes over a network of 150 Mbit/s.
        ("transport/link/tx/queue/congestion_control/block/wait_before_close", "60000000".into()),
        // Connections that never speak must not keep others out.
        ("transport/unicast/accept_pending", "4096".into()),
        ("transport/unicast/accept_timeout", "3000".into()),
    ] {
        config.insert_json5(key, &value)?;
    }
    for (key, value) in &settings.further {
        config.insert_json5(key, value)?;
    }
    zenoh::open(config).wait()
}
