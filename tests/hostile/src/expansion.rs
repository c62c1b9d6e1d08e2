//! How much memory a byte of a type's encoding can come to: the size in memory over the smallest encoding.
//!
//! It is computed from the schema, with the largest owner of each shape, for everything that takes bytes of its own: an
//! element, what an `Option` or an enum may hold, what is behind a pointer. Where something takes memory and no bytes,
//! only the limits bound it, and the expansion is without an end.

use std::collections::HashMap;

use podwire::schema::{Node, NodeId, Schema, Value};

use crate::walk::parts;

/// How values are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum As {
    /// As the type, whose sequences are vectors, or, if told so, tables.
    Type { tables: bool },
    /// As a [`Value`], read by the schema.
    Value,
}

/// Bytes of memory for each byte of the encoding; without an end, it is [`u64::MAX`].
pub(crate) fn expansion(schema: &Schema, kept: As) -> u64 {
    let mut sums = Sums { schema, kept, known: HashMap::new() };
    let (mut seen, mut next) = (vec![], vec![schema.root()]);
    let mut most = 1;
    while let Some(id) = next.pop() {
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        next.extend(parts(schema.node(id)));
        most = most.max(sums.ratio(id));
    }
    most
}

/// What a value takes at the least.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    /// Bytes where it lies, and the alignment that they need.
    size: u64,
    align: u64,
    /// Bytes elsewhere, for the smallest encoding.
    heap: u64,
    /// Bytes of the smallest encoding.
    encoding: u64,
}

/// An owner of elements, of any kind: a hash table with its keys, a ring, a vector with a buffer of its own.
const OWNER: u64 = 72;
/// A node of a B-tree has room for eleven; a hash table has up to twice the entries that are in it, rounded up, and as much
/// again while it grows.
const TABLE: u64 = 11;
/// What is allocated beside a shared value, and beside elements of a fixed size that are kept as bytes.
const SHARED: u64 = 144;

struct Sums<'s> {
    schema: &'s Schema,
    kept: As,
    known: HashMap<NodeId, Sum>,
}

impl Sums<'_> {
    fn sum(&mut self, id: NodeId) -> Sum {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        // Whoever contains itself does so where nothing need be.
        self.known.insert(id, Sum { size: 8, align: 8, heap: 0, encoding: 0 });
        let mut sum = self.fresh(id);
        if matches!(self.kept, As::Value) {
            (sum.size, sum.align) = (size_of::<Value>() as u64, 16);
        }
        self.known.insert(id, sum);
        sum
    }

    fn fresh(&mut self, id: NodeId) -> Sum {
        let schema = self.schema;
        match schema.node(id) {
            Node::Scalar(name) => {
                let bits: u64 = name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0);
                let size = match *name {
                    "bool" => 1,
                    "char" => 4,
                    _ => bits / 8,
                };
                Sum { size, align: size, heap: 0, encoding: size }
            }
            Node::Text => Sum { size: 24, align: 8, heap: 0, encoding: 4 },
            Node::Sequence(_) | Node::Map(..) => {
                Sum { size: OWNER, align: 8, heap: self.owner(), encoding: 4 }
            }
            Node::Array(part, count) => {
                let part = self.sum(*part);
                let all = |one: u64| one.saturating_mul(*count);
                let heap = all(part.heap).saturating_add(self.owner()).saturating_add(self.slots(*count));
                Sum { size: all(part.size), heap, encoding: all(part.encoding), ..part }
            }
            Node::Option(part) => {
                let part = self.sum(*part);
                let heap = if part.encoding == 0 { part.heap + self.slots(1) } else { 0 };
                Sum { size: part.size + part.align.max(1), align: part.align, heap, encoding: 1 }
            }
            Node::Pointer(part) => {
                let part = self.sum(*part);
                let heap = part.size.saturating_add(part.heap).saturating_add(16);
                Sum { size: 16, align: 8, heap, encoding: part.encoding }
            }
            Node::Bulk(_) => Sum { size: 40, align: 8, heap: SHARED, encoding: 9 },
            Node::Struct(fields) => {
                let mut sum = self.fields(fields.iter().map(|field| field.node));
                sum.heap = sum.heap.saturating_add(self.slots(fields.len() as u64));
                sum
            }
            Node::Enum { bits, variants } => {
                let tag = u64::from(*bits) / 8;
                let mut sum = Sum { size: 0, align: tag, heap: 0, encoding: tag };
                for variant in variants {
                    let fields = self.fields(variant.fields.iter().map(|field| field.node));
                    sum.size = sum.size.max(fields.size);
                    sum.align = sum.align.max(fields.align);
                    if fields.encoding == 0 {
                        sum.heap = sum.heap.max(fields.heap + self.slots(variant.fields.len() as u64));
                    }
                }
                sum.size = (sum.size + tag).next_multiple_of(sum.align.max(1));
                sum
            }
            Node::Pod(size) => {
                let heap = if matches!(self.kept, As::Value) { *size } else { 0 };
                Sum { size: size.next_multiple_of(16), align: 16, heap, encoding: *size }
            }
            _ => Sum { size: 64, align: 8, heap: 0, encoding: 0 },
        }
    }

    /// Fields side by side, each at a multiple of the largest alignment, as no compiler would lay them out.
    fn fields(&mut self, fields: impl Iterator<Item = NodeId>) -> Sum {
        let sums: Vec<Sum> = fields.map(|field| self.sum(field)).collect();
        let align = sums.iter().map(|sum| sum.align).max().unwrap_or(1).max(1);
        sums.iter().fold(Sum { align, ..Sum::default() }, |all, sum| Sum {
            size: all.size.saturating_add(sum.size.next_multiple_of(align)),
            align,
            heap: all.heap.saturating_add(sum.heap),
            encoding: all.encoding.saturating_add(sum.encoding),
        })
    }

    /// What elements that are kept as bytes take beside them.
    fn owner(&self) -> u64 {
        if matches!(self.kept, As::Value) { SHARED } else { 0 }
    }

    /// The vector of a [`Value`] for its parts, which grows to four, and then by doubling.
    fn slots(&self, count: u64) -> u64 {
        let one = size_of::<Value>() as u64;
        if matches!(self.kept, As::Value) { (2 * count).max(4).saturating_mul(one) } else { 0 }
    }

    /// What a byte comes to that is there because of this node, and not for the smallest value of what is around it.
    fn ratio(&mut self, id: NodeId) -> u64 {
        let schema = self.schema;
        let own = self.sum(id);
        let mut most = over(own.size.saturating_add(own.heap), own.encoding);
        let mut part = |memory: u64, bytes: u64| most = most.max(over(memory, bytes));
        match schema.node(id) {
            Node::Sequence(element) => {
                let sum = self.sum(*element);
                let table = matches!(self.kept, As::Type { tables: true });
                let size = sum.size.saturating_mul(if table { TABLE } else { 1 });
                part(size.saturating_add(sum.heap).saturating_add(if table { 64 } else { 0 }), sum.encoding);
            }
            Node::Map(key, value) => {
                let sum = self.fields([*key, *value].into_iter());
                let size = sum.size.saturating_mul(TABLE).saturating_add(64);
                part(size.saturating_add(sum.heap), sum.encoding);
            }
            Node::Option(of) | Node::Pointer(of) => {
                let sum = self.sum(*of);
                let boxed = if matches!(self.kept, As::Value) { sum.size } else { 0 };
                part(sum.heap.saturating_add(boxed), sum.encoding);
            }
            Node::Enum { variants, .. } => {
                for variant in variants {
                    let sum = self.fields(variant.fields.iter().map(|field| field.node));
                    part(sum.heap.saturating_add(self.slots(variant.fields.len() as u64)), sum.encoding);
                }
            }
            _ => {}
        }
        most
    }
}

/// The ratio, rounded up.
fn over(memory: u64, bytes: u64) -> u64 {
    match (memory, bytes) {
        (0, _) => 0,
        (_, 0) => u64::MAX,
        (memory, bytes) => memory.div_ceil(bytes),
    }
}
