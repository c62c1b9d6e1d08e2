//! The report's picture: a montage of slices with the mask's outline, below it the histogram with the threshold, and the
//! numbers beside it.
//!
//! Everything is drawn here, pixel by pixel, from fonts that are compiled in: no display, no system font, no plotting
//! library. The picture only reads the arrays; what it copies are the slices that it shows.

mod canvas;
mod montage;
mod plot;
pub(crate) mod pose;
mod resample;
mod text;
pub(crate) mod words;

use std::io;
use std::path::Path;

use ndarray::ArrayView3;
use thiserror::Error;

pub(crate) use canvas::{Canvas, Rect};
use montage::Montage;
use text::{Align, Style, Typeface, Weight};

use crate::scan::{ScanInfo, Voxel};
use crate::segment::Segmentation;

/// The colours, each with one meaning throughout.
pub(crate) mod palette {
    use super::canvas::Color;

    pub(crate) const BACKGROUND: Color = [0x0c, 0x0f, 0x14];
    pub(crate) const PANEL: Color = [0x15, 0x1a, 0x22];
    pub(crate) const GRID: Color = [0x26, 0x2e, 0x3a];
    pub(crate) const DIM: Color = [0x8b, 0x97, 0xa8];
    pub(crate) const TEXT: Color = [0xc9, 0xd2, 0xde];
    pub(crate) const BRIGHT: Color = [0xf4, 0xf6, 0xf9];
    /// The mask's outline, and what lies above the threshold.
    pub(crate) const HEAD: Color = [0xff, 0xa9, 0x2b];
    pub(crate) const AIR: Color = [0x4f, 0x6d, 0x94];
    pub(crate) const THRESHOLD: Color = [0xff, 0xff, 0xff];
}

const WIDTH: usize = 1600;
const MARGIN: f32 = 48.0;
const MONTAGE_TOP: f32 = 136.0;
const PANEL_HEIGHT: f32 = 400.0;
const STATISTICS_WIDTH: f32 = 412.0;
const GAP: f32 = 24.0;

/// Why there is no picture.
#[derive(Debug, Error)]
pub(crate) enum PictureError {
    #[error(
        "the scan has the shape {info:?}, its voxels {voxels:?} and the mask {mask:?}; these must be one shape, not empty"
    )]
    Shape { info: [usize; 3], voxels: [usize; 3], mask: [usize; 3] },

    #[error("the lettering cannot be read: {0}")]
    Font(#[from] ab_glyph::InvalidFont),

    #[error("the picture cannot be encoded: {0}")]
    Encode(#[from] png::EncodingError),

    #[error("the picture cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// A finished picture, and where its parts stand.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) canvas: Canvas,
    /// Each slice, from the lowest in the patient to the highest.
    #[allow(dead_code, reason = "for the tests, which look at what stands there")]
    pub(crate) tiles: Vec<Rect>,
    #[allow(dead_code, reason = "as above")]
    /// The histogram between its axes: the left edge is the first bin's lower edge, the right the last one's upper.
    pub(crate) plot: Rect,
}

impl Picture {
    /// Draws the picture of one volume and what was found in it.
    ///
    /// # Errors
    ///
    /// [`PictureError::Shape`] if the arrays do not belong together, [`PictureError::Font`] never with the fonts compiled in.
    pub(crate) fn draw<T: Voxel>(
        info: &ScanInfo,
        voxels: ArrayView3<'_, T>,
        mask: ArrayView3<'_, u8>,
        found: &Segmentation,
    ) -> Result<Picture, PictureError> {
        if voxels.dim() != info.dimensions() || mask.dim() != info.dimensions() || voxels.is_empty() {
            let shape = |(z, y, x)| [z, y, x];
            return Err(PictureError::Shape {
                info: shape(info.dimensions()),
                voxels: shape(voxels.dim()),
                mask: shape(mask.dim()),
            });
        }
        Picture::compose(info, &Montage::of(info, voxels, mask, found), found)
    }

    /// Lays out and draws; from here on the voxels' type does not matter.
    fn compose(info: &ScanInfo, montage: &Montage, found: &Segmentation) -> Result<Picture, PictureError> {
        let type_ = Typeface::load()?;
        let inner = WIDTH as f32 - 2.0 * MARGIN;
        let tiles = montage.tiles(MARGIN, MONTAGE_TOP, inner);
        let montage_end = tiles.last().map_or(MONTAGE_TOP, Rect::bottom);
        let panel = Rect {
            x: MARGIN,
            y: montage_end + GAP + 8.0,
            width: inner - STATISTICS_WIDTH - GAP,
            height: PANEL_HEIGHT,
        };
        let statistics = Rect { x: panel.right() + GAP, width: STATISTICS_WIDTH, ..panel };
        let height = (panel.bottom() + MARGIN) as usize;

        let mut canvas = Canvas::new(WIDTH, height, palette::BACKGROUND);
        title(&mut canvas, &type_, info);
        montage.draw(&mut canvas, &type_, &tiles);
        canvas.fill_round(panel, 10.0, palette::PANEL);
        let plot = plot::draw(&mut canvas, &type_, panel, found);
        canvas.fill_round(statistics, 10.0, palette::PANEL);
        table(&mut canvas, &type_, statistics, &rows(info, found));
        Ok(Picture { canvas, tiles, plot })
    }

    /// The picture as a PNG file's bytes.
    ///
    /// # Errors
    ///
    /// [`PictureError::Encode`].
    pub(crate) fn to_png(&self) -> Result<Vec<u8>, PictureError> {
        let mut bytes = Vec::new();
        let mut encoder =
            png::Encoder::new(&mut bytes, self.canvas.width() as u32, self.canvas.height() as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(self.canvas.bytes())?;
        writer.finish()?;
        Ok(bytes)
    }

    /// Writes the picture as a PNG, and its folder if that is missing.
    ///
    /// # Errors
    ///
    /// [`PictureError::Encode`] and [`PictureError::Write`].
    pub(crate) fn write(&self, path: &Path) -> Result<(), PictureError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(path, self.to_png()?)?)
    }
}

fn title(canvas: &mut Canvas, type_: &Typeface, info: &ScanInfo) {
    let right = WIDTH as f32 - MARGIN;
    let legend = Style { size: 16.0, weight: Weight::Regular, color: palette::TEXT };
    let legend_width = type_.draw(canvas, "outline of the head", right, 78.0, legend, Align::Right);
    let swatch = right - legend_width - 12.0 - 34.0;
    canvas.fill_round(Rect { x: swatch, y: 71.0, width: 34.0, height: 3.0 }, 1.5, palette::HEAD);

    let name = Style { size: 32.0, weight: Weight::Bold, color: palette::BRIGHT };
    let name_text = type_.fit(&info.file, swatch - MARGIN - GAP, name);
    type_.draw(canvas, &name_text, MARGIN, 78.0, name, Align::Left);

    let [z, y, x] = info.shape;
    let [mm_z, mm_y, mm_x] = info.spacing_mm.map(|mm| words::number((mm * 1000.0).round() / 1000.0));
    let mut facts = vec![
        info.format.clone(),
        info.dtype.to_string(),
        format!("{x} × {y} × {z} voxels"),
        format!("{mm_x} × {mm_y} × {mm_z} mm"),
    ];
    if info.volumes > 1 {
        facts.push(format!("first of {} volumes", info.volumes));
    }
    if let Some(directions) = info.placement.and_then(|placement| placement.directions()) {
        facts.push(format!(
            "stored {}",
            directions.map(|direction| direction.letter()).iter().collect::<String>()
        ));
    }
    let style = Style { size: 18.0, weight: Weight::Regular, color: palette::DIM };
    let facts = type_.fit(&facts.join("   ·   "), WIDTH as f32 - 2.0 * MARGIN, style);
    type_.draw(canvas, &facts, MARGIN, 110.0, style, Align::Left);
}

/// The numbers, each under its name.
fn rows(info: &ScanInfo, found: &Segmentation) -> Vec<(&'static str, String)> {
    let share = 100.0 * found.voxels as f64 / info.voxels().max(1) as f64;
    let side = |axis: usize| {
        let voxels = found.last[axis].saturating_sub(found.first[axis]) as f64 + 1.0;
        words::number(voxels * info.spacing_mm[axis])
    };
    let [z, y, x] = found.centroid;
    vec![
        ("threshold", words::number(found.threshold)),
        ("voxels in the head", words::grouped(found.voxels)),
        ("share of all", format!("{share:.1} %")),
        ("volume", format!("{} ml", words::number(found.volume_ml))),
        ("box  x × y × z", format!("{} × {} × {} mm", side(2), side(1), side(0))),
        ("centroid  x, y, z", format!("{x:.1}, {y:.1}, {z:.1}")),
        ("mean inside the head", words::number(found.mean_inside)),
        ("mean outside", words::number(found.mean_outside)),
        ("pieces above threshold", words::grouped(found.pieces)),
    ]
}

fn table(canvas: &mut Canvas, type_: &Typeface, panel: Rect, rows: &[(&'static str, String)]) {
    let heading = Style { size: 19.0, weight: Weight::Bold, color: palette::BRIGHT };
    type_.draw(canvas, "Segmentation", panel.x + 28.0, panel.y + 40.0, heading, Align::Left);

    let name = Style { size: 16.0, weight: Weight::Regular, color: palette::DIM };
    let value = Style { color: palette::BRIGHT, ..name };
    let pitch = (panel.height - 92.0) / rows.len() as f32;
    for (row, (left, right)) in rows.iter().enumerate() {
        let baseline = panel.y + 86.0 + row as f32 * pitch;
        if row > 0 {
            let y = (baseline - pitch / 2.0 - 6.0).round();
            canvas.fill(Rect { x: panel.x + 28.0, y, width: panel.width - 56.0, height: 1.0 }, palette::GRID);
        }
        let taken = type_.draw(canvas, left, panel.x + 28.0, baseline, name, Align::Left);
        let right = type_.fit(right, panel.width - 56.0 - taken - 16.0, value);
        type_.draw(canvas, &right, panel.right() - 28.0, baseline, value, Align::Right);
    }
}
