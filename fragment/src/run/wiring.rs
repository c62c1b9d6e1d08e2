//! The connections of the operators that run in this process.
//!
//! Not here: what moves in them. Invariant: a connection has one beginning and one end, and each of them is given to the
//! operator that it belongs to, if that one runs here.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use podwire_fastio::Doorbell;

use super::{
    counters::{Latencies, LinkCounters},
    running::{ConnectionView, Flow},
    standstill::Island,
    waker::{Place, Waker},
};
use crate::{
    condition::WhenFull,
    graph::{Connection, Graph, OperatorId},
    lane::{InLane, InLink, InWay, OutLane, OutLink, OutWay, Waits},
    transport::{self, Link, LinkError, Transport, local::Queue},
};

/// The lanes of one operator, by port, and its bell.
pub(crate) struct Lanes {
    pub(crate) waker: Waker,
    pub(crate) inputs: Vec<Vec<InLane>>,
    pub(crate) outputs: Vec<Vec<OutLane>>,
}

/// The operators of this process while they are connected.
pub(crate) struct Wiring<'g> {
    graph: &'g Graph,
    waits: Waits,
    /// Which cycle an operator is a part of, wherever it runs.
    cycles: HashMap<OperatorId, usize>,
    lanes: BTreeMap<OperatorId, Lanes>,
    pub(crate) connections: Vec<ConnectionView>,
}

impl<'g> Wiring<'g> {
    pub(crate) fn new(graph: &'g Graph, local: &dyn Fn(usize) -> bool, waits: Waits) -> Self {
        let mut lanes = BTreeMap::new();
        for (id, node) in graph.operators().filter(|(id, _)| local(id.fragment)) {
            let inputs = node.inputs.iter().map(|_| Vec::new()).collect();
            let outputs = node.outputs.iter().map(|_| Vec::new()).collect();
            lanes.insert(id, Lanes { waker: Waker::default(), inputs, outputs });
        }
        let mut cycles = HashMap::new();
        for (at, members) in graph.cycles().into_iter().enumerate() {
            cycles.extend(members.into_iter().map(|id| (id, at)));
        }
        for members in graph.islands(|id| lanes.contains_key(&id)) {
            for (id, waker) in wakers(&members, &cycles) {
                if let Some(lanes) = lanes.get_mut(&id) {
                    lanes.waker = waker;
                }
            }
        }
        Self { graph, waits, cycles, lanes, connections: Vec::new() }
    }

    /// The bells of the operators.
    pub(crate) fn bells(&self) -> Vec<Doorbell> {
        self.lanes.values().map(|lanes| lanes.waker.bell().clone()).collect()
    }

    /// What belongs to an operator, if it runs here.
    pub(crate) fn take(&mut self, id: OperatorId) -> Option<Lanes> {
        self.lanes.remove(&id)
    }

    /// Connects two operators of this process; nothing to do if neither is.
    pub(crate) fn queue(&mut self, connection: &Connection) {
        let input = self.graph.input(connection);
        let waker = |id| self.lanes.get(&id).map(|lanes| lanes.waker.clone());
        let (Some(from), Some(to)) = (waker(connection.from.operator), waker(connection.to.operator)) else {
            return;
        };
        let queue = Arc::new(Queue::new(input.capacity, input.when_full, from, to));
        let view = self.view(connection, "local", Flow::Queue(Arc::clone(&queue)));
        self.begin(connection, OutWay::Local(Arc::clone(&queue)));
        self.end(connection, InWay::Local(queue), &view);
        self.connections.push(view);
    }

    /// Connects an operator of this process with one elsewhere.
    pub(crate) fn link(
        &mut self,
        connection: &Connection,
        transport: &dyn Transport,
    ) -> Result<(), LinkError> {
        let (from, to) = (connection.from.operator, connection.to.operator);
        let input = self.graph.input(connection);
        // Of a link that keeps the newest messages, all but one wait with the sender.
        let newest = input.when_full == WhenFull::DropOldest;
        let capacity = if newest { 1 } else { input.capacity };
        let link = Link::new(self.graph.connection_name(connection), capacity);
        let (sent, received) = (Arc::new(LinkCounters::default()), Arc::new(LinkCounters::default()));
        let flow = Flow::Link([Arc::clone(&sent), Arc::clone(&received)]);
        let view = self.view(connection, transport.name(), flow);
        if let Some(lanes) = self.lanes.get(&from) {
            let end = if newest {
                transport::newest(transport, &Link { capacity: input.capacity, ..link.clone() })?
            } else {
                transport.sender(&link, lanes.waker.bell())?
            };
            let waits = self.waits.clone();
            let link = OutLink { end, counters: sent, waits, deserted: false, unheard: 0 };
            self.begin(connection, OutWay::Link(link));
        }
        if let Some(lanes) = self.lanes.get(&to) {
            let end = transport.receiver(&link, lanes.waker.bell())?;
            let waits = self.waits.clone();
            self.end(connection, InWay::Link(InLink { end, counters: received, waits, lost: 0 }), &view);
        }
        self.connections.push(view);
        Ok(())
    }

    fn begin(&mut self, connection: &Connection, way: OutWay) {
        let input = self.graph.input(connection);
        let lane = OutLane {
            name: self.graph.connection_name(connection).into(),
            within_cycle: self.of_cycle(connection) && matches!(way, OutWay::Local(_)),
            way,
            capacity: input.capacity,
            when_full: input.when_full,
        };
        if let Some(lanes) = self.lanes.get_mut(&connection.from.operator) {
            lanes.outputs[connection.from.port].push(lane);
        }
    }

    fn end(&mut self, connection: &Connection, way: InWay, view: &ConnectionView) {
        let of_cycle = self.of_cycle(connection);
        let lane = InLane {
            within_cycle: of_cycle && matches!(way, InWay::Local(_)),
            of_cycle,
            way,
            latencies: Arc::clone(&view.latencies),
        };
        if let Some(lanes) = self.lanes.get_mut(&connection.to.operator) {
            lanes.inputs[connection.to.port].push(lane);
        }
    }

    fn view(&self, connection: &Connection, transport: &str, flow: Flow) -> ConnectionView {
        ConnectionView {
            name: self.graph.connection_name(connection),
            transport: transport.into(),
            capacity: self.graph.input(connection).capacity,
            flow,
            latencies: Arc::new(Latencies::default()),
        }
    }

    fn of_cycle(&self, connection: &Connection) -> bool {
        let cycle = self.cycles.get(&connection.from.operator);
        cycle.is_some() && cycle == self.cycles.get(&connection.to.operator)
    }
}

/// Bells for the operators of an island, which know each other.
fn wakers(members: &[OperatorId], cycles: &HashMap<OperatorId, usize>) -> Vec<(OperatorId, Waker)> {
    // The cycles of an island are counted from 0.
    let mut known: Vec<usize> = members.iter().filter_map(|id| cycles.get(id)).copied().collect();
    known.sort_unstable();
    known.dedup();
    let place = |id| cycles.get(id).and_then(|cycle| known.binary_search(cycle).ok());
    let bells: Vec<_> = members.iter().map(|id| (Doorbell::new(), place(id))).collect();
    let island = Arc::new(Island::new(bells.clone()));
    let wakers = members.iter().zip(bells).enumerate().map(|(member, (id, (bell, cycle)))| {
        (*id, Waker::new(bell, Some(Place { island: Arc::clone(&island), member, cycle })))
    });
    wakers.collect()
}
