//! The command line of every application: which arguments are ours, and what they say.
//!
//! Not here: what a driver and a worker do. Invariant: every argument that is not ours stays in
//! [`argv`](CommandLine::argv), as it was and in its order.
//!
//! - Ours are the options of the table in `docs/fragment.md`, wherever they stand before `--`, as `--option value` and as
//!   `--option=value`. They have no short forms. A value that begins with `--` is written behind `=`.
//! - `--` ends the options: it and everything behind it is the application's.
//! - Mistakes do not hide each other: all are gathered, and told together when the application is about to run.

mod address;
mod error;
mod help;
mod own;
mod picture;
mod reserved;
mod selection;

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use clap_lex::{OsStrExt, RawArgs};

pub use address::{Address, AddressError};
pub use error::CommandError;
pub use help::Parameter;
pub use picture::{PictureLanguage, PictureRequest};
pub use selection::Selection;

use own::Own;
use reserved::{Reserved, Value};

/// The arguments of an application, split into ours and its own.
///
/// ```
/// use podwire_fragment::command::CommandLine;
///
/// let line = CommandLine::split(["myapp", "--driver", "my_arg1", "--address=10.0.0.1"]);
/// assert_eq!(line.argv(), ["myapp", "my_arg1"]);
/// assert!(line.driver && !line.worker);
/// assert_eq!(line.address.to_string(), "10.0.0.1:57777");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CommandLine {
    /// `--driver`: this process gives fragments to workers.
    pub driver: bool,
    /// `--worker`: this process runs the fragments that it is given.
    pub worker: bool,
    /// `--address`: where the driver is.
    pub address: Address,
    /// `--worker-address`: where this worker is reached; port 0 if none was said.
    pub worker_address: Option<Address>,
    /// `--fragments`: what this worker runs.
    pub fragments: Selection,
    /// `--config`: the file with the parameters.
    pub config: Option<PathBuf>,
    /// `--monitor`: show what runs.
    pub monitor: bool,
    /// `--graph`: write a picture instead of running.
    pub graph: Option<PictureRequest>,
    /// `--help`: print the [`help`](Self::help) instead of running.
    pub help: bool,
    /// `--version`: print the [`version`](Self::version_text) instead of running.
    pub version: bool,
    argv: Vec<OsString>,
    own: Own,
    mistakes: Vec<CommandError>,
    warnings: Vec<String>,
}

impl CommandLine {
    /// Takes our options out of the arguments, of which the first is the program's name.
    ///
    /// It never fails: what is wrong is told by [`mistakes`](Self::mistakes), and the application's arguments are there
    /// nonetheless.
    pub fn split(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        let mut line = Self::default();
        let raw = RawArgs::new(arguments);
        let mut cursor = raw.cursor();
        line.argv.extend(raw.next_os(&mut cursor).map(OsStr::to_owned));

        let mut seen = Vec::new();
        while let Some(argument) = raw.next(&mut cursor) {
            if argument.is_escape() {
                line.argv.push(argument.to_value_os().to_owned());
                line.argv.extend(raw.remaining(&mut cursor).map(OsStr::to_owned));
                break;
            }
            let ours =
                argument.to_long().and_then(|(name, value)| Some((Reserved::find(name.ok()?)?, value)));
            let Some((option, inline)) = ours else {
                line.argv.push(argument.to_value_os().to_owned());
                continue;
            };
            let value = match (option.value(), inline) {
                (Value::Needed(_), None) => {
                    let next = raw.peek_os(&cursor).filter(|next| !next.starts_with("--"));
                    next.inspect(|_| _ = raw.next_os(&mut cursor))
                }
                (_, inline) => inline,
            };
            if seen.contains(&option) {
                line.mistakes.push(CommandError::Repeated { option: dashed(option.name()) });
            } else if let Err(mistake) = line.take(option, value) {
                line.mistakes.push(mistake);
            }
            seen.push(option);
        }
        line.warn_of_idle_options(&seen);
        line
    }

    fn take(&mut self, option: Reserved, value: Option<&OsStr>) -> Result<(), CommandError> {
        let name = || dashed(option.name());
        match (option.value(), value) {
            (Value::None, Some(value)) => {
                return Err(CommandError::UnexpectedValue { option: name(), value: value.to_owned() });
            }
            (Value::Needed(value_name), value) if value.is_none_or(OsStr::is_empty) => {
                return Err(CommandError::MissingValue { option: name(), value: value_name.to_owned() });
            }
            _ => {}
        }
        let value = value.unwrap_or_default();
        let text = || {
            let no_text = || CommandError::NoText { option: name(), value: value.to_owned() };
            value.to_str().ok_or_else(no_text)
        };
        let address = |no_port| {
            let text = text()?;
            let wrong = |reason| CommandError::Address { option: name(), value: text.to_owned(), reason };
            Address::parse(text, no_port).map_err(wrong)
        };
        match option {
            Reserved::Driver => self.driver = true,
            Reserved::Worker => self.worker = true,
            Reserved::Monitor => self.monitor = true,
            Reserved::Help => self.help = true,
            Reserved::Version => self.version = true,
            Reserved::Address => self.address = address(Address::PORT)?,
            Reserved::WorkerAddress => self.worker_address = Some(address(0)?),
            Reserved::Fragments => self.fragments = Selection::parse(text()?)?,
            Reserved::Config => self.config = Some(value.into()),
            Reserved::Graph if value.is_empty() => self.graph = Some(PictureRequest::default()),
            Reserved::Graph => self.graph = Some(PictureRequest::parse(value)?),
        }
        Ok(())
    }

    /// Options that change nothing, because nobody is there whom they concern.
    fn warn_of_idle_options(&mut self, seen: &[Reserved]) {
        let mut warn = |option: Reserved, needs| {
            if seen.contains(&option) {
                self.warnings.push(format!("--{} changes nothing without {needs}", option.name()));
            }
        };
        if !self.worker {
            warn(Reserved::Fragments, "--worker");
            warn(Reserved::WorkerAddress, "--worker");
        }
        if !self.worker && !self.driver {
            warn(Reserved::Address, "--driver or --worker");
        }
    }

    /// The application's own arguments, behind the program's name.
    #[must_use]
    pub fn argv(&self) -> &[OsString] {
        &self.argv
    }

    /// Whether all fragments run in this process: there is neither a driver nor a worker.
    #[must_use]
    pub fn is_local(&self) -> bool {
        !self.driver && !self.worker
    }

    /// Everything that is wrong with the arguments.
    ///
    /// What the application's own options leave over is among it, if it declared [options](Self::option): ask when it
    /// has declared all.
    #[must_use]
    pub fn mistakes(&self) -> Vec<CommandError> {
        [self.mistakes.clone(), self.own.leftovers(&self.argv)].concat()
    }

    /// What is odd, and stops nothing.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// The name of an option as one writes it.
fn dashed(name: &str) -> String {
    format!("--{name}")
}
