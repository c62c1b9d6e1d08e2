//! What ends of links say to each other: the header of each active message, and what the directory holds.
//!
//! All numbers are little-endian. The invariant: nothing of a header is believed before its magic and version, and
//! nothing of an address reaches UCX, which trusts it, before its checksum.

use super::error::UcxError;

/// The number of the active message that all of podwire's are.
pub(super) const MESSAGE: u16 = 0x70;
/// How a header begins.
const MAGIC: [u8; 4] = *b"PWUX";
/// The version that this build speaks.
pub(super) const VERSION: u8 = 1;
/// Bytes of a header.
pub(super) const HEADER: usize = 48;
/// How an entry of the directory begins.
const ENTRY: [u8; 4] = *b"PWUA";
/// Bytes of an entry before UCX's address.
const ENTRY_HEAD: usize = 24;
/// The longest address that is believed, in bytes.
const LONGEST: usize = 64 << 10;
/// The longest name of a process in an entry, in bytes.
const LONGEST_NAME: usize = 256;

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Sender to receiver: here I am. `number` is that of the first message, `extra` the capacity; the body is the number
    /// of the sender's worker, under which the directory has its address.
    Hello = 1,
    /// Receiver to sender: go on. `number` is that of the message that is expected.
    Welcome = 2,
    /// Sender to receiver: `count` messages from `number` on, each with its [`Head`], from byte `extra` of the body on.
    Data = 3,
    /// Receiver to sender: all up to `number` were received, and this receiver settled `extra` of this sender's messages.
    Credit = 4,
    /// To either: I am going. From a sender, `number` is one more than that of its last message; from a receiver as
    /// in `Credit`.
    Close = 5,
    /// To a sender: I do not take you. `count` says why.
    Refuse = 6,
    /// Receiver to sender: you were heard, and are welcome when the sender before you is done with.
    Later = 7,
}

/// Why a sender is refused: it is for nobody.
pub(super) const NOBODY: u16 = 1;
/// Why a sender is refused: its version, which `extra` answers with the known one.
pub(super) const OTHER_VERSION: u16 = 2;
/// Why a sender is refused: its capacity, which `extra` answers with the known one.
pub(super) const OTHER_CAPACITY: u16 = 3;
/// Why a sender is refused: another one came.
pub(super) const REPLACED: u16 = 4;

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        [Self::Hello, Self::Welcome, Self::Data, Self::Credit, Self::Close, Self::Refuse, Self::Later]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// The header of an active message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) count: u16,
    /// The end that it is for.
    pub(super) to: u64,
    /// The end that it comes from.
    pub(super) from: u64,
    pub(super) number: u64,
    pub(super) extra: u64,
    /// Bytes of the body.
    pub(super) length: u64,
}

fn number(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}

impl Header {
    pub(super) fn new(kind: Kind, to: u64, from: u64) -> Self {
        Self { kind, count: 0, to, from, number: 0, extra: 0, length: 0 }
    }

    pub(super) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5] = self.kind as u8;
        bytes[6..8].copy_from_slice(&self.count.to_le_bytes());
        for (at, number) in (8..).step_by(8).zip([self.to, self.from, self.number, self.extra, self.length]) {
            bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// The header that these bytes are; `length` is that of the body that came with it.
    pub(super) fn parse(bytes: &[u8], length: usize) -> Result<Self, UcxError> {
        let wrong = |wrong| Err(UcxError::Header { found: bytes.len(), wrong });
        if bytes.len() < 6 || bytes[..4] != MAGIC {
            return wrong("is none of podwire's");
        }
        if bytes[4] != VERSION {
            return Err(UcxError::Version { found: bytes[4], known: VERSION });
        }
        if bytes.len() != HEADER {
            return wrong("is cut off, or too long");
        }
        let Some(kind) = Kind::of(bytes[5]) else { return wrong("has an unknown kind") };
        let header = Self {
            kind,
            count: u16::from_le_bytes([bytes[6], bytes[7]]),
            to: number(bytes, 8),
            from: number(bytes, 16),
            number: number(bytes, 24),
            extra: number(bytes, 32),
            length: number(bytes, 40),
        };
        let found = length as u64;
        if header.length != found {
            return Err(UcxError::Length { promised: header.length, found });
        }
        Ok(header)
    }

    /// Whom a header of another version is for and from: these stay where they are in every version.
    pub(super) fn ends(bytes: &[u8]) -> (u64, u64) {
        (number(bytes, 8), number(bytes, 16))
    }
}

/// What stands before each message of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes of its envelope, which follow.
    pub(super) packed: u64,
    /// Bytes behind those that are the message's, too: its segments, each from where [`aligned`] says.
    pub(super) rest: u64,
}

impl Head {
    /// Bytes of a head.
    pub(super) const LENGTH: usize = 16;

    pub(super) fn to_bytes(self) -> [u8; Self::LENGTH] {
        (u128::from(self.packed) | u128::from(self.rest) << 64).to_le_bytes()
    }

    /// The head that these bytes begin with, and those behind it; it says what its sender likes.
    pub(super) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (head, behind) = bytes.split_first_chunk::<{ Self::LENGTH }>()?;
        let both = u128::from_le_bytes(*head);
        Some((Self { packed: both as u64, rest: (both >> 64) as u64 }, behind))
    }
}

/// Where a message is in a body.
pub(super) struct Opened {
    /// Its envelope.
    pub(super) packed: std::ops::Range<usize>,
    /// Its end, and with it that of its segments.
    pub(super) end: usize,
}

impl Opened {
    /// The message that begins there; the last one ends with the body.
    pub(super) fn of(body: &[u8], at: usize, last: bool) -> Result<Self, UcxError> {
        let left = body.len().saturating_sub(at) as u64;
        let length = |promised| UcxError::Length { promised, found: left };
        let head = body.get(at..).and_then(Head::split);
        let (Head { packed, rest }, _) = head.ok_or(length(Head::LENGTH as u64))?;
        let promised = packed.saturating_add(rest).saturating_add(Head::LENGTH as u64);
        if promised > left || last && promised < left {
            return Err(length(promised));
        }
        let start = at + Head::LENGTH;
        Ok(Self { packed: start..start + packed as usize, end: at + promised as usize })
    }
}

/// What the directory holds for a link, or a worker: its number, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: u64,
    /// The address of its worker, which only UCX understands.
    pub(super) address: Vec<u8>,
    /// What its process is called, for people.
    pub(super) process: String,
}

impl Entry {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let process = &self.process[..self.process.floor_char_boundary(LONGEST_NAME)];
        let rest = [&self.address, process.as_bytes()].concat();
        let mut bytes = Vec::with_capacity(ENTRY_HEAD + rest.len());
        bytes.extend(ENTRY);
        bytes.extend([VERSION, 0]);
        bytes.extend((process.len() as u16).to_le_bytes());
        bytes.extend(self.id.to_le_bytes());
        bytes.extend((self.address.len() as u32).to_le_bytes());
        bytes.extend(sum(self.id, &rest).to_le_bytes());
        bytes.extend(rest);
        bytes
    }

    /// The entry that these bytes are.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, UcxError> {
        match bytes {
            [head @ .., _] if head.len() >= 4 && bytes[..4] == ENTRY && bytes[4] != VERSION => {
                Err(UcxError::Version { found: bytes[4], known: VERSION })
            }
            _ => Self::of_any_version(bytes),
        }
    }

    /// The same of whatever version: what is written here stays in every one, so that an answer finds its way.
    pub(super) fn of_any_version(bytes: &[u8]) -> Result<Self, UcxError> {
        let wrong = |wrong| UcxError::Address { found: bytes.len(), wrong };
        if bytes.len() < 5 || bytes[..4] != ENTRY {
            return Err(wrong("are none of podwire's"));
        }
        let (head, rest) = bytes.split_at_checked(ENTRY_HEAD).ok_or(wrong("are cut off"))?;
        let (name, lengths) = (usize::from(u16::from_le_bytes([head[6], head[7]])), number(head, 16));
        let address = (lengths & 0xFFFF_FFFF) as usize;
        if address == 0 || address > LONGEST || name > LONGEST_NAME || rest.len() != address + name {
            return Err(wrong("have another length than they say"));
        }
        let id = number(head, 8);
        if u64::from(sum(id, rest)) != lengths >> 32 {
            return Err(wrong("have another checksum than they say"));
        }
        let (address, process) = rest.split_at(address);
        let process =
            String::from_utf8(process.to_vec()).map_err(|_| wrong("have a name that is no text"))?;
        Ok(Self { id, address: address.to_vec(), process })
    }
}

/// The checksum of an entry: 32-bit FNV-1a. It tells damage from an address, not a stranger from a friend.
fn sum(id: u64, address: &[u8]) -> u32 {
    let bytes = id.to_le_bytes();
    bytes
        .iter()
        .chain(address)
        .fold(0x811C_9DC5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Where segments lie in a body: each begins where [`ALIGNMENT`](super::memory::ALIGNMENT)
/// divides.
pub(super) fn aligned(end: u64) -> Option<u64> {
    end.checked_next_multiple_of(super::memory::ALIGNMENT as u64)
}

/// Under which name the directory has the address of a worker.
pub(super) fn worker_name(worker: u64) -> String {
    format!("worker>{worker:016x}")
}

/// The number of the sender's worker in the body of a greeting: its first eight bytes in every version.
pub(super) fn worker_of(body: &[u8]) -> Option<u64> {
    body.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// The largest number that the first message of a greeting can have: far from where numbers end, and more than anybody
/// sends.
pub(super) const LAST_NUMBER: u64 = u64::MAX / 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_and_damage_is_an_error() {
        let mut header = Header::new(Kind::Data, 1, 2);
        (header.count, header.number, header.extra, header.length) = (3, 4, 5, 6);
        let bytes = header.to_bytes();
        assert_eq!(Header::parse(&bytes, 6).unwrap(), header);
        assert!(matches!(Header::parse(&bytes, 7), Err(UcxError::Length { promised: 6, found: 7 })));
        for length in 0..HEADER {
            assert!(matches!(Header::parse(&bytes[..length], 6), Err(UcxError::Header { .. })), "{length}");
        }
        let mut other = bytes;
        other[4] = 2;
        assert!(matches!(Header::parse(&other, 6), Err(UcxError::Version { found: 2, known: 1 })));
        assert_eq!(Header::ends(&other), (1, 2));
        for (at, value) in [(0, 0), (5, 0), (5, 8)] {
            let mut other = bytes;
            other[at] = value;
            assert!(matches!(Header::parse(&other, 6), Err(UcxError::Header { .. })));
        }
    }

    #[test]
    fn entries_come_back_and_no_damage_reaches_ucx() {
        let entry = Entry { id: 7, address: (0..77).collect(), process: "ward-2/77".into() };
        let bytes = entry.to_bytes();
        assert_eq!(Entry::parse(&bytes).unwrap(), entry);
        for length in 0..bytes.len() {
            assert!(Entry::parse(&bytes[..length]).is_err(), "{length}");
        }
        for at in (0..bytes.len()).filter(|at| *at != 5) {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(Entry::parse(&other).is_err(), "{at}");
        }
    }
}
