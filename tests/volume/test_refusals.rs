//! Files that are wrong: one clear message each, no panic, and no memory on the word of a header.

use crate::nifti::{NiftiError, NiftiReader};
use crate::support::{TempFile, Writer, gzip};

fn refusal(bytes: &[u8]) -> NiftiError {
    let file = TempFile::of("scan.nii", bytes);
    match NiftiReader::open(&file.0) {
        Err(error) => {
            let message = error.to_string();
            assert!(!message.is_empty() && !message.contains('\n'), "{message:?}");
            error
        }
        Ok(reader) => panic!("was read as {:?}", reader.info()),
    }
}

fn is_right(bytes: &[u8]) -> bool {
    let file = TempFile::of("scan.nii", bytes);
    let Ok(mut reader) = NiftiReader::open(&file.0) else { return false };
    let volume = reader.info().volume_bytes();
    (0..reader.info().volumes).all(|_| reader.read_volume(&mut vec![0; volume]).is_ok())
}

#[test]
fn every_proper_prefix_of_a_file_is_refused() {
    for version in [1, 2] {
        let bytes = Writer::new(version, 4, &[3, 2, 2, 2]).file(&[7; 48]);
        assert!(is_right(&bytes));
        for length in 0..bytes.len() {
            let error = refusal(&bytes[..length]);
            assert!(
                matches!(error, NiftiError::Truncated { found, .. } if found == length as u64),
                "{length}: {error}"
            );
        }
        let zipped = gzip(&bytes);
        assert!(is_right(&zipped));
        for length in 0..zipped.len() {
            assert!(!is_right(&zipped[..length]), "{length} of {}", zipped.len());
        }
        for length in 0..bytes.len() {
            assert!(!is_right(&gzip(&bytes[..length])), "{length} zipped");
        }
    }
}

#[test]
fn a_damaged_gzip_stream_is_refused_before_anything_is_read() {
    let voxels: Vec<u8> = (0..2000_u32).map(|i| (i * i / 7) as u8).collect();
    let zipped = gzip(&Writer::new(1, 2, &[20, 10, 10]).file(&voxels));
    for at in (10..zipped.len()).step_by(3) {
        let mut damaged = zipped.clone();
        damaged[at] ^= 0x10;
        let file = TempFile::of("scan.nii.gz", &damaged);
        // A changed reference may happen to point to equal bytes; the checksum then agrees, and rightly so.
        if let Ok(mut reader) = NiftiReader::open(&file.0) {
            let mut read = vec![0; voxels.len()];
            reader.read_volume(&mut read).unwrap();
            assert_eq!(read, voxels, "byte {at} of {}", zipped.len());
        }
    }
}

#[test]
fn a_changed_header_byte_never_panics() {
    for version in [1, 2] {
        let bytes = Writer::new(version, 4, &[3, 2, 2, 2]).file(&[7; 48]);
        for at in 0..bytes.len() - 48 {
            for value in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = value;
                is_right(&changed);
            }
        }
    }
}

#[test]
fn extents_that_the_file_cannot_hold_are_refused_without_memory() {
    for (version, extent) in [(1, 32_767), (2, 500_000)] {
        let bytes = Writer::new(version, 64, &[extent, extent, extent]).file(&[0; 64]);
        assert!(matches!(refusal(&bytes), NiftiError::Truncated { part: "voxels", .. }));
        assert!(matches!(refusal(&gzip(&bytes)), NiftiError::Truncated { part: "voxels", .. }));
    }
    for extents in [&[i64::MAX, 2, 2][..], &[i64::MAX, i64::MAX, i64::MAX], &[1 << 30, 1 << 30, 1, 1 << 30]] {
        assert!(
            matches!(refusal(&Writer::new(2, 64, extents).file(&[0; 64])), NiftiError::TooLarge),
            "{extents:?}"
        );
    }
}

#[test]
fn ranks_and_extents_out_of_range_are_named() {
    for rank in [-1, 0, 1, 8, 300] {
        for big_endian in [false, true] {
            for version in [1, 2] {
                let mut writer = Writer { big_endian, ..Writer::new(version, 2, &[2, 2, 2]) };
                writer.dim[0] = rank;
                let error = refusal(&writer.file(&[0; 64]));
                assert!(matches!(error, NiftiError::Rank(_)), "{version} {rank} {error:?}");
            }
        }
    }
    assert!(matches!(refusal(&Writer::new(1, 2, &[2, 2, 2, 1, 3]).file(&[0; 64])), NiftiError::Rank(5)));
    assert!(matches!(
        refusal(&Writer::new(1, 2, &[2, 0, 2]).file(&[0; 64])),
        NiftiError::Extent { dimension: 2, extent: 0 }
    ));
    assert!(matches!(
        refusal(&Writer::new(2, 2, &[2, 2, -5]).file(&[0; 64])),
        NiftiError::Extent { dimension: 3, extent: -5 }
    ));
}

#[test]
fn types_without_a_value_per_voxel_are_refused_by_name() {
    for (code, name) in
        [(1, "one-bit"), (32, "complex64"), (128, "RGB"), (1536, "float128"), (1792, "complex128")]
    {
        for version in [1, 2] {
            let error = refusal(&Writer::new(version, code, &[2, 2, 2]).file(&[0; 512]));
            assert!(matches!(error, NiftiError::Unsupported { .. }));
            assert!(error.to_string().contains(name), "{error}");
        }
    }
    assert!(matches!(refusal(&Writer::new(1, 2304, &[2, 2]).file(&[0; 64])), NiftiError::Unsupported { .. }));
    assert!(matches!(refusal(&Writer::new(1, 0, &[2, 2]).file(&[0; 64])), NiftiError::UnknownType(0)));
    assert!(matches!(refusal(&Writer::new(2, -3, &[2, 2]).file(&[0; 64])), NiftiError::UnknownType(-3)));
}

#[test]
fn offsets_inside_the_header_or_between_bytes_are_refused() {
    for offset in [100.0, 351.0, 352.5, -352.0, f64::NAN, f64::INFINITY] {
        let mut writer = Writer::new(1, 2, &[2, 2]);
        writer.voxel_offset = offset;
        let mut bytes = writer.header();
        bytes.resize(1000, 0);
        assert!(matches!(refusal(&bytes), NiftiError::VoxelOffset { least: 352, .. }), "{offset}");
    }
    let writer = Writer { voxel_offset: 1e9, ..Writer::new(1, 2, &[2, 2]) };
    let mut bytes = writer.header();
    bytes.resize(1000, 0);
    assert!(matches!(refusal(&bytes), NiftiError::Truncated { found: 1000, .. }));
}

#[test]
fn what_is_no_single_nifti_file_is_told_apart() {
    assert!(matches!(refusal(b"\x89PNG\r\n\x1a\n and so on"), NiftiError::NotNifti { .. }));
    assert!(matches!(refusal(&gzip(b"a text")), NiftiError::NotNifti { .. }));
    assert!(matches!(refusal(&[0; 1000]), NiftiError::NotNifti { begins: 0 }));
    assert!(matches!(refusal(&[0x1f, 0x8b, 9, 9, 9, 9]), NiftiError::Gzip(_)));
    let with = |version, magic| {
        refusal(&Writer { magic: Some(magic), ..Writer::new(version, 2, &[2, 2]) }.file(&[0; 9]))
    };
    assert!(matches!(with(1, b"ni1\0"), NiftiError::Pair));
    assert!(matches!(with(2, b"ni2\0\r\n\x1a\n"), NiftiError::Pair));
    assert!(matches!(with(1, b"\0\0\0\0"), NiftiError::Magic { version: 1 }));
    assert!(matches!(with(2, b"n+2\0\n\n\x1a\n"), NiftiError::Magic { version: 2 }));
}

#[test]
fn a_missing_file_and_a_folder_are_refused() {
    let file = TempFile::of("a.nii", b"");
    assert!(matches!(NiftiReader::open(&file.0.with_file_name("b.nii")), Err(NiftiError::Open(_))));
    let folder = file.0.parent().unwrap();
    assert!(matches!(NiftiReader::open(folder), Err(NiftiError::NotAFile)));
}

#[test]
fn the_buffer_is_one_volume_long_or_nothing_is_read() {
    let file = TempFile::of("a.nii", &Writer::new(1, 4, &[3, 2, 2]).file(&[1; 24]));
    let mut reader = NiftiReader::open(&file.0).unwrap();
    for length in [0, 23, 25] {
        let error = reader.read_volume(&mut vec![0; length]).unwrap_err();
        assert!(matches!(error, NiftiError::BufferLength { wanted: 24, found } if found == length));
    }
    assert!(reader.read_volume(&mut [0; 24]).is_ok());
}

#[test]
fn a_file_that_shrinks_after_it_was_opened_is_an_error() {
    let bytes = Writer::new(1, 2, &[100, 100, 100]).file(&vec![1; 1_000_000]);
    let file = TempFile::of("a.nii", &bytes);
    let mut reader = NiftiReader::open(&file.0).unwrap();
    std::fs::OpenOptions::new().write(true).open(&file.0).unwrap().set_len(500_000).unwrap();
    assert!(matches!(reader.read_volume(&mut vec![0; 1_000_000]), Err(NiftiError::Shrunk)));
}
