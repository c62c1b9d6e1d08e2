//! Messages go where the flows lead, each once, in order.

use std::sync::Arc;

use podwire_fragment::{Application, Ended, Fragment, OperatorSpec};

use crate::support::{Notes, assert_nothing_is_missing, collect, numbers, op, pass};

#[test]
fn twenty_messages_pass_a_line_of_operators_in_order() {
    let notes = Notes::<u64>::new();
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(20));
    app.add_operator("pass", pass());
    app.add_operator("collect", collect(&notes));
    app.add_flow("numbers", "pass", [("out", "in")]);
    app.add_flow("pass", "collect", [("out", "in")]);
    let report = app.run().unwrap();

    assert_eq!(*notes.list(), (0..20).collect::<Vec<_>>());
    assert_eq!(report.ended, Ended::Done);
    let pass = report.operator("pass").unwrap();
    assert_eq!((pass.ticks, pass.received, pass.emitted), (20, 20, 20));
    assert_nothing_is_missing(&report);
}

#[test]
fn a_million_messages_arrive_once_and_in_order() {
    let mut app = Application::new(["app"]);
    let setup = |spec: &mut OperatorSpec| {
        spec.output::<u64>("out");
        spec.count(1000);
    };
    let thousands = op(setup, |_, output, context| {
        let thousand = 1000 * context.tick()..1000 * (context.tick() + 1);
        Ok(thousand.into_iter().try_for_each(|number| output.emit("out", number))?)
    });
    app.add_operator("numbers", thousands);
    let mut next = 0;
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in").capacity(256);
    };
    let check = move |input: &mut podwire_fragment::Input, _: &mut _, _: &mut _| {
        while let Some(number) = input.try_receive::<u64>("in")? {
            assert_eq!(*number, next);
            next += 1;
        }
        Ok(())
    };
    app.add_operator("check", op(setup, check));
    app.add_flow("numbers", "check", [("out", "in")]);
    let report = app.run().unwrap();
    assert_eq!(report.operator("check").unwrap().received, 1_000_000);
    assert_nothing_is_missing(&report);
}

#[test]
fn an_application_of_fragments_runs_in_one_process() {
    let notes = Notes::<u64>::new();
    let mut left = Fragment::new("left");
    left.add_operator("numbers", numbers(5));
    left.add_operator("pass", pass());
    left.add_flow("numbers", "pass", [("out", "in")]);
    let mut right = Fragment::new("right");
    right.add_operator("collect", collect(&notes));
    let mut app = Application::new(["app"]);
    app.add_fragment(left);
    app.add_fragment(right);
    app.add_flow("left", "right", [("pass.out", "collect.in")]);
    let report = app.run().unwrap();
    assert_eq!(*notes.list(), [0, 1, 2, 3, 4]);
    let counts = report.connection("left.pass.out>right.collect.in").unwrap().counts;
    assert_eq!((counts.sent, counts.received), (5, 5));
}

#[test]
fn fragments_that_are_not_connected_run_side_by_side() {
    let notes = Notes::<u64>::new();
    let mut app = Application::new(["app"]);
    for name in ["left", "right"] {
        let mut fragment = Fragment::new(name);
        fragment.add_operator("numbers", numbers(3));
        fragment.add_operator("collect", collect(&notes));
        fragment.add_flow("numbers", "collect", [("out", "in")]);
        app.add_fragment(fragment);
    }
    app.run().unwrap();
    let mut seen = notes.list().clone();
    seen.sort_unstable();
    assert_eq!(seen, [0, 0, 1, 1, 2, 2]);
}

#[test]
fn a_broadcast_gives_every_receiver_everything() {
    let all: Vec<Notes> = (0..5).map(|_| Notes::new()).collect();
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(50));
    for (at, notes) in all.iter().enumerate() {
        app.add_operator(format!("collect{at}"), collect(notes));
        app.add_flow("numbers", format!("collect{at}"), [("out", "in")]);
    }
    let report = app.run().unwrap();
    for notes in &all {
        assert_eq!(*notes.list(), (0..50).collect::<Vec<_>>());
    }
    assert_eq!(report.operator("numbers").unwrap().emitted, 50);
    assert_nothing_is_missing(&report);
}

#[test]
fn many_outputs_lead_to_one_input_and_each_keeps_its_order() {
    let notes = Notes::<u64>::new();
    let mut app = Application::new(["app"]);
    app.add_operator("collect", collect(&notes));
    for at in 0..8 {
        let setup = |spec: &mut OperatorSpec| {
            spec.output::<u64>("out");
            spec.count(100);
        };
        let emit = op(setup, move |_, output, context| Ok(output.emit("out", at * 1000 + context.tick())?));
        app.add_operator(format!("numbers{at}"), emit);
        app.add_flow(format!("numbers{at}"), "collect", [("out", "in")]);
    }
    app.run().unwrap();
    let notes = notes.list();
    assert_eq!(notes.len(), 800);
    for at in 0..8 {
        let of_one: Vec<u64> = notes.iter().filter(|number| **number / 1000 == at).copied().collect();
        assert_eq!(of_one, (at * 1000..at * 1000 + 100).collect::<Vec<_>>());
    }
}

#[test]
fn a_busy_sender_keeps_no_other_waiting() {
    let notes = Notes::<u64>::new();
    let both_wait = Arc::new(std::sync::Barrier::new(3));
    let mut app = Application::new(["app"]);
    for at in 0..2_u64 {
        let both_wait = Arc::clone(&both_wait);
        let setup = |spec: &mut OperatorSpec| {
            spec.output::<u64>("out");
            spec.count(1);
        };
        let fill = op(setup, move |_, output, _| {
            for _ in 0..10 {
                output.emit("out", at)?;
            }
            both_wait.wait();
            Ok(())
        });
        app.add_operator(format!("fill{at}"), fill);
    }
    let taken = notes.clone();
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in").capacity(10);
    };
    let collect = op(setup, move |input, _, context| {
        if context.tick() == 0 {
            both_wait.wait();
        }
        taken.note(*input.receive("in")?);
        Ok(())
    });
    app.add_operator("collect", collect);
    app.add_flow("fill0", "collect", [("out", "in")]);
    app.add_flow("fill1", "collect", [("out", "in")]);
    app.run().unwrap();
    assert_eq!(*notes.list(), [0, 1].repeat(10), "they take turns");
}

#[test]
fn one_run_emits_several_messages_at_several_outputs() {
    let (even, odd) = (Notes::new(), Notes::new());
    let mut app = Application::new(["app"]);
    let setup = |spec: &mut OperatorSpec| {
        spec.output::<u64>("even");
        spec.output::<u64>("odd");
        spec.count(3);
    };
    let split = op(setup, |_, output, context| {
        for number in 4 * context.tick()..4 * context.tick() + 4 {
            output.emit(if number % 2 == 0 { "even" } else { "odd" }, number)?;
        }
        Ok(())
    });
    app.add_operator("split", split);
    app.add_operator("even", collect(&even));
    app.add_operator("odd", collect(&odd));
    app.add_flow("split", "even", [("even", "in")]);
    app.add_flow("split", "odd", [("odd", "in")]);
    app.run().unwrap();
    assert_eq!(*even.list(), [0, 2, 4, 6, 8, 10]);
    assert_eq!(*odd.list(), [1, 3, 5, 7, 9, 11]);
}

#[test]
fn a_mixed_topology_delivers_everything_once() {
    // One source to two ways of different length, both to one that joins them by input.
    let notes = Notes::<u64>::new();
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(100));
    app.add_operator("short", pass());
    app.add_operator("long1", pass());
    app.add_operator("long2", pass());
    let sums = notes.clone();
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("left");
        spec.input::<u64>("right");
    };
    let join = op(setup, move |input, _, _| {
        let (left, right) = (input.receive::<u64>("left")?, input.receive::<u64>("right")?);
        assert_eq!(*left, *right);
        sums.note(*left + *right);
        Ok(())
    });
    app.add_operator("join", join);
    app.add_flow("numbers", "short", [("out", "in")]);
    app.add_flow("numbers", "long1", [("out", "in")]);
    app.add_flow("long1", "long2", [("out", "in")]);
    app.add_flow("short", "join", [("out", "left")]);
    app.add_flow("long2", "join", [("out", "right")]);
    let report = app.run().unwrap();
    assert_eq!(*notes.list(), (0..100).map(|number| 2 * number).collect::<Vec<_>>());
    assert_nothing_is_missing(&report);
}

#[test]
fn two_outputs_can_lead_to_one_operator_and_one_output_to_two_of_its_inputs() {
    let notes = Notes::<u64>::new();
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(10));
    let sums = notes.clone();
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("left");
        spec.input::<u64>("right");
    };
    let join = op(setup, move |input, _, _| {
        sums.note(*input.receive::<u64>("left")? + *input.receive::<u64>("right")?);
        Ok(())
    });
    app.add_operator("join", join);
    app.add_flow("numbers", "join", [("out", "left"), ("out", "right")]);
    app.run().unwrap();
    assert_eq!(*notes.list(), (0..10).map(|number| 2 * number).collect::<Vec<_>>());
}
