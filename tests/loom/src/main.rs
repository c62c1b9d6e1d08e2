//! The lock-free files of podwire, as they are, in every order of their steps that the memory model allows: loom runs each
//! model once for each order.
//!
//! Not here: what orders sequentially consistent operations on *different* words against each other, as the locks between
//! processes do: loom takes them for acquire and release, and would find orders that do not exist.
#![allow(dead_code, reason = "of the files that are tried not everything is")]

extern crate loom_std as std;

#[path = "../../../fastio/src/doorbell.rs"]
mod doorbell;
mod futex;
#[path = "../../../fastio/src/gate.rs"]
mod gate;
mod models;
mod registry;

/// What the names of codecs ask for.
mod error {
    pub(crate) type Result<T> = core::result::Result<T, crate::registry::RegistryError>;
}

fn main() {
    let only = std_env();
    let mut models = 0;
    for (name, model) in models::ALL {
        if only.as_ref().is_none_or(|only| name.contains(&**only)) {
            models += 1;
            let orders = models::explore(*model);
            println!("{name}: {orders} orders");
        }
    }
    println!("loom: models {models}, faults 0");
}

/// The first argument: a part of the names of the models that are run.
fn std_env() -> Option<String> {
    loom_std::env::args().nth(1)
}
