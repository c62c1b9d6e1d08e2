//! From what a user added to a checked graph.
//!
//! Not here: running it. Invariant: all mistakes are found in one go, as far as one does not hide another.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use podwire_codec_core::CodecRegistry;

use super::{
    Connection, FragmentNode, Graph, OperatorId, OperatorNode, PortCodec, PortId, PortNode, dotted,
    names::{flaw, meant},
    problem::{Problem, Problems},
};
use crate::{
    config::Configuration,
    error::{Result, panic_message},
    fragment::{Fragment, Placed},
    operator::Operator,
    spec::{OperatorSpec, PortSpec},
};

/// Means all fragments on the command line.
const RESERVED: &str = "all";

/// What `add_flow` was given.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    from: String,
    to: String,
    ports: Vec<(String, String)>,
}

impl Flow {
    pub(crate) fn new<O: Into<String>, I: Into<String>>(
        from: impl Into<String>,
        to: impl Into<String>,
        ports: impl IntoIterator<Item = (O, I)>,
    ) -> Self {
        let ports = ports.into_iter().map(|(output, input)| (output.into(), input.into())).collect();
        Self { from: from.into(), to: to.into(), ports }
    }

    fn shown(&self) -> String {
        format!("{} -> {}", self.from, self.to)
    }
}

/// Calls `setup` of all operators that have not been set up, and checks the whole.
///
/// # Errors
/// All mistakes that were found.
pub(crate) fn compose(
    fragments: &mut [Fragment],
    flows: &[Flow],
    configuration: &Arc<Configuration>,
) -> Result<Graph, Problems> {
    let mut composing = Composing::default();
    composing.fragments(fragments, configuration);
    let within =
        fragments.iter().enumerate().flat_map(|(at, it)| it.flows.iter().map(move |flow| (at, flow)));
    for (fragment, flow) in within {
        composing.flow_within(fragment, flow);
    }
    for flow in flows {
        composing.flow_between(flow);
    }
    composing.unconnected();
    composing.codecs();
    if composing.problems.is_empty() { Ok(composing.graph) } else { Err(Problems::new(composing.problems)) }
}

#[derive(Default)]
struct Composing {
    graph: Graph,
    problems: Vec<Problem>,
    /// Operators whose ports are not known, because their `setup` failed.
    unknown: Vec<OperatorId>,
    /// Inputs that flows lead to, or would if there were no other mistake in them.
    meant: Vec<PortId>,
}

impl Composing {
    fn fragments(&mut self, fragments: &mut [Fragment], configuration: &Arc<Configuration>) {
        for fragment in fragments {
            let name = fragment.name.clone();
            if name.eq_ignore_ascii_case(RESERVED) {
                self.problems.push(Problem::Reserved { name: name.clone() });
            }
            let known = self.graph.fragments.iter().map(|fragment| &*fragment.name);
            let problem = name_problem("fragment", &name, known);
            // The fragment of an application without fragments has no name.
            self.problems.extend(problem.filter(|_| !fragment.is_unnamed));
            self.graph.fragments.push(FragmentNode { name, operators: Vec::new() });
            for placed in &mut fragment.operators {
                self.operator(placed, configuration);
            }
        }
        if self.graph.operators().next().is_none() {
            self.problems.push(Problem::Nothing);
        }
    }

    /// Adds an operator to the last fragment.
    fn operator(&mut self, placed: &mut Placed, configuration: &Arc<Configuration>) {
        let Some(fragment) = self.graph.fragments.len().checked_sub(1) else { return };
        let node = &self.graph.fragments[fragment];
        let what =
            if node.name.is_empty() { "operator".into() } else { format!("operator of {}", node.name) };
        self.problems.extend(name_problem(&what, &placed.name, node.operators.iter().map(|it| &*it.name)));
        let operator = dotted(&node.name, &placed.name);
        let id = OperatorId { fragment, operator: node.operators.len() };

        if placed.spec.as_ref().is_none_or(|spec| spec.is_wrong) {
            let mut spec = OperatorSpec::new(&node.name, &placed.name, Arc::clone(configuration));
            let set_up = set_up(&mut *placed.operator, &mut spec);
            spec.is_wrong = !spec.mistakes.is_empty();
            self.problems.extend(spec.mistakes.drain(..).map(Problem::from));
            placed.spec = None;
            match set_up {
                Ok(()) => placed.spec = Some(spec),
                Err(source) => {
                    self.problems.push(Problem::Setup { operator, source });
                    self.unknown.push(id);
                    let node = OperatorNode { name: placed.name.clone(), ..OperatorNode::default() };
                    self.graph.fragments[fragment].operators.push(node);
                    return;
                }
            }
        }
        let Some(spec) = &placed.spec else { return };
        self.ports(&operator, spec);
        let mut conditions = spec.conditions.clone();
        conditions.count = placed.count.or(conditions.count);
        conditions.period = placed.period.or(conditions.period);
        self.graph.fragments[fragment].operators.push(OperatorNode {
            name: placed.name.clone(),
            inputs: spec.inputs.iter().map(PortNode::from).collect(),
            outputs: spec.outputs.iter().map(PortNode::from).collect(),
            conditions,
            parameters: spec.parameters.clone(),
        });
    }

    fn ports(&mut self, operator: &str, spec: &OperatorSpec) {
        for (direction, ports) in [("input", &spec.inputs), ("output", &spec.outputs)] {
            for (at, port) in ports.iter().enumerate() {
                let known = ports[..at].iter().map(|port| &*port.name);
                self.problems.extend(name_problem(&format!("{direction} of {operator}"), &port.name, known));
            }
        }
        for port in &spec.inputs {
            let (input, &PortSpec { capacity, at_least, .. }) = (format!("{operator}.{}", port.name), port);
            if capacity == 0 {
                self.problems.push(Problem::NoCapacity { input });
            } else if at_least > capacity {
                self.problems.push(Problem::NeverEnough { input, at_least, capacity });
            }
        }
    }

    /// A flow between operators of one fragment.
    fn flow_within(&mut self, fragment: usize, flow: &Flow) {
        let from = self.find_operator(flow, fragment, &flow.from);
        let to = self.find_operator(flow, fragment, &flow.to);
        self.not_empty(flow);
        for (output, input) in &flow.ports {
            self.connect(flow, from.map(|it| (it, &**output)), to.map(|it| (it, &**input)));
            if to.is_none() {
                self.excuse(fragment, &flow.to, input);
            }
        }
    }

    /// A flow between fragments, whose ports are `operator.port`.
    fn flow_between(&mut self, flow: &Flow) {
        let (from, to) = (self.find_fragment(flow, &flow.from), self.find_fragment(flow, &flow.to));
        self.not_empty(flow);
        for (output, input) in &flow.ports {
            let output = from.and_then(|from| self.find_path(flow, from, output));
            let found = to.and_then(|to| self.find_path(flow, to, input));
            self.connect(flow, output, found);
            let fragments = self.graph.fragments.iter().map(|fragment| &*fragment.name);
            if let (None, Some(near), Some((operator, port))) =
                (found, near(&flow.to, fragments), input.split_once('.'))
            {
                self.excuse(near, operator, port);
            }
        }
    }

    /// Does not complain once more of the input that was probably meant.
    fn excuse(&mut self, fragment: usize, operator: &str, input: &str) {
        let operators = &self.graph.fragments[fragment].operators;
        let Some(at) = near(operator, operators.iter().map(|operator| &*operator.name)) else { return };
        let port = near(input, operators[at].inputs.iter().map(|port| &*port.name));
        let operator = OperatorId { fragment, operator: at };
        self.meant.extend(port.map(|port| PortId { operator, port }));
    }

    fn not_empty(&mut self, flow: &Flow) {
        if flow.ports.is_empty() {
            self.problems.push(Problem::NoPorts { flow: flow.shown() });
        }
    }

    fn find_fragment(&mut self, flow: &Flow, name: &str) -> Option<usize> {
        let found = self.graph.fragment(name);
        if found.is_none() {
            let known = self.graph.fragments.iter().map(|fragment| fragment.name.clone()).collect();
            self.problems.push(Problem::UnknownFragment { flow: flow.shown(), name: name.into(), known });
        }
        found
    }

    fn find_operator(&mut self, flow: &Flow, fragment: usize, name: &str) -> Option<OperatorId> {
        let operators = &self.graph.fragments[fragment].operators;
        let found = operators.iter().position(|operator| operator.name == name);
        if found.is_none() {
            let known = operators.iter().map(|operator| operator.name.clone()).collect();
            self.problems.push(Problem::UnknownOperator { flow: flow.shown(), name: name.into(), known });
        }
        Some(OperatorId { fragment, operator: found? })
    }

    fn find_path<'p>(
        &mut self,
        flow: &Flow,
        fragment: usize,
        path: &'p str,
    ) -> Option<(OperatorId, &'p str)> {
        let Some((operator, port)) = path.split_once('.') else {
            self.problems.push(Problem::NoPort { flow: flow.shown(), path: path.into() });
            return None;
        };
        Some((self.find_operator(flow, fragment, operator)?, port))
    }

    /// Connects two ports; what is missing on one side hides nothing that is wrong on the other.
    fn connect(&mut self, flow: &Flow, from: Option<(OperatorId, &str)>, to: Option<(OperatorId, &str)>) {
        let from = from.and_then(|(id, name)| self.find_output(flow, id, name));
        let to = to.and_then(|(id, name)| self.find_input(flow, id, name));
        self.meant.extend(to);
        if let (Some(from), Some(to)) = (from, to) {
            self.connection(Connection { from, to });
        }
    }

    fn find_output(&mut self, flow: &Flow, operator: OperatorId, name: &str) -> Option<PortId> {
        let outputs = &self.graph.operator(operator).outputs;
        let found = outputs.iter().position(|port| port.name == name);
        if found.is_none() && !self.unknown.contains(&operator) {
            let (flow, known) = (flow.shown(), names(outputs));
            let (name, operator) = (name.into(), self.graph.operator_name(operator));
            self.problems.push(Problem::UnknownOutput { flow, operator, name, known });
        }
        Some(PortId { operator, port: found? })
    }

    fn find_input(&mut self, flow: &Flow, operator: OperatorId, name: &str) -> Option<PortId> {
        let inputs = &self.graph.operator(operator).inputs;
        let found = inputs.iter().position(|port| port.name == name);
        if found.is_none() && !self.unknown.contains(&operator) {
            let (flow, known) = (flow.shown(), names(inputs));
            let near = near(name, inputs.iter().map(|port| &*port.name));
            // If there is but one, that one was meant.
            let near = near.or((inputs.len() == 1).then_some(0));
            self.meant.extend(near.map(|port| PortId { operator, port }));
            let (name, operator) = (name.into(), self.graph.operator_name(operator));
            self.problems.push(Problem::UnknownInput { flow, operator, name, known });
        }
        Some(PortId { operator, port: found? })
    }

    fn connection(&mut self, connection: Connection) {
        let (output, input) = (self.graph.output(&connection), self.graph.input(&connection));
        let name = self.graph.connection_name(&connection);
        if let (Some(output), Some(input)) = (&output.of, &input.of)
            && !output.is(input)
        {
            let (output, input) = (output.name.clone(), input.name.clone());
            self.problems.push(Problem::TypeMismatch { connection: name.clone(), output, input });
        }
        if self.graph.connections.contains(&connection) {
            self.problems.push(Problem::ConnectedTwice { connection: name });
        } else {
            self.graph.connections.push(connection);
        }
    }

    /// Finds inputs that are not connected, and that no flow was meant for.
    fn unconnected(&mut self) {
        for (operator, node) in self.graph.operators() {
            for (port, input) in node.inputs.iter().enumerate().filter(|(_, input)| input.at_least > 0) {
                if !self.meant.contains(&PortId { operator, port }) {
                    let type_name = input.type_name().into();
                    let input = format!("{}.{}", self.graph.operator_name(operator), input.name);
                    self.problems.push(Problem::Unconnected { input, type_name });
                }
            }
        }
    }

    /// Looks up the codecs of all ports; now, because any `setup` may have registered one.
    fn codecs(&mut self) {
        let registry = CodecRegistry::global();
        for connection in self.graph.connections.iter().filter(|it| it.crosses_fragments()) {
            let ports = [self.graph.output(connection), self.graph.input(connection)];
            let Some(of) = ports.iter().find_map(|port| port.of.as_ref()) else { continue };
            if let Some(Err(source)) = of.codec(registry) {
                let connection = self.graph.connection_name(connection);
                self.problems.push(Problem::NoCodec { connection, type_name: of.name.clone(), source });
            }
        }
        let operators = self.graph.fragments.iter_mut().flat_map(|fragment| &mut fragment.operators);
        for port in operators.flat_map(|operator| operator.inputs.iter_mut().chain(&mut operator.outputs)) {
            let entry = port.of.as_ref().and_then(|of| of.codec(registry)?.ok());
            let codec = entry.map(|it| PortCodec { name: it.name().into(), fingerprint: it.fingerprint() });
            port.codec = codec.or(port.codec.take());
        }
    }
}

/// The place of a name, or of the one that was probably meant.
fn near<'n>(name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Option<usize> {
    let meant = known.clone().find(|known| *known == name).or_else(|| meant(name, known.clone()))?;
    known.into_iter().position(|known| known == meant)
}

fn names(ports: &[PortNode]) -> Vec<String> {
    ports.iter().map(|port| port.name.clone()).collect()
}

/// Calls `setup`; a panic in it is one more error.
fn set_up(operator: &mut dyn Operator, spec: &mut OperatorSpec) -> Result {
    catch_unwind(AssertUnwindSafe(|| operator.setup(spec)))
        .unwrap_or_else(|panic| Err(format!("it panicked: {}", panic_message(&*panic)).into()))
}

/// What is wrong with a name, alone or beside these.
fn name_problem<'n>(what: &str, name: &str, mut known: impl Iterator<Item = &'n str>) -> Option<Problem> {
    let (what, owned) = (what.to_owned(), name.to_owned());
    if let Some(reason) = flaw(name) {
        return Some(Problem::BadName { what, name: owned, reason });
    }
    known.any(|known| known == name).then_some(Problem::Taken { what, name: owned })
}

impl From<&PortSpec> for PortNode {
    fn from(port: &PortSpec) -> Self {
        let &PortSpec { capacity, when_full, at_least, .. } = port;
        let codec = port.label.clone().map(|name| PortCodec { name, fingerprint: 0 });
        Self { name: port.name.clone(), of: port.of.clone(), codec, capacity, when_full, at_least }
    }
}
