//! What can be wrong with a configuration file.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::graph::instead;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file.display(), self.line)
    }
}

/// A mistake in a configuration file, where it is, and what exists instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("--config: {} cannot be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A place in it is no TOML.
    #[error("{at}: {reason}")]
    Syntax {
        /// Where.
        at: Place,
        /// What the parser says.
        reason: String,
    },
    /// A table at the top is neither a fragment nor, where that is possible, an operator.
    #[error("{at}: there is no fragment or operator {table:?}{}", instead(table, existing))]
    NoSuchTable {
        /// Where.
        at: Place,
        /// Its name.
        table: String,
        /// Which there are.
        existing: Vec<String>,
    },
    /// The fragment has no such operator.
    #[error("{at}: the fragment {fragment:?} has no operator {operator:?}{}", instead(operator, existing))]
    NoSuchOperator {
        /// Where.
        at: Place,
        /// The fragment.
        fragment: String,
        /// The name.
        operator: String,
        /// Which there are.
        existing: Vec<String>,
    },
    /// The operator has no such parameter.
    #[error("{at}: {operator} has no parameter {parameter:?}{}", instead(parameter, existing))]
    NoSuchParameter {
        /// Where.
        at: Place,
        /// The operator, with its fragment.
        operator: String,
        /// The key.
        parameter: String,
        /// Which there are.
        existing: Vec<String>,
    },
    /// Something else stands where the table of a fragment or operator should be.
    #[error("{at}: {table} is no table; write [{table}], and its parameters below")]
    NoTable {
        /// Where.
        at: Place,
        /// The name.
        table: String,
    },
    /// A parameter has not the type that the operator asks for.
    #[error("{at}: {parameter}: {reason}")]
    WrongType {
        /// Where.
        at: Place,
        /// The fragment, the operator and the key.
        parameter: String,
        /// What is found, and what was expected.
        reason: String,
    },
    /// A parameter is a struct, and has no such field.
    #[error("{at}: {parameter} has no field {field}")]
    NoSuchField {
        /// Where.
        at: Place,
        /// The fragment, the operator and the key.
        parameter: String,
        /// The way from the parameter to the field.
        field: String,
    },
    /// A parameter stands in the table of the operator, and again in the one without the fragment's name.
    #[error("{first}: {parameter} is there once more at {second}; write it once")]
    Twice {
        /// The parameter.
        parameter: String,
        /// Where.
        first: Place,
        /// Where again.
        second: Place,
    },
}

impl ConfigurationError {
    /// The line of the file, from 1.
    pub(super) fn line(&self) -> usize {
        match self {
            Self::Unreadable { .. } => 0,
            Self::Syntax { at, .. }
            | Self::NoSuchTable { at, .. }
            | Self::NoSuchOperator { at, .. }
            | Self::NoSuchParameter { at, .. }
            | Self::NoTable { at, .. }
            | Self::WrongType { at, .. }
            | Self::NoSuchField { at, .. }
            | Self::Twice { first: at, .. } => at.line,
        }
    }
}
