//! What one process alone can tell: get of what is mapped, a large allocation against one copy of its bytes, and
//! whether many names stay cheap.

use std::{hint::black_box, time::Instant};

use podwire_fastio::{FastIoContext, PipelineOptions};

use crate::Failure;

/// What many names stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    Own,
    Shared,
}

fn pipeline(what: &str) -> Result<FastIoContext, Failure> {
    let name = format!("bench-{what}-{}", std::process::id());
    Ok(FastIoContext::open_with(&name, PipelineOptions::new().ephemeral(true))?)
}

/// The smallest mean of many rounds, in nanoseconds.
fn best(rounds: usize, mut call: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    const CALLS: usize = 1000;
    let mut best = f64::MAX;
    for _ in 0..rounds {
        let start = Instant::now();
        for _ in 0..CALLS {
            call()?;
        }
        best = best.min(start.elapsed().as_nanos() as f64 / CALLS as f64);
    }
    Ok(best)
}

/// Nanoseconds to get what is mapped here, and to get it, map it and read its first and last byte: open, and sealed.
pub fn warm_get(size: usize, rounds: usize) -> Result<[f64; 3], Failure> {
    let context = pipeline("get")?;
    let allocation = context.create(size)?;
    allocation.map_mut()?[0] = 1;
    allocation.publish("frame-left")?;
    let name = "frame-left";
    let ends = || {
        let found = context.get(name)?;
        let bytes = found.map()?;
        black_box((bytes[0], bytes[bytes.len() - 1]));
        Ok(())
    };
    let get = best(rounds, || Ok(context.get(name).map(drop)?))?;
    let mapped = best(rounds, ends)?;
    allocation.seal()?;
    let sealed = best(rounds, ends)?;
    allocation.free()?;
    Ok([get, mapped, sealed])
}

/// Milliseconds of one `memcpy` of so many bytes into memory that was used before, and of the same bytes created, filled,
/// published, got, mapped and freed; medians of rounds in which the two take turns.
pub fn against_memcpy(size: usize, rounds: usize) -> Result<[f64; 2], Failure> {
    let context = pipeline("copy")?;
    let source = vec![7_u8; size];
    let mut target = vec![1_u8; size];
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..rounds + 2 {
        let start = Instant::now();
        target.copy_from_slice(black_box(&source));
        black_box(&mut target);
        let copied = start.elapsed();
        let start = Instant::now();
        let allocation = context.create(size)?;
        allocation.map_mut()?.copy_from_slice(black_box(&source));
        allocation.publish("frame")?;
        let found = context.get("frame")?;
        let bytes = found.map()?;
        black_box((bytes[0], bytes[size - 1]));
        drop(bytes);
        found.free()?;
        drop((found, allocation));
        let published = start.elapsed();
        // The first ones touch fresh pages.
        if round >= 2 {
            times[0].push(copied.as_secs_f64() * 1e3);
            times[1].push(published.as_secs_f64() * 1e3);
        }
    }
    Ok(times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }))
}

/// Nanoseconds a name: published, got, listed, swept over, taken away, with so many of them there. `Own`: each name is an
/// allocation of its own, of one page, and freed; `Shared`: all are names of one allocation, and go in the order in which
/// they came.
pub fn names(count: usize, memory: Memory) -> Result<[f64; 5], Failure> {
    let context = pipeline("names")?;
    let names: Vec<String> = (0..count).map(|number| format!("name-{number}")).collect();
    let each = |start: Instant| start.elapsed().as_nanos() as f64 / count as f64;
    // The files are made before: what is measured is the store, and not the file system.
    let allocations = if memory == Memory::Own { count } else { 1 };
    let held = (0..allocations).map(|_| context.create(64)).collect::<Result<Vec<_>, _>>()?;
    let start = Instant::now();
    for (name, allocation) in names.iter().zip(held.iter().cycle()) {
        allocation.publish(name)?;
    }
    let published = each(start);
    let start = Instant::now();
    for name in &names {
        black_box(context.get(name)?);
    }
    let got = each(start);
    let start = Instant::now();
    assert_eq!(context.list()?.len(), count);
    let listed = each(start);
    let start = Instant::now();
    context.sweep()?;
    let swept = each(start);
    let start = Instant::now();
    match memory {
        Memory::Own => held.into_iter().try_for_each(|allocation| allocation.free())?,
        Memory::Shared => names.iter().try_for_each(|name| context.unpublish(name).map(drop))?,
    }
    Ok([published, got, listed, swept, each(start)])
}
