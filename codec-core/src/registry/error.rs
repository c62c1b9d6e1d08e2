//! What can go wrong between a name and its codec.

/// Why the registry cannot serve a name or a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No codec has this name.
    #[error("no codec is registered as \"{name}\"")]
    UnknownName {
        /// The name, escaped, cut at 64 bytes.
        name: Box<str>,
    },
    /// No codec is registered for this type.
    #[error(
        "no codec is registered for {}: add `#[codec(register)]` to it, or call `registry.register::<T>(name)`",
        shown_type(*.type_name)
    )]
    UnknownType {
        /// The type as the compiler calls it; nothing where it is known at run time only.
        type_name: Option<&'static str>,
    },
    /// A box with a value of any type was given in the place of the value.
    #[error("this is a pointer to `dyn Any`, which itself has no codec: give what it points to, `&*value`")]
    Boxed,
    /// A value of another type was given to a codec.
    #[error("the value is not of the type that codec \"{name}\" is for")]
    WrongType {
        /// Name of the codec.
        name: Box<str>,
    },
    /// Two registrations claim one name; it cannot be used until one of them is chosen at run time.
    #[error(
        "codec name \"{name}\" is registered at {first} and at {second}: `register` one of them at run time"
    )]
    Ambiguous {
        /// The name.
        name: Box<str>,
        /// File and line of one registration.
        first: Box<str>,
        /// File and line of the other.
        second: Box<str>,
    },
    /// `try_register` found the name in use.
    #[error("codec name \"{name}\" is taken")]
    Taken {
        /// The name.
        name: Box<str>,
    },
    /// No codec can have this name.
    #[error("\"{name}\" cannot be a codec name: {reason}")]
    BadName {
        /// The name, escaped, cut at 64 bytes.
        name: Box<str>,
        /// What is wrong with it.
        reason: &'static str,
    },
}

fn shown_type(name: Option<&'static str>) -> String {
    name.map_or_else(|| "this type".into(), |name| format!("`{name}`"))
}
