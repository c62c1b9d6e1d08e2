//! Every story once more through the calls of CUDA's driver, with a library in its place that has no GPU and bears no misuse:
//! `libcuda.c`, compiled where a test needs it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::Device;

/// The library, in a folder of its own, which goes with it.
struct Library(PathBuf);

impl Library {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("podwire-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/libcuda.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&folder.join("libcuda.so.1"), &source])
            .arg("-lpthread")
            .status();
        assert!(compiled.unwrap().success());
        Self(folder)
    }

    /// Runs tests of this file's process with the library.
    fn run(&self, tests: &[&str], (setting, value): (&str, &str)) -> Output {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(tests).arg("--nocapture").env("LD_LIBRARY_PATH", &self.0).env(setting, value);
        command.output().unwrap()
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn every_story_holds_by_the_calls_of_the_driver() {
    let library = Library::new("stories");
    let tests = ["tests::", "--skip", "tests::library"];
    for (devices, skipped) in [("2", None), ("1", Some("skipped: second GPU")), ("0", Some("(no device)"))] {
        let told = library.run(&tests, ("LIBCUDA_DEVICES", devices));
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
        let told = library.run(&["tests::library::opens", "--exact"], setting);
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
