//! Files that are right, in every way in which a file can be right.

use crate::nifti::{NiftiError, NiftiReader};
use crate::scan::{Direction, Dtype, Scale, ScanInfo, view, with_voxel_type};
use crate::support::{DTYPES, TempFile, Writer, gzip, placement};

fn open(bytes: &[u8]) -> NiftiReader {
    let file = TempFile::of("scan.nii", bytes);
    NiftiReader::open(&file.0).unwrap()
}

fn info_of(writer: &Writer) -> ScanInfo {
    open(&writer.file(&[0; 4096])).info().clone()
}

/// Bytes of `count` numbers that differ in each of their bytes, in this machine's order and in the file's.
fn numbers(dtype: Dtype, count: usize, big_endian: bool) -> (Vec<u8>, Vec<u8>) {
    let size = dtype.size();
    let native: Vec<u8> = (0..count * size).map(|i| (i * 7 + i / size) as u8).collect();
    let turned = native.chunks(size).flat_map(|number| number.iter().rev().copied()).collect();
    let is_native = big_endian == cfg!(target_endian = "big");
    (native.clone(), if is_native { native } else { turned })
}

#[test]
fn every_type_in_both_versions_and_orders_plain_and_gzipped_gives_the_same_voxels() {
    for (dtype, code) in DTYPES {
        for version in [1, 2] {
            for big_endian in [false, true] {
                let writer = Writer { big_endian, ..Writer::new(version, code, &[4, 3, 2, 2]) };
                let (native, stored) = numbers(dtype, 48, big_endian);
                let plain = writer.file(&stored);
                for bytes in [gzip(&plain), plain] {
                    let mut reader = open(&bytes);
                    let info = reader.info().clone();
                    assert_eq!((info.dtype, info.shape, info.volumes), (dtype, [2, 3, 4], 2));
                    assert_eq!(info.format, format!("NIfTI-{version}"));
                    assert_eq!(info.spacing_mm, [2.5, 1.5, 0.5]);
                    for volume in native.chunks(info.volume_bytes()) {
                        let mut voxels = vec![0; info.volume_bytes()];
                        reader.read_volume(&mut voxels).unwrap();
                        assert_eq!(voxels, volume, "{dtype} version {version} big endian {big_endian}");
                    }
                    assert!(matches!(
                        reader.read_volume(&mut vec![0; info.volume_bytes()]),
                        Err(NiftiError::NoMoreVolumes { volumes: 2 })
                    ));
                }
            }
        }
    }
}

#[test]
fn x_runs_fastest() {
    let mut reader = open(
        &Writer::new(1, 4, &[3, 2, 2]).file(&(0..12_i16).flat_map(i16::to_le_bytes).collect::<Vec<_>>()),
    );
    let info = reader.info().clone();
    let mut voxels = vec![0_i16; info.voxels()];
    reader.read_volume(bytemuck::cast_slice_mut(&mut voxels)).unwrap();
    let array = view::<i16>(&info, bytemuck::cast_slice(&voxels)).unwrap();
    assert_eq!(array[(0, 0, 2)], 2);
    assert_eq!(array[(0, 1, 0)], 3);
    assert_eq!(array[(1, 0, 0)], 6);
}

#[test]
fn a_view_is_of_the_scans_type_and_size_or_none() {
    let info = info_of(&Writer::new(1, 4, &[3, 2, 2]));
    let bytes = [0_i16; 12];
    let bytes: &[u8] = bytemuck::cast_slice(&bytes);
    with_voxel_type!(info.dtype, T => assert!(view::<T>(&info, bytes).is_some()));
    assert!(view::<u16>(&info, bytes).is_none());
    assert!(view::<i16>(&info, &bytes[..22]).is_none());
}

#[test]
fn ranks_from_two_on_are_read_if_all_beyond_the_fourth_are_one() {
    for (extents, shape, volumes) in [
        (&[4, 3][..], [1, 3, 4], 1),
        (&[4, 3, 2], [2, 3, 4], 1),
        (&[4, 3, 2, 1], [2, 3, 4], 1),
        (&[4, 3, 1, 5], [1, 3, 4], 5),
        (&[4, 3, 2, 5, 1], [2, 3, 4], 5),
        (&[4, 3, 2, 5, 1, 1, 1], [2, 3, 4], 5),
    ] {
        for version in [1, 2] {
            let info = info_of(&Writer::new(version, 2, extents));
            assert_eq!((info.shape, info.volumes), (shape, volumes), "{extents:?}");
        }
    }
}

#[test]
fn extents_beyond_the_rank_do_not_count() {
    let mut writer = Writer::new(1, 2, &[4, 3, 2]);
    writer.dim[4..].copy_from_slice(&[0, 9, -1, 30_000]);
    assert_eq!(info_of(&writer).volumes, 1);
}

#[test]
fn a_slope_counts_unless_it_is_zero_or_no_number() {
    let scale =
        |slope, intercept| info_of(&Writer { slope, intercept, ..Writer::new(2, 2, &[4, 3, 2]) }).scale;
    assert_eq!(scale(2.0, -1024.0), Scale { slope: 2.0, intercept: -1024.0 });
    assert_eq!(scale(-0.5, 0.0), Scale { slope: -0.5, intercept: 0.0 });
    assert_eq!(scale(0.0, 7.0), Scale::IDENTITY);
    assert_eq!(scale(f64::NAN, 7.0), Scale::IDENTITY);
    assert_eq!(scale(1.0, f64::INFINITY), Scale::IDENTITY);
    assert_eq!(Scale { slope: 2.0, intercept: -1.0 }.apply(3_u8), 5.0);
}

#[test]
fn spacings_become_millimetres_and_senseless_ones_become_one() {
    let spacing = |pixdim: [f64; 3], units| {
        let mut writer = Writer::new(2, 2, &[4, 3, 2]);
        writer.pixdim[1..4].copy_from_slice(&pixdim);
        writer.units = units;
        info_of(&writer).spacing_mm
    };
    assert_eq!(spacing([0.5, 1.0, 2.0], 2), [2.0, 1.0, 0.5]);
    assert_eq!(spacing([0.5, 1.0, 2.0], 0), [2.0, 1.0, 0.5]);
    assert_eq!(spacing([0.5, 1.0, 2.0], 1 | 8), [2000.0, 1000.0, 500.0]);
    assert_eq!(spacing([500.0, 1000.0, 2000.0], 3), [2.0, 1.0, 0.5]);
    assert_eq!(spacing([0.0, f64::NAN, -2.0], 2), [2.0, 1.0, 1.0]);
}

#[test]
fn the_sform_goes_before_the_qform_and_neither_means_unknown() {
    use Direction::{Anterior, Left, Right, Superior};
    let las = [[-2.0, 0.0, 0.0, 90.0], [0.0, 2.0, 0.0, -126.0], [0.0, 0.0, 3.0, -72.0]];
    let identity = ([0.0; 3], [1.0, 2.0, 3.0]);
    for version in [1, 2] {
        let plain = Writer::new(version, 2, &[4, 3, 2]);
        let directions = |writer: &Writer| info_of(writer).placement.and_then(|it| it.directions());
        assert_eq!(info_of(&plain).placement, None);
        assert_eq!(
            directions(&Writer { qform: Some(identity), ..plain.clone() }),
            Some([Right, Anterior, Superior])
        );
        let both = Writer { qform: Some(identity), sform: Some(las), ..plain.clone() };
        assert_eq!(directions(&both), Some([Left, Anterior, Superior]));
        assert_eq!(info_of(&both).placement.unwrap().height([2.0, 0.0, 0.0]), -66.0);
    }
}

#[test]
fn a_qform_turns_scales_and_mirrors() {
    use Direction::{Anterior, Inferior, Left, Right, Superior};
    let root = 0.5_f64.sqrt();
    let directions = |quaternion, handedness| {
        let mut writer = Writer { qform: Some((quaternion, [0.0; 3])), ..Writer::new(2, 2, &[4, 3, 2]) };
        writer.pixdim[0] = handedness;
        info_of(&writer).placement.unwrap().directions().unwrap()
    };
    assert_eq!(directions([0.0, 0.0, 0.0], -1.0), [Right, Anterior, Inferior]);
    // A quarter turn about z takes x to y and y to -x.
    assert_eq!(directions([0.0, 0.0, root], 1.0), [Anterior, Left, Superior]);
    // A half turn about y (a = 0) turns x and z round.
    assert_eq!(directions([0.0, 1.0, 0.0], 1.0), [Left, Anterior, Inferior]);
}

#[test]
fn an_oblique_placement_gets_the_nearest_directions_and_a_flat_one_none() {
    use Direction::{Anterior, Inferior, Left};
    let oblique = [[-0.9, 0.3, 0.1, 0.0], [0.3, 0.8, -0.4, 0.0], [0.1, -0.4, -0.9, 0.0]];
    let directions = crate::scan::Placement { rows: oblique }.directions();
    assert_eq!(directions, Some([Left, Anterior, Inferior]));
    assert_eq!(crate::scan::Placement { rows: [[0.0; 4]; 3] }.directions(), None);
    assert_eq!(placement([(0, 1.0), (0, 1.0), (2, 1.0)]).directions(), None);
}

#[test]
fn voxels_stand_where_the_offset_says_and_zero_means_behind_the_header() {
    for (version, offset, first) in
        [(1, 0.0, 352), (1, 352.0, 352), (1, 416.0, 416), (2, 0.0, 544), (2, 1000.0, 1000)]
    {
        let writer = Writer { voxel_offset: offset, ..Writer::new(version, 2, &[2, 2]) };
        let mut bytes = writer.file(&[]);
        bytes.resize(first, 0xee);
        bytes.extend([1, 2, 3, 4]);
        let mut voxels = [0; 4];
        open(&bytes).read_volume(&mut voxels).unwrap();
        assert_eq!(voxels, [1, 2, 3, 4], "version {version}, offset {offset}");
    }
}

#[test]
fn gzip_members_in_a_row_are_one_file_and_the_name_decides_nothing() {
    let bytes = Writer::new(1, 2, &[2, 2]).file(&[1, 2, 3, 4]);
    let mut members = gzip(&bytes[..100]);
    members.extend(gzip(&bytes[100..354]));
    members.extend(gzip(&bytes[354..]));
    for (name, bytes) in [("a.nii", &members), ("a.nii.gz", &bytes), ("a", &members)] {
        let file = TempFile::of(name, bytes);
        let mut reader = NiftiReader::open(&file.0).unwrap();
        let mut voxels = [0; 4];
        reader.read_volume(&mut voxels).unwrap();
        assert_eq!((voxels, reader.info().file.as_str()), ([1, 2, 3, 4], name));
    }
}

#[test]
fn bytes_after_the_voxels_do_no_harm() {
    let mut bytes = Writer::new(1, 2, &[2, 2]).file(&[1, 2, 3, 4]);
    bytes.extend([9; 100]);
    for bytes in [gzip(&bytes), bytes] {
        let mut voxels = [0; 4];
        open(&bytes).read_volume(&mut voxels).unwrap();
        assert_eq!(voxels, [1, 2, 3, 4]);
    }
}
