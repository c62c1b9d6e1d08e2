//! The frames of links between hosts, of Zenoh and of UCX, by the files that read them: neither engine is built for it.
#![no_main]
#![allow(dead_code, unused_imports, reason = "of these files only what reads bytes is of interest")]

mod transport;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((number, bytes)) = input.split_first_chunk() else { return };
    let number = u64::from_le_bytes(*number);
    transport::zenoh::read(number, bytes);
    transport::ucx::read(number, bytes);
    // The same behind a beginning that is right, which would be found late or never.
    let mut bytes = bytes.to_vec();
    for (magic, place) in [(b"PWLK\x01", 8..16), (b"PWUX\x01", 40..48), (b"PWUA\x01", 0..0)] {
        if bytes.len() >= 48 {
            bytes[..5].copy_from_slice(magic);
            bytes[place.clone()].copy_from_slice(&number.to_le_bytes()[..place.len()]);
        }
        transport::zenoh::read(number, &bytes);
        transport::ucx::read(number, &bytes);
    }
    transport::ucx::entry(number, &bytes);
});
