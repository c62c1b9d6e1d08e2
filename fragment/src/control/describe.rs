//! From an application's graph to what its processes compare, and to what the driver must know.
//!
//! Invariant: two processes that were composed alike get equal descriptions.

use std::collections::BTreeMap;

use podwire_codec_core::CodecRegistry;

use super::{
    description::{ConnectionPart, Description, FragmentPart, TypePart},
    driver::Crossing,
};
use crate::graph::{Graph, PortNode};

/// What the processes of an application compare.
pub(super) fn describe(graph: &Graph, registry: &CodecRegistry) -> Description {
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
    Description { fragments: fragments.collect(), connections, types }
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
