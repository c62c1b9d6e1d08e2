//! What the stages tell each other about a scan: the type of its voxels, its shape, how it lies in the
//! patient, and how stored numbers become measured values.
//!
//! Voxels stay what the file holds: no stage converts the array. A value is computed where it is looked at,
//! through [`Voxel::to_f64`] and [`Scale::apply`], so that an `int16` series takes two bytes a voxel from file
//! to picture. Shapes and positions are `(z, y, x)` throughout, the order of a row-major array whose `x` runs
//! fastest; NIfTI writes the same bytes as `(x, y, z)` in column-major words.

use std::fmt;

use bytemuck::Pod;
use ndarray::ArrayView3;
use podwire::Codec;

/// The type of a voxel as it stands in memory, in this machine's byte order.
#[derive(Clone, Copy, Codec, Debug, PartialEq, Eq)]
pub(crate) enum Dtype {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl Dtype {
    /// Bytes that one voxel takes: 1, 2, 4 or 8.
    pub(crate) const fn size(self) -> usize {
        match self {
            Dtype::U8 | Dtype::I8 => 1,
            Dtype::U16 | Dtype::I16 => 2,
            Dtype::U32 | Dtype::I32 | Dtype::F32 => 4,
            Dtype::U64 | Dtype::I64 | Dtype::F64 => 8,
        }
    }
}

impl fmt::Display for Dtype {
    /// The name that the imaging tools use: `int16`, `float32`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Dtype::U8 => "uint8",
            Dtype::I8 => "int8",
            Dtype::U16 => "uint16",
            Dtype::I16 => "int16",
            Dtype::U32 => "uint32",
            Dtype::I32 => "int32",
            Dtype::U64 => "uint64",
            Dtype::I64 => "int64",
            Dtype::F32 => "float32",
            Dtype::F64 => "float64",
        })
    }
}

/// A number that a voxel can be.
pub(crate) trait Voxel: Pod {
    /// What a [`ScanInfo`] calls this type.
    const DTYPE: Dtype;

    /// The stored number, before [`Scale`]. 64-bit integers beyond 2^53 lose their last bits.
    fn to_f64(self) -> f64;
}

macro_rules! voxels {
    ($($type:ty => $dtype:ident),+ $(,)?) => {$(
        impl Voxel for $type {
            const DTYPE: Dtype = Dtype::$dtype;

            #[inline]
            #[allow(clippy::unnecessary_cast)]
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )+};
}

voxels!(u8 => U8, i8 => I8, u16 => U16, i16 => I16, u32 => U32, i32 => I32, u64 => U64, i64 => I64, f32 => F32, f64 => F64);

/// Names the voxel type that a [`Dtype`] stands for: `with_voxel_type!(info.dtype, T => work::<T>())`.
macro_rules! with_voxel_type {
    ($dtype:expr, $type:ident => $body:expr) => {
        match $dtype {
            $crate::scan::Dtype::U8 => with_voxel_type!(@ u8, $type, $body),
            $crate::scan::Dtype::I8 => with_voxel_type!(@ i8, $type, $body),
            $crate::scan::Dtype::U16 => with_voxel_type!(@ u16, $type, $body),
            $crate::scan::Dtype::I16 => with_voxel_type!(@ i16, $type, $body),
            $crate::scan::Dtype::U32 => with_voxel_type!(@ u32, $type, $body),
            $crate::scan::Dtype::I32 => with_voxel_type!(@ i32, $type, $body),
            $crate::scan::Dtype::U64 => with_voxel_type!(@ u64, $type, $body),
            $crate::scan::Dtype::I64 => with_voxel_type!(@ i64, $type, $body),
            $crate::scan::Dtype::F32 => with_voxel_type!(@ f32, $type, $body),
            $crate::scan::Dtype::F64 => with_voxel_type!(@ f64, $type, $body),
        }
    };
    (@ $concrete:ty, $type:ident, $body:expr) => {{
        type $type = $concrete;
        $body
    }};
}
pub(crate) use with_voxel_type;

/// How a stored number becomes a measured value: `slope * stored + intercept`.
#[derive(Clone, Copy, Codec, Debug, PartialEq)]
pub(crate) struct Scale {
    pub(crate) slope: f64,
    pub(crate) intercept: f64,
}

impl Scale {
    /// Values are the stored numbers.
    pub(crate) const IDENTITY: Scale = Scale { slope: 1.0, intercept: 0.0 };

    /// The measured value of one voxel; not finite where the voxel is not.
    #[inline]
    pub(crate) fn apply(self, voxel: impl Voxel) -> f64 {
        self.slope * voxel.to_f64() + self.intercept
    }
}

/// A direction in the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Left,
    Right,
    Posterior,
    Anterior,
    Inferior,
    Superior,
}

impl Direction {
    /// The letter that the field writes for it: `L R P A I S`.
    pub(crate) const fn letter(self) -> char {
        match self {
            Direction::Left => 'L',
            Direction::Right => 'R',
            Direction::Posterior => 'P',
            Direction::Anterior => 'A',
            Direction::Inferior => 'I',
            Direction::Superior => 'S',
        }
    }
}

/// Where the patient is: millimetres towards right, anterior and superior, from voxel indices `(x, y, z, 1)`.
#[derive(Clone, Copy, Codec, Debug, PartialEq)]
pub(crate) struct Placement {
    pub(crate) rows: [[f64; 4]; 3],
}

impl Placement {
    /// The direction in the patient in which each voxel axis grows, nearest first: `[x, y, z]`. `None` where the
    /// matrix does not place three different axes.
    pub(crate) fn directions(&self) -> Option<[Direction; 3]> {
        use Direction::{Anterior, Inferior, Left, Posterior, Right, Superior};
        const TOWARDS: [(Direction, Direction); 3] =
            [(Left, Right), (Posterior, Anterior), (Inferior, Superior)];

        let mut found = [None; 3];
        let mut taken = [false; 3];
        for _ in 0..3 {
            let mut best = (0.0, 0, 0);
            for (axis, _) in found.iter().enumerate().filter(|(_, direction)| direction.is_none()) {
                let length = (0..3).map(|world| self.rows[world][axis].powi(2)).sum::<f64>().sqrt();
                for world in (0..3).filter(|&world| !taken[world]) {
                    let cosine = self.rows[world][axis] / length;
                    if cosine.abs() > f64::abs(best.0) + 1e-9 {
                        best = (cosine, axis, world);
                    }
                }
            }
            let (cosine, axis, world) = best;
            if cosine == 0.0 {
                return None;
            }
            taken[world] = true;
            found[axis] = Some(if cosine < 0.0 { TOWARDS[world].0 } else { TOWARDS[world].1 });
        }
        Some([found[0]?, found[1]?, found[2]?])
    }

    /// Millimetres above the origin (towards superior) of a voxel index `(z, y, x)`.
    pub(crate) fn height(&self, [z, y, x]: [f64; 3]) -> f64 {
        let [by_x, by_y, by_z, origin] = self.rows[2];
        by_x * x + by_y * y + by_z * z + origin
    }
}

/// What is known of a scan besides its voxels.
#[derive(Clone, Codec, Debug, PartialEq)]
#[codec(register)]
pub(crate) struct ScanInfo {
    /// The file's name, without its folder.
    pub(crate) file: String,
    /// `NIfTI-1` or `NIfTI-2`.
    pub(crate) format: String,
    /// The type of every voxel.
    pub(crate) dtype: Dtype,
    /// Voxels along `(z, y, x)`, each at least 1.
    pub(crate) shape: [u64; 3],
    /// Volumes in the series, at least 1; all have the same shape.
    pub(crate) volumes: u64,
    /// Distance of neighbouring voxels along `(z, y, x)`, in millimetres, each above 0.
    pub(crate) spacing_mm: [f64; 3],
    /// What a stored number means.
    pub(crate) scale: Scale,
    /// How the scan lies in the patient, where the file says so.
    pub(crate) placement: Option<Placement>,
}

impl ScanInfo {
    /// The shape of one volume as `ndarray` takes it. Fits in memory: the reader has checked the product.
    pub(crate) fn dimensions(&self) -> (usize, usize, usize) {
        let [z, y, x] = self.shape;
        (z as usize, y as usize, x as usize)
    }

    /// Voxels in one volume.
    pub(crate) fn voxels(&self) -> usize {
        let (z, y, x) = self.dimensions();
        z * y * x
    }

    /// Bytes that one volume takes.
    pub(crate) fn volume_bytes(&self) -> usize {
        self.voxels() * self.dtype.size()
    }

    /// What one voxel takes of the patient, in millilitres.
    pub(crate) fn voxel_ml(&self) -> f64 {
        self.spacing_mm.iter().product::<f64>() / 1000.0
    }
}

/// One volume's bytes as an array of shape `(z, y, x)`, without a copy. `None` if the bytes are not `info`'s: another
/// voxel type, another length, or not aligned for `T`.
pub(crate) fn view<'a, T: Voxel>(info: &ScanInfo, bytes: &'a [u8]) -> Option<ArrayView3<'a, T>> {
    if info.dtype != T::DTYPE {
        return None;
    }
    ArrayView3::from_shape(info.dimensions(), bytemuck::try_cast_slice(bytes).ok()?).ok()
}
