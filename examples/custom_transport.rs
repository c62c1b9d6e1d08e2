//! How do I carry the connections of an application my own way? Here over Unix sockets; and how do I know that it is right?
//!
//! An application of two fragments takes it wherever it leads, which is within a host:
//!
//! ```text
//! cargo build --features distributed,conformance --example custom_transport && cd target/debug/examples
//! ./custom_transport --driver --worker --fragments camera --monitor &
//! ./custom_transport --worker --fragments screen
//! ```
//!
//! The suite of `transport::conformance` says whether it is right, with processes that it starts and kills:
//!
//! `cargo run --example custom_transport --features fragment,conformance -- --suite`
//!
//! The receiver listens at a path that it makes of the link's name. Frames are a length and a message; the way back is a
//! byte for each message that was received, and one for each that was settled. What was not received is kept by the
//! sender, and sent again to a receiver that comes back.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::Duration,
};

use podwire::{
    CodecRegistry,
    fastio::Doorbell,
    fragment::{
        self, Application, Context, Fragment, Input, Message, Operator, OperatorSpec, Output,
        transport::{
            Link, LinkError, Peer, ReceiveEnd, Run, SendEnd, Traffic, Transport,
            conformance::{self, Pair, Suite},
        },
    },
    message,
};

const RECEIVED: u8 = b'r';
const SETTLED: u8 = b's';
const CLOSED: u8 = b'c';
/// The length that says: closed in order.
const END: u32 = u32::MAX;

struct Sockets {
    /// How the paths of all its sockets begin.
    prefix: PathBuf,
}

impl Sockets {
    /// For a run of an application: the same in all its processes, and another one for the next run.
    fn of(run: &Run) -> fragment::Result<Self> {
        Ok(Self { prefix: std::env::temp_dir().join(run.name()) })
    }

    fn path(&self, link: &Link) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        link.name.hash(&mut hasher);
        let mut path = self.prefix.clone().into_os_string();
        path.push(format!("-{:016x}", hasher.finish()));
        path.into()
    }
}

impl Transport for Sockets {
    fn name(&self) -> &'static str {
        "sockets"
    }

    fn sender(&self, link: &Link, bell: &Doorbell) -> Result<Box<dyn SendEnd>, LinkError> {
        let shared = Shared::new(link, bell);
        let (thread, path) = (Arc::clone(&shared), self.path(link));
        std::thread::spawn(move || thread.send_to(&path));
        Ok(Box::new(Sending(shared)))
    }

    fn receiver(&self, link: &Link, bell: &Doorbell) -> Result<Box<dyn ReceiveEnd>, LinkError> {
        let (shared, path) = (Shared::new(link, bell), self.path(link));
        let _ = std::fs::remove_file(&path); // of a receiver that was killed
        let listener = UnixListener::bind(&path).map_err(|error| LinkError::transport(&*link.name, error))?;
        let thread = Arc::clone(&shared);
        std::thread::spawn(move || thread.receive_from(&listener));
        Ok(Box::new(Receiving { shared, path, in_hand: false }))
    }
}

/// What an end shares with the threads that wait for the network in its stead.
struct Shared {
    link: Link,
    bell: Doorbell,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stream: Option<UnixStream>,
    peer: Option<Peer>,
    /// Sender: messages that were not received. Receiver: messages that arrived.
    frames: VecDeque<Vec<u8>>,
    /// Sender: how many of them were written to this stream.
    written: usize,
    /// Receiver: it was said that the sender is gone.
    told: bool,
    closing: bool,
    traffic: Traffic,
}

impl Shared {
    fn new(link: &Link, bell: &Doorbell) -> Arc<Self> {
        let (link, bell, state) = (link.clone(), bell.clone(), Mutex::default());
        Arc::new(Self { link, bell, state, changed: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while it is locked")
    }

    /// Lets everybody see a change: the operator, whom the bell wakes, and the other thread of this end.
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
        self.bell.ring();
    }

    /// Writes what is to be sent, connecting again and again, until the end is closed and nothing is left.
    fn send_to(self: Arc<Self>, path: &Path) {
        loop {
            if let Ok(stream) = UnixStream::connect(path) {
                let back = stream.try_clone().expect("it can be cloned");
                self.change(|state| (state.written, state.peer) = (0, Some(Peer::Attached)));
                let listening = Arc::clone(&self);
                let listener = std::thread::spawn(move || listening.hear_back(back));
                let _ = self.write_all(stream);
                drop(listener.join());
            }
            let state = self.state();
            if state.closing && (state.frames.is_empty() || state.peer == Some(Peer::Closed)) {
                return;
            }
            drop(state);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn write_all(&self, mut stream: UnixStream) -> io::Result<()> {
        loop {
            let idle = |state: &mut State| {
                let ends = state.closing && state.frames.is_empty();
                state.written == state.frames.len() && state.peer == Some(Peer::Attached) && !ends
            };
            let mut state = self.changed.wait_while(self.state(), idle).expect("nobody panics");
            if state.peer != Some(Peer::Attached) {
                return Ok(());
            }
            let Some(frame) = state.frames.get(state.written).cloned() else {
                drop(state);
                stream.write_all(&END.to_le_bytes())?;
                return stream.shutdown(std::net::Shutdown::Write);
            };
            state.written += 1;
            drop(state);
            stream.write_all(&(frame.len() as u32).to_le_bytes())?;
            stream.write_all(&frame)?;
        }
    }

    fn hear_back(&self, mut stream: UnixStream) {
        let mut byte = [0];
        while stream.read_exact(&mut byte).is_ok() {
            self.change(|state| match byte[0] {
                RECEIVED if state.written > 0 => {
                    state.frames.pop_front();
                    state.written -= 1;
                    state.traffic.received += 1;
                }
                SETTLED => state.traffic.settled += 1,
                _ => state.peer = Some(Peer::Closed),
            });
        }
        self.change(|state| {
            if state.peer == Some(Peer::Attached) {
                state.peer = Some(Peer::Died);
            }
        });
    }

    /// Reads what senders send, one sender after the other.
    fn receive_from(&self, listener: &UnixListener) {
        for mut stream in listener.incoming().map_while(Result::ok) {
            if self.state().closing {
                return;
            }
            self.change(|state| {
                (state.stream, state.peer, state.told) =
                    (stream.try_clone().ok(), Some(Peer::Attached), false);
            });
            let closed = self.read_all(&mut stream).is_ok();
            let last = if closed { Peer::Closed } else { Peer::Died };
            self.change(|state| state.peer = Some(last));
        }
    }

    /// Whether the sender was closed in order.
    fn read_all(&self, stream: &mut UnixStream) -> io::Result<()> {
        let mut length = [0; 4];
        loop {
            stream.read_exact(&mut length)?;
            let length = u32::from_le_bytes(length);
            if length == END {
                return Ok(());
            }
            // Who sends more than there is room for, or more than a message may have, is no sender of ours.
            let room = self.state().frames.len() < self.link.capacity;
            if !room || u64::from(length) > self.link.limits.bytes + (1 << 20) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut frame = Vec::new(); // it grows with what arrives, not with what was announced
            if stream.take(length.into()).read_to_end(&mut frame)? < length as usize {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.change(|state| {
                state.traffic.sent += 1;
                state.frames.push_back(frame);
            });
        }
    }

    fn gone(&self, peer: Option<Peer>) -> Option<LinkError> {
        let link = self.link.name.clone();
        match peer? {
            Peer::Closed => Some(LinkError::Closed { link }),
            Peer::Died => Some(LinkError::PeerDied { link }),
            _ => None,
        }
    }

    fn codec_error(&self, source: podwire::Error) -> LinkError {
        LinkError::Codec { link: self.link.name.clone(), source }
    }
}

struct Sending(Arc<Shared>);

impl SendEnd for Sending {
    fn try_send(&mut self, message: &Message) -> Result<(), LinkError> {
        let Shared { link, .. } = &*self.0;
        let mut state = self.0.state();
        if let Some(error) = self.0.gone(state.peer) {
            return Err(error);
        }
        if state.frames.len() >= link.capacity {
            return Err(LinkError::Full { link: link.name.clone(), capacity: link.capacity });
        }
        let (mut frame, metadata) = (Vec::new(), Some(message.metadata()));
        let options = message::Options { metadata, ..message::Options::default() };
        let written = CodecRegistry::global().serialize_with(message.value(), options, &mut frame);
        written.map_err(|error| self.0.codec_error(error))?;
        state.frames.push_back(frame);
        state.traffic.sent += 1;
        drop(state);
        self.0.changed.notify_all();
        Ok(())
    }

    fn peer(&self) -> Peer {
        self.0.state().peer.unwrap_or(Peer::Absent)
    }

    fn traffic(&self) -> Traffic {
        self.0.state().traffic
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.change(|state| state.closing = true);
    }
}

struct Receiving {
    shared: Arc<Shared>,
    path: PathBuf,
    in_hand: bool,
}

impl Receiving {
    fn say(state: &mut State, byte: u8) {
        if let Some(stream) = &mut state.stream {
            let _ = stream.write_all(&[byte]); // a sender that is gone needs to know nothing
        }
    }
}

impl ReceiveEnd for Receiving {
    fn try_receive(&mut self) -> Result<Option<Message>, LinkError> {
        self.settle();
        let mut state = self.shared.state();
        let Some(frame) = state.frames.pop_front() else {
            let gone = self.shared.gone(state.peer);
            state.told = gone.is_some();
            return gone.map_or(Ok(None), Err);
        };
        self.in_hand = true;
        state.traffic.received += 1;
        Self::say(&mut state, RECEIVED);
        drop(state);
        let limits = self.shared.link.limits;
        let (envelope, _) =
            message::Message::parse(&frame, limits).map_err(|error| self.shared.codec_error(error))?;
        let value = CodecRegistry::global().decode_with(&envelope, &mut podwire::Buffer::new(), limits);
        let value = value.map_err(|error| self.shared.codec_error(error))?;
        Ok(Some(Message::any(value).with_metadata(envelope.metadata().clone())))
    }

    fn settle(&mut self) {
        if std::mem::take(&mut self.in_hand) {
            let mut state = self.shared.state();
            state.traffic.settled += 1;
            Self::say(&mut state, SETTLED);
        }
    }

    fn waiting(&self) -> usize {
        let state = self.shared.state();
        state.frames.len() + usize::from(!state.told && self.shared.gone(state.peer).is_some())
    }

    fn peer(&self) -> Peer {
        self.shared.state().peer.unwrap_or(Peer::Absent)
    }

    fn traffic(&self) -> Traffic {
        self.shared.state().traffic
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.settle();
        let mut state = self.shared.state();
        state.closing = true;
        Self::say(&mut state, CLOSED);
        let stream = state.stream.take();
        drop(state);
        let _ = stream.map(|stream| stream.shutdown(std::net::Shutdown::Both));
        let _ = UnixStream::connect(&self.path); // so that the thread that listens sees it
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Emits images.
struct Camera;

impl Operator for Camera {
    fn setup(&mut self, spec: &mut OperatorSpec) -> fragment::Result {
        spec.output::<Vec<f32>>("images");
        spec.count(20);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, context: &mut Context) -> fragment::Result {
        Ok(output.emit("images", vec![context.tick() as f32; 640 * 480])?)
    }
}

/// Looks at them.
struct Screen;

impl Operator for Screen {
    fn setup(&mut self, spec: &mut OperatorSpec) -> fragment::Result {
        spec.input::<Vec<f32>>("in");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, context: &mut Context) -> fragment::Result {
        let image = input.receive::<Vec<f32>>("in")?;
        if image.iter().any(|pixel| *pixel != context.tick() as f32) {
            return Err("an image came out of order".into());
        }
        Ok(())
    }

    fn stop(&mut self, context: &mut Context) -> fragment::Result {
        println!("{} images", context.tick());
        Ok(())
    }
}

fn main() -> ExitCode {
    // A process that the suite starts is one of it.
    let for_suite = std::env::var_os("CUSTOM_TRANSPORT_PREFIX").map(PathBuf::from);
    if let Some(prefix) = for_suite {
        conformance::play(|| Arc::new(Sockets { prefix }) as Arc<dyn Transport>);
        return ExitCode::SUCCESS;
    }
    let mut app = Application::from_env();
    app.about("Sends images over Unix sockets, from one process to another.");
    if app.flag("--suite", "instead, ask the suite of transports whether they are right") {
        return suite().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    app.add_transport("sockets", Sockets::of).version(1).within_host().preferred();
    let mut camera = Fragment::new("camera");
    camera.add_operator("camera", Camera);
    let mut screen = Fragment::new("screen");
    screen.add_operator("screen", Screen);
    app.add_fragment(camera);
    app.add_fragment(screen);
    app.add_flow("camera", "screen", [("camera.images", "screen.in")]);
    app.main()
}

/// Runs the suite; what it found is printed.
fn suite() -> io::Result<()> {
    let directory = std::env::temp_dir().join(format!("custom-transport-{}", std::process::id()));
    std::fs::create_dir(&directory)?;
    let prefix = directory.join("link");
    let sockets = || Sockets { prefix: prefix.clone() };
    let (program, kept, paths) = (std::env::current_exe()?, prefix.clone(), sockets());
    let process = move || {
        let mut command = Command::new(&program);
        command.env("CUSTOM_TRANSPORT_PREFIX", &kept);
        command
    };
    let garbage = move |link: &Link, bytes: &[u8]| {
        let mut stream = UnixStream::connect(paths.path(link)).expect("the receiver listens");
        let frame = [&(bytes.len() as u32).to_le_bytes(), bytes].concat();
        stream.write_all(&frame).expect("it is read");
    };
    let suite = Suite::over(Pair::of(Arc::new(sockets()))).messages_die_with_their_sender();
    let report = suite.processes(process).garbage(garbage).run();
    std::fs::remove_dir_all(&directory)?;
    print!("{report}");
    report.assert();
    Ok(())
}
