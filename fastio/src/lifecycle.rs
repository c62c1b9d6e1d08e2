//! The life of an allocation: published, named, owned, freed, recycled.
//!
//! Not here: memory (`pool.rs`, `segment.rs`) and chains (`names.rs`). Invariant: an allocation that is published
//! lives as long as it has a name or a parent that lives; memory is recycled only when, besides, no process
//! holds it. Counts of names and parents are only a short cut: `rebuild.rs` derives them.

use std::sync::atomic::Ordering::{Release, SeqCst};

use crate::{
    crash::crash_point,
    error::{Error, Result},
    index::{Index, raise},
    name::Key,
    slot::{bits, nobody},
    state::{State, Word},
    store::AllocationId,
    sys::Held,
};

impl Index<'_> {
    /// Gives an allocation a name, in one step as seen from outside.
    pub(crate) fn publish(
        &self,
        key: &Key<'_>,
        target: AllocationId,
        metadata: AllocationId,
        replace: bool,
    ) -> Result<()> {
        let store = self.store;
        let segment = store.segment(target.index)?;
        let word = Word::unpack(segment.state.load(SeqCst));
        if word.generation != target.generation || !matches!(word.state, State::Private | State::Published) {
            return Err(Error::Freed);
        }
        let old = self.find(key)?;
        if old.is_some() && !replace {
            return Err(Error::NameTaken { name: crate::name::shown(key.text) });
        }
        let (quota, names) = (&store.control().quota_names, &store.control().counts.live_names);
        let quota = quota.load(SeqCst);
        if old.is_none() && quota != 0 && names.load(SeqCst) >= quota {
            return Err(Error::QuotaExceeded { what: "names", limit: quota.into() });
        }
        if segment.children.load(SeqCst) != 0 {
            self.share(target)?;
        }
        crash_point!("after-children-shared");
        let entry = self.new_entry()?;
        let changing = if old.is_some() { self.change_names() } else { self.add_name() };
        if metadata != target {
            self.share(metadata)?;
            self.set_state(metadata.index, State::Published)?;
        }
        self.write_entry(entry, key, target, metadata)?;
        crash_point!("after-name-written");
        crash_point!("before-publish");
        if word.state == State::Private {
            segment.state.store(word.to(State::Published).pack(), Release);
        }
        crash_point!("after-publish");
        self.link_entry(entry)?;
        crash_point!("after-name-linked");
        self.date_entry(entry)?;
        if let Some(old) = old {
            self.remove_entry(old.entry)?;
            self.release(old.target.index)?;
            crash_point!("after-old-name-removed");
        }
        changing.done();
        Ok(())
    }

    /// Takes a name away; an allocation without a name or a parent is freed. Whether there was such a name.
    pub(crate) fn unpublish(&self, key: &Key<'_>) -> Result<bool> {
        let Some(found) = self.find(key)? else { return Ok(false) };
        let changing = self.change_names();
        self.remove_entry(found.entry)?;
        self.release(found.target.index)?;
        changing.done();
        crash_point!("after-unpublish");
        Ok(true)
    }

    /// Frees an allocation: one step, after which none of its names is found.
    ///
    /// What a published parent lists loses its names, but lives on as long as the parent.
    pub(crate) fn free(&self, id: AllocationId) -> Result<()> {
        let segment = self.store.segment(id.index)?;
        let word = self.store.state(id.index)?;
        let owned = segment.owners.parents.load(SeqCst) != 0;
        let named = segment.owners.names.load(SeqCst) != 0;
        match word.state {
            _ if word.generation != id.generation => return Err(Error::Freed),
            State::Private if owned => return Ok(()),
            State::Published if owned && !named => return Err(Error::Freed),
            State::Published if owned => {}
            State::Private | State::Published => self.set_state(id.index, State::Freed)?,
            _ => return Err(Error::Freed),
        }
        crash_point!("after-freed");
        self.remove_names(id.index)?;
        crash_point!("after-names-removed");
        self.recycle(id.index)
    }

    fn remove_names(&self, index: u32) -> Result<()> {
        let segment = self.store.segment(index)?;
        if segment.owners.first_name.load(SeqCst) == 0 {
            return Ok(());
        }
        let changing = self.change_names();
        // No more than there are: the list may be garbage.
        for _ in 0..=self.store.control().names_used.load(SeqCst) {
            let Some(entry) = segment.owners.first_name.load(SeqCst).checked_sub(1) else { break };
            self.remove_entry(entry)?;
        }
        changing.done();
        Ok(())
    }

    /// Frees an allocation that nothing keeps any more: no name, no parent, and if it is private, no holder.
    pub(crate) fn release(&self, index: u32) -> Result<()> {
        let segment = self.store.segment(index)?;
        let word = self.store.state(index)?;
        let kept = segment.owners.names.load(SeqCst) != 0 || segment.owners.parents.load(SeqCst) != 0;
        match word.state {
            State::Published if !kept => self.set_state(index, State::Freed)?,
            State::Private if !kept && nobody(&segment.holders) => self.set_state(index, State::Freed)?,
            State::Freed => {}
            _ => return Ok(()),
        }
        self.recycle(index)
    }

    /// Puts a freed segment into the pool if nobody holds it, and then whatever only it had kept.
    pub(crate) fn recycle(&self, index: u32) -> Result<()> {
        let mut freed = vec![index];
        while let Some(index) = freed.pop() {
            let segment = self.store.segment(index)?;
            if self.store.state(index)?.state != State::Freed || !nobody(&segment.holders) {
                continue;
            }
            let children = self.store.children_on_file(index)?;
            self.set_state(index, State::Pooled)?;
            crash_point!("after-pooled");
            segment.children.store(0, SeqCst);
            self.put_pooled(index)?;
            for child in children {
                self.hand_over(child, 1)?;
                if self.uncount_parent(child)? {
                    freed.push(child.index);
                }
            }
            crash_point!("after-children-released");
        }
        Ok(())
    }

    /// What only `keepers` names and parents keep, which are about to go, becomes private to one of those who hold it,
    /// if there is one: they can go on with it, and publish or send it again.
    pub(crate) fn hand_over(&self, id: AllocationId, keepers: u32) -> Result<()> {
        if id.index >= self.store.segment_count() {
            return Ok(());
        }
        let segment = self.store.segment(id.index)?;
        let word = self.store.state(id.index)?;
        let kept =
            segment.owners.names.load(SeqCst).saturating_add(segment.owners.parents.load(SeqCst)) > keepers;
        if word.generation != id.generation || word.state != State::Published || kept {
            return Ok(());
        }
        if let Some(heir) = bits(&segment.holders).next() {
            segment.state.store(Word::new(State::Private, heir, id.generation).pack(), SeqCst);
            crash_point!("after-hand-over");
        }
        Ok(())
    }

    /// One parent less; what then nothing keeps is freed, and recycled if nobody holds it.
    pub(crate) fn drop_parent(&self, child: AllocationId) -> Result<()> {
        if self.uncount_parent(child)? { self.recycle(child.index) } else { Ok(()) }
    }

    /// One parent less; whether the child is freed now.
    pub(crate) fn uncount_parent(&self, child: AllocationId) -> Result<bool> {
        // Places in the list of a channel are empty at times.
        if child.generation == 0
            || child.index >= self.store.segment_count()
            || self.store.state(child.index)?.generation != child.generation
        {
            return Ok(false);
        }
        let segment = self.store.segment(child.index)?;
        let parents = segment.owners.parents.load(SeqCst).saturating_sub(1);
        segment.owners.parents.store(parents, SeqCst);
        let kept = parents != 0 || segment.owners.names.load(SeqCst) != 0;
        match self.store.state(child.index)?.state {
            State::Published if !kept => self.set_state(child.index, State::Freed)?,
            State::Private if !kept && nobody(&segment.holders) => {
                self.set_state(child.index, State::Freed)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Makes the private children of an allocation, and theirs, reachable for everybody.
    pub(crate) fn share(&self, parent: AllocationId) -> Result<()> {
        if self.store.segment(parent.index)?.children.load(SeqCst) == 0 {
            return Ok(());
        }
        let mut parents = vec![parent.index];
        while let Some(parent) = parents.pop() {
            for child in self.store.children_on_file(parent)? {
                if self.store.state(child.index)?.state == State::Private {
                    self.set_state(child.index, State::Published)?;
                    parents.push(child.index);
                }
            }
        }
        Ok(())
    }

    /// Lists a child of a private allocation that the caller holds.
    pub(crate) fn adopt(&self, parent: AllocationId, held: &Held, child: AllocationId) -> Result<()> {
        let store = self.store;
        let word = store.state(parent.index)?;
        if word.generation != parent.generation || word.state != State::Private {
            return Err(Error::CannotAdopt { reason: "the parent is published already" });
        }
        let theirs = store.state(child.index)?;
        if theirs.generation != child.generation || !matches!(theirs.state, State::Private | State::Published)
        {
            return Err(Error::Freed);
        }
        if self.reaches(child, parent)? {
            return Err(Error::CannotAdopt { reason: "it owns its parent" });
        }
        let entry = store.segment(parent.index)?;
        let count = entry.children.load(SeqCst);
        let limit = crate::segment::children_capacity(entry.payload.load(SeqCst) as usize);
        if count as usize >= limit {
            return Err(Error::TooManyChildren { limit });
        }
        held.set_child(count as usize, child);
        crash_point!("after-child-listed");
        raise(&store.segment(child.index)?.owners.parents);
        crash_point!("after-child-counted");
        entry.children.store(count + 1, SeqCst);
        Ok(())
    }

    /// Whether `goal` is `from` or a private descendant of it.
    fn reaches(&self, from: AllocationId, goal: AllocationId) -> Result<bool> {
        let mut open = vec![from];
        let mut seen = std::collections::HashSet::new();
        while let Some(id) = open.pop() {
            if id == goal {
                return Ok(true);
            }
            if seen.insert(id) && self.store.state(id.index)?.state == State::Private {
                open.extend(self.store.children_on_file(id.index)?);
            }
        }
        Ok(false)
    }

    pub(crate) fn set_state(&self, index: u32, state: State) -> Result<()> {
        let word = self.store.state(index)?;
        // Who frees looks at the holders next, and who becomes one looks at the state: see `hold`.
        let order = if state == State::Freed { SeqCst } else { Release };
        self.store.segment(index)?.state.store(word.to(state).pack(), order);
        Ok(())
    }
}
