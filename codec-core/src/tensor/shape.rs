//! Shape and strides, and where they put the elements: numbers only, no memory.
//!
//! The invariants: from the lowest to the highest element there are `span` elements, at most as many bytes as an
//! object can have; there are no more elements than that; and one layout has one form. In it, elements in row-major
//! order have the strides of that order, and otherwise a dimension of extent 1 has stride 0.

use alloc::vec::Vec;
use core::ops::Range;

use super::TensorError;

/// The most dimensions that a tensor can have.
pub const RANK_LIMIT: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    extents: Vec<usize>,
    strides: Vec<isize>,
    count: usize,
    /// From the lowest element to the first one, in elements: not 0 if a stride is negative.
    origin: usize,
    span: usize,
    row_major: bool,
}

impl Shape {
    /// Elements of `size` bytes in row-major order.
    pub(crate) fn row_major(size: usize, extents: Vec<usize>) -> Result<Self, TensorError> {
        let count = count(size, &extents)?;
        let strides = row_major(&extents);
        Ok(Self { extents, strides, count, origin: 0, span: count, row_major: true })
    }

    /// One dimension of elements that are in memory, so that their number is known to be possible.
    pub(crate) fn line(count: usize) -> Self {
        let (extents, strides) = (alloc::vec![count], alloc::vec![1]);
        Self { extents, strides, count, origin: 0, span: count, row_major: true }
    }

    /// Elements of `size` bytes with steps of so many elements between them.
    pub(crate) fn strided(
        size: usize,
        extents: Vec<usize>,
        mut strides: Vec<isize>,
    ) -> Result<Self, TensorError> {
        let count = count(size, &extents)?;
        if strides.len() != extents.len() {
            return Err(TensorError::Strides { rank: extents.len() as u64, found: strides.len() as u64 });
        }
        let ordered = row_major(&extents);
        let mut parts = extents.iter().zip(&strides).zip(&ordered);
        if count == 0 || parts.all(|((extent, stride), ordered)| *extent == 1 || stride == ordered) {
            return Ok(Self { extents, strides: ordered, count, origin: 0, span: count, row_major: true });
        }
        let (mut low, mut high) = (0_isize, 0_isize);
        for (extent, stride) in extents.iter().zip(&mut strides) {
            if *extent == 1 {
                *stride = 0;
            }
            let last = isize::try_from(*extent - 1).ok().and_then(|last| last.checked_mul(*stride));
            let end = if *stride < 0 { &mut low } else { &mut high };
            *end = last.and_then(|last| end.checked_add(last)).ok_or(TensorError::TooLarge)?;
        }
        let span = high.checked_sub(low).and_then(|span| span.checked_add(1)).map(isize::cast_unsigned);
        let span = span.filter(|span| fits(*span, size)).ok_or(TensorError::TooLarge)?;
        if count > span {
            let [wanted, found] = [count, span].map(|elements| (elements * size) as u64);
            return Err(TensorError::Repeated { wanted, found });
        }
        Ok(Self { extents, strides, count, origin: low.unsigned_abs(), span, row_major: false })
    }

    pub(crate) fn extents(&self) -> &[usize] {
        &self.extents
    }

    pub(crate) fn strides(&self) -> &[isize] {
        &self.strides
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn origin(&self) -> usize {
        self.origin
    }

    pub(crate) fn span(&self) -> usize {
        self.span
    }

    pub(crate) fn is_row_major(&self) -> bool {
        self.row_major
    }

    /// The elements in row-major order, in runs that lie side by side; counted from the lowest element.
    pub(crate) fn runs(&self) -> Runs<'_> {
        // The innermost dimensions that are in order make one run.
        let (mut run, mut outer) = (1, self.extents.len());
        while outer > 0 && (self.row_major || self.strides[outer - 1] == run as isize) {
            outer -= 1;
            run *= self.extents[outer];
        }
        let left = self.count.checked_div(run).unwrap_or(0);
        Runs { shape: self, run, outer, index: [0; RANK_LIMIT], at: self.origin.cast_signed(), left }
    }
}

/// See [`Shape::runs`].
pub(crate) struct Runs<'s> {
    shape: &'s Shape,
    run: usize,
    /// How many dimensions the runs are spread over.
    outer: usize,
    index: [usize; RANK_LIMIT],
    at: isize,
    left: usize,
}

impl Iterator for Runs<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        self.left = self.left.checked_sub(1)?;
        let start = self.at.cast_unsigned();
        for axis in (0..self.outer).rev() {
            let (extent, stride) = (self.shape.extents[axis], self.shape.strides[axis]);
            self.index[axis] += 1;
            self.at += stride;
            if self.index[axis] < extent {
                break;
            }
            self.at -= stride * extent.cast_signed();
            self.index[axis] = 0;
        }
        Some(start..start + self.run)
    }
}

/// How many elements there are; checked without the extents that are 0, so that the strides exist, too.
fn count(size: usize, extents: &[usize]) -> Result<usize, TensorError> {
    if extents.len() > RANK_LIMIT {
        return Err(TensorError::Rank { found: extents.len() as u64 });
    }
    let size = if extents.contains(&0) { 1 } else { size };
    let count = extents.iter().try_fold(1_usize, |count, extent| count.checked_mul((*extent).max(1)));
    let count = count.filter(|count| fits(*count, size)).ok_or(TensorError::TooLarge)?;
    Ok(if extents.contains(&0) { 0 } else { count })
}

/// Whether so many elements can be one object.
fn fits(count: usize, size: usize) -> bool {
    count.checked_mul(size).is_some_and(|bytes| bytes <= isize::MAX as usize)
}

fn row_major(extents: &[usize]) -> Vec<isize> {
    let mut strides = alloc::vec![1; extents.len()];
    for axis in (1..extents.len()).rev() {
        strides[axis - 1] = strides[axis] * extents[axis].max(1).cast_signed();
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(extents: &[usize], strides: &[isize]) -> Vec<usize> {
        let shape = Shape::strided(1, extents.into(), strides.into()).unwrap();
        shape.runs().flatten().collect()
    }

    #[test]
    fn runs_visit_the_elements_in_row_major_order() {
        assert_eq!(elements(&[], &[]), [0]);
        assert_eq!(elements(&[2, 3], &[3, 1]), [0, 1, 2, 3, 4, 5]);
        assert_eq!(elements(&[2, 3], &[1, 2]), [0, 2, 4, 1, 3, 5], "column-major");
        assert_eq!(elements(&[2, 2], &[5, 1]), [0, 1, 5, 6], "rows with gaps");
        assert_eq!(elements(&[2, 3], &[-3, 1]), [3, 4, 5, 0, 1, 2], "rows upside down");
        assert_eq!(elements(&[3], &[-2]), [4, 2, 0]);
        assert_eq!(elements(&[2, 1, 2], &[4, 77, 2]), [0, 2, 4, 6]);
        assert_eq!(elements(&[2, 0], &[9, 9]), []);
    }

    #[test]
    fn runs_are_as_long_as_the_memory_allows() {
        let lengths = |extents: &[usize], strides: &[isize]| {
            let shape = Shape::strided(1, extents.into(), strides.into()).unwrap();
            shape.runs().map(|run| run.len()).collect::<Vec<_>>()
        };
        assert_eq!(lengths(&[4, 5], &[5, 1]), [20]);
        assert_eq!(lengths(&[2, 3, 5], &[40, 5, 1]), [15, 15]);
        assert_eq!(lengths(&[2, 3], &[1, 2]), [1; 6]);
    }

    #[test]
    fn one_layout_has_one_form() {
        let shape = Shape::strided(4, [3, 1, 2].into(), [2, -9, 1].into()).unwrap();
        assert!(shape.is_row_major());
        assert_eq!(shape, Shape::row_major(4, [3, 1, 2].into()).unwrap());
        let shape = Shape::strided(4, [3, 1, 2].into(), [4, -9, 1].into()).unwrap();
        assert_eq!((shape.strides(), shape.span()), (&[4, 0, 1][..], 10));
    }
}
