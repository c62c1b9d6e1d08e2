//! How an application ends: from its sources down, and nothing that was emitted is left behind.

use std::{
    sync::{Arc, Barrier},
    time::{Duration, Instant},
};

use podwire_fragment::{Application, Ended, OperatorSpec, run::Because};

use crate::support::{Notes, assert_nothing_is_missing, collect, endless, numbers, op, pass};

#[test]
fn an_operator_that_says_finish_ends_and_those_behind_it_after_its_last_message() {
    let notes = Notes::<u64>::new();
    let mut app = Application::new(["app"]);
    let emit = op(
        |spec| spec.output::<u64>("out"),
        |_, output, context| {
            output.emit("out", context.tick())?;
            if context.tick() == 4 {
                context.finish();
            }
            Ok(())
        },
    );
    app.add_operator("emit", emit);
    app.add_operator("collect", collect(&notes));
    app.add_flow("emit", "collect", [("out", "in")]);
    let report = app.run().unwrap();
    assert_eq!(*notes.list(), [0, 1, 2, 3, 4]);
    assert_eq!(report.operator("emit").unwrap().because, Because::Finished);
    assert_eq!(report.operator("collect").unwrap().because, Because::InputsClosed);
}

#[test]
fn an_operator_that_nobody_listens_to_any_more_ends_too() {
    let mut app = Application::new(["app"]);
    app.add_operator("endless", endless());
    app.add_operator("pass", pass());
    app.add_operator("three", collect(&Notes::new())).count(3);
    app.add_operator("five", collect(&Notes::new())).count(5);
    app.add_flow("endless", "pass", [("out", "in")]);
    app.add_flow("pass", "three", [("out", "in")]);
    app.add_flow("pass", "five", [("out", "in")]);
    let report = app.run().unwrap();
    assert_eq!(report.ended, Ended::Done);
    assert_eq!(report.operator("pass").unwrap().because, Because::Unheard);
    assert_eq!(report.operator("endless").unwrap().because, Because::Unheard);
    assert_eq!(report.operator("five").unwrap().received, 5);
    assert_nothing_is_missing(&report);
}

#[test]
fn with_all_inputs_the_first_that_is_closed_and_empty_ends_the_operator_with_any_the_last() {
    for any in [false, true] {
        let mut app = Application::new(["app"]);
        app.add_operator("three", numbers(3));
        app.add_operator("five", numbers(5));
        let setup = move |spec: &mut OperatorSpec| {
            spec.input::<u64>("three");
            spec.input::<u64>("five");
            if any {
                spec.when_any_input();
            }
        };
        let join = op(setup, |input, _, _| {
            input.try_receive::<u64>("three")?;
            input.try_receive::<u64>("five")?;
            Ok(())
        });
        app.add_operator("join", join);
        app.add_flow("three", "join", [("out", "three")]);
        app.add_flow("five", "join", [("out", "five")]);
        let report = app.run().unwrap();
        assert_eq!(report.operator("join").unwrap().received, if any { 8 } else { 6 });
        assert_nothing_is_missing(&report);
    }
}

#[test]
fn stop_application_ends_the_sources_and_what_they_emitted_is_still_computed() {
    let notes = Notes::<u64>::new();
    let mut app = Application::new(["app"]);
    app.add_operator("endless", endless());
    app.add_operator("pass", pass());
    app.add_operator("collect", collect(&notes));
    app.add_operator(
        "watch",
        op(
            |_| (),
            |_, _, context| {
                context.stop_application();
                context.finish();
                assert!(context.is_stopping());
                Ok(())
            },
        ),
    )
    .period(Duration::from_millis(5));
    app.add_flow("endless", "pass", [("out", "in")]);
    app.add_flow("pass", "collect", [("out", "in")]);
    let report = app.run().unwrap();
    assert_eq!(report.ended, Ended::Stopped { operator: "watch".into() });
    assert_eq!(report.operator("endless").unwrap().because, Because::Stopping);
    let received = notes.list();
    assert_eq!(*received, (0..received.len() as u64).collect::<Vec<_>>());
    // What a source could not emit any more is not emitted; everything else has arrived.
    for connection in &report.connections {
        assert_eq!(connection.counts.sent, connection.counts.received, "{connection:?}");
    }
}

#[test]
fn stop_is_called_roots_first_and_once_for_each_operator_that_was_started() {
    let order = Notes::<&'static str>::new();
    let noting = |name: &'static str| {
        let order = order.clone();
        move |_: &mut _| {
            order.note(name);
            Ok(())
        }
    };
    let mut app = Application::new(["app"]);
    // Added in another order than they are connected.
    app.add_operator("last", collect(&Notes::new()).stop(noting("last")));
    app.add_operator("middle", pass().stop(noting("middle")));
    app.add_operator("first", endless().stop(noting("first")));
    app.add_flow("first", "middle", [("out", "in")]);
    app.add_flow("middle", "last", [("out", "in")]);
    let running = app.start().unwrap();
    std::thread::sleep(Duration::from_millis(5));
    running.stop();
    let _ = running.wait();
    assert_eq!(*order.list(), ["first", "middle", "last"]);
}

#[test]
fn a_source_that_waits_for_room_is_released_when_the_application_stops() {
    let hold = Arc::new(Barrier::new(2));
    let mut app = Application::new(["app"]);
    let errors = Notes::<String>::new();
    let noted = errors.clone();
    let source = op(
        |spec| spec.output::<u64>("out"),
        move |_, output, _| {
            let sent = output.emit("out", 1_u64);
            if let Err(error) = &sent {
                noted.note(error.to_string());
            }
            Ok(sent?)
        },
    );
    app.add_operator("source", source);
    let held = Arc::clone(&hold);
    let stuck = op(
        |spec| {
            spec.input::<u64>("in").capacity(1);
        },
        move |input, _, context| {
            if context.tick() == 0 {
                held.wait();
            }
            input.receive::<u64>("in")?;
            Ok(())
        },
    );
    app.add_operator("stuck", stuck);
    app.add_flow("source", "stuck", [("out", "in")]);
    let running = app.start().unwrap();
    while running.snapshot().operators[0].state != podwire_fragment::run::OperatorState::Blocked {
        std::thread::yield_now();
    }
    running.stop();
    while errors.list().is_empty() {
        std::thread::yield_now();
    }
    hold.wait();
    let report = running.wait();
    assert_eq!(report.ended, Ended::Stopped { operator: String::new() }, "it is no failure");
    assert!(errors.list()[0].ends_with("the application is being stopped"));
    assert_eq!(report.operator("source").unwrap().because, Because::Stopping);
    assert_nothing_is_missing(&report);
}

#[test]
fn an_operator_that_sleeps_until_its_time_is_woken_by_the_end() {
    let mut app = Application::new(["app"]);
    app.add_operator("rare", numbers(u64::MAX)).period(Duration::from_secs(1000));
    let running = app.start().unwrap();
    while running.snapshot().operators[0].ticks == 0 {
        std::thread::yield_now();
    }
    let begin = Instant::now();
    running.stop();
    let _ = running.wait();
    assert!(begin.elapsed() < Duration::from_secs(100));
}

#[test]
fn an_application_that_was_done_before_it_was_stopped_has_ended_as_if_it_was_not() {
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(3));
    let running = app.start().unwrap();
    assert_eq!(running.wait().ended, Ended::Done);
    assert_eq!(running.wait().operator("numbers").unwrap().ticks, 3, "it can be asked again");
}

#[test]
fn what_a_receiver_that_ended_left_unread_counts_as_dropped() {
    let sent = Arc::new(Barrier::new(2));
    let mut app = Application::new(["app"]);
    let all_sent = Arc::clone(&sent);
    let four = op(
        |spec| {
            spec.output::<u64>("out");
            spec.count(1);
        },
        move |_, output, _| {
            (0..4_u64).try_for_each(|number| output.emit("out", number))?;
            all_sent.wait();
            Ok(())
        },
    );
    app.add_operator("four", four);
    let one = collect(&Notes::new()).start(move |_| {
        sent.wait();
        Ok(())
    });
    app.add_operator("one", one).count(1);
    app.add_flow("four", "one", [("out", "in")]);
    let report = app.run().unwrap();
    let counts = report.connections[0].counts;
    assert_eq!((counts.sent, counts.received, counts.dropped), (4, 1, 3));
}
