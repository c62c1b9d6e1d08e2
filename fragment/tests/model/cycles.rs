//! Operators that feed each other: they end when nothing is on its way between them any more.

use std::time::Duration;

use podwire_fragment::{
    Application, EmitError, Ended, Error, OperatorSpec,
    run::{Because, During},
};

use crate::support::{Notes, assert_nothing_is_missing, collect, numbers, op, pass};

/// Takes numbers from outside and from the cycle, and sends each on until it was halved to 0.
fn halve() -> crate::support::Op {
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in");
        spec.input::<u64>("back").capacity(1000);
        spec.output::<u64>("out");
        spec.when_any_input();
    };
    op(setup, |input, output, _| {
        for port in ["in", "back"] {
            if let Some(number) = input.try_receive::<u64>(port)?.filter(|number| **number > 0) {
                output.emit("out", *number / 2)?;
            }
        }
        Ok(())
    })
}

#[test]
fn a_cycle_ends_when_nothing_comes_from_outside_and_nothing_is_in_it() {
    for around in [0, 1, 5] {
        let mut app = Application::new(["app"]);
        app.add_operator("numbers", numbers(100));
        app.add_operator("halve", halve());
        app.add_flow("numbers", "halve", [("out", "in")]);
        let mut before = "halve".to_owned();
        for at in 0..around {
            let name = format!("pass{at}");
            app.add_operator(&name, pass());
            app.add_flow(&before, &name, [("out", "in")]);
            before = name;
        }
        app.add_flow(&before, "halve", [("out", "back")]);
        let report = app.run().unwrap();
        // The halvings of 0 to 99.
        let emitted: u64 = (1..100_u64).map(|number| u64::from(number.ilog2()) + 1).sum();
        assert_eq!(report.operator("halve").unwrap().emitted, emitted);
        assert_nothing_is_missing(&report);
        assert_eq!(report.connections.iter().map(|it| it.counts.dropped).sum::<u64>(), 0);
        assert_eq!(report.operator("halve").unwrap().because, Because::CycleEnded);
    }
}

#[test]
fn a_cycle_that_lacks_a_message_for_good_ends_although_others_wait_in_it() {
    // `join` needs both; of `back` there is one less.
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(3));
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in");
        spec.input::<u64>("back");
        spec.output::<u64>("out");
    };
    let join = op(setup, |input, output, _| {
        input.receive::<u64>("in")?;
        Ok(output.emit_message("out", input.receive_any("back")?)?)
    });
    app.add_operator("join", join);
    app.add_operator("pass", pass());
    app.add_flow("numbers", "join", [("out", "in")]);
    app.add_flow("join", "pass", [("out", "in")]);
    app.add_flow("pass", "join", [("out", "back")]);
    let report = app.run().unwrap();
    assert_eq!(report.operator("join").unwrap().ticks, 0);
    assert_eq!(report.connections[0].counts.dropped, 3);
}

#[test]
fn what_leaves_a_cycle_arrives_before_those_behind_it_end() {
    let notes = Notes::<u64>::new();
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(8));
    app.add_operator("halve", halve());
    app.add_operator("collect", collect(&notes));
    app.add_flow("numbers", "halve", [("out", "in")]);
    app.add_flow("halve", "halve", [("out", "back")]);
    app.add_flow("halve", "collect", [("out", "in")]);
    app.run().unwrap();
    let mut seen = notes.list().clone();
    seen.sort_unstable();
    // 1>0  2>1>0  3>1>0  4>2>1>0  5>2>1>0  6>3>1>0  7>3>1>0
    assert_eq!(seen, [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3]);
}

#[test]
fn a_cycle_whose_operators_all_wait_for_room_is_an_error_that_names_them() {
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(1));
    // Each message makes two of itself.
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in");
        spec.input::<u64>("back").capacity(3);
        spec.output::<u64>("out");
        spec.when_any_input();
    };
    let double = op(setup, |input, output, _| {
        for port in ["in", "back"] {
            if let Some(message) = input.try_receive_any(port)? {
                output.emit_message("out", message.clone())?;
                output.emit_message("out", message)?;
            }
        }
        Ok(())
    });
    app.add_operator("double", double);
    app.add_operator("pass", pass());
    app.add_flow("numbers", "double", [("out", "in")]);
    app.add_flow("double", "pass", [("out", "in")]);
    app.add_flow("pass", "double", [("out", "back")]);
    let Err(Error::Failed(report)) = app.run() else { panic!("it cannot go on") };
    for failure in &report.failures {
        assert_eq!(failure.during, During::Compute);
        assert!(matches!(
            failure.error.as_ref().unwrap().downcast_ref(),
            Some(EmitError::Deadlock { connection }) if connection.contains("double") && connection.contains("pass")
        ));
    }
    assert!(!report.failures.is_empty());
}

#[test]
fn a_ring_that_never_ends_by_itself_is_stopped() {
    for fed in [false, true] {
        let mut app = Application::new(["app"]);
        let setup = |spec: &mut OperatorSpec| {
            spec.input::<u64>("in").optional();
            spec.input::<u64>("outside").optional();
            spec.output::<u64>("out");
            spec.period(Duration::from_micros(100));
        };
        let first = op(setup, |input, output, context| {
            let number = input.try_receive::<u64>("in")?.map_or(0, |number| *number);
            input.try_receive::<u64>("outside")?;
            if context.tick() < 3 || number > 0 {
                output.emit("out", number + 1)?;
            }
            Ok(())
        });
        app.add_operator("first", first);
        app.add_operator("second", pass());
        app.add_flow("first", "second", [("out", "in")]);
        app.add_flow("second", "first", [("out", "in")]);
        if fed {
            app.add_operator("numbers", crate::support::endless()).period(Duration::from_micros(200));
            app.add_flow("numbers", "first", [("out", "outside")]);
        }
        let running = app.start().unwrap();
        while running.snapshot().operators[0].ticks < 20 {
            std::thread::yield_now();
        }
        running.stop();
        let report = running.wait();
        assert_eq!(report.ended, Ended::Stopped { operator: String::new() }, "{:?}", report.failures);
        assert_nothing_is_missing(&report);
    }
}
