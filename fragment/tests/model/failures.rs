//! An operator that fails ends the application in order, with its name and what it said.

use std::{
    fmt, io,
    sync::{Arc, Barrier},
    time::Duration,
};

use podwire_fragment::{
    Application, Ended, Error, Report,
    run::{Because, During},
};

use crate::support::{Notes, Op, assert_nothing_is_missing, collect, endless, numbers, op, pass};

#[derive(Debug)]
struct Broken(io::Error);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the camera is gone")
    }
}

impl std::error::Error for Broken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// A source, an operator, and one behind it.
fn around(operator: Op) -> (Application, Notes<&'static str>) {
    let order = Notes::new();
    let noting = |name: &'static str| {
        let order = order.clone();
        move |_: &mut _| {
            order.note(name);
            Ok(())
        }
    };
    let mut app = Application::new(["app"]);
    app.add_operator("source", endless().stop(noting("source")));
    app.add_operator("middle", operator);
    app.add_operator("sink", collect(&Notes::new()).stop(noting("sink")));
    app.add_flow("source", "middle", [("out", "in")]);
    app.add_flow("middle", "sink", [("out", "in")]);
    (app, order)
}

fn failed(app: Application) -> (Box<Report>, String) {
    let error = app.run().unwrap_err();
    let text = error.to_string();
    let Error::Failed(report) = error else { panic!("{error}") };
    assert_nothing_is_missing(&report);
    assert_eq!(report.ended, Ended::Failed);
    (report, text)
}

#[test]
fn an_error_ends_the_application_with_the_name_of_the_operator_and_all_causes() {
    let middle = op(
        |spec| {
            spec.input::<u64>("in");
            spec.output::<u64>("out");
        },
        |input, output, context| {
            output.emit_message("out", input.receive_any("in")?)?;
            if context.tick() == 5 {
                return Err(Broken(io::Error::other("no cable")).into());
            }
            Ok(())
        },
    );
    let (app, order) = around(middle);
    let (report, text) = failed(app);
    assert_eq!(text, "middle failed: the camera is gone: no cable");
    assert_eq!(report.failures.len(), 1);
    let failure = &report.failures[0];
    assert_eq!(failure.causes, ["the camera is gone", "no cable"]);
    assert!(failure.error.as_ref().unwrap().downcast_ref::<Broken>().is_some());
    assert_eq!(report.operator("middle").unwrap().because, Because::Failed);
    assert_eq!(report.operator("sink").unwrap().received, 6, "what was emitted before is still computed");
    let order = order.list();
    assert!(order.contains(&"source") && order.contains(&"sink"), "the others are stopped: {order:?}");
}

#[test]
fn a_panic_ends_the_application_with_its_message() {
    let middle = op(
        |spec| {
            spec.input::<u64>("in");
            spec.output::<u64>("out");
        },
        |input, _, _| {
            let number = *input.receive::<u64>("in")?;
            panic!("number {number} is too much");
        },
    );
    let (app, order) = around(middle);
    let (report, text) = failed(app);
    assert_eq!(text, "middle panicked in `compute`: number 0 is too much");
    assert!(report.failures[0].error.is_none());
    assert_eq!(order.list().len(), 2);
}

#[test]
fn start_and_stop_and_drop_can_fail_or_panic_too() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let bomb = Bomb;
    let cases: [(Op, During, &str); 5] = [
        (pass().start(|_| Err("no device".into())), During::Start, "middle failed to start: no device"),
        (pass().start(|_| panic!("no device")), During::StartPanic, "middle panicked in `start`: no device"),
        (pass().stop(|_| Err("disk full".into())), During::Stop, "middle failed to stop: disk full"),
        (pass().stop(|_| panic!("disk full")), During::StopPanic, "middle panicked in `stop`: disk full"),
        (
            pass().stop(move |_| {
                let _ = &bomb;
                Ok(())
            }),
            During::StopPanic,
            "middle panicked in `stop`: dropped",
        ),
    ];
    for (middle, during, expected) in cases {
        let (mut app, _) = around(middle);
        app.add_operator("watch", numbers(1)).period(Duration::from_millis(1));
        let running = app.start().unwrap();
        std::thread::sleep(Duration::from_millis(2));
        running.stop();
        let report = running.wait();
        assert_eq!(report.ended, Ended::Failed);
        assert_eq!(report.failures[0].during, during);
        assert_eq!(report.failures[0].to_string(), expected);
        assert_nothing_is_missing(&report);
    }
}

#[test]
fn stop_is_not_called_where_start_failed_and_is_where_compute_did() {
    let order = Notes::<&'static str>::new();
    let noting = |name: &'static str| {
        let order = order.clone();
        move |_: &mut podwire_fragment::Context| {
            order.note(name);
            Ok(())
        }
    };
    let mut app = Application::new(["app"]);
    app.add_operator("unstarted", numbers(1).start(|_| Err("no".into())).stop(noting("unstarted")));
    let _ = app.run().unwrap_err();
    let mut app = Application::new(["app"]);
    app.add_operator("failing", op(|_| (), |_, _, _| Err("no".into())).stop(noting("failing")));
    let _ = app.run().unwrap_err();
    assert_eq!(*order.list(), ["failing"]);
}

#[test]
fn of_several_failures_all_are_told_the_first_one_first() {
    let both = Arc::new(Barrier::new(2));
    let mut app = Application::new(["app"]);
    for name in ["left", "right"] {
        let both = Arc::clone(&both);
        let fail = op(
            |_| (),
            move |_, _, _| {
                both.wait();
                Err("no".into())
            },
        );
        app.add_operator(name, fail);
    }
    let (report, _) = failed(app);
    let mut names: Vec<_> = report.failures.iter().map(|failure| &*failure.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["left", "right"]);
}

#[test]
fn an_operator_that_does_not_return_is_named_after_the_grace_period() {
    let mut app = Application::new(["app"]);
    app.grace_period(Duration::from_millis(20));
    let (hold, held) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (holding, begun) = (Arc::clone(&hold), Arc::clone(&held));
    let endless = op(
        |spec| spec.output::<u64>("out"),
        move |_, _, _| {
            begun.wait();
            holding.wait();
            Ok(())
        },
    );
    app.add_operator("deaf", endless);
    app.add_operator("collect", collect(&Notes::new()));
    app.add_flow("deaf", "collect", [("out", "in")]);
    let running = app.start().unwrap();
    held.wait();
    running.stop();
    let report = running.wait();
    hold.wait();
    assert_eq!(report.ended, Ended::Failed);
    assert_eq!(report.failures.len(), 1);
    assert_eq!((&*report.failures[0].name, report.failures[0].during), ("deaf", During::Ending));
    assert_eq!(report.operator("deaf").unwrap().because, Because::NotEnded);
    assert_eq!(report.operator("collect").unwrap().because, Because::Stopping);
}

#[test]
fn after_the_grace_period_what_waits_is_dropped() {
    let mut app = Application::new(["app"]);
    app.grace_period(Duration::from_millis(20));
    app.add_operator("numbers", numbers(8));
    let slow = op(
        |spec| {
            spec.input::<u64>("in").capacity(8);
        },
        |input, _, context| {
            while !context.is_stopping() {
                std::thread::yield_now();
            }
            std::thread::sleep(Duration::from_millis(15));
            input.receive::<u64>("in").map(drop).map_err(Into::into)
        },
    );
    app.add_operator("slow", slow);
    app.add_flow("numbers", "slow", [("out", "in")]);
    let running = app.start().unwrap();
    while running.snapshot().operators[1].ticks == 0 {
        std::thread::yield_now();
    }
    running.stop();
    let report = running.wait();
    let counts = report.connections[0].counts;
    assert!(counts.dropped > 0, "{counts:?}");
    assert_nothing_is_missing(&report);
    assert_eq!(report.operator("slow").unwrap().because, Because::Stopping);
}
