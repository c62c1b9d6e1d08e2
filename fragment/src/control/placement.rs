//! Which worker gets which fragments, of those that nobody asked for by name.
//!
//! Invariant: every fragment gets exactly one worker, and the same input gives the same placement.

use super::words::{Resources, WorkerId};

/// A worker that takes what it is given.
pub(super) struct Willing {
    pub worker: WorkerId,
    pub resources: Resources,
    /// Operators that it runs already, by the fragments that it has.
    pub load: usize,
}

/// The worker of each fragment, which is given by the number of its operators; nothing if there are no workers.
///
/// The largest fragment first, each to the worker with most processors left for each operator that it would then run,
/// among equals with most memory.
pub(super) fn place(fragments: &[usize], mut workers: Vec<Willing>) -> Vec<Option<WorkerId>> {
    let mut order: Vec<usize> = (0..fragments.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(fragments[*at]));
    workers.sort_by(|left, right| left.worker.cmp(&right.worker));
    let mut placed = vec![None; fragments.len()];
    for at in order {
        let weight = fragments[at].max(1);
        // Of equals `min_by_key` takes the first; loads are compared as fractions of processors, without dividing.
        let best = workers.iter_mut().reduce(|best, other| {
            let cost = |worker: &Willing, by: &Willing| {
                (worker.load + weight) as u64 * u64::from(by.resources.cores.max(1))
            };
            let (ours, theirs) = (cost(best, other), cost(other, best));
            let more_memory = other.resources.memory > best.resources.memory;
            if theirs < ours || (theirs == ours && more_memory && other.load <= best.load) {
                other
            } else {
                best
            }
        });
        placed[at] = best.map(|worker| {
            worker.load += weight;
            worker.worker.clone()
        });
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn willing(name: &str, cores: u32, memory: u64) -> Willing {
        Willing { worker: WorkerId(name.into()), resources: Resources { cores, memory }, load: 0 }
    }

    fn names(placed: Vec<Option<WorkerId>>) -> Vec<String> {
        placed.into_iter().map(|worker| worker.unwrap().0).collect()
    }

    #[test]
    fn equal_workers_share_equally() {
        let placed = names(place(&[1, 1, 1, 1], vec![willing("b", 4, 9), willing("a", 4, 9)]));
        assert_eq!(placed.iter().filter(|name| *name == "a").count(), 2, "{placed:?}");
    }

    #[test]
    fn a_worker_with_more_processors_gets_more() {
        let placed = names(place(&[1; 8], vec![willing("small", 2, 9), willing("large", 6, 9)]));
        assert_eq!(placed.iter().filter(|name| *name == "large").count(), 6, "{placed:?}");
    }

    #[test]
    fn among_equals_the_one_with_more_memory_gets_the_first() {
        assert_eq!(names(place(&[3], vec![willing("a", 2, 1), willing("b", 2, 2)])), ["b"]);
    }

    #[test]
    fn without_workers_nothing_is_placed() {
        assert_eq!(place(&[1, 2], Vec::new()), [None, None]);
    }

    #[test]
    fn the_order_of_the_workers_does_not_matter() {
        let one = place(&[5, 1, 1, 3], vec![willing("a", 2, 1), willing("b", 3, 1), willing("c", 2, 1)]);
        let other = place(&[5, 1, 1, 3], vec![willing("c", 2, 1), willing("a", 2, 1), willing("b", 3, 1)]);
        assert_eq!(one, other);
    }
}
