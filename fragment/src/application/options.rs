//! An application's own options, beside those of every application.
//!
//! Not here: what they are taken from, which is `command`. Invariant: nothing here fails; mistakes of the command line are
//! told by `check` and `run`, with all others.

use std::{ffi::OsString, fmt::Display, io, io::Write, str::FromStr};

use super::Application;
use crate::{command::Parameter, config::Settings, error::Error, graph::dotted};

impl Application {
    /// The name of the program, and its arguments without the options of every application, in their order.
    ///
    /// ```
    /// use podwire_fragment::Application;
    ///
    /// let app = Application::new(["myapp", "--driver", "my_arg1", "--address=10.0.0.1"]);
    /// assert_eq!(app.argv(), ["myapp", "my_arg1"]);
    /// ```
    #[must_use]
    pub fn argv(&self) -> &[OsString] {
        self.line.argv()
    }

    /// Declares an option with a value, and gives its value, or the default if it is not there.
    ///
    /// It is for applications that do not parse [`argv`](Self::argv) themselves: the help shows it, and from the first
    /// one on, an argument that belongs to no option is a mistake.
    ///
    /// ```
    /// use podwire_fragment::Application;
    ///
    /// let mut app = Application::new(["ping", "--worker", "--count", "20"]);
    /// let count = app.option("--count", "N", "how many messages", 10_u64);
    /// let rows = app.option("--rows", "N", "rows of an array", 64_usize);
    /// assert_eq!((count, rows), (20, 64));
    /// ```
    pub fn option<T>(&mut self, name: &str, value_name: &str, help: &str, default: T) -> T
    where
        T: FromStr<Err: Display> + Display,
    {
        self.line.option(name, value_name, help, default)
    }

    /// Declares an option without a value, and says whether it is there.
    pub fn flag(&mut self, name: &str, help: &str) -> bool {
        self.line.flag(name, help)
    }

    /// Declares that there are arguments besides the options, and gives them. Comes behind all options.
    pub fn arguments(&mut self, value_name: &str, help: &str) -> Vec<OsString> {
        self.line.arguments(value_name, help)
    }

    /// Says what the application is for: the first line of its help.
    pub fn about(&mut self, text: &str) {
        self.line.about(text);
    }

    /// Says which version the application is of: `env!("CARGO_PKG_VERSION")`.
    pub fn version(&mut self, version: &str) {
        self.line.version(version);
    }

    /// Says what the help tells of options that the application parses itself from [`argv`](Self::argv).
    ///
    /// With `clap`, that is `Arguments::command().render_help().to_string()`.
    pub fn help_text(&mut self, text: &str) {
        self.line.help_text(text);
    }

    /// Whether `--help` or `--version` is there: [`run`](Self::run) prints it and runs nothing. Who parses `argv` itself
    /// may want to know before something is missing there.
    #[must_use]
    pub fn is_asked_for_help(&self) -> bool {
        self.line.help || self.line.version
    }

    /// What `--help` prints: also the fragments; the operators' parameters are in it once `setup` was called.
    pub(super) fn help(&self) -> String {
        let parameters = self.placed().flat_map(|(fragment, placed)| {
            let operator = dotted(&fragment.name, &placed.name);
            let asked = placed.spec.iter().flat_map(|spec| &spec.parameters);
            asked.map(move |known| Parameter {
                path: format!("{operator}.{}", known.name),
                help: known.help.clone(),
                value: known.value.clone(),
            })
        });
        let fragments = self.fragments.iter().map(|fragment| {
            let operators: Vec<&str> = fragment.operators.iter().map(|placed| &*placed.name).collect();
            (fragment.name.clone(), operators.join(", "))
        });
        self.line.help_with(&fragments.collect::<Vec<_>>(), &parameters.collect::<Vec<_>>())
    }

    /// Tells what is odd about the arguments and the environment.
    pub(super) fn warn(&self) {
        let environment = Settings::warnings(std::env::vars_os().map(|(name, _)| name));
        for warning in self.line.warnings().iter().chain(&environment) {
            eprintln!("{}: {warning}", self.line.program());
        }
    }
}

/// Writes to the standard output.
pub(super) fn print(text: &str, what: &'static str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|source| Error::System { what, source })
}
