//! Which operators of a graph feed each other, and which have to do with each other at all.
//!
//! Not here: when they end, which `run::standstill` finds out. Invariant: two operators are in one cycle if and only if
//! messages of each can lead to messages of the other.

use std::collections::HashMap;

use super::{Graph, OperatorId};

impl Graph {
    /// The cycles: operators that are connected in a circle, or with themselves. Each operator is in one of them at most.
    #[must_use]
    pub fn cycles(&self) -> Vec<Vec<OperatorId>> {
        let ids: Vec<OperatorId> = self.operators().map(|(id, _)| id).collect();
        let places: HashMap<OperatorId, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let mut next = vec![Vec::new(); ids.len()];
        for connection in &self.connections {
            next[places[&connection.from.operator]].push(places[&connection.to.operator]);
        }
        let components = components(&next);
        let circular = components
            .into_iter()
            .filter(|members| members.len() > 1 || next[members[0]].contains(&members[0]));
        circular.map(|members| members.into_iter().map(|at| ids[at]).collect()).collect()
    }

    /// The islands of these operators: those that are connected, in whatever direction. Each is in exactly one of them.
    pub(crate) fn islands(&self, these: impl Fn(OperatorId) -> bool) -> Vec<Vec<OperatorId>> {
        let ids: Vec<OperatorId> = self.operators().map(|(id, _)| id).filter(|id| these(*id)).collect();
        let places: HashMap<OperatorId, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let mut next = vec![Vec::new(); ids.len()];
        for connection in &self.connections {
            let ends = [&connection.from, &connection.to].map(|port| places.get(&port.operator).copied());
            if let [Some(from), Some(to)] = ends {
                next[from].push(to);
                next[to].push(from);
            }
        }
        // Where every way leads back, what reaches each other is what is connected.
        components(&next).into_iter().map(|members| members.into_iter().map(|at| ids[at]).collect()).collect()
    }
}

/// The strongly connected components of a graph, by Tarjan's algorithm; without recursion, because chains can be long.
fn components(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let mut order = vec![UNSEEN; next.len()];
    let mut lowest = vec![UNSEEN; next.len()];
    let mut open = vec![false; next.len()];
    let (mut stack, mut components, mut seen) = (Vec::new(), Vec::new(), 0);
    for root in 0..next.len() {
        // Nodes on the way from the root, each with the successors that were looked at.
        let mut way = if order[root] == UNSEEN { vec![(root, 0)] } else { vec![] };
        while let Some((node, looked_at)) = way.last_mut() {
            let node = *node;
            if *looked_at == 0 {
                (order[node], lowest[node], open[node]) = (seen, seen, true);
                seen += 1;
                stack.push(node);
            }
            if let Some(&successor) = next[node].get(*looked_at) {
                *looked_at += 1;
                if order[successor] == UNSEEN {
                    way.push((successor, 0));
                } else if open[successor] {
                    lowest[node] = lowest[node].min(order[successor]);
                }
                continue;
            }
            way.pop();
            if let Some((before, _)) = way.last() {
                lowest[*before] = lowest[*before].min(lowest[node]);
            }
            if lowest[node] == order[node] {
                let start = stack.iter().rposition(|it| *it == node).unwrap_or(0);
                let mut members = stack.split_off(start);
                members.iter().for_each(|member| open[*member] = false);
                members.sort_unstable();
                components.push(members);
            }
        }
    }
    components
}

#[cfg(test)]
mod tests {
    use super::components;

    /// Whether each is reached from the other, found by trying all ways.
    fn reaches(next: &[Vec<usize>], from: usize) -> Vec<bool> {
        let (mut found, mut todo) = (vec![false; next.len()], vec![from]);
        while let Some(node) = todo.pop() {
            for &successor in &next[node] {
                if !std::mem::replace(&mut found[successor], true) {
                    todo.push(successor);
                }
            }
        }
        found
    }

    #[test]
    fn components_are_the_nodes_that_reach_each_other() {
        let mut random = 0x2545_F491_4F6C_DD1D_u64;
        let mut random = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as usize % below
        };
        for _ in 0..500 {
            let nodes = 1 + random(12);
            let mut next = vec![Vec::new(); nodes];
            for _ in 0..random(2 * nodes) {
                next[random(nodes)].push(random(nodes));
            }
            let reached: Vec<_> = (0..nodes).map(|node| reaches(&next, node)).collect();
            let mut found = components(&next);
            found.sort();
            let mut expected: Vec<Vec<usize>> = (0..nodes)
                .map(|node| {
                    (0..nodes).filter(|&it| it == node || reached[node][it] && reached[it][node]).collect()
                })
                .collect();
            expected.sort();
            expected.dedup();
            assert_eq!(found, expected, "{next:?}");
        }
    }

    #[test]
    fn a_chain_of_100_000_nodes_has_no_cycle_and_needs_no_stack() {
        let mut next: Vec<Vec<usize>> = (1..100_000).map(|node| vec![node]).collect();
        next.push(vec![]);
        assert_eq!(components(&next).len(), 100_000);
        next[99_999].push(0);
        assert_eq!(components(&next).len(), 1);
    }
}
