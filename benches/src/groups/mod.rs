//! The questions that are asked, one file each.

mod access;
mod plain;
mod records;

use crate::runner::Group;

/// Writing into a buffer that is used again.
pub(crate) const SERIALIZE: &str = "serialize";
/// Reading a value that owns its parts, and dropping it.
const OWNED: &str = "owned";
/// Reading a value that borrows its text, and dropping it.
const BORROWED: &str = "borrowed";

/// All groups, ready to be measured. What did not round-trip is in `failures`, and not in a group.
pub(crate) fn all(failures: &mut Vec<String>) -> Vec<Group> {
    vec![access::group(failures), plain::group(failures), records::log(failures), records::players(failures)]
}
