//! Brings a slice to the size of its tile, whatever the ratio, with one kernel for each of its two uses: a sharp one for
//! what is seen, and one that never overshoots for the mask, whose half-way line is the contour.

use ndarray::{Array2, ArrayView2, Axis};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// Mitchell and Netravali's cubic: keeps edges sharp, and hardly overshoots beside them.
    Sharp,
    /// The quadratic B-spline: smooth, between its samples' extremes, and a single voxel still reaches 0.56.
    Smooth,
}

impl Kernel {
    /// Beyond this distance, in samples, the weight is 0.
    fn radius(self) -> f32 {
        match self {
            Kernel::Sharp => 2.0,
            Kernel::Smooth => 1.5,
        }
    }

    fn weight(self, distance: f32) -> f32 {
        let d = distance.abs();
        match self {
            Kernel::Sharp if d < 1.0 => (7.0 * d - 12.0) * d * d / 6.0 + 8.0 / 9.0,
            Kernel::Sharp if d < 2.0 => ((-7.0 / 18.0 * d + 2.0) * d - 10.0 / 3.0) * d + 16.0 / 9.0,
            Kernel::Smooth if d < 0.5 => 0.75 - d * d,
            Kernel::Smooth if d < 1.5 => 0.5 * (1.5 - d) * (1.5 - d),
            Kernel::Sharp | Kernel::Smooth => 0.0,
        }
    }
}

/// The samples that one output takes, and how much of each; the weights add up to 1.
type Taps = Vec<(usize, f32)>;

/// `slice`, of at least one sample, at `rows` times `columns`. The edge samples go on beyond the edge.
pub(super) fn resample(
    slice: ArrayView2<'_, f32>,
    rows: usize,
    columns: usize,
    kernel: Kernel,
) -> Array2<f32> {
    let wide = along(slice, Axis(1), columns, kernel);
    along(wide.view(), Axis(0), rows, kernel)
}

fn along(slice: ArrayView2<'_, f32>, axis: Axis, length: usize, kernel: Kernel) -> Array2<f32> {
    let mut shape = slice.raw_dim();
    shape[axis.index()] = length;
    let mut out = Array2::zeros(shape);
    for (mut lane, taps) in out.axis_iter_mut(axis).zip(taps(slice.len_of(axis), length, kernel)) {
        for (sample, weight) in taps {
            lane.scaled_add(weight, &slice.index_axis(axis, sample));
        }
    }
    out
}

/// What each of `to` outputs takes of `from` samples. Where there are fewer outputs than samples, the kernel widens, so
/// that none is passed over.
fn taps(from: usize, to: usize, kernel: Kernel) -> Vec<Taps> {
    let ratio = from as f32 / to as f32;
    let stretch = ratio.max(1.0);
    let reach = kernel.radius() * stretch;
    let one = |output: usize| {
        let center = (output as f32 + 0.5) * ratio - 0.5;
        let samples = (center - reach).ceil() as i64..=(center + reach).floor() as i64;
        let mut taps: Taps = samples
            .map(|sample| {
                let weight = kernel.weight((sample as f32 - center) / stretch);
                (sample.clamp(0, from as i64 - 1) as usize, weight)
            })
            .collect();
        let sum: f32 = taps.iter().map(|(_, weight)| weight).sum();
        taps.iter_mut().for_each(|(_, weight)| *weight /= sum);
        taps
    };
    (0..to).map(one).collect()
}
