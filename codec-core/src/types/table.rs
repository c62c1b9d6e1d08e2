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
/// A table can have room for somewhat more than twice its entries, and has some bytes of its own for each.
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
    reader.charge(count.saturating_mul(5 * size_of::<T>() / 2 + 16))?;
    Ok(backed)
}
