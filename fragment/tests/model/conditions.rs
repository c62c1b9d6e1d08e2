//! Operators run when their conditions hold, and not else.

use std::{
    sync::{Arc, Barrier},
    time::{Duration, Instant},
};

use podwire_fragment::{Application, OperatorSpec};

use crate::support::{Notes, numbers, op};

#[test]
fn an_operator_runs_as_often_as_its_count_says() {
    for count in [0, 1, 7] {
        let mut app = Application::new(["app"]);
        app.add_operator(
            "counted",
            op(
                move |spec| {
                    spec.count(count);
                },
                |_, _, _| Ok(()),
            ),
        );
        assert_eq!(app.run().unwrap().operator("counted").unwrap().ticks, count);
    }
}

#[test]
fn a_composition_says_count_and_period_in_the_place_of_the_operator() {
    let mut app = Application::new(["app"]);
    let setup = |spec: &mut OperatorSpec| {
        spec.count(1_000_000).period(Duration::from_secs(1000));
    };
    app.add_operator("counted", op(setup, |_, _, _| Ok(()))).count(5).period(Duration::ZERO);
    assert_eq!(app.run().unwrap().operator("counted").unwrap().ticks, 5);
}

#[test]
fn runs_begin_at_multiples_of_the_period_and_those_that_were_missed_are_left_out() {
    const PERIOD: Duration = Duration::from_millis(20);
    let begins = Notes::<Duration>::new();
    let noted = begins.clone();
    let mut app = Application::new(["app"]);
    let mut first = None;
    let compute = move |_: &mut _, _: &mut _, context: &mut podwire_fragment::Context| {
        let first = *first.get_or_insert_with(Instant::now);
        noted.note(first.elapsed());
        if context.tick() == 2 {
            std::thread::sleep(PERIOD * 5 / 2);
        }
        Ok(())
    };
    app.add_operator(
        "periodic",
        op(
            |spec| {
                spec.count(6).period(PERIOD);
            },
            compute,
        ),
    );
    app.run().unwrap();
    // None is early, whatever the machine does: 0, 1, 2; the one that is late at 4.5; then the multiples after it.
    let begins = begins.list();
    let slack = Duration::from_millis(2);
    for (begin, earliest) in begins.iter().zip([0, 20, 40, 90, 100, 120]) {
        assert!(*begin + slack >= Duration::from_millis(earliest), "{begins:?}");
    }
}

#[test]
fn an_operator_with_a_period_drops_nothing_that_it_receives() {
    let notes = Notes::<u64>::new();
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(5));
    app.add_operator("collect", crate::support::collect(&notes)).period(Duration::from_millis(2));
    app.add_flow("numbers", "collect", [("out", "in")]);
    app.run().unwrap();
    assert_eq!(*notes.list(), [0, 1, 2, 3, 4]);
}

#[test]
fn all_inputs_must_have_a_message() {
    let mut app = Application::new(["app"]);
    app.add_operator("left", numbers(10));
    app.add_operator("right", numbers(10)).period(Duration::from_millis(1));
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("left");
        spec.input::<u64>("right");
    };
    let join = op(setup, |input, _, _| {
        assert!(input.waiting("left") > 0 && input.waiting("right") > 0);
        assert_eq!(*input.receive::<u64>("left")?, *input.receive::<u64>("right")?);
        Ok(())
    });
    app.add_operator("join", join);
    app.add_flow("left", "join", [("out", "left")]);
    app.add_flow("right", "join", [("out", "right")]);
    assert_eq!(app.run().unwrap().operator("join").unwrap().ticks, 10);
}

#[test]
fn any_input_is_enough_when_it_was_said_so() {
    let notes = Notes::<u64>::new();
    let hold = Arc::new(Barrier::new(2));
    let mut app = Application::new(["app"]);
    app.add_operator("early", numbers(3));
    let held = Arc::clone(&hold);
    // It sends only after everything of the other one was received.
    let late = numbers(2).start(move |_| {
        held.wait();
        Ok(())
    });
    app.add_operator("late", late);
    let taken = notes.clone();
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("early");
        spec.input::<u64>("late");
        spec.when_any_input();
    };
    let merge = op(setup, move |input, _, _| {
        for port in ["early", "late"] {
            if let Some(number) = input.try_receive::<u64>(port)? {
                taken.note(*number);
            }
        }
        if taken.list().len() == 3 && !input.is_closed("late") && input.waiting("late") == 0 {
            hold.wait();
        }
        Ok(())
    });
    app.add_operator("merge", merge);
    app.add_flow("early", "merge", [("out", "early")]);
    app.add_flow("late", "merge", [("out", "late")]);
    app.run().unwrap();
    assert_eq!(*notes.list(), [0, 1, 2, 0, 1]);
}

#[test]
fn an_operator_waits_for_several_messages_and_takes_the_rest_at_the_end() {
    let sizes = Notes::new();
    let taken = sizes.clone();
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(10));
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in").at_least(4);
    };
    let batch = op(setup, move |input, _, _| {
        let mut size = 0;
        while size < 4 && input.try_receive::<u64>("in")?.is_some() {
            size += 1;
        }
        taken.note(size);
        Ok(())
    });
    app.add_operator("batch", batch);
    app.add_flow("numbers", "batch", [("out", "in")]);
    app.run().unwrap();
    assert_eq!(*sizes.list(), [4, 4, 2]);
}

#[test]
fn an_optional_input_is_not_waited_for_and_need_not_be_connected() {
    let mut app = Application::new(["app"]);
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("hint").optional();
        spec.count(3);
    };
    let alone = op(setup, |input, _, _| {
        assert!(input.try_receive::<u64>("hint")?.is_none());
        assert!(input.is_closed("hint"));
        Ok(())
    });
    app.add_operator("alone", alone);
    assert_eq!(app.run().unwrap().operator("alone").unwrap().ticks, 3);
}
