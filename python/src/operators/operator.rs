//! An operator that is a Python object, as Rust sees it.
//!
//! Invariant: whatever the object does, what it was lent is back when a call returns.

use std::sync::{Arc, PoisonError};

use podwire_fragment::{EmitError, Operator, Result};
use pyo3::{intern, prelude::*};

use super::{
    failure::{First, Raised},
    lent::Lent,
    ports::{Context, Input, Output},
    spec::OperatorSpec,
};
use crate::errors;

/// An object with `setup`, `start`, `compute` and `stop`.
pub(crate) struct PythonOperator {
    object: Py<PyAny>,
    first: First,
    lent: Option<Loans>,
}

/// What the object is lent, used again in each call.
struct Loans {
    input: Py<Input>,
    output: Py<Output>,
    context: Py<Context>,
}

impl PythonOperator {
    pub(crate) fn new(object: Py<PyAny>, first: First) -> Self {
        Self { object, first, lent: None }
    }

    /// An exception of the object, as the error of a call.
    fn failed<T>(&self, py: Python<'_>, name: &str, raised: PyErr) -> Result<T> {
        let is_stopping =
            raised.get_type(py).name().is_ok_and(|class| class == "Stopping") && errors::is_own(py, &raised);
        if is_stopping {
            // It passed on what `emit` said, which is no failure.
            return Err(EmitError::Stopping { connection: raised.value(py).to_string() }.into());
        }
        self.first.note(py, name, &raised);
        Err(Raised::new(py, &raised).into())
    }

    /// Calls a method that is given the context only.
    fn call(&mut self, method: &str, context: &mut podwire_fragment::Context) -> Result {
        Python::attach(|py| {
            let name = full_name(context);
            let Some(loans) = &self.lent else { return Ok(()) };
            let own = loans.context.get();
            own.lent.lend(context.take());
            let called = self.object.bind(py).call_method1(method, (&loans.context,));
            if let Some(back) = own.lent.take_back(py) {
                *context = back;
            }
            called.map(drop).or_else(|raised| self.failed(py, &name, raised))
        })
    }
}

fn full_name(context: &podwire_fragment::Context) -> String {
    match context.fragment() {
        "" => context.operator().to_owned(),
        fragment => format!("{fragment}.{}", context.operator()),
    }
}

impl Operator for PythonOperator {
    fn setup(&mut self, spec: &mut podwire_fragment::OperatorSpec) -> Result {
        Python::attach(|py| {
            let own = OperatorSpec::new(std::mem::take(spec));
            let made = Bound::new(py, own).and_then(|own| {
                let called = self.object.bind(py).call_method1(intern!(py, "setup"), (&own,));
                if let Some(back) = own.get().lent.take_back(py) {
                    *spec = back;
                }
                called?;
                let ports =
                    std::mem::take(&mut *own.get().ports.lock().unwrap_or_else(PoisonError::into_inner));
                let context = Arc::new(Lent::nothing());
                let input = Input { lent: Lent::nothing(), ports: ports.0 };
                let output = Output { lent: Lent::nothing(), ports: ports.1, context: Arc::clone(&context) };
                Ok(Loans {
                    input: Py::new(py, input)?,
                    output: Py::new(py, output)?,
                    context: Py::new(py, Context { lent: context })?,
                })
            });
            match made {
                Ok(loans) => self.lent = Some(loans),
                Err(raised) => return Err(Raised::new(py, &raised).into()),
            }
            Ok(())
        })
    }

    fn start(&mut self, context: &mut podwire_fragment::Context) -> Result {
        self.call("start", context)
    }

    fn compute(
        &mut self,
        input: &mut podwire_fragment::Input,
        output: &mut podwire_fragment::Output,
        context: &mut podwire_fragment::Context,
    ) -> Result {
        Python::attach(|py| {
            let Some(loans) = &self.lent else { return Ok(()) };
            let (ins, outs, own) = (loans.input.get(), loans.output.get(), loans.context.get());
            ins.lent.lend(input.take());
            outs.lent.lend(output.take());
            own.lent.lend(context.take());
            let arguments = (&loans.input, &loans.output, &loans.context);
            let called = self.object.bind(py).call_method1(intern!(py, "compute"), arguments);
            if let Some(back) = ins.lent.take_back(py) {
                *input = back;
            }
            if let Some(back) = outs.lent.take_back(py) {
                *output = back;
            }
            if let Some(back) = own.lent.take_back(py) {
                *context = back;
            }
            called.map(drop).or_else(|raised| self.failed(py, &full_name(context), raised))
        })
    }

    fn stop(&mut self, context: &mut podwire_fragment::Context) -> Result {
        self.call("stop", context)
    }
}
