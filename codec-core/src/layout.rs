//! What is known of a type's encoding at compile time, in one constant.
//!
//! The invariant: a [`Layout`] that claims anything was built by an `unsafe` promise. The safe value,
//! [`Layout::OPAQUE`], claims nothing, and a type that has it is encoded and decoded only by its own `encode` and
//! `decode`. So a hand-written codec can be wrong, but never unsound.

use core::marker::PhantomData;

/// The facts of an encoding.
///
/// The encoding of a value is its *head*, then its *tail*. The head has the same size for every value of the type:
/// fixed fields, lengths and tags. The tail holds what varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Bytes in the head.
    pub head: usize,
    /// Whether a tail can follow the head.
    pub tail: bool,
    /// The value's memory is its encoding: `size_of::<T>() == head`, no tail, no padding, little-endian.
    pub bulk: bool,
    /// `bulk`, and every bit pattern is a value.
    pub plain: bool,
    /// Nothing is known: only `encode` and `decode` are called.
    pub opaque: bool,
    /// Borrowed text: its length in the head, its bytes in the tail.
    pub text: bool,
}

impl Facts {
    /// Head and tail of a type whose memory is not its encoding.
    #[must_use]
    pub const fn row(head: usize, tail: bool) -> Self {
        Self { head, tail, bulk: false, plain: false, opaque: false, text: false }
    }

    /// A type whose memory is its encoding; `plain` if every bit pattern is a value.
    #[must_use]
    pub const fn bulk(size: usize, plain: bool) -> Self {
        Self { head: size, tail: false, bulk: true, plain, opaque: false, text: false }
    }
}

/// The [`Facts`] of `T`, as a promise that the code of `T` keeps.
pub struct Layout<T: ?Sized> {
    facts: Facts,
    /// Invariant, so that not even a subtype's promise can be taken for one's own.
    of: PhantomData<fn(&T) -> *mut T>,
}

impl<T: ?Sized> Clone for Layout<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Layout<T> {}

impl<T: ?Sized> Layout<T> {
    /// No promise: the value is written by [`Encode::encode`](crate::Encode::encode), wholly in its tail.
    pub const OPAQUE: Self = Self {
        facts: Facts { head: 0, tail: true, bulk: false, plain: false, opaque: true, text: false },
        of: PhantomData,
    };

    /// Makes the facts a promise.
    ///
    /// # Safety
    ///
    /// For `T: Encode`, with `facts.opaque` false:
    /// - `encode_head` writes exactly `facts.head` bytes;
    /// - if `facts.tail` is false, `encode_tail` writes nothing, and `decode_row` does not touch its reader except
    ///   to ask for offsets;
    /// - `decode_row` reads exactly `facts.head` bytes from its head, and when it returns `Ok` its slot is
    ///   initialised; when it returns `Err` nothing in the slot needs to be dropped;
    /// - if `facts.bulk`, the bytes of every `T` are initialised, are what `encode_head` writes, and
    ///   `facts.head == size_of::<T>()`;
    /// - if `facts.plain`, then `facts.bulk`, and every bit pattern of `size_of::<T>()` bytes is a `T`;
    /// - if `facts.text`, the head is the length of a text, the tail is its bytes, and `decode_ascii`, if the type has
    ///   one, takes exactly these.
    #[allow(unsafe_code, reason = "declares the promise; performs nothing")]
    #[must_use]
    pub const unsafe fn promise(facts: Facts) -> Self {
        Self { facts, of: PhantomData }
    }

    /// What is promised.
    #[must_use]
    pub const fn facts(self) -> Facts {
        self.facts
    }
}

/// One field of a product: where it lies in memory, how large it is, and what its encoding is.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// `offset_of!`.
    pub offset: usize,
    /// `size_of`.
    pub size: usize,
    /// Facts of the field's type.
    pub facts: Facts,
}

/// The facts of a struct, tuple or array row of `size` bytes, from its fields in declaration order.
///
/// The memory is the encoding if each field's is, and if the fields lie in memory in declaration order with nothing
/// between and nothing behind: then no padding is left. `repr(C)` is not needed for that, only seen or not seen.
///
/// # Panics
///
/// If the heads together are larger than the address space; at compile time, where this is called.
#[must_use]
pub const fn product(size: usize, fields: &[Field]) -> Facts {
    let mut head = 0_usize;
    let (mut tail, mut bulk, mut plain) = (false, true, true);
    let mut at = 0;
    while at < fields.len() {
        let field = fields[at];
        bulk &= field.facts.bulk && (field.size == 0 || field.offset == head);
        plain &= field.facts.plain;
        tail |= field.facts.tail;
        head = match head.checked_add(field.facts.head) {
            Some(sum) => sum,
            None => panic!("the head of this type is larger than the address space"),
        };
        at += 1;
    }
    bulk &= head == size;
    Facts { head, tail, bulk, plain: bulk && plain, opaque: false, text: false }
}

/// The texts that stand at the front of a row's tail, with nothing between them.
#[derive(Debug, Clone, Copy)]
pub struct TextRun {
    pub(crate) count: usize,
    /// The fields before this one are of the run, or have nothing in the tail.
    pub end: usize,
    /// Where in the head their lengths stand.
    pub(crate) lengths: [usize; 8],
}

/// Finds the run of texts of a struct, from its fields in declaration order.
#[must_use]
pub const fn text_run(fields: &[Field]) -> TextRun {
    let mut run = TextRun { count: 0, end: 0, lengths: [0; 8] };
    let (mut at, mut head) = (0, 0);
    while at < fields.len() {
        let facts = fields[at].facts;
        if facts.text && run.count < run.lengths.len() {
            run.lengths[run.count] = head;
            run.count += 1;
        } else if facts.tail {
            break;
        }
        head += facts.head;
        at += 1;
    }
    run.end = at;
    run
}
