//! The histogram of a volume's values, and the threshold that Otsu's method finds in it.
//!
//! A few voxels far away from all others must not take the resolution from the rest: bins reach from one robust
//! extreme to the other, and what lies beyond is counted apart. Whole numbers get bins of whole widths around them:
//! otherwise neighbouring bins hold one number and two by turns, and the histogram becomes a comb.

use ndarray::ArrayView3;
use podwire::Codec;

use super::SegmentError;
use crate::scan::{Scale, Voxel};

/// Fewer where there are fewer whole numbers.
const BINS: usize = 512;

/// Extremes are sought among so many voxels, evenly taken.
const SAMPLE: usize = 1 << 16;

/// The share of voxels beyond the bins on either side, at most.
const TAIL: f64 = 0.0005;

/// How many voxels have which value. Bin `i` holds `start + i * width <= value < start + (i + 1) * width`.
#[derive(Clone, Codec, Debug, PartialEq)]
pub(crate) struct Histogram {
    /// The lower edge of the first bin.
    pub(crate) start: f64,
    /// The width of each bin, above 0.
    pub(crate) width: f64,
    /// Voxels in each bin; the first and the last are not empty but for rounding.
    pub(crate) counts: Vec<u64>,
    /// Voxels below the first bin.
    pub(crate) below: u64,
    /// Voxels above the last.
    pub(crate) above: u64,
}

impl Histogram {
    /// Counts the finite values of a volume.
    ///
    /// # Errors
    ///
    /// [`SegmentError::NothingFinite`], [`SegmentError::Constant`] and [`SegmentError::Spread`]: the three ways in which there
    /// is no range to divide.
    pub(crate) fn of<T: Voxel>(voxels: ArrayView3<'_, T>, scale: Scale) -> Result<Histogram, SegmentError> {
        let (least, most) = range(voxels, scale)?;
        if !(most - least).is_finite() {
            return Err(SegmentError::Spread { least, most });
        }
        let step = scale.slope.abs();
        let whole = whole_numbers(voxels) && (most - least) / step >= 1.0;
        let (start, width, bins) = if whole {
            let numbers = ((most - least) / step).round() + 1.0;
            let numbers_per_bin = (numbers / BINS as f64).ceil();
            (least - step / 2.0, step * numbers_per_bin, (numbers / numbers_per_bin).ceil() as usize)
        } else {
            (least, (most - least) / BINS as f64, BINS)
        };
        if start + width <= start {
            return Err(SegmentError::Constant { value: least });
        }

        let mut histogram = Histogram { start, width, counts: vec![0; bins], below: 0, above: 0 };
        for &voxel in voxels {
            let value = scale.apply(voxel);
            if value.is_finite() {
                histogram.count(value, most);
            }
        }
        Ok(histogram)
    }

    /// Adds one value. `most` belongs to the last bin, whose upper edge it may be.
    fn count(&mut self, value: f64, most: f64) {
        if value < self.start {
            self.below += 1;
        } else if value > most {
            self.above += 1;
        } else {
            let bin = ((value - self.start) / self.width) as usize;
            let last = self.counts.len() - 1;
            self.counts[bin.min(last)] += 1;
        }
    }

    /// The lower edge of a bin; of the bin after the last, the end.
    pub(crate) fn edge(&self, bin: usize) -> f64 {
        self.start + self.width * bin as f64
    }

    /// The upper edge of the last bin.
    pub(crate) fn end(&self) -> f64 {
        self.edge(self.counts.len())
    }

    /// The middle of the range.
    pub(crate) fn middle(&self) -> f64 {
        self.start / 2.0 + self.end() / 2.0
    }

    /// The value below which lies the given `share` (0 to 1) of the voxels at or above `from`, to half a bin.
    pub(crate) fn quantile(&self, share: f64, from: f64) -> f64 {
        let first = self.counts.len().min(((from - self.start) / self.width).round().max(0.0) as usize);
        let wanted = share * self.counts[first..].iter().map(|&count| count as f64).sum::<f64>();
        let mut seen = 0.0;
        for (bin, &count) in self.counts.iter().enumerate().skip(first) {
            seen += count as f64;
            if count > 0 && seen >= wanted {
                return self.edge(bin) + self.width / 2.0;
            }
        }
        self.end()
    }
}

/// Robust extremes of the values: all but a [`TAIL`] of voxels lie between them, or, where those are equal, all do.
fn range<T: Voxel>(voxels: ArrayView3<'_, T>, scale: Scale) -> Result<(f64, f64), SegmentError> {
    let finite = || voxels.iter().map(|&voxel| scale.apply(voxel)).filter(|value| value.is_finite());

    // An odd step does not walk along with the even extents that most scans have.
    let step = (voxels.len().div_ceil(SAMPLE)) | 1;
    let mut sample: Vec<f64> = finite().step_by(step).collect();
    sample.sort_by(f64::total_cmp);
    let tail = (sample.len() as f64 * TAIL) as usize;
    match (sample.get(tail), sample.iter().rev().nth(tail)) {
        (Some(&least), Some(&most)) if least < most => return Ok((least, most)),
        _ => {}
    }

    let mut least = f64::INFINITY;
    let mut most = f64::NEG_INFINITY;
    for value in finite() {
        least = least.min(value);
        most = most.max(value);
    }
    if least < most {
        Ok((least, most))
    } else if least.is_finite() {
        Err(SegmentError::Constant { value: least })
    } else {
        Err(SegmentError::NothingFinite)
    }
}

/// All stored numbers are whole, also where their type is a float.
fn whole_numbers<T: Voxel>(voxels: ArrayView3<'_, T>) -> bool {
    voxels
        .iter()
        .map(|&voxel| voxel.to_f64())
        .filter(|number| number.is_finite())
        .all(|number| number.fract() == 0.0)
}

/// The last bin of the lower class, where the two classes' means lie furthest apart for their sizes (Otsu, 1979). Between
/// two peaks with empty bins between them, the middle of these. `None` if fewer than two bins hold anything.
pub(crate) fn otsu(counts: &[u64]) -> Option<usize> {
    let all: f64 = counts.iter().map(|&count| count as f64).sum();
    let moment: f64 = counts.iter().enumerate().map(|(bin, &count)| bin as f64 * count as f64).sum();

    let (mut lower, mut lower_moment) = (0.0, 0.0);
    let mut best: Option<(f64, usize, usize)> = None;
    for (bin, &count) in counts.iter().enumerate() {
        lower += count as f64;
        lower_moment += bin as f64 * count as f64;
        let upper = all - lower;
        if lower == 0.0 || upper == 0.0 {
            continue;
        }
        let apart = lower_moment / lower - (moment - lower_moment) / upper;
        let between = lower * upper * apart * apart;
        match &mut best {
            // An empty bin changes nothing: the same classes, the same number.
            Some((most, _, last)) if count == 0 && between == *most => *last = bin,
            Some((most, ..)) if between <= *most => {}
            _ => best = Some((between, bin, bin)),
        }
    }
    best.map(|(_, first, last)| first + (last - first) / 2)
}
