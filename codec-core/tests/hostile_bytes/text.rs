//! Text that is not UTF-8, at every length and place.

use std::borrow::Cow;

use crate::common::{Drip, Queue};
use podwire_codec_core::{Buffer, Codec, Error, IoReader, from_slice, to_vec};

/// Lengths around the sizes of the loads that short text is tested with.
const LENGTHS: [usize; 22] =
    [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 100, 129];

/// Text is refused, whoever reads it, with the length that it has and the length that is valid.
#[track_caller]
fn no_text(text: &[u8], valid: usize) {
    assert_eq!(std::str::from_utf8(text).unwrap_err().valid_up_to(), valid, "the test itself");
    let bytes = [&(text.len() as u32).to_le_bytes()[..], text].concat();
    let check = |how: &str, error: Error| {
        let right = matches!(
            error,
            Error::InvalidUtf8 { offset, length, valid: found }
                if (offset, length, found) == (bytes.len() as u64, text.len() as u64, valid as u64)
        );
        assert!(right, "{how}: {error:?} for {text:02x?}");
    };
    check("String", from_slice::<String>(&bytes).unwrap_err());
    check("str", from_slice::<&str>(&bytes).unwrap_err());
    check("Cow", from_slice::<Cow<'_, str>>(&bytes).unwrap_err());
    check("Box", from_slice::<Box<str>>(&bytes).unwrap_err());
    check("buffer", String::deserialize(&mut Buffer::from(bytes.clone())).unwrap_err());
    check("stream", String::deserialize(&mut IoReader(&bytes[..])).unwrap_err());
    check("drip", String::deserialize(&mut IoReader(Drip::new(&bytes))).unwrap_err());
    check("queue", String::deserialize(&mut Queue::from(&bytes[..])).unwrap_err());
    check("key", from_slice::<(&str, ())>(&bytes).unwrap_err());
}

#[test]
fn case_21_a_bad_byte_anywhere_in_text_of_any_length_is_found() {
    for length in LENGTHS {
        for at in if cfg!(miri) { vec![0, length / 2, length - 1] } else { (0..length).collect() } {
            for bad in [0x80, 0xBF, 0xC0, 0xC1, 0xF5, 0xFF] {
                let mut text = vec![b'a'; length];
                text[at] = bad;
                no_text(&text, at);
            }
        }
    }
}

#[test]
fn case_21_overlong_truncated_and_surrogate_sequences_are_found() {
    let bad: [&[u8]; 12] = [
        &[0xC0, 0x80],             // NUL in two bytes
        &[0xC1, 0xBF],             // DEL in two bytes
        &[0xE0, 0x9F, 0xBF],       // U+07FF in three bytes
        &[0xF0, 0x8F, 0xBF, 0xBF], // U+FFFF in four bytes
        &[0xED, 0xA0, 0x80],       // U+D800
        &[0xED, 0xBF, 0xBF],       // U+DFFF
        &[0xF4, 0x90, 0x80, 0x80], // U+110000
        &[0xC3],                   // the first of two
        &[0xE2, 0x82],             // two of three
        &[0xF0, 0x9F, 0x98],       // three of four
        &[0xC3, b'('],             // two that do not belong together
        &[0xFE],
    ];
    for length in LENGTHS {
        for bad in bad.iter().filter(|bad| bad.len() <= length) {
            for at in [0, 1, (length - bad.len()) / 2, length - bad.len()] {
                if at + bad.len() > length {
                    continue;
                }
                let mut text = vec![b'a'; length];
                text[at..at + bad.len()].copy_from_slice(bad);
                no_text(&text, at);
            }
        }
    }
}

#[test]
fn case_21_good_text_of_any_length_passes() {
    for length in LENGTHS {
        for sign in ["é", "€", "😀", "\u{10FFFF}", "\0"] {
            for at in 0..length {
                if at + sign.len() > length {
                    continue;
                }
                let text = ["a".repeat(at), sign.into(), "b".repeat(length - at - sign.len())].concat();
                let bytes = to_vec(&text).unwrap();
                assert_eq!(from_slice::<String>(&bytes).unwrap(), text);
                assert_eq!(from_slice::<&str>(&bytes).unwrap(), text);
                assert_eq!(String::deserialize(&mut IoReader(&bytes[..])).unwrap(), text);
            }
        }
    }
}
