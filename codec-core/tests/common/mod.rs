//! What several test files share: endpoints that behave badly, and one value of every shape of type.
//!
//! Not for assertions about one subject: those stand in the file of that subject.
#![allow(dead_code, unused_imports, reason = "each test file uses its part")]

mod endpoints;
mod recursive;
mod samples;
mod zoo;

pub(crate) use endpoints::{Chunks, Drip, Queue, Rogue, Stingy};
pub(crate) use recursive::{List, Tree};
pub(crate) use samples::{Row, row, samples};
pub(crate) use zoo::{Visitor, visit};

/// Bytes as the specification prints them: pairs of hexadecimal digits, blanks as the reader likes them.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|character| !character.is_whitespace())
        .map(|digit| u8::try_from(digit.to_digit(16).expect("hexadecimal")).expect("one digit"))
        .collect();
    assert!(digits.len().is_multiple_of(2), "whole bytes: {text}");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Pseudo-random numbers that are the same on every run: xorshift64*.
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).expect("31 bits fit") % bound.max(1)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.next() >> 56) as u8).collect()
    }
}
