//! The application's own options, if it declares them here instead of parsing `argv` itself.
//!
//! Not here: the options of every application. Invariant: an argument belongs to at most one option; what belongs to none
//! is told by `leftovers`.

use std::{
    ffi::{OsStr, OsString},
    fmt::Display,
    str::FromStr,
};

use clap_lex::{OsStrExt, ParsedArg, RawArgs};

use super::{CommandError, CommandLine, dashed, reserved::Reserved};

/// What the application has declared so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    pub(super) options: Vec<Declared>,
    /// The value's name and the help of the arguments that are no options.
    pub(super) arguments: Option<(String, String)>,
    pub(super) about: Option<String>,
    pub(super) version: Option<String>,
    /// What the application itself says of its options.
    pub(super) text: Option<String>,
    /// Places in `argv` that belong to a declared option.
    claimed: Vec<usize>,
}

/// An option of the application.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    /// Without dashes.
    pub(super) name: String,
    /// The value's name and the default; `None` for a flag.
    pub(super) value: Option<(String, String)>,
    pub(super) help: String,
}

impl CommandLine {
    /// Declares an option with a value, and gives its value.
    ///
    /// `name` has its two dashes, `value_name` stands in the help. If the option is not there, or wrong, the default is
    /// given; what is wrong is told by [`mistakes`](Self::mistakes). As soon as one option is declared, arguments that
    /// belong to none are mistakes.
    ///
    /// ```
    /// use podwire_fragment::command::CommandLine;
    ///
    /// let mut line = CommandLine::split(["ping", "--worker", "--count=20"]);
    /// let count = line.option("--count", "N", "how many messages", 10_u64);
    /// let rows = line.option("--rows", "N", "rows of an array", 64_usize);
    /// assert_eq!((count, rows), (20, 64));
    /// assert!(line.mistakes().is_empty());
    /// ```
    pub fn option<T>(&mut self, name: &str, value_name: &str, help: &str, default: T) -> T
    where
        T: FromStr<Err: Display> + Display,
    {
        let value = Some((value_name.to_owned(), default.to_string()));
        match self.declare(name, value, help).and_then(|declared| self.value_of(&declared)) {
            Ok(Some(value)) => value.parse().unwrap_or_else(|error: T::Err| {
                let (option, reason, default_text) =
                    (name.to_owned(), error.to_string(), default.to_string());
                self.mistakes.push(CommandError::BadValue { option, value, reason, default: default_text });
                default
            }),
            Ok(None) => default,
            Err(mistake) => {
                self.mistakes.extend(mistake);
                default
            }
        }
    }

    /// Declares an option without a value, and says whether it is there.
    pub fn flag(&mut self, name: &str, help: &str) -> bool {
        let found = self.declare(name, None, help).and_then(|declared| match self.find(&declared)? {
            None => Ok(false),
            Some((_, None)) => Ok(true),
            Some((_, Some(value))) => {
                Err(Some(CommandError::UnexpectedValue { option: name.to_owned(), value }))
            }
        });
        found.unwrap_or_else(|mistake| {
            self.mistakes.extend(mistake);
            false
        })
    }

    /// Declares that there are arguments besides the options, and gives them. Comes behind all options.
    pub fn arguments(&mut self, value_name: &str, help: &str) -> Vec<OsString> {
        self.own.arguments = Some((value_name.to_owned(), help.to_owned()));
        let free: Vec<_> =
            self.own.free(&self.argv).into_iter().filter(|(_, _, option)| option.is_none()).collect();
        let (places, values): (Vec<_>, Vec<_>) = free.into_iter().map(|(at, value, _)| (at, value)).unzip();
        self.own.claimed.extend(places);
        values
    }

    /// Says what the application is for: the first line of its help.
    pub fn about(&mut self, text: &str) {
        self.own.about = Some(text.to_owned());
    }

    /// Says which version the application is of: `env!("CARGO_PKG_VERSION")`.
    pub fn version(&mut self, version: &str) {
        self.own.version = Some(version.to_owned());
    }

    /// Says what the help tells of options that the application parses itself from [`argv`](Self::argv).
    ///
    /// With `clap`, that is `Arguments::command().render_help().to_string()`.
    pub fn help_text(&mut self, text: &str) {
        self.own.text = Some(text.to_owned());
    }

    /// Enters an option. `Err(None)` if it can have no value here, and nobody is to blame.
    fn declare(
        &mut self,
        name: &str,
        value: Option<(String, String)>,
        help: &str,
    ) -> Result<Declared, Option<CommandError>> {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let bare = name.strip_prefix("--").filter(|bare| {
            bare.starts_with(|first: char| first.is_ascii_alphanumeric()) && bare.bytes().all(inner)
        });
        let Some(bare) = bare else { return Err(Some(CommandError::OptionName { name: name.to_owned() })) };
        if Reserved::find(bare).is_some() {
            let warning = format!(
                "the application's option {name} is never seen: every application has one of that name"
            );
            self.warnings.push(warning);
            return Err(None);
        }
        if self.own.options.iter().any(|known| known.name == bare) {
            return Err(Some(CommandError::DeclaredTwice { name: name.to_owned() }));
        }
        let declared = Declared { name: bare.to_owned(), value, help: help.to_owned() };
        self.own.options.push(declared.clone());
        Ok(declared)
    }

    /// The text of an option's value.
    fn value_of(&mut self, declared: &Declared) -> Result<Option<String>, Option<CommandError>> {
        let Some((at, inline)) = self.find(declared)? else { return Ok(None) };
        let option = || dashed(&declared.name);
        let value = inline.or_else(|| self.value_behind(at)).ok_or_else(|| {
            let value = declared.value.as_ref().map(|(name, _)| name.clone()).unwrap_or_default();
            Some(CommandError::MissingValue { option: option(), value })
        })?;
        value.into_string().map(Some).map_err(|value| Some(CommandError::NoText { option: option(), value }))
    }

    /// The argument behind an option, if it can be its value.
    fn value_behind(&self, at: usize) -> Option<OsString> {
        self.argv.get(at + 1).filter(|next| !next.starts_with("--")).cloned()
    }

    /// Where an option stands, and its value behind `=`.
    fn find(
        &mut self,
        declared: &Declared,
    ) -> Result<Option<(usize, Option<OsString>)>, Option<CommandError>> {
        let is_it = |(name, _): &(String, _)| *name == declared.name;
        let free = self.own.free(&self.argv).into_iter();
        let found: Vec<_> = free.filter_map(|(at, _, option)| Some((at, option.filter(is_it)?.1))).collect();
        for (at, inline) in &found {
            let has_value = declared.value.is_some() && inline.is_none() && self.value_behind(*at).is_some();
            self.own.claimed.extend(*at..=*at + usize::from(has_value));
        }
        if found.len() > 1 {
            return Err(Some(CommandError::Repeated { option: dashed(&declared.name) }));
        }
        Ok(found.into_iter().next())
    }
}

/// Place, whole argument, and if it is an option its name without dashes and its value.
type Free = (usize, OsString, Option<(String, Option<OsString>)>);

impl Own {
    /// What follows the program's name and belongs to no declared option.
    fn free(&self, argv: &[OsString]) -> Vec<Free> {
        let end = argv.iter().skip(1).position(|argument| argument == "--").map(|at| at + 1);
        let raw = RawArgs::new(argv);
        let mut cursor = raw.cursor();
        let mut free = Vec::new();
        let mut at = 0;
        while let Some(argument) = raw.next(&mut cursor) {
            let is_free = at > 0 && Some(at) != end && !self.claimed.contains(&at);
            if is_free {
                let option = if end.is_some_and(|end| at > end) { None } else { option(&argument) };
                free.push((at, argument.to_value_os().to_owned(), option));
            }
            at += 1;
        }
        free
    }

    /// What belongs to no option, though the application declares its options.
    pub(super) fn leftovers(&self, argv: &[OsString]) -> Vec<CommandError> {
        if self.options.is_empty() && self.arguments.is_none() {
            return Vec::new();
        }
        let names =
            self.options.iter().map(|option| option.name.as_str()).chain(Reserved::ALL.map(Reserved::name));
        let existing: Vec<String> = names.map(dashed).collect();
        let mut mistakes = Vec::new();
        let mut value_at = None; // of an unknown option, which is mistake enough
        for (at, argument, option) in self.free(argv) {
            match option {
                None if value_at == Some(at) => {}
                None => mistakes.push(CommandError::UnexpectedArgument { argument }),
                Some((name, value)) => {
                    value_at = value.is_none().then_some(at + 1);
                    let option = if name.starts_with('-') { name } else { dashed(&name) };
                    mistakes.push(CommandError::UnknownOption { option, existing: existing.clone() });
                }
            }
        }
        mistakes
    }
}

/// The name of an option without its dashes (of a short one with its dash), and the value behind `=`.
fn option(argument: &ParsedArg<'_>) -> Option<(String, Option<OsString>)> {
    if let Some((name, value)) = argument.to_long() {
        let name = name.map_or_else(|name| name.to_string_lossy().into_owned(), str::to_owned);
        return Some((name, value.map(OsStr::to_owned)));
    }
    let is_short = argument.is_short() && !argument.is_negative_number();
    is_short.then(|| (argument.display().to_string(), None))
}
