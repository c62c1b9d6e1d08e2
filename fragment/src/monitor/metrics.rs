//! A snapshot as metrics: the text that Prometheus and those who speak its language read.
//!
//! Invariant: every metric is a row of a table, with its unit in its name, and `docs/deploy.md` lists them all.

use std::{
    fmt::{self, Write},
    time::Duration,
};

use crate::run::{ConnectionSnapshot, OperatorSnapshot, Snapshot};

struct Metric<T> {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    value: fn(&T) -> f64,
}

const OPERATORS: [Metric<OperatorSnapshot>; 3] = [
    Metric {
        name: "podwire_operator_ticks_total",
        kind: "counter",
        help: "Times that compute has begun.",
        value: |it| it.ticks as f64,
    },
    Metric {
        name: "podwire_operator_busy_seconds_total",
        kind: "counter",
        help: "Time in compute.",
        value: |it| it.busy.as_secs_f64(),
    },
    Metric {
        name: "podwire_operator_last_seconds",
        kind: "gauge",
        help: "How long compute took the last time.",
        value: |it| it.last.as_secs_f64(),
    },
];

const CONNECTIONS: [Metric<ConnectionSnapshot>; 7] = [
    Metric {
        name: "podwire_connection_sent_messages_total",
        kind: "counter",
        help: "Messages emitted into the connection.",
        value: |it| it.counts.sent as f64,
    },
    Metric {
        name: "podwire_connection_received_messages_total",
        kind: "counter",
        help: "Messages received from the connection.",
        value: |it| it.counts.received as f64,
    },
    Metric {
        name: "podwire_connection_dropped_messages_total",
        kind: "counter",
        help: "Messages given up on purpose.",
        value: |it| it.counts.dropped as f64,
    },
    Metric {
        name: "podwire_connection_lost_messages_total",
        kind: "counter",
        help: "Messages lost with a process that died.",
        value: |it| it.counts.lost as f64,
    },
    Metric {
        name: "podwire_connection_copied_bytes_total",
        kind: "counter",
        help: "Bytes of arrays that were copied, because they did not lie where they could be shared.",
        value: |it| it.counts.copied_bytes as f64,
    },
    Metric {
        name: "podwire_connection_queued_messages",
        kind: "gauge",
        help: "Messages that wait.",
        value: |it| it.counts.queued() as f64,
    },
    Metric {
        name: "podwire_connection_capacity_messages",
        kind: "gauge",
        help: "Messages that can wait.",
        value: |it| it.capacity as f64,
    },
];

/// The snapshot of a process, or of a whole application of this name, in the text format of Prometheus.
#[must_use]
pub fn metrics(application: &str, now: &Snapshot) -> String {
    let mut text = String::new();
    let app = Quoted(application);
    head(
        &mut text,
        "podwire_running_seconds",
        "gauge",
        "Time since the application, or this part of it, was started.",
    );
    let _ = writeln!(text, "podwire_running_seconds{{application={app}}} {}", now.time.as_secs_f64());
    for Metric { name, kind, help, value } in &OPERATORS {
        head(&mut text, name, kind, help);
        for operator in &now.operators {
            let _ = writeln!(
                text,
                "{name}{{application={app},operator={}}} {}",
                Quoted(&operator.name),
                value(operator)
            );
        }
    }
    head(&mut text, "podwire_operator_state", "gauge", "1 for the state that the operator is in.");
    for operator in &now.operators {
        let (name, state) = (Quoted(&operator.name), operator.state);
        let _ =
            writeln!(text, "podwire_operator_state{{application={app},operator={name},state=\"{state}\"}} 1");
    }
    for Metric { name, kind, help, value } in &CONNECTIONS {
        head(&mut text, name, kind, help);
        for connection in &now.connections {
            let _ = writeln!(text, "{name}{{{}}} {}", Labels(app, connection), value(connection));
        }
    }
    let name = "podwire_connection_latency_seconds";
    head(&mut text, name, "gauge", "Time from emit to receive, of one message in sixteen.");
    for connection in &now.connections {
        let Some(latency) = connection.latency else { continue };
        let quantiles: [(&str, Duration); 4] =
            [("0.5", latency.median), ("0.9", latency.p90), ("0.99", latency.p99), ("1", latency.max)];
        for (quantile, time) in quantiles {
            let labels = Labels(app, connection);
            let _ = writeln!(text, "{name}{{{labels},quantile=\"{quantile}\"}} {}", time.as_secs_f64());
        }
    }
    text
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// The labels of a connection.
struct Labels<'a>(Quoted<'a>, &'a ConnectionSnapshot);

impl fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(application, connection) = self;
        let (name, transport) = (Quoted(&connection.name), Quoted(&connection.transport));
        write!(f, "application={application},connection={name},transport={transport}")
    }
}

/// The value of a label: what would end it is escaped.
#[derive(Clone, Copy)]
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for letter in self.0.chars() {
            match letter {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                letter => f.write_char(letter)?,
            }
        }
        f.write_char('"')
    }
}
