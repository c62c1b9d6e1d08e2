//! The ring of a channel, damaged, and both its ends.
#![no_main]

use std::sync::{LazyLock, Mutex};

use libfuzzer_sys::fuzz_target;
use podwire_fuzz::grow::Seed;
use podwire_fuzz::pipeline::{Damage, Template};

static TEMPLATE: LazyLock<Mutex<Template>> = LazyLock::new(Mutex::default);

fuzz_target!(|input: &[u8]| {
    TEMPLATE.lock().unwrap().run(Damage::Ring, &mut Seed(input));
});
