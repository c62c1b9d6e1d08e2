//! The codecs that are attacked, and valid values of each.
//!
//! The list is the registry's. Values are made from the schema alone, and every one has to be a value of the type as well,
//! unless the type says why not: a check by itself. The invariant: there is a value of every codec.

use std::any::TypeId;
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use podwire::endpoint::Capabilities;
use podwire::message::Message;
use podwire::registry::{AnyValue, Entry};
use podwire::schema::{Schema, schema_of};
use podwire::{CodecRegistry, Error, Gather, Limits, Reader, Segment, Writer, to_vec};

use crate::carrier::{Carrier, segment};
use crate::expansion::{As, expansion};
use crate::random::Random;
use crate::samples::samples;
use crate::walk::{self, Field, Wish};

/// Values of each codec.
const VALUES: usize = 8;

/// A valid value in bytes.
pub(crate) struct Golden {
    pub(crate) packed: Vec<u8>,
    pub(crate) fields: Vec<Field>,
    pub(crate) segments: Vec<Segment>,
}

/// A codec that is attacked.
pub(crate) struct Target {
    /// The name under which it is sent.
    pub(crate) name: Box<str>,
    pub(crate) entry: &'static Entry,
    pub(crate) schema: Schema,
    /// Bytes of memory for each of its encoding: as the type, and as a value that is read by the schema.
    pub(crate) expansion: u64,
    pub(crate) by_schema: u64,
    pub(crate) recursive: bool,
    goldens: OnceCell<Vec<Golden>>,
}

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) registry: &'static CodecRegistry,
    pub(crate) targets: Vec<Target>,
    /// The target of each name, also of those that are only understood.
    pub(crate) names: HashMap<Box<str>, usize>,
    /// The names of each target.
    pub(crate) called: Vec<Vec<Box<str>>>,
    /// Metadata that is valid: bytes, and a message.
    pub(crate) metadata: Vec<u8>,
    pub(crate) metadata_expansion: u64,
    /// How many inputs of these kinds there are up to each target, and with it.
    pub(crate) truncations: OnceCell<Vec<u64>>,
    pub(crate) flips: OnceCell<Vec<u64>>,
    samples: HashMap<TypeId, Vec<AnyValue>>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let registry = CodecRegistry::global();
        let mut found: BTreeMap<Box<str>, Target> = BTreeMap::new();
        let mut called: BTreeMap<Box<str>, Vec<Box<str>>> = BTreeMap::new();
        for name in registry.names() {
            let of = registry.by_name(&name).expect("it was listed").value_type();
            // That under which it is sent: the others lead to the same codec.
            let entry = registry.by_type(of).expect("it has a name");
            called.entry(entry.name().into()).or_default().push(name);
            found.entry(entry.name().into()).or_insert_with(|| Target::new(entry));
        }
        let targets: Vec<Target> = found.into_values().collect();
        let called: Vec<Vec<Box<str>>> = called.into_values().collect();
        let names = called
            .iter()
            .enumerate()
            .flat_map(|(index, names)| names.iter().map(move |name| (name.clone(), index)));
        let names = names.collect();
        let mut inner = Vec::new();
        registry.serialize(&7_u16, &mut inner).expect("a number");
        let metadata = BTreeMap::from([("id".to_owned(), vec![1_u8, 2]), ("n".to_owned(), inner)]);
        let mut by_type: HashMap<TypeId, Vec<AnyValue>> = HashMap::new();
        for sample in samples() {
            by_type.entry((*sample).type_id()).or_default().push(sample);
        }
        Self {
            seed,
            registry,
            targets,
            names,
            called,
            metadata: to_vec(&metadata).expect("two entries"),
            metadata_expansion: expansion(
                &schema_of::<BTreeMap<String, Vec<u8>>>(),
                As::Type { tables: false },
            ),
            truncations: OnceCell::new(),
            flips: OnceCell::new(),
            samples: by_type,
        }
    }

    /// Values of a codec: made of the schema, and samples.
    pub(crate) fn goldens(&self, target: usize) -> &[Golden] {
        let Target { name, entry, schema, goldens, .. } = &self.targets[target];
        goldens.get_or_init(|| {
            let mut all = Vec::new();
            for sample in self.samples.get(&entry.value_type()).into_iter().flatten() {
                all.extend(inline_and_beside(entry, schema, sample));
            }
            let mut random = Random::new(self.seed, target as u64 + 1);
            for attempt in 0..600 {
                if all.len() >= VALUES + 4 {
                    break;
                }
                let Some(made) = walk::make(schema, &mut random, &Wish::Small(attempt % 10)) else { break };
                let segments: Vec<Segment> = made.segments.iter().map(|bytes| segment(bytes)).collect();
                match whole(entry, &made.packed, &segments) {
                    Ok(()) => {}
                    Err(error) if may_refuse(&error) => continue,
                    Err(error) => panic!("{name}: {:02x?} is a value of {schema}, but {error}", made.packed),
                }
                if all.iter().all(|known: &Golden| known.packed != made.packed) {
                    all.push(Golden { packed: made.packed, fields: made.fields, segments });
                }
            }
            assert!(!all.is_empty(), "{name}: there is no value of {schema}: add one to samples.rs");
            all
        })
    }

    /// A golden value that is small and not trivial.
    pub(crate) fn golden(&self, target: usize) -> &Golden {
        let goldens = self.goldens(target);
        let fits = goldens.iter().filter(|golden| golden.packed.len() <= 160);
        fits.max_by_key(|golden| golden.packed.len()).unwrap_or(&goldens[0])
    }
}

impl Target {
    fn new(entry: &'static Entry) -> Self {
        let (name, schema) = (entry.name(), entry.schema());
        let kept = As::Type { tables: name.contains("Set") };
        // What the schema does not say: its own text comes to nodes.
        let beyond = if name.ends_with("::Schema") { 256 } else { 1 };
        Self {
            name: name.into(),
            entry,
            expansion: expansion(&schema, kept).max(beyond),
            by_schema: expansion(&schema, As::Value),
            recursive: walk::is_recursive(&schema),
            schema,
            goldens: OnceCell::new(),
        }
    }
}

/// A value with all its bytes inline, and, if it can have them, with segments.
fn inline_and_beside(entry: &Entry, schema: &Schema, value: &AnyValue) -> Vec<Golden> {
    let mut all: Vec<Golden> = Vec::new();
    for capabilities in [Capabilities::INLINE, Capabilities { segments: 8, threshold: 1 }] {
        let mut gather = Gather::with_capabilities(capabilities);
        let mut writer = Writer::new(&mut gather);
        entry.encode(&**value, &mut writer).expect("a sample is a value");
        writer.finish().expect("there is room");
        let packed = gather.packed().to_vec();
        let segments = gather.segments().to_vec();
        if all.iter().all(|known| known.packed != packed) {
            all.push(Golden { fields: walk::read(schema, &packed), packed, segments });
        }
    }
    all
}

/// Reads all of a value.
fn whole(entry: &Entry, packed: &[u8], segments: &[Segment]) -> podwire::Result<()> {
    let mut carrier = Carrier { rest: &[], window: 0, known: true, segments };
    let mut reader = Reader::from_parts(packed, &mut carrier, Limits::DEFAULT);
    entry.decode(&mut reader)?;
    let offset = reader.offset();
    match packed.len() as u64 - offset {
        0 => Ok(()),
        count => Err(Error::TrailingBytes { offset, count }),
    }
}

/// Whether a type may refuse a value of its schema so: the schema does not say all that it wants.
fn may_refuse(error: &Error) -> bool {
    !matches!(
        error,
        Error::UnexpectedEnd { .. }
            | Error::TrailingBytes { .. }
            | Error::UnknownTag { .. }
            | Error::InvalidUtf8 { .. }
            | Error::DepthLimit { .. }
            | Error::NoSegment { .. }
            | Error::SegmentLength { .. }
            | Error::SegmentAlignment { .. }
            | Error::Undescribed { .. }
    )
}

/// The message, without what follows it.
pub(crate) fn parse(message: &[u8], limits: Limits) -> podwire::Result<Message<'_>> {
    Message::parse(message, limits).map(|(message, _)| message)
}
