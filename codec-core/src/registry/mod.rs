//! Codecs by name and by type.
//!
//! The registry knows which codec stands for a name in a message, and under which name a value is sent. The
//! invariant: a name leads to the codec of exactly one type, or it is spoiled; and whatever leads from a type to a
//! name leads back.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use crate::codec::Codec;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::limits::Limits;
use crate::message::{Message, MessageError, Metadata, Options};

mod builtin;
mod entry;
mod error;
mod registration;
mod schemas;
mod value;

use entry::Functions;

pub use entry::Entry;
pub use error::RegistryError;
pub use registration::Registration;
pub use value::{AnyValue, Value};

/// The longest codec name in bytes.
const NAME: usize = 255;

/// The table of codecs.
///
/// [`CodecRegistry::global`] holds the [pre-registered](CodecRegistry::preregistered) types, what `#[codec(register)]` and
/// [`register_codec!`](crate::register_codec) name in every crate that is linked, and whatever is registered at run time.
///
/// ```
/// use podwire_codec_core::{Buffer, CodecRegistry};
///
/// let registry = CodecRegistry::new();
/// registry.register::<Vec<f32>>("samples")?;
///
/// let mut endpoint = Buffer::new();
/// registry.serialize(&vec![0.5_f32, 0.25], &mut endpoint)?;
///
/// let value = registry.deserialize(&mut endpoint)?; // by the name in the message
/// assert_eq!(value.downcast_ref::<Vec<f32>>().unwrap(), &[0.5, 0.25]);
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
///
/// Values of a type with several names are sent under the newest of those that were registered at run time; if there are
/// none, under the one of the automatic names that sorts first, so that it does not depend on the linker; and else under the
/// pre-registered one.
///
/// The linker drops a crate that is listed in `Cargo.toml` but named nowhere in the program, and its registrations
/// with it: name it once, as in `use sensors as _;`. A library that is loaded later adds its registrations with
/// [`collect`](Self::collect).
#[derive(Debug, Default)]
pub struct CodecRegistry {
    table: RwLock<Table>,
    schemas: RwLock<schemas::SchemaBook>,
}

#[derive(Debug, Default)]
struct Table {
    names: HashMap<Cow<'static, str>, Named>,
    /// For each type its names, the one to send with last.
    types: HashMap<TypeId, Vec<Sent>>,
    /// Registrations that were collected already.
    collected: usize,
    /// The newest of them, if any were asked for: `Some(None)` if there were none.
    newest: Option<Option<&'static Registration>>,
}

/// A name under which values of a type can be sent.
#[derive(Debug)]
struct Sent {
    name: Cow<'static, str>,
    rank: Rank,
}

/// Who gave a name; the highest decides. Of automatic names of one type the one that sorts first is sent: their order is
/// that of the linker, and where they stand in the source depends on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Preregistered,
    Automatic,
    Chosen,
}

#[derive(Debug, Clone)]
enum Named {
    /// One automatic registration.
    Codec(Arc<Entry>),
    /// What the program chose at run time; no automatic registration touches it.
    Chosen(Arc<Entry>),
    /// Automatic registrations of different types, at least two, in the order of their places, so that the message does
    /// not depend on the linker.
    Spoiled(Vec<Arc<Entry>>),
}

impl Named {
    fn codec(&self) -> Result<&Arc<Entry>, RegistryError> {
        match self {
            Self::Codec(entry) | Self::Chosen(entry) => Ok(entry),
            Self::Spoiled(entries) => {
                let [first, second, ..] = &entries[..] else {
                    unreachable!("a spoiled name has two entries")
                };
                Err(RegistryError::Ambiguous {
                    name: first.name().into(),
                    first: first.source(),
                    second: second.source(),
                })
            }
        }
    }

    /// All that have the name.
    fn entries(&self) -> Vec<Arc<Entry>> {
        match self {
            Self::Codec(entry) | Self::Chosen(entry) => vec![Arc::clone(entry)],
            Self::Spoiled(entries) => entries.clone(),
        }
    }
}

impl Table {
    /// Puts an entry in, in the place of whatever has its name.
    fn put(&mut self, entry: Entry, send: Option<Rank>, named: fn(Arc<Entry>) -> Named) {
        let name = entry.key();
        self.forget(&name);
        if let Some(rank) = send {
            self.send(entry.value_type(), name.clone(), rank);
        }
        self.names.insert(name, named(Arc::new(entry)));
    }

    /// Notes that values of a type can be sent under a name.
    fn send(&mut self, of: TypeId, name: Cow<'static, str>, rank: Rank) {
        let names = self.types.entry(of).or_default();
        if let Some(known) = names.iter().position(|known| known.name == name) {
            if names[known].rank >= rank {
                return;
            }
            names.remove(known);
        }
        // Of names that were chosen the newest comes last.
        let before = |known: &Sent| {
            known.rank < rank || known.rank == rank && (rank == Rank::Chosen || known.name > name)
        };
        let at = names.partition_point(before);
        names.insert(at, Sent { name, rank });
    }

    /// Puts an automatic registration in, which replaces nothing.
    fn collect(&mut self, registration: &Registration, rank: Rank) {
        for (entry, send) in registration.entries() {
            let send = send.then_some(rank);
            match self.names.get_mut(entry.name()) {
                None => self.put(entry, send, Named::Codec),
                // The same once more; what was understood only may be sent from now on.
                Some(Named::Codec(first)) if first.value_type() == entry.value_type() => {
                    if let Some(rank) = send {
                        self.send(entry.value_type(), entry.key(), rank);
                    }
                }
                Some(named @ Named::Codec(_)) => {
                    let first = named.entries();
                    *named = Named::Spoiled(first);
                    self.spoil(entry, send);
                }
                Some(Named::Spoiled(_)) => self.spoil(entry, send),
                Some(Named::Chosen(_)) => {}
            }
        }
    }

    /// Notes that one more automatic registration claims a name for a type of its own.
    fn spoil(&mut self, entry: Entry, send: Option<Rank>) {
        if let Some(rank) = send {
            self.send(entry.value_type(), entry.key(), rank);
        }
        if let Some(Named::Spoiled(entries)) = self.names.get_mut(entry.name()) {
            let at = entries.partition_point(|known| known.place() <= entry.place());
            entries.insert(at, Arc::new(entry));
        }
    }

    /// Removes a name from the names of its types.
    fn forget(&mut self, name: &str) {
        let Some(named) = self.names.remove(name) else { return };
        for entry in named.entries() {
            if let Some(names) = self.types.get_mut(&entry.value_type()) {
                names.retain(|known| known.name != name);
                if names.is_empty() {
                    self.types.remove(&entry.value_type());
                }
            }
        }
    }
}

impl CodecRegistry {
    /// A registry without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A registry of everyday types, under the names that Rust gives them, and understood under those of C++ as well.
    ///
    /// With `S` one of `bool`, `i8` to `i64`, `u8` to `u64`, `f32`, `f64`, `Complex<f32>`, `Complex<f64>` and `String`: each
    /// `S`, `Vec<S>` and `Vec<Vec<S>>`, and each of these in an `Arc`; `HashMap<String, String>`, also in an `Arc`;
    /// `Arc<[f32; 16]>`; `i128`, `u128` and `char`; `Tensor`, `TensorMap`, `VideoBuffer`, `AudioBuffer`, `Timestamp` and
    /// `EndOfStream`. The whole table, with the names, stands in `docs/wire-format.md`, section 3.
    ///
    /// ```
    /// use podwire_codec_core::CodecRegistry;
    ///
    /// let registry = CodecRegistry::preregistered();
    /// assert_eq!(registry.by_name("Vec<Vec<f32>>")?.schema().to_string(), "[[f32]]");
    /// assert_eq!(registry.by_name("std::vector<std::vector<float>>")?.schema().to_string(), "[[f32]]");
    /// # Ok::<(), podwire_codec_core::Error>(())
    /// ```
    #[must_use]
    pub fn preregistered() -> Self {
        let mut table = Table::default();
        table.names.reserve(builtin::NAMES);
        table.types.reserve(builtin::NAMES / 2);
        builtin::rows().for_each(|row| table.collect(row, Rank::Preregistered));
        Self { table: RwLock::new(table), ..Self::default() }
    }

    /// The registry of this process: the [pre-registered](Self::preregistered) types, and those that the program registers.
    ///
    /// ```
    /// use podwire_codec_core::{Buffer, CodecRegistry};
    ///
    /// let mut endpoint = Buffer::new();
    /// CodecRegistry::global().serialize(&vec!["left".to_owned()], &mut endpoint)?;
    /// let value = CodecRegistry::global().deserialize(&mut endpoint)?;
    /// assert_eq!(*value.downcast::<Vec<String>>().unwrap(), ["left"]);
    /// # Ok::<(), podwire_codec_core::Error>(())
    /// ```
    pub fn global() -> &'static Self {
        static GLOBAL: LazyLock<CodecRegistry> = LazyLock::new(|| {
            let registry = CodecRegistry::preregistered();
            registry.collect();
            registry
        });
        &GLOBAL
    }

    /// Takes up the automatic registrations that this registry does not have yet: those of libraries that were
    /// loaded after the first use. Says how many are new.
    pub fn collect(&self) -> usize {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<&Registration> = inventory::iter::<Registration>.into_iter().collect();
        // `inventory` shows the newest first, and never loses one.
        let new = all.len() - table.collected;
        let mut sorted = all[..new].to_vec();
        // Also what is shown of a name that is registered twice does not depend on the linker.
        sorted.sort_by_key(|registration| registration.place());
        for registration in sorted {
            table.collect(registration, Rank::Automatic);
        }
        table.collected = all.len();
        table.newest = Some(all.first().copied());
        new
    }

    /// What `find` finds; if that is nothing, and there are new automatic registrations, once more with them: those
    /// of a library that was loaded since, or of this program, if the first look-up came before `main`.
    fn find<R>(&self, find: impl Fn(&Table) -> Option<R>) -> Option<R> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = find(&table) {
            return Some(found);
        }
        let known = table.newest?;
        let newest = inventory::iter::<Registration>.into_iter().next();
        if known.map(std::ptr::from_ref) == newest.map(std::ptr::from_ref) {
            return None;
        }
        drop(table);
        self.collect();
        find(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Registers `T` under a name, in the place of whatever has it. Values of type `T` are sent under the
    /// newest name that they got here; all their names are understood.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BadName`].
    #[track_caller]
    pub fn register<T: Codec + Any + Send + Sync>(&self, name: &str) -> Result<()> {
        self.put(Entry::here(name, Functions::of::<T>()), true, true)
    }

    /// Registers `T` under a name that is free.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Taken`] and [`RegistryError::BadName`].
    #[track_caller]
    pub fn try_register<T: Codec + Any + Send + Sync>(&self, name: &str) -> Result<()> {
        self.put(Entry::here(name, Functions::of::<T>()), true, false)
    }

    /// Lets messages of this name be understood as `T`; nothing is sent under it.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BadName`].
    #[track_caller]
    pub fn register_alias<T: Codec + Any + Send + Sync>(&self, name: &str) -> Result<()> {
        self.put(Entry::here(name, Functions::of::<T>()), false, true)
    }

    /// Registers plain old data that has no codec: its bytes are its memory.
    ///
    /// ```
    /// use podwire_codec_core::{Buffer, CodecRegistry};
    ///
    /// let registry = CodecRegistry::new();
    /// registry.register_pod::<[f32; 3]>("Vec3")?;
    /// let mut endpoint = Buffer::new();
    /// registry.serialize(&[1.0_f32, 2.0, 3.0], &mut endpoint)?;
    /// assert_eq!(*registry.deserialize(&mut endpoint)?.downcast::<[f32; 3]>().unwrap(), [1.0, 2.0, 3.0]);
    /// # Ok::<(), podwire_codec_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RegistryError::BadName`].
    #[track_caller]
    pub fn register_pod<T: bytemuck::Pod + Send + Sync>(&self, name: &str) -> Result<()> {
        self.put(Entry::here(name, Functions::of_pod::<T>()), true, true)
    }

    fn put(&self, entry: Entry, send: bool, replace: bool) -> Result<()> {
        check_name(entry.name())?;
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if !replace && table.names.contains_key(entry.name()) {
            return Err(RegistryError::Taken { name: entry.name().into() }.into());
        }
        table.put(entry, send.then_some(Rank::Chosen), Named::Chosen);
        Ok(())
    }

    /// The codec of a name.
    ///
    /// # Errors
    ///
    /// [`RegistryError::UnknownName`] and [`RegistryError::Ambiguous`].
    pub fn by_name(&self, name: &str) -> Result<Arc<Entry>> {
        let named = self.find(|table| table.names.get(name).cloned());
        let named = named.ok_or_else(|| RegistryError::UnknownName { name: shown(name) })?;
        Ok(Arc::clone(named.codec()?))
    }

    /// The codec with which values of a type are sent.
    ///
    /// # Errors
    ///
    /// [`RegistryError::UnknownType`], [`RegistryError::Boxed`] and [`RegistryError::Ambiguous`].
    pub fn by_type(&self, of: TypeId) -> Result<Arc<Entry>> {
        self.by_named_type(of, None)
    }

    fn by_named_type(&self, of: TypeId, type_name: Option<&'static str>) -> Result<Arc<Entry>> {
        match self.find(|table| table.names.get(&table.types.get(&of)?.last()?.name).cloned()) {
            Some(named) => Ok(Arc::clone(named.codec()?)),
            None if value::is_boxed(of) => Err(RegistryError::Boxed.into()),
            None => Err(RegistryError::UnknownType { type_name }.into()),
        }
    }

    /// All names that lead to a codec, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<Box<str>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<Box<str>> = table
            .names
            .iter()
            .filter(|(_, named)| named.codec().is_ok())
            .map(|(name, _)| Box::from(&**name))
            .collect();
        names.sort();
        names
    }

    /// Every name that two automatic registrations claim, of those that were [collected](Self::collect). A program that
    /// wants to know at its start calls this.
    #[must_use]
    pub fn check(&self) -> Vec<RegistryError> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let mut errors: Vec<_> = table.names.values().filter_map(|named| named.codec().err()).collect();
        errors.sort_by_key(ToString::to_string);
        errors
    }

    /// Writes a value of any registered type as a message, and says how many bytes that took.
    ///
    /// # Errors
    ///
    /// [`RegistryError::UnknownType`], [`RegistryError::Ambiguous`], and those of the codec and the endpoint;
    /// [`RegistryError::Boxed`] for `&value` of an [`AnyValue`] in the place of `&*value`.
    pub fn serialize<V, E>(&self, value: &V, endpoint: &mut E) -> Result<usize>
    where
        V: Value + ?Sized,
        E: Endpoint + ?Sized,
    {
        let entry = self.by_named_type(value.as_any().type_id(), value.type_name())?;
        crate::message::write(entry.name(), entry.fingerprint(), &Metadata::new(), endpoint, |writer| {
            entry.encode(value.as_any(), writer)
        })
    }

    /// [`serialize`](Self::serialize), with metadata, a checksum, or the schema in the message.
    ///
    /// # Errors
    ///
    /// As [`serialize`](Self::serialize).
    pub fn serialize_with<V, E>(&self, value: &V, options: Options<'_>, endpoint: &mut E) -> Result<usize>
    where
        V: Value + ?Sized,
        E: Endpoint + ?Sized,
    {
        let entry = self.by_named_type(value.as_any().type_id(), value.type_name())?;
        crate::message::write_with(entry.name(), &entry.schema(), options, endpoint, |writer| {
            entry.encode(value.as_any(), writer)
        })
    }

    /// Reads the next message by the name in its header.
    ///
    /// # Errors
    ///
    /// [`RegistryError::UnknownName`], [`RegistryError::Ambiguous`], [`MessageError`], and those of the codec and
    /// the endpoint. A message of an unknown name was taken whole: the next one can be read.
    pub fn deserialize<E: Endpoint + ?Sized>(&self, endpoint: &mut E) -> Result<AnyValue> {
        self.deserialize_with(endpoint, Limits::DEFAULT)
    }

    /// [`deserialize`](Self::deserialize) under other [`Limits`], for the message and again for its value.
    ///
    /// # Errors
    ///
    /// As [`deserialize`](Self::deserialize).
    pub fn deserialize_with<E: Endpoint + ?Sized>(
        &self,
        endpoint: &mut E,
        limits: Limits,
    ) -> Result<AnyValue> {
        let message = Message::read(endpoint, limits)?;
        self.decode_with(&message, endpoint, limits)
    }

    /// Decodes a message whose segments are with `endpoint`.
    ///
    /// # Errors
    ///
    /// As [`deserialize`](Self::deserialize).
    pub fn decode<E: Endpoint + ?Sized>(&self, message: &Message<'_>, endpoint: &mut E) -> Result<AnyValue> {
        self.decode_with(message, endpoint, Limits::DEFAULT)
    }

    /// [`decode`](Self::decode) under other [`Limits`].
    ///
    /// # Errors
    ///
    /// As [`deserialize`](Self::deserialize).
    pub fn decode_with<E: Endpoint + ?Sized>(
        &self,
        message: &Message<'_>,
        mut endpoint: &mut E,
        limits: Limits,
    ) -> Result<AnyValue> {
        let entry = self.entry_for(message)?;
        message.decode(&mut endpoint, limits, |reader| entry.decode(reader))
    }

    /// Decodes a message that is to hold a `T`, whose segments are with `endpoint`.
    ///
    /// # Errors
    ///
    /// [`MessageError::WrongType`] if it holds anything else; otherwise as [`deserialize`](Self::deserialize).
    pub fn decode_as<T: Codec + Any, E: Endpoint + ?Sized>(
        &self,
        message: &Message<'_>,
        endpoint: &mut E,
    ) -> Result<T> {
        self.decode_as_with(message, endpoint, Limits::DEFAULT)
    }

    /// [`decode_as`](Self::decode_as) under other [`Limits`].
    ///
    /// # Errors
    ///
    /// As [`decode_as`](Self::decode_as).
    pub fn decode_as_with<T: Codec + Any, E: Endpoint + ?Sized>(
        &self,
        message: &Message<'_>,
        mut endpoint: &mut E,
        limits: Limits,
    ) -> Result<T> {
        if self.by_name(message.name())?.value_type() != TypeId::of::<T>() {
            let wanted = self.by_named_type(TypeId::of::<T>(), Some(std::any::type_name::<T>()))?;
            let expected = wanted.name().into();
            return Err(MessageError::WrongType { expected, found: shown(message.name()) }.into());
        }
        self.entry_for(message)?;
        message.value(&mut endpoint, limits)
    }

    /// The codec of a message, if both sides mean the same by it.
    fn entry_for(&self, message: &Message<'_>) -> Result<Arc<Entry>> {
        let entry = self.by_name(message.name())?;
        if entry.fingerprint() == message.fingerprint() {
            Ok(entry)
        } else {
            Err(self.mismatch(&entry, message))
        }
    }
}

/// Refuses names that nobody could read in a list or a log.
fn check_name(name: &str) -> Result<()> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > NAME {
        "it is longer than 255 bytes"
    } else if name.chars().any(char::is_control) {
        "it has control characters"
    } else {
        return Ok(());
    };
    Err(RegistryError::BadName { name: shown(name), reason }.into())
}

/// A name of unknown origin as it can be shown: escaped, cut at 64 bytes.
fn shown(name: &str) -> Box<str> {
    let mut shown = String::new();
    for character in name.chars() {
        let escaped = character.escape_debug();
        if shown.len() + escaped.len() > 64 {
            shown.push('…');
            break;
        }
        shown.extend(escaped);
    }
    shown.into()
}

impl From<RegistryError> for crate::Error {
    fn from(error: RegistryError) -> Self {
        Self::Registry(Box::new(error))
    }
}

/// Registers a type under a name in the global registry, in every program that this crate is linked into.
///
/// For instances of generic types and for types of other crates; on a type of your own write `#[codec(register)]`.
/// A type travels by its codec, or, if it has none and is plain old data (`bytemuck::Pod`, or `NoUninit` and
/// `CheckedBitPattern`), as its bytes: also in a `Vec`, an `Option` or an array. Further names are aliases: messages
/// of these names are understood, and none is sent.
///
/// ```
/// use podwire_codec_core::{CodecRegistry, register_codec};
///
/// register_codec!(Vec<Option<f32>>, "gappy samples", "std::vector<std::optional<float>>");
///
/// assert!(CodecRegistry::global().by_name("gappy samples").is_ok());
/// assert!(CodecRegistry::global().by_name("std::vector<std::optional<float>>").is_ok());
/// ```
#[macro_export]
macro_rules! register_codec {
    (Vec<$element:ty>, $($names:expr),+ $(,)?) => {
        $crate::register_codec! { @ [$($names),+] Vec<$element>, $element }
    };
    (Option<$element:ty>, $($names:expr),+ $(,)?) => {
        $crate::register_codec! { @ [$($names),+] Option<$element>, $element }
    };
    ([$element:ty; $count:expr], $($names:expr),+ $(,)?) => {
        $crate::register_codec! { @ [$($names),+] [$element; $count], $element }
    };
    ($type:ty, $($names:expr),+ $(,)?) => {
        $crate::register_codec! { @ [$($names),+] $type }
    };
    (@ [$name:expr $(, $alias:expr)*] $type:ty $(, $element:ty)?) => {
        const _: () = {
            use $crate::__private::{
                Level0 as _, Level1 as _, Level2 as _, Level3 as _, Level4 as _, Level5 as _,
            };
            $crate::__private::inventory::submit! {
                $crate::registry::Registration::via($name, ::core::file!(), ::core::line!(), || {
                    $crate::__codec_probe!($type $(, $element)?)
                })
                .with_aliases(&[$($alias),*])
            }
        };
    };
}

/// How a type travels; of a container, its elements are asked about first, and errors are theirs.
#[doc(hidden)]
#[macro_export]
macro_rules! __codec_probe {
    ($type:ty) => {
        (&&&&&&$crate::__private::Probe::<$type, (), false>::leaf()).__codec_demand::<$type>()
    };
    ($type:ty, $element:ty) => {
        (&&&&&&$crate::__private::Probe::<$type, _, false>::of($crate::__codec_probe!($element)))
            .__codec_demand::<$type>()
    };
}
