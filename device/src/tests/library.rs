//! Every story once more through the calls of CUDA's driver, with a library in its place that has no GPU and bears no misuse.

use std::process::{Command, Output};

use super::libcuda::Library;
use crate::Device;

/// Runs tests of this process's program with the library.
fn run(library: &Library, tests: &[&str], (setting, value): (&str, &str)) -> Output {
    let mut program = library.for_program(Command::new(std::env::current_exe().unwrap()));
    program.args(tests).arg("--nocapture").env(setting, value).output().unwrap()
}

#[test]
fn every_story_holds_by_the_calls_of_the_driver() {
    let library = Library::new("stories");
    let tests = ["tests::", "--skip", "tests::library"];
    for (devices, skipped) in [("2", None), ("1", Some("skipped: second GPU")), ("0", Some("(no device)"))] {
        let told = run(&library, &tests, ("LIBCUDA_DEVICES", devices));
        let [output, errors] =
            [told.stdout, told.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(told.status.success(), "{devices} devices: {}\n{output}\n{errors}", told.status);
        assert_eq!(output.contains("skipped"), skipped.is_some(), "{output}");
        assert!(output.contains(skipped.unwrap_or_default()), "{output}");
    }
}

#[test]
fn what_a_driver_lacks_is_told_apart() {
    let library = Library::new("lacks");
    for (setting, said) in [
        (("LIBCUDA_DEVICES", "0"), "NoDevice"),
        (("LIBCUDA_DEVICES", "3"), "WrongOrdinal { ordinal: 9, devices: 3 }"),
        (("LIBCUDA_VERSION", "11030"), "OldDriver { found: 11030, needed: 11040 }"),
        (("LIBCUDA_INIT", "34"), "NoDriver"), // the library is a stub, which a toolkit links against
        (("LIBCUDA_INIT", "100"), "NoDevice"),
        (("LIBCUDA_INIT", "999"), "Driver { call: \"cuInit\""),
        (("LIBCUDA_SHARES", "0"), "Unsupported"),
    ] {
        let told = run(&library, &["tests::library::opens", "--exact"], setting);
        let output = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(output.contains(said), "{setting:?}: {output}");
    }
}

/// Says what becomes of devices 9 and 0.
#[test]
fn opens() {
    for ordinal in [9, 0] {
        println!("{ordinal}: {:?}", Device::open(ordinal));
    }
}
