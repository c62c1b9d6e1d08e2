//! Lettering in Noto Sans, which the `ttf-noto-sans` crate carries: the picture looks the same on every machine.

use ab_glyph::{Font, FontRef, GlyphId, InvalidFont, PxScale, ScaleFont};

use super::canvas::{Canvas, Color};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// Where a text lies to the point that it is drawn at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Center,
    Right,
}

/// How a text looks. The size is that of the em, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    pub(super) size: f32,
    pub(super) weight: Weight,
    pub(super) color: Color,
}

/// The two weights of the one typeface.
pub(super) struct Typeface {
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

impl Typeface {
    pub(super) fn load() -> Result<Typeface, InvalidFont> {
        Ok(Typeface {
            regular: FontRef::try_from_slice(ttf_noto_sans::REGULAR)?,
            bold: FontRef::try_from_slice(ttf_noto_sans::BOLD)?,
        })
    }

    /// Draws one line. `y` is the baseline. Gives the width drawn.
    pub(super) fn draw(
        &self,
        canvas: &mut Canvas,
        text: &str,
        x: f32,
        y: f32,
        style: Style,
        align: Align,
    ) -> f32 {
        let width = self.width(text, style);
        let left = match align {
            Align::Left => x,
            Align::Center => x - width / 2.0,
            Align::Right => x - width,
        };
        let (font, scale) = self.scaled(style);
        self.walk(text, style, |glyph, at| {
            let glyph = glyph.with_scale_and_position(scale, ab_glyph::point(left + at, y.round()));
            let Some(outline) = font.outline_glyph(glyph) else { return };
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, cover| {
                canvas.blend(corner.x as i32 + x as i32, corner.y as i32 + y as i32, style.color, cover);
            });
        });
        width
    }

    /// The width of one line in pixels.
    pub(super) fn width(&self, text: &str, style: Style) -> f32 {
        self.walk(text, style, |_, _| {})
    }

    /// The text, or as much of its start as fits `width` with an ellipsis.
    pub(super) fn fit(&self, text: &str, width: f32, style: Style) -> String {
        if self.width(text, style) <= width {
            return text.to_owned();
        }
        let mut shorter: Vec<char> = text.chars().collect();
        while shorter.pop().is_some() {
            let attempt = shorter.iter().collect::<String>() + "…";
            if self.width(&attempt, style) <= width {
                return attempt;
            }
        }
        String::new()
    }

    /// Visits each glyph with its offset from the start; gives the whole advance.
    fn walk(&self, text: &str, style: Style, mut visit: impl FnMut(GlyphId, f32)) -> f32 {
        let (font, scale) = self.scaled(style);
        let font = font.as_scaled(scale);
        let mut at = 0.0;
        let mut before = None;
        for character in text.chars() {
            let glyph = font.glyph_id(character);
            if let Some(before) = before {
                at += font.kern(before, glyph);
            }
            visit(glyph, at);
            at += font.h_advance(glyph);
            before = Some(glyph);
        }
        at
    }

    fn scaled(&self, style: Style) -> (&FontRef<'static>, PxScale) {
        let font = match style.weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        };
        // ab_glyph scales by the line's height, everybody else by the em.
        let em = font.units_per_em().unwrap_or(1000.0);
        (font, PxScale::from(style.size * font.height_unscaled() / em))
    }
}
