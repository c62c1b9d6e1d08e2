//! Threshold, pieces and statistics, each against a slower way to the same answer.

use std::collections::{HashSet, VecDeque};

use ndarray::{Array3, ShapeBuilder};

use crate::scan::{Dtype, Scale, ScanInfo};
use crate::segment::{Histogram, SegmentError, Segmentation, keep_largest, otsu, segment};
use crate::support::{Noise, info};

/// The between-class variance of a split after `bin`, from the definition.
fn variance(counts: &[u64], bin: usize) -> f64 {
    let class = |from: usize, to: usize| {
        let weight: f64 = counts[from..to].iter().map(|&count| count as f64).sum();
        let mean = (from..to).map(|i| i as f64 * counts[i] as f64).sum::<f64>() / weight;
        (weight, mean)
    };
    let (lower, upper) = (class(0, bin + 1), class(bin + 1, counts.len()));
    lower.0 * upper.0 * (lower.1 - upper.1).powi(2)
}

#[test]
fn otsus_threshold_is_the_best_of_all() {
    let mut noise = Noise(1);
    for round in 0..200 {
        let bins = 2 + noise.below(300) as usize;
        let counts: Vec<u64> = (0..bins).map(|_| noise.below(1 + noise.0 % 5).pow(3)).collect();
        if counts.iter().filter(|&&count| count > 0).count() < 2 {
            continue;
        }
        let best =
            (0..bins - 1).map(|bin| variance(&counts, bin)).filter(|v| v.is_finite()).fold(0.0, f64::max);
        let found = variance(&counts, otsu(&counts).unwrap());
        assert!(found >= best * (1.0 - 1e-9), "round {round}: {found} of {best}");
    }
}

#[test]
fn two_peaks_are_parted_in_the_middle_of_the_gap() {
    let mut counts = vec![0; 100];
    counts[9..=11].copy_from_slice(&[100, 300, 100]);
    counts[79..=81].copy_from_slice(&[50, 90, 50]);
    let bin = otsu(&counts).unwrap();
    assert!((43..=46).contains(&bin), "{bin}");
}

#[test]
fn one_value_has_no_threshold() {
    assert_eq!(otsu(&[]), None);
    assert_eq!(otsu(&[0, 0]), None);
    assert_eq!(otsu(&[0, 7, 0]), None);
    assert_eq!(otsu(&[7, 7]), Some(0));
}

/// Pieces by flooding, in the order of their first voxels.
fn pieces_by_flooding(mask: &Array3<u8>) -> Vec<HashSet<(usize, usize, usize)>> {
    let mut seen = HashSet::new();
    let mut pieces = Vec::new();
    for (start, _) in mask.indexed_iter().filter(|(_, voxel)| **voxel != 0) {
        if !seen.insert(start) {
            continue;
        }
        let mut piece = HashSet::from([start]);
        let mut queue = VecDeque::from([start]);
        while let Some((z, y, x)) = queue.pop_front() {
            let (a, b) = (usize::wrapping_add, usize::wrapping_sub);
            for next in [
                (a(z, 1), y, x),
                (b(z, 1), y, x),
                (z, a(y, 1), x),
                (z, b(y, 1), x),
                (z, y, a(x, 1)),
                (z, y, b(x, 1)),
            ] {
                if mask.get(next).is_some_and(|&voxel| voxel != 0) && seen.insert(next) {
                    piece.insert(next);
                    queue.push_back(next);
                }
            }
        }
        pieces.push(piece);
    }
    pieces
}

fn set_voxels(mask: &Array3<u8>) -> HashSet<(usize, usize, usize)> {
    mask.indexed_iter().filter(|(_, voxel)| **voxel == 1).map(|(at, _)| at).collect()
}

#[test]
fn the_largest_piece_is_what_flooding_finds() {
    let mut noise = Noise(2);
    for round in 0..300 {
        let shape = (1 + noise.below(6) as usize, 1 + noise.below(7) as usize, 1 + noise.below(9) as usize);
        let density = 10 + noise.below(80);
        let mut mask = Array3::from_shape_simple_fn(shape, || u8::from(noise.below(100) < density));
        if round % 2 == 1 {
            let mut other = Array3::zeros(shape.f());
            other.assign(&mask);
            mask = other;
        }
        let pieces = pieces_by_flooding(&mask);
        assert_eq!(keep_largest(mask.view_mut()), pieces.len() as u64, "round {round}");
        let most = pieces.iter().map(HashSet::len).max().unwrap_or(0);
        let largest = pieces.into_iter().find(|piece| piece.len() == most).unwrap_or_default();
        assert_eq!(set_voxels(&mask), largest, "round {round}");
    }
}

#[test]
fn arms_that_meet_late_are_one_piece_and_corners_do_not_touch() {
    let mut mask = Array3::zeros((2, 4, 5));
    // A fork, whose tines meet in the last row only.
    for y in 0..4 {
        mask[(0, y, 0)] = 1;
        mask[(0, y, 2)] = 1;
        mask[(0, y, 4)] = 1;
    }
    mask.slice_mut(ndarray::s![0, 3, ..]).fill(1);
    // Shares an edge with the fork, not a face.
    mask[(1, 0, 1)] = 1;
    assert_eq!(keep_largest(mask.view_mut()), 2);
    assert_eq!(mask[(1, 0, 1)], 0);
    assert_eq!(mask.sum(), 14);
}

#[test]
fn of_equal_pieces_the_first_stays_and_every_mask_becomes_zeros_and_ones() {
    let mut mask = Array3::from_shape_vec((1, 1, 7), vec![0, 9, 9, 0, 255, 255, 0]).unwrap();
    assert_eq!(keep_largest(mask.view_mut()), 2);
    assert_eq!(mask.into_raw_vec_and_offset().0, [0, 1, 1, 0, 0, 0, 0]);
}

fn run<T: crate::scan::Voxel>(
    info: &ScanInfo,
    voxels: &Array3<T>,
) -> Result<(Segmentation, Array3<u8>), SegmentError> {
    // What a mask held before does not matter.
    let mut mask = Array3::from_elem(voxels.dim(), 77);
    segment(info, voxels.view(), mask.view_mut()).map(|found| (found, mask))
}

/// A bright box in a dark volume, and a bright speck apart from it.
fn box_and_speck() -> Array3<i16> {
    let mut voxels = Array3::from_shape_fn((6, 8, 10), |(z, y, x)| ((z + y + x) % 3) as i16);
    voxels.slice_mut(ndarray::s![1..4, 2..6, 3..8]).fill(100);
    voxels[(5, 7, 9)] = 100;
    voxels
}

#[test]
fn the_statistics_are_the_boxs() {
    let voxels = box_and_speck();
    let scan = ScanInfo { spacing_mm: [2.0, 1.0, 0.5], ..info(Dtype::I16, [6, 8, 10]) };
    let (found, mask) = run(&scan, &voxels).unwrap();
    assert_eq!((found.voxels, found.pieces), (60, 2));
    assert_eq!((found.first, found.last), ([1, 2, 3], [3, 5, 7]));
    assert_eq!(found.centroid, [2.0, 3.5, 5.0]);
    assert_eq!(found.volume_ml, 0.06);
    assert_eq!(found.mean_inside, 100.0);
    let outside: f64 =
        voxels.indexed_iter().filter(|(at, _)| mask[*at] == 0).map(|(_, &v)| f64::from(v)).sum();
    assert!((found.mean_outside - outside / 420.0).abs() < 1e-12);
    assert!(found.threshold > 2.0 && found.threshold < 100.0);
    assert_eq!(mask.iter().filter(|&&voxel| voxel == 1).count(), 60);
}

#[test]
fn scale_and_type_change_the_numbers_but_not_the_mask() {
    let voxels = box_and_speck();
    let (plain, mask) = run(&info(Dtype::I16, [6, 8, 10]), &voxels).unwrap();
    let scan = ScanInfo { scale: Scale { slope: 0.5, intercept: -1000.0 }, ..info(Dtype::F32, [6, 8, 10]) };
    let (scaled, scaled_mask) = run(&scan, &voxels.mapv(f32::from)).unwrap();
    assert_eq!(mask, scaled_mask);
    assert_eq!(scaled.threshold, plain.threshold * 0.5 - 1000.0);
    assert_eq!(scaled.mean_inside, -950.0);
    assert_eq!(scaled.histogram.counts, plain.histogram.counts);

    // A negative slope makes the dark ones the high ones.
    let scan = ScanInfo { scale: Scale { slope: -1.0, intercept: 0.0 }, ..info(Dtype::I16, [6, 8, 10]) };
    let (_, turned) = run(&scan, &voxels).unwrap();
    assert_eq!(turned[(2, 3, 4)], 0);
    assert_eq!(turned[(0, 0, 0)], 1);
}

#[test]
fn the_order_of_memory_does_not_matter() {
    let voxels = box_and_speck();
    let mut turned = Array3::zeros((6, 8, 10).f());
    turned.assign(&voxels);
    let scan = info(Dtype::I16, [6, 8, 10]);
    assert_eq!(run(&scan, &voxels).unwrap(), run(&scan, &turned).unwrap());
}

#[test]
fn what_is_not_finite_is_neither_head_nor_air() {
    let mut voxels = box_and_speck().mapv(f64::from);
    let (plain, _) = run(&info(Dtype::F64, [6, 8, 10]), &voxels).unwrap();
    for (at, value) in [((0, 0, 0), f64::NAN), ((0, 0, 3), f64::INFINITY), ((0, 0, 6), f64::NEG_INFINITY)] {
        voxels[at] = value;
    }
    let (found, mask) = run(&info(Dtype::F64, [6, 8, 10]), &voxels).unwrap();
    assert_eq!((found.voxels, found.first, found.last), (plain.voxels, plain.first, plain.last));
    assert_eq!((mask[(0, 0, 0)], mask[(0, 0, 3)], mask[(0, 0, 6)]), (0, 0, 0));
    assert!(found.mean_outside.is_finite() && found.mean_inside == 100.0);
}

#[test]
fn an_outlier_takes_no_resolution() {
    let mut voxels = Array3::from_shape_fn((20, 30, 40), |(z, y, x)| ((z * y + x) % 7) as f32 * 0.25);
    voxels.slice_mut(ndarray::s![5..15, 5..20, 10..30]).mapv_inplace(|voxel| voxel + 50.0);
    let scan = info(Dtype::F32, [20, 30, 40]);
    voxels[(0, 0, 0)] = 1e30;
    voxels[(0, 0, 20)] = -1e30;
    let (found, mask) = run(&scan, &voxels).unwrap();
    assert!(found.threshold > 1.5 && found.threshold < 50.0, "{}", found.threshold);
    assert_eq!((found.voxels, mask[(0, 0, 0)]), (3000, 0));
    assert_eq!((found.histogram.below, found.histogram.above), (1, 1));
}

#[test]
fn every_voxel_is_counted_once_and_whole_numbers_make_no_comb() {
    let mut noise = Noise(3);
    let voxels = Array3::from_shape_simple_fn((16, 64, 64), || (noise.below(1400)) as i16);
    let histogram = Histogram::of(voxels.view(), Scale::IDENTITY).unwrap();
    assert_eq!(histogram.counts.iter().sum::<u64>() + histogram.below + histogram.above, 65_536);
    assert_eq!(histogram.width, 3.0);
    let (least, most) = histogram.counts[..histogram.counts.len() - 1]
        .iter()
        .fold((u64::MAX, 0), |(least, most), &count| (least.min(count), most.max(count)));
    assert!(most < 2 * least, "{least} to {most}");
    for bin in [0, 100, histogram.counts.len()] {
        assert_eq!(histogram.edge(bin).fract().abs(), 0.5);
    }
}

#[test]
fn quantiles_come_out_of_the_bins() {
    let voxels = Array3::from_shape_fn((1, 10, 100), |(_, y, x)| (y * 100 + x) as u16);
    let histogram = Histogram::of(voxels.view(), Scale::IDENTITY).unwrap();
    assert!((histogram.quantile(0.5, f64::NEG_INFINITY) - 500.0).abs() <= 2.0);
    assert!((histogram.quantile(0.5, 800.0) - 900.0).abs() <= 2.0);
    assert_eq!(histogram.quantile(0.5, 1e9), histogram.end());
}

#[test]
fn two_values_are_enough() {
    let voxels = Array3::from_shape_vec((1, 1, 4), vec![3_u8, 3, 4, 4]).unwrap();
    let (found, mask) = run(&info(Dtype::U8, [1, 1, 4]), &voxels).unwrap();
    assert_eq!((found.threshold, mask.into_raw_vec_and_offset().0), (3.5, vec![0, 0, 1, 1]));
    let voxels = Array3::from_shape_vec((1, 1, 4), vec![0.001_f32, 0.001, 0.002, 0.001]).unwrap();
    assert_eq!(run(&info(Dtype::F32, [1, 1, 4]), &voxels).unwrap().0.voxels, 1);
}

#[test]
fn a_volume_with_nothing_to_part_is_refused() {
    let scan = info(Dtype::F64, [2, 2, 2]);
    let with = |value: f64| run(&scan, &Array3::from_elem((2, 2, 2), value)).unwrap_err();
    assert!(matches!(with(5.0), SegmentError::Constant { value: 5.0 }));
    assert!(matches!(with(f64::NAN), SegmentError::NothingFinite));
    assert!(matches!(with(f64::INFINITY), SegmentError::NothingFinite));
    let far = Array3::from_shape_fn((2, 2, 2), |(z, ..)| if z == 0 { f64::MIN } else { f64::MAX });
    assert!(matches!(run(&scan, &far), Err(SegmentError::Spread { .. })));
    let near = Array3::from_shape_fn((2, 2, 2), |(z, ..)| if z == 0 { 1.0 } else { 1.0 + f64::EPSILON });
    assert!(matches!(run(&scan, &near), Err(SegmentError::Constant { .. })));
    let mut mask = Array3::zeros((2, 2, 3));
    let error = segment(&scan, near.view(), mask.view_mut()).unwrap_err();
    assert!(matches!(error, SegmentError::Shape { .. }));
}
