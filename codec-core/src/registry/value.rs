//! Values whose type the registry finds out.

use std::any::{Any, TypeId};
use std::sync::Arc;

/// A value of any registered type.
pub type AnyValue = Box<dyn Any + Send + Sync>;

/// What the registry can send: a value of any type, or a `dyn Any` such as an [`AnyValue`] holds.
///
/// Every type that is `Any + Send + Sync` has it. It is a trait, and not `dyn Any` alone, so that an error can name the
/// type where the compiler knows it.
pub trait Value {
    /// The value as the registry looks at it.
    #[doc(hidden)]
    fn as_any(&self) -> &(dyn Any + Send + Sync);

    /// The name of its type, where the compiler knows it.
    #[doc(hidden)]
    fn type_name(&self) -> Option<&'static str>;
}

impl<T: Any + Send + Sync> Value for T {
    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }

    fn type_name(&self) -> Option<&'static str> {
        Some(std::any::type_name::<T>())
    }
}

impl Value for dyn Any + Send + Sync {
    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }

    fn type_name(&self) -> Option<&'static str> {
        None
    }
}

/// Whether a type is a pointer to a value of any type: what is meant is the value.
pub(super) fn is_boxed(of: TypeId) -> bool {
    [
        TypeId::of::<Box<dyn Any>>(),
        TypeId::of::<Box<dyn Any + Send>>(),
        TypeId::of::<AnyValue>(),
        TypeId::of::<Arc<dyn Any + Send + Sync>>(),
    ]
    .contains(&of)
}
