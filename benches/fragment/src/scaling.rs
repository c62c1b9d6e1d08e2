//! Longer lines and wider broadcasts: what one hop costs when there are many.

use std::sync::{Arc, atomic::AtomicU64};

use podwire_fragment::Application;

use crate::{
    Effort, head, in_turns,
    operators::{Arrivals, Clock, Pass, run},
    row,
};

pub fn measure(effort: Effort) {
    let lines: Vec<usize> =
        [2, 4, 16, 64, 256, 1000].into_iter().filter(|it| *it <= effort.operators).collect();
    head("Operators in a line", "operators", &["microseconds a hop, least", "median"]);
    show(&lines, effort, |operators| line(operators, effort.stream));
    let fans: Vec<usize> = [1, 4, 16, 64, 100].into_iter().filter(|it| *it <= effort.operators).collect();
    head("Receivers of one output", "receivers", &["microseconds a message and receiver, least", "median"]);
    show(&fans, effort, |receivers| fan(receivers, effort.stream));
}

fn show(sizes: &[usize], effort: Effort, turn: impl Fn(usize) -> f64) {
    let times = in_turns(sizes, effort.rounds.div_ceil(3), turn);
    for (size, (least, median)) in sizes.iter().zip(times) {
        row(&size.to_string(), &[format!("{least:.2}"), format!("{median:.2}")]);
    }
}

/// Microseconds of a hop in a line of operators.
fn line(operators: usize, messages: u64) -> f64 {
    let messages = messages / 10 / operators as u64 + 10;
    let mut app = Application::new(["line"]);
    app.add_operator("op0", Clock { count: messages, period: None });
    for at in 1..operators - 1 {
        app.add_operator(format!("op{at}"), Pass);
    }
    let last = operators - 1;
    app.add_operator(format!("op{last}"), Arrivals { capacity: 4, sum: Arc::new(AtomicU64::new(0)) });
    for at in 1..operators {
        app.add_flow(format!("op{}", at - 1), format!("op{at}"), [("out", "in")]);
    }
    run(app).as_nanos() as f64 / 1000.0 / (messages * last as u64) as f64
}

/// Microseconds of a message for each of its receivers.
fn fan(receivers: usize, messages: u64) -> f64 {
    let messages = messages / 10 / receivers as u64 + 10;
    let mut app = Application::new(["fan"]);
    app.add_operator("clock", Clock { count: messages, period: None });
    for at in 0..receivers {
        app.add_operator(format!("op{at}"), Arrivals { capacity: 4, sum: Arc::new(AtomicU64::new(0)) });
        app.add_flow("clock", format!("op{at}"), [("out", "in")]);
    }
    run(app).as_nanos() as f64 / 1000.0 / (messages * receivers as u64) as f64
}
