//! What can go wrong, and the exit code of each.
//!
//! Not here: the texts of podwire's own errors. Invariant: a script can tell what it would act on by the code alone.

use std::{io, path::PathBuf};

use podwire_fastio::Error;

pub(crate) type Result<T> = std::result::Result<T, Problem>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{}", described(.0))]
    Fastio(#[from] Error),
    #[error("nothing is published as {0:?}")]
    Missing(String),
    #[error("there is no channel {0:?}")]
    NoChannel(String),
    #[error("{0:?} is a channel; --channel says that a channel is meant")]
    IsChannel(String),
    #[error("there is no pipeline {0:?}")]
    NoPipeline(String),
    #[error("there is no pipeline")]
    NoPipelines,
    #[error("there is no pipeline; --pipeline names one, which is made")]
    PutWhere,
    #[error("which pipeline? --pipeline says so; there are: {}", .0.join(", "))]
    WhichPipeline(Vec<String>),
    #[error("{0} is no time in seconds")]
    Seconds(f64),
    #[error("{path}: {1}", path = .0.display())]
    File(PathBuf, io::Error),
    #[error("output: {0}")]
    Output(io::Error),
    #[error("{0}")]
    Unfit(String),
}

impl Problem {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Seconds(_) | Self::WhichPipeline(_) => 2,
            Self::Missing(_)
            | Self::NoChannel(_)
            | Self::IsChannel(_)
            | Self::PutWhere
            | Self::NoPipeline(_)
            | Self::NoPipelines
            | Self::Fastio(Error::NotFound { .. }) => 3,
            Self::Fastio(Error::BadName { .. }) => 2,
            Self::Fastio(Error::NameTaken { .. }) => 4,
            Self::Fastio(Error::Busy | Error::Timeout { .. } | Error::EndTaken { .. }) => 5,
            Self::Fastio(Error::Poisoned | Error::Corrupt { .. } | Error::NotPrivate { .. }) => 6,
            _ => 1,
        }
    }
}

/// What podwire says; where it names a call that helps, the option that stands for it here.
fn described(error: &Error) -> String {
    match error {
        Error::NameTaken { name } => format!("the name \"{name}\" is taken; --replace takes it over"),
        Error::Poisoned => {
            "a writer died in the middle of writing; `fastio accept` takes the bytes as they are".to_owned()
        }
        other => other.to_string(),
    }
}
