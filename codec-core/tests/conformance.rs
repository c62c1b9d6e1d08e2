//! The conformance suite over every endpoint of the crate, and over endpoints that do the least that is allowed.
//!
//! That the suite finds out endpoints which break a promise is in `conformance_broken.rs`.

mod common;

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;

use common::{Chunks, Drip, Queue, Stingy, Visitor, visit};
use podwire_codec_core::endpoint::conformance::{Breach, Outcome, Promise, Report, Room, Suite, Values};
use podwire_codec_core::endpoint::{Capabilities, Placement};
use podwire_codec_core::{
    Buffer, Codec, Counter, Endpoint, Error, Gather, IoReader, IoWriter, Result, Segment, SliceReader,
    SliceWriter,
};

/// Every shape of type, besides what the suite sends itself.
fn zoo(values: &mut Values<'_>) -> Result<(), Breach> {
    struct Send<'s, 'v> {
        values: &'s mut Values<'v>,
        result: Result<(), Breach>,
    }
    impl Visitor for Send<'_, '_> {
        fn look<T: Codec + PartialEq + Debug>(&mut self, name: &str, value: T, _: bool) {
            if self.result.is_ok() {
                self.result = self.values.look(name, &value);
            }
        }
    }
    let mut send = Send { values, result: Ok(()) };
    visit(&mut send);
    send.result
}

/// Runs the suite, and sees that exactly these promises were skipped.
#[track_caller]
fn conforms(suite: Suite, skipped: &[Promise]) {
    let report = suite.values(zoo).run();
    report.assert();
    assert_eq!(skips(&report), skipped, "{report}");
}

fn skips(report: &Report) -> Vec<Promise> {
    let skipped = report.outcomes().filter(|(_, outcome)| matches!(outcome, Outcome::Skipped(_)));
    skipped.map(|(promise, _)| promise).collect()
}

/// What concerns only endpoints that carry segments.
const SEGMENTS: [Promise; 4] = [
    Promise::SegmentsComeBack,
    Promise::SegmentsAreAligned,
    Promise::SegmentsAreReadable,
    Promise::SegmentsStay,
];

/// What plain streams have nothing to do with.
const STREAM: [Promise; 9] = [
    Promise::FullIsReported,
    Promise::Interleaved,
    Promise::WindowsAreWritten,
    Promise::LookAheadIsTrue,
    Promise::RemainingIsTrue,
    SEGMENTS[0],
    SEGMENTS[1],
    SEGMENTS[2],
    SEGMENTS[3],
];

fn without(all: &[Promise], tried: &[Promise]) -> Vec<Promise> {
    all.iter().copied().filter(|promise| !tried.contains(promise)).collect()
}

#[test]
fn a_buffer_conforms() {
    conforms(Suite::of_endpoint(Buffer::new), &[&[Promise::FullIsReported], &SEGMENTS[..]].concat());
}

#[test]
fn a_vector_conforms() {
    conforms(Suite::of_endpoint(Vec::new), &[&[Promise::FullIsReported], &SEGMENTS[..]].concat());
}

#[test]
fn a_gathering_conforms() {
    conforms(Suite::of_endpoint(Gather::new), &[Promise::FullIsReported]);
}

#[test]
fn a_gathering_of_few_segments_conforms() {
    for segments in [0, 1, 2, 20] {
        let capabilities = Capabilities { segments, threshold: 1 };
        let skipped = if segments == 0 { &SEGMENTS[..] } else { &[] };
        conforms(
            Suite::of_endpoint(move || Gather::with_capabilities(capabilities)),
            &[&[Promise::FullIsReported], skipped].concat(),
        );
    }
}

#[test]
fn a_gathering_that_is_taken_apart_and_put_together_conforms() {
    let turn = |gather: Gather| {
        let (packed, segments) = gather.into_parts();
        Ok(Gather::from_parts(packed, segments))
    };
    conforms(Suite::of_halves(|| Ok(Gather::new()), turn), &[Promise::FullIsReported, Promise::Interleaved]);
}

#[test]
fn slices_conform() {
    for room in [64, 5_000, 250_000] {
        let memory = move || Ok(SliceWriter::new(vec![0xCC; room].leak()));
        let turn = |writer: SliceWriter<'_>| Ok(SliceReader::new(writer.written().to_vec().leak()));
        let few = if room == 64 { &[Promise::TruncationIsFound][..] } else { &[] };
        conforms(
            Suite::of_halves(memory, turn).room(Room::Fixed(room)),
            &[&[Promise::Interleaved], few, &SEGMENTS[..]].concat(),
        );
    }
}

#[test]
fn a_borrowed_slice_conforms() {
    conforms(
        Suite::of_halves(|| Ok(Vec::new()), |bytes: Vec<u8>| Ok(&*bytes.leak())),
        &[&[Promise::FullIsReported, Promise::Interleaved], &SEGMENTS[..]].concat(),
    );
}

#[test]
fn a_reference_to_a_dyn_endpoint_conforms() {
    let make = || -> &'static mut dyn Endpoint { Box::leak(Box::new(Gather::new())) };
    conforms(Suite::of_endpoint(make), &[Promise::FullIsReported]);
}

#[test]
fn two_methods_are_enough_to_conform() {
    conforms(Suite::of_endpoint(Queue::default), &without(&STREAM, &[Promise::Interleaved]));
}

#[test]
fn an_endpoint_that_shows_few_bytes_at_once_conforms() {
    for window in [0, 1, 5] {
        let turn = move |bytes: Vec<u8>| Ok(Chunks { rest: bytes.leak(), window });
        let shows = if window == 0 { &[][..] } else { &[Promise::LookAheadIsTrue] };
        conforms(
            Suite::of_halves(|| Ok(Vec::new()), turn),
            &without(&STREAM, &[shows, &[Promise::WindowsAreWritten]].concat()),
        );
    }
}

/// A file without a name.
fn file() -> Result<File> {
    let path = std::env::temp_dir().join(format!(
        "podwire-conformance-{}-{:?}",
        std::process::id(),
        thread::current().id()
    ));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

fn rewound(mut file: File) -> Result<File> {
    file.rewind()?;
    Ok(file)
}

#[test]
fn files_conform() {
    conforms(Suite::of_halves(|| Ok(IoWriter(file()?)), |writer| Ok(IoReader(rewound(writer.0)?))), &STREAM);
}

#[test]
fn files_behind_buffers_conform() {
    let open = || Ok(IoWriter(io::BufWriter::new(file()?)));
    let turn = |writer: IoWriter<io::BufWriter<File>>| {
        let file = writer.0.into_inner().map_err(|error| Error::Io(error.into_error()))?;
        Ok(IoReader(io::BufReader::new(rewound(file)?)))
    };
    conforms(Suite::of_halves(open, turn), &STREAM);
}

/// A socket or pipe holds little, and a suite that writes everything first would wait for itself: a thread holds what
/// was written until all is there, between two connections.
fn relayed<S: Read + Write + Send + 'static>(
    pair: impl Fn() -> io::Result<(S, S)>,
    end: fn(&S) -> io::Result<()>,
) -> io::Result<(S, S)> {
    let (writer, mut from) = pair()?;
    let (mut to, reader) = pair()?;
    thread::spawn(move || {
        let mut held = Vec::new();
        from.read_to_end(&mut held)?;
        // The reader may be gone before it has read everything.
        drop(to.write_all(&held));
        end(&to)
    });
    Ok((writer, reader))
}

#[test]
fn unix_sockets_conform() {
    let open = || {
        let end = |socket: &UnixStream| socket.shutdown(Shutdown::Write);
        let (writer, reader) = relayed(UnixStream::pair, end)?;
        Ok(Ends { writer: IoWriter(writer), reader })
    };
    conforms(Suite::of_halves(open, |ends| Ok(IoReader(ends.reader))), &STREAM);
}

#[test]
fn unix_sockets_that_hold_little_conform() {
    let open = || {
        let (writer, reader) = UnixStream::pair()?;
        Ok(Ends { writer: IoWriter(writer), reader })
    };
    // The system accounts for a single byte with most of a KiB.
    conforms(Suite::of_halves(open, |ends| Ok(IoReader(ends.reader))).room(Room::Waits(200)), &STREAM);
}

#[test]
fn tcp_sockets_conform() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = move || {
        let pair = || {
            let writer = TcpStream::connect(listener.local_addr()?)?;
            Ok((writer, listener.accept()?.0))
        };
        let (writer, reader) = relayed(pair, |socket| socket.shutdown(Shutdown::Write))?;
        Ok(Ends { writer: IoWriter(writer), reader })
    };
    conforms(Suite::of_halves(open, |ends| Ok(IoReader(ends.reader))), &STREAM);
}

#[test]
fn pipes_conform() {
    let open = || {
        let (reader, writer) = io::pipe()?;
        Ok(Ends { writer: IoWriter(writer), reader })
    };
    conforms(Suite::of_halves(open, |ends| Ok(IoReader(ends.reader))).room(Room::Waits(16 * 1024)), &STREAM);
}

/// Both ends of a connection, to be written to.
struct Ends<W, R> {
    writer: W,
    reader: R,
}

impl<W: Endpoint, R> Endpoint for Ends<W, R> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.writer.write(bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.writer.read(bytes)
    }
}

#[test]
fn streams_that_move_one_byte_at_a_time_and_are_interrupted_conform() {
    let open = || Ok(IoWriter(Stingy { room: usize::MAX, ..Stingy::default() }));
    let turn = |writer: IoWriter<Stingy>| Ok(IoReader(Drip::new(writer.0.taken.leak())));
    conforms(Suite::of_halves(open, turn), &STREAM);
}

/// A gathering, and beside it a counter, which must say of each call what the gathering does.
struct Counted {
    gather: Gather,
    counter: Counter,
}

impl Endpoint for Counted {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.counter.write(bytes)?;
        self.gather.write(bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        assert!(matches!(self.counter.read(&mut [0]), Err(Error::UnexpectedEnd { wanted: 1, found: 0, .. })));
        self.gather.read(bytes)
    }

    fn capabilities(&self) -> Capabilities {
        assert_eq!(self.counter.capabilities(), self.gather.capabilities());
        self.gather.capabilities()
    }

    fn attach(&mut self, segment: &Segment) -> Result<Option<u32>> {
        let number = self.gather.attach(segment)?;
        assert_eq!(self.counter.attach(segment)?, number);
        Ok(number)
    }

    fn take_segment(&mut self, placement: Placement<'_>) -> Result<Segment> {
        self.gather.take_segment(placement)
    }
}

#[test]
fn a_counter_counts_what_a_conforming_endpoint_takes() {
    let capabilities = Capabilities { segments: 20, threshold: 64 };
    let open = move || {
        let gather = Gather::with_capabilities(capabilities);
        Ok(Counted { gather, counter: Counter::new(capabilities) })
    };
    let turn = |ends: Counted| {
        let attached: usize = ends.gather.segments().iter().map(Segment::length).sum();
        assert_eq!(ends.counter.attached, attached as u64);
        assert_eq!(ends.counter.packed, ends.gather.packed().len() as u64);
        Ok(ends)
    };
    conforms(Suite::of_halves(open, turn), &STREAM[..5]);
}
