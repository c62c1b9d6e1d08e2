//! One who speaks UCX, and not podwire: for tests of what broken and hostile senders do.
//!
//! The invariant: it sends exactly what it is told.

use std::time::{Duration, Instant};

use super::{
    error::UcxError,
    ffi::{Endpoint, Event, Outgoing, Worker},
    memory::Pool,
    options::UcxOptions,
    wire::{Entry, HEADER, Header, Kind, MESSAGE, worker_name},
};

/// A worker of UCX that sends what no end of a link would. It belongs to the thread that made it.
#[doc(hidden)]
pub struct Stranger {
    worker: Worker,
    endpoint: Option<Endpoint>,
    to: u64,
    failed: bool,
    heard: Vec<[u8; HEADER]>,
}

impl Stranger {
    /// The stranger's own number, of its end and of its worker.
    pub const ID: u64 = 0x5757_5757;

    /// One who can reach the receiver of this entry of a directory.
    ///
    /// # Errors
    /// Those of UCX and of the entry.
    pub fn new(options: &UcxOptions, entry: &[u8]) -> Result<Self, UcxError> {
        let entry = Entry::parse(entry)?;
        let worker = Worker::open(&options.settings(), Pool::new(0))?;
        let endpoint = Some(worker.connect(&entry.address, 1)?);
        Ok(Self { worker, endpoint, to: entry.id, failed: false, heard: Vec::new() })
    }

    /// A header as a sender of the link would write it, which the caller spoils: 1 greets, 3 is data, 5 closes.
    #[must_use]
    pub fn header(&self, kind: u8, count: u16, number: u64, extra: u64, length: usize) -> [u8; HEADER] {
        let header = Header {
            count,
            number,
            extra,
            length: length as u64,
            ..Header::new(Kind::Hello, self.to, Self::ID)
        };
        let mut bytes = header.to_bytes();
        bytes[5] = kind;
        bytes
    }

    /// Under which name a directory has to have its [`entry`](Self::entry), so that it is answered.
    #[must_use]
    pub fn name() -> String {
        worker_name(Self::ID)
    }

    /// What a greeting has in it.
    #[must_use]
    pub fn greeting() -> Vec<u8> {
        Self::ID.to_le_bytes().to_vec()
    }

    /// Its entry in a directory.
    ///
    /// # Errors
    /// Those of UCX.
    pub fn entry(&self) -> Result<Vec<u8>, UcxError> {
        let entry = Entry { id: Self::ID, address: self.worker.address()?, process: "a stranger".into() };
        Ok(entry.to_bytes())
    }

    /// Sends so much of a header and a body, under the number of podwire's messages or another.
    ///
    /// # Errors
    /// Those of UCX.
    pub fn send(
        &mut self,
        message: Option<u16>,
        header: [u8; HEADER],
        header_length: usize,
        body: Vec<u8>,
        rendezvous: bool,
    ) -> Result<(), UcxError> {
        let message_number = message.unwrap_or(MESSAGE);
        if let Some(endpoint) = &self.endpoint {
            let message = Outgoing { header, body: Box::new(body), rendezvous };
            self.worker.send_as(endpoint, message, message_number, header_length)?;
        }
        Ok(())
    }

    /// Lets UCX work until `done`, no longer than `time`.
    pub fn work(&mut self, time: Duration, mut done: impl FnMut(&Self) -> bool) {
        let (deadline, mut events) = (Instant::now() + time, Vec::new());
        while !done(self) && Instant::now() < deadline {
            if !self.worker.progress() {
                std::thread::sleep(Duration::from_micros(100));
            }
            self.worker.take_events(&mut events);
            for event in events.drain(..) {
                match event {
                    Event::Failed { .. } => self.failed = true,
                    Event::Message { header, .. } => self.heard.push(header),
                    Event::Received { .. } => {}
                }
            }
        }
    }

    /// Whether the receiver answered with a message of this kind: 2 welcomes, 6 refuses.
    #[must_use]
    pub fn heard(&self, kind: u8) -> bool {
        self.heard.iter().any(|header| header[5] == kind)
    }

    /// The number of the end that a message of this kind came from: 1 greets.
    #[must_use]
    pub fn heard_from(&self, kind: u8) -> Option<u64> {
        let header = self.heard.iter().find(|header| header[5] == kind);
        header.map(|header| Header::ends(header).1)
    }

    /// What is sent from now on is for this end.
    pub fn speak_to(&mut self, end: u64) {
        self.to = end;
    }

    /// Whether everything was sent, and whether the way failed.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.worker.pending() == 0 || self.failed
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let failed = self.failed;
        if let Some(endpoint) = self.endpoint.take() {
            self.worker.close(endpoint, failed);
        }
        self.work(Duration::from_secs(1), |stranger| stranger.worker.pending() == 0);
    }
}
