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
//! Each array is made in shared memory, so that a process of the same host receives it without a copy.

use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use podwire::fastio::{AllocationOptions, Metadata as ArrayMetadata};
use podwire::fragment::{Application, Context, Fragment, Input, Operator, OperatorSpec, Output, Result};
use podwire::message::Metadata;
use podwire::tensor::{DType, Tensor};
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
    receiver.add_operator("pong", Pong::default());
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
            return Err(
                "--gpu: this build has no CUDA; leave it out for arrays in the memory of the host".into()
            );
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
        let array = ArrayMetadata::array(self.data_type, self.shape);
        let memory = context.fast_io()?.create_with(AllocationOptions::new(bytes).metadata(array))?;
        memory.map_mut()?.fill(0); // a camera would write here
        memory.seal()?;

        let mut metadata = Metadata::new();
        metadata.insert("sent", &now())?;
        output.emit_with("out", memory.into_tensor()?, metadata)?;
        Ok(())
    }
}

/// Receives arrays and measures.
#[derive(Default)]
struct Pong {
    first: u64,
    last: u64,
    bytes: u64,
    /// Nanoseconds on the way, of each message.
    took: Vec<u64>,
    what: String,
}

impl Operator for Pong {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<Tensor>("in");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        let tensor = input.receive::<Tensor>("in")?;
        self.last = now();
        let sent = tensor.metadata().get::<u64>("sent")?.ok_or("a message without a time")?;
        if self.took.is_empty() {
            self.first = sent;
            self.what = format!("{} {:?}", tensor.dtype(), tensor.shape());
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
