//! Which arguments are ours, and what they say.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
};

use podwire_fragment::command::{CommandError, CommandLine, PictureLanguage, Selection};

/// Splits a command line that is written with spaces, behind the program's name.
pub(crate) fn split(text: &str) -> CommandLine {
    CommandLine::split(std::iter::once("myapp").chain(text.split_whitespace()))
}

/// What is left for the application, with spaces, without the program's name.
fn rest(line: &CommandLine) -> String {
    line.argv()[1..].iter().map(|argument| argument.to_str().unwrap()).collect::<Vec<_>>().join(" ")
}

/// The only mistake in a command line, as it is told.
fn mistake(text: &str) -> String {
    match split(text).mistakes().as_slice() {
        [mistake] => mistake.to_string(),
        mistakes => panic!("{text}: {mistakes:?}"),
    }
}

#[test]
fn the_example_of_the_design() {
    let line = CommandLine::split(["myapp", "--driver", "my_arg1", "--address=10.0.0.1"]);
    assert_eq!(line.argv(), ["myapp", "my_arg1"]);
    assert_eq!(line.mistakes(), []);
    assert!(line.driver);
    assert_eq!((line.address.host(), line.address.port()), ("10.0.0.1", 57777));
}

#[test]
fn ours_are_taken_out_wherever_they_stand_and_the_rest_keeps_its_order() {
    for (arguments, left) in [
        ("", ""),
        ("a b c", "a b c"),
        ("--driver a --worker b", "a b"),
        ("a --address x b --config f.toml c", "a b c"),
        ("a --address=x b --config=f.toml c", "a b c"),
        ("--worker-address x:1 a --fragments f,g --worker b", "a b"),
        ("--verbose --driver --level=3 --monitor -x file", "--verbose --level=3 -x file"),
        ("--graph=dot a --graphs b", "a --graphs b"),
        ("--graph mermaid", "mermaid"),
        ("--help --version a", "a"),
        // Near, but not ours.
        ("-h -v -d", "-h -v -d"),
        ("--drive --drivers --Driver -driver driver", "--drive --drivers --Driver -driver driver"),
        ("--fragment a --addr b", "--fragment a --addr b"),
        ("- -- --driver", "- -- --driver"),
        ("--driver a -- --worker --address", "a -- --worker --address"),
        ("--= --=driver", "--= --=driver"),
    ] {
        let line = split(arguments);
        assert_eq!(rest(&line), left, "{arguments}");
        assert_eq!(line.mistakes(), [], "{arguments}");
    }
}

#[test]
fn a_value_may_stand_behind_an_equals_sign_or_next() {
    for arguments in ["--config=a=b.toml --fragments=f --worker", "--worker --config a=b.toml --fragments f"]
    {
        let line = split(arguments);
        assert_eq!(line.config.as_deref(), Some("a=b.toml".as_ref()), "{arguments}");
        assert_eq!(line.fragments, Selection::Named(vec!["f".into()]), "{arguments}");
    }
}

#[test]
fn the_modes_are_neither_either_and_both() {
    for (arguments, driver, worker, local) in [
        ("", false, false, true),
        ("--driver", true, false, false),
        ("--worker", false, true, false),
        ("--worker --driver", true, true, false),
    ] {
        let line = split(arguments);
        assert_eq!((line.driver, line.worker, line.is_local()), (driver, worker, local), "{arguments}");
        assert_eq!(line.fragments, Selection::All);
        assert_eq!(line.address.to_string(), "127.0.0.1:57777");
        assert_eq!(line.worker_address, None);
        assert!(!line.monitor && line.graph.is_none() && line.config.is_none());
    }
}

#[test]
fn a_picture_has_a_language_and_perhaps_a_file() {
    for (argument, language, file) in [
        ("--graph", PictureLanguage::Mermaid, None),
        ("--graph=mermaid", PictureLanguage::Mermaid, None),
        ("--graph=dot", PictureLanguage::Dot, None),
        ("--graph=dot:a:b.dot", PictureLanguage::Dot, Some("a:b.dot")),
    ] {
        let picture = split(argument).graph.unwrap();
        assert_eq!(picture.language, language, "{argument}");
        assert_eq!(picture.file.as_deref(), file.map(OsStr::new).map(AsRef::as_ref), "{argument}");
    }
}

#[test]
fn mistakes_say_what_to_write() {
    for (arguments, told) in [
        ("--address", "--address needs a value: write --address HOST:PORT or --address=HOST:PORT"),
        ("--address=", "--address needs a value: write --address HOST:PORT or --address=HOST:PORT"),
        ("--config --driver", "--config needs a value: write --config FILE or --config=FILE"),
        ("--config --", "--config needs a value: write --config FILE or --config=FILE"),
        ("--driver=yes", "--driver takes no value, and \"yes\" stands there; write --driver"),
        ("--worker --worker", "--worker is there more than once; write it once"),
        ("--address a --address=b", "--address is there more than once; write it once"),
        (
            "--address a:b",
            "--address: \"a:b\" is no address: \"b\" is no port; write a number from 1 to 65535",
        ),
        (
            "--fragments a,,b",
            "--fragments: a name in \"a,,b\" is empty; write --fragments a,b or --fragments all",
        ),
        ("--fragments a,b,a", "--fragments: \"a\" is named more than once"),
        (
            "--fragments a,all",
            "--fragments: \"all\" stands for every fragment, and \"a,all\" has others beside it; \
             write one or the other",
        ),
        (
            "--graph=svg",
            "--graph: \"svg\" is no kind of picture; write --graph=mermaid or --graph=dot, \
             or with a file, --graph=dot:FILE",
        ),
        (
            "--graph=dot:",
            "--graph: \"dot:\" is no kind of picture; write --graph=mermaid or --graph=dot, \
             or with a file, --graph=dot:FILE",
        ),
    ] {
        assert_eq!(mistake(arguments), told, "{arguments}");
    }
}

#[test]
fn mistakes_do_not_hide_each_other_nor_the_arguments() {
    let line = split("a --driver=1 b --address --worker --fragments , c");
    assert_eq!(line.argv(), ["myapp", "a", "b", "c"]);
    assert!(line.worker);
    assert_eq!(line.mistakes().len(), 3, "{:?}", line.mistakes());
}

#[test]
fn text_that_is_no_utf_8_is_left_alone_or_told() {
    let odd = OsStr::from_bytes(b"\xff\xfe");
    let joined = |start: &str| [start.as_bytes(), odd.as_bytes()].concat();
    let option = OsStr::from_bytes(&joined("--")).to_owned();
    let address = OsStr::from_bytes(&joined("--address=")).to_owned();
    let config = OsStr::from_bytes(&joined("--config=")).to_owned();
    let arguments: [OsString; 5] = ["myapp".into(), odd.into(), option.clone(), address, config];

    let line = CommandLine::split(arguments);
    assert_eq!(line.argv(), [OsStr::new("myapp"), odd, &option]);
    assert_eq!(line.config.as_deref(), Some(odd.as_ref()));
    let mistakes = line.mistakes();
    assert!(
        matches!(&mistakes[..], [CommandError::NoText { option, .. }] if option == "--address"),
        "{mistakes:?}"
    );
}

#[test]
fn a_program_without_a_name_is_no_problem() {
    let line = CommandLine::split(<[&str; 0]>::default());
    assert!(line.argv().is_empty() && line.mistakes().is_empty());
    assert!(line.version_text().starts_with("application (podwire "));
    assert!(line.help(&[]).contains("--driver"));
}

#[test]
fn options_that_change_nothing_are_warned_of() {
    for (arguments, warning) in [
        ("--fragments a --driver", Some("--fragments changes nothing without --worker")),
        ("--worker-address a", Some("--worker-address changes nothing without --worker")),
        ("--address a", Some("--address changes nothing without --driver or --worker")),
        ("--address a --driver", None),
        ("--address a --fragments b --worker-address c --worker", None),
    ] {
        assert_eq!(split(arguments).warnings().first().map(String::as_str), warning, "{arguments}");
    }
}

#[test]
fn fragments_that_do_not_exist_are_told_with_those_that_do() {
    let fragments = Selection::Named(vec!["fragment2".into(), "fragmet1".into()]);
    assert!(fragments.contains("fragment2") && !fragments.contains("fragment1"));
    assert_eq!(
        fragments.check(["fragment1", "fragment2"]).unwrap_err().to_string(),
        "--fragments: there is no fragment \"fragmet1\": did you mean \"fragment1\"? there are \"fragment1\" and \"fragment2\""
    );
    assert_eq!(fragments.check(["fragmet1", "fragment2"]), Ok(()));
    assert_eq!(Selection::All.check([]), Ok(()));
    assert_eq!(split("--fragments all").fragments, Selection::All);
    assert_eq!(split("--fragments a,b").fragments.to_string(), "a,b");
}

#[test]
fn the_help_shows_every_option_and_variable() {
    let line = split("");
    let help = line.help(&[]);
    for word in [
        "Usage: myapp",
        "--driver",
        "--worker",
        "--address <HOST:PORT>",
        "--worker-address <HOST:PORT>",
        "--fragments <NAME,NAME|all>",
        "--config <FILE>",
        "--monitor",
        "--graph[=<mermaid|dot[:FILE]>]",
        "--help",
        "--version",
        "PODWIRE_STOP_TIMEOUT",
        "PODWIRE_LEASE",
    ] {
        assert!(help.contains(word), "{word} is not in:\n{help}");
    }
}
