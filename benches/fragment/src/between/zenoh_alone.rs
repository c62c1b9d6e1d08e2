//! Zenoh without a link: put, and a subscriber's queue, over the same kind of session.

use podwire_fragment::transport::zenoh::{SessionSettings, session};
use zenoh::{
    Session, Wait,
    bytes::ZBytes,
    handlers::FifoChannelHandler,
    pubsub::{Publisher, Subscriber},
    qos::CongestionControl,
    sample::Sample,
};

use super::{Failure, Receiving, Sending, Task};

const KEY: &str = "bench/alone";

fn open(mode: &str, listen: Vec<String>, connect: Vec<String>) -> Result<Session, Failure> {
    Ok(session(&SessionSettings { mode: mode.into(), listen, connect, ..SessionSettings::default() })?)
}

pub struct Sender {
    publisher: Publisher<'static>,
    bytes: ZBytes,
    met: bool,
    _session: Session,
}

impl Sender {
    pub fn open(task: &Task) -> Result<Self, Failure> {
        let session = open("peer", vec![format!("tcp/{}", task.address)], Vec::new())?;
        let publisher = session.declare_publisher(KEY).congestion_control(CongestionControl::Block).wait()?;
        let bytes = ZBytes::from(vec![0_u8; task.size - 8]);
        Ok(Self { publisher, bytes, met: false, _session: session })
    }
}

impl Sending for Sender {
    fn prepare(&mut self) -> Result<(), Failure> {
        // The receiver's subscription takes a moment to be known here.
        while !self.met && !self.publisher.matching_status().wait()?.matching() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        self.met = true;
        Ok(())
    }

    fn send(&mut self, time: u64) -> Result<(), Failure> {
        let mut message = ZBytes::writer();
        message.append(ZBytes::from(time.to_le_bytes().to_vec()));
        message.append(self.bytes.clone());
        Ok(self.publisher.put(message.finish()).wait()?)
    }
}

pub struct Receiver {
    subscriber: Subscriber<FifoChannelHandler<Sample>>,
    _session: Session,
}

impl Receiver {
    pub fn open(task: &Task) -> Result<Self, Failure> {
        let session = open("client", Vec::new(), vec![format!("tcp/{}", task.address)])?;
        let subscriber = session.declare_subscriber(KEY).wait()?;
        Ok(Self { subscriber, _session: session })
    }
}

impl Receiving for Receiver {
    fn receive(&mut self) -> Result<u64, Failure> {
        let sample = self.subscriber.recv()?;
        let mut bytes = sample.payload().slices().flatten().copied();
        let mut time = [0; 8];
        for (to, from) in time.iter_mut().zip(&mut bytes) {
            *to = from;
        }
        Ok(u64::from_le_bytes(time))
    }
}
