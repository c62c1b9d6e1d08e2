//! `Blob` and `SharedStr`: immutable bytes and text that are cheap to clone, and cheap to decode: values that stand near
//! each other in an input share one copy of it.
//!
//! On the wire they are `[u8]` and `str`. The invariant: what a blob shows never changes while anybody holds it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::{Deref, Range};

use crate::raw::utf8::Utf8;

/// An immutable, shared `[u8]`.
///
/// Its encoding is that of a `Vec<u8>`. Decoded from memory (a slice, a [`Buffer`](crate::Buffer), a message), it is a part
/// of a copy of the input that it shares with the blobs and [`SharedStr`]s near it: ten thousand of them take a handful of
/// allocations. From a stream that shows nothing in advance, each has memory of its own.
///
/// ```
/// use podwire_codec_core::{Blob, from_slice, to_vec};
///
/// let blobs = vec![Blob::from(vec![1, 2, 3]), Blob::from(vec![4; 1_000])];
/// let back: Vec<Blob> = from_slice(&to_vec(&blobs)?)?; // one copy of the input for both
/// assert_eq!(back[0], [1, 2, 3]);
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
///
/// A blob keeps alive what it shares: up to 1 MiB of the input, or as much as itself if it is larger. `Blob::from(&*blob)`
/// has memory of its own. For arrays that are not to be copied at all, out or in, use [`Bulk`](crate::Bulk).
#[derive(Clone, Default)]
pub struct Blob {
    /// Nothing for an empty blob. A vector within, so that one that exists is shared without a copy.
    memory: Option<Arc<Vec<u8>>>,
    start: usize,
    length: usize,
}

impl Blob {
    /// A part of the bytes, in the same memory; `None` if it reaches beyond them.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Option<Self> {
        let length = range.end.checked_sub(range.start)?;
        if range.end > self.length {
            return None;
        }
        let memory = self.memory.as_ref().filter(|_| length > 0).map(Arc::clone);
        Some(Self { memory, start: self.start + range.start, length })
    }
}

impl Deref for Blob {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // The range lies within the memory; without memory it is empty.
        let memory = self.memory.as_ref().map_or(&[][..], |memory| memory);
        memory.get(self.start..self.start + self.length).unwrap_or_default()
    }
}

impl From<Vec<u8>> for Blob {
    /// Shares the vector; its bytes are not copied.
    fn from(bytes: Vec<u8>) -> Self {
        let length = bytes.len();
        Self { memory: (length > 0).then(|| Arc::new(bytes)), start: 0, length }
    }
}

impl FromIterator<u8> for Blob {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Self {
        Vec::from_iter(bytes).into()
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Blob {
    fn eq(&self, other: &[u8; N]) -> bool {
        **self == *other
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// An immutable, shared `str`.
///
/// Its encoding is that of a `String`, so that either side of a connection may use either. What is said of a
/// [`Blob`] is true of it, too.
///
/// ```
/// use podwire_codec_core::{SharedStr, from_slice, to_vec};
/// use std::collections::HashMap;
///
/// let bytes = to_vec(&vec![("left".to_owned(), 1_u8), ("right".to_owned(), 2)])?;
/// let cameras: Vec<(SharedStr, u8)> = from_slice(&bytes)?; // no allocation for each name
/// let numbers: HashMap<SharedStr, u8> = cameras.into_iter().collect();
/// assert_eq!(numbers["right"], 2);
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct SharedStr(pub(crate) Utf8);

impl SharedStr {
    /// The bytes, in the same memory.
    #[must_use]
    pub fn blob(&self) -> &Blob {
        self.0.blob()
    }

    /// A part of the text, given in bytes, in the same memory; `None` if it reaches beyond it, or splits a character.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Option<Self> {
        self.get(range.clone())?;
        Utf8::check(self.blob().part(range)?).ok().map(Self)
    }
}

impl Deref for SharedStr {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.0.text()
    }
}

impl From<String> for SharedStr {
    /// Shares the string; its bytes are not copied.
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl TryFrom<Blob> for SharedStr {
    type Error = core::str::Utf8Error;

    fn try_from(bytes: Blob) -> Result<Self, Self::Error> {
        Utf8::check(bytes).map(Self)
    }
}

impl fmt::Debug for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl fmt::Display for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// What follows from being a slice or a text: it is made of one, compared as one, found by one in a map.
macro_rules! shared {
    ($($shared:ident: $target:ty, $owned:ty;)+) => {$(
        impl From<&$target> for $shared {
            /// Copies.
            fn from(value: &$target) -> Self {
                <$owned>::from(value).into()
            }
        }

        impl From<Box<$target>> for $shared {
            /// Shares the memory; nothing is copied.
            fn from(value: Box<$target>) -> Self {
                <$owned>::from(value).into()
            }
        }

        impl AsRef<$target> for $shared {
            fn as_ref(&self) -> &$target {
                self
            }
        }

        impl Borrow<$target> for $shared {
            fn borrow(&self) -> &$target {
                self
            }
        }

        impl PartialEq for $shared {
            fn eq(&self, other: &Self) -> bool {
                **self == **other
            }
        }

        impl Eq for $shared {}

        impl PartialEq<$target> for $shared {
            fn eq(&self, other: &$target) -> bool {
                **self == *other
            }
        }

        impl PartialEq<&$target> for $shared {
            fn eq(&self, other: &&$target) -> bool {
                **self == **other
            }
        }

        impl PartialEq<$owned> for $shared {
            fn eq(&self, other: &$owned) -> bool {
                **self == **other
            }
        }

        impl PartialOrd for $shared {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $shared {
            fn cmp(&self, other: &Self) -> Ordering {
                (**self).cmp(&**other)
            }
        }

        impl Hash for $shared {
            fn hash<H: Hasher>(&self, state: &mut H) {
                (**self).hash(state);
            }
        }
    )+};
}

shared! {
    Blob: [u8], Vec<u8>;
    SharedStr: str, String;
}
