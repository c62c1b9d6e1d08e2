//! Several processes of one application: a driver that decides who runs what, and workers that run it.
//!
//! Zenoh carries what they say, and tells who is there. Not here: the messages of operators, which transports carry.
//! Invariant: a fragment runs in one process at a time, and all processes end with the same outcome.
//!
//! | file | what is in it |
//! |---|---|
//! | `drive`, `work`, `local`, `opening` | the two loops, and the fragments that a worker runs |
//! | `driver`, `worker` | the machines that decide, without Zenoh |
//! | `placement` | who gets what, of those that take anything |
//! | `paths`, `links`, `directory`, `ucx`, `detour` | which transport a connection takes, opening it, where receivers are, and the way around UCX |
//! | `words`, `refusal`, `envelope` | what the processes say, and how it is written |
//! | `description`, `describe` | what they must agree on |
//! | `session`, `keys`, `post`, `door` | Zenoh, and who is heard over it |
//! | `host`, `notice`, `alarms`, `error` | who this process is, what people are told, time, and what goes wrong |

mod alarms;
mod describe;
mod description;
#[cfg(feature = "ucx")]
mod detour;
mod directory;
mod door;
mod drive;
mod driver;
mod envelope;
mod error;
mod host;
mod keys;
mod links;
mod local;
mod notice;
mod opening;
mod paths;
mod placement;
mod post;
mod refusal;
mod session;
mod together;
#[cfg(feature = "ucx")]
mod ucx;
mod words;
mod work;
mod worker;
#[cfg(test)]
mod world;

pub use description::Difference;
pub use envelope::Version;
pub use error::ControlError;
pub use refusal::Refusal;
pub use words::Cause;

pub(crate) use together::{Parts, run};
