//! What a publication says about its bytes: kind, dtype, shape, strides, codec, and the user's own keys.
//!
//! Not here: where the bytes of it are kept (`segment.rs`). Invariant: whatever bytes are decoded, the answer is
//! a bounded `Metadata` or an error.

use std::{borrow::Cow, collections::BTreeMap};

use podwire_codec_core::tensor::DType;
pub use podwire_codec_core::tensor::RANK_LIMIT;

use crate::error::{Error, Result};

/// The most bytes that encoded metadata can take.
pub const METADATA_LIMIT: usize = 2944;

/// What the bytes of an allocation are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentKind {
    /// Bytes of which nothing more is known.
    #[default]
    Bytes,
    /// The elements of an array; dtype and shape are set.
    Array,
    /// An encoded value; the codec is set, and its large parts are children.
    Value,
}

/// What a publication says about its bytes.
///
/// Each handle has its own copy, taken when it was made. A change stays with the handle until the handle
/// publishes; then that *name* carries it, and names published earlier keep theirs.
///
/// ```
/// use podwire_fastio::{DType, Metadata};
/// let metadata = Metadata::array(DType::I16, [4, 256, 256]).with("unit", "HU");
/// assert_eq!(metadata.user["unit"], "HU");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// What the bytes are.
    pub kind: ContentKind,
    /// The type of the elements.
    pub dtype: Option<DType>,
    /// The extent of each dimension in elements, slowest first; at most 32.
    pub shape: Vec<u64>,
    /// The step of each dimension in elements; `None` is standard C order.
    pub strides: Option<Vec<i64>>,
    /// The name of the codec that wrote the value.
    pub codec: Option<String>,
    /// The user's own keys.
    pub user: BTreeMap<String, String>,
}

impl Metadata {
    /// Metadata of an array in standard C order.
    pub fn array(dtype: DType, shape: impl IntoIterator<Item = u64>) -> Self {
        Self {
            kind: ContentKind::Array,
            dtype: Some(dtype),
            shape: shape.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Metadata of a value that this codec wrote.
    pub fn value(codec: impl Into<String>) -> Self {
        Self { kind: ContentKind::Value, codec: Some(codec.into()), ..Self::default() }
    }

    /// The same with one more key of the user's.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.user.insert(key.into(), value.into());
        self
    }

    /// Whether it is that of bytes of which nothing more is known.
    #[inline]
    pub(crate) fn says_nothing(&self) -> bool {
        let Self { kind, dtype, shape, strides, codec, user } = self;
        *kind == ContentKind::Bytes
            && dtype.is_none()
            && shape.is_empty()
            && strides.is_none()
            && codec.is_none()
            && user.is_empty()
    }

    /// The bytes that stand in shared memory (see `docs/fastio-layout.md`).
    pub(crate) fn encode(&self) -> Result<Cow<'static, [u8]>> {
        if self.says_nothing() {
            return Ok(Cow::Borrowed(&[0; 6]));
        }
        let rank = self.shape.len();
        if rank > RANK_LIMIT || self.strides.as_ref().is_some_and(|strides| strides.len() != rank) {
            return Err(Error::WrongShape { reason: "at most 32 dimensions, and as many strides" });
        }
        let kind = match self.kind {
            ContentKind::Bytes => 0,
            ContentKind::Array => 1,
            ContentKind::Value => 2,
        };
        let flags = u8::from(self.strides.is_some()) | (u8::from(self.codec.is_some()) << 1);
        let mut out = vec![kind, self.dtype.map_or(0, DType::code), rank as u8, flags];
        for extent in &self.shape {
            out.extend(extent.to_le_bytes());
        }
        for stride in self.strides.iter().flatten() {
            out.extend(stride.to_le_bytes());
        }
        let texts = self.codec.iter().chain(self.user.iter().flat_map(|(key, value)| [key, value]));
        let size = out.len() + 2 + texts.clone().map(|text| 2 + text.len()).sum::<usize>();
        if size > METADATA_LIMIT {
            return Err(Error::MetadataTooLarge { size, limit: METADATA_LIMIT });
        }
        out.extend((self.user.len() as u16).to_le_bytes());
        for text in texts {
            out.extend((text.len() as u16).to_le_bytes());
            out.extend(text.as_bytes());
        }
        Ok(Cow::Owned(out))
    }

    /// The way back; `None` where the bytes are not metadata.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let input = &mut bytes;
        let [kind, dtype, rank, flags] = *input.split_first_chunk().map(|(head, rest)| {
            *input = rest;
            head
        })?;
        let kind = match kind {
            0 => ContentKind::Bytes,
            1 => ContentKind::Array,
            2 => ContentKind::Value,
            _ => return None,
        };
        let dtype = match dtype {
            0 => None,
            code => Some(DType::from_code(code)?),
        };
        if usize::from(rank) > RANK_LIMIT || flags > 3 {
            return None;
        }
        let shape = (0..rank).map(|_| word(input)).collect::<Option<Vec<_>>>()?;
        let strides = match flags & 1 {
            1 => Some((0..rank).map(|_| word(input).map(|word| word as i64)).collect::<Option<Vec<_>>>()?),
            _ => None,
        };
        let count = short(input)?;
        let codec = if flags & 2 == 2 { Some(text(input)?) } else { None };
        let mut user = BTreeMap::new();
        for _ in 0..count {
            let key = text(input)?;
            user.insert(key, text(input)?);
        }
        input.is_empty().then_some(Self { kind, dtype, shape, strides, codec, user })
    }
}

/// What a handle keeps of its metadata: memory only where they say something.
#[derive(Clone)]
pub(crate) struct Kept(Option<Box<Metadata>>);

impl Kept {
    #[inline]
    pub(crate) fn of(metadata: Metadata) -> Self {
        Self((!metadata.says_nothing()).then(|| Box::new(metadata)))
    }

    #[inline]
    pub(crate) fn get(&self) -> &Metadata {
        static NOTHING: Metadata = Metadata {
            kind: ContentKind::Bytes,
            dtype: None,
            shape: Vec::new(),
            strides: None,
            codec: None,
            user: BTreeMap::new(),
        };
        self.0.as_deref().unwrap_or(&NOTHING)
    }

    pub(crate) fn get_mut(&mut self) -> &mut Metadata {
        self.0.get_or_insert_default()
    }
}

fn word(input: &mut &[u8]) -> Option<u64> {
    let (word, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(u64::from_le_bytes(*word))
}

fn short(input: &mut &[u8]) -> Option<u16> {
    let (short, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(u16::from_le_bytes(*short))
}

fn text(input: &mut &[u8]) -> Option<String> {
    let length = usize::from(short(input)?);
    let (text, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(std::str::from_utf8(text).ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rich() -> Metadata {
        let mut metadata = Metadata::array(DType::C64, [3, 0, 7]).with("patient", "phantom").with("", "ü");
        metadata.strides = Some(vec![-1, 2, i64::MIN]);
        metadata.codec = Some("Vec<f32>".into());
        metadata
    }

    #[test]
    fn metadata_comes_back_as_it_went() {
        for metadata in [Metadata::default(), rich(), Metadata::value("Scan")] {
            assert_eq!(Metadata::decode(&metadata.encode().unwrap()), Some(metadata));
        }
    }

    #[test]
    fn every_proper_prefix_and_every_flipped_bit_is_refused_or_valid() {
        let bytes = rich().encode().unwrap().into_owned();
        for length in 1..bytes.len() {
            assert_eq!(Metadata::decode(&bytes[..length]), None);
        }
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Some(metadata) = Metadata::decode(&bytes) {
                metadata.encode().unwrap();
            }
        }
    }

    #[test]
    fn a_rank_beyond_the_limit_and_unknown_flags_are_refused() {
        let metadata = Metadata::array(DType::U8, vec![1; RANK_LIMIT]);
        let bytes = metadata.encode().unwrap().into_owned();
        assert_eq!(Metadata::decode(&bytes), Some(metadata));
        for unknown in [4, 8, 128] {
            let mut bytes = bytes.clone();
            bytes[3] = unknown;
            assert_eq!(Metadata::decode(&bytes), None, "{unknown}");
        }
        let mut larger = bytes;
        larger[2] += 1;
        larger.splice(4..4, [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Metadata::decode(&larger), None);
    }

    #[test]
    fn too_large_metadata_is_refused() {
        let metadata = Metadata::default().with("key", "x".repeat(METADATA_LIMIT));
        assert!(matches!(metadata.encode(), Err(Error::MetadataTooLarge { .. })));
        let metadata = Metadata { shape: vec![1; 33], ..Metadata::default() };
        assert!(matches!(metadata.encode(), Err(Error::WrongShape { .. })));
    }
}
