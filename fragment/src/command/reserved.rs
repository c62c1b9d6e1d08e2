//! The options of every application: their names, their values, and what is said of them.
//!
//! Not here: what their values mean. Invariant: an option that is not in this table is the application's own.

/// An option that is taken out of the arguments before the application sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reserved {
    Driver,
    Worker,
    Address,
    WorkerAddress,
    Fragments,
    Config,
    Monitor,
    Graph,
    Help,
    Version,
}

/// Whether an option has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    None,
    /// Only behind `=`.
    Optional(&'static str),
    Needed(&'static str),
}

impl Reserved {
    pub(super) const ALL: [Reserved; 10] = [
        Self::Driver,
        Self::Worker,
        Self::Address,
        Self::WorkerAddress,
        Self::Fragments,
        Self::Config,
        Self::Monitor,
        Self::Graph,
        Self::Help,
        Self::Version,
    ];

    /// Its name without dashes.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Worker => "worker",
            Self::Address => "address",
            Self::WorkerAddress => "worker-address",
            Self::Fragments => "fragments",
            Self::Config => "config",
            Self::Monitor => "monitor",
            Self::Graph => "graph",
            Self::Help => "help",
            Self::Version => "version",
        }
    }

    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|option| option.name() == name)
    }

    pub(super) const fn value(self) -> Value {
        match self {
            Self::Address | Self::WorkerAddress => Value::Needed("HOST:PORT"),
            Self::Fragments => Value::Needed("NAME,NAME|all"),
            Self::Config => Value::Needed("FILE"),
            Self::Graph => Value::Optional("mermaid|dot[:FILE]"),
            Self::Driver | Self::Worker | Self::Monitor | Self::Help | Self::Version => Value::None,
        }
    }

    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::Driver => "Start the driver, which gives the fragments to the workers",
            Self::Worker => "Run what the driver gives; without --driver and --worker, all runs here",
            Self::Address => "Where the driver is [default: 127.0.0.1:57777]",
            Self::WorkerAddress => "Where this worker is reached [default: through the driver]",
            Self::Fragments => "Which fragments this worker runs [default: all]",
            Self::Config => "A TOML file with parameters of the operators",
            Self::Monitor => "Show what runs: rates, queues, bytes copied, latencies",
            Self::Graph => "Write a picture instead of running [default: mermaid, to the standard output]",
            Self::Help => "Print this",
            Self::Version => "Print the version",
        }
    }
}
