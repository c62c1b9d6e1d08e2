//! What a deployment turns by the environment.
//!
//! Not here: what an application decides in its code. Invariant: every variable is a row of [`Settings::TABLE`], from
//! which it is read, documented and shown in `--help`.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use crate::graph::meant;

/// The environment's word on how an application runs.
///
/// Each field has a row in [`TABLE`](Self::TABLE).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// After a request to stop: how long messages still flow before they are dropped.
    pub stop_timeout: Duration,
    /// How long a process can be silent before it counts as lost.
    pub lease: Duration,
    /// How long a worker looks for its driver, and a driver waits for its workers; `None` if nothing is said: 60 seconds for
    /// a worker, for ever for a driver.
    pub join_timeout: Option<Duration>,
    /// Workers that a driver waits for before it shares out what workers with `--fragments all` can take; 0: those that
    /// come within half a second of each other.
    pub workers: usize,
    /// Processors that a worker offers for what nobody asked for by name; `None`: those that the system lets it use.
    pub cores: Option<u32>,
    /// The transport between processes, instead of the best one for each connection. Whether there is such a one is known
    /// with the application.
    pub transport: Option<String>,
    /// How often `--monitor` shows what runs.
    pub monitor_period: Duration,
    /// A file of metrics, rewritten as often as `--monitor` shows what runs.
    pub metrics: Option<PathBuf>,
    /// A configuration file of Zenoh: certificates, authentication, and what else it knows.
    pub zenoh_config: Option<PathBuf>,
}

/// One variable of the environment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Setting {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in which unit.
    pub help: &'static str,
    /// What holds without it.
    pub default: &'static str,
    set: fn(&mut Settings, &str) -> bool,
}

/// The environment says something that is not understood.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name}={value:?} is not understood: {help}; without it: {default}")]
pub struct SettingError {
    /// The variable.
    pub name: &'static str,
    /// What it says.
    pub value: OsString,
    /// What it should say.
    pub help: &'static str,
    /// What holds without it.
    pub default: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            stop_timeout: Duration::from_secs(5),
            lease: Duration::from_millis(2000),
            join_timeout: None,
            workers: 0,
            cores: None,
            transport: None,
            monitor_period: Duration::from_millis(1000),
            metrics: None,
            zenoh_config: None,
        }
    }
}

impl Settings {
    /// All variables.
    pub const TABLE: &[Setting] = &[
        Setting {
            name: "PODWIRE_STOP_TIMEOUT",
            help: "seconds that messages may still flow after a request to stop",
            default: "5",
            set: |settings, text| seconds(text).map(|time| settings.stop_timeout = time).is_some(),
        },
        Setting {
            name: "PODWIRE_LEASE",
            help: "milliseconds, from 100, that a process may be silent before it counts as lost",
            default: "2000",
            set: |settings, text| {
                let time = milliseconds(text).filter(|time| *time >= Duration::from_millis(100));
                time.map(|time| settings.lease = time).is_some()
            },
        },
        Setting {
            name: "PODWIRE_JOIN_TIMEOUT",
            help: "seconds that a worker looks for its driver, and a driver for its workers",
            default: "60 for a worker, for ever for a driver",
            set: |settings, text| seconds(text).map(|time| settings.join_timeout = Some(time)).is_some(),
        },
        Setting {
            name: "PODWIRE_WORKERS",
            help: "workers that a driver waits for before it shares out what --fragments all leaves",
            default: "0: those that come within half a second of each other",
            set: |settings, text| text.parse().map(|workers| settings.workers = workers).is_ok(),
        },
        Setting {
            name: "PODWIRE_CORES",
            help: "processors that a worker offers: who offers more gets more of what --fragments all leaves",
            default: "those that the system lets it use",
            set: |settings, text| {
                settings.cores = text.parse().ok().filter(|cores| *cores > 0);
                settings.cores.is_some()
            },
        },
        Setting {
            name: "PODWIRE_TRANSPORT",
            help: "the transport between processes: fastio, ucx, zenoh, or one that the application added",
            default: "the best for each connection",
            set: |settings, text| {
                settings.transport = Some(text.to_owned());
                !text.is_empty()
            },
        },
        Setting {
            name: "PODWIRE_MONITOR_PERIOD",
            help: "milliseconds, from 20, between two pictures of --monitor, and of PODWIRE_METRICS",
            default: "1000",
            set: |settings, text| {
                let time = milliseconds(text).filter(|time| *time >= Duration::from_millis(20));
                time.map(|time| settings.monitor_period = time).is_some()
            },
        },
        Setting {
            name: "PODWIRE_METRICS",
            help: "a file that is kept full of metrics, in the text format of Prometheus; at the driver, of all workers",
            default: "none",
            set: |settings, text| {
                settings.metrics = Some(text.into());
                !text.is_empty()
            },
        },
        Setting {
            name: "PODWIRE_ZENOH_CONFIG",
            help: "a configuration file of Zenoh, for certificates and authentication",
            default: "plain TCP",
            set: |settings, text| {
                settings.zenoh_config = Some(text.into());
                !text.is_empty()
            },
        },
    ];

    /// Variables that others read: name, help and default of those of Fast I/O.
    pub(crate) const OTHERS: &[(&str, &str, &str)] =
        &[("PODWIRE_SHM_DIR", "the directory where shared memory lies", "/dev/shm")];

    /// Reads the environment of this process.
    ///
    /// # Errors
    /// All variables that are not understood.
    pub fn from_env() -> Result<Self, Vec<SettingError>> {
        Self::read(|name| std::env::var_os(name))
    }

    /// Reads an environment: the value of a variable, by its name.
    ///
    /// # Errors
    /// All variables that are not understood.
    pub fn read(value: impl Fn(&str) -> Option<OsString>) -> Result<Self, Vec<SettingError>> {
        let mut settings = Self::default();
        let mut errors = Vec::new();
        for setting in Self::TABLE {
            let Some(value) = value(setting.name) else { continue };
            if !value.to_str().is_some_and(|text| (setting.set)(&mut settings, text.trim())) {
                let Setting { name, help, default, .. } = *setting;
                errors.push(SettingError { name, value, help, default });
            }
        }
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }

    /// Warnings for variables whose names are near to ours and mean nothing.
    pub fn warnings(names: impl IntoIterator<Item = OsString>) -> Vec<String> {
        let ours =
            || Self::TABLE.iter().map(|setting| setting.name).chain(Self::OTHERS.iter().map(|other| other.0));
        let names = names.into_iter().filter_map(|name| name.into_string().ok());
        names
            .filter(|name| name.starts_with("PODWIRE_") && !ours().any(|known| known == name))
            // What all of them begin with makes none of them alike.
            .filter_map(|name| Some((meant(bare(&name), ours().map(bare))?, name)))
            .map(|(known, name)| format!("the variable {name} means nothing: did you mean PODWIRE_{known}?"))
            .collect()
    }
}

/// The name of a variable without what all of them begin with.
fn bare(name: &str) -> &str {
    name.strip_prefix("PODWIRE_").unwrap_or(name)
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

fn milliseconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_millis)
}
