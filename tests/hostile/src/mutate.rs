//! Changes of valid bytes that know where lengths and tags stand.

use crate::random::Random;
use crate::walk::{Field, Kind};

/// Inputs do not grow beyond this.
const LONGEST: usize = 4 << 10;

/// Numbers that a length may be, whatever is there.
const LENGTHS: [u64; 16] = [
    0,
    1,
    2,
    3,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0xFFFF,
    0x1_0000,
    0x10_0000,
    0x7FFF_FFFF,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
    u64::MAX,
];

/// Changes bytes once, or a few times; `fields` say what stands in them, `other` is what can be put in.
pub(crate) fn mutate(bytes: &mut Vec<u8>, fields: &[Field], other: &[u8], random: &mut Random) {
    let times = random.pick(&[1, 1, 1, 2, 2, 3, 5]);
    for _ in 0..times {
        once(bytes, fields, other, random);
    }
    // One in a few hundred is long: what costs memory or time for each byte shows there.
    let longest = if random.one_in(300) { 16 * LONGEST } else { LONGEST };
    bytes.truncate(longest);
}

fn once(bytes: &mut Vec<u8>, fields: &[Field], other: &[u8], random: &mut Random) {
    let length = bytes.len();
    if length == 0 {
        let count = random.below(24);
        return bytes.extend((0..count).map(|_| random.next() as u8 & 3));
    }
    let at = random.below(length);
    let few = (1 + random.below(16)).min(length - at);
    match random.below(if fields.is_empty() { 10 } else { 20 }) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.pick(&[0x00, 0x01, 0x02, 0x7F, 0x80, 0xFF]),
        2 => bytes[at] = random.next() as u8,
        3 => bytes.truncate(at),
        4 => {
            let count = random.below(24);
            bytes.extend((0..count).map(|_| random.next() as u8));
        }
        5 => drop(bytes.drain(at..at + few)),
        // The same again: deeper, longer, twice the key.
        6 => {
            let part = bytes[at..at + few].to_vec();
            let times = if random.one_in(40) { LONGEST / few } else { 1 + random.below(4) };
            drop(bytes.splice(at..at, part.iter().copied().cycle().take(times * few)));
        }
        7 if !other.is_empty() => {
            let from = random.below(other.len());
            let part = other[from..].iter().copied().take(1 + random.below(48));
            drop(bytes.splice(at..at + few, part));
        }
        8 => {
            let number = random.pick(&LENGTHS).to_le_bytes();
            let width = random.pick(&[2, 4, 8]).min(length - at);
            bytes[at..at + width].copy_from_slice(&number[..width]);
        }
        9 => bytes.swap(at, random.below(length)),
        _ if !fields.is_empty() => field(bytes, fields, random),
        _ => bytes[at] = !bytes[at],
    }
}

/// Changes a length, a tag or a number where it stands, if the bytes before it have not moved.
fn field(bytes: &mut Vec<u8>, fields: &[Field], random: &mut Random) {
    let mut chosen = fields[random.below(fields.len())];
    // Lengths and tags more often than the many numbers.
    if chosen.kind == Kind::Number {
        chosen = fields[random.below(fields.len())];
    }
    let Field { at, width, kind } = chosen;
    let Some(place) = bytes.get_mut(at..at + width) else { return };
    let mut number = [0; 8];
    number[..width].copy_from_slice(place);
    let was = u64::from_le_bytes(number);
    let left = (place.len()) as u64;
    let changed = match kind {
        Kind::Length => match random.below(4) {
            0 => was.wrapping_add(1),
            1 => was.wrapping_sub(1),
            2 => random.below(64) as u64 * left,
            _ => random.pick(&LENGTHS),
        },
        Kind::Tag => random.pick(&[0, 1, 2, 3, was.wrapping_add(1), 0xFF, 0xFFFF]),
        Kind::Number => random.pick(&[0, 1, 2, 0x7F, 0x80, 0xD800, 0x11_0000, 1_000_000_000, u64::MAX]),
    };
    place.copy_from_slice(&changed.to_le_bytes()[..width]);
    // The long form of a length, which the short form should have been or not.
    if kind == Kind::Length && width == 4 && changed == 0xFFFF_FFFF {
        let long =
            random.pick(&[0, 1, 0xFFFF_FFFE, 0xFFFF_FFFF, 1 << 33, i64::MAX as u64, u64::MAX / 2, u64::MAX]);
        let behind = (at + width).min(bytes.len());
        drop(bytes.splice(behind..behind, long.to_le_bytes()));
    }
}
