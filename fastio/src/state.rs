//! The state word of a segment: state, owner's slot and generation in 64 bits, changed by single steps.
//!
//! Not here: which step is allowed when (`lifecycle.rs`). Invariant: all-zero is an empty segment of generation 0,
//! and no allocation ever has generation 0.

/// The place in the life of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// No file.
    Empty = 0,
    /// The owner creates or removes the file.
    Making = 1,
    /// An allocation that only its owner's process knows.
    Private = 2,
    /// An allocation with a name, or with a parent that is published.
    Published = 3,
    /// No new handle; memory waits for the last one to go.
    Freed = 4,
    /// A file without an allocation, waiting to be used again.
    Pooled = 5,
}

/// A state word, unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) state: State,
    pub(crate) owner: u16,
    pub(crate) generation: u64,
}

const GENERATION_BITS: u32 = 48;
const GENERATION_MASK: u64 = (1 << GENERATION_BITS) - 1;

impl Word {
    pub(crate) fn new(state: State, owner: u16, generation: u64) -> Self {
        Self { state, owner, generation: generation & GENERATION_MASK }
    }

    pub(crate) fn pack(self) -> u64 {
        ((self.state as u64) << 60) | (u64::from(self.owner & 0xfff) << GENERATION_BITS) | self.generation
    }

    /// A state that does not exist reads as `Empty`: the shared files may hold anything.
    pub(crate) fn unpack(word: u64) -> Self {
        let state = match word >> 60 {
            1 => State::Making,
            2 => State::Private,
            3 => State::Published,
            4 => State::Freed,
            5 => State::Pooled,
            _ => State::Empty,
        };
        Self { state, owner: (word >> GENERATION_BITS) as u16 & 0xfff, generation: word & GENERATION_MASK }
    }

    /// The same allocation in another state.
    pub(crate) fn to(self, state: State) -> Self {
        Self { state, ..self }
    }

    /// The generation that the next allocation in this segment gets.
    pub(crate) fn next_generation(self) -> u64 {
        match (self.generation + 1) & GENERATION_MASK {
            0 => 1,
            next => next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_comes_back_as_it_was_packed() {
        for state in
            [State::Empty, State::Making, State::Private, State::Published, State::Freed, State::Pooled]
        {
            let word = Word::new(state, 255, GENERATION_MASK);
            assert_eq!(Word::unpack(word.pack()), word);
            assert_eq!(word.next_generation(), 1);
        }
        assert_eq!(Word::unpack(0), Word::new(State::Empty, 0, 0));
    }
}
