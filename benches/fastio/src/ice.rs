//! iceoryx2: loan, send, receive; and its events for one who sleeps.

use iceoryx2::{
    port::{listener::Listener, notifier::Notifier, publisher::Publisher, subscriber::Subscriber},
    prelude::*,
};

use crate::{
    Failure,
    between::{Mode, ends_of},
};

pub struct Sending {
    _node: Node<ipc::Service>,
    publisher: Publisher<ipc::Service, [u8], ()>,
    notifier: Option<Notifier<ipc::Service>>,
    size: usize,
}

pub struct Receiving {
    _node: Node<ipc::Service>,
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    listener: Option<Listener<ipc::Service>>,
}

impl Sending {
    pub fn open(name: &str, mode: Mode, size: usize) -> Result<Self, Failure> {
        let node = NodeBuilder::new().create::<ipc::Service>()?;
        let service = node.service_builder(&name.try_into()?).publish_subscribe::<[u8]>().open_or_create()?;
        let publisher = service.publisher_builder().initial_max_slice_len(size).create()?;
        let event = node.service_builder(&name.try_into()?).event().open_or_create()?;
        let notifier = match mode {
            Mode::Spin => None,
            Mode::Sleep => Some(event.notifier_builder().create()?),
        };
        Ok(Self { _node: node, publisher, notifier, size })
    }

    pub fn send(&mut self, number: u8) -> Result<(), Failure> {
        let mut sample = self.publisher.loan_slice_uninit(self.size)?;
        let payload = sample.payload_mut();
        payload[0].write(number);
        payload[self.size - 1].write(number);
        // SAFETY: bytes of shared memory, which the receiver reads at both ends only.
        let sample = unsafe { sample.assume_init() };
        sample.send()?;
        if let Some(notifier) = &self.notifier {
            notifier.notify()?;
        }
        Ok(())
    }
}

impl Receiving {
    pub fn open(name: &str, mode: Mode) -> Result<Self, Failure> {
        let node = NodeBuilder::new().create::<ipc::Service>()?;
        let service = node.service_builder(&name.try_into()?).publish_subscribe::<[u8]>().open_or_create()?;
        let subscriber = service.subscriber_builder().create()?;
        let event = node.service_builder(&name.try_into()?).event().open_or_create()?;
        let listener = match mode {
            Mode::Spin => None,
            Mode::Sleep => Some(event.listener_builder().create()?),
        };
        Ok(Self { _node: node, subscriber, listener })
    }

    pub fn receive(&mut self) -> Result<((u8, u8), u64), Failure> {
        loop {
            if let Some(sample) = self.subscriber.receive()? {
                return Ok(ends_of(sample.payload()));
            }
            match &self.listener {
                Some(listener) => drop(listener.blocking_wait(|_| {})?),
                None => std::hint::spin_loop(),
            }
        }
    }
}
