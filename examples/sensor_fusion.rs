//! How do I merge sensors that are not in step?
//!
//! `cargo run --features fragment --example sensor_fusion [-- --config FILE]`
//!
//! A balloon rises and sinks. A barometer, a laser and a satellite receiver measure its height, each at its own rate and
//! as well as it can, and stamp what they measure with its time. One operator merges them into the most likely height,
//! and another one, which is slow, shows it: it always gets the newest, because its input drops the oldest.
//!
//! ```text
//! barometer ─┐
//! laser ─────┼─► fusion ─► display
//! satellite ─┘
//! ```
//!
//! Rates and errors are parameters, for a file such as `examples/data/sensor_fusion.toml`; `--help` lists them.

use std::process::ExitCode;
use std::time::Duration;

use podwire::fragment::{Application, Context, Input, Operator, OperatorSpec, Output, Result, WhenFull};
use podwire::message::Metadata;

fn main() -> ExitCode {
    let mut app = Application::from_env();
    app.about("Merges three sensors of different rates into one height.");
    app.version(env!("CARGO_PKG_VERSION"));
    let seconds = app.option("--seconds", "S", "how long the sensors measure", 1.0);

    let sensors = [("barometer", 100.0, 3.0), ("laser", 50.0, 0.5), ("satellite", 5.0, 1.5)];
    for (name, rate, error) in sensors {
        app.add_operator(name, Sensor { seconds, rate, error, noise: Noise(name.len() as u64) });
        // Three outputs into one input: each connection has its own queue.
        app.add_flow(name, "fusion", [("height", "heights")]);
    }
    app.add_operator("fusion", Fusion::default());
    app.add_operator("display", Display { milliseconds: 0 });
    app.add_flow("fusion", "display", [("estimate", "estimate")]);
    app.main()
}

/// Where the balloon is, in metres, after so many seconds.
fn height(seconds: f64) -> f64 {
    100.0 + 20.0 * (seconds * 2.0).sin()
}

/// Measures the height, with an error.
struct Sensor {
    seconds: f64,
    /// Measurements in a second.
    rate: f64,
    /// Standard deviation in metres.
    error: f64,
    noise: Noise,
}

impl Operator for Sensor {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        self.rate = spec.parameter("rate", "measurements in a second", self.rate);
        self.error = spec.parameter("error", "standard deviation in metres", self.error);
        spec.output::<f64>("height");
        let period = Duration::try_from_secs_f64(1.0 / self.rate)?;
        spec.period(period).count((self.seconds * self.rate).ceil() as u64);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, context: &mut Context) -> Result {
        let time = context.time();
        let mut metadata = Metadata::new();
        metadata.insert("taken", &(time.as_nanos() as u64))?;
        metadata.insert("error", &self.error)?;
        let measured = height(time.as_secs_f64()) + self.error * self.noise.next();
        output.emit_with("height", measured, metadata)?;
        Ok(())
    }
}

/// The most likely height, and how sure it is: a Kalman filter of one dimension.
#[derive(Default)]
struct Fusion {
    /// Metres, and their variance; nothing before the first measurement.
    state: Option<(f64, f64)>,
    /// When that was, in nanoseconds.
    taken: u64,
    late: u64,
}

impl Fusion {
    /// How fast the balloon may move, in metres per second, as far as the filter is concerned.
    const SPEED: f64 = 40.0;

    fn merge(&mut self, measured: f64, error: f64, taken: u64) {
        let variance = error * error;
        let (height, sure) = self.state.unwrap_or((measured, variance));
        // One that was overtaken on its way adds no time; it is merged as if it were of now.
        self.late += u64::from(taken < self.taken);
        let moved = Self::SPEED * Duration::from_nanos(taken.saturating_sub(self.taken)).as_secs_f64();
        let sure = if self.state.is_some() { sure + moved * moved } else { sure };
        let gain = sure / (sure + variance);
        self.state = Some((height + gain * (measured - height), sure * (1.0 - gain)));
        self.taken = self.taken.max(taken);
    }
}

impl Operator for Fusion {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<f64>("heights").capacity(8);
        spec.output::<f64>("estimate");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        while let Some(height) = input.try_receive::<f64>("heights")? {
            let metadata = height.metadata();
            let taken = metadata.get::<u64>("taken")?.ok_or("a measurement without its time")?;
            let error = metadata.get::<f64>("error")?.ok_or("a measurement without its error")?;
            self.merge(*height, error, taken);
        }
        let (estimate, variance) = self.state.ok_or("nothing was measured")?;
        let mut metadata = Metadata::new();
        metadata.insert("taken", &self.taken)?;
        metadata.insert("error", &variance.sqrt())?;
        output.emit_with("estimate", estimate, metadata)?;
        Ok(())
    }

    fn stop(&mut self, _: &mut Context) -> Result {
        println!("{} measurements came after later ones", self.late);
        Ok(())
    }
}

/// Shows the newest estimate, as fast as it can, which is not fast.
struct Display {
    milliseconds: u64,
}

impl Operator for Display {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        self.milliseconds = spec.parameter("milliseconds", "how long showing takes", 100);
        spec.input::<f64>("estimate").capacity(1).when_full(WhenFull::DropOldest);
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        let estimate = input.receive::<f64>("estimate")?;
        let taken: u64 = estimate.metadata().get("taken")?.ok_or("an estimate without its time")?;
        let seconds = Duration::from_nanos(taken).as_secs_f64();
        let error: f64 = estimate.metadata().get("error")?.ok_or("an estimate without its error")?;
        let really = height(seconds);
        println!("{seconds:6.2} s  {:6.1} m ± {error:.1}  (really {really:.1})", *estimate);
        std::thread::sleep(Duration::from_millis(self.milliseconds));
        Ok(())
    }
}

/// Random numbers of the normal distribution, the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        // The sum of twelve uniform numbers is nearly normal, with a variance of 1.
        let mut uniform = || {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }
}
