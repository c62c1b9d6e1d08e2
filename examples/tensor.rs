//! How do I send a tensor, and what of it is copied?
//!
//! `cargo run --example tensor`

use podwire::tensor::{Tensor, TensorMap, Timestamp};
use podwire::{Buffer, Codec, Gather};

/// What a segmentation passes on: host tensors by name, and when the camera saw it.
#[derive(Codec)]
struct Findings {
    taken: Timestamp,
    tensors: TensorMap,
}

fn main() -> podwire::Result<()> {
    let volume = Tensor::from_vec((0..64_u32 * 512 * 512).map(|at| at as f32).collect(), &[64, 512, 512])?;
    let corner = volume.part(1, 0..16)?.part(2, 0..16)?; // a view of the same memory, with strides
    println!("{:?}, and of it {:?} with steps of {:?}", volume.shape(), corner.shape(), corner.strides());

    let taken = Timestamp { acqtime: 1_000, pubtime: 2_000 };
    let tensors = TensorMap::from([("corner".into(), corner), ("volume".into(), volume)]);
    let sent = Findings { taken, tensors };

    // An endpoint that carries segments: shared memory and transports are others.
    let mut gather = Gather::new();
    sent.serialize(&mut gather)?;
    let beside: usize = gather.segments().iter().map(|segment| segment.length()).sum();
    println!("packed: {} bytes; by reference, not copied: {beside} bytes", gather.packed().len());

    let received = Findings::deserialize(&mut gather)?;
    let (here, there) =
        (sent.tensors["volume"].as_slice::<f32>()?, received.tensors["volume"].as_slice::<f32>()?);
    assert!(core::ptr::eq(here, there), "the receiver looks at the sender's memory");
    assert_eq!(received.tensors["corner"].strides(), [512 * 512, 512, 1]);
    println!("taken at {} ns; the last voxel is {}", received.taken.acqtime, there[there.len() - 1]);

    // One that cannot carry them has everything inline; of the corner, its own 16,384 elements.
    let mut buffer = Buffer::new();
    received.tensors["corner"].serialize(&mut buffer)?;
    println!("the corner inline: {} bytes", buffer.as_slice().len());
    let corner = Tensor::deserialize(&mut buffer)?;
    assert!(corner.is_contiguous() && corner == received.tensors["corner"]);

    let error = corner.as_slice::<f64>().expect_err("they are f32");
    println!("asked for f64: {error}");
    Ok(())
}
