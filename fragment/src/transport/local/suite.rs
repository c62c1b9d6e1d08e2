//! The suite of transports over the queue within a process.
//!
//! The invariant: what is tried is the queue; around it stands only what gives it two ends that find each other by name.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};

use podwire_fastio::Doorbell;

use super::{Pushed, Queue};
use crate::{
    condition::WhenFull,
    message::Message,
    run::Waker,
    transport::{
        Link, LinkError, Peer, ReceiveEnd, SendEnd, Traffic, Transport,
        conformance::{Pair, Suite},
    },
};

#[test]
fn the_queue_within_a_process_keeps_the_contract() {
    let suite = Suite::over(Pair::of(Arc::new(Local::default()))).messages_are_pointers().ends_open_once();
    let report = suite.largest(1 << 30).run();
    println!("{report}");
    report.assert();
}

#[derive(Default)]
struct Local(Mutex<HashMap<String, Arc<Way>>>);

/// A queue, and who is at its ends.
struct Way {
    queue: Queue,
    /// The bells of the queue; each end passes on what rings its own.
    bells: [Doorbell; 2],
    here: [AtomicBool; 2],
    settled: AtomicU64,
}

impl Local {
    fn end(&self, link: &Link, side: usize, bell: &Doorbell) -> End {
        let mut ways = self.0.lock().unwrap();
        let way = ways.entry(link.name.clone()).or_insert_with(|| {
            let bells = [Doorbell::new(), Doorbell::new()];
            let [sender, receiver] = bells.clone().map(|bell| Waker::new(bell, None));
            let queue = Queue::new(link.capacity, WhenFull::Block, sender, receiver);
            Arc::new(Way { queue, bells, here: Default::default(), settled: AtomicU64::new(0) })
        });
        way.here[side].store(true, SeqCst);
        way.bells[1 - side].ring();
        let (way, open) = (Arc::clone(way), Arc::new(AtomicBool::new(true)));
        let (from, to, is_open) = (way.bells[side].clone(), bell.clone(), Arc::clone(&open));
        std::thread::spawn(move || {
            while is_open.load(SeqCst) {
                from.wait(None);
                to.ring();
            }
        });
        End { link: link.clone(), way, side, open, in_hand: false, told: false }
    }
}

impl Transport for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn sender(&self, link: &Link, bell: &Doorbell) -> Result<Box<dyn SendEnd>, LinkError> {
        Ok(Box::new(self.end(link, 0, bell)))
    }

    fn receiver(&self, link: &Link, bell: &Doorbell) -> Result<Box<dyn ReceiveEnd>, LinkError> {
        Ok(Box::new(self.end(link, 1, bell)))
    }
}

struct End {
    link: Link,
    way: Arc<Way>,
    side: usize,
    open: Arc<AtomicBool>,
    in_hand: bool,
    told: bool,
}

impl End {
    fn closed(&self) -> LinkError {
        LinkError::Closed { link: self.link.name.clone() }
    }

    fn peer(&self) -> Peer {
        let queue = &self.way.queue;
        match [queue.receiver_gone(), queue.sender_gone()][self.side] {
            true => Peer::Closed,
            false if self.way.here[1 - self.side].load(SeqCst) => Peer::Attached,
            false => Peer::Absent,
        }
    }

    fn traffic(&self) -> Traffic {
        Traffic { settled: self.way.settled.load(SeqCst), ..self.way.queue.traffic() }
    }
}

impl SendEnd for End {
    fn try_send(&mut self, message: &Message) -> Result<(), LinkError> {
        if self.way.queue.sender_gone() {
            return Err(self.closed());
        }
        match self.way.queue.push(message.clone()) {
            Pushed::Yes => Ok(()),
            Pushed::Full(_) => {
                Err(LinkError::Full { link: self.link.name.clone(), capacity: self.link.capacity })
            }
            Pushed::Unheard => Err(self.closed()),
        }
    }

    fn close(&mut self) -> bool {
        self.way.queue.close_sender();
        true
    }

    fn peer(&self) -> Peer {
        self.peer()
    }

    fn traffic(&self) -> Traffic {
        self.traffic()
    }
}

impl ReceiveEnd for End {
    fn try_receive(&mut self) -> Result<Option<Message>, LinkError> {
        self.settle();
        // Asked first: what was pushed before the end is in the queue by then.
        let gone = self.way.queue.sender_gone();
        let message = self.way.queue.pop();
        self.in_hand = message.is_some();
        if message.is_none() && gone {
            self.told = true;
            return Err(self.closed());
        }
        Ok(message)
    }

    fn settle(&mut self) {
        let in_hand = std::mem::take(&mut self.in_hand);
        self.way.settled.fetch_add(in_hand.into(), SeqCst);
    }

    fn waiting(&self) -> usize {
        let gone = self.way.queue.sender_gone() && !self.told;
        self.way.queue.waiting() + usize::from(gone)
    }

    fn peer(&self) -> Peer {
        self.peer()
    }

    fn traffic(&self) -> Traffic {
        self.traffic()
    }
}

impl Drop for End {
    fn drop(&mut self) {
        match self.side {
            0 => self.way.queue.close_sender(),
            _ => self.way.queue.close_receiver(),
        }
        self.open.store(false, SeqCst);
        self.way.bells[self.side].ring();
    }
}
