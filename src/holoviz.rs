//! What a renderer is told about its inputs: which tensor is drawn, as what, how, and where.
//!
//! The data only, and its codec; nothing here draws. A `Vec<InputSpec>` is registered in every program that uses this
//! crate, under that name, and understood under the name that the field gives it.

use crate::{Codec, register_codec};

/// How one tensor, or one list of texts, is to be drawn: one layer of the picture.
///
/// ```
/// use podwire::holoviz::{InputSpec, InputType, InputView};
/// use podwire::{Buffer, CodecRegistry};
///
/// let specs = vec![InputSpec {
///     color: vec![0.0, 1.0, 0.0, 0.5],
///     views: vec![InputView { width: 0.5, ..InputView::default() }], // the left half of the window
///     ..InputSpec::new("tool tips", InputType::Crosses)
/// }];
/// let mut endpoint = Buffer::new();
/// CodecRegistry::global().serialize(&specs, &mut endpoint)?;
/// let back = CodecRegistry::global().deserialize(&mut endpoint)?;
/// assert_eq!(*back.downcast::<Vec<InputSpec>>().unwrap(), specs);
/// # Ok::<(), podwire::Error>(())
/// ```
#[derive(Codec, Debug, Clone, PartialEq)]
#[codec(crate = crate)]
pub struct InputSpec {
    /// Name of the tensor that holds the data.
    pub name: String,
    /// What the data is.
    pub kind: InputType,
    /// From 0, which cannot be seen, to 1, through which nothing can be seen.
    pub opacity: f32,
    /// Layers of a higher priority are drawn over those of a lower one.
    pub priority: i32,
    /// Colour of what is drawn: red, green, blue and opacity, each from 0 to 1.
    pub color: Vec<f32>,
    /// Width of lines in pixels.
    pub line_width: f32,
    /// Size of points in pixels.
    pub point_size: f32,
    /// The texts, if it is text.
    pub text: Vec<String>,
    /// How a depth map is drawn, if it is one.
    pub depth_map_render_mode: DepthMapRenderMode,
    /// Where it is drawn; the whole window if there are none.
    pub views: Vec<InputView>,
}

impl InputSpec {
    /// A spec of a name and a kind; everything else as by default: opaque, white, lines and points one pixel wide.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: InputType) -> Self {
        Self {
            name: name.into(),
            kind,
            opacity: 1.0,
            priority: 0,
            color: vec![1.0; 4],
            line_width: 1.0,
            point_size: 1.0,
            text: Vec::new(),
            depth_map_render_mode: DepthMapRenderMode::default(),
            views: Vec::new(),
        }
    }
}

impl Default for InputSpec {
    fn default() -> Self {
        Self::new("", InputType::default())
    }
}

/// What the data of an input is.
#[derive(Codec, Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[codec(crate = crate)]
#[non_exhaustive]
pub enum InputType {
    /// To be found out from the data.
    #[default]
    Unknown,
    /// An image in colour.
    Color,
    /// An image whose values are looked up in a table of colours.
    ColorLut,
    /// Points, two numbers each.
    Points,
    /// Lines, two points each.
    Lines,
    /// A line from point to point.
    LineStrip,
    /// Triangles, three points each.
    Triangles,
    /// Crosses, each a point and a size.
    Crosses,
    /// Rectangles, two corners each.
    Rectangles,
    /// Ovals, each a centre and two diameters.
    Ovals,
    /// Texts, each at a point.
    Text,
    /// A depth for each pixel.
    DepthMap,
    /// The colours of a depth map.
    DepthMapColor,
    /// Points in space, three numbers each.
    Points3d,
    /// Lines in space, two points each.
    Lines3d,
    /// A line in space from point to point.
    LineStrip3d,
    /// Triangles in space, three points each.
    Triangles3d,
}

/// How a depth map is drawn.
#[derive(Codec, Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[codec(crate = crate)]
#[non_exhaustive]
pub enum DepthMapRenderMode {
    /// A point for each pixel.
    #[default]
    Points,
    /// Lines between neighbours.
    Lines,
    /// Triangles between neighbours.
    Triangles,
}

/// A part of the window in which a layer is drawn.
#[derive(Codec, Debug, Clone, Copy, PartialEq)]
#[codec(crate = crate)]
pub struct InputView {
    /// Left edge, in widths of the window.
    pub offset_x: f32,
    /// Upper edge, in heights of the window.
    pub offset_y: f32,
    /// Width, in widths of the window.
    pub width: f32,
    /// Height, in heights of the window; a negative one turns the picture upside down.
    pub height: f32,
    /// How the layer is transformed before: a 4x4 matrix, row by row.
    pub matrix: Option<[[f32; 4]; 4]>,
}

impl Default for InputView {
    /// The whole window.
    fn default() -> Self {
        Self { offset_x: 0.0, offset_y: 0.0, width: 1.0, height: 1.0, matrix: None }
    }
}

register_codec!(Vec<InputSpec>, "Vec<InputSpec>", "std::vector<holoscan::ops::HolovizOp::InputSpec>");
