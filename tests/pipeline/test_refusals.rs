//! What cannot work says so once, and leaves nothing.

use std::path::Path;

use crate::run::{Home, example, run, series};

#[test]
fn a_wrong_file_gives_one_message() {
    let home = Home::new();
    let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let outcome = run(&home, &[&text]);
    assert_eq!(outcome.status.code(), Some(1));
    let begins = format!("volume_pipeline: load: {}: is not a NIfTI file", text.display());
    assert!(outcome.message().starts_with(&begins), "{}", outcome.error);
    home.assert_empty();

    let outcome = run(&home, &[Path::new("no such file.nii")]);
    assert_eq!(outcome.status.code(), Some(1));
    assert!(outcome.message().starts_with("volume_pipeline: load: no such file.nii: cannot be opened"));
    home.assert_empty();
}

#[test]
fn half_a_file_gives_one_message() {
    let home = Home::new();
    let half = home.path("half.nii.gz");
    let bytes = std::fs::read(series()).unwrap();
    std::fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    let outcome = run(&home, &[&half]);
    assert_eq!(outcome.status.code(), Some(1));
    let begins = format!("volume_pipeline: load: {}: its gzip data is damaged or cut off", half.display());
    assert!(outcome.message().starts_with(&begins), "{}", outcome.error);
    assert_eq!(home.contents(), [half]);
}

#[test]
fn wrong_arguments_give_the_usage() {
    let home = Home::new();
    for arguments in [&["--ouch"][..], &["a.nii", "b.nii"], &["--stage", "load"]] {
        let arguments: Vec<&Path> = arguments.iter().map(Path::new).collect();
        let outcome = run(&home, &arguments);
        assert_eq!((outcome.status.code(), outcome.out.as_str()), (Some(2), ""));
        assert!(outcome.error.contains("usage: volume_pipeline [VOLUME.nii[.gz]]"));
    }
    home.assert_empty();
}

#[test]
fn a_place_without_shared_memory_gives_one_message() {
    let home = Home::new();
    let nowhere = Home::new().path("gone");
    let outcome = example().env("PODWIRE_SHM_DIR", &nowhere).output().unwrap();
    assert_eq!(outcome.status.code(), Some(1));
    let error = String::from_utf8(outcome.stderr).unwrap();
    assert!(error.contains(&*nowhere.to_string_lossy()) && error.lines().count() == 1, "{error}");
    home.assert_empty();
}
