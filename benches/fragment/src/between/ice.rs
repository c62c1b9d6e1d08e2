//! iceoryx2: loan, send, receive, and its events for one who sleeps. Nothing is dropped, as nothing is by a link.

use iceoryx2::{
    port::{listener::Listener, notifier::Notifier, publisher::Publisher, subscriber::Subscriber},
    prelude::*,
    service::port_factory::{event, publish_subscribe},
};

use super::{Failure, Mode, Receiving, Sending, Task, time_of};

type Node = iceoryx2::prelude::Node<ipc::Service>;
type Messages = publish_subscribe::PortFactory<ipc::Service, [u8], ()>;
type Events = event::PortFactory<ipc::Service>;

fn open(task: &Task) -> Result<(Node, Messages, Events), Failure> {
    let node = NodeBuilder::new().create::<ipc::Service>()?;
    let name = task.name.as_str().try_into()?;
    let messages = node.service_builder(&name).publish_subscribe::<[u8]>();
    let messages = messages.enable_safe_overflow(false).subscriber_max_buffer_size(task.capacity());
    let messages = messages.open_or_create()?;
    let events = node.service_builder(&name).event().open_or_create()?;
    Ok((node, messages, events))
}

pub struct Sender {
    publisher: Publisher<ipc::Service, [u8], ()>,
    notifier: Option<Notifier<ipc::Service>>,
    size: usize,
    _node: Node,
}

impl Sender {
    pub fn open(task: &Task) -> Result<Self, Failure> {
        let (node, messages, events) = open(task)?;
        let publisher = messages.publisher_builder().initial_max_slice_len(task.size);
        let publisher =
            publisher.backpressure_strategy(BackpressureStrategy::RetryUntilDelivered).create()?;
        let sleeps = task.subject.mode == Mode::Sleep;
        let notifier = sleeps.then(|| events.notifier_builder().create()).transpose()?;
        Ok(Self { publisher, notifier, size: task.size, _node: node })
    }
}

impl Sending for Sender {
    fn send(&mut self, time: u64) -> Result<(), Failure> {
        let mut sample = self.publisher.loan_slice_uninit(self.size)?;
        let payload = sample.payload_mut();
        for (at, byte) in (0..8).zip(time.to_le_bytes()) {
            payload[at].write(byte);
            payload[self.size - 8 + at].write(byte);
        }
        // SAFETY: bytes of shared memory, of which the receiver reads both ends only, which were written.
        let sample = unsafe { sample.assume_init() };
        sample.send()?;
        if let Some(notifier) = &self.notifier {
            notifier.notify()?;
        }
        Ok(())
    }
}

pub struct Receiver {
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    listener: Option<Listener<ipc::Service>>,
    _node: Node,
}

impl Receiver {
    pub fn open(task: &Task) -> Result<Self, Failure> {
        let (node, messages, events) = open(task)?;
        let subscriber = messages.subscriber_builder().create()?;
        let sleeps = task.subject.mode == Mode::Sleep;
        let listener = sleeps.then(|| events.listener_builder().create()).transpose()?;
        Ok(Self { subscriber, listener, _node: node })
    }
}

impl Receiving for Receiver {
    fn receive(&mut self) -> Result<u64, Failure> {
        loop {
            if let Some(sample) = self.subscriber.receive()? {
                return Ok(time_of(sample.payload()));
            }
            match &self.listener {
                Some(listener) => drop(listener.blocking_wait(|_| {})?),
                None => std::hint::spin_loop(),
            }
        }
    }
}
