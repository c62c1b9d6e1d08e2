//! What can be wrong with a file, each in words that follow its path: `scan.nii: is not a NIfTI file …`.

use std::io;

use thiserror::Error;

/// Why a file was refused.
#[derive(Debug, Error)]
pub(crate) enum NiftiError {
    #[error("cannot be opened: {0}")]
    Open(#[source] io::Error),

    #[error("is not a regular file")]
    NotAFile,

    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),

    #[error("its gzip data is damaged or cut off: {0}")]
    Gzip(#[source] io::Error),

    #[error(
        "is not a NIfTI file: its header would have to begin with its own size, 348 or 540, and begins with {begins}"
    )]
    NotNifti { begins: i32 },

    #[error(
        "looks like a NIfTI-{version} header, but does not carry its magic (ANALYZE 7.5 files are not read)"
    )]
    Magic { version: u8 },

    #[error("is the header of a .hdr/.img pair; only single files (.nii, .nii.gz) are read")]
    Pair,

    #[error("is truncated: its {part} would end at byte {wanted}, but there are only {found}")]
    Truncated { part: &'static str, wanted: u64, found: u64 },

    #[error("became shorter while it was read")]
    Shrunk,

    #[error("has {0} dimensions; 2 to 4 are read, and further ones only if their extent is 1")]
    Rank(i64),

    #[error("has the extent {extent} along dimension {dimension}; an extent is at least 1")]
    Extent { dimension: usize, extent: i64 },

    #[error("claims more voxels than a machine can address")]
    TooLarge,

    #[error(
        "holds {name} voxels (NIfTI data type {code}); only integers and floats of 8 to 64 bits are read"
    )]
    Unsupported { code: i16, name: &'static str },

    #[error("names the data type {0}, which NIfTI does not define")]
    UnknownType(i16),

    #[error(
        "says that its voxels start at byte {offset}; after this header they start at a whole number from {least} on"
    )]
    VoxelOffset { offset: f64, least: u64 },

    #[error("one volume takes {wanted} bytes, and the memory to read it into has {found}")]
    BufferLength { wanted: usize, found: usize },

    #[error("all its {volumes} volumes have been read")]
    NoMoreVolumes { volumes: u64 },
}
