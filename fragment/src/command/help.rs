//! What `--help` and `--version` print.
//!
//! Not here: printing. Invariant: every option that is understood is in it, ours as well as the application's.

use std::path::Path;

use clap::{Arg, ArgAction, Command};

use super::{
    CommandLine,
    reserved::{Reserved, Value},
};
use crate::config::Settings;

/// A parameter that an operator asked for in its `setup`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The table and the key in the file of `--config`: `fragment1.ping.rows`.
    pub path: String,
    /// What it is.
    pub help: String,
    /// What it is: what the file says, or else the default.
    pub value: String,
}

impl CommandLine {
    /// What the program is called: the last part of its path.
    #[must_use]
    pub fn program(&self) -> String {
        let name = self.argv().first().and_then(|path| Path::new(path).file_name());
        name.map_or_else(|| "application".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// The application's version, and ours.
    #[must_use]
    pub fn version_text(&self) -> String {
        let version = self.own.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        format!("{}{version} (podwire {})\n", self.program(), env!("CARGO_PKG_VERSION"))
    }

    /// The help: the application's options, ours, the parameters of its operators, and the environment.
    #[must_use]
    pub fn help(&self, parameters: &[Parameter]) -> String {
        self.help_with(&[], parameters)
    }

    /// The same with the names that `--fragments` takes, each with those of its operators.
    pub(crate) fn help_with(&self, fragments: &[(String, String)], parameters: &[Parameter]) -> String {
        let mut command = Command::new(self.program()).disable_help_flag(true).disable_version_flag(true);
        if let Some(about) = &self.own.about {
            command = command.about(about.clone());
        }
        command = command.next_help_heading("Options of this application");
        for declared in &self.own.options {
            let mut arg = option(&declared.name, &declared.help);
            if let Some((name, default)) = &declared.value {
                arg = arg.action(ArgAction::Set).value_name(name.clone());
                if !default.is_empty() {
                    arg = arg.default_value(default.clone());
                }
            }
            command = command.arg(arg);
        }
        if let Some((name, help)) = &self.own.arguments {
            command = command.arg(Arg::new("").value_name(name.clone()).help(help.clone()).num_args(0..));
        }
        command = command.next_help_heading("Options of every application");
        for reserved in Reserved::ALL {
            let arg = option(reserved.name(), reserved.help());
            command = command.arg(match reserved.value() {
                Value::None => arg,
                Value::Needed(name) => arg.action(ArgAction::Set).value_name(name),
                Value::Optional(name) => {
                    arg.action(ArgAction::Set).value_name(name).num_args(0..=1).require_equals(true)
                }
            });
        }
        let mut text = command.render_help().to_string();
        if let Some(own) = &self.own.text {
            text += &format!("\nThe application says:\n{}\n", own.trim_end());
        }
        if !fragments.is_empty() {
            let rows = fragments.iter().map(|(name, operators)| (&**name, operators.clone()));
            text += &format!("\nFragments of this application, and their operators:\n{}", columns(rows));
        }
        if !parameters.is_empty() {
            let rows =
                parameters.iter().map(|known| (&*known.path, format!("{} [{}]", known.help, known.value)));
            text += &format!("\nParameters of the operators (--config):\n{}", columns(rows));
        }
        let settings = Settings::TABLE.iter().map(|it| (it.name, it.help, it.default));
        let settings = settings.chain(Settings::OTHERS.iter().copied());
        let rows = settings.map(|(name, help, default)| (name, format!("{help} [default: {default}]")));
        text += &format!("\nEnvironment:\n{}", columns(rows));
        text
    }
}

/// A flag, until it is given a value.
fn option(name: &str, help: &str) -> Arg {
    Arg::new(name.to_owned()).long(name.to_owned()).help(help.to_owned()).action(ArgAction::SetTrue)
}

/// Two columns, the first as wide as it must be.
fn columns<'a>(rows: impl Iterator<Item = (&'a str, String)> + Clone) -> String {
    let width = rows.clone().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    rows.map(|(name, help)| format!("  {name:<width$}  {help}\n")).collect()
}
