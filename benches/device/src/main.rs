//! Device memory between two processes: what publishing and getting costs by size, a copy on the device beside the driver's own,
//! and a tensor that goes to another process and back, by reference and through the host. Prints one report in Markdown.
//!
//! Figures are medians of one run on one machine; ratios are of neighbours in the same run.

#[path = "../../machine.rs"]
mod machine;

use std::{
    env,
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use cudarc::driver::sys;
use podwire_codec_core::tensor::{DType, Tensor};
use podwire_device::Device;
use podwire_fastio::{AllocationOptions, ChannelOptions, FastIoContext, Incoming, Metadata, Wait};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let done = match arguments.next().as_deref() {
        Some("--peer") => {
            let [pipeline, part] = [(); 2].map(|()| arguments.next().unwrap_or_default());
            peer(&pipeline, &part)
        }
        Some("--check") => report(3),
        None => report(200),
        Some(other) => Err(format!("{other}: there is --check, and nothing else").into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("podwire-bench-device: {error}");
            ExitCode::FAILURE
        }
    }
}

fn report(rounds: usize) -> Result {
    let gpu = Device::open(0)?;
    println!("# Device memory on an {}\n\n{}.", gpu.name(), machine::describe());
    println!("Medians of {rounds} rounds; two processes, waiting by spinning.\n");
    let pipeline = format!("bench-device-{}", std::process::id());
    let context = FastIoContext::open(&pipeline)?;
    let done = latency(&gpu, &context, &pipeline, rounds)
        .and_then(|()| copies(&gpu, &context, rounds))
        .and_then(|()| ping_pong(&gpu, &context, &pipeline, rounds));
    drop(context);
    FastIoContext::remove(&pipeline)?;
    done
}

/// A peer that ends with us.
struct Peer(Child);

impl Peer {
    fn start(pipeline: &str, part: &str) -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        Ok(Self(command.args(["--peer", pipeline, part]).stdin(Stdio::null()).spawn()?))
    }

    fn end(mut self) -> Result {
        if self.0.wait()?.success() { Ok(()) } else { Err("the other process failed".into()) }
    }
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}

fn shown(bytes: usize) -> String {
    if bytes >= MIB { format!("{} MiB", bytes / MIB) } else { format!("{} KiB", bytes / KIB) }
}

fn time<R>(times: &mut Vec<Duration>, act: impl FnOnce() -> R) -> R {
    let begun = Instant::now();
    let done = act();
    times.push(begun.elapsed());
    done
}

fn options() -> ChannelOptions {
    ChannelOptions::new().capacity(4).wait(Wait::Spin)
}

/// What a new allocation costs, and one whose memory was used before, here and in the process that gets it.
fn latency(gpu: &Device, context: &FastIoContext, pipeline: &str, rounds: usize) -> Result {
    println!("## Publishing and getting, in microseconds\n");
    println!("| size | memory | create | publish | get and map in another process |\n|---|---|---|---|---|");
    let peer = Peer::start(pipeline, "getter")?;
    let mut sender = context.sender("there", &options())?;
    let mut receiver = context.receiver("back", &options())?;
    for size in [4 * KIB, 2 * MIB, 64 * MIB, 1024 * MIB] {
        for fresh in [true, false] {
            let (mut create, mut publish, mut get) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..if fresh { rounds.min(20) } else { rounds } {
                if fresh {
                    gpu.trim();
                }
                let memory = time(&mut create, || gpu.create(context, size))?;
                memory.map_mut()?.upload(0, &[1])?;
                time(&mut publish, || memory.publish("memory"))?;
                sender.send(&[u8::from(fresh)])?;
                let Incoming::Bytes(taken) = receiver.receive()? else { return Err("no time".into()) };
                get.push(Duration::from_nanos(u64::from_le_bytes(taken.try_into()?)));
                memory.free()?;
            }
            let [create, publish, get] = [&mut create, &mut publish, &mut get].map(|times| median(times));
            let memory = if fresh { "new" } else { "used before" };
            println!("| {} | {memory} | {create:.1} | {publish:.1} | {get:.1} |", shown(size));
        }
    }
    drop(sender);
    peer.end()?;
    println!();
    Ok(())
}

/// A copy on the device, through podwire and by the driver's own call, with the same waiting for its end.
fn copies(gpu: &Device, context: &FastIoContext, rounds: usize) -> Result {
    let mut primary = std::ptr::null_mut();
    // SAFETY: `primary` is a place for a context, and device 0 is open.
    let retained = unsafe { sys::cuDevicePrimaryCtxRetain(&mut primary, 0) };
    // SAFETY: the context is retained for as long as the process lives.
    let current = unsafe { sys::cuCtxSetCurrent(primary) };
    if [retained, current] != [sys::CUresult::CUDA_SUCCESS; 2] {
        return Err("the driver has no context for us".into());
    }
    println!("## A copy on the device\n");
    println!("| size | podwire | the driver's own | ratio |\n|---|---|---|---|");
    for size in [64 * KIB, 2 * MIB, 64 * MIB, 1024 * MIB] {
        let (from, to) = (gpu.create(context, size)?, gpu.create(context, size)?);
        from.map_mut()?.fill(1)?;
        from.seal()?;
        let from = from.into_tensor(DType::U8, &[size])?;
        let source = from.segment().device_address().ok_or("no address")? as u64;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let mut guard = to.map_mut()?;
            time(&mut ours, || guard.copy_from(0, &from))?;
            drop(guard);
            let guard = to.map_mut()?;
            let target = guard.address();
            time(&mut theirs, || {
                // SAFETY: both have so many bytes, and live.
                let copied = unsafe { sys::cuMemcpyDtoD_v2(target, source, size) };
                // SAFETY: the context of the device is current, and null is its default stream.
                (copied, unsafe { sys::cuStreamSynchronize(std::ptr::null_mut()) })
            });
        }
        let [ours, theirs] = [&mut ours, &mut theirs].map(|times| median(times));
        println!("| {} | {ours:.1} us | {theirs:.1} us | {:.2} |", shown(size), ours / theirs);
    }
    println!();
    Ok(())
}

/// A tensor on the device that goes to another process and back.
fn ping_pong(gpu: &Device, context: &FastIoContext, pipeline: &str, rounds: usize) -> Result {
    println!("## There and back, from device to device\n");
    println!(
        "| size | by reference | new memory each time | through the host | host / reference | host / new |"
    );
    println!("|---|---|---|---|---|---|");
    let peer = Peer::start(pipeline, "ponger")?;
    let mut sender = context.sender("there", &options())?;
    let mut receiver = context.receiver("back", &options())?;
    for size in [4 * KIB, 2 * MIB, 64 * MIB] {
        let make = || -> Result<Tensor> {
            let memory = gpu.create(context, size)?;
            memory.map_mut()?.fill(1)?;
            memory.seal()?;
            Ok(memory.into_tensor(DType::U8, &[size])?)
        };
        let tensor = make()?;
        let (mut same, mut new, mut host) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds + 3 {
            let (same, new, host) = if round < 3 {
                (&mut Vec::new(), &mut Vec::new(), &mut Vec::new())
            } else {
                (&mut same, &mut new, &mut host)
            };
            let mut pass = |tensor: &Tensor| -> Result<Tensor> {
                sender.send_value(tensor)?;
                Ok(receiver.receive()?.value::<Tensor>()?)
            };
            time(same, || pass(&tensor))?;
            time(new, || make().and_then(|tensor| pass(&tensor)))?;
            time(host, || -> Result {
                let back = pass(&to_shared(gpu, context, &tensor)?)?;
                gpu.place(context, &back)?;
                Ok(())
            })?;
        }
        let [same, new, host] = [&mut same, &mut new, &mut host].map(|times| median(times));
        println!(
            "| {} | {same:.1} us | {new:.1} us | {host:.1} us | {:.1} | {:.1} |",
            shown(size),
            host / same,
            host / new
        );
    }
    drop(sender);
    peer.end()?;
    println!();
    Ok(())
}

/// A tensor of the device in shared memory of the host: one copy, to where the other process will read it.
fn to_shared(gpu: &Device, context: &FastIoContext, tensor: &Tensor) -> Result<Tensor> {
    let size = tensor.segment().length();
    let array = Metadata::array(DType::U8, [size as u64]);
    let memory = context.create_with(AllocationOptions::new(size).metadata(array))?;
    // `fetch` gives pinned memory, to which the device copies at its speed.
    memory.map_mut()?.copy_from_slice(gpu.fetch(tensor)?.as_slice::<u8>()?);
    memory.seal()?;
    Ok(memory.into_tensor()?)
}

/// The other process of a measurement.
fn peer(pipeline: &str, part: &str) -> Result {
    let gpu = Device::open(0)?;
    let context = FastIoContext::open(pipeline)?;
    let mut receiver = context.receiver("there", &options())?;
    let mut sender = context.sender("back", &options())?;
    match part {
        "getter" => {
            while let Ok(message) = receiver.receive() {
                let fresh = message.bytes()? == [1];
                if fresh {
                    gpu.trim();
                }
                let mut times = Vec::new();
                let found = time(&mut times, || -> Result<_> {
                    let found = gpu.get(&context, "memory")?;
                    let _ = found.map()?;
                    Ok(found)
                })?;
                drop(found);
                sender.send(&(times[0].as_nanos() as u64).to_le_bytes())?;
            }
        }
        _ => {
            while let Ok(message) = receiver.receive() {
                let tensor = message.value::<Tensor>()?;
                let answer = match tensor.segment().bytes() {
                    Err(_) => tensor,
                    // To this process's device, and back from it.
                    Ok(_) => to_shared(&gpu, &context, &gpu.place(&context, &tensor)?)?,
                };
                sender.send_value(&answer)?;
            }
        }
    }
    Ok(())
}
