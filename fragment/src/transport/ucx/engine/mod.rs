//! The thread that drives UCX: it owns the worker, and does what the ends of links and what comes in ask for.
//!
//! The invariant: nothing here waits for anybody; the thread sleeps only when UCX, the ends and the directory have
//! nothing for it, and wakes for each of them.

use std::{
    collections::{HashMap, VecDeque},
    os::fd::AsFd,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    Directory,
    detour::{Partial, Piece, Road, name_of},
    error::UcxError,
    ffi::{Event, Worker},
    hub::{Command, Hub},
    memory::Pool,
    options::{Tell, UcxOptions},
    wire::{Header, Kind},
};

mod incoming;
mod outgoing;
mod peers;

use incoming::{Inlet, Pending};
use outgoing::Outlet;
use peers::Peers;

/// How long it looks for more before it goes to sleep.
const SPIN: Duration = Duration::from_micros(20);
/// How long a sender may not know what was received, if it has room enough.
const OWING: Duration = Duration::from_micros(20);
/// How often UCX is asked to wake it, before it counts as having something that nobody takes: it is busy, too, when it only
/// had to put away an old signal.
const ARMING: u32 = 32;
/// How long it sleeps when UCX has something to send and nobody takes it: UCX does not wake it then.
const STUCK: Duration = Duration::from_millis(1);
/// In a credit: greet me again, as I do not hear you any more.
const GREET_AGAIN: u16 = 1;
/// How long what was said last may take when the thread ends.
const LAST: Duration = Duration::from_secs(1);

pub(super) struct Engine {
    worker: Worker,
    hub: Arc<Hub>,
    directory: Arc<dyn Directory>,
    pool: Pool,
    /// The number of the worker, under which the directory has its address.
    me: u64,
    address: Vec<u8>,
    eager: u64,
    patience: Duration,
    process: String,
    unreachable: Tell,
    /// The directory says who is gone.
    lasting: bool,
    outlets: HashMap<u64, Outlet>,
    inlets: HashMap<u64, Inlet>,
    peers: Peers,
    pending: HashMap<u64, Pending>,
    /// Greetings of workers that the directory does not know, or not yet, and whether they came around UCX; the oldest first.
    unknown: VecDeque<(Header, u64, bool)>,
    /// What came around UCX, in part.
    partial: Partial,
    /// The last senders that are done, the oldest first: what they were called, the number of what would have been their next
    /// message, and the address of their receiver.
    done: VecDeque<(u64, u64, Vec<u8>)>,
    /// Counts what is to have a number of its own.
    tickets: u64,
    /// Messages may wait for company.
    holding: bool,
}

impl Engine {
    pub(super) fn open(
        options: &UcxOptions,
        me: u64,
        hub: Arc<Hub>,
        directory: Arc<dyn Directory>,
    ) -> Result<Self, UcxError> {
        let pool = Pool::new(options.kept);
        let worker = Worker::open(&options.settings(), pool.clone())?;
        let address = worker.address()?;
        let mut peers = Peers::default();
        if let Some(detour) = &options.detour.0 {
            let to = Arc::clone(&hub);
            let ear = Box::new(move |bytes: &[u8]| {
                // The network may speak on when nobody reads any more.
                let piece = if to.stop.load(SeqCst) { None } else { Piece::parse(bytes) };
                piece.into_iter().for_each(|piece| to.tell(Command::Piece(piece)));
            });
            let hears = detour.hear(&name_of(&address), ear);
            hears.map_err(|error| UcxError::Directory(error.to_string()))?;
            peers.road = Some(Road::new(Arc::clone(detour)));
        }
        Ok(Self {
            worker,
            hub,
            directory,
            pool,
            me,
            address,
            eager: options.eager,
            patience: options.patience,
            process: options.process.clone(),
            unreachable: options.unreachable.clone(),
            lasting: options.lasting,
            outlets: HashMap::new(),
            inlets: HashMap::new(),
            peers,
            pending: HashMap::new(),
            unknown: VecDeque::new(),
            partial: Partial::default(),
            done: VecDeque::new(),
            tickets: 0,
            holding: false,
        })
    }

    pub(super) fn address(&self) -> &[u8] {
        &self.address
    }

    /// Works until it is told to stop.
    pub(super) fn run(mut self) {
        let (mut commands, mut events) = (Vec::new(), Vec::new());
        let (mut busy, mut owing) = (Instant::now(), None);
        while !self.hub.stop.load(SeqCst) {
            let mut worked = self.turn(&mut commands, &mut events);
            if self.hub.owes() && owing.get_or_insert_with(Instant::now).elapsed() > OWING {
                self.pay();
                (worked, owing) = (true, None);
            }
            if worked {
                busy = Instant::now();
            } else if busy.elapsed() > SPIN {
                self.sleep();
                busy = Instant::now();
            } else {
                std::hint::spin_loop();
            }
        }
        self.end(&mut commands, &mut events);
    }

    /// Looks at everything once; whether there was anything to do.
    fn turn(&mut self, commands: &mut Vec<Command>, events: &mut Vec<Event>) -> bool {
        let mut worked = self.obey(commands);
        worked |= self.worker.progress();
        self.worker.take_events(events);
        if !events.is_empty() {
            // An end may have been opened since, and its first message be among these.
            worked = true;
            self.obey(commands);
            for event in events.drain(..) {
                self.happened(event);
            }
        }
        for (number, error) in self.peers.take_failed() {
            worked = true;
            self.fail(number, &error);
        }
        if self.hub.directory_changed.load(SeqCst) {
            self.hub.directory_changed.store(false, SeqCst);
            worked = true;
            self.look_up_all();
            self.greeted_again();
            self.find_closed();
            self.miss_senders();
        }
        worked | self.release() | self.retry() | self.ask_again()
    }

    fn obey(&mut self, commands: &mut Vec<Command>) -> bool {
        self.hub.take(commands);
        let some = !commands.is_empty();
        for command in commands.drain(..) {
            match command {
                Command::Sender(outbox) => {
                    let id = outbox.id;
                    self.tickets += 1;
                    self.outlets.insert(id, Outlet::new(outbox, self.tickets));
                    self.look_up(id);
                }
                Command::Receiver(inbox) => self.comes(inbox),
                Command::Look(id) => {
                    self.ship(id);
                    self.answer(id);
                }
                Command::Gone(id) => self.gone(id),
                Command::Piece(piece) => self.came_around(&piece),
            }
        }
        some
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::Failed { endpoint, error } => self.fail(endpoint, &error),
            Event::Received { ticket, result } => self.received(ticket, result),
            Event::Message { header, header_length, body } => {
                let known = &header[..header_length.min(header.len())];
                let parsed = if header_length > header.len() {
                    let wrong = "is cut off, or too long";
                    Err(UcxError::Header { found: header_length, wrong })
                } else {
                    Header::parse(known, body.length())
                };
                match parsed {
                    Err(why) => self.no_message(why, &header, header_length, body),
                    Ok(header) => match header.kind {
                        Kind::Hello => self.hello(header, body, false),
                        Kind::Data => self.data(header, body),
                        _ => {
                            self.throw_away(body);
                            self.word(header);
                        }
                    },
                }
            }
        }
    }

    /// The short words, which both ends say.
    fn word(&mut self, header: Header) {
        if self.outlets.contains_key(&header.to) {
            return self.word_to_sender(header);
        }
        match self.inlets.get_mut(&header.to) {
            Some(inlet) if header.kind == Kind::Close && inlet.is_from(header.from) => {
                inlet.sender_closed(header.number);
                self.answer(header.to);
            }
            None if header.kind == Kind::Credit && header.count == GREET_AGAIN => self.was_done(header),
            _ => self.hub.refuse(UcxError::UnknownLink { id: header.to }),
        }
    }

    /// A part of a message came around UCX, or all of it.
    fn came_around(&mut self, piece: &Piece) {
        let promised = piece.promised();
        let parsed = usize::try_from(promised)
            .map_or(Err(UcxError::Length { promised, found: 0 }), |length| {
                Header::parse(&piece.header, length)
            });
        let header = match parsed {
            Ok(header) => header,
            Err(why) => return self.hub.refuse(why),
        };
        let body = if piece.is_whole() {
            Some(piece.whole(&self.pool))
        } else {
            let inlet = self.inlets.get(&header.to).filter(|inlet| inlet.is_from(header.from));
            match inlet.filter(|_| header.kind == Kind::Data) {
                None => return self.hub.refuse(UcxError::UnknownLink { id: header.to }),
                Some(inlet) if promised > inlet.most() => piece.is_first().then(|| piece.dropped()),
                Some(_) => self.partial.take(header.to, piece, &self.pool),
            }
        };
        match (header.kind, body) {
            (_, None) => {}
            (Kind::Hello, Some(body)) => self.hello(header, body, true),
            (Kind::Data, Some(body)) => self.data(header, body),
            (_, Some(_)) => self.word(header),
        }
    }

    /// A way to another worker is of no use any more.
    fn fail(&mut self, number: u64, error: &UcxError) {
        let Some(endpoint) = self.peers.remove(number) else { return };
        self.worker.close(endpoint, true);
        let senders: Vec<u64> =
            self.outlets.iter().filter(|(_, outlet)| outlet.is_over(number)).map(key).collect();
        for id in senders {
            self.receiver_failed(id, error);
        }
        let receivers: Vec<u64> =
            self.inlets.iter().filter(|(_, inlet)| inlet.is_over(number)).map(key).collect();
        for id in receivers {
            self.sender_failed(id, number);
            self.answer(id);
        }
    }

    /// Sleeps until UCX, an end, the directory or the next attempt to connect needs it.
    fn sleep(&mut self) {
        if !self.hub.going_to_sleep() {
            return;
        }
        let due = self.outlets.values().filter_map(Outlet::due);
        let due = due.chain(self.inlets.values().filter_map(Inlet::due)).min();
        let mut time = due.map(|due| due.saturating_duration_since(Instant::now()));
        let mut armed = false;
        for _ in 0..ARMING {
            match self.worker.arm() {
                Ok(done) => armed = done,
                Err(_) => break,
            }
            if armed {
                break;
            }
            if self.worker.progress() {
                return self.hub.awake();
            }
        }
        if !armed {
            time = Some(time.map_or(STUCK, |time| time.min(STUCK)));
        }
        let mut watched = vec![PollFd::new(&self.hub.event, PollFlags::IN)];
        let worker = self.worker.as_fd();
        // Not armed, the descriptor may be readable and say nothing.
        if armed {
            watched.push(PollFd::new(&worker, PollFlags::IN));
        }
        let time = time.map(|time| Timespec {
            tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        });
        // An interrupted sleep is one that ended early.
        let _ = poll(&mut watched, time.as_ref());
        self.hub.awake();
    }

    /// Says what is still to be said, and closes everything.
    fn end(mut self, commands: &mut Vec<Command>, events: &mut Vec<Event>) {
        self.obey(commands);
        if let Some(mut road) = self.peers.road.take() {
            road.end(Instant::now() + LAST);
        }
        let deadline = Instant::now() + LAST;
        for endpoint in self.peers.take_all() {
            self.worker.close(endpoint, false);
        }
        while self.worker.pending() > 0 && Instant::now() < deadline {
            if !self.worker.progress() {
                std::thread::sleep(Duration::from_micros(50));
            }
            self.worker.take_events(events);
            for event in events.drain(..) {
                if let Event::Message { body, .. } = event {
                    self.throw_away(body);
                }
            }
        }
    }
}

fn key<V>((key, _): (&u64, V)) -> u64 {
    *key
}
