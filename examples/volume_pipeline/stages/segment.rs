//! *segment*: looks at the voxels where they lie, and writes the mask where it will stay.

use ndarray::Ix3;
use podwire::fastio::{AllocationOptions, DType, FastIoAllocation, Metadata};

use super::{Desk, PATIENCE, Result};
use crate::note::now;
use crate::picture::words::{grouped, number};
use crate::scan::{self, ScanInfo, Voxel, with_voxel_type};
use crate::segment::segment;

pub(crate) fn run(desk: &Desk) -> Result<()> {
    let info: ScanInfo = desk.ask().wait_value("scan", PATIENCE)?;
    desk.mapped("scan")?;
    let volume = desk.ask().wait("volume-0", PATIENCE)?;
    with_voxel_type!(info.dtype, T => separate::<T>(desk, &info, &volume))
}

fn separate<T: Voxel>(desk: &Desk, info: &ScanInfo, volume: &FastIoAllocation) -> Result<()> {
    let bytes = volume.map()?;
    desk.mapped("volume-0")?;
    desk.did("waited for scan and volume-0")?;
    let voxels = scan::view::<T>(info, &bytes).ok_or("volume-0 is not what scan says")?;

    let options = AllocationOptions::new(info.voxels()).metadata(Metadata::array(DType::U8, info.shape));
    let mask = desk.context.create_with(options)?;
    let found = {
        let mut memory = mask.map_mut()?;
        let array = memory.as_array_mut::<u8>()?.into_dimensionality::<Ix3>()?;
        segment(info, voxels, array).map_err(|error| format!("{}: {error}", info.file))?
    };
    mask.seal()?;
    let (voxels, threshold) = (grouped(found.voxels), number(found.threshold));
    desk.did(format!("found the head: {voxels} voxels at or above {threshold}"))?;

    let at = now();
    mask.publish("mask")?;
    desk.published("mask", &mask, at)?;
    let at = now();
    let value = desk.context.publish_value(&found, "segmentation")?;
    desk.published("segmentation", &value, at)
}
