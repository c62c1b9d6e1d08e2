//! A fragment: operators that always run in one process.
//!
//! Not here: what may be wrong with them, which `graph::compose` finds. Invariant: it keeps what was added, in order.

use std::time::Duration;

use crate::{
    config::Asked, elsewhere::Declared, error::Result, graph::Flow, operator::Operator, spec::OperatorSpec,
};

/// Operators that always run in one process, and the flows between them.
///
/// ```
/// # use podwire_fragment::{Context, Fragment, Input, Operator, OperatorSpec, Output, Result};
/// # struct Ping;
/// # struct Pong;
/// # impl Operator for Ping {
/// #     fn compute(&mut self, _: &mut Input, _: &mut Output, _: &mut Context) -> Result { Ok(()) }
/// # }
/// # impl Operator for Pong {
/// #     fn compute(&mut self, _: &mut Input, _: &mut Output, _: &mut Context) -> Result { Ok(()) }
/// # }
/// let mut fragment = Fragment::new("fragment1");
/// fragment.add_operator("ping", Ping).count(10);
/// fragment.add_operator("pong", Pong);
/// fragment.add_flow("ping", "pong", [("out", "in")]);
/// ```
#[derive(Default)]
pub struct Fragment {
    pub(crate) name: String,
    /// It holds the operators of an application without fragments.
    pub(crate) is_unnamed: bool,
    /// Another program runs it.
    pub(crate) is_elsewhere: bool,
    pub(crate) operators: Vec<Placed>,
    pub(crate) flows: Vec<Flow>,
}

/// An operator in a fragment, and what is said about it there.
pub struct Placed {
    pub(crate) name: String,
    pub(crate) operator: Box<dyn Operator>,
    /// What its `setup` said, once it was called.
    pub(crate) spec: Option<OperatorSpec>,
    pub(crate) count: Option<u64>,
    pub(crate) period: Option<Duration>,
}

impl Fragment {
    /// A fragment without operators.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A fragment that another program of the application runs: one in Python, or one that was built with other libraries.
    ///
    /// Here its operators are only declared, by their ports, so that those of this program can be connected to them. All
    /// programs of an application describe it alike: fragments, operators and flows in the same order. `--fragments all`
    /// of a program means those that it can run.
    ///
    /// ```
    /// use podwire_fragment::Fragment;
    ///
    /// let mut report = Fragment::elsewhere("report");
    /// report.declare("plot", |spec| {
    ///     spec.input::<Vec<f64>>("in").capacity(2);
    ///     Ok(())
    /// });
    /// ```
    #[must_use]
    pub fn elsewhere(name: impl Into<String>) -> Self {
        Self { name: name.into(), is_elsewhere: true, ..Self::default() }
    }

    /// Declares an operator that another program runs: `ports` says in its place what it has.
    pub fn declare(
        &mut self,
        name: impl Into<String>,
        ports: impl FnMut(&mut OperatorSpec) -> Result + Send + 'static,
    ) {
        self.add_operator(name, Declared(ports));
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds an operator.
    pub fn add_operator(&mut self, name: impl Into<String>, operator: impl Operator) -> &mut Placed {
        let (name, operator) = (name.into(), Box::new(operator));
        self.operators.push_mut(Placed { name, operator, spec: None, count: None, period: None })
    }

    /// Connects outputs of one operator with inputs of another.
    pub fn add_flow<O: Into<String>, I: Into<String>>(
        &mut self,
        from: impl Into<String>,
        to: impl Into<String>,
        ports: impl IntoIterator<Item = (O, I)>,
    ) {
        self.flows.push(Flow::new(from, to, ports));
    }
}

impl Placed {
    /// Which parameters its `setup` asked for.
    pub(crate) fn asked<'a>(&'a self, fragment: &'a Fragment) -> Asked<'a> {
        let parameters =
            self.spec.iter().flat_map(|spec| &spec.parameters).map(|known| &*known.name).collect();
        Asked { fragment: &fragment.name, operator: &self.name, parameters }
    }

    /// After so many runs the operator ends, whatever it said itself.
    pub fn count(&mut self, runs: u64) -> &mut Self {
        self.count = Some(runs);
        self
    }

    /// The operator runs at multiples of this time, whatever it said itself.
    pub fn period(&mut self, period: Duration) -> &mut Self {
        self.period = Some(period);
        self
    }
}
