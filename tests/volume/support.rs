//! What several tests need: NIfTI files written from scratch, scans without a file, numbers without a pattern.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::scan::{Dtype, Placement, Scale, ScanInfo};

/// All voxel types with their NIfTI codes.
pub(crate) const DTYPES: [(Dtype, i16); 10] = [
    (Dtype::U8, 2),
    (Dtype::I8, 256),
    (Dtype::U16, 512),
    (Dtype::I16, 4),
    (Dtype::U32, 768),
    (Dtype::I32, 8),
    (Dtype::U64, 1280),
    (Dtype::I64, 1024),
    (Dtype::F32, 16),
    (Dtype::F64, 64),
];

/// A NIfTI file to be written; the fields that tests vary.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) version: u8,
    pub(crate) big_endian: bool,
    /// The rank, then the extents.
    pub(crate) dim: [i64; 8],
    pub(crate) dtype: i16,
    pub(crate) pixdim: [f64; 8],
    pub(crate) voxel_offset: f64,
    pub(crate) slope: f64,
    pub(crate) intercept: f64,
    pub(crate) units: u8,
    pub(crate) qform: Option<([f64; 3], [f64; 3])>,
    pub(crate) sform: Option<[[f64; 4]; 3]>,
    /// Instead of the version's own.
    pub(crate) magic: Option<&'static [u8]>,
}

impl Writer {
    pub(crate) fn new(version: u8, dtype: i16, extents: &[i64]) -> Writer {
        let mut dim = [1; 8];
        dim[0] = extents.len() as i64;
        dim[1..=extents.len()].copy_from_slice(extents);
        Writer {
            version,
            big_endian: false,
            dim,
            dtype,
            pixdim: [1.0, 0.5, 1.5, 2.5, 1.0, 1.0, 1.0, 1.0],
            voxel_offset: if version == 1 { 352.0 } else { 544.0 },
            slope: 0.0,
            intercept: 0.0,
            units: 2,
            qform: None,
            sform: None,
            magic: None,
        }
    }

    /// The header alone, 348 or 540 bytes. Written from the standards' tables, not with the reader's code.
    pub(crate) fn header(&self) -> Vec<u8> {
        let mut out = Fields { bytes: Vec::new(), big_endian: self.big_endian };
        let (qform_code, (quaternion, shift)) =
            (i16::from(self.qform.is_some()), self.qform.unwrap_or_default());
        let (sform_code, sform) = (i16::from(self.sform.is_some()), self.sform.unwrap_or_default());
        let bits =
            DTYPES.iter().find(|(_, code)| *code == self.dtype).map_or(0, |(it, _)| it.size() as i16 * 8);
        if self.version == 1 {
            out.put(348_i32.to_le_bytes());
            out.zeros(35);
            out.zeros(1);
            self.dim.iter().for_each(|&extent| out.put((extent as i16).to_le_bytes()));
            out.zeros(14);
            out.put(self.dtype.to_le_bytes());
            out.put(bits.to_le_bytes());
            out.zeros(2);
            self.pixdim.iter().for_each(|&spacing| out.put((spacing as f32).to_le_bytes()));
            [self.voxel_offset, self.slope, self.intercept]
                .iter()
                .for_each(|&it| out.put((it as f32).to_le_bytes()));
            out.zeros(3);
            out.put([self.units]);
            out.zeros(24);
            out.zeros(80 + 24);
            out.put(qform_code.to_le_bytes());
            out.put(sform_code.to_le_bytes());
            quaternion.iter().chain(&shift).for_each(|&it| out.put((it as f32).to_le_bytes()));
            sform.iter().flatten().for_each(|&it| out.put((it as f32).to_le_bytes()));
            out.zeros(16);
            out.bytes.extend_from_slice(self.magic.unwrap_or(b"n+1\0"));
            assert_eq!(out.bytes.len(), 348);
        } else {
            out.put(540_i32.to_le_bytes());
            out.bytes.extend_from_slice(self.magic.unwrap_or(b"n+2\0\r\n\x1a\n"));
            out.put(self.dtype.to_le_bytes());
            out.put(bits.to_le_bytes());
            self.dim.iter().for_each(|&extent| out.put(extent.to_le_bytes()));
            out.zeros(24);
            self.pixdim.iter().for_each(|&spacing| out.put(spacing.to_le_bytes()));
            out.put((self.voxel_offset as i64).to_le_bytes());
            out.put(self.slope.to_le_bytes());
            out.put(self.intercept.to_le_bytes());
            out.zeros(32);
            out.zeros(16);
            out.zeros(80 + 24);
            out.put(i32::from(qform_code).to_le_bytes());
            out.put(i32::from(sform_code).to_le_bytes());
            quaternion.iter().chain(&shift).for_each(|&it| out.put(it.to_le_bytes()));
            sform.iter().flatten().for_each(|&it| out.put(it.to_le_bytes()));
            out.zeros(4);
            out.put(i32::from(self.units).to_le_bytes());
            out.zeros(4 + 16 + 1 + 15);
            assert_eq!(out.bytes.len(), 540);
        }
        out.bytes
    }

    /// The whole file: header, padding up to the offset, and voxels that are already in the file's byte order.
    pub(crate) fn file(&self, voxels: &[u8]) -> Vec<u8> {
        let mut bytes = self.header();
        let least = bytes.len() + 4;
        bytes.resize(least.max(self.voxel_offset as usize), 0);
        bytes.extend_from_slice(voxels);
        bytes
    }
}

struct Fields {
    bytes: Vec<u8>,
    big_endian: bool,
}

impl Fields {
    fn put<const N: usize>(&mut self, mut little: [u8; N]) {
        if self.big_endian {
            little.reverse();
        }
        self.bytes.extend(little);
    }

    fn zeros(&mut self, count: usize) {
        self.bytes.resize(self.bytes.len() + count, 0);
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A file that is gone when this is.
pub(crate) struct TempFile(pub(crate) PathBuf);

impl TempFile {
    pub(crate) fn of(name: &str, bytes: &[u8]) -> TempFile {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!(
            "volume-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        ));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        TempFile(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if let Some(folder) = self.0.parent() {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// A scan of the given shape `(z, y, x)`, as stored, with voxels of 1 mm.
pub(crate) fn info(dtype: Dtype, shape: [u64; 3]) -> ScanInfo {
    ScanInfo {
        file: "test.nii".to_owned(),
        format: "NIfTI-1".to_owned(),
        dtype,
        shape,
        volumes: 1,
        spacing_mm: [1.0; 3],
        scale: Scale::IDENTITY,
        placement: None,
    }
}

/// Voxel axes `x, y, z` that grow towards the given world axes (0 right, 1 anterior, 2 superior) or, with -1, against them.
pub(crate) fn placement(towards: [(usize, f64); 3]) -> Placement {
    let mut rows = [[0.0; 4]; 3];
    for (axis, (world, sign)) in towards.into_iter().enumerate() {
        rows[world][axis] = sign;
    }
    Placement { rows }
}

/// Numbers that follow no pattern and are always the same (Steele, Lea and Flood's SplitMix).
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
