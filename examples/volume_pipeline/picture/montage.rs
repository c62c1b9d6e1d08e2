//! The slices: which are shown, where each stands, and how one is drawn with the mask's outline.

use ndarray::{Array2, ArrayView3, s};

use super::canvas::{Canvas, Rect};
use super::palette;
use super::pose::Pose;
use super::resample::{Kernel, resample};
use super::text::{Align, Style, Typeface, Weight};
use crate::scan::{ScanInfo, Voxel};
use crate::segment::Segmentation;

/// At most so many slices, in rows of at most so many.
const MOST: usize = 24;
const MOST_COLUMNS: usize = 6;
const GAP: f32 = 8.0;

/// No tile is higher than this, also if it stands alone.
const MOST_HEIGHT: f32 = 620.0;

/// A thin slab of voxels is shown at most this much longer than wide.
const MOST_ASPECT: f32 = 4.0;

/// Half the width of the outline, in pixels.
const OUTLINE: f32 = 0.9;

/// One slice, cropped to the head and ready to be drawn.
pub(super) struct Slice {
    values: Array2<f32>,
    mask: Array2<f32>,
    /// What stands in its lower corners.
    index: String,
    height: String,
}

/// The slices, and how large they are.
pub(super) struct Montage {
    slices: Vec<Slice>,
    /// Width over height of every slice, in millimetres of the patient.
    aspect: f32,
    columns: usize,
    knows_sides: bool,
    /// The values that are black and white.
    window: (f64, f64),
}

impl Montage {
    /// Chooses slices evenly among those that hold the head, and crops them to it. This alone reads voxels: the only
    /// copies are of what is shown.
    pub(super) fn of<T: Voxel>(
        info: &ScanInfo,
        voxels: ArrayView3<'_, T>,
        mask: ArrayView3<'_, u8>,
        found: &Segmentation,
    ) -> Montage {
        let pose = Pose::of(info);
        let (voxels, mask) = (pose.turn(voxels), pose.turn(mask));
        let (slices, rows, columns) = voxels.dim();
        let [_, row_mm, column_mm] = pose.order(info.spacing_mm);
        let [(low, high), in_rows, in_columns] = pose.bounds(found.first, found.last);
        let in_rows = with_margin(in_rows, rows);
        let in_columns = with_margin(in_columns, columns);

        let shown = choose(low, high.min(slices - 1));
        let slices = shown
            .into_iter()
            .map(|slice| {
                let area = s![slice, in_rows.0..=in_rows.1, in_columns.0..=in_columns.1];
                Slice {
                    values: voxels.slice(area).mapv(|voxel| info.scale.apply(voxel) as f32),
                    mask: mask.slice(area).mapv(f32::from),
                    index: format!("slice {}", pose.slice_index(slice)),
                    height: pose.height_mm(slice).map(signed_mm).unwrap_or_default(),
                }
            })
            .collect::<Vec<_>>();
        let wide = (in_columns.1 - in_columns.0 + 1) as f64 * column_mm;
        let tall = (in_rows.1 - in_rows.0 + 1) as f64 * row_mm;
        Montage {
            aspect: ((wide / tall) as f32).clamp(1.0 / MOST_ASPECT, MOST_ASPECT),
            columns: columns_for(slices.len()),
            slices,
            knows_sides: pose.knows_sides(),
            window: window(found),
        }
    }

    /// Where each slice stands in a width of pixels, from the given corner on.
    pub(super) fn tiles(&self, x: f32, y: f32, width: f32) -> Vec<Rect> {
        let columns = self.columns as f32;
        let tile_width = ((width - GAP * (columns - 1.0)) / columns).min(MOST_HEIGHT * self.aspect).floor();
        let tile_height = (tile_width / self.aspect).min(MOST_HEIGHT).round().max(1.0);
        let left = x + ((width - tile_width * columns - GAP * (columns - 1.0)) / 2.0).floor();
        (0..self.slices.len())
            .map(|i| Rect {
                x: left + (i % self.columns) as f32 * (tile_width + GAP),
                y: y + (i / self.columns) as f32 * (tile_height + GAP),
                width: tile_width,
                height: tile_height,
            })
            .collect()
    }

    /// Draws every slice into its tile.
    pub(super) fn draw(&self, canvas: &mut Canvas, type_: &Typeface, tiles: &[Rect]) {
        for (slice, &tile) in self.slices.iter().zip(tiles) {
            self.draw_slice(canvas, slice, tile);
            self.letter(canvas, type_, slice, tile);
        }
    }

    fn draw_slice(&self, canvas: &mut Canvas, slice: &Slice, tile: Rect) {
        let (rows, columns) = (tile.height as usize, tile.width as usize);
        let values = resample(slice.values.view(), rows, columns, Kernel::Sharp);
        let mask = resample(slice.mask.view(), rows, columns, Kernel::Smooth);
        let (black, white) = self.window;
        for ((row, column), &value) in values.indexed_iter() {
            let (x, y) = (tile.x as i32 + column as i32, tile.y as i32 + row as i32);
            // What is not finite is shown as black.
            let light = ((f64::from(value) - black) / (white - black)).clamp(0.0, 1.0);
            canvas.blend(x, y, [(light * 255.0).round() as u8; 3], 1.0);
            canvas.blend(x, y, palette::HEAD, outline(&mask, row, column));
        }
    }

    fn letter(&self, canvas: &mut Canvas, type_: &Typeface, slice: &Slice, tile: Rect) {
        let style = Style { size: 13.0, weight: Weight::Regular, color: palette::TEXT };
        let baseline = tile.bottom() - 8.0;
        let mut put = |text: &str, x: f32, y: f32, align: Align| {
            let shadow = Style { color: [0; 3], ..style };
            for (dx, dy) in [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)] {
                type_.draw(canvas, text, x + dx, y + dy, shadow, align);
            }
            type_.draw(canvas, text, x, y, style, align);
        };
        let room = tile.width - 24.0;
        let index = type_.width(&slice.index, style);
        if index <= room {
            put(&slice.index, tile.x + 8.0, baseline, Align::Left);
        }
        if index + 12.0 + type_.width(&slice.height, style) <= room {
            put(&slice.height, tile.right() - 8.0, baseline, Align::Right);
        }
        if self.knows_sides && tile.width >= 60.0 && tile.height >= 60.0 {
            put("R", tile.x + 8.0, tile.y + 20.0, Align::Left);
            put("L", tile.right() - 8.0, tile.y + 20.0, Align::Right);
        }
    }
}

/// How much of a pixel the line where the mask passes one half covers. The distance to it is estimated from the mask's
/// slope.
fn outline(mask: &Array2<f32>, row: usize, column: usize) -> f32 {
    let here = mask[(row, column)];
    if here <= 0.0 || here >= 1.0 {
        return 0.0;
    }
    let (rows, columns) = mask.dim();
    let (up, down) = (row.saturating_sub(1), (row + 1).min(rows - 1));
    let (left, right) = (column.saturating_sub(1), (column + 1).min(columns - 1));
    let slope_y = (mask[(down, column)] - mask[(up, column)]) / (down - up).max(1) as f32;
    let slope_x = (mask[(row, right)] - mask[(row, left)]) / (right - left).max(1) as f32;
    let slope = slope_x.hypot(slope_y);
    if slope < 1e-4 {
        return 0.0;
    }
    (OUTLINE + 0.5 - (here - 0.5).abs() / slope).clamp(0.0, 1.0)
}

/// Inclusive bounds with a margin of about a twentieth around them, inside `0..extent`.
fn with_margin((first, last): (usize, usize), extent: usize) -> (usize, usize) {
    let margin = (last - first + 1).div_ceil(20) + 1;
    (first.saturating_sub(margin), (last + margin).min(extent - 1))
}

/// At most [`MOST`] indices, each in the middle of its share of `first..=last`.
fn choose(first: usize, last: usize) -> Vec<usize> {
    let all = last.saturating_sub(first) + 1;
    let count = all.min(MOST);
    (0..count).map(|i| first + (2 * i + 1) * all / (2 * count)).collect()
}

/// One row if that is enough; else so many columns that the grid is about half again as wide as high.
fn columns_for(slices: usize) -> usize {
    if slices <= 4 { slices.max(1) } else { ((slices as f32 * 1.5).sqrt().ceil() as usize).min(MOST_COLUMNS) }
}

/// Black is the 1st percentile of all voxels, white a little above the 99th of those above the threshold.
fn window(found: &Segmentation) -> (f64, f64) {
    let black = found.histogram.quantile(0.01, f64::NEG_INFINITY);
    let white = black + 1.06 * (found.histogram.quantile(0.99, found.threshold) - black);
    if white > black { (black, white) } else { (found.histogram.start, found.histogram.end()) }
}

fn signed_mm(mm: f64) -> String {
    let sign = if mm < -0.05 {
        "−"
    } else if mm > 0.05 {
        "+"
    } else {
        ""
    };
    format!("{sign}{:.1} mm", mm.abs())
}
