//! The command line.

use std::ffi::OsString;
use std::path::Path;

use crate::arguments::{ArgumentError, Request, USAGE, parse};

fn parse_all(arguments: &[&str]) -> Result<Request, ArgumentError> {
    parse(arguments.iter().map(OsString::from))
}

#[test]
fn without_arguments_the_series_in_the_repository_is_read() {
    let Ok(Request::Run { volume, picture }) = parse_all(&[]) else { panic!() };
    assert!(volume.is_file());
    assert!(picture.ends_with("target/volume_pipeline.png"));
}

#[test]
fn volume_and_picture_stand_in_either_order() {
    for arguments in
        [&["a.nii", "--out", "b.png"][..], &["--out", "b.png", "a.nii"], &["--out=b.png", "a.nii"]]
    {
        let Ok(Request::Run { volume, picture }) = parse_all(arguments) else { panic!("{arguments:?}") };
        assert_eq!((volume.as_path(), picture.as_path()), (Path::new("a.nii"), Path::new("b.png")));
    }
}

#[test]
fn a_name_like_an_option_is_a_volume_after_two_dashes() {
    let Ok(Request::Run { volume, .. }) = parse_all(&["--", "--out"]) else { panic!() };
    assert_eq!(volume, Path::new("--out"));
}

#[test]
fn mistakes_are_named() {
    assert_eq!(parse_all(&["--ouch"]), Err(ArgumentError::UnknownOption("--ouch".into())));
    assert_eq!(parse_all(&["--out"]), Err(ArgumentError::OutWithoutPath));
    assert_eq!(parse_all(&["--out="]), Err(ArgumentError::OutWithoutPath));
    assert_eq!(parse_all(&["a.nii", "b.nii"]), Err(ArgumentError::SecondVolume("b.nii".into())));
}

#[test]
fn help_names_every_option() {
    assert_eq!(parse_all(&["a.nii", "--help"]), Ok(Request::Help));
    assert!(USAGE.contains("VOLUME") && USAGE.contains("--out"));
}
