//! The series in `examples/data/`, against numbers that nibabel and scipy give for it.

use std::path::Path;

use ndarray::Array3;

use crate::nifti::NiftiReader;
use crate::scan::{Direction, Dtype, view};
use crate::segment::segment;

#[test]
fn the_series_reads_and_segments_as_other_tools_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/example4d.nii.gz");
    let mut reader = NiftiReader::open(&path).unwrap();
    let info = reader.info().clone();
    assert_eq!((info.dtype, info.shape, info.volumes), (Dtype::I16, [24, 96, 128], 2));
    let directions = info.placement.unwrap().directions();
    assert_eq!(directions, Some([Direction::Left, Direction::Anterior, Direction::Superior]));

    let mut volumes = [vec![0_i16; info.voxels()], vec![0_i16; info.voxels()]];
    for volume in &mut volumes {
        reader.read_volume(bytemuck::cast_slice_mut(volume)).unwrap();
    }
    let sums = volumes.each_ref().map(|volume| volume.iter().map(|&voxel| i64::from(voxel)).sum::<i64>());
    assert_eq!(sums, [50_994_397, 50_990_959]);
    let voxels = view::<i16>(&info, bytemuck::cast_slice(&volumes[0])).unwrap();
    assert_eq!(voxels[(12, 50, 60)], 468);

    let mut mask = Array3::zeros(info.dimensions());
    let found = segment(&info, voxels, mask.view_mut()).unwrap();
    assert_eq!((found.threshold, found.pieces, found.voxels), (251.5, 31, 99_688));
    assert_eq!((found.first, found.last), ([0, 0, 31], [23, 89, 95]));
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(
        near(found.mean_inside, 496.169_177_834_744_83) && near(found.mean_outside, 7.848_850_551_161_743)
    );
    let [z, y, x] = found.centroid;
    assert!(
        near(z, 11.363_885_322_205_281) && near(y, 44.843_732_445_229_115) && near(x, 63.336_760_693_363_296)
    );
}
