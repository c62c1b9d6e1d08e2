//! Tests of the parts that the example `volume_pipeline` is made of. Each file here tests the module of its name; the
//! example's own files are included, so that what is tested is what runs.

#[path = "../../examples/volume_pipeline/arguments.rs"]
mod arguments;
#[path = "../../examples/volume_pipeline/nifti/mod.rs"]
mod nifti;
#[path = "../../examples/volume_pipeline/picture/mod.rs"]
mod picture;
#[path = "../../examples/volume_pipeline/scan.rs"]
mod scan;
#[path = "../../examples/volume_pipeline/segment/mod.rs"]
mod segment;

mod support;
mod test_arguments;
mod test_nifti;
mod test_picture;
mod test_real_series;
mod test_refusals;
mod test_segment;
