//! The intensity histogram: voxels on a logarithmic axis, so that the peak of the air does not flatten the head.

use super::canvas::{Canvas, Color, Rect};
use super::text::{Align, Style, Typeface, Weight};
use super::{palette, words};
use crate::segment::Segmentation;

const LABEL: Style = Style { size: 15.0, weight: Weight::Regular, color: palette::DIM };

/// Draws the histogram into a panel; gives the rectangle between the axes, whose left and right edges are the first and
/// the last bin's.
pub(super) fn draw(canvas: &mut Canvas, type_: &Typeface, panel: Rect, found: &Segmentation) -> Rect {
    let plot = Rect {
        x: panel.x + 76.0,
        y: panel.y + 92.0,
        width: panel.width - 76.0 - 32.0,
        height: panel.height - 92.0 - 72.0,
    };
    heading(canvas, type_, panel);
    axes(canvas, type_, plot, found);
    bars(canvas, plot, found);
    threshold(canvas, type_, plot, found);
    plot
}

fn heading(canvas: &mut Canvas, type_: &Typeface, panel: Rect) {
    let baseline = panel.y + 40.0;
    let title = Style { size: 19.0, weight: Weight::Bold, color: palette::BRIGHT };
    let width = type_.draw(canvas, "Intensity", panel.x + 28.0, baseline, title, Align::Left);
    type_.draw(
        canvas,
        "voxels per bin, logarithmic",
        panel.x + 28.0 + width + 14.0,
        baseline,
        LABEL,
        Align::Left,
    );

    let mut right = panel.right() - 32.0;
    for (name, color) in [("above", palette::HEAD), ("below the threshold", palette::AIR)] {
        right -= type_.draw(canvas, name, right, baseline, LABEL, Align::Right) + 8.0;
        canvas.fill_round(
            Rect { x: right - 14.0, y: baseline - 12.0, width: 14.0, height: 14.0 },
            3.0,
            color,
        );
        right -= 14.0 + 22.0;
    }
}

/// How high a count stands, 0 to 1. The 1 that is added keeps empty bins on the axis.
fn height(count: f64, most: f64) -> f32 {
    ((1.0 + count).log10() / (1.0 + most).log10()) as f32
}

fn most(found: &Segmentation) -> f64 {
    1.25 * found.histogram.counts.iter().copied().max().unwrap_or(0).max(1) as f64
}

fn axes(canvas: &mut Canvas, type_: &Typeface, plot: Rect, found: &Segmentation) {
    let most = most(found);
    for power in 0..20 {
        let count = 10_f64.powi(power as i32);
        if count > most {
            break;
        }
        let y = plot.bottom() - plot.height * height(count, most);
        canvas.fill(Rect { x: plot.x, y: y.round(), width: plot.width, height: 1.0 }, palette::GRID);
        type_.draw(canvas, &words::magnitude(power), plot.x - 12.0, y + 5.0, LABEL, Align::Right);
    }

    let (start, end) = (found.histogram.start, found.histogram.end());
    for tick in words::ticks(start, end, 8) {
        let x = plot.x + plot.width * ((tick - start) / (end - start)) as f32;
        canvas.fill(Rect { x: x.round(), y: plot.bottom(), width: 1.0, height: 6.0 }, palette::DIM);
        type_.draw(canvas, &words::number(tick), x, plot.bottom() + 25.0, LABEL, Align::Center);
    }
    canvas.fill(Rect { x: plot.x, y: plot.bottom(), width: plot.width, height: 1.0 }, palette::DIM);
    type_.draw(canvas, "intensity", plot.x + plot.width / 2.0, plot.bottom() + 52.0, LABEL, Align::Center);
}

/// Column by column of pixels, each as high as the bins under it are on average.
fn bars(canvas: &mut Canvas, plot: Rect, found: &Segmentation) {
    let histogram = &found.histogram;
    let bins_per_pixel = histogram.counts.len() as f32 / plot.width;
    let most = most(found);
    for column in 0..plot.width as usize {
        let from = column as f32 * bins_per_pixel;
        let to = from + bins_per_pixel;
        let mut count = 0.0;
        for bin in from as usize..(to.ceil() as usize).min(histogram.counts.len()) {
            let part = to.min(bin as f32 + 1.0) - from.max(bin as f32);
            count += histogram.counts[bin] as f64 * f64::from(part / bins_per_pixel);
        }
        let above = histogram.edge(0) + histogram.width * f64::from((from + to) / 2.0) >= found.threshold;
        let tall = plot.height * height(count, most);
        let bar = Rect { x: plot.x + column as f32, y: plot.bottom() - tall, width: 1.0, height: tall };
        canvas.fill(bar, if above { palette::HEAD } else { palette::AIR });
    }
}

fn threshold(canvas: &mut Canvas, type_: &Typeface, plot: Rect, found: &Segmentation) {
    const COLOR: Color = palette::THRESHOLD;
    let x = plot.x + plot.width * threshold_share(found) as f32;
    canvas.fill(Rect { x: x - 1.0, y: plot.y - 8.0, width: 2.0, height: plot.height + 8.0 }, COLOR);

    let text = format!("threshold {}", words::number(found.threshold));
    let style = Style { size: 15.0, weight: Weight::Bold, color: COLOR };
    let half = type_.width(&text, style) / 2.0;
    let center = x.clamp(plot.x + half, plot.right() - half);
    type_.draw(canvas, &text, center, plot.y - 16.0, style, Align::Center);
}

/// Where the threshold lies between the first bin's lower edge (0) and the last one's upper (1).
fn threshold_share(found: &Segmentation) -> f64 {
    let (start, end) = (found.histogram.start, found.histogram.end());
    ((found.threshold - start) / (end - start)).clamp(0.0, 1.0)
}
