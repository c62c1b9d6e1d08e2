//! What can be wrong with a composition.
//!
//! Not here: finding it. Invariant: a problem names what exists instead, or what to write.

use std::fmt;

use super::names::instead;
use crate::{
    command::CommandError,
    config::{ConfigurationError, SettingError},
    error::causes,
};

/// A mistake in the composition of an application.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A name cannot be one.
    #[error("{what} \"{name}\": {reason}")]
    BadName {
        /// What was to have the name: `fragment`, `operator ping`, `input of ping`.
        what: String,
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A fragment has a name that means all fragments on the command line.
    #[error("a fragment cannot be called \"{name}\": on the command line it means all of them")]
    Reserved {
        /// The name.
        name: String,
    },
    /// Two of a kind have one name.
    #[error("there are two: {what} \"{name}\"")]
    Taken {
        /// What has the name: `fragment`, `operator`, `input of ping`.
        what: String,
        /// The name.
        name: String,
    },
    /// An application has operators of its own and fragments.
    #[error(
        "an application has either operators or fragments: operators {operators:?} were added beside fragments {fragments:?}"
    )]
    Mixed {
        /// Its own operators.
        operators: Vec<String>,
        /// Its fragments.
        fragments: Vec<String>,
    },
    /// There is nothing to run.
    #[error("there are no operators: `add_operator` adds one")]
    Nothing,
    /// A flow names a fragment that does not exist.
    #[error("flow {flow}: no fragment is called \"{name}\"{}", instead(name, known))]
    UnknownFragment {
        /// The flow as it was asked for.
        flow: String,
        /// The name.
        name: String,
        /// The fragments that exist.
        known: Vec<String>,
    },
    /// A flow names an operator that does not exist.
    #[error("flow {flow}: no operator is called \"{name}\"{}", instead(name, known))]
    UnknownOperator {
        /// The flow as it was asked for.
        flow: String,
        /// The name.
        name: String,
        /// The operators that exist in the fragment.
        known: Vec<String>,
    },
    /// A flow names an output that the operator does not have.
    #[error("flow {flow}: {operator} has no output \"{name}\"{}", instead(name, known))]
    UnknownOutput {
        /// The flow as it was asked for.
        flow: String,
        /// The operator.
        operator: String,
        /// The name.
        name: String,
        /// Its outputs.
        known: Vec<String>,
    },
    /// A flow names an input that the operator does not have.
    #[error("flow {flow}: {operator} has no input \"{name}\"{}", instead(name, known))]
    UnknownInput {
        /// The flow as it was asked for.
        flow: String,
        /// The operator.
        operator: String,
        /// The name.
        name: String,
        /// Its inputs.
        known: Vec<String>,
    },
    /// A flow between fragments does not say which operator of one has the port.
    #[error("flow {flow}: \"{path}\" must be an operator and its port, as in \"{path}.out\"")]
    NoPort {
        /// The flow as it was asked for.
        flow: String,
        /// What was given.
        path: String,
    },
    /// A flow connects nothing.
    #[error("flow {flow} names no ports")]
    NoPorts {
        /// The flow as it was asked for.
        flow: String,
    },
    /// The types of two connected ports differ.
    #[error("{connection}: the output is of type {output}, the input takes {input}")]
    TypeMismatch {
        /// The connection.
        connection: String,
        /// The type of the output.
        output: String,
        /// The type of the input.
        input: String,
    },
    /// A connection may lead to another process, and its type has no codec.
    #[error(
        "{connection} leads to another fragment, and {type_name} cannot travel: {}",
        what_to_write(type_name)
    )]
    NoCodec {
        /// The connection.
        connection: String,
        /// The type.
        type_name: String,
        /// What the registry says.
        source: podwire_codec_core::Error,
    },
    /// Two ports are connected twice.
    #[error("{connection} was added twice")]
    ConnectedTwice {
        /// The connection.
        connection: String,
    },
    /// An input is not connected, so that its operator would never run.
    #[error(
        "input {input} ({type_name}) is not connected: add a flow to it, or make it `optional()` in `setup`"
    )]
    Unconnected {
        /// The input: `fragment1.pong.in`.
        input: String,
        /// Its type.
        type_name: String,
    },
    /// An input has no room for a single message.
    #[error("input {input} has a capacity of 0: no message could ever be sent to it")]
    NoCapacity {
        /// The input.
        input: String,
    },
    /// An input waits for more messages than it has room for.
    #[error("input {input} waits for {at_least} messages, and has a capacity of {capacity}")]
    NeverEnough {
        /// The input.
        input: String,
        /// What it waits for.
        at_least: usize,
        /// Its capacity.
        capacity: usize,
    },
    /// The command line is not understood.
    #[error(transparent)]
    CommandLine(#[from] CommandError),
    /// The configuration file is not understood.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// A transport is forced that this build does not have.
    #[error("{by}: there is no transport \"{name}\"{}{}", instead(name, known), lacks(*feature))]
    NoSuchTransport {
        /// Who forces it: `PODWIRE_TRANSPORT`, or `force_transport`.
        by: &'static str,
        /// The name.
        name: String,
        /// Those that there are, best first.
        known: Vec<String>,
        /// The feature that the application would have to be built with.
        feature: Option<&'static str>,
    },
    /// The environment is not understood.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// `setup` of an operator gave an error.
    #[error("operator {operator}: setup failed")]
    Setup {
        /// The operator.
        operator: String,
        /// Its error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn what_to_write(type_name: &str) -> String {
    format!(
        "give it `#[derive(Codec)] #[codec(register)]`, or call `spec.register_codec::<{0}>(name)` or, for plain data, \
         `spec.register_pod::<{0}>(name)` in `setup`",
        short(type_name)
    )
}

fn lacks(feature: Option<&str>) -> String {
    feature.map_or_else(String::new, |it| {
        format!("; it needs the feature `{it}`, which this application was built without")
    })
}

/// The type without the paths of modules.
fn short(type_name: &str) -> &str {
    if type_name.contains('<') { type_name } else { type_name.rsplit("::").next().unwrap_or(type_name) }
}

/// All mistakes in the composition of an application, as far as they could be found.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// The same, behind others.
    pub(crate) fn and_before(mut self, mut others: Vec<Problem>) -> Self {
        others.append(&mut self.0);
        Self(others)
    }

    /// The mistakes, in the order in which they were made.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.0
    }
}

/// One a line, with their causes.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the application cannot run")?;
        for problem in &self.0 {
            write!(f, "\n  - {}", causes(problem).join(": "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
