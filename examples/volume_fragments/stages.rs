//! The stages as operators, and what goes from one to the next.

use std::path::PathBuf;

use ndarray::{ArrayView3, Ix3};
use podwire::Codec;
use podwire::fastio::{AllocationOptions, DType, Element, Metadata};
use podwire::fragment::{Context, Input, Operator, OperatorSpec, Output, Result};
use podwire::tensor::Tensor;

use crate::nifti::NiftiReader;
use crate::picture::Picture;
use crate::picture::words::{grouped, number};
use crate::scan::{self, ScanInfo, Voxel, with_voxel_type};
use crate::segment::{Segmentation, segment};

/// One volume of the series.
#[derive(Codec)]
#[codec(register)]
pub(crate) struct Volume {
    /// Which one, from 0.
    number: u64,
    info: ScanInfo,
    voxels: Tensor,
}

impl Volume {
    /// The voxels where they lie; `T` is the type that the information says.
    fn view<T: Voxel + Element>(&self) -> Result<ArrayView3<'_, T>> {
        let bytes = bytemuck::cast_slice(self.voxels.as_slice::<T>()?);
        Ok(scan::view(&self.info, bytes).ok_or("the voxels are not what the information says")?)
    }
}

/// What was found in one volume.
#[derive(Codec)]
#[codec(register)]
pub(crate) struct Head {
    found: Segmentation,
    /// 1 where the head is, 0 elsewhere.
    mask: Tensor,
}

/// From the file into shared memory, volume by volume, with nothing in between.
pub(crate) struct Load {
    volume: PathBuf,
    reader: Option<NiftiReader>,
}

impl Load {
    pub(crate) fn new(volume: PathBuf) -> Self {
        Self { volume, reader: None }
    }
}

impl Operator for Load {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output::<Volume>("volume");
        Ok(())
    }

    /// The file is opened where the operator runs, not where the application is composed.
    fn start(&mut self, _: &mut Context) -> Result {
        let reader = NiftiReader::open(&self.volume);
        self.reader = Some(reader.map_err(|error| format!("{}: {error}", self.volume.display()))?);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, context: &mut Context) -> Result {
        let reader = self.reader.as_mut().ok_or("there is no reader")?;
        let (info, number) = (reader.info().clone(), context.tick());
        let dtype = with_voxel_type!(info.dtype, T => <T as Element>::DTYPE);
        let options =
            AllocationOptions::new(info.volume_bytes()).metadata(Metadata::array(dtype, info.shape));
        let memory = context.fast_io()?.create_with(options)?;
        let read = reader.read_volume(&mut memory.map_mut()?);
        read.map_err(|error| format!("{}: {error}", self.volume.display()))?;
        memory.seal()?;

        if number + 1 == info.volumes {
            context.finish();
        }
        output.emit("volume", Volume { number, info, voxels: memory.into_tensor()? })?;
        Ok(())
    }
}

/// Looks at the voxels where they lie, and writes the mask where it will stay.
pub(crate) struct Segment;

impl Operator for Segment {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<Volume>("volume");
        spec.output::<Head>("head");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, output: &mut Output, context: &mut Context) -> Result {
        let volume = input.receive::<Volume>("volume")?;
        let info = &volume.info;
        let options = AllocationOptions::new(info.voxels()).metadata(Metadata::array(DType::U8, info.shape));
        let memory = context.fast_io()?.create_with(options)?;
        let found = {
            let mut memory = memory.map_mut()?;
            let mask = memory.as_array_mut::<u8>()?.into_dimensionality::<Ix3>()?;
            with_voxel_type!(info.dtype, T => segment(info, volume.view::<T>()?, mask))
        };
        memory.seal()?;
        let found = found.map_err(|error| format!("{}: {error}", info.file))?;
        output.emit("head", Head { found, mask: memory.into_tensor()? })?;
        Ok(())
    }
}

/// Says what was found in each volume, and draws the first.
pub(crate) struct Report {
    picture: PathBuf,
}

impl Report {
    pub(crate) fn new(picture: PathBuf) -> Self {
        Self { picture }
    }
}

impl Operator for Report {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        // Both come in the order of the series, so that the first volume meets the first head, and so on.
        spec.input::<Volume>("volume");
        spec.input::<Head>("head");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        let volume = input.receive::<Volume>("volume")?;
        let head = input.receive::<Head>("head")?;
        let (info, found) = (&volume.info, &head.found);
        println!(
            "volume {}: the head has {} voxels at or above {}, {:.0} ml",
            volume.number,
            grouped(found.voxels),
            number(found.threshold),
            found.volume_ml
        );
        if volume.number == 0 {
            let mask = ArrayView3::from_shape(info.dimensions(), head.mask.as_slice::<u8>()?)?;
            let drawn =
                with_voxel_type!(info.dtype, T => Picture::draw(info, volume.view::<T>()?, mask, found))?;
            drawn.write(&self.picture).map_err(|error| format!("{}: {error}", self.picture.display()))?;
            println!("drew {}", self.picture.display());
        }
        Ok(())
    }
}
