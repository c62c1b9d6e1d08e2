//! How a worker of an application has UCX opened.
//!
//! Invariant: what UCX takes for unreachable is still reached by the control plane, which notices first that a process is lost.

use std::{
    net::{IpAddr, ToSocketAddrs, UdpSocket},
    time::Duration,
};

use crate::{command::Address, transport::UcxOptions};

/// How long UCX may not get to a worker that is there, before that is an error.
const PATIENCE: Duration = Duration::from_secs(10);

/// UCX for the worker of this name, whose driver is at the address.
pub(super) fn options(worker: &str, driver: &Address, lease: Duration) -> UcxOptions {
    let options = UcxOptions::new().patience(PATIENCE.max(lease * 2));
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
