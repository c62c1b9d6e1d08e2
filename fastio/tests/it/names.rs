//! Names that are refused.

use podwire_fastio::{Error, FastIoContext};

use crate::support::Pipeline;

#[test]
fn hostile_names_are_refused_and_shown_harmlessly() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let long = "x".repeat(256);
    let hostile = [
        "",
        ".",
        "..",
        "../x",
        "/abs",
        "a/b",
        "a\0b",
        "a\nb",
        "\u{1b}[2J",
        " a",
        "a ",
        "a\u{202e}b",
        "\u{200b}",
        long.as_str(),
        "a\u{85}",
    ];
    for name in hostile {
        let allocation = context.create(1).unwrap();
        for error in [
            allocation.publish(name).unwrap_err(),
            allocation.replace(name).unwrap_err(),
            context.get(name).unwrap_err(),
            context.unpublish(name).unwrap_err(),
            context.wait(name, std::time::Duration::ZERO).unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(matches!(error, Error::BadName { .. }), "{name:?}: {error}");
            assert!(
                text.len() < 160 && !text.contains(char::is_control) && !text.contains('\u{202e}'),
                "{text:?}"
            );
        }
    }
    assert!(context.list().unwrap().is_empty());
}

#[test]
fn hostile_pipelines_are_refused() {
    let long = "x".repeat(256);
    for name in ["", ".", "..", ".hidden", "../x", "/abs", "a/b", "a\0b", "a\nb", long.as_str()] {
        assert!(matches!(FastIoContext::open(name), Err(Error::BadName { .. })), "{name:?}");
        assert!(matches!(FastIoContext::remove(name), Err(Error::BadName { .. })), "{name:?}");
    }
}

#[test]
fn unusual_names_are_allowed() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let long = "é".repeat(127);
    for name in [
        "a",
        "Größe in mm",
        "日本",
        ".dot",
        "...",
        "a:b*c?",
        "name with spaces",
        long.as_str(),
        &"x".repeat(255),
    ] {
        context.create(1).unwrap().publish(name).unwrap();
        assert_eq!(context.get(name).unwrap().len(), 1, "{name}");
    }
    assert_eq!(context.list().unwrap().len(), 9);
}

#[test]
fn a_name_is_not_found_by_its_prefix() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.create(1).unwrap().publish("abcdefghij").unwrap();
    for name in ["abcdefghi", "abcdefgh", "abcdefghijk", "abcdefghi\u{2007}j"] {
        assert!(context.try_get(name).unwrap().is_none());
    }
}

/// Names whose hashes are the same; the test of the hash says that they are.
#[test]
fn two_names_of_one_hash_are_two_names() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let names = ["frames-0A0D0DA00", "tctsc7usgOY0Xnob"];
    context.create(1).unwrap().publish(names[0]).unwrap();
    assert!(context.try_get(names[1]).unwrap().is_none());
    context.create(2).unwrap().publish(names[1]).unwrap();
    assert_eq!(names.map(|name| context.get(name).unwrap().len()), [1, 2]);
}
