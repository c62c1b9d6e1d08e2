//! Fast I/O: does it cost more to get at 64 MiB than at 8 KiB, or to publish it?
//!
//! Measured is what a consumer does before it reads: get by name, map, the first and the last byte, give back; and what a
//! producer does beside filling. The pages were touched before ("warm"), as those of a running pipeline are.

use std::hint::black_box;
use std::rc::Rc;

use podwire::fastio::{FastIoContext, Result};

use crate::runner::{Group, Style};

const ACCESS: &str = "get + map + first and last byte";
const PUBLISH: &str = "publish and unpublish";
const CREATE: &str = "create + map + publish + free";
const SIZES: [(&str, usize); 2] = [("8 KiB", 8 << 10), ("64 MiB", 64 << 20)];

/// A pipeline that does not outlive the benchmark.
struct Pipeline(FastIoContext);

impl Drop for Pipeline {
    fn drop(&mut self) {
        if let Err(error) = self.0.clone().drop_pipeline() {
            eprintln!("the benchmark's pipeline at {} stays: {error}", self.0.path().display());
        }
    }
}

/// Both sizes.
pub(crate) fn group(failures: &mut Vec<String>) -> Group {
    let title = "Fast I/O: access to a warm published allocation, over 8 KiB";
    let mut group = Group::new("access", Style::Ratios, title);
    if let Err(error) = fill(&mut group) {
        failures.push(format!("Fast I/O: {error}"));
    }
    group
}

fn fill(group: &mut Group) -> Result<()> {
    let context = FastIoContext::open(&format!("podwire-bench-{}", std::process::id()))?;
    let pipeline = Rc::new(Pipeline(context));
    for (name, size) in SIZES {
        let allocation = pipeline.0.create(size)?;
        allocation.map_mut()?.fill(7);
        allocation.publish(name)?;
        drop(allocation);
        assert_eq!(ends(&pipeline.0, name)?, (7, 7), "what was published is what is got");
        let here = Rc::clone(&pipeline);
        group.add(name, ACCESS, size, move || {
            black_box(ends(&here.0, black_box(name)).ok());
        });
        let (here, found) = (Rc::clone(&pipeline), pipeline.0.get(name)?);
        group.add(name, PUBLISH, size, move || {
            let published = found.publish(black_box("another name"));
            black_box(published.and_then(|()| here.0.unpublish("another name")).ok());
        });
        let here = Rc::clone(&pipeline);
        group.add(name, CREATE, size, move || {
            black_box(create(&here.0, black_box(size)).ok());
        });
    }
    Ok(())
}

/// The first and the last byte of a published allocation.
fn ends(context: &FastIoContext, name: &str) -> Result<(u8, u8)> {
    let allocation = context.get(name)?;
    let bytes = allocation.map()?;
    Ok((bytes[0], bytes[bytes.len() - 1]))
}

/// What a producer does with memory that the pool has.
fn create(context: &FastIoContext, size: usize) -> Result<()> {
    let allocation = context.create(size)?;
    allocation.map_mut()?[0] = 7;
    allocation.publish("created")?;
    allocation.free()
}
