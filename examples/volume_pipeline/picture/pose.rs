//! Turns a scan to how a radiologist looks at it: axial slices from below, the patient's right on the left, the face up.
//! Only strides change; no voxel moves.

use ndarray::{ArrayView3, Axis};

use crate::scan::{Direction, Placement, ScanInfo};

/// Which axis of the array each axis of the display is: slices (upwards in the patient), rows, columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pose {
    axes: [usize; 3],
    flipped: [bool; 3],
    extents: [usize; 3],
    placement: Option<Placement>,
}

impl Pose {
    /// From where the scan says that it lies; as stored, with `y` upwards, if it does not say.
    pub(crate) fn of(info: &ScanInfo) -> Pose {
        const SHOWN: [Direction; 3] = [Direction::Superior, Direction::Posterior, Direction::Left];
        const AGAINST: [Direction; 3] = [Direction::Inferior, Direction::Anterior, Direction::Right];

        let (z, y, x) = info.dimensions();
        let mut pose =
            Pose { axes: [0, 1, 2], flipped: [false, true, false], extents: [z, y, x], placement: None };
        if let Some((placement, directions)) = info.placement.and_then(|it| Some((it, it.directions()?))) {
            for (axis, direction) in [2, 1, 0].into_iter().zip(directions) {
                for shown in 0..3 {
                    if direction == SHOWN[shown] || direction == AGAINST[shown] {
                        pose.axes[shown] = axis;
                        pose.flipped[shown] = direction == AGAINST[shown];
                    }
                }
            }
            pose.placement = Some(placement);
        }
        pose
    }

    /// The sides of the patient are known, so that `R` and `L` may be written.
    pub(crate) fn knows_sides(&self) -> bool {
        self.placement.is_some()
    }

    /// The array as it is displayed.
    pub(crate) fn turn<'a, A>(&self, array: ArrayView3<'a, A>) -> ArrayView3<'a, A> {
        let mut turned = array.permuted_axes(self.axes);
        for shown in 0..3 {
            if self.flipped[shown] {
                turned.invert_axis(Axis(shown));
            }
        }
        turned
    }

    /// Something known for each axis of the array, for each axis of the display.
    pub(crate) fn order<A: Copy>(&self, of_axes: [A; 3]) -> [A; 3] {
        self.axes.map(|axis| of_axes[axis])
    }

    /// Inclusive bounds in the array, `first..=last`, as bounds in the display.
    pub(crate) fn bounds(&self, first: [u64; 3], last: [u64; 3]) -> [(usize, usize); 3] {
        std::array::from_fn(|shown| {
            let axis = self.axes[shown];
            let end = self.extents[axis] - 1;
            let first = (first[axis] as usize).min(end);
            let last = (last[axis] as usize).clamp(first, end);
            if self.flipped[shown] { (end - last, end - first) } else { (first, last) }
        })
    }

    /// The index that the array knows a displayed slice by.
    pub(crate) fn slice_index(&self, slice: usize) -> usize {
        if self.flipped[0] { self.extents[self.axes[0]] - 1 - slice } else { slice }
    }

    /// Millimetres above the origin at the middle of a displayed slice, if known.
    pub(crate) fn height_mm(&self, slice: usize) -> Option<f64> {
        let mut at = self.extents.map(|extent| (extent - 1) as f64 / 2.0);
        at[self.axes[0]] = self.slice_index(slice) as f64;
        Some(self.placement?.height(at))
    }
}
