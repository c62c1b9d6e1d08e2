//! Lending a pipeline for a scope: what is taken from it there cannot leave the scope.
//!
//! Not here: handles that own their context, which is the usual way. Invariant: everything that a lent context gives out
//! carries the lifetime of the loan, and gives nothing out in turn that does not.

use std::{marker::PhantomData, time::Duration};

use bytemuck::NoUninit;
use ndarray::{ArrayBase, Data, Dimension};
use podwire_codec_core::tensor::Element;

use crate::{
    allocation::FastIoAllocation,
    context::FastIoContext,
    error::Result,
    guard::{ReadGuard, WriteGuard},
    metadata::Metadata,
    options::AllocationOptions,
    stats::Listing,
    store::AllocationId,
};

/// A lifetime that can be neither longer nor shorter.
type Loan<'s> = PhantomData<fn(&'s ()) -> &'s ()>;

/// A context that is lent for a scope; see [`FastIoContext::with_payload`].
#[derive(Debug)]
pub struct LentContext<'s> {
    context: FastIoContext,
    loan: Loan<'s>,
}

/// An allocation of a lent context: it cannot leave the scope either.
#[derive(Debug)]
pub struct LentAllocation<'s> {
    allocation: FastIoAllocation,
    loan: Loan<'s>,
}

impl FastIoContext {
    /// Lends this context to `work`: whatever `work` creates or gets is given back when it returns, and only what it
    /// published stays. The compiler refuses to let anything out.
    ///
    /// ```
    /// # let pipeline = format!("doc-scope-{}", std::process::id());
    /// use podwire_fastio::FastIoContext;
    ///
    /// let context = FastIoContext::open(&pipeline)?;
    /// let sum = context.with_payload(|context| {
    ///     let frame = context.create(1000)?;
    ///     frame.map_mut()?.fill(2);
    ///     frame.publish("frame")?;
    ///     let sum = frame.map()?.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    ///     Ok::<_, podwire_fastio::Error>(sum)
    /// })?;
    /// assert_eq!(sum, 2000);
    /// # drop(context);
    /// # FastIoContext::remove(&pipeline)?;
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    ///
    /// Neither the context nor a handle can be kept:
    ///
    /// ```compile_fail
    /// # let context = podwire_fastio::FastIoContext::open("never")?;
    /// let kept = context.with_payload(|context| context);
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    ///
    /// ```compile_fail
    /// # let context = podwire_fastio::FastIoContext::open("never")?;
    /// let kept = context.with_payload(|context| context.create(1000));
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    ///
    /// ```compile_fail
    /// # let context = podwire_fastio::FastIoContext::open("never")?;
    /// let mut kept = None;
    /// context.with_payload(|context| kept = context.get("frame").ok());
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    pub fn with_payload<R>(&self, work: impl for<'s> FnOnce(LentContext<'s>) -> R) -> R {
        work(LentContext { context: self.clone(), loan: PhantomData })
    }
}

impl<'s> LentContext<'s> {
    fn lend(allocation: FastIoAllocation) -> LentAllocation<'s> {
        LentAllocation { allocation, loan: PhantomData }
    }

    /// As [`FastIoContext::create`].
    ///
    /// # Errors
    /// As [`FastIoContext::create`].
    pub fn create(&self, size: usize) -> Result<LentAllocation<'s>> {
        self.context.create(size).map(Self::lend)
    }

    /// As [`FastIoContext::create_with`].
    ///
    /// # Errors
    /// As [`FastIoContext::create_with`].
    pub fn create_with(&self, options: AllocationOptions<'_>) -> Result<LentAllocation<'s>> {
        self.context.create_with(options).map(Self::lend)
    }

    /// As [`FastIoContext::create_array`].
    ///
    /// # Errors
    /// As [`FastIoContext::create_array`].
    pub fn create_array<T: Element>(&self, shape: &[usize]) -> Result<LentAllocation<'s>> {
        self.context.create_array::<T>(shape).map(Self::lend)
    }

    /// As [`FastIoContext::publish_array`].
    ///
    /// # Errors
    /// As [`FastIoContext::publish_array`].
    pub fn publish_array<T, S, D>(&self, array: &ArrayBase<S, D>, name: &str) -> Result<LentAllocation<'s>>
    where
        T: Element + NoUninit,
        S: Data<Elem = T>,
        D: Dimension,
    {
        self.context.publish_array(array, name).map(Self::lend)
    }

    /// As [`FastIoContext::get`].
    ///
    /// # Errors
    /// As [`FastIoContext::get`].
    pub fn get(&self, name: &str) -> Result<LentAllocation<'s>> {
        self.context.get(name).map(Self::lend)
    }

    /// As [`FastIoContext::wait`].
    ///
    /// # Errors
    /// As [`FastIoContext::wait`].
    pub fn wait(&self, name: &str, timeout: Duration) -> Result<LentAllocation<'s>> {
        self.context.wait(name, timeout).map(Self::lend)
    }

    /// As [`FastIoContext::unpublish`].
    ///
    /// # Errors
    /// As [`FastIoContext::unpublish`].
    pub fn unpublish(&self, name: &str) -> Result<bool> {
        self.context.unpublish(name)
    }

    /// As [`FastIoContext::list`].
    ///
    /// # Errors
    /// As [`FastIoContext::list`].
    pub fn list(&self) -> Result<Vec<Listing>> {
        self.context.list()
    }
}

impl LentAllocation<'_> {
    /// As [`FastIoAllocation::id`].
    pub fn id(&self) -> AllocationId {
        self.allocation.id()
    }

    /// The size in bytes.
    pub fn len(&self) -> usize {
        self.allocation.len()
    }

    /// Whether the size is 0.
    pub fn is_empty(&self) -> bool {
        self.allocation.is_empty()
    }

    /// As [`FastIoAllocation::metadata`].
    ///
    /// # Errors
    /// As [`FastIoAllocation::metadata`].
    pub fn metadata(&self) -> Result<&Metadata> {
        self.allocation.metadata()
    }

    /// As [`FastIoAllocation::set_metadata`].
    pub fn set_metadata(&mut self, metadata: Metadata) {
        self.allocation.set_metadata(metadata);
    }

    /// As [`FastIoAllocation::map`].
    ///
    /// # Errors
    /// As [`FastIoAllocation::map`].
    pub fn map(&self) -> Result<ReadGuard<'_>> {
        self.allocation.map()
    }

    /// As [`FastIoAllocation::map_mut`].
    ///
    /// # Errors
    /// As [`FastIoAllocation::map_mut`].
    pub fn map_mut(&self) -> Result<WriteGuard<'_>> {
        self.allocation.map_mut()
    }

    /// As [`FastIoAllocation::publish`].
    ///
    /// # Errors
    /// As [`FastIoAllocation::publish`].
    pub fn publish(&self, name: &str) -> Result<()> {
        self.allocation.publish(name)
    }

    /// As [`FastIoAllocation::replace`].
    ///
    /// # Errors
    /// As [`FastIoAllocation::replace`].
    pub fn replace(&self, name: &str) -> Result<()> {
        self.allocation.replace(name)
    }

    /// As [`FastIoAllocation::seal`].
    ///
    /// # Errors
    /// As [`FastIoAllocation::seal`].
    pub fn seal(&self) -> Result<()> {
        self.allocation.seal()
    }

    /// As [`FastIoAllocation::free`].
    ///
    /// # Errors
    /// As [`FastIoAllocation::free`].
    pub fn free(&self) -> Result<()> {
        self.allocation.free()
    }
}
