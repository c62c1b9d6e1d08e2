//! How does the main job look as fragments?
//!
//! `cargo run --release --features fragment --example volume_fragments [-- [VOLUME.nii[.gz]] [--out PICTURE.png]]`
//!
//! The same work as in `volume_pipeline`, with the same picture at the end, and nothing written by hand that an
//! application has: processes, waiting, errors, and what was copied.
//!
//! | fragment | operator | receives | emits |
//! |---|---|---|---|
//! | `load` | [`Load`] | | each [`Volume`] of the series |
//! | `segment` | [`Segment`] | the volume | the [`Head`] in it |
//! | `report` | [`Report`] | the volume and the head | (it draws the picture of the first) |
//!
//! With the feature `distributed`, each can be a process of its own, as in `ping_distributed`; voxels and masks are in
//! shared memory then, and none of their bytes is copied. `--graph` draws the application, `--monitor` shows it at work.

#![allow(
    dead_code,
    reason = "the parts of `volume_pipeline` are included as they are, and not all of each is needed"
)]

#[path = "../volume_pipeline/nifti/mod.rs"]
mod nifti;
#[path = "../volume_pipeline/picture/mod.rs"]
mod picture;
#[path = "../volume_pipeline/scan.rs"]
mod scan;
#[path = "../volume_pipeline/segment/mod.rs"]
mod segment;

mod stages;

use std::path::PathBuf;
use std::process::ExitCode;

use podwire::fragment::{Application, Fragment, Operator};
use stages::{Load, Report, Segment};

fn main() -> ExitCode {
    let home = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut app = Application::from_env();
    app.about("Finds the head in each volume of a scan, and draws a picture of the first.");
    app.version(env!("CARGO_PKG_VERSION"));
    let picture = home.join("target/volume_fragments.png").display().to_string();
    let picture = app.option("--out", "PICTURE", "where the picture goes", picture);
    let volumes =
        app.arguments("VOLUME", "a NIfTI-1 or NIfTI-2 file; without it, the series in examples/data/");
    let volume = match volumes.as_slice() {
        [] => home.join("examples/data/example4d.nii.gz"),
        [volume] => volume.into(),
        [_, second, ..] => {
            eprintln!("volume_fragments: one volume at a time: {second:?} is a second one");
            return ExitCode::from(2);
        }
    };

    add(&mut app, "load", Load::new(volume));
    add(&mut app, "segment", Segment);
    add(&mut app, "report", Report::new(picture.into()));
    app.add_flow("load", "segment", [("load.volume", "segment.volume")]);
    app.add_flow("load", "report", [("load.volume", "report.volume")]);
    app.add_flow("segment", "report", [("segment.head", "report.head")]);
    app.main()
}

/// Adds a fragment with one operator, both of this name.
fn add(app: &mut Application, name: &str, operator: impl Operator) {
    let mut fragment = Fragment::new(name);
    fragment.add_operator(name, operator);
    app.add_fragment(fragment);
}
