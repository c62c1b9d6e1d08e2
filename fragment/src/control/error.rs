//! Why a process cannot take part in an application of several processes, or had to leave it.
//!
//! Invariant: whoever reads it knows which process, where, and what it waited for.

use std::{io, path::PathBuf, time::Duration};

use super::{refusal::Refusal, words::Cause};
use crate::{command::Address, run::Report};

type Engine = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong between the processes of an application.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// Somebody listens at the driver's address already: another driver, or another program.
    #[error("cannot listen at {address}: the port is in use")]
    PortInUse {
        /// What `--address` says.
        address: Address,
    },
    /// The address is not of this host, or listening is not permitted.
    #[error("cannot listen at {address}")]
    CannotListen {
        /// What `--address` or `--worker-address` says.
        address: Address,
        /// What the system says.
        source: Engine,
    },
    /// Nobody could be reached at the driver's address.
    #[error("no driver at {address}: tried for {waited:?}")]
    Unreachable {
        /// What `--address` says.
        address: Address,
        /// How long it was tried.
        waited: Duration,
        /// What the system said the last time.
        source: io::Error,
    },
    /// Nobody could be reached at the driver's address as this worker was told to, by TCP or with certificates; somebody is there
    /// in the other way.
    #[error(
        "no driver at {address} {}: tried for {waited:?} (PODWIRE_ZENOH_CONFIG)",
        if *certificates {
            "with certificates (QUIC, over UDP), as this worker has them, but somebody by plain TCP"
        } else {
            "by plain TCP, but somebody with certificates (QUIC, over UDP), of which this worker has none"
        }
    )]
    Certificates {
        /// What `--address` says.
        address: Address,
        /// How long it was tried.
        waited: Duration,
        /// Whether this worker has certificates.
        certificates: bool,
    },
    /// Somebody listens at the driver's address who is no driver, or one that lets nobody in.
    #[error(
        "who listens at {address} is no driver of podwire, or wants another certificate or password \
         (PODWIRE_ZENOH_CONFIG): tried for {waited:?}"
    )]
    NoDriver {
        /// What `--address` says.
        address: Address,
        /// How long it was tried.
        waited: Duration,
        /// What Zenoh said the last time, if it said something.
        source: Option<Engine>,
    },
    /// The driver at the address does not let this worker join.
    #[error("the driver at {address} refuses this worker: {source}")]
    Refused {
        /// What `--address` says.
        address: Address,
        /// Why.
        source: Box<Refusal>,
    },
    /// The driver died, or cannot be reached any more. What ran here was ended in order.
    #[error("the driver at {address} is gone")]
    DriverGone {
        /// What `--address` says.
        address: Address,
    },
    /// A worker died, or cannot be reached any more. What ran elsewhere was ended in order.
    #[error("worker {worker} is lost, and with it fragment {}", fragments.join(", "))]
    WorkerLost {
        /// Host and process of the worker.
        worker: String,
        /// The fragments that it ran.
        fragments: Vec<String>,
        /// What was done: at the driver by all that reported, at a worker by its own fragments.
        report: Box<Report>,
    },
    /// An operator failed, in this process or another one. Everything was ended in order.
    #[error("{cause}")]
    Failed {
        /// What failed, and where.
        cause: Box<Cause>,
        /// As above.
        report: Box<Report>,
    },
    /// Workers did not end when they were told to.
    #[error("worker {} did not end in time, nor did fragment {}", workers.join(", "), fragments.join(", "))]
    Stuck {
        /// Host and process of each.
        workers: Vec<String>,
        /// The fragments that they run.
        fragments: Vec<String>,
    },
    /// Nobody came to run these fragments in time.
    #[error("nobody has come who runs fragment {}", fragments.join(", "))]
    Unmanned {
        /// The fragments.
        fragments: Vec<String>,
    },
    /// The file that `PODWIRE_ZENOH_CONFIG` names is no configuration of Zenoh.
    #[error("PODWIRE_ZENOH_CONFIG: {}", file.display())]
    ZenohConfig {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: Engine,
    },
    /// The system gave no thread.
    #[error("the system gave no thread")]
    Thread {
        /// What it said.
        source: io::Error,
    },
    /// Zenoh failed.
    #[error("{doing}")]
    Zenoh {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        source: Engine,
    },
}

impl ControlError {
    /// What was done until then, where that is known.
    pub(crate) fn report(&self) -> Option<&Report> {
        match self {
            Self::WorkerLost { report, .. } | Self::Failed { report, .. } => Some(report),
            _ => None,
        }
    }
}

/// What Zenoh says, without the lines of its source.
pub(super) fn plain(error: &zenoh::Error) -> Engine {
    let text = error.to_string();
    let mut told = String::new();
    for mut part in text.split(" - Caused by ") {
        // One error within another has the line of each.
        while let Some((said, _)) = part.rsplit_once(" at ").filter(|(_, place)| is_place(place)) {
            part = said;
        }
        told.push_str(if told.is_empty() { "" } else { ": " });
        told.push_str(part.trim_end_matches(['.', '!', ' ']));
    }
    told.into()
}

/// Whether it is a line of a source file: `/a/b.rs:12.`
fn is_place(text: &str) -> bool {
    let line = text.trim_end_matches('.').rsplit_once(".rs:");
    line.is_some_and(|(_, line)| !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_zenoh_says_comes_without_the_lines_of_its_source() {
        for (said, told) in [
            ("no file at /home/me/.cargo/zenoh-config-1/src/lib.rs:12.", "no file"),
            ("a at x.rs:1. - Caused by b at y.rs:22.", "a: b"),
            ("looked at it.", "looked at it"),
            ("no key: no file at /a/utils.rs:543. at /b/unicast.rs:7.", "no key: no file"),
            ("no way to any of [Single(tcp/a:1)]! ", "no way to any of [Single(tcp/a:1)]"),
            ("at noon", "at noon"),
            ("", ""),
        ] {
            assert_eq!(plain(&said.to_owned().into()).to_string(), told);
        }
    }
}
