//! How does a Rust process share values and arrays with a Python one?
//!
//! Waits for what a Python process publishes, as `python/README.md` does it, and answers:
//!
//! ```sh
//! cargo run --example with_python -- PIPELINE [SECONDS]
//! ```
//!
//! ```python
//! import numpy, numpy.typing as npt, podwire
//! from dataclasses import dataclass
//!
//! @podwire.codec
//! @dataclass
//! class Frame:
//!     sensor: str
//!     gain: podwire.f32
//!     pixels: podwire.Bulk[npt.NDArray[numpy.uint16]]
//!
//! context = podwire.FastIOContext("PIPELINE")
//! context.publish_value(Frame("left", 0.5, numpy.arange(100_000, dtype="uint16")), "frame")
//! context.publish_array(numpy.ones((480, 640), "float32"), "image")
//! print(context.wait_value("brighter", 10), context.wait("sums", 10).to_numpy())
//! ```

use podwire::fastio::{Error, FastIoContext};
use podwire::{Bulk, Codec};
use std::time::Duration;

/// The class `Frame` of the Python process: same name, same fields.
#[derive(Codec, Debug)]
#[codec(register)]
struct Frame {
    sensor: String,
    gain: f32,
    pixels: Bulk<u16>,
}

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let pipeline = arguments.next().unwrap_or_else(|| "with-python".into());
    let seconds = arguments.next().and_then(|seconds| seconds.parse().ok()).unwrap_or(60);
    let (context, patience) = (FastIoContext::open(&pipeline)?, Duration::from_secs(seconds));

    // A value: `pixels` is the memory that the Python process wrote.
    let mut frame: Frame = context.wait_value("frame", patience)?;
    println!("{}: {} pixels, the last is {:?}", frame.sensor, frame.pixels.len(), frame.pixels.last());
    frame.gain *= 2.0;
    context.replace_value(&frame, "brighter")?; // by reference, as it came

    // An array: an `ndarray` view of the same.
    let image = context.wait("image", patience)?;
    let sums = image.map()?.as_array::<f32>()?.sum_axis(ndarray::Axis(0));
    context.replace_array(&sums, "sums")?;
    println!("{} columns", sums.len());
    Ok(())
}
