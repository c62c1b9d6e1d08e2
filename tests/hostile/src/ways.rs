//! Every way in which bytes become a value: each under the meter, the clock, and a net for panics.
//!
//! What one way says of an input, the others have to say as well, as far as they look at the same.

use std::cell::Cell;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use podwire::message::Message;
use podwire::schema::Value;
use podwire::{Error, Limits, Reader, Result, Writer, from_slice_with};
use rustix::time::{ClockId, clock_gettime};

use crate::carrier::{Carrier, segment};
use crate::case::Case;
use crate::codecs::{Borrowed, Owned};
use crate::fault::{Fault, caught, last_panic};
use crate::meter;
use crate::note::{Count, Note};
use crate::world::{Target, World, parse};

/// Processor time that one way may take for one input.
pub(crate) const LONG: Duration = Duration::from_millis(100);
/// Memory that one way may take beside what the input backs.
const SLACK: u64 = 64 << 10;
/// A vector that grows while nobody knows how long it will be has up to twice the room that it needs.
const GROWTH: u64 = 2;

/// The ways, by their numbers in the note.
pub(crate) const WAYS: [&str; 12] = [
    "making the input",
    "a message from a slice",
    "a message from a stream, by the registry",
    "by the registry",
    "a value from a slice",
    "a value from a stream",
    "skipped",
    "skipped in a stream",
    "by the schema, and printed",
    "by the schema, sharing",
    "by the schema in the message",
    "borrowed",
];

/// The ways of one input.
pub(crate) struct Ways<'w> {
    pub(crate) world: &'w World,
    pub(crate) case: &'w Case,
    pub(crate) note: &'w Note,
    /// Told of each fault: what, on which way, and the particulars.
    pub(crate) report: &'w mut dyn FnMut(Fault, &str, &str),
    /// Whether processor time is asked for, which takes a while itself.
    pub(crate) precise: bool,
    /// Whether some way took long, by the clock on the wall.
    pub(crate) suspect: bool,
    /// Whether each way is told of, as in a replay.
    pub(crate) loud: bool,
}

impl Ways<'_> {
    /// All ways.
    pub(crate) fn go(&mut self) {
        let Case { message, segments, limits, .. } = self.case;
        let (world, limits) = (self.world, *limits);
        let beside: usize = segments.iter().map(podwire::Segment::length).sum();
        let input = (message.len() + beside) as u64;
        // A message and its value are under the limits each.
        let whole = |expansion: u64| {
            let backed = input.saturating_mul(expansion.saturating_add(world.metadata_expansion + 10));
            backed.min(2 * limits.bytes) + SLACK
        };
        let mut parsed: Option<Result<Message<'_>>> = None;
        self.measured(1, whole(1), || parsed = Some(parse(message, limits)));
        // A message under a name with an alias is decoded by the same codec.
        let found = match &parsed {
            Some(Ok(message)) => world.names.get(message.name()).map(|index| &world.targets[*index]),
            _ => None,
        };
        let expansion = found.map_or(1, |target| target.expansion.saturating_mul(GROWTH));
        let mut stream = self.carrier(message);
        let mut value = None;
        self.measured(2, whole(expansion), || {
            value = world.registry.deserialize_with(&mut stream, limits).ok();
        });
        drop(value);
        let Some(Ok(parsed)) = parsed else { return };
        if let Some(target) = found
            && target.entry.fingerprint() == parsed.fingerprint()
        {
            if !self.precise {
                self.note.add(Count::Past);
            }
            let mut carrier = self.carrier(&[]);
            let mut value = None;
            self.measured(3, whole(expansion), || {
                value = world.registry.decode_with(&parsed, &mut carrier, limits).ok();
            });
            drop(value);
            self.value(target, &parsed, limits);
        }
        self.theirs(&parsed, limits, whole(expansion));
    }

    /// A value of a codec from its packed bytes.
    fn value(&mut self, target: &Target, parsed: &Message<'_>, limits: Limits) {
        let packed = parsed.packed();
        let beside: usize = self.case.segments.iter().map(podwire::Segment::length).sum();
        let backed = |expansion: u64| {
            ((packed.len() + beside) as u64).saturating_mul(expansion).min(limits.bytes) + SLACK
        };
        let entry = target.entry;

        let mut carrier = self.carrier(&[]);
        let mut slice = None;
        self.measured(4, backed(target.expansion), || {
            let mut reader = Reader::from_parts(packed, &mut carrier, limits);
            let value = entry.decode(&mut reader);
            slice = Some((value, reader.offset()));
        });
        let mut carrier = self.carrier(packed);
        let mut stream = None;
        self.measured(5, backed(target.expansion.saturating_mul(GROWTH)), || {
            let mut reader = Reader::from_endpoint(&mut carrier, limits);
            let value = entry.decode(&mut reader);
            stream = Some((value, reader.finish()));
        });
        let mut skipped = None;
        let mut carrier = self.carrier(&[]);
        self.measured(6, SLACK, || {
            let mut reader = Reader::from_parts(packed, &mut carrier, limits);
            let result = target.schema.skip(&mut reader);
            skipped = Some((result, reader.offset()));
        });
        let mut carrier = self.carrier(packed);
        self.measured(7, SLACK, || {
            let mut reader = Reader::from_endpoint(&mut carrier, limits);
            let _ = target.schema.skip(&mut reader);
            reader.finish();
        });
        let mut carrier = self.carrier(&[]);
        let (mut described, readable) = (None, self.case.known);
        self.measured(8, backed(target.by_schema), || {
            let mut reader = Reader::from_parts(packed, &mut carrier, limits);
            let value = target.schema.decode(&mut reader);
            let offset = reader.offset();
            described = Some((value.inspect(|value| print(value, readable)).map(drop), offset));
        });
        if self.case.known {
            let memory = segment(packed);
            let mut carrier = self.carrier(&[]);
            self.measured(9, backed(target.by_schema), || {
                let bytes = memory.bytes().unwrap_or_default();
                let mut reader = Reader::from_parts(bytes, &mut carrier, limits);
                let _ = target.schema.decode_sharing(&memory, &mut reader);
            });
        }
        if entry.value_type() == std::any::TypeId::of::<Owned>() {
            let owned = matches!(&slice, Some((Ok(_), _)));
            self.measured(11, backed(target.expansion), || {
                let borrowed = from_slice_with::<Borrowed<'_>>(packed, limits);
                assert!(owned || borrowed.is_err(), "borrowed, and not owned");
                if let Ok(Borrowed { text, bytes, numbers, perhaps, either }) = borrowed {
                    let sum =
                        text.len() + bytes.len() + numbers.len() + perhaps.map_or(0, str::len) + either.len();
                    assert!(sum <= packed.len());
                }
            });
        }
        let (Some((slice, read)), Some((stream, streamed))) = (slice, stream) else { return };
        // What follows compares: outside of the meter, and in the net.
        let values = Cell::new(false);
        self.measured(4, u64::MAX, || {
            let excused = |error: &Error| matches!(error, Error::ByteLimit { .. });
            match (&slice, &stream) {
                (Ok(_), Ok(_)) => assert_eq!(read, streamed, "a slice and a stream take as many bytes"),
                (Ok(_), Err(error)) | (Err(error), Ok(_)) => {
                    assert!(excused(error), "a slice and a stream agree: {error}");
                }
                _ => {}
            }
            let Ok(value) = &slice else { return };
            values.set(true);
            let own = |error: &Error| {
                excused(error)
                    || matches!(
                        error,
                        Error::Undescribed { .. } | Error::DepthLimit { .. } | Error::ItemLimit { .. }
                    )
            };
            for (what, other) in [("skipped", &skipped), ("by its schema", &described)] {
                match other {
                    Some((Ok(()), offset)) => assert_eq!(read, *offset, "{what} it takes as many bytes"),
                    Some((Err(error), _)) => assert!(own(error), "a value, but {what} it is none: {error}"),
                    None => {}
                }
            }
            again(target, &**value, limits, (self.case.segments.is_empty()).then_some(read));
        });
        if values.get() && !self.precise {
            self.note.add(Count::Values);
        }
    }

    /// A value by the schema in its message, which may be any.
    fn theirs(&mut self, parsed: &Message<'_>, limits: Limits, bound: u64) {
        // What a byte of the text of a schema comes to is its own matter, and counted.
        let text = 256 * (self.case.message.len() as u64) + SLACK;
        let mut schema = None;
        self.measured(10, text, || schema = parsed.schema().ok().flatten());
        let Some(schema) = schema else { return };
        let own = self.world.names.get(parsed.name()).map(|own| &self.world.targets[*own].schema);
        // By its own schema a value was read before.
        if own.is_some_and(|own| own.fingerprint() == schema.fingerprint()) {
            return;
        }
        let of = crate::expansion::expansion(&schema, crate::expansion::As::Value);
        let backed = (parsed.packed().len() as u64).saturating_mul(of).min(limits.bytes) + SLACK;
        let (mut carrier, readable) = (self.carrier(&[]), self.case.known);
        self.measured(10, backed.max(bound), || {
            let mut reader = Reader::from_parts(parsed.packed(), &mut carrier, limits);
            let _ = schema.decode(&mut reader).inspect(|value| print(value, readable));
        });
        let mut carrier = self.carrier(&[]);
        self.measured(10, SLACK, || {
            let _ = schema.skip(&mut Reader::from_parts(parsed.packed(), &mut carrier, limits));
        });
        if let Some(own) = own {
            self.measured(10, text, || {
                drop(own.difference(&schema).map(|difference| difference.to_string()));
            });
        }
    }

    fn carrier<'c>(&self, bytes: &'c [u8]) -> Carrier<'c>
    where
        Self: 'c,
    {
        let Case { window, known, segments, .. } = self.case;
        Carrier { rest: bytes, window: *window, known: *known, segments }
    }

    /// Work that may take so much memory, and a tenth of a second.
    fn measured(&mut self, way: u64, bound: u64, work: impl FnOnce()) {
        self.note.set(Count::Way, way);
        let name = WAYS[way as usize];
        let before = meter::start();
        // The clock on the wall is cheaper to ask, and never shows less.
        let (wall, processor) = (Instant::now(), self.precise.then(thread_time));
        let result = caught(work);
        let elapsed = processor.map_or_else(|| wall.elapsed(), |start| thread_time().saturating_sub(start));
        let peak = meter::peak(before);
        if result.is_err() {
            (self.report)(Fault::Panic, name, &last_panic());
        }
        if peak > bound {
            (self.report)(Fault::Over, name, &format!("{peak} bytes, where {bound} are the bound"));
        }
        if bound < u64::MAX {
            self.note.most(Count::Fullest, peak.saturating_sub(SLACK) * 1000 / (bound - SLACK).max(1));
        }
        self.suspect |= elapsed > LONG;
        if self.precise && elapsed > LONG {
            (self.report)(Fault::Hang, name, &format!("{} ms", elapsed.as_millis()));
        }
        if self.loud {
            println!("{name}: {peak} bytes, {} us", elapsed.as_micros());
        }
    }
}

/// Values are written for people, too.
fn print(value: &Value, readable: bool) {
    struct Nowhere;
    impl std::fmt::Write for Nowhere {
        fn write_str(&mut self, _: &str) -> std::fmt::Result {
            Ok(())
        }
    }
    // In lines, or in one; they differ in little, and the longer one takes longer.
    let _ = match readable {
        true => write!(Nowhere, "{value:#}"),
        false => write!(Nowhere, "{value}"),
    };
}

/// A value that came of hostile bytes is one: it is written, inline in as many bytes as were read, and read again.
fn again(target: &Target, value: &(dyn std::any::Any + Send + Sync), limits: Limits, read: Option<u64>) {
    let mut bytes = Vec::new();
    let mut writer = Writer::with_limits(&mut bytes, limits);
    if let Err(error) = target.entry.encode(value, &mut writer) {
        // What the host cannot read is never written inline.
        return assert!(matches!(error, Error::NotHostMemory { .. }), "it is not written: {error}");
    }
    let written = writer.finish().expect("there is room") as u64;
    assert_eq!(read.unwrap_or(written), written, "it is written in as many bytes");
    if let Err(error) = target.entry.decode(&mut Reader::from_slice_with(&bytes, limits)) {
        assert!(matches!(error, Error::ByteLimit { .. }), "it is not read again: {error}");
    }
}

/// Processor time of this thread.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
