//! The other workers, and the ways to them.
//!
//! The invariant: there is one endpoint for each address, and none that is known to have failed; and at most one way around UCX.

use std::{collections::HashMap, sync::Arc};

use crate::transport::ucx::{
    detour::{Road, name_of},
    error::UcxError,
    ffi::{Endpoint, Outgoing, Worker},
    wire::Header,
};

/// How many other workers there can be: more than an application has, and fewer than a flood of greetings.
const MOST: usize = 4096;

#[derive(Default)]
pub(super) struct Peers {
    endpoints: HashMap<u64, (Endpoint, Vec<u8>)>,
    by_address: HashMap<Vec<u8>, u64>,
    /// Ways around UCX, each with the name under which the other worker hears there.
    detours: HashMap<u64, Arc<str>>,
    around: HashMap<Vec<u8>, u64>,
    pub(super) road: Option<Road>,
    count: u64,
    /// To be given up, when nobody is in the middle of using them.
    failed: Vec<(u64, UcxError)>,
}

impl Peers {
    /// The number of the way to this address, which is made if it is not there.
    pub(super) fn connect(&mut self, worker: &Worker, address: &[u8]) -> Result<u64, UcxError> {
        if let Some(number) = self.by_address.get(address) {
            return Ok(*number);
        }
        if self.endpoints.len() >= MOST {
            return Err(UcxError::Engine {
                step: "connecting",
                says: "too many others are connected",
                code: 0,
            });
        }
        self.count += 1;
        let endpoint = worker.connect(address, self.count)?;
        self.endpoints.insert(self.count, (endpoint, address.to_vec()));
        self.by_address.insert(address.to_vec(), self.count);
        Ok(self.count)
    }

    /// The number of the way around UCX to this address, if there is any.
    pub(super) fn around(&mut self, address: &[u8]) -> Option<u64> {
        let known = self.around.get(address).copied();
        if known.is_some() || self.road.is_none() || self.around.len() >= MOST {
            return known;
        }
        self.count += 1;
        self.detours.insert(self.count, name_of(address).into());
        self.around.insert(address.to_vec(), self.count);
        Some(self.count)
    }

    /// Whether this is a way around UCX.
    pub(super) fn is_around(&self, number: u64) -> bool {
        self.detours.contains_key(&number)
    }

    /// Sends; a way that refuses has failed.
    pub(super) fn send(&mut self, worker: &Worker, number: u64, message: Outgoing) {
        if let (Some(road), Some(name)) = (&mut self.road, self.detours.get(&number)) {
            return road.send(name, message);
        }
        if let Some((endpoint, _)) = self.endpoints.get(&number)
            && let Err(error) = worker.send(endpoint, message)
        {
            self.failed.push((number, error));
        }
    }

    /// Sends a header, and perhaps a few bytes with it.
    pub(super) fn say(&mut self, worker: &Worker, number: u64, mut header: Header, body: Vec<u8>) {
        header.length = body.len() as u64;
        let message = Outgoing { header: header.to_bytes(), body: Box::new(body), rendezvous: false };
        self.send(worker, number, message);
    }

    pub(super) fn has_failed(&mut self, number: u64, error: UcxError) {
        self.failed.push((number, error));
    }

    pub(super) fn take_failed(&mut self) -> Vec<(u64, UcxError)> {
        std::mem::take(&mut self.failed)
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Endpoint> {
        let (endpoint, address) = self.endpoints.remove(&number)?;
        self.by_address.remove(&address);
        Some(endpoint)
    }

    pub(super) fn take_all(&mut self) -> Vec<Endpoint> {
        self.by_address.clear();
        self.endpoints.drain().map(|(_, (endpoint, _))| endpoint).collect()
    }
}
