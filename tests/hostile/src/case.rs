//! The inputs: which there are, and how the one of a number is made. The same number gives the same input.

use podwire::{Limits, Segment};

use crate::carrier::segment;
use crate::message::{Entry, Parts, fingerprint, seal};
use crate::mutate::mutate;
use crate::random::Random;
use crate::walk::{self, Kind, Wish};
use crate::world::{Golden, World};

/// A part of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Every truncation of a message and of the value in it.
    Truncated,
    /// Every single bit of a message flipped.
    Flipped,
    /// Values of types that contain themselves, of many depths.
    Deep,
    /// Every allocation that fails once.
    Refused,
    /// Mutations, of a seed.
    Random,
}

impl Phase {
    pub(crate) const ALL: [Self; 5] =
        [Self::Truncated, Self::Flipped, Self::Deep, Self::Refused, Self::Random];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Flipped => "flipped",
            Self::Deep => "deep",
            Self::Refused => "refused",
            Self::Random => "random",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }

    /// How many inputs it has, if `random` are wanted.
    pub(crate) fn count(self, world: &World, random: u64) -> u64 {
        match self {
            Self::Truncated => {
                world.truncations.get_or_init(|| ends(world, truncations)).last().copied().unwrap_or(0)
            }
            Self::Flipped => world.flips.get_or_init(|| ends(world, flips)).last().copied().unwrap_or(0),
            Self::Deep => (deep(world).len() * DEPTHS.len() * CLAIMS.len()) as u64,
            Self::Refused => (world.targets.len() * REFUSED_WAYS * REFUSALS) as u64,
            Self::Random => random,
        }
    }
}

/// Allocations of one decoding of which each fails once.
pub(crate) const REFUSALS: usize = 48;
/// How they are decoded: from a slice, from a stream, by the schema.
pub(crate) const REFUSED_WAYS: usize = 3;

/// Levels, or what comes to them in the type.
const DEPTHS: [usize; 9] = [30, 100, 127, 128, 129, 200, 1_000, 20_000, 300_000];

/// Elements that each level says to have beside those that it has.
const CLAIMS: [usize; 4] = [0, 1, 100, 3_000];

/// What is decoded, and under which circumstances.
pub(crate) struct Case {
    pub(crate) message: Vec<u8>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) limits: Limits,
    /// Bytes that a stream shows at once.
    pub(crate) window: usize,
    /// Whether a stream says what is left.
    pub(crate) known: bool,
}

const MODEST: Limits = Limits { bytes: 1 << 20, items: 1_000, depth: 128 };
const SMALL: Limits = Limits { bytes: 1 << 16, items: 64, depth: 16 };
const TINY: Limits = Limits { bytes: 1 << 12, items: 1_000, depth: 32 };

impl Case {
    fn new(message: Vec<u8>, segments: Vec<Segment>, limits: Limits, random: &mut Random) -> Self {
        Self {
            message,
            segments,
            limits,
            window: random.pick(&[0, 1, 7, 64, 1 << 20]),
            known: random.one_in(2),
        }
    }
}

/// The input of a number.
pub(crate) fn case(world: &World, phase: Phase, number: u64) -> Case {
    let mut random = Random::new(world.seed ^ (phase as u64) << 56, number);
    match phase {
        Phase::Truncated => {
            let (target, which) = find(number, world.truncations.get_or_init(|| ends(world, truncations)));
            let golden = world.golden(target);
            let mut parts = plain(world, target, golden);
            let message = match which.checked_sub(golden.packed.len()) {
                None => {
                    parts.packed.truncate(which);
                    parts.to_bytes()
                }
                Some(length) => parts.to_bytes()[..length].to_vec(),
            };
            Case::new(message, golden.segments.clone(), MODEST, &mut random)
        }
        Phase::Flipped => {
            let (target, bit) = find(number, world.flips.get_or_init(|| ends(world, flips)));
            let golden = world.golden(target);
            let mut message = plain(world, target, golden).to_bytes();
            message[bit / 8] ^= 1 << (bit % 8);
            Case::new(message, golden.segments.clone(), MODEST, &mut random)
        }
        Phase::Deep => {
            let number = number as usize;
            let claims = CLAIMS[number % CLAIMS.len()];
            let depth = DEPTHS[number / CLAIMS.len() % DEPTHS.len()];
            let target = deep(world)[number / CLAIMS.len() / DEPTHS.len()];
            let schema = &world.targets[target].schema;
            let mut made = walk::make(schema, &mut random, &Wish::Deep(depth, claims)).unwrap_or_default();
            // What the claims could be of, if it were not for each other.
            made.packed.extend(vec![0; 16 * claims]);
            let segments = made.segments.iter().map(|bytes| segment(bytes)).collect();
            let golden = Golden { packed: made.packed, fields: vec![], segments };
            let message = plain(world, target, &golden).to_bytes();
            Case::new(message, golden.segments, Limits::DEFAULT, &mut random)
        }
        Phase::Refused => {
            let target = number as usize / (REFUSED_WAYS * REFUSALS);
            let golden = largest(world, target);
            let message = plain(world, target, golden).to_bytes();
            Case::new(message, golden.segments.clone(), Limits::DEFAULT, &mut random)
        }
        Phase::Random => mutated(world, &mut random),
    }
}

/// A message with nothing wrong, and nothing that need not be.
fn plain(world: &World, target: usize, golden: &Golden) -> Parts {
    let of = &world.targets[target];
    let table = golden.segments.iter().enumerate().map(|(number, segment)| Entry {
        length: segment.length() as u64,
        number: number as u32,
        kind: 0,
        alignment: 4,
        descriptor: vec![],
    });
    Parts {
        name: of.name.as_bytes().to_vec(),
        fingerprint: of.entry.fingerprint(),
        packed: golden.packed.clone(),
        table: table.collect(),
        ..Parts::default()
    }
}

fn mutated(world: &World, random: &mut Random) -> Case {
    let target = random.below(world.targets.len());
    let goldens = world.goldens(target);
    let golden = &goldens[random.below(goldens.len())];
    let mut parts = plain(world, target, golden);
    let names = &world.called[target];
    parts.name = names[random.below(names.len())].as_bytes().to_vec();
    parts.checksum = random.one_in(4);
    if random.one_in(4) {
        parts.schema = Some(world.targets[target].schema.text().as_bytes().to_vec());
    }
    if random.one_in(8) {
        parts.metadata.clone_from(&world.metadata);
    }
    let mut whole = false;
    match random.below(16) {
        0 | 1 => whole = true,
        // The bytes of one type as those of another, which says so.
        2 => {
            let other = random.below(world.targets.len());
            parts.name = world.targets[other].name.as_bytes().to_vec();
            parts.fingerprint = world.targets[other].entry.fingerprint();
            parts.schema = None;
            if random.one_in(2) {
                mutate(&mut parts.packed, &golden.fields, &[], random);
            }
        }
        // A schema that is another, or none, with the fingerprint that it has.
        3 => {
            let other = random.below(world.targets.len());
            let mut text = world.targets[other].schema.text().as_bytes().to_vec();
            if random.one_in(2) {
                mutate(&mut text, &[], world.targets[target].schema.text().as_bytes(), random);
            }
            parts.fingerprint = fingerprint(&text);
            parts.schema = Some(text);
        }
        4 => {
            parts.metadata.clone_from(&world.metadata);
            mutate(&mut parts.metadata, &[], &golden.packed, random);
        }
        5 => spoil_table(&mut parts, random),
        _ => {
            let other = random.below(goldens.len());
            mutate(&mut parts.packed, &golden.fields, &goldens[other].packed, random);
        }
    }
    let mut message = parts.to_bytes();
    if whole {
        let fields = [(4, 1), (5, 1), (6, 2), (8, 8), (16, 8), (24, 4), (28, 4)];
        let fields = fields.map(|(at, width)| walk::Field { at, width, kind: Kind::Length });
        mutate(&mut message, &fields, &golden.packed, random);
        if parts.checksum && !random.one_in(4) {
            seal(&mut message);
        }
    }
    let limits = match random.below(64) {
        0 => Limits::DEFAULT,
        1..12 => SMALL,
        12..20 => TINY,
        _ => MODEST,
    };
    Case::new(message, golden.segments.clone(), limits, random)
}

fn spoil_table(parts: &mut Parts, random: &mut Random) {
    if parts.table.is_empty() || random.one_in(4) {
        let entry = Entry {
            length: random.next() >> random.below(64),
            number: 0,
            kind: 0,
            alignment: 0,
            descriptor: vec![],
        };
        parts.table.push(entry);
    }
    let at = random.below(parts.table.len());
    let entry = &mut parts.table[at];
    match random.below(6) {
        0 => entry.length = random.pick(&[0, 1, u64::MAX, i64::MAX as u64, entry.length.wrapping_add(1)]),
        1 => entry.number = random.pick(&[1, 2, u32::MAX]),
        2 => entry.kind = random.pick(&[1, 2, 256, u16::MAX]),
        3 => entry.alignment = random.pick(&[0, 63, 64, 255]),
        4 => entry.descriptor = vec![7; random.below(256)],
        _ => parts.table.truncate(at),
    }
}

fn truncations(world: &World, target: usize) -> usize {
    let golden = world.golden(target);
    golden.packed.len() + plain(world, target, golden).to_bytes().len()
}

fn flips(world: &World, target: usize) -> usize {
    let golden = world.golden(target);
    8 * plain(world, target, golden).to_bytes().len()
}

/// The targets that can contain themselves.
fn deep(world: &World) -> Vec<usize> {
    (0..world.targets.len()).filter(|target| world.targets[*target].recursive).collect()
}

fn largest(world: &World, target: usize) -> &Golden {
    let goldens = world.goldens(target);
    goldens.iter().max_by_key(|golden| golden.packed.len()).unwrap_or(&goldens[0])
}

/// How many inputs there are up to each target, and with it.
fn ends(world: &World, of: fn(&World, usize) -> usize) -> Vec<u64> {
    let mut sum = 0;
    let ends = (0..world.targets.len()).map(|target| {
        sum += of(world, target) as u64;
        sum
    });
    ends.collect()
}

/// The target that a number falls to, and what is left of it.
fn find(number: u64, ends: &[u64]) -> (usize, usize) {
    let target = ends.partition_point(|end| *end <= number);
    let before = target.checked_sub(1).map_or(0, |before| ends[before]);
    (target, (number - before) as usize)
}
