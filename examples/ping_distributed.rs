//! How do I run one application in several processes?
//!
//! `cargo run --release --features distributed --example ping_distributed -- --help`
//!
//! Two fragments: `ping` sends arrays, `pong` receives them and says how long they took. All in one process:
//!
//! ```text
//! ping_distributed --count 100 --rows 512 --columns 512 --data-type f32
//! ```
//!
//! In two, started in any order, on one host or on two with `--address HOST`:
//!
//! ```text
//! ping_distributed --driver --worker --fragments fragment1 &
//! ping_distributed --worker --fragments fragment2
//! ```
//!
//! Each array is made in shared memory, so that a process of the same host receives it without a copy; with `--gpu`, for both
//! processes, in the memory of a GPU (feature `cuda`), to which the same applies.

use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use podwire::MemoryKind;
use podwire::fastio::{AllocationOptions, Metadata as ArrayMetadata};
use podwire::fragment::{Application, Context, Fragment, Input, Operator, OperatorSpec, Output, Result};
use podwire::message::Metadata;
use podwire::tensor::{DType, Device, DeviceKind, Tensor};
use rustix::time::{ClockId, clock_gettime};

fn main() -> ExitCode {
    let mut app = Application::from_env();
    app.about("Sends arrays from one fragment to another, and says how long they took.");
    app.version(env!("CARGO_PKG_VERSION"));
    let count = app.option("--count", "N", "how many messages", 10);
    let batch = app.option("--batch", "N", "matrices in a message", 1);
    let rows = app.option("--rows", "N", "rows of a matrix", 64);
    let columns = app.option("--columns", "N", "columns of a matrix", 64);
    let DataType(data_type) = app.option("--data-type", "TYPE", "u8, i32, f64, ...", DataType(DType::F64));
    let gpu = app.flag("--gpu", "in the memory of a GPU");

    let mut sender = Fragment::new("fragment1");
    sender.add_operator("ping", Ping { count, shape: [batch, rows, columns], data_type, gpu });
    app.add_fragment(sender);
    let mut receiver = Fragment::new("fragment2");
    receiver.add_operator("pong", Pong { gpu, ..Pong::default() });
    app.add_fragment(receiver);
    app.add_flow("fragment1", "fragment2", [("ping.out", "pong.in")]);
    app.main()
}

/// Sends arrays.
struct Ping {
    count: u64,
    shape: [u64; 3],
    data_type: DType,
    gpu: bool,
}

impl Operator for Ping {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        if self.gpu {
            gpu::open()?;
        }
        spec.output::<Tensor>("out");
        spec.count(self.count);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, context: &mut Context) -> Result {
        let bytes = self
            .shape
            .iter()
            .try_fold(self.data_type.size() as u64, |bytes, extent| bytes.checked_mul(*extent));
        let bytes =
            bytes.and_then(|bytes| usize::try_from(bytes).ok()).ok_or("such an array is too large")?;
        let tensor = if self.gpu {
            gpu::array(&context.fast_io()?, bytes, self.data_type, self.shape)?
        } else {
            let array = ArrayMetadata::array(self.data_type, self.shape);
            let memory = context.fast_io()?.create_with(AllocationOptions::new(bytes).metadata(array))?;
            memory.map_mut()?.fill(0); // a camera would write here
            memory.seal()?;
            memory.into_tensor()?
        };
        let mut metadata = Metadata::new();
        metadata.insert("sent", &now())?;
        output.emit_with("out", tensor, metadata)?;
        Ok(())
    }

    fn stop(&mut self, _: &mut Context) -> Result {
        if self.gpu {
            println!("{} bytes were staged from the GPU to the host", gpu::staged()?);
        }
        Ok(())
    }
}

/// Receives arrays and measures.
#[derive(Default)]
struct Pong {
    gpu: bool,
    first: u64,
    last: u64,
    bytes: u64,
    /// Nanoseconds on the way, of each message.
    took: Vec<u64>,
    what: String,
}

impl Operator for Pong {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        if self.gpu {
            gpu::open()?;
        }
        spec.input::<Tensor>("in");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        let tensor = input.receive::<Tensor>("in")?;
        self.last = now();
        let sent = tensor.metadata().get::<u64>("sent")?.ok_or("a message without a time")?;
        if self.took.is_empty() {
            self.first = sent;
            self.what = format!("{} {:?}{}", tensor.dtype(), tensor.shape(), place(&tensor));
        }
        self.took.push(self.last.saturating_sub(sent));
        self.bytes += (tensor.len() * tensor.dtype().size()) as u64;
        Ok(())
    }

    fn stop(&mut self, _: &mut Context) -> Result {
        self.took.sort_unstable();
        let count = self.took.len();
        let (Some(median), Some(longest)) = (self.took.get(count / 2), self.took.last()) else {
            println!("no messages");
            return Ok(());
        };
        let [median, longest] = [*median, *longest].map(Duration::from_nanos);
        let time = Duration::from_nanos(self.last.saturating_sub(self.first));
        let seconds = time.as_secs_f64().max(1e-9);
        println!("{count} messages, each {}, {} bytes in {time:.1?}", self.what, self.bytes);
        println!("{:.0} messages/s, {:.1} MB/s", count as f64 / seconds, self.bytes as f64 / 1e6 / seconds);
        // The clocks of two hosts differ: then only the rates mean something.
        println!("on the way: {median:.1?} (median), {longest:.1?} (longest)");
        Ok(())
    }
}

/// Where a tensor is meant to be, and how it came.
fn place(tensor: &Tensor) -> String {
    match (tensor.device(), tensor.segment().kind()) {
        (Device { kind: DeviceKind::CUDA, index }, MemoryKind::CUDA) => {
            format!(" on GPU {index}, by reference")
        }
        (Device { kind: DeviceKind::CUDA, index }, _) => format!(" of GPU {index}, through the host"),
        _ => String::new(),
    }
}

/// Arrays in the memory of a GPU.
#[cfg(feature = "cuda")]
mod gpu {
    use podwire::{device::Device, fastio::FastIoContext, fragment::Result, tensor};

    /// The first GPU. From then on this process can also receive what is on it.
    pub(crate) fn open() -> Result<Device> {
        Device::open(0).map_err(|error| format!("--gpu: {error}; leave it out for arrays of the host").into())
    }

    pub(crate) fn array(
        context: &FastIoContext,
        bytes: usize,
        data_type: tensor::DType,
        shape: [u64; 3],
    ) -> Result<tensor::Tensor> {
        let memory = open()?.create(context, bytes)?;
        memory.map_mut()?.fill(0)?; // a kernel would write here
        memory.seal()?;
        Ok(memory.into_tensor(data_type, &shape.map(|extent| extent as usize))?)
    }

    /// What a transport that carries bytes only has asked of this process's GPUs so far.
    pub(crate) fn staged() -> Result<u64> {
        Ok(open()?.stats().bytes_to_host)
    }
}

/// Without CUDA there are none.
#[cfg(not(feature = "cuda"))]
mod gpu {
    use podwire::{fastio::FastIoContext, fragment::Result, tensor};

    pub(crate) fn open() -> Result {
        Err("--gpu: this build has no CUDA: build it with the feature `cuda`, or leave it out".into())
    }

    pub(crate) fn array(
        _: &FastIoContext,
        _: usize,
        _: tensor::DType,
        _: [u64; 3],
    ) -> Result<tensor::Tensor> {
        Err("this build has no CUDA".into())
    }

    pub(crate) fn staged() -> Result<u64> {
        Ok(0)
    }
}

/// A data type by its name.
struct DataType(DType);

impl FromStr for DataType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = (1..=u8::MAX).map_while(DType::from_code);
        all.clone().find(|known| known.name() == text).map(DataType).ok_or_else(|| {
            let names: Vec<_> = all.by_ref().map(DType::name).collect();
            format!("there are {}", names.join(", "))
        })
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Nanoseconds of a clock that all processes of a host share.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32).as_nanos() as u64
}
