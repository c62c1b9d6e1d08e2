//! What can be wrong with the text of a schema.

/// Why a text is no schema. Offsets count bytes from its start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The text is not canonical.
    #[error("the schema's text needs {expected} at byte {offset}")]
    Syntax {
        /// Where.
        offset: usize,
        /// What was to stand there.
        expected: &'static str,
    },
    /// Types within types, deeper than [`Schema::DEPTH`](super::Schema::DEPTH).
    #[error("types are nested too deep at byte {offset} of the schema's text")]
    Depth {
        /// Where the limit was met.
        offset: usize,
    },
    /// `^N` where fewer structs and enums are open.
    #[error("`^{levels}` at byte {offset} of the schema's text refers to nothing")]
    Reference {
        /// Where.
        offset: usize,
        /// How many levels out it points.
        levels: usize,
    },
    /// Two variants have one tag, or a tag does not fit its width.
    #[error("tag {tag} at byte {offset} of the schema's text stands twice or is too wide")]
    Tag {
        /// Where the variant begins.
        offset: usize,
        /// The tag.
        tag: u32,
    },
    /// A type that holds itself with nothing between: no value of it can be finite.
    #[error("the type at byte {offset} of the schema's text holds itself without end")]
    Endless {
        /// Where the type begins.
        offset: usize,
    },
    /// The fixed part of a type is larger than the address space.
    #[error("the type at byte {offset} of the schema's text is larger than the address space")]
    TooLarge {
        /// Where the type begins.
        offset: usize,
    },
}
