//! The way through the bytes of a value, by its schema.
//!
//! What is made on the way is up to the [`Make`]: values, or nothing. The invariant: it reads exactly the bytes that the
//! codec of the type would, in their order; and whatever schema and bytes say, its stack, its time and its memory are
//! bounded by the reader's limits and by the bytes that are there.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::head::{self, Head, backed, charge, counted, length, read_head, unfit};
use super::make::{Elements, Make};
use super::shape::{self, Shape, Unfit};
use super::trail::{self, Step};
use super::{FieldNode, Node, NodeId, Schema};
use crate::error::{Error, Result};
use crate::reader::Reader;

/// Levels that a value may have beside those of its containers.
const STATIC: u32 = 64;
/// Levels that go with each container, such as the option, the box and the struct of each link of a list.
const PER_CONTAINER: u32 = 3;

/// Reads a value, head and tail.
pub(super) fn walk<M: Make>(schema: &Schema, id: NodeId, make: M, reader: &mut Reader<'_>) -> Result<M::One> {
    let levels = reader.limits().depth.saturating_mul(PER_CONTAINER).saturating_add(STATIC);
    let mut walk = Walk { schema, make, levels, trail: Vec::new() };
    walk.whole(id, reader).map_err(|error| walk.located(error))
}

/// Reads a value from a head whose tail is empty.
pub(super) fn walk_head<M: Make>(schema: &Schema, id: NodeId, make: M, bytes: &[u8]) -> Result<M::One> {
    let mut reader = Reader::from_slice(&[]);
    let mut walk = Walk { schema, make, levels: Schema::DEPTH as u32, trail: Vec::new() };
    walk.part(id, &mut Head { bytes, offset: 0 }, &mut reader)
}

struct Walk<'s, M> {
    schema: &'s Schema,
    make: M,
    /// Levels that may still be entered.
    levels: u32,
    /// The way to what is opaque, from the inside out.
    trail: Vec<Step<'s>>,
}

impl<'s, M: Make> Walk<'s, M> {
    /// A value, head and tail.
    fn whole(&mut self, id: NodeId, reader: &mut Reader<'_>) -> Result<M::One> {
        let shape = self.schema.shape(id);
        let size = shape.head.map_err(unfit)?;
        if !shape.tail
            && let Some(passed) = self.make.passes()
        {
            return head::pass(size, reader).map(|()| passed);
        }
        let bytes = read_head(size, reader)?;
        let offset = reader.offset() - size as u64;
        self.part(id, &mut Head { bytes: &bytes, offset }, reader)
    }

    /// The part of a value that belongs to the row around it: its bytes of the head, and its part of the tail.
    ///
    /// This and what it calls for each kind of type is called once per level of a deep value: functions of their own,
    /// so that a level takes no more of the stack than its kind needs, and no closures, which cost more of it without
    /// optimisation.
    fn part(&mut self, id: NodeId, head: &mut Head<'_>, reader: &mut Reader<'_>) -> Result<M::One> {
        let node = self.schema.node(id);
        if matches!(node, Node::Scalar(_) | Node::Text | Node::Pod(_) | Node::Opaque | Node::Bulk(_)) {
            return self.leaf(id, head, reader);
        }
        // Every level counts, of whatever kind, so that no schema can have the stack run out.
        // An enum counts twice: it takes the stack of itself and of its variant.
        let entered = if matches!(node, Node::Enum { .. }) { 2 } else { 1 };
        let Some(levels) = self.levels.checked_sub(entered) else {
            return Err(Error::DepthLimit { offset: reader.offset() });
        };
        self.levels = levels;
        let made = match node {
            Node::Sequence(element) => self.sequence(*element, head, reader),
            Node::Map(key, value) => self.map(*key, *value, head, reader),
            Node::Array(element, count) => self.array(*element, *count, head, reader),
            Node::Option(value) => self.option(*value, head, reader),
            Node::Pointer(value) => self.pointer(*value, reader),
            Node::Enum { .. } => self.choice(id, head, reader),
            _ => self.record(id, None, head, reader),
        };
        self.levels += entered;
        made
    }

    #[inline(never)]
    fn leaf(&mut self, id: NodeId, head: &mut Head<'_>, reader: &mut Reader<'_>) -> Result<M::One> {
        match self.schema.node(id) {
            Node::Scalar(name) => self.scalar(name, id, head),
            Node::Text => {
                let length = length(head, reader)?;
                self.make.text(length, reader)
            }
            Node::Pod(_) => {
                let size = self.schema.shape(id).head.map_err(unfit)?;
                self.make.pod(head.take(size)?, reader)
            }
            Node::Bulk(element) => self.bulk(*element, reader),
            _ => Err(Error::Undescribed { offset: reader.offset(), path: "".into() }),
        }
    }

    fn scalar(&self, name: &'static str, id: NodeId, head: &mut Head<'_>) -> Result<M::One> {
        let offset = head.offset;
        if shape::scalar(name).is_none() {
            return Err(Error::Undescribed { offset, path: "".into() });
        }
        let bytes = head.take(self.schema.shape(id).head.map_err(unfit)?)?;
        self.make.scalar(name, bytes, offset)
    }

    #[inline(never)]
    fn sequence(&mut self, element: NodeId, head: &mut Head<'_>, reader: &mut Reader<'_>) -> Result<M::One> {
        let count = length(head, reader)?;
        let shape = self.schema.shape(element);
        if !shape.tail {
            return self.fixed(element, count, shape, reader);
        }
        let mut many = M::Many::default();
        if count > 0 {
            reader.enter()?;
            let read = self.rows(element, count, &mut many, reader);
            reader.leave();
            read?;
        }
        Ok(self.make.sequence(many))
    }

    /// Elements with a tail.
    fn rows(
        &mut self,
        element: NodeId,
        count: usize,
        many: &mut M::Many,
        reader: &mut Reader<'_>,
    ) -> Result<()> {
        let shape = self.schema.shape(element);
        backed(count, shape, reader)?;
        for index in 0..count {
            let before = reader.offset();
            match self.whole(element, reader) {
                Ok(one) => {
                    counted(shape, before, reader)?;
                    self.make.add(many, one, count - index, reader)?;
                }
                Err(error) => return Err(self.within(error, Step::Index(index))),
            }
        }
        Ok(())
    }

    /// Elements without a tail, which stand one behind the other.
    #[inline(never)]
    fn fixed(&mut self, node: NodeId, count: usize, shape: Shape, reader: &mut Reader<'_>) -> Result<M::One> {
        let invalid = Error::InvalidLength { offset: reader.offset(), found: count as u64 };
        let head = shape.head.map_err(unfit)?;
        let size = count.checked_mul(head).filter(|size| *size <= isize::MAX as usize).ok_or(invalid)?;
        charge(count, shape, reader)?;
        self.make.elements(Elements { schema: self.schema, node, count }, size, reader)
    }

    #[inline(never)]
    fn array(
        &mut self,
        element: NodeId,
        count: u64,
        head: &mut Head<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<M::One> {
        let invalid = Error::InvalidLength { offset: reader.offset(), found: count };
        let Ok(count) = usize::try_from(count) else { return Err(invalid) };
        let shape = self.schema.shape(element);
        if !shape.tail {
            let size = shape.head.map_err(unfit)?.saturating_mul(count);
            let bytes = head.take(size)?;
            charge(count, shape, reader)?;
            let elements = Elements { schema: self.schema, node: element, count };
            return self.make.heads(elements, bytes, reader);
        }
        let mut many = M::Many::default();
        for index in 0..count {
            let before = reader.offset();
            match self.part(element, head, reader) {
                Ok(one) => {
                    counted(shape, before, reader)?;
                    self.make.add(&mut many, one, count - index, reader)?;
                }
                Err(error) => return Err(self.within(error, Step::Index(index))),
            }
        }
        Ok(self.make.sequence(many))
    }

    #[inline(never)]
    fn map(
        &mut self,
        key: NodeId,
        value: NodeId,
        head: &mut Head<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<M::One> {
        let count = length(head, reader)?;
        let mut entries = M::Entries::default();
        reader.enter()?;
        let read = self.entries(key, value, count, &mut entries, reader);
        reader.leave();
        read?;
        Ok(self.make.map(entries))
    }

    fn entries(
        &mut self,
        key: NodeId,
        value: NodeId,
        count: usize,
        entries: &mut M::Entries,
        reader: &mut Reader<'_>,
    ) -> Result<()> {
        let shape = shape::join(self.schema.shape(key), self.schema.shape(value));
        backed(count, shape, reader)?;
        for index in 0..count {
            let before = reader.offset();
            let (key, value) = self.entry(key, value, shape, reader)?;
            counted(shape, before, reader)?;
            self.make.entry(entries, key, value, count - index, reader)?;
        }
        Ok(())
    }

    /// An entry of a map: the tuple of key and value.
    fn entry(
        &mut self,
        key: NodeId,
        value: NodeId,
        shape: Shape,
        reader: &mut Reader<'_>,
    ) -> Result<(M::One, M::One)> {
        let size = shape.head.map_err(unfit)?;
        let bytes = read_head(size, reader)?;
        let mut head = Head { bytes: &bytes, offset: reader.offset() - size as u64 };
        let key = match self.part(key, &mut head, reader) {
            Ok(key) => key,
            Err(error) => return Err(self.within(error, Step::Key)),
        };
        match self.part(value, &mut head, reader) {
            Ok(value) => Ok((key, value)),
            Err(error) => Err(self.within(error, Step::Value)),
        }
    }

    #[inline(never)]
    fn option(&mut self, value: NodeId, head: &mut Head<'_>, reader: &mut Reader<'_>) -> Result<M::One> {
        let offset = head.offset;
        let value = match head.number(1)? {
            0 => None,
            1 => Some(self.whole(value, reader)?),
            found => return Err(Error::UnknownTag { offset, name: "Option", found: found.into() }),
        };
        self.make.option(value, reader)
    }

    #[inline(never)]
    fn pointer(&mut self, value: NodeId, reader: &mut Reader<'_>) -> Result<M::One> {
        let nested = self.schema.shape(value).tail;
        if nested {
            reader.enter()?;
        }
        let made = self.whole(value, reader);
        if nested {
            reader.leave();
        }
        made
    }

    #[inline(never)]
    fn choice(&mut self, id: NodeId, head: &mut Head<'_>, reader: &mut Reader<'_>) -> Result<M::One> {
        let Node::Enum { bits, variants } = self.schema.node(id) else { return self.leaf(id, head, reader) };
        let offset = head.offset;
        let found = head.number(usize::from(bits / 8).min(4))?;
        let number = self.schema.variant(id, found);
        let Some((number, variant)) = number.and_then(|number| Some((number, variants.get(number)?))) else {
            return Err(Error::UnknownTag { offset, name: "the enum", found: found.into() });
        };
        // The fields of a variant are a row of their own.
        let size = self.size(&variant.fields)?;
        let bytes = read_head(size, reader)?;
        let offset = reader.offset() - size as u64;
        match self.record(id, Some(number), &mut Head { bytes: &bytes, offset }, reader) {
            Ok(made) => Ok(made),
            Err(error) => Err(self.within(error, Step::Variant(&variant.name))),
        }
    }

    /// Bytes of the head of fields.
    fn size(&self, fields: &[FieldNode]) -> Result<usize> {
        fields.iter().try_fold(0_usize, |size, field| {
            let head = self.schema.shape(field.node).head.map_err(unfit)?;
            size.checked_add(head).ok_or_else(|| unfit(Unfit::TooLarge))
        })
    }

    #[inline(never)]
    fn record(
        &mut self,
        id: NodeId,
        variant: Option<usize>,
        head: &mut Head<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<M::One> {
        let mut many = M::Many::default();
        let fields = self.schema.fields(id, variant);
        for (index, field) in fields.iter().enumerate() {
            let shape = self.schema.shape(field.node);
            let before = reader.offset();
            match self.part(field.node, head, reader) {
                Ok(one) => {
                    counted(shape, before, reader)?;
                    self.make.add(&mut many, one, fields.len() - index, reader)?;
                }
                Err(error) => return Err(self.within(error, Step::Field(&field.name))),
            }
        }
        Ok(self.make.record(self.schema, id, variant, many))
    }

    fn bulk(&mut self, element: NodeId, reader: &mut Reader<'_>) -> Result<M::One> {
        let offset = reader.offset();
        let place = reader.read_trivial_type::<u8>()?;
        let found = reader.read_trivial_type::<u64>()?;
        let invalid = Error::InvalidLength { offset: reader.offset(), found };
        let shape = self.schema.shape(element);
        let Some(count) = usize::try_from(found).ok().filter(|_| !shape.tail) else { return Err(invalid) };
        match place {
            0 => self.fixed(element, count, shape, reader),
            1 => {
                let size = count.checked_mul(shape.head.map_err(unfit)?).ok_or(invalid)?;
                charge(count, shape, reader)?;
                self.make.segment(Elements { schema: self.schema, node: element, count }, size, reader)
            }
            found => Err(Error::UnknownTag { offset, name: "Bulk", found: found.into() }),
        }
    }

    /// Notes a step of the way to what is opaque.
    fn within(&mut self, error: Error, step: Step<'s>) -> Error {
        if matches!(error, Error::Undescribed { .. }) {
            self.trail.push(step);
        }
        error
    }

    /// The error with the way to where it arose.
    fn located(&self, error: Error) -> Error {
        match error {
            Error::Undescribed { offset, .. } => {
                let path = trail::path(self.trail.iter().rev().copied());
                Error::Undescribed { offset, path: Box::from(path) }
            }
            other => other,
        }
    }
}
