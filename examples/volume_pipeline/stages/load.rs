//! *load*: from the file into shared memory, volume by volume, with nothing in between.

use std::path::Path;
use std::time::Instant;

use podwire::fastio::{AllocationOptions, Element, Metadata};

use super::{Desk, Result};
use crate::nifti::NiftiReader;
use crate::note::now;
use crate::scan::{ScanInfo, with_voxel_type};

pub(crate) fn run(desk: &Desk, volume: &Path) -> Result<()> {
    let mut clock = Instant::now();
    let named = |error| format!("{}: {error}", volume.display());
    let mut reader = NiftiReader::open(volume).map_err(named)?;
    let info = reader.info().clone();
    let ScanInfo { dtype, shape: [z, y, x], volumes, .. } = info;
    let each = if volumes == 1 { "one volume".to_owned() } else { format!("{volumes} volumes, each") };
    desk.did(format!("checked the file: {each} {z} × {y} × {x} {dtype}"), &mut clock)?;

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
        let at = now();
        array.publish(&name)?;
        desk.published(&name, &array, at)?;
        if number == 0 {
            desk.did("read volume-0 into shared memory", &mut clock)?;
        }
    }
    match info.volumes {
        1 => Ok(()),
        2 => desk.did("read volume-1 likewise", &mut clock),
        volumes => desk.did(format!("read volume-1 to volume-{} likewise", volumes - 1), &mut clock),
    }
}
