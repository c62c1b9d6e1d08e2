//! Addresses, command lines and configurations.
#![no_main]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use libfuzzer_sys::fuzz_target;
use podwire::fragment::command::{Address, CommandLine};
use podwire::fragment::config::Configuration;

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = str::from_utf8(input) {
        address(text);
        let _ = Configuration::parse("fuzz.toml", text).map_err(|errors| {
            assert!(!errors.is_empty() && errors.iter().all(|error| !error.to_string().is_empty()));
        });
    }
    let arguments: Vec<_> = input.split(|byte| *byte == 0).map(OsStr::from_bytes).collect();
    let mut line = CommandLine::split(&arguments);
    // What is left is what came, in this order.
    let mut came = arguments.iter();
    assert!(line.argv().iter().all(|left| came.any(|came| came == left)));
    assert_eq!(line.argv().first().map(|name| &**name), arguments.first().copied());
    address(&line.address.to_string());
    let _ = line.option("--count", "N", "how many", 10_u64);
    let _ = line.option("--gain", "G", "how loud", 0.5_f64);
    let _ = line.flag("--dry", "nothing is done");
    let _ = line.arguments("FILE", "what is read");
    let _ = (line.help(&[]), line.version_text());
    for mistake in line.mistakes() {
        assert!(!mistake.to_string().is_empty());
    }
    let again = CommandLine::split(line.argv());
    let behind_dashes = line.argv().iter().any(|argument| argument == "--");
    assert!(behind_dashes || again.argv() == line.argv(), "nothing of ours is left");
});

/// What is shown of an address is the same address.
fn address(text: &str) {
    if let Ok(address) = text.parse::<Address>() {
        let shown = address.to_string();
        assert_eq!(shown.parse::<Address>().as_ref(), Ok(&address), "{text:?}");
        assert!(!address.host().is_empty());
    }
}
