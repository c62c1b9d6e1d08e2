//! Options that an application declares instead of parsing its arguments itself.

use podwire_fragment::command::{CommandError, CommandLine, Parameter};

use crate::test_split::split;

fn told(line: &CommandLine) -> Vec<String> {
    line.mistakes().iter().map(CommandError::to_string).collect()
}

#[test]
fn options_give_their_values_or_their_defaults() {
    for (arguments, count, kind, gpu) in [
        ("", 10, "f64", false),
        ("--count 3", 3, "f64", false),
        ("--count=3 --gpu --type i8", 3, "i8", true),
        ("--driver --type=u8 --address x --gpu", 10, "u8", true),
        ("--count -3", -3, "f64", false),
        ("--type=--gpu", 10, "--gpu", false),
        ("--type= --count 1", 1, "", false),
    ] {
        let mut line = split(arguments);
        let argv = line.argv().to_vec();
        assert_eq!(line.option("--count", "N", "how many", 10), count, "{arguments}");
        assert_eq!(line.option("--type", "TYPE", "of what", "f64".to_owned()), kind, "{arguments}");
        assert_eq!(line.flag("--gpu", "use it"), gpu, "{arguments}");
        assert_eq!(told(&line), <[&str; 0]>::default(), "{arguments}");
        assert_eq!(line.argv(), argv, "declaring takes nothing out of argv");
    }
}

#[test]
fn mistakes_in_them_are_told_and_the_default_holds() {
    let unknown = |option: &str, question: &str| {
        format!(
            "there is no option {option}{question}there are \"--count\", \"--gpu\", \"--driver\", \"--worker\", \
             \"--address\", \"--worker-address\", \"--fragments\", \"--config\", \"--monitor\", \"--graph\", \"--help\" \
             and \"--version\""
        )
    };
    for (arguments, mistakes) in [
        (
            "--count many",
            vec!["--count: \"many\": invalid digit found in string; without --count it is 10".to_owned()],
        ),
        ("--count", vec!["--count needs a value: write --count N or --count=N".to_owned()]),
        ("--count --gpu", vec!["--count needs a value: write --count N or --count=N".to_owned()]),
        ("--count 1 --count 2", vec!["--count is there more than once; write it once".to_owned()]),
        ("--gpu=1", vec!["--gpu takes no value, and \"1\" stands there; write --gpu".to_owned()]),
        ("--cuont 5", vec![unknown("--cuont", ": did you mean \"--count\"? ")]),
        ("--cuont=5", vec![unknown("--cuont", ": did you mean \"--count\"? ")]),
        ("--wroker", vec![unknown("--wroker", ": did you mean \"--worker\"? ")]),
        ("-h", vec![unknown("-h", "; ")]),
        ("5", vec!["\"5\" is one argument too many".to_owned()]),
        ("-- --gpu", vec!["\"--gpu\" is one argument too many".to_owned()]),
    ] {
        let mut line = split(arguments);
        assert_eq!(line.option("--count", "N", "how many", 10_u32), 10, "{arguments}");
        line.flag("--gpu", "use it");
        assert_eq!(told(&line), mistakes, "{arguments}");
    }
}

#[test]
fn arguments_that_are_no_options_are_what_is_left() {
    let mut line = split("a --count 3 b - --worker -5 -- --gpu");
    assert_eq!(line.option("--count", "N", "how many", 10), 3);
    assert_eq!(line.arguments("FILE", "what to read"), ["a", "b", "-", "-5", "--gpu"]);
    assert_eq!(told(&line), <[&str; 0]>::default());
}

#[test]
fn an_application_that_parses_argv_itself_may_have_any_options() {
    assert_eq!(told(&split("--anything 5 -x more")), <[&str; 0]>::default());
}

#[test]
fn an_option_of_a_reserved_name_is_warned_of() {
    let mut line = split("--address 10.0.0.1 --driver");
    assert_eq!(line.option("--address", "STREET", "where you live", "nowhere".to_owned()), "nowhere");
    assert!(!line.flag("--driver", "of a car"));
    assert_eq!(
        line.warnings(),
        [
            "the application's option --address is never seen: every application has one of that name",
            "the application's option --driver is never seen: every application has one of that name",
        ]
    );
    assert_eq!(told(&line), <[&str; 0]>::default());
}

#[test]
fn names_that_no_option_can_have_are_mistakes_of_the_application() {
    for name in ["", "-", "--", "count", "-c", "--a b", "--a=b", "---a", "--ä"] {
        let mut line = split("");
        line.flag(name, "");
        assert_eq!(line.mistakes(), [CommandError::OptionName { name: name.into() }]);
    }
    let mut line = split("");
    line.flag("--twice", "");
    line.flag("--twice", "");
    assert_eq!(line.mistakes(), [CommandError::DeclaredTwice { name: "--twice".into() }]);
}

#[test]
fn the_help_shows_the_options_of_the_application_and_ours() {
    let mut line = CommandLine::split(["/usr/bin/ping", "--help"]);
    line.about("Sends arrays from one fragment to another.");
    line.version("1.2.3");
    line.option("--count", "N", "how many messages", 10);
    line.flag("--gpu", "arrays in the memory of a GPU");
    line.arguments("FILE", "what to send");
    line.help_text("  --more  parsed elsewhere\n");
    let rows =
        Parameter { path: "fragment1.ping.rows".into(), help: "rows of an array".into(), value: "64".into() };

    assert!(line.help && !line.version);
    assert!(line.version_text().starts_with("ping 1.2.3 (podwire "), "{}", line.version_text());
    let help = line.help(&[rows]);
    let mut rest = help.as_str();
    for word in [
        "Sends arrays from one fragment to another.\n\nUsage: ping [OPTIONS] [FILE]...\n",
        "\nOptions of this application:\n",
        "--count <N>",
        "how many messages [default: 10]\n",
        "--gpu",
        "arrays in the memory of a GPU\n",
        "[FILE]...",
        "\nOptions of every application:\n",
        "--driver",
        "--version",
        "  --more  parsed elsewhere\n",
        "\n  fragment1.ping.rows  rows of an array [64]\n",
        "\nEnvironment:\n",
    ] {
        let Some(at) = rest.find(word) else { panic!("{word:?} is not, or not there, in:\n{help}") };
        rest = &rest[at + word.len()..];
    }
}

#[test]
fn the_help_copes_with_odd_declarations() {
    let mut line = split("");
    line.about("");
    line.version("");
    line.help_text("");
    line.option("--empty", "", "", String::new());
    line.option("--odd", "<A> [B]...", "{usage} \n\u{1b}", "{all-args}\n".to_owned());
    line.option("--0", "N", "a digit", f64::NAN);
    line.flag("--a-_-", "dashes");
    line.arguments("", "");
    let help = line.help(&[Parameter { path: String::new(), help: String::new(), value: "\n".into() }]);
    for word in ["--empty", "--odd", "--0", "--a-_-", "NaN"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(!line.version_text().is_empty());
}
