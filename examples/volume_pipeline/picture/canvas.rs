//! A grid of pixels, and the few strokes that the picture is made of. Coordinates are pixels from the top left; what
//! falls between pixels is blended, what falls outside is left out.

/// Red, green and blue, each 0 to 255 (sRGB).
pub(crate) type Color = [u8; 3];

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
}

impl Rect {
    pub(crate) fn right(&self) -> f32 {
        self.x + self.width
    }

    pub(crate) fn bottom(&self) -> f32 {
        self.y + self.height
    }
}

/// The pixels, row by row from the top.
#[derive(Clone, Debug)]
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Color>,
}

impl Canvas {
    /// A canvas of one colour.
    pub(crate) fn new(width: usize, height: usize, color: Color) -> Canvas {
        Canvas { width, height, pixels: vec![color; width * height] }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// All pixels as bytes: red, green, blue.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.pixels.as_flattened()
    }

    /// Lays `color` over one pixel; `cover` is 0 (nothing) to 1 (all).
    pub(crate) fn blend(&mut self, x: i32, y: i32, color: Color, cover: f32) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x >= self.width || y >= self.height {
            return;
        }
        let cover = cover.clamp(0.0, 1.0);
        for (under, over) in self.pixels[y * self.width + x].iter_mut().zip(color) {
            *under = (f32::from(*under) + (f32::from(over) - f32::from(*under)) * cover).round() as u8;
        }
    }

    /// Fills a rectangle. Pixels that it covers in part are blended for that part.
    pub(crate) fn fill(&mut self, rect: Rect, color: Color) {
        let overlap =
            |pixel: i32, from: f32, to: f32| (to.min(pixel as f32 + 1.0) - from.max(pixel as f32)).max(0.0);
        for y in rect.y.floor() as i32..rect.bottom().ceil() as i32 {
            for x in rect.x.floor() as i32..rect.right().ceil() as i32 {
                let cover = overlap(x, rect.x, rect.right()) * overlap(y, rect.y, rect.bottom());
                self.blend(x, y, color, cover);
            }
        }
    }

    /// Fills a rectangle with round corners.
    pub(crate) fn fill_round(&mut self, rect: Rect, radius: f32, color: Color) {
        let (center_x, center_y) = (rect.x + rect.width / 2.0, rect.y + rect.height / 2.0);
        for y in rect.y.floor() as i32..rect.bottom().ceil() as i32 {
            for x in rect.x.floor() as i32..rect.right().ceil() as i32 {
                // The distance of the pixel's middle from the edge, negative inside.
                let beyond_x = (x as f32 + 0.5 - center_x).abs() - rect.width / 2.0 + radius;
                let beyond_y = (y as f32 + 0.5 - center_y).abs() - rect.height / 2.0 + radius;
                let outside =
                    beyond_x.max(0.0).hypot(beyond_y.max(0.0)) + beyond_x.max(beyond_y).min(0.0) - radius;
                self.blend(x, y, color, 0.5 - outside);
            }
        }
    }
}
