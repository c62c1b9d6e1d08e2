//! How do processes share an array that is too large to copy?
//!
//! `cargo run --release --example volume_pipeline [-- [VOLUME.nii[.gz]] [--out PICTURE.png]]`
//!
//! Three processes work on one scan. They start at the same time, know nothing of each other but names, and wait for
//! what they need:
//!
//! | process | publishes | waits for and maps |
//! |---|---|---|
//! | [`load`](stages::load) | the value `scan`, the arrays `volume-0`, `volume-1`, … | |
//! | [`segment`](stages::segment) | the array `mask`, the value `segmentation` | `scan`, `volume-0` |
//! | [`report`](stages::report) | (it draws the picture) | `scan`, `volume-0`, `mask`, `segmentation` |
//!
//! - An **array** is created in shared memory, filled where it lies, sealed and published; whoever waits for its name
//!   maps the same memory: `create_with`, `map_mut`, `seal`, `publish`; `wait`, `map`. No byte of it is ever copied.
//! - A **value** is a struct with `#[derive(Codec)]` and `#[codec(register)]`: `publish_value`, `wait_value`.
//! - What the stages **tell the parent** is a value too, a [`Note`](note::Note), through a pipe: any endpoint will do.
//!
//! The parent starts the three, prints what they tell it, and sees to it that nothing stays behind, whoever dies.

mod arguments;
mod ledger;
mod nifti;
mod note;
mod parent;
mod picture;
mod pipeline;
mod scan;
mod segment;
mod stages;

use std::process::ExitCode;

use arguments::Request;
use stages::Errand;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    // The three processes are this same program, with an errand instead of arguments.
    if let Some(errand) = Errand::from_arguments(&arguments) {
        return errand.run();
    }
    match arguments::parse(arguments) {
        Ok(Request::Run { volume, picture }) => parent::run(&volume, &picture),
        Ok(Request::Help) => {
            println!("{}", arguments::USAGE);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("volume_pipeline: {error}\n{}", arguments::USAGE);
            ExitCode::from(2)
        }
    }
}
