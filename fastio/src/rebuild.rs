//! Deriving lists, counts and chains anew, after a process died while it changed them.
//!
//! Not here: any truth of its own. Invariant: it reads only state words, entries of names and lists of children,
//! and can be repeated from any point at which it was killed.

use std::sync::atomic::Ordering::SeqCst;

use crate::{
    error::Result,
    index::{Index, raise},
    pool,
    state::State,
    store::AllocationId,
};

impl Index<'_> {
    /// Derives everything that stands under the index lock.
    pub(crate) fn rebuild(&self) -> Result<()> {
        let store = self.store;
        let control = store.control();
        control.counts.free_segment.store(0, SeqCst);
        control.classes.iter().for_each(|class| class.store(0, SeqCst));
        control.counts.pooled_bytes.store(0, SeqCst);
        let mut bytes = 0;
        let count = store.segment_count();
        for index in 0..count {
            let segment = store.segment(index)?;
            segment.owners.first_name.store(0, SeqCst);
            segment.owners.names.store(0, SeqCst);
            segment.owners.parents.store(0, SeqCst);
            let state = store.state(index)?.state;
            if state != State::Empty {
                bytes += pool::file_length(segment.class.load(SeqCst));
            }
            match state {
                State::Empty => self.push_segment(&control.counts.free_segment, index)?,
                State::Pooled => {
                    segment.children.store(0, SeqCst);
                    self.put_pooled(index)?;
                }
                _ => {}
            }
        }
        control.file_bytes.store(bytes, SeqCst);
        for index in 0..count {
            if matches!(store.state(index)?.state, State::Private | State::Published | State::Freed) {
                for child in store.children_on_file(index)? {
                    if child.generation != 0
                        && child.index < count
                        && store.state(child.index)?.generation == child.generation
                    {
                        raise(&store.segment(child.index)?.owners.parents);
                    }
                }
            }
        }
        self.rebuild_names()?;
        for index in 0..count {
            if matches!(store.state(index)?.state, State::Private | State::Published | State::Freed) {
                let generation = store.state(index)?.generation;
                self.hand_over(AllocationId { index, generation }, 0)?;
                self.release(index)?;
            }
        }
        Ok(())
    }
}
