//! Types with derived codecs, by their number: from a slice, from a stream, and lent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podwire_fuzz::types;

fuzz_target!(|input: &[u8]| {
    let Some((number, bytes)) = input.split_first() else { return };
    types::both(*number, bytes);
    types::lend(bytes);
});
