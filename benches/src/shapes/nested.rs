//! A chain of boxes, to see what a level of nesting costs.

use super::owned;

owned! {
    [rkyv(
        serialize_bounds(__S: rkyv::ser::Writer + rkyv::ser::Allocator, __S::Error: rkyv::rancor::Source),
        deserialize_bounds(__D::Error: rkyv::rancor::Source),
        bytecheck(bounds(__C: rkyv::validation::ArchiveContext, __C::Error: rkyv::rancor::Source)),
    )]
    /// A level, and those in it.
    pub(crate) struct Level {
        pub(crate) number: u32,
        #[cfg_attr(feature = "peers", rkyv(omit_bounds))]
        inner: Option<Box<Level>>,
    }
}

/// So many levels.
pub(crate) fn generate(levels: u32) -> Level {
    let inner = (levels > 1).then(|| Box::new(generate(levels - 1)));
    Level { number: levels, inner }
}
