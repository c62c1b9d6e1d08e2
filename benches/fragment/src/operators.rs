//! The operators that are measured.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use podwire_fragment::{Application, Context, Input, Operator, OperatorSpec, Output, Result};

/// Emits the time, so often.
pub struct Clock {
    pub count: u64,
    pub period: Option<Duration>,
}

impl Operator for Clock {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output::<Instant>("out");
        spec.count(self.count);
        if let Some(period) = self.period {
            spec.period(period);
        }
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        Ok(output.emit("out", Instant::now())?)
    }
}

/// Adds up how long messages were on their way, in nanoseconds.
pub struct Arrivals {
    pub capacity: usize,
    pub sum: Arc<AtomicU64>,
}

impl Operator for Arrivals {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<Instant>("in").capacity(self.capacity);
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        let sent = input.receive::<Instant>("in")?;
        self.sum.store(self.sum.load(Relaxed) + sent.elapsed().as_nanos() as u64, Relaxed);
        Ok(())
    }
}

/// Passes on.
pub struct Pass;

impl Operator for Pass {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<Instant>("in");
        spec.output::<Instant>("out");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        Ok(output.emit_message("out", input.receive_any("in")?)?)
    }
}

/// Runs an application to its end, and says how long that took.
pub fn run(app: Application) -> Duration {
    let begin = Instant::now();
    app.run().expect("it runs");
    begin.elapsed()
}
