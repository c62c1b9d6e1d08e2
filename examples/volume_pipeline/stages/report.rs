//! *report*: maps voxels and mask, and draws the picture of both.

use std::path::Path;

use ndarray::Ix3;
use podwire::fastio::FastIoAllocation;

use super::{Desk, PATIENCE, Result};
use crate::picture::Picture;
use crate::scan::{self, ScanInfo, Voxel, with_voxel_type};
use crate::segment::Segmentation;

pub(crate) fn run(desk: &Desk, picture: &Path) -> Result<()> {
    let info: ScanInfo = desk.ask().wait_value("scan", PATIENCE)?;
    desk.mapped("scan")?;
    let volume = desk.ask().wait("volume-0", PATIENCE)?;
    let drawn = with_voxel_type!(info.dtype, T => draw::<T>(desk, &info, &volume))?;
    drawn.write(picture).map_err(|error| format!("{}: {error}", picture.display()))?;
    desk.did("wrote the picture")
}

fn draw<T: Voxel>(desk: &Desk, info: &ScanInfo, volume: &FastIoAllocation) -> Result<Picture> {
    let bytes = volume.map()?;
    desk.mapped("volume-0")?;
    let voxels = scan::view::<T>(info, &bytes).ok_or("volume-0 is not what scan says")?;

    let mask = desk.ask().wait("mask", PATIENCE)?;
    let mask = mask.map()?;
    desk.mapped("mask")?;
    let found: Segmentation = desk.ask().wait_value("segmentation", PATIENCE)?;
    desk.mapped("segmentation")?;
    desk.did("waited for scan, volume-0, mask and segmentation")?;

    let mask = mask.as_array::<u8>()?.into_dimensionality::<Ix3>()?;
    let picture = Picture::draw(info, voxels, mask, &found)?;
    let (width, height) = (picture.canvas.width(), picture.canvas.height());
    desk.did(format!("drew {width} × {height} pixels"))?;
    Ok(picture)
}
