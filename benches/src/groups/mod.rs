//! The questions that are asked, one file each.

#[cfg(feature = "fastio")]
mod access;
mod frame;
mod growth;
#[cfg(feature = "memory")]
pub(crate) mod memory;
mod plain;
mod records;
mod registry;
mod shape;

use crate::runner::Group;

/// Writing into a buffer that is used again.
pub(crate) const SERIALIZE: &str = "serialize";
/// Reading a value that owns its parts, and dropping it.
pub(crate) const OWNED: &str = "owned";
/// Reading a value that borrows its text, and dropping it.
pub(crate) const BORROWED: &str = "borrowed";
/// Checking that bytes are a value that is read where it lies.
#[cfg(feature = "peers")]
const IN_PLACE: &str = "in place";

/// Subjects that are no codecs: less cannot be done.
pub(crate) const FLOORS: [&str; 2] = ["memcpy", "clone, drop"];

/// Makes a group, ready to be measured. What did not round-trip goes to the failures, and not into the group.
type Make = fn(&mut Vec<String>) -> Group;

/// All groups, by the names that their cells begin with.
const ALL: &[(&str, Make)] = &[
    #[cfg(feature = "fastio")]
    ("access", access::group),
    ("mesh", plain::group),
    ("log", records::log),
    ("players", records::players),
    ("telemetry", records::telemetry),
    ("tree", records::tree),
    ("frame", frame::group),
    ("growth", growth::group),
    ("registry", registry::group),
];

/// The groups that are wanted.
pub(crate) fn make(wants: impl Fn(&str) -> bool, failures: &mut Vec<String>) -> Vec<Group> {
    ALL.iter().filter(|(name, _)| wants(name)).map(|(_, make)| make(failures)).collect()
}
