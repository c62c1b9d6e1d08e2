//! From podwire's errors to Python's, one class for each situation that a caller can act on.
//!
//! Not here: the classes, which are Python (`podwire/errors.py`). Invariant: an exception that a callback raised comes out as
//! itself, through whatever codec it went.

use podwire_codec_core::{Error as CodecError, message::MessageError};
use podwire_fastio::Error as FastIoError;
use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyModule, PyType},
};

/// An exception of the class of this name in `podwire.errors`.
pub(crate) fn error(py: Python<'_>, class: &str, message: impl ToString) -> PyErr {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("podwire.errors").map(Bound::unbind));
    let class = module.and_then(|module| Ok(module.bind(py).getattr(class)?.cast_into::<PyType>()?));
    match class {
        Ok(class) => PyErr::from_type(class, message.to_string()),
        Err(error) => error,
    }
}

/// Whether an exception is of podwire.
pub(crate) fn is_own(py: Python<'_>, error: &PyErr) -> bool {
    error.get_type(py).getattr("__module__").is_ok_and(|module| module.eq("podwire.errors").unwrap_or(false))
}

/// The exception for an error of Fast I/O; `codec` is the class for an error of a codec within it.
pub(crate) fn fastio(py: Python<'_>, problem: FastIoError, codec: &str) -> PyErr {
    let class = match &problem {
        FastIoError::Codec(_) => match problem {
            FastIoError::Codec(inner) => return self::codec(py, inner, codec),
            _ => codec,
        },
        FastIoError::NotFound { .. } => "NotFound",
        // Rust's error names the methods of Rust.
        FastIoError::NameTaken { name } => {
            return error(
                py,
                "NameTaken",
                format!("the name {name:?} is taken; `replace=True` takes it over"),
            );
        }
        FastIoError::BadName { .. } => "BadName",
        FastIoError::NotAValue { .. } => "NotAValue",
        FastIoError::NoSchema { .. } => "NoSchema",
        FastIoError::NoSpace { .. } => "NoSpace",
        FastIoError::QuotaExceeded { .. } => "QuotaExceeded",
        FastIoError::Timeout { .. } => "Timeout",
        FastIoError::Poisoned => "Poisoned",
        FastIoError::Busy => "Busy",
        FastIoError::Sealed => "Sealed",
        FastIoError::NotSealed => "NotSealed",
        FastIoError::Freed => "Freed",
        FastIoError::Forked => "Forked",
        FastIoError::Removed => "Removed",
        FastIoError::SlotsExhausted { .. } => "SlotsExhausted",
        FastIoError::Corrupt { .. } => "Corrupt",
        FastIoError::NotPrivate { .. } => "NotPrivate",
        FastIoError::MetadataTooLarge { .. } => "MetadataTooLarge",
        FastIoError::WrongType { .. } => "WrongType",
        FastIoError::WrongShape { .. } => "WrongShape",
        FastIoError::BadAlignment { .. } => "BadAlignment",
        FastIoError::TooManyChildren { .. } => "TooManyChildren",
        FastIoError::Io { .. } => "Io",
        FastIoError::Closed { .. } => "Closed",
        FastIoError::PeerDied { .. } => "PeerDied",
        FastIoError::Full { .. } => "Full",
        FastIoError::EndTaken { .. } => "EndTaken",
        FastIoError::ChannelDiffers { .. } => "ChannelDiffers",
        FastIoError::BadChannel { .. } => "BadChannel",
        FastIoError::CannotAdopt { .. } => "OtherPipeline",
        FastIoError::WrongKind { .. } => "WrongType",
        _ => "Error",
    };
    error(py, class, problem)
}

/// The exception for an error of a device, which is usually of this class.
#[cfg(feature = "cuda")]
pub(crate) fn device(py: Python<'_>, problem: podwire_device::Error, class: &str) -> PyErr {
    use podwire_device::Error as DeviceError;
    let class = match problem {
        DeviceError::NoDriver
        | DeviceError::OldDriver { .. }
        | DeviceError::NoDevice
        | DeviceError::WrongOrdinal { .. }
        | DeviceError::NotVisible { .. }
        | DeviceError::Unsupported { .. } => "NoDevice",
        DeviceError::OutOfMemory { .. } => "NoSpace",
        DeviceError::Gone => "Gone",
        DeviceError::FastIo(inner) => return fastio(py, inner, class),
        DeviceError::Codec(inner) => return codec(py, inner, class),
        _ => class,
    };
    error(py, class, problem)
}

/// The exception for an error of a codec, which is usually of this class.
pub(crate) fn codec(py: Python<'_>, problem: CodecError, class: &str) -> PyErr {
    match problem {
        CodecError::Backend(inner) => match inner.downcast::<PyErr>() {
            Ok(own) => *own,
            Err(inner) => match inner.downcast::<FastIoError>() {
                Ok(own) => fastio(py, *own, class),
                Err(inner) => of_backend(py, inner, class),
            },
        },
        CodecError::NotHostMemory { .. } => error(
            py,
            "NoDevice",
            format!("{problem}: a process that is to receive arrays on a GPU opens podwire.Device(0) first"),
        ),
        CodecError::Message(inner) if matches!(*inner, MessageError::SchemaMismatch { .. }) => {
            error(py, "SchemaMismatch", inner)
        }
        other => error(py, class, other),
    }
}

/// What a backend said that is neither Python's nor Fast I/O's.
fn of_backend(py: Python<'_>, problem: Box<dyn std::error::Error + Send + Sync>, class: &str) -> PyErr {
    #[cfg(feature = "cuda")]
    let problem = match problem.downcast::<podwire_device::Error>() {
        Ok(own) => return device(py, *own, class),
        Err(other) => other,
    };
    error(py, class, problem)
}
