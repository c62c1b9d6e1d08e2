//! Connected pieces of a mask. Neighbours share a face (6-connectivity).
//!
//! A piece is a set of runs: stretches of set voxels along `x`. One pass finds the runs and joins each with those
//! that it touches in the row before and in the slice before, so that time is linear in the voxels and memory in
//! the runs.

use ndarray::ArrayViewMut3;

/// Set voxels `start..end` of a row.
struct Run {
    start: usize,
    end: usize,
}

/// Leaves of all pieces the one with the most voxels, of equals the one that comes first, and says how many there were.
/// The voxels that stay become 1, the others 0.
pub(crate) fn keep_largest(mut mask: ArrayViewMut3<'_, u8>) -> u64 {
    let (slices, rows, _) = mask.dim();
    let mut runs: Vec<Run> = Vec::new();
    // Where the runs of each row begin; rows are counted through all slices.
    let mut begins = vec![0];
    let mut sets = Sets::default();

    for z in 0..slices {
        for y in 0..rows {
            find_runs(mask.slice(ndarray::s![z, y, ..]).iter(), &mut runs);
            sets.grow_to(runs.len());
            begins.push(runs.len());
            let row = z * rows + y;
            let before = [(y > 0).then(|| row - 1), (z > 0).then(|| row - rows)];
            for other in before.into_iter().flatten() {
                join_touching(
                    &runs,
                    (begins[other], begins[other + 1]),
                    (begins[row], begins[row + 1]),
                    &mut sets,
                );
            }
        }
    }

    let mut sizes = vec![0; runs.len()];
    for (run, Run { start, end }) in runs.iter().enumerate() {
        sizes[sets.first_of(run)] += end - start;
    }
    let pieces = sizes.iter().filter(|&&size| size > 0).count() as u64;
    let largest = (0..runs.len()).rev().max_by_key(|&run| sizes[run]);

    for z in 0..slices {
        for y in 0..rows {
            let mut line = mask.slice_mut(ndarray::s![z, y, ..]);
            line.fill(0);
            let row = z * rows + y;
            for run in (begins[row]..begins[row + 1]).filter(|&run| Some(sets.first_of(run)) == largest) {
                let Run { start, end } = runs[run];
                line.slice_mut(ndarray::s![start..end]).fill(1);
            }
        }
    }
    pieces
}

/// Appends the runs of one row.
fn find_runs<'a>(row: impl Iterator<Item = &'a u8>, runs: &mut Vec<Run>) {
    let mut inside = false;
    for (x, &voxel) in row.enumerate() {
        match (voxel != 0, inside) {
            (true, false) => runs.push(Run { start: x, end: x + 1 }),
            (true, true) => {
                if let Some(run) = runs.last_mut() {
                    run.end = x + 1;
                }
            }
            (false, _) => {}
        }
        inside = voxel != 0;
    }
}

/// Joins the runs of two rows that share an `x`. Both rows are walked once, side by side.
fn join_touching(
    runs: &[Run],
    (mut a, a_end): (usize, usize),
    (mut b, b_end): (usize, usize),
    sets: &mut Sets,
) {
    while a < a_end && b < b_end {
        if runs[a].start < runs[b].end && runs[b].start < runs[a].end {
            sets.join(a, b);
        }
        if runs[a].end < runs[b].end { a += 1 } else { b += 1 }
    }
}

/// Disjoint sets of runs. Each is known by its first run, so that the order of joining leaves no trace.
#[derive(Default)]
struct Sets {
    /// For each run an earlier one of its set; for the first, itself.
    earlier: Vec<usize>,
}

impl Sets {
    fn grow_to(&mut self, runs: usize) {
        self.earlier.extend(self.earlier.len()..runs);
    }

    fn first_of(&mut self, mut run: usize) -> usize {
        while self.earlier[run] != run {
            self.earlier[run] = self.earlier[self.earlier[run]];
            run = self.earlier[run];
        }
        run
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.first_of(a), self.first_of(b));
        self.earlier[a.max(b)] = a.min(b);
    }
}
