//! What an operator says in `setup`: its ports, its conditions, its parameters.
//!
//! Not here: whether it fits to the others, which `graph` finds out. Invariant: it asks for nothing but what was said.

use std::{any::Any, fmt::Debug, sync::Arc, time::Duration};

use podwire_codec_core::{Codec, CodecRegistry};
use serde::de::DeserializeOwned;

use crate::{
    condition::{Conditions, WhenFull, WhenInputs},
    config::{Configuration, ConfigurationError},
    graph::{ParameterNode, PortType},
};

/// Messages that can wait in a connection if nothing else is said.
const CAPACITY: usize = 4;

/// What an operator is asked to fill in: [`Operator::setup`](crate::Operator::setup).
#[derive(Debug, Default)]
pub struct OperatorSpec {
    pub(crate) inputs: Vec<PortSpec>,
    pub(crate) outputs: Vec<PortSpec>,
    pub(crate) conditions: Conditions,
    pub(crate) parameters: Vec<ParameterNode>,
    /// What the configuration says and the operator cannot take.
    pub(crate) mistakes: Vec<ConfigurationError>,
    /// There were such, and they have been told.
    pub(crate) is_wrong: bool,
    fragment: String,
    operator: String,
    configuration: Arc<Configuration>,
}

/// A port as it was asked for.
#[derive(Debug)]
pub(crate) struct PortSpec {
    pub(crate) name: String,
    /// Nothing if it takes any type.
    pub(crate) of: Option<PortType>,
    /// What the processes of an application agree on about an input or output for any type; mostly nothing.
    pub(crate) label: Option<String>,
    pub(crate) capacity: usize,
    pub(crate) when_full: WhenFull,
    pub(crate) at_least: usize,
}

/// An input that was just added: what else can be said about it.
#[derive(Debug)]
pub struct InputSpec<'s>(&'s mut PortSpec);

impl OperatorSpec {
    pub(crate) fn new(fragment: &str, operator: &str, configuration: Arc<Configuration>) -> Self {
        Self { fragment: fragment.into(), operator: operator.into(), configuration, ..Self::default() }
    }

    /// Adds an input for messages of one type.
    pub fn input<T: Any + Send + Sync>(&mut self, name: &str) -> InputSpec<'_> {
        self.add_input(name, Some(PortType::of::<T>()))
    }

    /// Adds an input for messages of any type.
    pub fn input_any(&mut self, name: &str) -> InputSpec<'_> {
        self.add_input(name, None)
    }

    /// Adds an input for messages of a type that Rust does not know: each is a
    /// [`Dynamic`](podwire_codec_core::registry::Dynamic) of this codec.
    pub fn input_dynamic(&mut self, name: &str, codec: &str) -> InputSpec<'_> {
        self.add_input(name, Some(PortType::dynamic(codec)))
    }

    /// Adds an output for messages of a type that Rust does not know: each is a
    /// [`Dynamic`](podwire_codec_core::registry::Dynamic) of this codec.
    pub fn output_dynamic(&mut self, name: &str, codec: &str) {
        self.outputs.push(PortSpec::new(name, Some(PortType::dynamic(codec))));
    }

    /// Adds an output for messages of one type.
    pub fn output<T: Any + Send + Sync>(&mut self, name: &str) {
        self.outputs.push(PortSpec::new(name, Some(PortType::of::<T>())));
    }

    /// Adds an output for messages of any type. Each message is looked up in the registry when it has to leave the process.
    pub fn output_any(&mut self, name: &str) {
        self.outputs.push(PortSpec::new(name, None));
    }

    /// Says of the port that was added last, which takes messages of any type, how they are encoded that only some programs
    /// understand. Processes for which this differs are not let into one application.
    ///
    /// ```
    /// # use podwire_fragment::OperatorSpec;
    /// # fn setup(spec: &mut OperatorSpec) {
    /// spec.output_any("objects");
    /// spec.label_output("any, or a pickle of Python 3.12");
    /// # }
    /// ```
    pub fn label_output(&mut self, label: &str) {
        if let Some(port) = self.outputs.last_mut() {
            port.label = Some(label.into());
        }
    }

    /// After so many runs the operator ends.
    pub fn count(&mut self, runs: u64) -> &mut Self {
        self.conditions.count = Some(runs);
        self
    }

    /// The operator runs at multiples of this time after its first run; those that are missed are left out.
    pub fn period(&mut self, period: Duration) -> &mut Self {
        self.conditions.period = Some(period);
        self
    }

    /// The operator runs as soon as one of its inputs has messages, instead of all.
    pub fn when_any_input(&mut self) -> &mut Self {
        self.conditions.inputs = WhenInputs::Any;
        self
    }

    /// A parameter of the operator: what the configuration says, or else this value.
    ///
    /// In the configuration file it stands in the table of the operator: `[fragment1.ping]`, or `[ping]` in an application
    /// of one fragment.
    ///
    /// If what stands there is no `T`, the application does not run, and that is told together with all other mistakes; until
    /// then `setup` goes on with the default.
    pub fn parameter<T: DeserializeOwned + Debug>(&mut self, name: &str, help: &str, default: T) -> T {
        let configured = self.configuration.parameter(&self.fragment, &self.operator, name);
        let configured = configured.unwrap_or_else(|mistake| {
            self.mistakes.push(mistake);
            None
        });
        let is_configured = configured.is_some();
        let value = configured.unwrap_or(default);
        self.parameters.push(ParameterNode {
            name: name.into(),
            help: help.into(),
            value: format!("{value:?}"),
            configured: is_configured,
        });
        value
    }

    /// Registers the codec of a type, in the place of what had the name.
    ///
    /// # Errors
    /// As [`CodecRegistry::register`].
    pub fn register_codec<T: Codec + Any + Send + Sync>(
        &mut self,
        name: &str,
    ) -> podwire_codec_core::Result<()> {
        CodecRegistry::global().register::<T>(name)
    }

    /// Registers plain data that has no codec, in the place of what had the name.
    ///
    /// # Errors
    /// As [`CodecRegistry::register_pod`].
    pub fn register_pod<T: bytemuck::Pod + Send + Sync>(
        &mut self,
        name: &str,
    ) -> podwire_codec_core::Result<()> {
        CodecRegistry::global().register_pod::<T>(name)
    }

    fn add_input(&mut self, name: &str, of: Option<PortType>) -> InputSpec<'_> {
        InputSpec(self.inputs.push_mut(PortSpec::new(name, of)))
    }
}

impl PortSpec {
    fn new(name: &str, of: Option<PortType>) -> Self {
        Self {
            name: name.into(),
            of,
            label: None,
            capacity: CAPACITY,
            when_full: WhenFull::Block,
            at_least: 1,
        }
    }
}

impl InputSpec<'_> {
    /// Messages that can wait in each connection that leads here; 4 if nothing is said.
    pub fn capacity(self, messages: usize) -> Self {
        self.0.capacity = messages;
        self
    }

    /// How messages are encoded here that only some programs understand: see [`OperatorSpec::label_output`].
    pub fn label(self, label: &str) -> Self {
        self.0.label = Some(label.into());
        self
    }

    /// What `emit` does when they do.
    pub fn when_full(self, policy: WhenFull) -> Self {
        self.0.when_full = policy;
        self
    }

    /// The operator waits for so many messages here; 1 if nothing is said. When no more can come, it runs with fewer.
    pub fn at_least(self, messages: usize) -> Self {
        self.0.at_least = messages.max(1);
        self
    }

    /// The operator does not wait for messages here, and need not be connected.
    pub fn optional(self) -> Self {
        self.0.at_least = 0;
        self
    }
}
