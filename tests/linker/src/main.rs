//! The table of registrations as this program has it, printed and checked: hostile cases 43 and 44.
//!
//! `scripts/linker` builds it in several ways and runs each: the table must not depend on how it was linked.

use podwire::CodecRegistry;
// The cure for a crate that is dropped: name it.
use podwire_linker_sensors as _;

#[derive(podwire::Codec)]
#[codec(register)]
struct Here {
    _at: u64,
}

#[test]
fn the_table_is_the_same_however_it_was_linked() {
    main();
}

fn main() {
    let registry = CodecRegistry::global();
    for name in ["Here", "Lidar", "sensors::Private", "sensors::Privates"] {
        let entry = registry.by_name(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        println!("{name} {:016x}", entry.fingerprint());
    }
    // Two lines claim it: the same two in the same order, and none of them wins.
    let twice = registry.by_name("sensors::twice").expect_err("spoiled");
    println!("{twice}");
    assert_eq!(registry.check().len(), 1, "{:?}", registry.check());
    // A crate that nobody names is not there; its name is an error like any unknown one.
    println!("{}", registry.by_name("unnamed").expect_err("dropped"));
}
