//! How a worker of an application has UCX opened.
//!
//! Invariant: what UCX takes for unreachable is still reached by the control plane, which notices first that a process is lost.

use std::{
    net::{IpAddr, ToSocketAddrs, UdpSocket},
    sync::mpsc::Sender,
    time::Duration,
};

use super::{words::Cause, work::Input};
use crate::{command::Address, transport::UcxOptions};

/// How long UCX may not get to a worker that is there, before that is an error.
const PATIENCE: Duration = Duration::from_secs(10);

/// UCX for the worker of this name, whose driver is at the address: what it does not reach is a failure of the operator that
/// sends there, also of one that has ended.
pub(super) fn options(worker: &str, driver: &Address, lease: Duration, events: Sender<Input>) -> UcxOptions {
    let name = worker.to_owned();
    let options = UcxOptions::new().patience(PATIENCE.max(lease * 2)).when_unreachable(move |link, why| {
        // The sender's port stands first: fragment, operator, port.
        let operator = link.split('>').next().and_then(|from| from.rsplit_once('.')).map_or(link, |it| it.0);
        let fragment = operator.split('.').next().unwrap_or(operator);
        let (operator, fragments) = (operator.to_owned(), vec![fragment.to_owned()]);
        let cause = Cause { operator, fragments, worker: name.clone(), what: format!("{link}: {why}") };
        // Nobody hears it where the worker has left meanwhile.
        let _ = events.send(Input::Failed(cause));
    });
    let options = match toward(driver) {
        Some(place) => options.process(format!("{worker} at {place}")),
        None => options.process(worker),
    };
    // Within a host Fast I/O does better; and between containers of one host UCX takes its shared memory for a way, and
    // wakes nobody there.
    if std::env::var_os("UCX_TLS").is_some() { options } else { options.transports("^shm") }
}

/// This host's own address in the network that leads to another one. Nothing is sent for it.
fn toward(address: &Address) -> Option<IpAddr> {
    let place = (address.host(), address.port()).to_socket_addrs().ok()?.next()?;
    let own = UdpSocket::bind(if place.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).ok()?;
    own.connect(place).ok()?;
    Some(own.local_addr().ok()?.ip())
}
