//! Messages, written from `docs/wire-format.md` alone, so that any part of them can be wrong.

/// What a message says of one of its segments.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) length: u64,
    pub(crate) number: u32,
    pub(crate) kind: u16,
    pub(crate) alignment: u8,
    pub(crate) descriptor: Vec<u8>,
}

/// The parts of a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    pub(crate) name: Vec<u8>,
    pub(crate) fingerprint: u64,
    pub(crate) metadata: Vec<u8>,
    pub(crate) packed: Vec<u8>,
    pub(crate) table: Vec<Entry>,
    pub(crate) schema: Option<Vec<u8>>,
    pub(crate) checksum: bool,
}

impl Parts {
    /// The bytes, whose lengths and checksum are right.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + self.packed.len() + self.metadata.len());
        bytes.extend(b"PODW");
        bytes.push(1);
        bytes.push(u8::from(self.checksum) | u8::from(self.schema.is_some()) << 1);
        bytes.extend((self.name.len() as u16).to_le_bytes());
        bytes.extend(self.fingerprint.to_le_bytes());
        bytes.extend((self.packed.len() as u64).to_le_bytes());
        bytes.extend((self.table.len() as u32).to_le_bytes());
        bytes.extend((self.metadata.len() as u32).to_le_bytes());
        bytes.extend(&self.name);
        bytes.extend(&self.metadata);
        bytes.extend(&self.packed);
        for entry in &self.table {
            bytes.extend(entry.length.to_le_bytes());
            bytes.extend(entry.number.to_le_bytes());
            bytes.extend(entry.kind.to_le_bytes());
            bytes.push(entry.alignment);
            bytes.push(entry.descriptor.len() as u8);
            bytes.extend(&entry.descriptor);
        }
        if let Some(text) = &self.schema {
            bytes.extend((text.len() as u32).to_le_bytes());
            bytes.extend(text);
        }
        if self.checksum {
            bytes.extend([0; 4]);
            seal(&mut bytes);
        }
        bytes
    }
}

/// Makes the last four bytes the checksum of those before.
pub(crate) fn seal(bytes: &mut [u8]) {
    if let Some((before, sum)) = bytes.split_last_chunk_mut::<4>() {
        *sum = checksum(before).to_le_bytes();
    }
}

/// CRC-32C, reflected, starting and ending with all ones.
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let (mut bits, mut bit) = (index as u32, 0);
            while bit < 8 {
                bits = if bits & 1 == 1 { 0x82F6_3B78 ^ (bits >> 1) } else { bits >> 1 };
                bit += 1;
            }
            table[index] = bits;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(u32::MAX, |sum, byte| TABLE[usize::from(sum as u8 ^ byte)] ^ (sum >> 8))
}

/// 64-bit FNV-1a.
pub(crate) fn fingerprint(text: &[u8]) -> u64 {
    text.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
