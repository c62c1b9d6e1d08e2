//! Messages as fast as they can be sent, through a queue of 64.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Instant,
};

use podwire_fragment::{Application, Context, Input, Operator, OperatorSpec, Output, Result};

use crate::{Effort, head, in_turns, operators::run, row};

const CAPACITY: usize = 64;
/// Messages that an operator emits in one run, where it emits several.
const BATCH: u64 = 50;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Subject {
    Crossbeam,
    Mpsc,
    Operators { batch: u64 },
}

const SUBJECTS: [(Subject, &str); 4] = [
    (Subject::Crossbeam, "`crossbeam_channel::bounded` of `Arc`"),
    (Subject::Mpsc, "`mpsc::sync_channel` of `Arc`"),
    (Subject::Operators { batch: 1 }, "operators, one message a run"),
    (Subject::Operators { batch: BATCH }, "operators, 50 messages a run"),
];

pub fn measure(effort: Effort) {
    head(
        "A stream of messages through a queue of 64",
        "",
        &["nanoseconds, least", "median", "messages a second"],
    );
    let times = in_turns(&SUBJECTS, effort.rounds, |(subject, _)| turn(subject, effort.stream));
    for ((_, name), (least, median)) in SUBJECTS.iter().zip(&times) {
        row(
            name,
            &[format!("{least:.0}"), format!("{median:.0}"), format!("{:.2} million", 1000.0 / median)],
        );
    }
}

/// Nanoseconds a message.
fn turn(subject: Subject, messages: u64) -> f64 {
    let time = match subject {
        Subject::Crossbeam => {
            let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
            let begin = Instant::now();
            let receiver =
                thread::spawn(move || receiver.iter().map(|number: Arc<u64>| *number).sum::<u64>());
            (0..messages).for_each(|number| sender.send(Arc::new(number)).expect("it is received"));
            drop(sender);
            receiver.join().expect("it receives");
            begin.elapsed()
        }
        Subject::Mpsc => {
            let (sender, receiver) = mpsc::sync_channel(CAPACITY);
            let begin = Instant::now();
            let receiver =
                thread::spawn(move || receiver.iter().map(|number: Arc<u64>| *number).sum::<u64>());
            (0..messages).for_each(|number| sender.send(Arc::new(number)).expect("it is received"));
            drop(sender);
            receiver.join().expect("it receives");
            begin.elapsed()
        }
        Subject::Operators { batch } => {
            let mut app = Application::new(["stream"]);
            app.add_operator("numbers", Numbers { count: messages / batch, batch });
            app.add_operator("sum", Sum { batch, sum: 0 });
            app.add_flow("numbers", "sum", [("out", "in")]);
            run(app)
        }
    };
    time.as_nanos() as f64 / messages as f64
}

struct Numbers {
    count: u64,
    batch: u64,
}

impl Operator for Numbers {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output::<u64>("out");
        spec.count(self.count);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, context: &mut Context) -> Result {
        for number in 0..self.batch {
            output.emit("out", context.tick() * self.batch + number)?;
        }
        Ok(())
    }
}

struct Sum {
    batch: u64,
    sum: u64,
}

impl Operator for Sum {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<u64>("in").capacity(CAPACITY);
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        for _ in 0..self.batch {
            let Some(number) = input.try_receive::<u64>("in")? else { break };
            self.sum += *number;
        }
        Ok(())
    }
}
