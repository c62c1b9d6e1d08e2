//! `volume_fragments`: the stages of the main job as fragments.

use std::fs;
use std::path::Path;

use crate::{
    run,
    run::{Home, example_called, finish, series},
};

#[test]
fn the_picture_is_the_one_of_volume_pipeline() {
    let home = Home::new();
    let [pipeline, fragments] = ["volume_pipeline", "volume_fragments"].map(|name| {
        let picture = home.path(&format!("{name}.png"));
        let mut command = example_called(name);
        let outcome = finish(&home, command.args([series().as_path(), Path::new("--out"), &picture]));
        assert!(outcome.status.success(), "{name}: {}", outcome.error);
        let bytes = fs::read(&picture).unwrap();
        fs::remove_file(picture).unwrap();
        home.assert_empty();
        bytes
    });
    assert!(!fragments.is_empty() && fragments == pipeline);
}

#[test]
fn a_scan_that_cannot_be_read_ends_it_with_its_name() {
    for (arguments, told) in [
        ("/no/such/scan.nii", "volume_fragments: load.load failed to start: /no/such/scan.nii: "),
        ("Cargo.toml", "volume_fragments: load.load failed to start: Cargo.toml: "),
        ("a b", "one volume at a time"),
    ] {
        let outcome = run(&Home::new(), "volume_fragments", arguments);
        assert!(!outcome.status.success() && outcome.error.contains(told), "{arguments}: {}", outcome.error);
    }
}
