//! The bytes of a value by its schema alone, as `docs/wire-format.md` lays them out: made, or gone through.
//!
//! Both note where the lengths, the tags and the numbers stand. What is made is a value of the schema; the type may
//! want more of it, such as that no key stands twice. The invariant: no recursion, so that any depth can be made.

use std::collections::HashSet;

use podwire::schema::{Node, NodeId, Schema, VariantNode};

use crate::random::Random;

/// What stands somewhere in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The number of elements or bytes, of four bytes or, in a `Bulk`, of eight.
    Length,
    /// Which variant there is, or whether there is anything, or where it is.
    Tag,
    /// Anything else.
    Number,
}

/// A place in the bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) at: usize,
    pub(crate) width: usize,
    pub(crate) kind: Kind,
}

/// What a value is to be like.
#[derive(Debug, Clone)]
pub(crate) enum Wish {
    /// Small, with so many elements in all, at most.
    Small(usize),
    /// As deep as this, on the way that leads there; its collections say that they have so many elements more.
    Deep(usize, usize),
}

/// A value in bytes.
#[derive(Debug, Default, Clone)]
pub(crate) struct Bytes {
    pub(crate) packed: Vec<u8>,
    pub(crate) fields: Vec<Field>,
    pub(crate) segments: Vec<Vec<u8>>,
}

/// Makes a value; nothing if a codec in it does not describe itself.
pub(crate) fn make(schema: &Schema, random: &mut Random, wish: &Wish) -> Option<Bytes> {
    let (fuel, chases, claims) = match *wish {
        Wish::Small(fuel) => (fuel, false, 0),
        Wish::Deep(fuel, claims) => (fuel, true, claims),
    };
    let source = Source::Make { random, fuel, chases, claims, recursive: recursive(schema) };
    let mut walk = Walk { schema, source, bytes: Bytes::default(), elsewhere: None };
    walk.whole()?;
    Some(walk.bytes)
}

/// Goes through a value, as far as it is described.
pub(crate) fn read(schema: &Schema, packed: &[u8]) -> Vec<Field> {
    let source = Source::Read { rest: packed };
    let mut walk = Walk { schema, source, bytes: Bytes::default(), elsewhere: None };
    let _ = walk.whole();
    walk.bytes.fields
}

/// Whether a type can contain itself.
pub(crate) fn is_recursive(schema: &Schema) -> bool {
    !recursive(schema).is_empty()
}

/// The nodes from which a way leads into a circle.
fn recursive(schema: &Schema) -> HashSet<NodeId> {
    let reached = |from: NodeId| {
        let (mut seen, mut next) = (HashSet::new(), parts(schema.node(from)));
        while let Some(id) = next.pop() {
            if seen.insert(id) {
                next.extend(parts(schema.node(id)));
            }
        }
        seen
    };
    let mut all = reached(schema.root());
    all.insert(schema.root());
    let circles: HashSet<NodeId> = all.iter().copied().filter(|id| reached(*id).contains(id)).collect();
    all.retain(|id| circles.contains(id) || !reached(*id).is_disjoint(&circles));
    all
}

/// The types that a type is made of.
pub(crate) fn parts(node: &Node) -> Vec<NodeId> {
    match node {
        Node::Sequence(part) | Node::Array(part, _) | Node::Option(part) | Node::Pointer(part) => vec![*part],
        Node::Bulk(part) => vec![*part],
        Node::Map(key, value) => vec![*key, *value],
        Node::Struct(fields) => fields.iter().map(|field| field.node).collect(),
        Node::Enum { variants, .. } => {
            variants.iter().flat_map(|variant| &variant.fields).map(|field| field.node).collect()
        }
        _ => vec![],
    }
}

enum Source<'s> {
    Make { random: &'s mut Random, fuel: usize, chases: bool, claims: usize, recursive: HashSet<NodeId> },
    Read { rest: &'s [u8] },
}

/// What of a tail is still to come.
enum Job {
    Text(usize),
    Row(Vec<NodeId>),
    Rows(NodeId, usize),
    Entries(NodeId, NodeId, usize),
    Bulk(NodeId),
}

struct Walk<'s> {
    schema: &'s Schema,
    source: Source<'s>,
    bytes: Bytes,
    /// The bytes of a segment, while they are made.
    elsewhere: Option<Vec<u8>>,
}

/// Numbers that lie at some edge.
const EDGES: [u64; 8] = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF_FFFF, u64::MAX];

impl Walk<'_> {
    fn whole(&mut self) -> Option<()> {
        let mut jobs = vec![Job::Row(vec![self.schema.root()])];
        while let Some(job) = jobs.pop() {
            match job {
                Job::Text(length) => self.text(length)?,
                Job::Row(parts) => self.row(&parts, &mut jobs)?,
                Job::Rows(_, 0) | Job::Entries(_, _, 0) => {}
                Job::Rows(part, count) => {
                    jobs.push(Job::Rows(part, count - 1));
                    self.row(&[part], &mut jobs)?;
                }
                Job::Entries(key, value, count) => {
                    jobs.push(Job::Entries(key, value, count - 1));
                    self.row(&[key, value], &mut jobs)?;
                }
                Job::Bulk(part) => self.bulk(part)?,
            }
        }
        Some(())
    }

    /// The heads of parts; their tails are jobs, the first of them on top.
    fn row(&mut self, parts: &[NodeId], jobs: &mut Vec<Job>) -> Option<()> {
        let mut tails = Vec::new();
        parts.iter().try_for_each(|part| self.head(*part, &mut tails))?;
        jobs.extend(tails.into_iter().rev());
        Some(())
    }

    fn head(&mut self, id: NodeId, tails: &mut Vec<Job>) -> Option<()> {
        match self.schema.node(id) {
            Node::Scalar(name) => self.scalar(name)?,
            Node::Text => {
                let length = self.length(|random| random.below(9))?;
                tails.push(Job::Text(length));
            }
            Node::Sequence(part) => {
                let length = self.elements(*part)?;
                tails.push(Job::Rows(*part, length));
            }
            Node::Map(key, value) => {
                let length = self.elements(*value)?;
                tails.push(Job::Entries(*key, *value, length));
            }
            Node::Array(part, count) => (0..*count).try_for_each(|_| self.head(*part, tails))?,
            Node::Option(part) => {
                let some = self.wants(*part);
                if self.take(1, Kind::Tag, |random| u64::from(some.unwrap_or_else(|| random.one_in(2))))? == 1
                {
                    self.burn(1);
                    tails.push(Job::Row(vec![*part]));
                }
            }
            Node::Pointer(part) => {
                self.burn(1);
                tails.push(Job::Row(vec![*part]));
            }
            Node::Bulk(part) => tails.push(Job::Bulk(*part)),
            Node::Struct(fields) => fields.iter().try_for_each(|field| self.head(field.node, tails))?,
            Node::Enum { bits, variants } => {
                let choice = self.choice(variants);
                let tag = self.take(usize::from(*bits) / 8, Kind::Tag, |random| {
                    choice
                        .get(random.below(choice.len().max(1)))
                        .map_or(0, |number| variants[*number].tag.into())
                })?;
                let variant = variants.iter().find(|variant| u64::from(variant.tag) == tag)?;
                tails.push(Job::Row(variant.fields.iter().map(|field| field.node).collect()));
            }
            Node::Pod(size) => (0..*size).try_for_each(|_| self.number(1))?,
            _ => return None,
        }
        Some(())
    }

    /// The variants of which one is to be made: without fuel, those that lead nowhere.
    fn choice(&self, variants: &[VariantNode]) -> Vec<usize> {
        let all = 0..variants.len();
        let Source::Make { fuel, chases, recursive, .. } = &self.source else { return all.collect() };
        let leads =
            |number: &usize| variants[*number].fields.iter().any(|field| recursive.contains(&field.node));
        let wanted: Vec<usize> = match *fuel {
            0 => all.clone().filter(|number| !leads(number)).collect(),
            _ if *chases => all.clone().filter(leads).collect(),
            _ => vec![],
        };
        if wanted.is_empty() { all.collect() } else { wanted }
    }

    fn burn(&mut self, by: usize) {
        if let Source::Make { fuel, .. } = &mut self.source {
            *fuel = fuel.saturating_sub(by);
        }
    }

    fn scalar(&mut self, name: &str) -> Option<()> {
        match name {
            "bool" => drop(self.take(1, Kind::Number, |random| random.below(2) as u64)?),
            "char" => {
                let of = [u64::from('a'), 0, 0x10_FFFF, u64::from('é'), 0xD7FF, 0xE000];
                self.take(4, Kind::Number, |random| random.pick(&of))?;
            }
            "u128" | "i128" => (0..2).try_for_each(|_| self.number(8))?,
            other => {
                let bits: usize = other.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok()?;
                self.number(bits / 8)?;
            }
        }
        Some(())
    }

    fn number(&mut self, width: usize) -> Option<()> {
        self.take(width, Kind::Number, |random| match random.below(3) {
            0 => random.pick(&EDGES),
            1 => random.below(16) as u64,
            _ => random.next(),
        })?;
        Some(())
    }

    fn text(&mut self, length: usize) -> Option<()> {
        let Source::Make { random, .. } = &mut self.source else { return self.pass(length) };
        let mut text = String::new();
        while text.len() < length {
            let letter = random.pick(&['a', 'B', '/', '{', 'é', '字', '🦀']);
            if text.len() + letter.len_utf8() <= length {
                text.push(letter);
            }
        }
        self.put(text.as_bytes());
        Some(())
    }

    /// Elements that travel inline, or in a segment.
    fn bulk(&mut self, part: NodeId) -> Option<()> {
        let segment = self.take(1, Kind::Tag, |random| random.below(2) as u64)? == 1;
        let count = self.take(8, Kind::Length, |random| random.below(5) as u64)? as usize;
        if !segment {
            return (0..count).try_for_each(|_| self.head(part, &mut Vec::new()));
        }
        let number = self.bytes.segments.len() as u64;
        self.take(4, Kind::Number, |_| number)?;
        self.elsewhere = Some(Vec::new());
        let made = (0..count).try_for_each(|_| self.head(part, &mut Vec::new()));
        self.bytes.segments.extend(self.elsewhere.take());
        made
    }

    /// The number of elements of a collection.
    fn elements(&mut self, part: NodeId) -> Option<usize> {
        let wants = self.wants(part);
        let claims = match &self.source {
            Source::Make { claims, .. } if wants == Some(true) => *claims,
            _ => 0,
        };
        let length =
            self.length(|random| claims + wants.map_or_else(|| random.below(4), usize::from))? - claims;
        self.burn(length);
        Some(length)
    }

    fn length(&mut self, make: impl FnOnce(&mut Random) -> usize) -> Option<usize> {
        Some(self.take(4, Kind::Length, |random| make(random) as u64)? as usize)
    }

    /// Whether there has to be a value of this type, or must be none.
    fn wants(&self, part: NodeId) -> Option<bool> {
        match &self.source {
            Source::Make { fuel: 0, .. } => Some(false),
            Source::Make { chases: true, recursive, .. } => Some(recursive.contains(&part)),
            _ => None,
        }
    }

    /// A number of so many bytes.
    fn take(&mut self, width: usize, kind: Kind, make: impl FnOnce(&mut Random) -> u64) -> Option<u64> {
        if self.elsewhere.is_none() {
            self.bytes.fields.push(Field { at: self.bytes.packed.len(), width, kind });
        }
        match &mut self.source {
            Source::Make { random, .. } => {
                let number = make(random);
                self.put(&number.to_le_bytes()[..width]);
                Some(number)
            }
            Source::Read { rest } => {
                let (taken, left) = rest.split_at_checked(width)?;
                *rest = left;
                self.bytes.packed.extend(taken);
                let mut number = [0; 8];
                number[..width].copy_from_slice(taken);
                Some(u64::from_le_bytes(number))
            }
        }
    }

    fn pass(&mut self, length: usize) -> Option<()> {
        let Source::Read { rest } = &mut self.source else { return Some(()) };
        let (taken, left) = rest.split_at_checked(length)?;
        *rest = left;
        self.bytes.packed.extend(taken);
        Some(())
    }

    fn put(&mut self, bytes: &[u8]) {
        self.elsewhere.as_mut().unwrap_or(&mut self.bytes.packed).extend(bytes);
    }
}
