//! Bytes of a sealed allocation that anybody may own for as long as they like.
//!
//! Not here: bytes that may still change. Invariant: the handle inside keeps the memory from being recycled, and the
//! seal keeps it from being written to.

use std::{fmt, ops::Deref, sync::Arc};

use crate::{access::ReadProof, allocation::FastIoAllocation, sys};

/// The bytes of a sealed allocation: shared, `'static`, cheap to clone. Made by
/// [`FastIoAllocation::into_shared`].
#[derive(Clone)]
pub struct SharedBytes {
    inner: Arc<(FastIoAllocation, ReadProof)>,
}

impl SharedBytes {
    pub(crate) fn new(allocation: FastIoAllocation, proof: ReadProof) -> Self {
        Self { inner: Arc::new((allocation, proof)) }
    }

    /// The handle behind the bytes.
    pub fn allocation(&self) -> &FastIoAllocation {
        &self.inner.0
    }
}

impl Deref for SharedBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        let (allocation, proof) = &*self.inner;
        sys::bytes(&allocation.held, allocation.offset, allocation.length, proof)
            .expect("the range was checked when the handle was made")
    }
}

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedBytes").field(self.allocation()).finish()
    }
}
