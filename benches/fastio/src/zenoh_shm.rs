//! Zenoh: memory of its shared-memory provider, put; and a subscriber's queue. Its own threads run where they like.

use zenoh::{
    Config, Session, Wait,
    handlers::FifoChannelHandler,
    pubsub::{Publisher, Subscriber},
    sample::Sample,
    shm::{BlockOn, GarbageCollect, PosixShmProviderBackend, ShmProvider, ShmProviderBuilder},
};

use crate::{
    Failure,
    between::{Mode, ends_of},
    machine,
};

pub struct Sending {
    provider: ShmProvider<PosixShmProviderBackend>,
    publisher: Publisher<'static>,
    _session: Session,
    size: usize,
}

pub struct Receiving {
    subscriber: Subscriber<FifoChannelHandler<Sample>>,
    _session: Session,
    mode: Mode,
}

fn open(name: &str, end: &str) -> Result<Session, Failure> {
    let mut config = Config::default();
    let socket = format!("[\"unixsock-stream//tmp/podwire-{name}\"]");
    config.insert_json5("mode", "\"peer\"")?;
    config.insert_json5("listen/endpoints", if end == "listen" { &socket } else { "[]" })?;
    config.insert_json5("connect/endpoints", if end == "connect" { &socket } else { "[]" })?;
    config.insert_json5("scouting/multicast/enabled", "false")?;
    config.insert_json5("transport/shared_memory/enabled", "true")?;
    config.insert_json5("transport/shared_memory/mode", "\"init\"")?;
    Ok(machine::everywhere(|| zenoh::open(config).wait())?)
}

impl Sending {
    pub fn open(name: &str, size: usize) -> Result<Self, Failure> {
        let session = open(name, "listen")?;
        // Four messages, or as many as fit: the provider has less than 4 GiB.
        let room = (size * 4 + (1 << 20)).min(7 << 29);
        let provider = ShmProviderBuilder::default_backend(room).wait()?;
        let publisher = session.declare_publisher("bench").wait()?;
        Ok(Self { provider, publisher, _session: session, size })
    }

    /// Waits until the receiver's subscription is known here.
    pub fn meet(&self) -> Result<(), Failure> {
        while !self.publisher.matching_status().wait()?.matching() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Ok(())
    }

    pub fn send(&self, number: u8) -> Result<(), Failure> {
        let buffer = self.provider.alloc(self.size).with_policy::<BlockOn<GarbageCollect>>();
        let mut buffer = buffer.wait().map_err(|error| format!("no shared memory: {error:?}"))?;
        buffer[0] = number;
        buffer[self.size - 1] = number;
        Ok(self.publisher.put(buffer).wait()?)
    }
}

impl Receiving {
    pub fn open(name: &str, mode: Mode) -> Result<Self, Failure> {
        let session = open(name, "connect")?;
        let subscriber = session.declare_subscriber("bench").wait()?;
        Ok(Self { subscriber, _session: session, mode })
    }

    pub fn receive(&self) -> Result<((u8, u8), u64), Failure> {
        let sample = match self.mode {
            Mode::Sleep => self.subscriber.recv()?,
            Mode::Spin => loop {
                match self.subscriber.try_recv()? {
                    Some(sample) => break sample,
                    None => std::hint::spin_loop(),
                }
            },
        };
        let shared = sample.payload().as_shm().ok_or("it did not come through shared memory")?;
        Ok(ends_of(shared))
    }
}
