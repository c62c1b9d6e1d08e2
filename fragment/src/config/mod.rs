//! What is set from outside: parameters of operators by a file, and what deployments turn by the environment.
//!
//! Not here: the command line. Invariant: what is written and not understood is an error that says where it stands.

mod configuration;
mod error;
mod settings;

pub use configuration::{Asked, Configuration};
pub use error::{ConfigurationError, Place};
pub use settings::{Setting, SettingError, Settings};
