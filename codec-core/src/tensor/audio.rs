//! A stretch of audio: samples of several channels in one segment.
//!
//! The invariant: the segment has exactly as many bytes as the samples take.

use super::{DType, Device, Element, Tensor, TensorError, codec::memory_field, memory};
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
    /// The type of a sample.
    SampleFormat "The stable code, never 0."
    U8 = 1, "u8", "Unsigned, 8 bits; 128 is silence.";
    I16 = 2, "i16", "Signed, 16 bits.";
    I24 = 3, "i24", "Signed, 24 bits, in three bytes.";
    I32 = 4, "i32", "Signed, 32 bits.";
    F32 = 5, "f32", "From -1 to 1.";
    F64 = 6, "f64", "From -1 to 1.";
}

coded! {
    /// The order of the samples of several channels.
    AudioLayout "The stable code, never 0."
    Interleaved = 1, "interleaved", "One sample of each channel, then the next of each.";
    Planar = 2, "planar", "All samples of one channel, then all of the next.";
}

impl SampleFormat {
    /// The size of a sample in bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        match self.dtype() {
            Some(dtype) => dtype.size(),
            None => 3,
        }
    }

    /// The same as the type of a tensor's elements; none for 24 bits.
    #[must_use]
    pub const fn dtype(self) -> Option<DType> {
        match self {
            Self::U8 => Some(DType::U8),
            Self::I16 => Some(DType::I16),
            Self::I24 => None,
            Self::I32 => Some(DType::I32),
            Self::F32 => Some(DType::F32),
            Self::F64 => Some(DType::F64),
        }
    }

    /// The alignment in bytes that a sample needs.
    const fn alignment(self) -> usize {
        match self.dtype() {
            Some(dtype) => dtype.alignment(),
            None => 1,
        }
    }
}

/// A stretch of audio, in shared, immutable memory that is not copied where an endpoint carries segments.
///
/// ```
/// use podwire_codec_core::tensor::{AudioBuffer, AudioLayout};
///
/// let stereo = AudioBuffer::from_vec(vec![0.5_f32, -0.5, 0.25, -0.25], 2, 48_000, AudioLayout::Interleaved)?;
/// assert_eq!((stereo.channels(), stereo.samples()), (2, 2));
/// let right = stereo.channel(1)?; // a tensor on the same memory
/// assert_eq!(right.to_vec::<f32>()?, [-0.5, -0.25]);
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct AudioBuffer {
    format: SampleFormat,
    layout: AudioLayout,
    channels: u32,
    samples: u64,
    rate: u32,
    device: Device,
    segment: Segment,
}

impl AudioBuffer {
    /// `samples` samples of each channel, at `rate` samples a second.
    ///
    /// # Errors
    ///
    /// [`TensorError::Length`] if the segment is not exactly as long as the samples; [`TensorError::TooLarge`];
    /// [`Error::SegmentAlignment`](crate::Error::SegmentAlignment).
    pub fn new(
        format: SampleFormat,
        layout: AudioLayout,
        channels: u32,
        samples: u64,
        rate: u32,
        segment: Segment,
    ) -> Result<Self> {
        let wanted = samples.checked_mul(channels.into());
        let wanted = wanted.and_then(|all| all.checked_mul(format.size() as u64));
        let wanted = wanted.ok_or(TensorError::TooLarge)?;
        let found = segment.length() as u64;
        if wanted != found {
            return Err(TensorError::Length { wanted, found }.into());
        }
        segment.check_alignment(format.alignment())?;
        Ok(Self { format, layout, channels, samples, rate, device: Device::HOST, segment })
    }

    /// The samples of a vector, which are not copied: of so many channels, and so many samples a second of each.
    ///
    /// ```
    /// use podwire_codec_core::tensor::{AudioBuffer, AudioLayout};
    ///
    /// let second = AudioBuffer::from_vec(vec![0.0_f32; 2 * 48_000], 2, 48_000, AudioLayout::Interleaved)?;
    /// assert_eq!((second.channels(), second.samples()), (2, 48_000));
    /// # Ok::<(), podwire_codec_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TensorError::Length`] if they are not as many for each channel; [`TensorError::WrongType`] if there are no
    /// samples of this type.
    pub fn from_vec<T: Element>(
        samples: alloc::vec::Vec<T>,
        channels: u32,
        rate: u32,
        layout: AudioLayout,
    ) -> Result<Self> {
        let format = SampleFormat::ALL.iter().copied().find(|format| format.dtype() == Some(T::DTYPE));
        let wrong = TensorError::WrongType { wanted: DType::F32, found: T::DTYPE };
        let format = format.ok_or(wrong)?;
        let each = (samples.len() as u64).checked_div(channels.into()).unwrap_or(0);
        Self::new(format, layout, channels, each, rate, Segment::of_values(samples))
    }

    /// The same audio, said to be on a device. A new one is on the host.
    #[must_use]
    pub fn with_device(self, device: Device) -> Self {
        Self { device, ..self }
    }

    /// The type of a sample.
    #[must_use]
    pub fn format(&self) -> SampleFormat {
        self.format
    }

    /// The order of the samples.
    #[must_use]
    pub fn layout(&self) -> AudioLayout {
        self.layout
    }

    /// How many channels there are.
    #[must_use]
    pub fn channels(&self) -> u32 {
        self.channels
    }

    /// How many samples each channel has.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Samples of a channel in a second.
    #[must_use]
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Where the samples are meant to be used.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// The memory.
    #[must_use]
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// The samples as a tensor on the same memory: samples and channels, in the order in which they lie. Samples of
    /// 24 bits are three bytes each, as a third dimension.
    ///
    /// # Errors
    ///
    /// [`TensorError::TooLarge`], on a machine with few addresses.
    pub fn to_tensor(&self) -> Result<Tensor> {
        let samples = usize::try_from(self.samples).map_err(|_| TensorError::TooLarge)?;
        let mut shape = alloc::vec![samples, self.channels as usize];
        if self.layout == AudioLayout::Planar {
            shape.reverse();
        }
        if self.format.dtype().is_none() {
            shape.push(self.format.size());
        }
        let dtype = self.format.dtype().unwrap_or(DType::U8);
        Ok(Tensor::from_segment(self.segment.clone(), dtype, &shape)?.with_device(self.device))
    }

    /// The samples of one channel, as a tensor on the same memory.
    ///
    /// # Errors
    ///
    /// [`TensorError::Range`] if there is no such channel.
    pub fn channel(&self, channel: u32) -> Result<Tensor> {
        let channel = channel as usize;
        let axis = usize::from(self.layout == AudioLayout::Interleaved);
        self.to_tensor()?.part(axis, channel..channel.saturating_add(1))?.without(axis)
    }
}

impl PartialEq for AudioBuffer {
    /// The same format, and equal memory.
    fn eq(&self, other: &Self) -> bool {
        let facts = |buffer: &Self| (buffer.format, buffer.layout, buffer.channels, buffer.samples);
        facts(self) == facts(other)
            && (self.rate, self.device) == (other.rate, other.device)
            && memory::same(&self.segment, &other.segment)
    }
}

impl Encode for AudioBuffer {
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        writer.encode(&(self.format, self.layout, self.channels, self.samples, self.rate, self.device))?;
        memory::encode(&self.segment, self.format.alignment(), writer)
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        let fields = alloc::vec![
            types.field::<SampleFormat>("format"),
            types.field::<AudioLayout>("layout"),
            types.field::<u32>("channels"),
            types.field::<u64>("samples"),
            types.field::<u32>("rate"),
            types.field::<Device>("device"),
            memory_field(types),
        ];
        Node::Pointer(types.anonymous(Node::Struct(fields)))
    }
}

impl<'de> Decode<'de> for AudioBuffer {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        let (format, layout, channels, samples, rate, mut device) =
            reader.decode::<(SampleFormat, AudioLayout, u32, u64, u32, Device)>()?;
        let placed = placed::decode(reader)?;
        let segment = memory::decode(&placed, format.alignment(), &mut device, reader)?;
        Ok(Self::new(format, layout, channels, samples, rate, segment)?.with_device(device))
    }
}
