//! Which fragments a worker runs: `--fragments a,b` or `--fragments all`.
//!
//! Not here: whether the application has them; [`Selection::check`] is told its fragments. Invariant: a list has at least
//! one name, each once.

use std::fmt;

use super::CommandError;

/// The fragments that a worker asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Whatever the driver gives it, up to all.
    #[default]
    All,
    /// These, in the order of the command line.
    Named(Vec<String>),
}

impl Selection {
    /// The name that no fragment can have: it stands for all.
    pub const ALL: &str = "all";

    pub(crate) fn parse(text: &str) -> Result<Self, CommandError> {
        let mut names: Vec<String> = Vec::new();
        for name in text.split(',').map(str::trim) {
            if name.is_empty() {
                return Err(CommandError::EmptyFragment { list: text.to_owned() });
            }
            if names.iter().any(|known| known == name) {
                return Err(CommandError::FragmentTwice { fragment: name.to_owned() });
            }
            names.push(name.to_owned());
        }
        match names.as_slice() {
            [only] if only == Self::ALL => Ok(Self::All),
            names if names.iter().any(|name| name == Self::ALL) => {
                Err(CommandError::AllAndMore { list: text.to_owned() })
            }
            _ => Ok(Self::Named(names)),
        }
    }

    /// Whether a fragment is among them.
    #[must_use]
    pub fn contains(&self, fragment: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|name| name == fragment),
        }
    }

    /// Whether the application has all fragments that are named.
    ///
    /// # Errors
    /// [`CommandError::NoSuchFragment`], which says which there are.
    pub fn check<'a>(&self, existing: impl IntoIterator<Item = &'a str>) -> Result<(), CommandError> {
        let Self::Named(names) = self else { return Ok(()) };
        let existing: Vec<&str> = existing.into_iter().collect();
        match names.iter().find(|name| !existing.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(CommandError::NoSuchFragment {
                fragment: name.clone(),
                existing: existing.into_iter().map(str::to_owned).collect(),
            }),
        }
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => formatter.write_str(Self::ALL),
            Self::Named(names) => formatter.write_str(&names.join(",")),
        }
    }
}
