//! The composition of an application as plain data: what is connected to what.
//!
//! Not here: operators themselves, and threads. Invariant: a `Graph` was checked; every identifier in it leads
//! somewhere, and the types of connected ports agree.
//!
//! | file | what is in it |
//! |---|---|
//! | `names` | which names can be used, and which one was meant |
//! | `compose` | from what was added to a graph, or to all that is wrong with it |
//! | `problem` | what can be wrong with a composition |
//! | `cycles` | which operators feed each other |

use std::{
    any::{Any, TypeId},
    fmt,
};

use podwire_codec_core::{
    CodecRegistry,
    registry::{Dynamic, Entry},
};
use podwire_codec_derive::Codec;

use crate::condition::{Conditions, WhenFull};

mod compose;
mod cycles;
mod names;
mod problem;

pub use problem::{Problem, Problems};

pub(crate) use compose::{Flow, compose};
pub(crate) use names::{flaw, instead, meant};

/// The composition of an application.
#[derive(Clone, Debug, Default, PartialEq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct Graph {
    /// The fragments, in the order in which they were added. An application without fragments has one without a name.
    pub fragments: Vec<FragmentNode>,
    /// The connections, in the order in which they were added.
    pub connections: Vec<Connection>,
}

/// A fragment of a [`Graph`].
#[derive(Clone, Debug, Default, PartialEq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct FragmentNode {
    /// Its name.
    pub name: String,
    /// Its operators, in the order in which they were added.
    pub operators: Vec<OperatorNode>,
}

/// An operator of a [`Graph`].
#[derive(Clone, Debug, Default, PartialEq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct OperatorNode {
    /// Its name, unique in its fragment.
    pub name: String,
    /// What it receives.
    pub inputs: Vec<PortNode>,
    /// What it emits.
    pub outputs: Vec<PortNode>,
    /// When it runs.
    pub conditions: Conditions,
    /// What can be configured.
    pub parameters: Vec<ParameterNode>,
}

/// A port of an operator.
#[derive(Clone, Debug, Default, PartialEq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct PortNode {
    /// Its name, unique among the inputs, or the outputs, of its operator.
    pub name: String,
    /// The type of its messages; nothing if it takes any.
    pub of: Option<PortType>,
    /// The codec of the type, if it has one.
    pub codec: Option<PortCodec>,
    /// Messages that can wait in each connection of an input.
    pub capacity: usize,
    /// What happens when they do.
    pub when_full: WhenFull,
    /// Messages that an input must have before the operator runs; 0 if it is not asked, and needs no connection.
    pub at_least: usize,
}

/// The type of the messages of a port.
#[derive(Clone, Debug, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct PortType {
    /// As the compiler calls it.
    pub name: String,
    /// The type itself, if the graph is of this process.
    #[codec(skip)]
    pub id: Option<TypeId>,
}

/// Under which name the messages of a port travel.
#[derive(Clone, Debug, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct PortCodec {
    /// The name of the codec.
    pub name: String,
    /// The fingerprint of its schema.
    pub fingerprint: u64,
}

/// A parameter of an operator: what `OperatorSpec::parameter` was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct ParameterNode {
    /// Its name in the configuration file.
    pub name: String,
    /// What it is for.
    pub help: String,
    /// Its value in this process, printed.
    pub value: String,
    /// Whether the configuration gives it.
    pub configured: bool,
}

/// An operator by its place in a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct OperatorId {
    /// Place of the fragment.
    pub fragment: usize,
    /// Place of the operator in it.
    pub operator: usize,
}

/// A port by its place in a [`Graph`]: whether it is an input or an output says where it stands in a [`Connection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct PortId {
    /// The operator.
    pub operator: OperatorId,
    /// Place of the port among its inputs, or outputs.
    pub port: usize,
}

/// A connection from an output to an input.
#[derive(Clone, Debug, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub struct Connection {
    /// The output.
    pub from: PortId,
    /// The input.
    pub to: PortId,
}

impl PortType {
    pub(crate) fn of<T: Any>() -> Self {
        Self { name: std::any::type_name::<T>().into(), id: Some(TypeId::of::<T>()) }
    }

    /// The type of what a codec makes at run time.
    pub(crate) fn dynamic(codec: &str) -> Self {
        Self { name: codec.into(), id: Some(TypeId::of::<Dynamic>()) }
    }

    pub(crate) fn is_dynamic(&self) -> bool {
        self.id == Some(TypeId::of::<Dynamic>())
    }

    /// Whether a value of its Rust type is of its codec: one that Rust does not know says which it has.
    pub(crate) fn is_codec_of(&self, value: &(dyn Any + Send + Sync)) -> bool {
        value.downcast_ref::<Dynamic>().is_none_or(|value| value.codec() == self.name)
    }

    /// Whether messages of this type are messages of the other.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.id == other.id && (!self.is_dynamic() || self.name == other.name)
    }

    /// Its codec, if the graph is of this process.
    pub(crate) fn codec(
        &self,
        registry: &'static CodecRegistry,
    ) -> Option<podwire_codec_core::Result<&'static Entry>> {
        if self.is_dynamic() {
            return Some(registry.by_name(&self.name));
        }
        self.id.map(|id| registry.by_type(id))
    }
}

impl PortNode {
    /// The type of its messages, as a text.
    #[must_use]
    pub fn type_name(&self) -> &str {
        self.of.as_ref().map_or("any type", |of| &of.name)
    }
}

impl Connection {
    /// Whether it leads from one fragment to another, so that it may lead to another process.
    #[must_use]
    pub fn crosses_fragments(&self) -> bool {
        self.from.operator.fragment != self.to.operator.fragment
    }
}

impl Graph {
    /// All operators, fragment by fragment.
    pub fn operators(&self) -> impl Iterator<Item = (OperatorId, &OperatorNode)> {
        self.fragments.iter().enumerate().flat_map(|(fragment, node)| {
            let id = move |operator| OperatorId { fragment, operator };
            node.operators.iter().enumerate().map(move |(at, operator)| (id(at), operator))
        })
    }

    /// An operator.
    ///
    /// # Panics
    /// If the identifier is not of this graph.
    #[must_use]
    pub fn operator(&self, id: OperatorId) -> &OperatorNode {
        &self.fragments[id.fragment].operators[id.operator]
    }

    /// The output that a connection begins at.
    ///
    /// # Panics
    /// If the connection is not of this graph.
    #[must_use]
    pub fn output(&self, connection: &Connection) -> &PortNode {
        &self.operator(connection.from.operator).outputs[connection.from.port]
    }

    /// The input that a connection leads to.
    ///
    /// # Panics
    /// If the connection is not of this graph.
    #[must_use]
    pub fn input(&self, connection: &Connection) -> &PortNode {
        &self.operator(connection.to.operator).inputs[connection.to.port]
    }

    /// The place of a fragment.
    #[must_use]
    pub fn fragment(&self, name: &str) -> Option<usize> {
        self.fragments.iter().position(|fragment| fragment.name == name)
    }

    /// The full name of an operator: `fragment1.ping`, or `ping` in an application without fragments.
    ///
    /// # Panics
    /// If the identifier is not of this graph.
    #[must_use]
    pub fn operator_name(&self, id: OperatorId) -> String {
        dotted(&self.fragments[id.fragment].name, &self.operator(id).name)
    }

    /// The name of a connection, unique in the application: `fragment1.ping.out>fragment2.pong.in`.
    ///
    /// # Panics
    /// If the connection is not of this graph.
    #[must_use]
    pub fn connection_name(&self, connection: &Connection) -> String {
        let Connection { from, to } = connection;
        let (output, input) = (&self.output(connection).name, &self.input(connection).name);
        format!("{}.{output}>{}.{input}", self.operator_name(from.operator), self.operator_name(to.operator))
    }
}

/// The connections, one a line.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connections.iter().try_for_each(|connection| writeln!(f, "{}", self.connection_name(connection)))
    }
}

/// A name within a fragment.
pub(crate) fn dotted(fragment: &str, name: &str) -> String {
    if fragment.is_empty() { name.to_owned() } else { format!("{fragment}.{name}") }
}
