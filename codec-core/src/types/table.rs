//! What maps and sets share: entries that are read one by one into a table that grows.

use crate::decode::Decode;
use crate::error::Result;
use crate::raw::{row, sequence};
use crate::reader::Reader;

/// Reads one entry.
pub(super) fn entry<'de, T: Decode<'de>>(reader: &mut Reader<'de>) -> Result<T> {
    sequence::counted::<T, _>(reader, row::decode)
}

/// Charges `count` entries and says for how many the table can be prepared at once.
///
/// A table keeps at most half of its room free, and some bytes of its own for each entry.
pub(super) fn claim<'de, T: Decode<'de>>(count: usize, reader: &mut Reader<'de>) -> Result<usize> {
    let head = const { T::LAYOUT.facts().head };
    let backed = if head == 0 {
        if !const { T::LAYOUT.facts().tail } {
            reader.charge_items(count)?;
        }
        count.min(64)
    } else if count <= reader.source.left() / head {
        count
    } else if reader.source.stays() {
        return Err(reader.source.end(count.saturating_mul(head)));
    } else {
        reader.source.left() / head
    };
    reader.charge(count.saturating_mul(2 * size_of::<T>() + 16))?;
    Ok(backed)
}
