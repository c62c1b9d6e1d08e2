//! What stands in for memory of a device in a pipeline: an allocation without bytes, whose metadata says what it stands for.
//!
//! Not here: the memory. Invariant: whatever text the metadata holds, the answer is a record whose numbers fit each other, or
//! none.

use podwire_fastio::Metadata;

/// The key of the metadata under which the record stands.
pub(crate) const KEY: &str = "podwire.cuda";
/// How the text begins.
const VERSION: &str = "1";

/// Which memory it is, wherever it is mapped: what its creator is called, and which of the creator's it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) creator: u64,
    pub(crate) number: u64,
}

/// What another process needs to find the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) key: Key,
    /// Bytes that are used.
    pub(crate) length: usize,
    /// Bytes that are mapped.
    pub(crate) capacity: usize,
    /// The device, by what it is called in every process.
    pub(crate) uuid: [u8; 16],
}

/// A UUID as text.
pub(crate) fn hex(uuid: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(uuid))
}

impl Record {
    /// Writes the record into metadata.
    pub(crate) fn describe(&self, metadata: &mut Metadata) {
        let Self { key: Key { creator, number }, length, capacity, uuid } = *self;
        let text = format!("{VERSION} {creator:x} {number} {length} {capacity} {}", hex(uuid));
        metadata.user.insert(KEY.into(), text);
    }

    /// The record in metadata.
    pub(crate) fn of(metadata: &Metadata) -> Option<Self> {
        let mut words = metadata.user.get(KEY)?.split(' ');
        if words.next() != Some(VERSION) {
            return None;
        }
        let creator = u64::from_str_radix(words.next()?, 16).ok()?;
        let number = words.next()?.parse().ok()?;
        let length = words.next()?.parse().ok()?;
        let capacity = words.next()?.parse().ok()?;
        let uuid = words.next().filter(|uuid| uuid.len() == 32)?;
        let uuid = u128::from_str_radix(uuid, 16).ok()?.to_be_bytes();
        let fits = length <= capacity && words.next().is_none();
        fits.then_some(Self { key: Key { creator, number }, length, capacity, uuid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: Record = Record {
        key: Key { creator: u64::MAX, number: 7 },
        length: 5,
        capacity: 1 << 21,
        uuid: [0xA, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    };

    #[test]
    fn a_record_comes_back_and_damage_is_none() {
        let mut metadata = Metadata::default();
        SAMPLE.describe(&mut metadata);
        assert_eq!(Record::of(&metadata), Some(SAMPLE));
        let text = metadata.user[KEY].clone();
        for wrong in [
            String::new(),
            text[1..].into(),
            text[..text.len() - 1].into(),
            format!("{text} "),
            format!("2{}", &text[1..]),
            text.replace("7 5 ", "7 -5 "),
            text.replace("7 5 ", "7 2097153 "),
            text.replace("7 5 ", "99999999999999999999999 5 "),
        ] {
            metadata.user.insert(KEY.into(), wrong.clone());
            assert_eq!(Record::of(&metadata), None, "{wrong}");
        }
    }
}
