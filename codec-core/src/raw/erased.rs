//! The codec of a type that is known only when the program runs: functions that take addresses.
//!
//! What is done for each type is three short functions; checks, memory and errors are here, compiled once. The
//! invariant: the functions, the size and the type's identity in an [`Erased`] are those of one type.

use alloc::alloc::{Layout, alloc, dealloc};
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::any::{Any, TypeId};
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use super::place::out_of_memory_bytes;
use super::whole::{DecodeWhole, EncodeWhole};
use crate::__private::probe::Via;
use crate::codec::Codec;
use crate::error::{Error, Result};
use crate::reader::Reader;
use crate::writer::Writer;

/// A value of any type that may go to any thread.
type Value = Box<dyn Any + Send + Sync>;
/// The same, where several may hold it.
type Shared = Arc<dyn Any + Send + Sync>;
/// Makes a value of its type in the memory at an address; `Ok` means that there is one.
type Fill = unsafe fn(*mut (), &mut Reader<'_>) -> Result<()>;

/// Bytes of a value that is not made in counted memory before it is known that there is some.
const LARGE: usize = 64 << 10;

/// The codec of one type.
pub(crate) struct Erased {
    type_id: TypeId,
    memory: Layout,
    /// The address is that of a value of the type.
    encode: unsafe fn(*const (), &mut Writer<'_>) -> Result<()>,
    /// The address is that of memory for a value.
    decode: Fill,
    /// The address is that of a value of the type, in memory of its own from the global allocator, if it has a size.
    own: unsafe fn(*mut ()) -> Value,
    /// The function makes values of the type.
    share: unsafe fn(Fill, &mut Reader<'_>) -> Result<Shared>,
}

impl Erased {
    /// The codec of a type that travels as `V` says.
    pub(crate) const fn of<V: Via<As: Codec, Of: Any + Send + Sync>>() -> Self {
        Self {
            type_id: TypeId::of::<V::Of>(),
            memory: Layout::new::<V::Of>(),
            // What travels as `V::As` has, by the promise of `Via`, the size, the alignment and the values of `V::Of`.
            encode: <V::As as EncodeErased>::encode_erased,
            decode: <V::As as DecodeErased>::decode_erased,
            own: <V::Of as Own>::own,
            share: <V::Of as Own>::share,
        }
    }

    /// The type.
    pub(crate) const fn type_id(&self) -> TypeId {
        self.type_id
    }

    /// Writes a value, or nothing if it is of another type: then the error is `wrong`.
    #[inline]
    pub(crate) fn encode(
        &self,
        value: &dyn Any,
        writer: &mut Writer<'_>,
        wrong: impl FnOnce() -> Error,
    ) -> Result<()> {
        if value.type_id() != self.type_id {
            return Err(wrong());
        }
        // SAFETY: the value is of the type.
        unsafe { (self.encode)(core::ptr::from_ref(value).cast(), writer) }
    }

    /// Reads a value into a box, charged to the limits; the allocator's refusal is an error.
    pub(crate) fn decode(&self, reader: &mut Reader<'_>) -> Result<Value> {
        let size = self.memory.size();
        reader.charge(size)?;
        let memory = Memory::new(self.memory).ok_or_else(|| out_of_memory_bytes(size as u64))?;
        // SAFETY: the memory is as large and as aligned as the type asks for, and nobody else's.
        unsafe { (self.decode)(memory.start.as_ptr(), reader) }?;
        let start = memory.start;
        core::mem::forget(memory);
        // SAFETY: there is a value now, in memory of its own.
        Ok(unsafe { (self.own)(start.as_ptr()) })
    }

    /// Reads a value into memory that several may hold, charged to the limits.
    pub(crate) fn decode_shared(&self, reader: &mut Reader<'_>) -> Result<Shared> {
        let size = self.memory.size();
        reader.charge(size)?;
        if size > LARGE {
            // An `Arc` without memory ends the process.
            drop(Memory::new(self.memory).ok_or_else(|| out_of_memory_bytes(size as u64))?);
        }
        // SAFETY: both functions are those of the type.
        unsafe { (self.share)(self.decode, reader) }
    }
}

/// Memory for one value, given back unless it is forgotten.
struct Memory {
    start: NonNull<()>,
    layout: Layout,
}

impl Memory {
    fn new(layout: Layout) -> Option<Self> {
        let start = if layout.size() == 0 {
            // A value without a size has an address that is aligned, and no memory.
            NonNull::without_provenance(core::num::NonZero::new(layout.align())?)
        } else {
            // SAFETY: the size is not zero.
            NonNull::new(unsafe { alloc(layout) })?.cast()
        };
        Some(Self { start, layout })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.layout.size() > 0 {
            // SAFETY: allocated with this layout, and not given away: then it is forgotten.
            unsafe { dealloc(self.start.as_ptr().cast(), self.layout) };
        }
    }
}

// Methods, so that they are compiled beside the type: see `whole`.

trait EncodeErased: EncodeWhole + Sized {
    /// # Safety
    ///
    /// A value of this type, or one that it is the codec of, is at `value`.
    unsafe fn encode_erased(value: *const (), writer: &mut Writer<'_>) -> Result<()> {
        // SAFETY: the caller's.
        unsafe { &*value.cast::<Self>() }.encode_whole(writer)
    }
}

impl<T: EncodeWhole> EncodeErased for T {}

trait DecodeErased: for<'de> DecodeWhole<'de> {
    /// # Safety
    ///
    /// Memory for a value, and for nobody else, is at `slot`.
    unsafe fn decode_erased(slot: *mut (), reader: &mut Reader<'_>) -> Result<()> {
        // SAFETY: the caller's; `MaybeUninit` needs no value.
        Self::decode_whole_into(unsafe { &mut *slot.cast::<MaybeUninit<Self>>() }, reader)
    }
}

impl<T: for<'de> DecodeWhole<'de>> DecodeErased for T {}

trait Own: Any + Send + Sync + Sized {
    /// # Safety
    ///
    /// A value of this type, owned by nobody, is at `value`, in memory from the global allocator.
    unsafe fn own(value: *mut ()) -> Value {
        // SAFETY: the caller's; the allocation's layout is that of the type.
        unsafe { Box::from_raw(value.cast::<Self>()) }
    }

    /// # Safety
    ///
    /// `fill` makes values of this type, or none.
    unsafe fn share(fill: Fill, reader: &mut Reader<'_>) -> Result<Shared> {
        let mut memory = Arc::<Self>::new_uninit();
        // Nobody else holds it.
        let slot = Arc::get_mut(&mut memory).ok_or_else(|| out_of_memory_bytes(size_of::<Self>() as u64))?;
        // SAFETY: the memory is for one value of this type, and nobody else's.
        unsafe { fill(slot.as_mut_ptr().cast(), reader) }?;
        // SAFETY: there is a value now.
        Ok(unsafe { memory.assume_init() })
    }
}

impl<T: Any + Send + Sync> Own for T {}
