//! A driver without a GPU, for tests of what stands above a driver: its memory is files without a name, which other processes
//! import by their descriptors, as they do CUDA's.
//!
//! It stands for no result on a GPU. Invariant: an address belongs to one block, and what is outside of it is an error.

use std::{
    collections::BTreeMap,
    fs::File,
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::fs::FileExt,
    },
    sync::{Mutex, MutexGuard},
};

use podwire_codec_core::MemoryKind;

use crate::{
    driver::{Block, Details, Driver, HostMemory, Place},
    error::{Error, Result},
};

/// The kind under which tests register it, beside CUDA's own.
pub(crate) const KIND: MemoryKind = MemoryKind(400);
/// Memory comes in multiples of this many bytes.
pub(crate) const GRANULARITY: usize = 64 << 10;
/// Bytes that each device has.
pub(crate) const TOTAL: usize = 1 << 30;

/// Memory of a device.
struct Piece {
    device: u32,
    file: File,
    bytes: usize,
}

pub(crate) struct Mock {
    /// The first byte of each device's UUID.
    devices: &'static [u8],
    blocks: Mutex<BTreeMap<u64, Piece>>,
}

impl Mock {
    pub(crate) fn new(devices: &'static [u8]) -> Self {
        Self { devices, blocks: Mutex::default() }
    }

    fn blocks(&self) -> MutexGuard<'_, BTreeMap<u64, Piece>> {
        self.blocks.lock().unwrap()
    }

    fn add(&self, device: u32, file: File, bytes: usize) -> Block {
        let mut blocks = self.blocks();
        let address = blocks.last_key_value().map_or(1 << 40, |(last, piece)| last + piece.bytes as u64);
        blocks.insert(address, Piece { device, file, bytes });
        Block { device, address, bytes, handle: address }
    }

    /// The file of an address on this device, and where in it.
    fn at<R>(&self, device: u32, address: u64, bytes: usize, act: impl FnOnce(&File, u64) -> R) -> R {
        let blocks = self.blocks();
        let (start, piece) = blocks.range(..=address).next_back().expect("an address of a block");
        assert_eq!(piece.device, device, "the device that has the memory was asked");
        let offset = address - start;
        assert!(offset as usize + bytes <= piece.bytes, "inside of the block");
        act(&piece.file, offset)
    }
}

impl Driver for Mock {
    fn count(&self) -> Result<u32> {
        Ok(self.devices.len() as u32)
    }

    fn uuid(&self, device: u32) -> Result<[u8; 16]> {
        Ok([self.devices[device as usize]; 16])
    }

    fn open(&self, device: u32) -> Result<Details> {
        let uuid = self.uuid(device)?;
        Ok(Details { name: "mock".into(), uuid, granularity: GRANULARITY })
    }

    fn room(&self, device: u32) -> Result<(u64, u64)> {
        let blocks = self.blocks();
        let used: usize =
            blocks.values().filter(|piece| piece.device == device).map(|piece| piece.bytes).sum();
        Ok((TOTAL.saturating_sub(used) as u64, TOTAL as u64))
    }

    fn create(&self, device: u32, bytes: usize) -> Result<Block> {
        let (free, total) = self.room(device)?;
        if bytes as u64 > free {
            return Err(Error::OutOfMemory { wanted: bytes as u64, free, total });
        }
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        let file = File::from(rustix::fs::memfd_create("podwire-mock", flags).unwrap());
        file.set_len(bytes as u64).unwrap();
        Ok(self.add(device, file, bytes))
    }

    fn export(&self, block: &Block) -> Result<OwnedFd> {
        self.at(block.device, block.address, 0, |file, _| Ok(file.try_clone().unwrap().into()))
    }

    fn import(&self, device: u32, fd: BorrowedFd<'_>, bytes: usize) -> Result<Block> {
        let file = File::from(fd.try_clone_to_owned().unwrap());
        if file.metadata().unwrap().len() < bytes as u64 {
            return Err(Error::Driver { call: "import", name: "INVALID_VALUE".into(), code: 1 });
        }
        Ok(self.add(device, file, bytes))
    }

    fn release(&self, block: &Block) {
        self.blocks().remove(&block.address).expect("released once");
    }

    fn upload(&self, device: u32, to: u64, bytes: &[u8]) -> Result<()> {
        self.at(device, to, bytes.len(), |file, at| file.write_all_at(bytes, at)).unwrap();
        Ok(())
    }

    fn download(&self, device: u32, from: u64, bytes: &mut [u8]) -> Result<()> {
        self.at(device, from, bytes.len(), |file, at| file.read_exact_at(bytes, at)).unwrap();
        Ok(())
    }

    fn copy(&self, to: Place, from: Place, bytes: usize) -> Result<()> {
        let mut memory = vec![0; bytes];
        self.download(from.device, from.address, &mut memory)?;
        self.upload(to.device, to.address, &memory)
    }

    fn fill(&self, device: u32, at: u64, byte: u8, bytes: usize) -> Result<()> {
        self.upload(device, at, &vec![byte; bytes])
    }

    fn device_of(&self, address: u64) -> Result<u32> {
        let blocks = self.blocks();
        let found = blocks.range(..=address).next_back();
        found.map(|(_, piece)| piece.device).ok_or(Error::NoDevice)
    }

    fn synchronize(&self, _: u32, _: Option<u64>) -> Result<()> {
        Ok(())
    }

    fn pin(&self, _: u32, bytes: usize) -> Result<HostMemory> {
        Ok(HostMemory::Pageable(vec![0; bytes]))
    }
}
