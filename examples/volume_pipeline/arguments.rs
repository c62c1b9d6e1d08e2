//! The command line: `volume_pipeline [VOLUME.nii[.gz]] [--out PICTURE.png]`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use thiserror::Error;

pub(crate) const USAGE: &str = "\
usage: volume_pipeline [VOLUME.nii[.gz]] [--out PICTURE.png]

  VOLUME         a NIfTI-1 or NIfTI-2 file; without it, the series in examples/data/
  --out PICTURE  where the picture goes; without it, target/volume_pipeline.png";

/// What the user asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Help,
    Run { volume: PathBuf, picture: PathBuf },
}

#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum ArgumentError {
    #[error("{0:?} is no option")]
    UnknownOption(OsString),

    #[error("--out needs the path of a picture")]
    OutWithoutPath,

    #[error("one volume at a time: {0:?} is a second one")]
    SecondVolume(OsString),
}

/// Reads the arguments after the program's name.
///
/// # Errors
///
/// Each variant of [`ArgumentError`].
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, ArgumentError> {
    let home = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut volume = None;
    let mut picture = None;
    let mut options_end = false;
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let text = if options_end { "" } else { argument.to_str().unwrap_or_default() };
        if text == "--help" || text == "-h" {
            return Ok(Request::Help);
        } else if text == "--" {
            options_end = true;
        } else if text == "--out" {
            picture = Some(arguments.next().ok_or(ArgumentError::OutWithoutPath)?);
        } else if let Some(path) = text.strip_prefix("--out=") {
            picture = Some(path.into());
        } else if text.starts_with('-') && text != "-" {
            return Err(ArgumentError::UnknownOption(argument));
        } else if volume.is_none() {
            volume = Some(argument);
        } else {
            return Err(ArgumentError::SecondVolume(argument));
        }
    }
    if picture.as_deref() == Some(OsStr::new("")) {
        return Err(ArgumentError::OutWithoutPath);
    }
    Ok(Request::Run {
        volume: volume.map_or_else(|| home.join("examples/data/example4d.nii.gz"), PathBuf::from),
        picture: picture.map_or_else(|| home.join("target/volume_pipeline.png"), PathBuf::from),
    })
}
