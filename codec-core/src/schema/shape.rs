//! How large the heads of a schema's types are, and which types have a tail.
//!
//! The invariant: what stands here of a type is what the layout of its codec says (`docs/wire-format.md`, section 1).

use alloc::vec::Vec;

use super::{Node, NodeId};

/// What is known of the encoding of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Bytes of the head.
    pub(super) head: Result<usize, Unfit>,
    /// Whether anything can follow the head.
    pub(super) tail: bool,
    /// Whether every pattern of the head's bytes is a value.
    pub(super) plain: bool,
    /// Parts of the head that take no bytes: nothing backs them.
    pub(super) empty: usize,
}

/// Why a type cannot have a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    Endless,
    TooLarge,
}

impl Shape {
    const fn row(head: usize, tail: bool, plain: bool) -> Self {
        Self { head: Ok(head), tail, plain, empty: 0 }
    }

    const fn unfit(why: Unfit) -> Self {
        Self { head: Err(why), tail: true, plain: false, empty: 0 }
    }
}

/// The scalars: name, bytes, and whether every bit pattern is one.
const SCALARS: [(&str, usize, bool); 16] = [
    ("u8", 1, true),
    ("u16", 2, true),
    ("u32", 4, true),
    ("u64", 8, true),
    ("u128", 16, true),
    ("i8", 1, true),
    ("i16", 2, true),
    ("i32", 4, true),
    ("i64", 8, true),
    ("i128", 16, true),
    ("f16", 2, true),
    ("bf16", 2, true),
    ("f32", 4, true),
    ("f64", 8, true),
    ("bool", 1, false),
    ("char", 4, false),
];

/// The scalar of this name.
pub(super) fn scalar(name: &str) -> Option<&'static str> {
    SCALARS.iter().find(|(known, ..)| *known == name).map(|(known, ..)| *known)
}

/// The shapes of all nodes.
pub(super) fn shapes(nodes: &[Node]) -> Vec<Shape> {
    let mut shapes = alloc::vec![State::New; nodes.len()];
    (0..nodes.len()).map(|id| shape(nodes, NodeId(id), &mut shapes)).collect()
}

#[derive(Debug, Clone, Copy)]
enum State {
    New,
    /// Its parts are being looked at: one that leads back here is endless.
    Open,
    Known(Shape),
}

/// Only structs and arrays have the heads of others in their own.
fn shape(nodes: &[Node], id: NodeId, shapes: &mut [State]) -> Shape {
    match shapes[id.0] {
        State::Known(shape) => return shape,
        State::Open => return Shape::unfit(Unfit::Endless),
        State::New => shapes[id.0] = State::Open,
    }
    let found = match &nodes[id.0] {
        // A scalar that is not known here is one byte that is never read: `walk` refuses it by its name.
        Node::Scalar(name) => SCALARS
            .iter()
            .find(|(known, ..)| known == name)
            .map_or(Shape::row(0, true, false), |(_, size, plain)| Shape::row(*size, false, *plain)),
        Node::Text | Node::Sequence(_) | Node::Map(..) => Shape::row(4, true, false),
        Node::Option(_) => Shape::row(1, true, false),
        Node::Pointer(_) | Node::Bulk(_) | Node::Opaque => Shape::row(0, true, false),
        Node::Enum { bits, variants } => {
            let tail = variants.iter().any(|variant| !variant.fields.is_empty());
            Shape::row(usize::from(bits / 8), tail, false)
        }
        Node::Pod(size) => match usize::try_from(*size).ok().filter(|size| *size <= isize::MAX as usize) {
            Some(size) => Shape::row(size, false, true),
            None => Shape::unfit(Unfit::TooLarge),
        },
        Node::Array(element, count) => repeat(shape(nodes, *element, shapes), *count),
        Node::Struct(fields) => {
            let parts = fields.iter().map(|field| shape(nodes, field.node, shapes));
            parts.fold(Shape::row(0, false, true), join)
        }
    };
    shapes[id.0] = State::Known(found);
    found
}

/// The heads of two fields, one behind the other.
pub(super) fn join(one: Shape, other: Shape) -> Shape {
    let head = match (one.head, other.head) {
        (Ok(a), Ok(b)) => a.checked_add(b).filter(|sum| *sum <= isize::MAX as usize).ok_or(Unfit::TooLarge),
        (Err(why), _) | (_, Err(why)) => Err(why),
    };
    Shape {
        head,
        tail: one.tail || other.tail,
        plain: one.plain && other.plain,
        empty: one.empty.saturating_add(other.empty.max(usize::from(other.head == Ok(0)))),
    }
}

/// The heads of the elements of an array.
fn repeat(element: Shape, count: u64) -> Shape {
    let count = usize::try_from(count).ok();
    let head = element.head.and_then(|head| {
        let size = count.and_then(|count| count.checked_mul(head));
        size.filter(|size| *size <= isize::MAX as usize).ok_or(Unfit::TooLarge)
    });
    let count = count.unwrap_or(usize::MAX);
    // Elements without bytes are not looked at one by one.
    let empty = if element.head == Ok(0) { 0 } else { element.empty.saturating_mul(count) };
    Shape { head, tail: element.tail && count > 0, empty, ..element }
}
