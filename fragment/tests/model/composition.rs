//! Mistakes in a composition are found before anything runs, all at once, and each names what exists instead.

use podwire_fragment::{
    Application, Error, Fragment, OperatorSpec,
    graph::{Graph, Problem},
};

use crate::support::{Notes, Op, collect, numbers, op, pass};

/// What is wrong with an application, each as a line.
fn problems(app: &mut Application) -> Vec<String> {
    app.check().unwrap_err().list().iter().map(ToString::to_string).collect()
}

fn fragment(name: &str, operators: [(&str, Op); 1]) -> Fragment {
    let mut fragment = Fragment::new(name);
    for (name, operator) in operators {
        fragment.add_operator(name, operator);
    }
    fragment
}

fn two_fragments() -> Application {
    let mut app = Application::new(["app"]);
    app.add_fragment(fragment("fragment1", [("ping", numbers(1))]));
    app.add_fragment(fragment("fragment2", [("pong", collect(&Notes::new()))]));
    app
}

#[test]
fn an_unknown_fragment_is_named_with_those_that_exist() {
    let mut app = two_fragments();
    app.add_flow("fragment1", "fragmnet2", [("ping.out", "pong.in")]);
    assert_eq!(
        problems(&mut app),
        ["flow fragment1 -> fragmnet2: no fragment is called \"fragmnet2\": did you mean \"fragment2\"? \
         there are \"fragment1\" and \"fragment2\""]
    );
}

#[test]
fn an_unknown_operator_is_named_with_those_that_exist() {
    let mut app = two_fragments();
    app.add_flow("fragment1", "fragment2", [("camera.out", "pong.in")]);
    assert_eq!(
        problems(&mut app),
        ["flow fragment1 -> fragment2: no operator is called \"camera\"; there is \"ping\""]
    );
    let mut app = Application::new(["app"]);
    app.add_operator("ping", numbers(1));
    app.add_flow("ping", "pnig", [("out", "in")]);
    let text = "flow ping -> pnig: no operator is called \"pnig\": did you mean \"ping\"? there is \"ping\"";
    assert_eq!(problems(&mut app), [text]);
}

#[test]
fn an_unknown_port_is_named_with_those_that_exist() {
    let mut app = two_fragments();
    app.add_flow("fragment1", "fragment2", [("ping.output", "pong.inn"), ("ping.in", "pong.in")]);
    let found = app.check().unwrap_err();
    let [output, input, wrong] = found.list() else { panic!("{found}") };
    assert!(matches!(output, Problem::UnknownOutput { operator, name, known, .. }
        if operator == "fragment1.ping" && name == "output" && *known == ["out"]));
    assert!(matches!(input, Problem::UnknownInput { operator, name, known, .. }
        if operator == "fragment2.pong" && name == "inn" && *known == ["in"]));
    assert!(matches!(wrong, Problem::UnknownOutput { name, .. } if name == "in"));
}

#[test]
fn a_flow_between_fragments_names_the_operators_of_its_ports() {
    let mut app = two_fragments();
    app.add_flow("fragment1", "fragment2", [("out", "pong.in")]);
    let text = "flow fragment1 -> fragment2: \"out\" must be an operator and its port, as in \"out.out\"";
    assert_eq!(problems(&mut app)[0], text);
}

#[test]
fn a_flow_without_ports_is_a_mistake() {
    let mut app = two_fragments();
    app.add_flow("fragment1", "fragment2", [] as [(&str, &str); 0]);
    assert_eq!(problems(&mut app)[0], "flow fragment1 -> fragment2 names no ports");
}

#[test]
fn a_mistake_on_one_side_of_a_flow_is_not_told_as_an_input_without_a_flow_on_the_other() {
    struct Broken;
    impl podwire_fragment::Operator for Broken {
        fn setup(&mut self, _: &mut OperatorSpec) -> podwire_fragment::Result {
            panic!("no driver of the camera")
        }
        fn compute(
            &mut self,
            _: &mut podwire_fragment::Input,
            _: &mut podwire_fragment::Output,
            _: &mut podwire_fragment::Context,
        ) -> podwire_fragment::Result {
            Ok(())
        }
    }
    for (to, expected) in [
        ("sink", None),
        (
            "snik",
            Some("flow camera -> snik: no operator is called \"snik\": did you mean \"sink\"? there are"),
        ),
    ] {
        let mut app = Application::new(["app"]);
        app.add_operator("camera", Broken);
        app.add_operator("sink", collect(&Notes::new()));
        app.add_flow("camera", to, [("out", "in")]);
        let told = app.check().unwrap_err().to_string();
        let lines: Vec<_> = told.lines().skip(1).collect();
        assert_eq!(lines[0], "  - operator camera: setup failed: it panicked: no driver of the camera");
        assert_eq!(lines.len(), 1 + usize::from(expected.is_some()), "{told}");
        expected.into_iter().for_each(|expected| assert!(lines[1].contains(expected), "{told}"));
    }
}

#[test]
fn types_of_connected_ports_must_agree() {
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(1));
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<Vec<f32>>("in");
    };
    app.add_operator("samples", op(setup, |_, _, _| Ok(())));
    app.add_flow("numbers", "samples", [("out", "in")]);
    assert_eq!(
        problems(&mut app),
        ["numbers.out>samples.in: the output is of type u64, the input takes alloc::vec::Vec<f32>"]
    );
}

#[test]
fn a_type_without_a_codec_cannot_lead_to_another_fragment_and_the_error_says_what_to_write() {
    struct Frame;
    let emit = || {
        let setup = |spec: &mut OperatorSpec| {
            spec.output::<Frame>("out");
            spec.count(1);
        };
        op(setup, |_, _, _| Ok(()))
    };
    let show = || {
        let setup = |spec: &mut OperatorSpec| {
            spec.input::<Frame>("in");
        };
        op(setup, |_, _, _| Ok(()))
    };
    let mut app = Application::new(["app"]);
    app.add_fragment(fragment("left", [("camera", emit())]));
    app.add_fragment(fragment("right", [("screen", show())]));
    app.add_flow("left", "right", [("camera.out", "screen.in")]);
    let text = &problems(&mut app)[0];
    assert!(text.starts_with("left.camera.out>right.screen.in leads to another fragment, and "), "{text}");
    for part in
        ["Frame", "#[derive(Codec)]", "#[codec(register)]", "spec.register_codec::<Frame>", "register_pod"]
    {
        assert!(text.contains(part), "{text}");
    }

    let mut within = Fragment::new("within");
    within.add_operator("camera", emit());
    within.add_operator("screen", show());
    within.add_flow("camera", "screen", [("out", "in")]);
    let mut app = Application::new(["app"]);
    app.add_fragment(within);
    app.check().expect("within a fragment no codec is needed");
}

#[test]
fn a_name_can_be_given_once() {
    let mut app = Application::new(["app"]);
    app.add_fragment(fragment("left", [("ping", numbers(1))]));
    app.add_fragment(fragment("left", [("ping", numbers(1))]));
    assert_eq!(problems(&mut app), ["there are two: fragment \"left\""]);

    let mut app = Application::new(["app"]);
    app.add_operator("ping", numbers(1));
    app.add_operator("ping", numbers(1));
    assert_eq!(problems(&mut app), ["there are two: operator \"ping\""]);

    let mut app = Application::new(["app"]);
    let setup = |spec: &mut OperatorSpec| {
        spec.output::<u8>("out");
        spec.output::<u8>("out");
        spec.input::<u8>("out").optional();
    };
    app.add_operator("ping", op(setup, |_, _, _| Ok(())));
    assert_eq!(problems(&mut app), ["there are two: output of ping \"out\""]);
}

#[test]
fn the_name_all_is_reserved_for_the_command_line() {
    let mut app = Application::new(["app"]);
    app.add_fragment(fragment("all", [("ping", numbers(1))]));
    assert!(matches!(app.check().unwrap_err().list(), [Problem::Reserved { name }] if name == "all"));
}

#[test]
fn names_cannot_contain_what_separates_names() {
    let long = "n".repeat(65);
    let cases = [
        ("", "it is empty"),
        ("a.b", "the dot separates names"),
        ("a,b", "only letters, digits, `_` and `-` can stand in it"),
        ("a/b", "only letters, digits, `_` and `-` can stand in it"),
        ("a b", "only letters, digits, `_` and `-` can stand in it"),
        ("a\n", "only letters, digits, `_` and `-` can stand in it"),
        (&long, "it is longer than 64 bytes"),
    ];
    for (bad, expected) in cases {
        let mut app = Application::new(["app"]);
        app.add_fragment(fragment(bad, [("ping", numbers(1))]));
        let as_operator = &mut Application::new(["app"]);
        as_operator.add_operator(bad, numbers(1));
        let as_port = &mut Application::new(["app"]);
        let name = bad.to_owned();
        as_port.add_operator("ping", op(move |spec| spec.output::<u8>(&name), |_, _, _| Ok(())));
        for app in [&mut app, as_operator, as_port] {
            let found = app.check().unwrap_err();
            assert!(
                matches!(&found.list()[0], Problem::BadName { name, reason, .. } if name == bad && *reason == expected)
            );
        }
    }
    let mut app = Application::new(["app"]);
    app.add_fragment(fragment("Größe_2-b", [("ping", numbers(1))]));
    app.check().unwrap();
}

#[test]
fn operators_and_fragments_are_not_mixed() {
    let mut app = two_fragments();
    app.add_operator("camera", numbers(1));
    assert_eq!(
        problems(&mut app),
        [
            "an application has either operators or fragments: operators [\"camera\"] were added beside fragments \
          [\"fragment1\", \"fragment2\"]"
        ]
    );
}

#[test]
fn an_input_that_is_not_connected_is_a_mistake() {
    let mut app = Application::new(["app"]);
    app.add_operator("pass", pass());
    assert_eq!(
        problems(&mut app),
        ["input pass.in (u64) is not connected: add a flow to it, or make it `optional()` in `setup`"]
    );
}

#[test]
fn an_application_without_operators_is_a_mistake() {
    assert!(matches!(Application::new(["app"]).check().unwrap_err().list(), [Problem::Nothing]));
    let mut app = Application::new(["app"]);
    app.add_fragment(Fragment::new("empty"));
    assert!(matches!(app.check().unwrap_err().list(), [Problem::Nothing]));
}

#[test]
fn a_connection_can_be_added_once() {
    let mut app = two_fragments();
    app.add_flow("fragment1", "fragment2", [("ping.out", "pong.in")]);
    app.add_flow("fragment1", "fragment2", [("ping.out", "pong.in")]);
    assert_eq!(problems(&mut app), ["fragment1.ping.out>fragment2.pong.in was added twice"]);
}

#[test]
fn an_input_has_room_for_what_it_waits_for() {
    for (capacity, at_least) in [(0, 1), (2, 3)] {
        let mut app = Application::new(["app"]);
        app.add_operator("numbers", numbers(1));
        let setup = move |spec: &mut OperatorSpec| {
            spec.input::<u64>("in").capacity(capacity).at_least(at_least);
        };
        app.add_operator("batch", op(setup, |_, _, _| Ok(())));
        app.add_flow("numbers", "batch", [("out", "in")]);
        match app.check().unwrap_err().list() {
            [Problem::NoCapacity { input }] => assert_eq!((capacity, &**input), (0, "batch.in")),
            [Problem::NeverEnough { input, at_least: 3, capacity: 2 }] => assert_eq!(input, "batch.in"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_error_of_setup_is_told_with_the_name_of_the_operator_and_hides_nothing_else() {
    struct Unset;
    impl podwire_fragment::Operator for Unset {
        fn setup(&mut self, _: &mut OperatorSpec) -> podwire_fragment::Result {
            Err("the model file is missing".into())
        }
        fn compute(
            &mut self,
            _: &mut podwire_fragment::Input,
            _: &mut podwire_fragment::Output,
            _: &mut podwire_fragment::Context,
        ) -> podwire_fragment::Result {
            Ok(())
        }
    }
    let mut app = Application::new(["app"]);
    app.add_operator("unset", Unset);
    app.add_operator("pass", pass());
    app.add_flow("unset", "pass", [("out", "in")]);
    let Err(Error::Composition(found)) = app.run() else { panic!("it cannot run") };
    let text = found.to_string();
    assert!(text.contains("\n  - operator unset: setup failed: the model file is missing"), "{text}");
    assert!(!text.contains("no output"), "its ports are not known: {text}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let mut app = two_fragments();
    app.add_fragment(fragment("fragment2", [("pi.ng", numbers(1))]));
    app.add_flow("fragment1", "fragment9", [("ping.out", "pong.in")]);
    app.add_flow("fragment1", "fragment2", [("ping.outt", "pong.in")]);
    let found = app.check().unwrap_err();
    assert_eq!(found.list().len(), 4, "{found}");
}

#[test]
fn a_composition_can_be_checked_again_after_it_was_mended() {
    let mut app = two_fragments();
    assert_eq!(problems(&mut app).len(), 1);
    app.add_flow("fragment1", "fragment2", [("ping.out", "pong.in")]);
    let graph = app.check().unwrap();
    assert_eq!(app.check().unwrap(), graph, "setup is called once");
    assert_eq!(graph.to_string(), "fragment1.ping.out>fragment2.pong.in\n");
    app.run().unwrap();
}

#[test]
fn a_graph_can_be_sent_to_another_process() {
    let mut app = two_fragments();
    app.add_flow("fragment1", "fragment2", [("ping.out", "pong.in")]);
    let graph = app.check().unwrap();
    let sent: Graph = podwire_codec_core::from_slice(&podwire_codec_core::to_vec(&graph).unwrap()).unwrap();
    assert_eq!(sent.to_string(), graph.to_string());
    assert_eq!(sent.input(&sent.connections[0]).codec.as_ref().unwrap().name, "u64");
    assert_eq!(sent.input(&sent.connections[0]).of.as_ref().unwrap().id, None, "a type is of one process");
}
