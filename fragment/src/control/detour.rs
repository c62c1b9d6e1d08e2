//! The way around UCX, over the session of Zenoh that the control plane has.
//!
//! Not here: what goes there, and when. Invariant: what is put is put in order, and waited for until the network has taken it.

use std::sync::{Mutex, PoisonError};

use zenoh::{Session, Wait, pubsub::Subscriber, qos::CongestionControl, sample::Sample};

use super::keys::Keys;
use crate::transport::{Detour, Ear};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What UCX does not bring, for one run.
pub(super) struct ZenohDetour {
    session: Session,
    keys: Keys,
    run: String,
    ears: Mutex<Vec<Subscriber<()>>>,
}

impl ZenohDetour {
    pub(super) fn new(session: Session, keys: Keys, run: &str) -> Self {
        Self { session, keys, run: run.to_owned(), ears: Mutex::default() }
    }
}

impl Detour for ZenohDetour {
    fn hear(&self, name: &str, ear: Ear) -> Result<(), Failure> {
        let hear = move |sample: Sample| ear(&sample.payload().to_bytes());
        let subscriber = self.session.declare_subscriber(self.keys.detour(&self.run, name)).callback(hear);
        let subscriber = subscriber.wait()?;
        self.ears.lock().unwrap_or_else(PoisonError::into_inner).push(subscriber);
        Ok(())
    }

    fn put(&self, name: &str, piece: Vec<u8>) -> Result<(), Failure> {
        let put = self.session.put(self.keys.detour(&self.run, name), piece);
        put.congestion_control(CongestionControl::Block).wait()
    }

    fn taken(&self, link: &str, why: &str) {
        eprintln!("podwire: {link} goes over Zenoh from here on, as UCX does not lead there: {why}");
        tracing::warn!(target: "podwire::fragment", connection = link, transport = "zenoh", why, "chosen");
    }
}
