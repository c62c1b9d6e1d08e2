//! How long do get, map and a read of the first and the last byte take, once an allocation is mapped?
//!
//! Prints nanoseconds for several sizes, minima of many rounds: they should not depend on the size.

use std::{hint::black_box, time::Instant};

use podwire_fastio::{FastIoAllocation, FastIoContext, Result};

const ROUNDS: usize = 200;
const CALLS: usize = 1000;

/// The smallest mean of a round, in nanoseconds.
fn best(mut call: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..CALLS {
            call()?;
        }
        best = best.min(start.elapsed().as_nanos() as f64 / CALLS as f64);
    }
    Ok(best)
}

fn ends(allocation: &FastIoAllocation) -> Result<()> {
    let guard = allocation.map()?;
    black_box((guard[0], guard[guard.len() - 1]));
    Ok(())
}

fn main() -> Result<()> {
    let pipeline = format!("warm-get-{}", std::process::id());
    let context = FastIoContext::open(&pipeline)?;
    println!(
        "{:>12} {:>10} {:>10} {:>10} {:>10} {:>14}",
        "bytes", "get", "get+map", "sealed", "map", "create+publish"
    );
    for size in [8 << 10, 1 << 20, 64 << 20] {
        let allocation = context.create(size)?;
        allocation.map_mut()?.fill(1);
        allocation.publish("frame-left")?;
        let name = "frame-left";
        let get = best(|| context.get(name).map(drop))?;
        let mapped = best(|| ends(&context.get(name)?))?;
        let map = best(|| ends(&allocation))?;
        allocation.seal()?;
        let sealed = best(|| ends(&context.get(name)?))?;
        allocation.free()?;
        drop(allocation);
        let publish = best(|| {
            let next = context.create(size)?;
            next.publish("next")?;
            next.free()
        })?;
        println!("{size:>12} {get:>10.1} {mapped:>10.1} {sealed:>10.1} {map:>10.1} {publish:>14.1}");
    }
    drop(context);
    FastIoContext::remove(&pipeline)?;
    Ok(())
}
