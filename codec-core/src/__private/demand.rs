//! What the derive's output demands of types, with errors that say what to write.
//!
//! Each trait holds exactly where the trait that it stands for does. It is demanded in that one's place because the
//! compiler then speaks of the type that the user wrote, in these words, and lists no other types.

use core::hash::Hash;

use bytemuck::{CheckedBitPattern, NoUninit};

use crate::encode::Encode;
use crate::trivial::Trivial;

/// Stands for `Encode`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no codec",
    label = "this type cannot be encoded",
    note = "if the type is yours, write `#[derive(podwire::Codec)]` above it",
    note = "if it is another crate's, `#[codec(with = module)]` on the field says how it travels, and `#[codec(skip)]` that it does not; plain old data (`bytemuck::Pod`) needs neither, in the containers that `docs/derive.md` names"
)]
pub trait HasCodec {}

#[diagnostic::do_not_recommend]
impl<T: Encode + ?Sized> HasCodec for T {}

/// Demands a codec of the elements of a slice.
pub const fn element<T: HasCodec>() {}

/// Stands for `Encode`, of a type that holds a trait object.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no codec",
    label = "bytes do not say which type behind `dyn` they are",
    note = "hold an enum of the types that there are, or an `AnyValue` of the registry with `#[codec(with = module)]`, or write `#[codec(skip)]`"
)]
pub trait HasObjectCodec {}

#[diagnostic::do_not_recommend]
impl<T: Encode + ?Sized> HasObjectCodec for T {}

/// Demands a codec of a type that holds a trait object.
pub const fn object<T: HasObjectCodec>() {}

/// Stands for the traits of bytemuck that `#[codec(pod)]` asks for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not plain old data",
    label = "`#[codec(pod)]` needs `bytemuck::Pod`, or `NoUninit` and `CheckedBitPattern`",
    note = "if the type is yours, remove `pod` and write `#[derive(podwire::Codec)]` above it",
    note = "if it is another crate's, `#[codec(with = module)]` says how it travels"
)]
pub trait PlainOldData {}

#[diagnostic::do_not_recommend]
impl<T: NoUninit + CheckedBitPattern> PlainOldData for T {}

/// Stands for `Trivial`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not trivial, so the struct around it cannot be",
    label = "its memory is not guaranteed to be its encoding",
    note = "if it is a struct of yours whose fields are all trivial, write `#[derive(Clone, Copy, Codec)] #[repr(C)] #[codec(trivial)]` above it",
    note = "otherwise remove `trivial` from the struct around it: it travels as fast without, this is only a promise"
)]
pub trait IsTrivial {}

#[diagnostic::do_not_recommend]
impl<T: Trivial> IsTrivial for T {}

/// Stands for `Copy`, of a trivial struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be trivial: it is not `Copy`",
    label = "not `Copy`",
    note = "write `#[derive(Clone, Copy)]` above it, or remove `trivial`"
)]
pub trait IsCopy {}

#[diagnostic::do_not_recommend]
impl<T: Copy> IsCopy for T {}

/// Demands that a trivial struct is `Copy`.
pub const fn copy<T: IsCopy>() {}

/// Stands for `Copy`, in a packed struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a packed struct with a codec: it is not `Copy`",
    label = "it cannot be copied out, and a reference to it would not be aligned",
    note = "remove `packed` from the struct: it says nothing of the wire, where there is never any padding"
)]
pub trait IsCopied {}

#[diagnostic::do_not_recommend]
impl<T: Copy> IsCopied for T {}

/// Stands for `Default`, and gives it.
#[diagnostic::on_unimplemented(
    message = "a skipped field of type `{Self}` has no value when it is decoded",
    label = "this type has no `Default`",
    note = "write `#[codec(skip, default = function)]` with a function that makes the value, or `#[derive(Default)]` above the type"
)]
pub trait HasDefault: Default {}

#[diagnostic::do_not_recommend]
impl<T: Default> HasDefault for T {}

/// Stands for `Eq` and `Hash`, and gives them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key of a hash map, or an element of a hash set",
    label = "not `Eq + Hash`",
    note = "if the type is yours, write `#[derive(PartialEq, Eq, Hash)]` above it; if it is a parameter, bind it: `K: Eq + Hash`",
    note = "floats are neither: hold a `Vec` of pairs"
)]
pub trait HashedKey: Eq + Hash {}

#[diagnostic::do_not_recommend]
impl<T: Eq + Hash> HashedKey for T {}

/// Stands for `Ord`, and gives it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key of a sorted map, or an element of a sorted set",
    label = "not `Ord`",
    note = "if the type is yours, write `#[derive(PartialEq, Eq, PartialOrd, Ord)]` above it; if it is a parameter, bind it: `K: Ord`",
    note = "floats are not: hold a `Vec` of pairs"
)]
pub trait SortedKey: Ord {}

#[diagnostic::do_not_recommend]
impl<T: Ord> SortedKey for T {}

/// Stands for `Send` and `Sync`, and gives them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be registered: what the registry decodes may go to any thread",
    label = "not `Send + Sync`",
    note = "hold `Arc` instead of `Rc`, and atomics or a lock instead of a cell"
)]
pub trait Shared: Send + Sync {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync> Shared for T {}
