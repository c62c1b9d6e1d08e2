//! From an application's graph to what its processes compare, and to what the driver must know.
//!
//! Invariant: two processes that were composed alike get equal descriptions.

use std::{collections::BTreeMap, ffi::OsString};

use podwire_codec_core::CodecRegistry;

use super::{
    description::{ConnectionPart, Description, FragmentPart, ToldPart, TypePart},
    driver::Crossing,
};
use crate::graph::{Graph, PortNode};

/// What the processes of an application compare.
/// `arguments` are the application's own.
pub(super) fn describe(graph: &Graph, registry: &CodecRegistry, arguments: &[OsString]) -> Description {
    let fragments = graph.fragments.iter().map(|fragment| FragmentPart {
        name: fragment.name.clone(),
        operators: fragment.operators.iter().map(|operator| operator.name.clone()).collect(),
    });
    let codec = |port: &PortNode| port.codec.as_ref().map_or(String::new(), |codec| codec.name.clone());
    let (mut connections, mut types) = (Vec::new(), BTreeMap::new());
    for connection in graph.connections.iter().filter(|connection| connection.crosses_fragments()) {
        let (output, input) = (graph.output(connection), graph.input(connection));
        for name in [codec(output), codec(input)] {
            if let Ok(entry) = registry.by_name(&name) {
                types.insert(name, entry.schema());
            }
        }
        connections.push(ConnectionPart {
            name: graph.connection_name(connection),
            codecs: (codec(output), codec(input)),
            capacity: input.capacity as u64,
            when_full: format!("{:?}", input.when_full),
        });
    }
    let types = types.into_iter().map(|(name, schema)| TypePart { name, schema }).collect();
    Description { fragments: fragments.collect(), connections, types, told: told(graph, arguments) }
}

/// The values of parameters, and the application's own arguments.
fn told(graph: &Graph, arguments: &[OsString]) -> Vec<ToldPart> {
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let arguments = match &*arguments {
        [] => "none".to_owned(),
        arguments => arguments.join(" "),
    };
    let parameters = graph.operators().flat_map(|(id, operator)| {
        operator.parameters.iter().map(move |parameter| {
            let name = format!("parameter {}.{}", graph.operator_name(id), parameter.name);
            ToldPart::new(name, parameter.value.clone())
        })
    });
    std::iter::once(ToldPart::new("arguments", arguments)).chain(parameters).collect()
}

/// The connections between different fragments.
pub(super) fn crossings(graph: &Graph) -> Vec<Crossing> {
    let numbered =
        graph.connections.iter().enumerate().filter(|(_, connection)| connection.crosses_fragments());
    let crossing = |(connection, ends): (usize, &crate::graph::Connection)| Crossing {
        connection,
        from: ends.from.operator.fragment,
        to: ends.to.operator.fragment,
    };
    numbered.map(crossing).collect()
}
