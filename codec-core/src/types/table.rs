//! What maps and sets share: entries that are read one by one into a table that grows.

use crate::decode::Decode;
use crate::error::Result;
use crate::reader::Reader;

/// Charges `count` entries and says for how many the table can be prepared at once.
///
/// A table keeps at most half of its room free, and some bytes of its own for each entry.
pub(super) fn claim<'de, T: Decode<'de>>(count: usize, reader: &mut Reader<'de>) -> Result<usize> {
    let head = const { T::LAYOUT.facts().head };
    let backed = if head == 0 {
        reader.charge_items(count)?;
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
