//! The header of a frame, byte by byte, as `docs/transports.md` lays it out.
//!
//! Not here: what follows it. Invariant: every byte string gives a header or a typed error, and nothing of a header is
//! believed before the whole was checked.

use super::super::name;

/// How every frame begins.
const MAGIC: [u8; 4] = *b"PWLK";
/// The version that this build writes, and the only one that it reads.
const VERSION: u8 = 1;
/// Bytes of a header.
pub(super) const HEADER: usize = 48;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// From the sender: a piece of a message, which is an envelope and segments.
    Data = 1,
    /// From the sender: what follows begins with this number.
    Open = 2,
    /// From the receiver: it is there, and has received all before this number.
    Hello = 3,
    /// From the receiver: it has received all before this number.
    Taken = 4,
}

/// The fixed part of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Further pieces of the message follow.
    pub(super) more: bool,
    /// Of the link: see [`link`].
    pub(super) link: u64,
    /// The end that sends it: each opening of an end has a number of its own.
    pub(super) from: u64,
    /// The end that it is for; 0 for whoever is there.
    pub(super) to: u64,
    /// Number of a message, from 0 for each opening of the sender.
    pub(super) number: u64,
    /// How many messages of this sender this receiver was done with; of a piece, how many bytes of its message went before it.
    pub(super) amount: u64,
}

/// The flag of a piece that others follow.
const MORE: u16 = 1;

/// Why bytes are no frame of a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// They are too few for a header.
    #[error("a frame of {found} bytes, its header alone has {HEADER}")]
    Short {
        /// How many there are.
        found: usize,
    },
    /// They do not begin as a frame does.
    #[error("no frame of a podwire link: it begins with {found:02x?}")]
    Magic {
        /// The first four bytes.
        found: [u8; 4],
    },
    /// The frame is of a version that this build does not know.
    #[error("frame version {found} is not known, this build knows {known}")]
    Version {
        /// The frame's version.
        found: u8,
        /// This build's version.
        known: u8,
    },
    /// It has a kind or flags that this version does not define, or that this end does not get.
    #[error("frame of kind {kind} with flags {flags:#06x} is not defined here")]
    Kind {
        /// The kind.
        kind: u8,
        /// The flags.
        flags: u16,
    },
    /// It is of another link.
    #[error("a frame of link {found:016x} on link {expected:016x}")]
    Link {
        /// The number of this link.
        expected: u64,
        /// The number in the frame.
        found: u64,
    },
    /// Its number is further ahead than a sender can be that keeps to the capacity.
    #[error("message number {number}, {expected} is next and the capacity is {capacity}")]
    Ahead {
        /// The number in the frame.
        number: u64,
        /// The number that was due.
        expected: u64,
        /// The link's capacity.
        capacity: u64,
    },
    /// The message is larger than the link's limits allow.
    #[error("message number {number} has at least {found} bytes, the limit is {limit}")]
    TooLong {
        /// Its number.
        number: u64,
        /// Bytes of it that had come when it was given up.
        found: u64,
        /// The most that there may be.
        limit: u64,
    },
    /// A piece that others follow has not the length that all such pieces have.
    #[error("a piece of message number {number} has {found} bytes, all but the last have {expected}")]
    Piece {
        /// The message's number.
        number: u64,
        /// How long such pieces are.
        expected: u64,
        /// Bytes of this one.
        found: u64,
    },
    /// The segments are not what the envelope says: one behind the other, in the order of its table, and no more.
    #[error("the segments of a frame have {found} bytes, its envelope says {expected}")]
    Segments {
        /// What the table of the envelope comes to.
        expected: u64,
        /// Bytes behind the envelope.
        found: u64,
    },
}

/// The number of a link in its frames.
pub(super) fn link(name: &str) -> u64 {
    name::hash(name.as_bytes()) as u64
}

impl Header {
    pub(super) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5] = self.kind as u8;
        bytes[6..8].copy_from_slice(&(u16::from(self.more) * MORE).to_le_bytes());
        let words = [self.link, self.from, self.to, self.number, self.amount];
        for (place, word) in bytes[8..].chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads a header of this link. `start` is as much of the frame as a header has, or all of it if that is less.
    pub(super) fn parse(start: &[u8], of: u64) -> Result<Self, FrameError> {
        let Some(bytes) = start.first_chunk::<HEADER>() else {
            return Err(FrameError::Short { found: start.len() });
        };
        let [a, b, c, d, version, kind, low, high, ..] = *bytes;
        if [a, b, c, d] != MAGIC {
            return Err(FrameError::Magic { found: [a, b, c, d] });
        }
        if version != VERSION {
            return Err(FrameError::Version { found: version, known: VERSION });
        }
        let flags = u16::from_le_bytes([low, high]);
        let known = [Kind::Data, Kind::Open, Kind::Hello, Kind::Taken];
        let more = flags == MORE && kind == Kind::Data as u8;
        let Some(kind) = known.into_iter().find(|known| *known as u8 == kind && (flags == 0 || more)) else {
            return Err(FrameError::Kind { kind, flags });
        };
        let mut words = [0; 5];
        for (word, bytes) in words.iter_mut().zip(bytes[8..].as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let [link, from, to, number, amount] = words;
        if link != of {
            return Err(FrameError::Link { expected: of, found: link });
        }
        Ok(Self { kind, more, link, from, to, number, amount })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: Header =
        Header { kind: Kind::Taken, more: false, link: 7, from: 1, to: 2, number: 3, amount: 4 };

    #[test]
    fn a_header_is_what_the_page_says() {
        let bytes = SAMPLE.to_bytes();
        assert_eq!(bytes[..8], *b"PWLK\x01\x04\0\0");
        let words: Vec<_> = bytes[8..].as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        assert_eq!(words, [7, 1, 2, 3, 4]);
        assert_eq!(Header::parse(&bytes, 7), Ok(SAMPLE));
        let piece = Header { kind: Kind::Data, more: true, ..SAMPLE };
        assert_eq!(piece.to_bytes()[4..8], *b"\x01\x01\x01\0");
        assert_eq!(Header::parse(&piece.to_bytes(), 7), Ok(piece));
    }

    #[test]
    fn case_49_50_54_wrong_magic_version_and_flags_are_told_apart() {
        let with = |at: usize, byte: u8| {
            let mut bytes = SAMPLE.to_bytes();
            bytes[at] = byte;
            Header::parse(&bytes, 7).unwrap_err()
        };
        assert!(matches!(with(0, b'X'), FrameError::Magic { found: [b'X', ..] }));
        assert_eq!(with(4, 2), FrameError::Version { found: 2, known: 1 });
        assert_eq!(with(4, 0), FrameError::Version { found: 0, known: 1 });
        assert_eq!(with(5, 9), FrameError::Kind { kind: 9, flags: 0 });
        assert_eq!(with(7, 0x80), FrameError::Kind { kind: 4, flags: 0x8000 });
        assert_eq!(with(6, 1), FrameError::Kind { kind: 4, flags: 1 }, "only data comes in pieces");
        assert_eq!(with(8, 8), FrameError::Link { expected: 7, found: 8 });
    }

    #[test]
    fn case_51_every_prefix_of_a_header_is_too_short() {
        let bytes = SAMPLE.to_bytes();
        for found in 0..HEADER {
            assert_eq!(Header::parse(&bytes[..found], 7), Err(FrameError::Short { found }));
        }
    }

    #[test]
    fn case_56_other_protocols_are_no_frames() {
        for text in
            [&b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"[..], &[0x16; 60], &[0xFF; 48]]
        {
            assert!(matches!(Header::parse(text, 7), Err(FrameError::Magic { .. })));
        }
    }
}
