//! podwire for Python: the extension module `podwire._podwire`.
//!
//! Not here: what a dataclass means as a schema, and the names that users see, which are Python (`podwire/`). Invariant: what
//! waits, copies or maps does so without the GIL, and every error of podwire's crates arrives as its own Python class.

mod allocation;
mod array;
mod channel;
mod context;
mod dlpack;
mod dtype;
mod encode;
mod errors;
mod fields;
mod gpu;
mod heads;
mod layout;
mod memory;
mod message;
mod narrow;
mod native;
mod numbers;
mod operators;
mod publish;
mod raw;
mod schema;
mod tensor;
mod value;
mod view;
mod waiting;
mod watch;

/// The native part of `podwire`.
#[pyo3::pymodule]
mod _podwire {
    use pyo3::prelude::*;

    /// The text of a tensor's schema.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("TENSOR", crate::tensor::schema().text())
    }

    #[pymodule_export]
    use crate::allocation::FastIOAllocation;
    #[pymodule_export]
    use crate::array::seal;
    #[pymodule_export]
    use crate::channel::{Channel, Receiver, Sender, wait_for_any};
    #[pymodule_export]
    use crate::context::FastIOContext;
    #[pymodule_export]
    use crate::gpu::Device;
    #[pymodule_export]
    use crate::memory::Memory;
    #[pymodule_export]
    use crate::message::{decode_value, dump_message, encode_value, load_message};
    #[pymodule_export]
    use crate::native::NativeTensor;
    #[pymodule_export]
    use crate::operators::{Application, Context, Input, OperatorSpec, Output, builtin, register};
    #[pymodule_export]
    use crate::raw::AsArray;
    #[pymodule_export]
    use crate::schema::Schema;
    #[pymodule_export]
    use crate::view::View;
    #[pymodule_export]
    use crate::watch::{Event, Listing, Watch};
}
