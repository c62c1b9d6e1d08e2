//! Two fragments of an application, each in a process of its own, as users run them.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use podwire_fragment::{Application, Context, Fragment, Input, Operator, OperatorSpec, Output, Result};

use super::{
    Failure, Measure, Task,
    links::{Sample, Source, register, time},
    middle, now,
};

/// Emits as often as it is told.
struct From {
    task: Task,
    source: Source,
}

impl Operator for From {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        if self.task.size == 8 {
            spec.output::<u64>("out");
        } else {
            spec.output::<Sample>("out");
        }
        spec.count(self.task.count);
        if self.task.measure == Measure::Latency {
            // Not so long that the processor of the one who waits is given to other machines: its way back would be measured.
            spec.period(Duration::from_micros(200));
        }
        Ok(())
    }

    fn start(&mut self, context: &mut Context) -> Result {
        self.source = Source::shared(&context.fast_io()?, self.task.size);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        let bytes = self.source.bytes()?;
        Ok(match self.source {
            Source::Number => output.emit("out", now())?,
            _ => output.emit::<Sample>("out", (now(), bytes))?,
        })
    }
}

/// Receives, and writes what it has measured where the other process finds it.
struct To {
    task: Task,
    times: Vec<u64>,
    first: u64,
}

impl Operator for To {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        if self.task.size == 8 {
            spec.input::<u64>("in").capacity(self.task.capacity());
        } else {
            spec.input::<Sample>("in").capacity(self.task.capacity());
        }
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        let sent = time(input.receive_any("in")?)?;
        let now = now();
        match self.task.measure {
            Measure::Latency => self.times.push(now.saturating_sub(sent)),
            Measure::Rate if self.first == 0 => self.first = now,
            Measure::Rate => self.times = vec![now - self.first],
        }
        Ok(())
    }

    fn stop(&mut self, _: &mut Context) -> Result {
        let result = match self.task.measure {
            Measure::Latency => middle(std::mem::take(&mut self.times)),
            Measure::Rate => *self.times.last().ok_or("nothing came")? as f64 / (self.task.count - 1) as f64,
        };
        Ok(std::fs::write(result_file(&self.task), result.to_string())?)
    }
}

fn result_file(task: &Task) -> PathBuf {
    std::env::temp_dir().join(format!("podwire-{}", task.name))
}

fn application(task: &Task, role: &[&str]) -> std::result::Result<Application, Failure> {
    register()?;
    let address = format!("--address={}", task.address);
    let arguments = ["bench"].into_iter().chain(role.iter().copied()).chain([address.as_str()]);
    let mut app = Application::new(arguments);
    let (mut left, mut right) = (Fragment::new("left"), Fragment::new("right"));
    left.add_operator("from", From { task: task.clone(), source: Source::Number });
    right.add_operator("to", To { task: task.clone(), times: Vec::new(), first: 0 });
    app.add_fragment(left);
    app.add_fragment(right);
    app.add_flow("left", "right", [("from.out", "to.in")]);
    Ok(app)
}

pub fn receive(task: &Task) -> std::result::Result<(), Failure> {
    application(task, &["--worker", "--fragments=right"])?.run()?;
    Ok(())
}

pub fn measure(task: &Task) -> std::result::Result<f64, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut other = command.args(task.arguments()).stdout(Stdio::null()).spawn()?;
    let run = application(task, &["--driver", "--worker", "--fragments=left"]).and_then(|app| Ok(app.run()?));
    if run.is_err() {
        let _ = other.kill();
    }
    let status = other.wait()?;
    run?;
    if !status.success() {
        return Err(format!("the worker ended with {status}").into());
    }
    let result = std::fs::read_to_string(result_file(task))?.parse()?;
    std::fs::remove_file(result_file(task))?;
    Ok(result)
}
