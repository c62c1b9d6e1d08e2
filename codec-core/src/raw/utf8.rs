//! Shared bytes that were found to be text once.
//!
//! The invariant: the bytes inside are UTF-8. A [`Blob`] never changes, so that what was checked stays true.

use alloc::string::String;

use crate::shared::Blob;

/// Text in shared memory.
#[derive(Clone, Default)]
pub(crate) struct Utf8(Blob);

impl Utf8 {
    /// The bytes as text, if they are.
    pub(crate) fn check(bytes: Blob) -> Result<Self, core::str::Utf8Error> {
        core::str::from_utf8(&bytes)?;
        Ok(Self(bytes))
    }

    /// The text.
    #[inline]
    pub(crate) fn text(&self) -> &str {
        // SAFETY: the bytes are UTF-8: each constructor has seen to it, and nobody can change them.
        unsafe { core::str::from_utf8_unchecked(&self.0) }
    }

    /// The bytes.
    pub(crate) fn blob(&self) -> &Blob {
        &self.0
    }
}

impl From<String> for Utf8 {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}
