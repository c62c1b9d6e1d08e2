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
        "no codec is registered for this type: add `#[codec(register)]` to it, or `registry.register::<T>(name)`"
    )]
    UnknownType,
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
