//! Codecs by name and by type.
//!
//! The registry knows which codec stands for a name in a message, and under which name a value is sent. The
//! invariant: a name leads to the codec of exactly one type, or it is spoiled; and whatever leads from a type to a
//! name leads back.

use std::any::{Any, TypeId};
use std::sync::{LazyLock, PoisonError, RwLock, RwLockWriteGuard};

use crate::codec::Codec;
use crate::error::Result;

mod builtin;
mod dynamic;
mod entries;
mod entry;
mod error;
mod messages;
mod name;
mod recent;
mod registration;
mod schemas;
mod table;
mod value;

use entries::Entries;
use entry::Functions;
use name::{check_name, shown};
use recent::Recent;
use table::{Change, Named, Rank, Table};

pub use dynamic::{Dynamic, DynamicCodec};
pub use entry::Entry;
pub use error::RegistryError;
pub use registration::Registration;
pub use value::{AnyValue, Value};

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
    entries: Entries,
    table: RwLock<Table>,
    recent: Recent,
    schemas: RwLock<schemas::SchemaBook>,
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
        let (entries, mut table) = (Entries::default(), Table::default());
        table.names.reserve(builtin::NAMES);
        table.types.reserve(builtin::NAMES / 2);
        let mut change = Change { entries: &entries, table: &mut table };
        builtin::rows().for_each(|row| change.collect(row, Rank::Preregistered));
        Self { entries, table: RwLock::new(table), ..Self::default() }
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
        let mut table = self.changing();
        let all: Vec<&Registration> = inventory::iter::<Registration>.into_iter().collect();
        // `inventory` shows the newest first, and never loses one.
        let new = all.len() - table.collected;
        let mut sorted = all[..new].to_vec();
        // Also what is shown of a name that is registered twice does not depend on the linker.
        sorted.sort_by_key(|registration| registration.place());
        let mut change = Change { entries: &self.entries, table: &mut table };
        for registration in sorted {
            change.collect(registration, Rank::Automatic);
        }
        table.collected = all.len();
        table.newest = Some(all.first().copied());
        new
    }

    /// The table, to be changed: nothing of what it said before is remembered.
    fn changing(&self) -> RwLockWriteGuard<'_, Table> {
        let table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        self.recent.forget();
        table
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

    /// Registers the codec of a type that Rust does not know, in the place of whatever has the name: messages of this name
    /// become a [`Dynamic`], and a [`Dynamic`] of this name is sent by it.
    ///
    /// The codec stays for as long as the program runs: register one for each type, not for each value.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BadName`].
    #[track_caller]
    pub fn register_dynamic(&self, name: &str, codec: impl DynamicCodec + 'static) -> Result<()> {
        check_name(name)?;
        // Entries hold constants; this one becomes a constant here.
        let functions = Box::leak(Box::new(Functions::Dynamic(Box::new(codec))));
        self.put(Entry::here(name, functions), false, true)
    }

    fn put(&self, entry: Entry, send: bool, replace: bool) -> Result<()> {
        check_name(entry.name())?;
        let mut table = self.changing();
        if !replace && table.names.contains_key(entry.name()) {
            return Err(RegistryError::Taken { name: entry.name().into() }.into());
        }
        let mut change = Change { entries: &self.entries, table: &mut table };
        change.put(entry, send.then_some(Rank::Chosen), Named::Chosen);
        Ok(())
    }

    /// The codec of a name. It stays, as long as the registry does, what it is now, also if another takes its name.
    ///
    /// # Errors
    ///
    /// [`RegistryError::UnknownName`] and [`RegistryError::Ambiguous`].
    #[inline]
    pub fn by_name(&self, name: &str) -> Result<&Entry> {
        match self.recent.by_name(&self.entries, name) {
            Some(entry) => Ok(entry),
            None => self.look_up_name(name),
        }
    }

    #[cold]
    fn look_up_name(&self, name: &str) -> Result<&Entry> {
        let number = self.find(|table| {
            let number = table.names.get(name)?.codec(&self.entries);
            if let Ok(number) = number {
                self.recent.remember_name(name, number);
            }
            Some(number)
        });
        let number = number.ok_or_else(|| RegistryError::UnknownName { name: shown(name) })?;
        Ok(&self.entries[number?])
    }

    /// The codec with which a value is sent: that of its type, or the one that a [`Dynamic`] names.
    ///
    /// # Errors
    ///
    /// As [`by_type`](Self::by_type), and [`RegistryError::UnknownName`].
    #[inline]
    pub fn by_value(&self, value: &dyn Any) -> Result<&Entry> {
        self.by_named_value(value, None)
    }

    /// The same; an error names the type of the value, where that is known.
    #[inline]
    fn by_named_value(&self, value: &dyn Any, type_name: Option<&'static str>) -> Result<&Entry> {
        match value.downcast_ref::<Dynamic>() {
            Some(value) => self.by_name(value.codec()),
            None => self.by_named_type(value.type_id(), type_name),
        }
    }

    /// The codec with which values of a type are sent.
    ///
    /// # Errors
    ///
    /// [`RegistryError::UnknownType`], [`RegistryError::Boxed`] and [`RegistryError::Ambiguous`].
    #[inline]
    pub fn by_type(&self, of: TypeId) -> Result<&Entry> {
        self.by_named_type(of, None)
    }

    #[inline]
    fn by_named_type(&self, of: TypeId, type_name: Option<&'static str>) -> Result<&Entry> {
        match self.recent.by_type(&self.entries, of) {
            Some(entry) => Ok(entry),
            None => self.look_up_type(of, type_name),
        }
    }

    #[cold]
    fn look_up_type(&self, of: TypeId, type_name: Option<&'static str>) -> Result<&Entry> {
        let number = self.find(|table| {
            let number = table.names.get(&table.types.get(&of)?.last()?.name)?.codec(&self.entries);
            if let Ok(number) = number {
                self.recent.remember_type(of, number);
            }
            Some(number)
        });
        match number {
            Some(number) => Ok(&self.entries[number?]),
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
            .filter(|(_, named)| named.codec(&self.entries).is_ok())
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
        let mut errors: Vec<_> =
            table.names.values().filter_map(|named| named.codec(&self.entries).err()).collect();
        errors.sort_by_key(ToString::to_string);
        errors
    }
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
