//! *segment*: looks at the voxels where they lie, and writes the mask where it will stay.

use std::time::Instant;

use ndarray::Ix3;
use podwire::fastio::{AllocationOptions, DType, FastIoAllocation, Metadata};

use super::{Desk, PATIENCE, Result};
use crate::note::now;
use crate::picture::words::{grouped, number};
use crate::scan::{self, ScanInfo, Voxel, with_voxel_type};
use crate::segment::segment;

pub(crate) fn run(desk: &Desk) -> Result<()> {
    let mut clock = Instant::now();
    let info: ScanInfo = desk.context.wait_value("scan", PATIENCE)?;
    desk.mapped("scan")?;
    let volume = desk.context.wait("volume-0", PATIENCE)?;
    desk.did("waited for scan and volume-0", &mut clock)?;
    with_voxel_type!(info.dtype, T => separate::<T>(desk, &info, &volume, clock))
}

/// `clock` runs since the volume is there.
fn separate<T: Voxel>(
    desk: &Desk,
    info: &ScanInfo,
    volume: &FastIoAllocation,
    mut clock: Instant,
) -> Result<()> {
    let bytes = volume.map()?;
    desk.mapped("volume-0")?;
    let voxels = scan::view::<T>(info, &bytes).ok_or("volume-0 is not what scan says")?;

    let options = AllocationOptions::new(info.voxels()).metadata(Metadata::array(DType::U8, info.shape));
    let mask = desk.context.create_with(options)?;
    let found = {
        let mut memory = mask.map_mut()?;
        let array = memory.as_array_mut::<u8>()?.into_dimensionality::<Ix3>()?;
        segment(info, voxels, array).map_err(|error| format!("{}: {error}", info.file))?
    };
    mask.seal()?;
    desk.did(
        format!("found the head: {} voxels from {} on", grouped(found.voxels), number(found.threshold)),
        &mut clock,
    )?;

    let at = now();
    mask.publish("mask")?;
    desk.published("mask", &mask, at)?;
    let at = now();
    let value = desk.context.publish_value(&found, "segmentation")?;
    desk.published("segmentation", &value, at)
}
