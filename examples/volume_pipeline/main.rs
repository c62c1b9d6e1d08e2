//! Reads a scan, separates the head from the air, and draws a picture of both.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use ndarray::Array3;

mod arguments;
mod nifti;
mod picture;
mod scan;
mod segment;

use arguments::Request;
use nifti::NiftiReader;
use picture::Picture;
use scan::{Voxel, with_voxel_type};

fn main() -> ExitCode {
    let request = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(request) => request,
        Err(error) => {
            eprintln!("volume_pipeline: {error}\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let Request::Run { volume, picture } = request else {
        println!("{}", arguments::USAGE);
        return ExitCode::SUCCESS;
    };
    match run(&volume, &picture) {
        Ok(()) => {
            println!("{}", picture.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("volume_pipeline: {}: {error}", volume.display());
            ExitCode::FAILURE
        }
    }
}

fn run(volume: &Path, picture: &Path) -> Result<(), Box<dyn Error>> {
    let reader = NiftiReader::open(volume)?;
    with_voxel_type!(reader.info().dtype, T => stages::<T>(reader, picture))
}

/// The three stages, one after the other.
fn stages<T: Voxel>(mut reader: NiftiReader, picture: &Path) -> Result<(), Box<dyn Error>> {
    let info = reader.info().clone();
    let mut bytes = vec![T::zeroed(); info.voxels()];
    reader.read_volume(bytemuck::cast_slice_mut(&mut bytes))?;
    let voxels =
        scan::view::<T>(&info, bytemuck::cast_slice(&bytes)).ok_or("its voxels are not where they belong")?;
    let mut mask = Array3::zeros(info.dimensions());
    let found = segment::segment(&info, voxels, mask.view_mut())?;
    Picture::draw(&info, voxels, mask.view(), &found)?.write(picture)?;
    Ok(())
}
