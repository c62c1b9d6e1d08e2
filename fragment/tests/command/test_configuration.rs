//! Parameters of operators from a file.

use std::{collections::BTreeMap, error::Error};

use podwire_fragment::config::{Asked, Configuration, ConfigurationError};
use serde::Deserialize;

fn parse(text: &str) -> Configuration {
    Configuration::parse("app.toml", text).unwrap()
}

/// What is told of a file by an application of these operators: fragment, name, parameters.
fn told(text: &str, operators: &[(&str, &str, &[&str])]) -> Vec<String> {
    let asked = |&(fragment, operator, parameters): &(_, _, &[_])| Asked {
        fragment,
        operator,
        parameters: parameters.to_vec(),
    };
    let asked: Vec<_> = operators.iter().map(asked).collect();
    let mut fragments: Vec<_> = operators.iter().map(|known| known.0).collect();
    fragments.dedup();
    let mut configuration = parse(text);
    configuration.set_fragments(fragments);
    configuration.unasked(&asked).iter().map(ConfigurationError::to_string).collect()
}

fn told_once<T>(result: Result<T, ConfigurationError>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn parameters_are_of_any_type_that_serde_reads() {
    #[derive(Deserialize, Debug, PartialEq)]
    struct Limits {
        low: f32,
        high: Option<f32>,
    }
    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Shape {
        Point,
        Circle { radius: f64 },
    }
    let text = r#"
        [fragment1.ping]
        rows = 64
        names = ["left", "right"]
        point = "point"
        fragment1 = true
        [fragment1.ping.circle]
        circle = { radius = 2.5 }
        [fragment1.ping.limits]
        low = -1.0
        [[fragment1.ping.stages]]
        low = 1.0
        high = 2.0
        [[fragment1.ping.stages]]
        low = 3.0
        [fragment1.ping.gains]
        "a b" = 1
    "#;
    let configuration = parse(text);
    macro_rules! of_ping {
        ($type:ty, $key:literal) => {
            configuration.parameter::<$type>("fragment1", "ping", $key).unwrap()
        };
    }
    assert_eq!(of_ping!(usize, "rows"), Some(64));
    assert_eq!(of_ping!(i8, "rows"), Some(64));
    assert_eq!(of_ping!(Vec<String>, "names"), Some(vec!["left".into(), "right".into()]));
    assert_eq!(of_ping!(Shape, "point"), Some(Shape::Point));
    assert_eq!(of_ping!(Shape, "circle"), Some(Shape::Circle { radius: 2.5 }));
    assert_eq!(of_ping!(Limits, "limits"), Some(Limits { low: -1.0, high: None }));
    let stages = [Limits { low: 1.0, high: Some(2.0) }, Limits { low: 3.0, high: None }];
    assert_eq!(of_ping!(Vec<Limits>, "stages"), Some(stages.into()));
    assert_eq!(of_ping!(BTreeMap<String, u8>, "gains"), Some(BTreeMap::from([("a b".into(), 1)])));
    assert_eq!(of_ping!(bool, "fragment1"), Some(true));
    assert_eq!(of_ping!(usize, "columns"), None);
    assert_eq!(configuration.parameter::<usize>("fragment2", "ping", "rows").unwrap(), None);
    assert_eq!(configuration.parameter::<usize>("fragment1", "pong", "rows").unwrap(), None);
}

#[test]
fn without_a_file_there_are_no_parameters() {
    let nothing = Configuration::default();
    assert_eq!(nothing.parameter::<String>("", "ping", "rows").unwrap(), None);
    assert!(nothing.unasked(&[]).is_empty());
}

#[test]
fn the_name_of_the_only_fragment_may_be_left_out() {
    let rows = |configuration: &Configuration, fragment| {
        configuration.parameter::<u8>(fragment, "ping", "rows").unwrap()
    };
    let mut short = parse("[ping]\nrows = 3");
    assert_eq!(rows(&short, ""), Some(3));
    assert_eq!(rows(&short, "only"), None);
    short.set_fragments(["only"]);
    assert_eq!(rows(&short, "only"), Some(3));
    short.set_fragments(["one", "two"]);
    assert_eq!(rows(&short, "one"), None);

    assert_eq!(told("[ping]\nrows = 3", &[("only", "ping", &["rows"])]), <[&str; 0]>::default());
    assert_eq!(told("[ping]\nrows = 3", &[("", "ping", &["rows"])]), <[&str; 0]>::default());

    let mut twice = parse("[ping]\nrows = 3\n\n[only.ping]\nrows = 4\n");
    twice.set_fragments(["only"]);
    assert_eq!(
        told_once(twice.parameter::<u8>("only", "ping", "rows")),
        "app.toml:5: only.ping.rows is there once more at app.toml:2; write it once"
    );
}

#[test]
fn a_wrong_type_is_told_with_its_line() {
    #[derive(Deserialize, Debug)]
    struct Limits {
        #[expect(dead_code)]
        low: f32,
    }
    let configuration =
        parse("[a.b]\nrows = \"many\"\nsmall = 300\nlimits = {}\n[a.b.more]\nlow = 1.0\n\nhihg = 2.0\n");
    assert_eq!(
        told_once(configuration.parameter::<usize>("a", "b", "rows")),
        "app.toml:2: a.b.rows: invalid type: string \"many\", expected usize"
    );
    assert_eq!(
        told_once(configuration.parameter::<u8>("a", "b", "small")),
        "app.toml:3: a.b.small: invalid value: integer `300`, expected u8"
    );
    assert_eq!(
        told_once(configuration.parameter::<Limits>("a", "b", "limits")),
        "app.toml:4: a.b.limits: missing field `low`"
    );
    assert_eq!(
        told_once(configuration.parameter::<Limits>("a", "b", "more")),
        "app.toml:8: a.b.more has no field hihg"
    );
}

#[test]
fn what_nobody_asked_for_is_told_with_its_line_and_with_what_exists() {
    let operators: [(&str, &str, &[&str]); 3] = [
        ("fragment1", "ping", &["rows", "columns"]),
        ("fragment2", "pong", &[]),
        ("fragment2", "log", &["file"]),
    ];
    let text = "\
rows = 1
[fragmnt1.ping]
rows = 1
[fragment1.pign]
rows = 1
[fragment1.ping]
rows = 1
colums = 2
[fragment2]
pong = 5
log.flie = 'x'
[fragment2.\"a b\"]
[other.ping]
";
    assert_eq!(
        told(text, &operators),
        [
            "app.toml:1: there is no fragment or operator \"rows\"; there are \"fragment1\" and \"fragment2\"",
            "app.toml:2: there is no fragment or operator \"fragmnt1\": did you mean \"fragment1\"? \
         there are \"fragment1\" and \"fragment2\"",
            "app.toml:4: the fragment \"fragment1\" has no operator \"pign\": did you mean \"ping\"? there is \"ping\"",
            "app.toml:8: fragment1.ping has no parameter \"colums\": did you mean \"columns\"? \
         there are \"rows\" and \"columns\"",
            "app.toml:10: fragment2.pong is no table; write [fragment2.pong], and its parameters below",
            "app.toml:11: fragment2.log has no parameter \"flie\": did you mean \"file\"? there is \"file\"",
            "app.toml:12: the fragment \"fragment2\" has no operator \"a b\"; there are \"pong\" and \"log\"",
            "app.toml:13: there is no fragment or operator \"other\"; there are \"fragment1\" and \"fragment2\"",
        ]
    );
    assert_eq!(
        super::test_configuration::told("fragment1 = 3", &operators),
        ["app.toml:1: fragment1 is no table; write [fragment1], and its parameters below"]
    );
    assert_eq!(
        super::test_configuration::told("[pong]\nx = 1", &[("", "pong", &[])]),
        ["app.toml:2: pong has no parameter \"x\"; there is none"]
    );
}

#[test]
fn what_is_no_toml_is_told_with_every_line_where_it_is_not() {
    let errors = Configuration::parse("app.toml", "[a.b]\nrows = \n\ncolumns == 3\n").unwrap_err();
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "app.toml:2: string values must be quoted, expected literal string",
            "app.toml:4: extra `=`, expected nothing"
        ]
    );
    assert!(Configuration::parse("app.toml", "a = 1\na = 2").is_err());
    assert!(Configuration::parse("app.toml", &"[".repeat(100_000)).is_err());
    assert!(Configuration::parse("app.toml", &format!("a = {}", "[".repeat(100_000))).is_err());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    for (file, why) in [("/no/such/file.toml", "No such file"), ("/", "Is a directory")] {
        let error = Configuration::read(file).unwrap_err().remove(0);
        assert_eq!(error.to_string(), format!("--config: {file} cannot be read"));
        assert!(error.source().unwrap().to_string().starts_with(why));
    }
}
