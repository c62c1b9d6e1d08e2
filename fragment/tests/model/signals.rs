//! Ctrl-C and SIGTERM: an application ends in order, and quietly.
//!
//! A child is this test binary, started again with the name of a role; it talks by lines that begin with `@`.

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    os::unix::process::ExitStatusExt,
    process::{Child, ChildStdout, Command, ExitCode, ExitStatus, Stdio},
    time::Duration,
};

use podwire_fragment::{Application, Ended};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Notes, collect, endless, numbers, op};

const ROLE: &str = "PODWIRE_TEST_SIGNALS_ROLE";

/// A child process, killed with its test.
struct Actor {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Actor {
    fn play(role: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "signals::a_child_plays_its_role", "--nocapture"])
            .env(ROLE, role)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn says(&mut self, expected: &str) {
        let line =
            self.lines.by_ref().map(Result::unwrap).find(|line| line.contains('@')).expect("it is gone");
        assert!(line.ends_with(expected), "{line}");
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn ends(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_child_plays_its_role() {
    let Ok(role) = env::var(ROLE) else { return };
    let mut app = Application::new(["app"]);
    match &*role {
        "endless" => {
            let announced = endless().start(|_| {
                println!("@started");
                Ok(())
            });
            app.add_operator(
                "endless",
                announced.stop(|_| {
                    println!("@source stopped");
                    Ok(())
                }),
            );
            app.add_operator(
                "collect",
                collect(&Notes::new()).stop(|_| {
                    println!("@sink stopped");
                    Ok(())
                }),
            );
            app.add_flow("endless", "collect", [("out", "in")]);
            let code = app.main();
            let expected = [130, 143].map(ExitCode::from);
            println!("@{}", expected.iter().position(|it| *it == code).map_or(0, |at| [130, 143][at]));
        }
        "deaf" => {
            let deaf = op(
                |_| (),
                |_, _, _| {
                    println!("@started");
                    loop {
                        std::thread::sleep(Duration::from_secs(1));
                    }
                },
            );
            app.add_operator("deaf", deaf);
            app.add_operator(
                "ends",
                endless().stop(|_| {
                    println!("@others stopped");
                    Ok(())
                }),
            );
            let _ = app.run();
        }
        "done" => {
            app.add_operator("numbers", numbers(1));
            assert_eq!(app.run().unwrap().ended, Ended::Done);
            println!("@done");
            std::thread::sleep(Duration::from_secs(100));
        }
        _ => panic!("{role}"),
    }
}

#[test]
fn a_signal_ends_an_application_in_order_and_its_exit_code_says_which() {
    for (signal, code) in [(Signal::INT, "@130"), (Signal::TERM, "@143")] {
        let mut actor = Actor::play("endless");
        actor.says("@started");
        actor.signal(signal);
        actor.says("@source stopped");
        actor.says("@sink stopped");
        actor.says(code);
        let mut errors = String::new();
        std::io::Read::read_to_string(actor.child.stderr.as_mut().unwrap(), &mut errors).unwrap();
        assert_eq!(errors, "", "it is no failure");
    }
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let mut actor = Actor::play("deaf");
    actor.says("@started");
    actor.signal(Signal::INT);
    actor.says("@others stopped");
    actor.signal(Signal::INT);
    assert_eq!(actor.ends().signal(), Some(Signal::INT.as_raw()));
}

#[test]
fn after_a_run_signals_do_what_they_did_before() {
    let mut actor = Actor::play("done");
    actor.says("@done");
    actor.signal(Signal::TERM);
    assert_eq!(actor.ends().signal(), Some(Signal::TERM.as_raw()));
}
