//! Every transport keeps the contract: the suite that users can run over their own.
#![cfg(feature = "conformance")]

use std::sync::Arc;

use podwire_fastio::{ChannelOptions, FastIoContext};
use podwire_fragment::transport::{
    FastIoTransport, Transport,
    conformance::{self, Pair, Suite},
};

/// Which pipeline a process of the suite opens.
const PIPELINE: &str = "PODWIRE_TEST_PIPELINE";

#[test]
fn play() {
    conformance::play(|| {
        let pipeline = std::env::var(PIPELINE).unwrap();
        Arc::new(FastIoTransport::new(FastIoContext::open(&pipeline).unwrap())) as Arc<dyn Transport>
    });
}

#[test]
fn fast_io_keeps_the_contract() {
    let pipeline = format!("transport-{}", std::process::id());
    let context = FastIoContext::open(&pipeline).unwrap();
    let suite = Suite::over(Pair::of(Arc::new(FastIoTransport::new(context.clone()))));
    let name = pipeline.clone();
    let processes = move || {
        let mut command = conformance::test_process("play");
        command.env(PIPELINE, &name);
        command
    };
    let garbage = move |link: &podwire_fragment::transport::Link, bytes: &[u8]| {
        let options = ChannelOptions::new().capacity(link.capacity);
        context.sender(&link.name, &options).unwrap().send(bytes).unwrap();
    };
    let report = suite.largest(64 << 20).processes(processes).garbage(garbage).run();
    FastIoContext::remove(&pipeline).unwrap();
    println!("{report}");
    report.assert();
}
