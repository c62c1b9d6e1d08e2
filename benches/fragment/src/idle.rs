//! What operators cost that have nothing to do.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use podwire_fragment::Application;
use rustix::time::{ClockId, clock_gettime};

use crate::{
    Effort, head,
    operators::{Arrivals, Clock, Pass},
    row,
};

pub fn measure(effort: Effort) {
    head("Operators that wait", "operators", &["of one processor"]);
    for operators in [3, effort.operators] {
        let mut app = Application::new(["idle"]);
        app.add_operator("op0", Clock { count: u64::MAX, period: Some(Duration::from_secs(1000)) });
        for at in 1..operators - 1 {
            app.add_operator(format!("op{at}"), Pass);
            app.add_flow(format!("op{}", at - 1), format!("op{at}"), [("out", "in")]);
        }
        app.add_operator("last", Arrivals { capacity: 4, sum: Arc::new(AtomicU64::new(0)) });
        app.add_flow(format!("op{}", operators - 2), "last", [("out", "in")]);
        let running = app.start().expect("it starts");
        // The first message has gone through.
        while running.snapshot().operators.last().is_none_or(|last| last.ticks == 0) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let before = used();
        std::thread::sleep(effort.idle);
        let share = (used() - before).as_secs_f64() / effort.idle.as_secs_f64();
        running.stop();
        let _ = running.wait();
        row(&operators.to_string(), &[format!("{:.3} %", 100.0 * share)]);
    }
}

/// The processor time of this process.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
