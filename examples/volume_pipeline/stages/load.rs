//! *load*: from the file into shared memory, volume by volume, with nothing in between.

use std::path::Path;

use podwire::fastio::{AllocationOptions, Element, Metadata};

use super::{Desk, Result};
use crate::nifti::NiftiReader;
use crate::note::now;
use crate::scan::{ScanInfo, with_voxel_type};

pub(crate) fn run(desk: &Desk, volume: &Path) -> Result<()> {
    let named = |error| format!("{}: {error}", volume.display());
    let mut reader = NiftiReader::open(volume).map_err(named)?;
    let info = reader.info().clone();
    let ScanInfo { dtype, shape: [z, y, x], volumes, .. } = info;
    let count = if volumes == 1 { "one volume".to_owned() } else { format!("{volumes} volumes") };
    desk.did(format!("checked {count} of {z} × {y} × {x} voxels, {dtype}"))?;

    let at = now();
    let value = desk.context.publish_value(&info, "scan")?;
    desk.published("scan", &value, at)?;

    let dtype = with_voxel_type!(info.dtype, T => <T as Element>::DTYPE);
    let metadata = Metadata::array(dtype, info.shape).with("file", info.file.as_str());
    for number in 0..info.volumes {
        let name = format!("volume-{number}");
        let options = AllocationOptions::new(info.volume_bytes()).metadata(metadata.clone());
        let array = desk.context.create_with(options)?;
        reader.read_volume(&mut array.map_mut()?).map_err(named)?;
        array.seal()?;
        if number == 0 {
            desk.did("read volume-0 into shared memory")?;
        }
        let at = now();
        array.publish(&name)?;
        desk.published(&name, &array, at)?;
    }
    match info.volumes {
        1 => Ok(()),
        2 => desk.did("read volume-1 likewise"),
        volumes => desk.did(format!("read volume-1 to volume-{} likewise", volumes - 1)),
    }
}
