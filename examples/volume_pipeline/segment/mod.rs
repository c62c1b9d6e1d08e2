//! Separates the head from the air around it: Otsu's threshold over the histogram of values, then the largest
//! piece of what lies above it.
//!
//! It fills no holes and smooths nothing: what the mask says, a voxel's value said. The same voxels give the same
//! mask and the same numbers, whatever the machine. Voxels that are not finite are neither head nor air.

mod histogram;
mod pieces;

use ndarray::{ArrayView3, ArrayViewMut3, Zip};
use podwire::Codec;
use thiserror::Error;

pub(crate) use histogram::{Histogram, otsu};
pub(crate) use pieces::keep_largest;

use crate::scan::{ScanInfo, Voxel};

/// What the segmentation of one volume found. Positions are voxel indices `(z, y, x)`.
#[derive(Clone, Codec, Debug, PartialEq)]
#[codec(register)]
pub(crate) struct Segmentation {
    /// The head's values are at least this.
    pub(crate) threshold: f64,
    /// Separate pieces above the threshold, of which the largest is the head.
    pub(crate) pieces: u64,
    /// Voxels of the head.
    pub(crate) voxels: u64,
    /// What they take of space, in millilitres.
    pub(crate) volume_ml: f64,
    /// The first and the last index, both inside, along each dimension.
    pub(crate) first: [u64; 3],
    /// See `first`.
    pub(crate) last: [u64; 3],
    /// The mean position of the head's voxels.
    pub(crate) centroid: [f64; 3],
    /// The mean value of the head's voxels.
    pub(crate) mean_inside: f64,
    /// The mean value of all others.
    pub(crate) mean_outside: f64,
    /// The values that the threshold was found in.
    pub(crate) histogram: Histogram,
}

/// Why a volume cannot be segmented.
#[derive(Debug, Error)]
pub(crate) enum SegmentError {
    #[error("none of its voxels is a finite number")]
    NothingFinite,

    #[error("every voxel has the value {value}, so that nothing separates a head from air")]
    Constant { value: f64 },

    #[error("its values lie from {least} to {most}, too far apart to be compared")]
    Spread { least: f64, most: f64 },

    #[error("no voxel lies above the threshold {threshold}")]
    NothingAbove { threshold: f64 },

    #[error("the mask has the shape {mask:?}, the voxels {voxels:?}")]
    Shape { voxels: [usize; 3], mask: [usize; 3] },
}

/// Segments one volume. `mask`, of the same shape, becomes 1 where the head is and 0 elsewhere; what it held does not
/// matter.
///
/// # Errors
///
/// Each variant of [`SegmentError`]. The mask then holds nothing of use.
pub(crate) fn segment<T: Voxel>(
    info: &ScanInfo,
    voxels: ArrayView3<'_, T>,
    mut mask: ArrayViewMut3<'_, u8>,
) -> Result<Segmentation, SegmentError> {
    if voxels.dim() != mask.dim() {
        let shape = |(z, y, x)| [z, y, x];
        return Err(SegmentError::Shape { voxels: shape(voxels.dim()), mask: shape(mask.dim()) });
    }
    let histogram = Histogram::of(voxels, info.scale)?;
    let threshold = match otsu(&histogram.counts) {
        Some(bin) => histogram.edge(bin + 1),
        None => return Err(SegmentError::Constant { value: histogram.middle() }),
    };
    Zip::from(&mut mask).and(voxels).for_each(|mask, &voxel| {
        let value = info.scale.apply(voxel);
        *mask = u8::from(value.is_finite() && value >= threshold);
    });
    let pieces = keep_largest(mask.view_mut());
    let found = Sums::over(info, voxels, mask.view());
    if found.voxels == 0 {
        return Err(SegmentError::NothingAbove { threshold });
    }
    let voxels = found.voxels as f64;
    Ok(Segmentation {
        threshold,
        pieces,
        voxels: found.voxels,
        volume_ml: voxels * info.voxel_ml(),
        first: found.first.map(|index| index as u64),
        last: found.last.map(|index| index as u64),
        centroid: found.positions.map(|sum| sum / voxels),
        mean_inside: found.inside / voxels,
        mean_outside: if found.others == 0 { 0.0 } else { found.outside / found.others as f64 },
        histogram,
    })
}

/// What one pass over voxels and mask adds up.
struct Sums {
    voxels: u64,
    others: u64,
    inside: f64,
    outside: f64,
    positions: [f64; 3],
    first: [usize; 3],
    last: [usize; 3],
}

impl Sums {
    fn over<T: Voxel>(info: &ScanInfo, voxels: ArrayView3<'_, T>, mask: ArrayView3<'_, u8>) -> Sums {
        let mut sums = Sums {
            voxels: 0,
            others: 0,
            inside: 0.0,
            outside: 0.0,
            positions: [0.0; 3],
            first: [usize::MAX; 3],
            last: [0; 3],
        };
        Zip::indexed(mask).and(voxels).for_each(|(z, y, x), &mask, &voxel| {
            let value = info.scale.apply(voxel);
            if mask != 0 {
                sums.voxels += 1;
                sums.inside += value;
                for (axis, index) in [z, y, x].into_iter().enumerate() {
                    sums.positions[axis] += index as f64;
                    sums.first[axis] = sums.first[axis].min(index);
                    sums.last[axis] = sums.last[axis].max(index);
                }
            } else if value.is_finite() {
                sums.others += 1;
                sums.outside += value;
            }
        });
        sums
    }
}
