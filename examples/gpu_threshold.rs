//! How do two processes share an array on a GPU?
//!
//! `cargo run --release --features cuda --example gpu_threshold -- [EDGE]`
//!
//! One process puts a volume of EDGE^3 voxels on the GPU and publishes it; the other one, which it starts, gets the same memory,
//! has a kernel compare each voxel with a level, and publishes the mask. No voxel passes over the host on the way. Without a
//! GPU it says so, and does nothing.
#![allow(unsafe_code, reason = "no compiler checks what a kernel does with its arguments")]

use std::process::Command;
use std::time::Duration;

use podwire::device::{Argument, Device, Error, Kernel};
use podwire::fastio::FastIoContext;
use podwire::tensor::{DType, Tensor};

/// The kernel's text, which the driver compiles for the GPU that it finds.
const THRESHOLD: &str = include_str!("data/threshold.ptx");
/// What belongs to the sphere.
const LEVEL: f32 = 0.5;
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let gpu = match Device::open(0) {
        Ok(gpu) => gpu,
        Err(Error::NoDriver) => {
            println!("skipped: GPU (no CUDA driver)");
            return Ok(());
        }
        Err(Error::NoDevice) => {
            println!("skipped: GPU (no device)");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let mut arguments = std::env::args().skip(1);
    match arguments.next() {
        Some(part) if part == "--second" => second(&gpu, &arguments.next().ok_or("--second PIPELINE")?),
        edge => first(&gpu, edge.map_or(Ok(128), |edge| edge.parse())?),
    }
}

/// Publishes the volume, and looks at the mask.
fn first(gpu: &Device, edge: usize) -> Result<(), Box<dyn std::error::Error>> {
    let pipeline = format!("gpu-threshold-{}", std::process::id());
    let context = FastIoContext::open(&pipeline)?;
    let volume = Tensor::from_vec(sphere(edge), &[edge, edge, edge])?;
    let expected = volume.as_slice::<f32>()?.iter().filter(|value| **value >= LEVEL).count();
    println!("{gpu:?}: a volume of {edge}^3 voxels");

    context.publish_value(&gpu.place(&context, &volume)?, "volume")?;
    let mut other = Command::new(std::env::current_exe()?).args(["--second", &pipeline]).spawn()?;
    let mask = context.wait_value::<Tensor>("mask", PATIENCE)?; // from here on it is also ours to keep
    context.publish_value(&true, "seen")?;
    assert!(other.wait()?.success(), "the second process failed");

    let inside = gpu.fetch(&mask)?.as_slice::<bool>()?.iter().filter(|inside| **inside).count();
    assert_eq!(inside, expected, "the host counts otherwise");
    println!("first process: {inside} voxels are inside, as the host counts them");
    drop(context);
    FastIoContext::remove(&pipeline)?;
    Ok(())
}

/// Finds the volume, where it is, and computes the mask.
fn second(gpu: &Device, pipeline: &str) -> Result<(), Box<dyn std::error::Error>> {
    let context = FastIoContext::open(pipeline)?;
    let volume = context.wait_value::<Tensor>("volume", PATIENCE)?;
    let from = volume.segment().device_address().ok_or("the volume is not on the GPU")? as u64;
    let count = u32::try_from(volume.len())?;

    let mask = gpu.create(&context, volume.len())?;
    let guard = mask.map_mut()?;
    let arguments =
        [Argument::from(from), Argument::from(guard.address()), Argument::from(LEVEL), Argument::from(count)];
    let (kernel, stream) = (Kernel::from_ptx(gpu, THRESHOLD, "threshold")?, gpu.stream()?);
    // SAFETY: these are the kernel's four arguments, by the head of its text; the volume has `count` floats and the mask
    // `count` bytes, and both are kept until the stream is done, which `finish` waits for.
    unsafe { kernel.launch(Some(&stream), [count.div_ceil(256), 1, 1], [256, 1, 1], &arguments)? };
    guard.finish(&stream)?;
    mask.seal()?;
    let mask = mask.into_tensor(DType::Bool, volume.shape())?;
    context.publish_value(&mask, "mask")?;

    let stats = gpu.stats();
    assert_eq!((stats.bytes_to_host, stats.bytes_to_device, stats.bytes_on_device), (0, 0, 0));
    println!("second process: {count} voxels on the GPU, none copied");
    context.wait_value::<bool>("seen", PATIENCE)?; // the mask is there as long as somebody lives who has it
    Ok(())
}

/// A soft ball in the middle of a volume.
fn sphere(edge: usize) -> Vec<f32> {
    let middle = edge as f32 / 2.0;
    let place = |at: usize| [at / edge / edge, at / edge % edge, at % edge].map(|at| at as f32 - middle);
    let distance = |[z, y, x]: [f32; 3]| (z * z + y * y + x * x).sqrt();
    (0..edge * edge * edge).map(|at| 1.0 - distance(place(at)) / middle).collect()
}
