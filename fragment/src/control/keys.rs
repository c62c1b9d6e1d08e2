//! Under which keys the processes of an application talk over Zenoh.
//!
//! Invariant: all begin with `podwire/<application>/`, whatever the application is called.

use super::words::WorkerId;

/// The keys of an application.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    application: String,
    root: String,
}

impl Keys {
    pub(super) fn new(application: &str) -> Self {
        Self { application: application.to_owned(), root: format!("podwire/{}", escaped(application)) }
    }

    /// The name of the application.
    pub(super) fn application(&self) -> &str {
        &self.application
    }

    /// Where a driver is asked to let somebody join, whatever it drives: it says so itself if it is the wrong one.
    pub(super) const ANY_HELLO: &str = "podwire/*/hello";

    pub(super) fn hello(&self) -> String {
        format!("{}/hello", self.root)
    }

    /// The token that the driver is there.
    pub(super) fn driver(&self, id: &str) -> String {
        format!("{}/driver/{id}", self.root)
    }

    /// The token that a worker is there; `*` for all.
    pub(super) fn worker(&self, id: &str) -> String {
        format!("{}/worker/{id}", self.root)
    }

    /// Where a worker hears orders.
    pub(super) fn order(&self, id: &WorkerId) -> String {
        format!("{}/order/{id}", self.root)
    }

    /// Where the driver hears a worker; `*` for all.
    pub(super) fn word(&self, id: &str) -> String {
        format!("{}/word/{id}", self.root)
    }

    /// The token that a worker has fragments of a run, which the driver shows; `*` for all.
    pub(super) fn member(&self, run: &str, id: &str) -> String {
        format!("{}/run/{run}/member/{id}", self.root)
    }

    /// The token of an address that a worker has placed, whose last parts are the name that it is found by, the worker and
    /// the address.
    pub(super) fn address(&self, run: &str, name: &str, id: &str, address: &str) -> String {
        format!("{}/run/{run}/address/{name}/{id}/{address}", self.root)
    }

    /// Where a worker hears what UCX does not bring it.
    #[cfg(feature = "ucx")]
    pub(super) fn detour(&self, run: &str, name: &str) -> String {
        format!("{}/run/{run}/detour/{name}", self.root)
    }

    /// Where a worker is asked for metrics of what it runs.
    pub(super) fn metrics(&self, id: &str) -> String {
        format!("{}/metrics/{id}", self.root)
    }

    /// Where the messages of a run's links go.
    pub(super) fn links(&self, run: &str) -> String {
        format!("{}/run/{run}", self.root)
    }
}

/// The last part of a key.
pub(super) fn last(key: &str) -> WorkerId {
    WorkerId(key.rsplit('/').next().unwrap_or_default().to_owned())
}

/// A name as one part of a key: what means something in keys, and what is not printed, becomes `%` and its number.
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    // A part of a key cannot be empty.
    if out.is_empty() { "%".into() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_one_part_of_a_key() {
        for name in ["scan", "", "a/b", "**", "$*", "ä?#", "%", "@x"] {
            let keys = Keys::new(name);
            let key = zenoh::key_expr::KeyExpr::try_from(keys.hello()).unwrap();
            assert!(key.intersects(&zenoh::key_expr::KeyExpr::try_from(Keys::ANY_HELLO).unwrap()), "{key}");
        }
        assert_ne!(escaped("%2F"), escaped("/"));
        assert_eq!(last("podwire/scan/worker/12ab"), WorkerId("12ab".into()));
    }
}
