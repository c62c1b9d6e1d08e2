//! A frame of video: pixels in one or several planes of one segment.
//!
//! The invariant: there are as many planes as the format has, and each has room for its rows within the segment.

use alloc::vec::Vec;

use super::{DType, Device, Tensor, TensorError, codec::memory_field, memory};
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::placed;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::segment::Segment;
use crate::types::code::coded;
use crate::writer::Writer;

coded! {
    /// How the pixels of a frame lie in memory.
    PixelFormat "The stable code, never 0."
    Gray8 = 1, "gray8", "One plane of `u8`.";
    Gray16 = 2, "gray16", "One plane of `u16`.";
    Gray32 = 3, "gray32", "One plane of `u32`.";
    GrayF32 = 4, "gray_f32", "One plane of `f32`.";
    Rgb8 = 5, "rgb8", "One plane: red, green, blue as `u8`.";
    Bgr8 = 6, "bgr8", "One plane: blue, green, red as `u8`.";
    Rgba8 = 7, "rgba8", "One plane: red, green, blue, alpha as `u8`.";
    Bgra8 = 8, "bgra8", "One plane: blue, green, red, alpha as `u8`.";
    Rgb16 = 9, "rgb16", "One plane: red, green, blue as `u16`.";
    Rgba16 = 10, "rgba16", "One plane: red, green, blue, alpha as `u16`.";
    RgbF32 = 11, "rgb_f32", "One plane: red, green, blue as `f32`.";
    RgbaF32 = 12, "rgba_f32", "One plane: red, green, blue, alpha as `f32`.";
    RgbPlanar8 = 13, "rgb_planar8", "Three planes of `u8`: red, green, blue.";
    Nv12 = 14, "nv12", "Two planes of `u8`: luma; U and V in turn, for two by two pixels each.";
    Nv24 = 15, "nv24", "Two planes of `u8`: luma; U and V in turn.";
    P010 = 16, "p010", "As NV12, of `u16` whose upper ten bits count.";
    Yuv420 = 17, "yuv420", "Three planes of `u8`: luma; U, V, for two by two pixels each.";
    Yuv422 = 18, "yuv422", "Three planes of `u8`: luma; U, V, for two pixels of a row each.";
    Yuv444 = 19, "yuv444", "Three planes of `u8`: luma, U, V.";
    Yuyv = 20, "yuyv", "One plane of `u8`: Y, U, Y, V for two pixels of a row.";
    Uyvy = 21, "uyvy", "One plane of `u8`: U, Y, V, Y for two pixels of a row.";
    Depth16 = 22, "depth16", "One plane of `u16`: distance.";
    DepthF32 = 23, "depth_f32", "One plane of `f32`: distance.";
}

/// What one plane of a pixel format holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaneFormat {
    /// The type of a channel.
    pub dtype: DType,
    /// Channels that lie side by side.
    pub channels: u8,
    /// Pixels of a row that share one set of channels.
    pub columns: u8,
    /// Rows that share one row of the plane.
    pub rows: u8,
}

const fn plane(dtype: DType, channels: u8, columns: u8, rows: u8) -> PlaneFormat {
    PlaneFormat { dtype, channels, columns, rows }
}

const U8: PlaneFormat = plane(DType::U8, 1, 1, 1);

impl PixelFormat {
    /// What its planes hold.
    #[must_use]
    pub const fn planes(self) -> &'static [PlaneFormat] {
        match self {
            Self::Gray8 => const { &[U8] },
            Self::Gray16 | Self::Depth16 => const { &[plane(DType::U16, 1, 1, 1)] },
            Self::Gray32 => const { &[plane(DType::U32, 1, 1, 1)] },
            Self::GrayF32 | Self::DepthF32 => const { &[plane(DType::F32, 1, 1, 1)] },
            Self::Rgb8 | Self::Bgr8 => const { &[plane(DType::U8, 3, 1, 1)] },
            Self::Rgba8 | Self::Bgra8 => const { &[plane(DType::U8, 4, 1, 1)] },
            Self::Rgb16 => const { &[plane(DType::U16, 3, 1, 1)] },
            Self::Rgba16 => const { &[plane(DType::U16, 4, 1, 1)] },
            Self::RgbF32 => const { &[plane(DType::F32, 3, 1, 1)] },
            Self::RgbaF32 => const { &[plane(DType::F32, 4, 1, 1)] },
            Self::RgbPlanar8 | Self::Yuv444 => const { &[U8, U8, U8] },
            Self::Nv12 => const { &[U8, plane(DType::U8, 2, 2, 2)] },
            Self::Nv24 => const { &[U8, plane(DType::U8, 2, 1, 1)] },
            Self::P010 => const { &[plane(DType::U16, 1, 1, 1), plane(DType::U16, 2, 2, 2)] },
            Self::Yuv420 => const { &[U8, plane(DType::U8, 1, 2, 2), plane(DType::U8, 1, 2, 2)] },
            Self::Yuv422 => const { &[U8, plane(DType::U8, 1, 2, 1), plane(DType::U8, 1, 2, 1)] },
            Self::Yuyv | Self::Uyvy => const { &[plane(DType::U8, 4, 2, 1)] },
        }
    }

    /// The alignment in bytes that its channels need.
    const fn alignment(self) -> usize {
        self.planes()[0].dtype.alignment()
    }
}

impl PlaneFormat {
    /// Rows of the plane, and bytes in one of them, for a frame of this size in pixels.
    const fn rows(self, width: u32, height: u32) -> (u64, u64) {
        let columns = width.div_ceil(self.columns as u32) as u64;
        let rows = height.div_ceil(self.rows as u32) as u64;
        (rows, columns * self.channels as u64 * self.dtype.size() as u64)
    }
}

/// Where one plane of a frame lies in its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Plane {
    /// Where its first row begins, in bytes.
    pub offset: u64,
    /// From the beginning of a row to that of the next, in bytes.
    pub stride: u64,
    /// How many bytes it takes.
    pub size: u64,
}

/// A frame of video, in shared, immutable memory that is not copied where an endpoint carries segments.
///
/// ```
/// use podwire_codec_core::tensor::{PixelFormat, VideoBuffer};
///
/// let pixels = vec![128_u8; 640 * 480 * 3 / 2];
/// let frame = VideoBuffer::new(640, 480, PixelFormat::Nv12, pixels.into())?;
/// assert_eq!(frame.planes()[1].offset, 640 * 480);
/// let chroma = frame.plane(1)?; // a tensor on the same memory: rows, columns, channels
/// assert_eq!(chroma.shape(), [240, 320, 2]);
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct VideoBuffer {
    width: u32,
    height: u32,
    format: PixelFormat,
    device: Device,
    planes: Vec<Plane>,
    segment: Segment,
}

impl VideoBuffer {
    /// A frame of so many pixels, whose planes lie one behind the other without gaps.
    ///
    /// # Errors
    ///
    /// [`TensorError::Length`] if the segment is not exactly as long as the planes; [`TensorError::TooLarge`];
    /// [`Error::SegmentAlignment`](crate::Error::SegmentAlignment).
    pub fn new(width: u32, height: u32, format: PixelFormat, segment: Segment) -> Result<Self> {
        let mut planes = Vec::new();
        let mut offset = 0_u64;
        for plane in format.planes() {
            let (rows, stride) = plane.rows(width, height);
            let size = rows.checked_mul(stride).ok_or(TensorError::TooLarge)?;
            planes.push(Plane { offset, stride, size });
            offset = offset.checked_add(size).ok_or(TensorError::TooLarge)?;
        }
        match segment.length() as u64 {
            found if found != offset => Err(TensorError::Length { wanted: offset, found }.into()),
            _ => Self::with_planes(width, height, format, planes, segment),
        }
    }

    /// A frame whose planes lie anywhere in the segment, with rows of any stride.
    ///
    /// # Errors
    ///
    /// [`TensorError::Planes`], [`TensorError::Plane`];
    /// [`Error::SegmentAlignment`](crate::Error::SegmentAlignment).
    pub fn with_planes(
        width: u32,
        height: u32,
        format: PixelFormat,
        planes: Vec<Plane>,
        segment: Segment,
    ) -> Result<Self> {
        let formats = format.planes();
        if planes.len() != formats.len() {
            let (wanted, found) = (formats.len() as u64, planes.len() as u64);
            return Err(TensorError::Planes { wanted, found }.into());
        }
        for (number, (plane, format)) in planes.iter().zip(formats).enumerate() {
            let (rows, row) = format.rows(width, height);
            let gaps = rows.saturating_sub(1).checked_mul(plane.stride);
            let needed = gaps.and_then(|gaps| gaps.checked_add(if rows > 0 { row } else { 0 }));
            let end = plane.offset.checked_add(plane.size);
            let length = segment.length() as u64;
            for (wanted, found) in [
                (if rows > 1 { row } else { 0 }, plane.stride),
                (needed.unwrap_or(u64::MAX), plane.size),
                (end.unwrap_or(u64::MAX), length),
            ] {
                if wanted > found {
                    return Err(TensorError::Plane { plane: number as u64, wanted, found }.into());
                }
            }
        }
        segment.check_alignment(format.alignment())?;
        Ok(Self { width, height, format, device: Device::HOST, planes, segment })
    }

    /// The same frame, said to be on a device. A new one is on the host.
    #[must_use]
    pub fn with_device(self, device: Device) -> Self {
        Self { device, ..self }
    }

    /// Pixels of a row.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows of pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// How the pixels lie in memory.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// Where the pixels are meant to be used.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// Where each plane lies in the memory.
    #[must_use]
    pub fn planes(&self) -> &[Plane] {
        &self.planes
    }

    /// The memory.
    #[must_use]
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// A plane as a tensor on the same memory: rows, columns, channels.
    ///
    /// # Errors
    ///
    /// [`TensorError::Planes`] if there is no such plane; [`TensorError::Plane`] if its rows do not begin at whole
    /// channels; [`Error::SegmentAlignment`](crate::Error::SegmentAlignment) if it does not.
    pub fn plane(&self, number: usize) -> Result<Tensor> {
        let (Some(plane), Some(format)) = (self.planes.get(number), self.format.planes().get(number)) else {
            let (wanted, found) = ((number as u64).saturating_add(1), self.planes.len() as u64);
            return Err(TensorError::Planes { wanted, found }.into());
        };
        let (rows, row) = format.rows(self.width, self.height);
        let size = format.dtype.size() as u64;
        let channels = u64::from(format.channels);
        if rows > 1 && !plane.stride.is_multiple_of(size) {
            let (plane, wanted, found) = (number as u64, size, plane.stride);
            return Err(TensorError::Plane { plane, wanted, found }.into());
        }
        let whole = |number: u64| usize::try_from(number).map_err(|_| TensorError::TooLarge);
        let shape = [whole(rows)?, whole(row / (channels * size))?, whole(channels)?];
        let step = isize::try_from(plane.stride / size).map_err(|_| TensorError::TooLarge)?;
        let strides = [if rows > 1 { step } else { 0 }, shape[2].cast_signed(), 1];
        let tensor =
            Tensor::from_strides(self.segment.clone(), format.dtype, &shape, &strides, whole(plane.offset)?)?;
        Ok(tensor.with_device(self.device))
    }
}

impl PartialEq for VideoBuffer {
    /// The same frame, in the same places of equal memory.
    fn eq(&self, other: &Self) -> bool {
        let facts = |frame: &Self| (frame.width, frame.height, frame.format, frame.device);
        facts(self) == facts(other)
            && self.planes == other.planes
            && memory::same(&self.segment, &other.segment)
    }
}

impl Encode for VideoBuffer {
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        writer.encode(&(self.width, self.height, self.format, self.device, self.planes.as_slice()))?;
        memory::encode(&self.segment, self.format.alignment(), writer)
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        let fields = alloc::vec![
            types.field::<u32>("width"),
            types.field::<u32>("height"),
            types.field::<PixelFormat>("format"),
            types.field::<Device>("device"),
            types.field::<Vec<Plane>>("planes"),
            memory_field(types),
        ];
        Node::Pointer(types.anonymous(Node::Struct(fields)))
    }
}

impl<'de> Decode<'de> for VideoBuffer {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        let (width, height, format, mut device, planes) =
            reader.decode::<(u32, u32, PixelFormat, Device, Vec<Plane>)>()?;
        let placed = placed::decode(reader)?;
        let segment = memory::decode(&placed, format.alignment(), &mut device, reader)?;
        Ok(Self::with_planes(width, height, format, planes, segment)?.with_device(device))
    }
}
