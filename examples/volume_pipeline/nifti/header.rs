//! The two headers, 348 bytes of NIfTI-1 and 540 of NIfTI-2, to one [`Header`]: what the fields mean is the same,
//! so each is first brought to the same [`Fields`], and these are judged once.

use nifti::{Endianness, NiftiHeader};

use super::NiftiError;
use crate::scan::{Dtype, Placement, Scale, ScanInfo};

/// The number of bytes that [`parse`] never needs more of.
pub(super) const LONGEST: usize = SIZE_2;
const SIZE_1: usize = 348;
const SIZE_2: usize = 540;

/// Four bytes behind the header say whether extensions follow; the voxels come after them.
const EXTENSION_FLAG: usize = 4;

/// A header that has been judged, except for whether its file is long enough.
#[derive(Debug)]
pub(super) struct Header {
    /// All but the file's name.
    pub(super) info: ScanInfo,
    /// The file's byte order is not this machine's.
    pub(super) swapped: bool,
    /// Where the voxels start, in bytes from the start of the file.
    pub(super) first_voxel: u64,
}

/// What both versions say, in the larger version's types.
struct Fields {
    version: u8,
    size: usize,
    swapped: bool,
    rank: i64,
    extents: [i64; 7],
    dtype: i16,
    /// `pixdim`: the sign of x's rotation, then the spacing along each dimension.
    spacings: [f64; 8],
    voxel_offset: f64,
    slope: f64,
    intercept: f64,
    units: i32,
    qform_code: i32,
    sform_code: i32,
    quaternion: [f64; 3],
    shift: [f64; 3],
    sform: [[f64; 4]; 3],
}

/// Judges the first bytes of a file, of which there are [`LONGEST`] unless the file is shorter.
pub(super) fn parse(start: &[u8]) -> Result<Header, NiftiError> {
    let Some(size) = start.first_chunk::<4>() else {
        return Err(NiftiError::Truncated {
            part: "header",
            wanted: SIZE_1 as u64,
            found: start.len() as u64,
        });
    };
    let (little, big) = (i32::from_le_bytes(*size), i32::from_be_bytes(*size));
    let is = |size: usize| little == size as i32 || big == size as i32;
    let fields = if is(SIZE_1) {
        version_1(whole(start, SIZE_1)?)?
    } else if is(SIZE_2) {
        version_2(whole(start, SIZE_2)?, if little == SIZE_2 as i32 { Order::Little } else { Order::Big })?
    } else {
        return Err(NiftiError::NotNifti { begins: little });
    };
    judge(&fields)
}

fn whole(start: &[u8], size: usize) -> Result<&[u8], NiftiError> {
    start.get(..size).ok_or(NiftiError::Truncated {
        part: "header",
        wanted: size as u64,
        found: start.len() as u64,
    })
}

/// NIfTI-1, through the `nifti` crate.
fn version_1(bytes: &[u8]) -> Result<Fields, NiftiError> {
    // The crate finds a wrong magic only after it has read all the rest, and it alone can fail here.
    let header = NiftiHeader::from_reader(bytes).map_err(|_| NiftiError::Magic { version: 1 })?;
    if &header.magic == nifti::header::MAGIC_CODE_NI1 {
        return Err(NiftiError::Pair);
    }
    // The crate tells the byte order from `dim[0]`. If that is absurd, the header's own size now is, too.
    if header.sizeof_hdr != SIZE_1 as i32 {
        let order = if bytes[0] == (SIZE_1 & 0xff) as u8 { u16::from_le_bytes } else { u16::from_be_bytes };
        return Err(NiftiError::Rank(order([bytes[40], bytes[41]]).into()));
    }
    let [rank, extents @ ..] = header.dim.map(i64::from);
    let row = |row: [f32; 4]| row.map(f64::from);
    Ok(Fields {
        version: 1,
        size: SIZE_1,
        swapped: header.endianness != Endianness::native(),
        rank,
        extents,
        dtype: header.datatype,
        spacings: header.pixdim.map(f64::from),
        voxel_offset: header.vox_offset.into(),
        slope: header.scl_slope.into(),
        intercept: header.scl_inter.into(),
        units: header.xyzt_units.into(),
        qform_code: header.qform_code.into(),
        sform_code: header.sform_code.into(),
        quaternion: [header.quatern_b, header.quatern_c, header.quatern_d].map(f64::from),
        shift: [header.quatern_x, header.quatern_y, header.quatern_z].map(f64::from),
        sform: [row(header.srow_x), row(header.srow_y), row(header.srow_z)],
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Order {
    Little,
    Big,
}

/// Numbers at fixed places of a header in one byte order. The places are those of the NIfTI-2 standard, all inside 540.
struct Numbers<'a> {
    bytes: &'a [u8],
    order: Order,
}

impl Numbers<'_> {
    fn take<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut number = [0; N];
        number.copy_from_slice(&self.bytes[at..at + N]);
        if self.order == Order::Big {
            number.reverse();
        }
        number
    }

    fn i16(&self, at: usize) -> i16 {
        i16::from_le_bytes(self.take(at))
    }

    fn i32(&self, at: usize) -> i32 {
        i32::from_le_bytes(self.take(at))
    }

    fn i64(&self, at: usize) -> i64 {
        i64::from_le_bytes(self.take(at))
    }

    fn f64(&self, at: usize) -> f64 {
        f64::from_le_bytes(self.take(at))
    }

    fn f64s<const N: usize>(&self, at: usize) -> [f64; N] {
        std::array::from_fn(|i| self.f64(at + 8 * i))
    }
}

/// NIfTI-2: the same fields, wider and in another order. `bytes` are 540.
fn version_2(bytes: &[u8], order: Order) -> Result<Fields, NiftiError> {
    match bytes[4..12] {
        [b'n', b'+', b'2', 0, b'\r', b'\n', 0x1a, b'\n'] => {}
        [b'n', b'i', b'2', 0, b'\r', b'\n', 0x1a, b'\n'] => return Err(NiftiError::Pair),
        _ => return Err(NiftiError::Magic { version: 2 }),
    }
    let numbers = Numbers { bytes, order };
    Ok(Fields {
        version: 2,
        size: SIZE_2,
        swapped: (order == Order::Little) != cfg!(target_endian = "little"),
        dtype: numbers.i16(12),
        rank: numbers.i64(16),
        extents: std::array::from_fn(|i| numbers.i64(24 + 8 * i)),
        spacings: numbers.f64s(104),
        voxel_offset: numbers.i64(168) as f64,
        slope: numbers.f64(176),
        intercept: numbers.f64(184),
        qform_code: numbers.i32(344),
        sform_code: numbers.i32(348),
        quaternion: numbers.f64s(352),
        shift: numbers.f64s(376),
        sform: [numbers.f64s(400), numbers.f64s(432), numbers.f64s(464)],
        units: numbers.i32(500),
    })
}

/// Says what the fields mean, or why they cannot be meant.
fn judge(fields: &Fields) -> Result<Header, NiftiError> {
    let dtype = dtype(fields.dtype)?;
    let (shape, volumes) = extents(fields)?;
    shape
        .iter()
        .try_fold(dtype.size(), |bytes, &extent| bytes.checked_mul(usize::try_from(extent).ok()?))
        .filter(|&bytes| isize::try_from(bytes).is_ok())
        .ok_or(NiftiError::TooLarge)?;

    // A slope of 0 says that there is none; numbers that are none say nothing.
    let scale = if fields.slope == 0.0 || !fields.slope.is_finite() || !fields.intercept.is_finite() {
        Scale::IDENTITY
    } else {
        Scale { slope: fields.slope, intercept: fields.intercept }
    };
    let unit = match fields.units & 0o7 {
        1 => 1000.0,
        3 => 0.001,
        _ => 1.0,
    };
    let spacing = |dimension: usize| match fields.spacings[dimension].abs() * unit {
        spacing if spacing.is_finite() && spacing > 0.0 => spacing,
        _ => 1.0,
    };
    Ok(Header {
        info: ScanInfo {
            file: String::new(),
            format: format!("NIfTI-{}", fields.version),
            dtype,
            shape,
            volumes,
            spacing_mm: [spacing(3), spacing(2), spacing(1)],
            scale,
            placement: placement(fields, unit),
        },
        swapped: fields.swapped,
        first_voxel: first_voxel(fields)?,
    })
}

/// The types that a picture can be made of; the others by name, so that the refusal says what the file holds.
fn dtype(code: i16) -> Result<Dtype, NiftiError> {
    let unsupported = |name| Err(NiftiError::Unsupported { code, name });
    match code {
        2 => Ok(Dtype::U8),
        4 => Ok(Dtype::I16),
        8 => Ok(Dtype::I32),
        16 => Ok(Dtype::F32),
        64 => Ok(Dtype::F64),
        256 => Ok(Dtype::I8),
        512 => Ok(Dtype::U16),
        768 => Ok(Dtype::U32),
        1024 => Ok(Dtype::I64),
        1280 => Ok(Dtype::U64),
        1 => unsupported("one-bit"),
        32 => unsupported("complex64"),
        128 => unsupported("RGB"),
        1536 => unsupported("float128"),
        1792 => unsupported("complex128"),
        2048 => unsupported("complex256"),
        2304 => unsupported("RGBA"),
        _ => Err(NiftiError::UnknownType(code)),
    }
}

/// The shape `(z, y, x)` of one volume, and how many there are.
fn extents(fields: &Fields) -> Result<([u64; 3], u64), NiftiError> {
    if !(2..=7).contains(&fields.rank) {
        return Err(NiftiError::Rank(fields.rank));
    }
    let mut all = [1; 7];
    for (dimension, &extent) in fields.extents.iter().enumerate().take(fields.rank as usize) {
        all[dimension] = u64::try_from(extent)
            .ok()
            .filter(|&extent| extent > 0)
            .ok_or(NiftiError::Extent { dimension: dimension + 1, extent })?;
    }
    let [x, y, z, volumes, further @ ..] = all;
    if further != [1; 3] {
        return Err(NiftiError::Rank(fields.rank));
    }
    Ok(([z, y, x], volumes))
}

/// Where the voxels start. Writers that leave it 0 mean right behind the header.
fn first_voxel(fields: &Fields) -> Result<u64, NiftiError> {
    let least = (fields.size + EXTENSION_FLAG) as u64;
    let offset = fields.voxel_offset;
    if offset == 0.0 {
        Ok(least)
    } else if offset >= least as f64 && offset.fract() == 0.0 && offset < i64::MAX as f64 {
        Ok(offset as u64)
    } else {
        Err(NiftiError::VoxelOffset { offset, least })
    }
}

/// How the scan lies in the patient: the `sform` if it is set, else the `qform`, else nothing is known.
fn placement(fields: &Fields, unit: f64) -> Option<Placement> {
    let rows = if fields.sform_code > 0 {
        fields.sform
    } else if fields.qform_code > 0 {
        qform(fields)
    } else {
        return None;
    };
    let rows = rows.map(|row| row.map(|number| number * unit));
    rows.iter().flatten().all(|number| number.is_finite()).then_some(Placement { rows })
}

/// The matrix of the `qform`: a unit quaternion, of which `a` is implied, then the spacings, then the shift.
fn qform(fields: &Fields) -> [[f64; 4]; 3] {
    let [b, c, d] = fields.quaternion;
    let a = (1.0 - (b * b + c * c + d * d)).max(0.0).sqrt();
    let rotation = [
        [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
        [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
        [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - c * c - b * b],
    ];
    let [handedness, x, y, z, ..] = fields.spacings;
    let z = if handedness < 0.0 { -z } else { z };
    std::array::from_fn(|row| {
        let [by_x, by_y, by_z] = rotation[row];
        [by_x * x, by_y * y, by_z * z, fields.shift[row]]
    })
}
