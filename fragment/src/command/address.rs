//! Where a process is reached: the host and port of `--address` and `--worker-address`.
//!
//! Not here: whether the host exists; that is found out when somebody connects. Invariant: what is displayed parses to
//! the same address.

use std::{fmt, net::Ipv6Addr, str::FromStr};

/// A host and a port.
///
/// A host is a name, an IPv4 address or an IPv6 address. What is left out is `127.0.0.1` and [`Address::PORT`].
///
/// ```
/// use podwire_fragment::command::Address;
///
/// for (text, address) in [
///     ("camera-3", "camera-3:57777"),
///     ("10.0.0.1:4000", "10.0.0.1:4000"),
///     (":4000", "127.0.0.1:4000"),
///     ("fe80::1%eth0", "[fe80::1%eth0]:57777"), // bare: the colons are all of the host
///     ("[::1]:4000", "[::1]:4000"),
/// ] {
///     assert_eq!(text.parse::<Address>().unwrap().to_string(), address);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    host: String,
    port: u16,
}

/// A text is no address.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// There is nothing in it.
    #[error("it is empty; write host, host:port, [v6]:port or :port")]
    Empty,
    /// The host is neither a name nor an IP address.
    #[error("{host:?} is neither a host's name nor an IP address")]
    Host {
        /// What stands there.
        host: String,
    },
    /// A bracket is opened and not closed, or something else than a port follows it.
    #[error("an IPv6 address with a port is written [v6]:port, as [::1]:57777")]
    Brackets,
    /// The port is no number from 1 to 65535.
    #[error("{port:?} is no port; write a number from 1 to 65535")]
    Port {
        /// What stands there.
        port: String,
    },
}

impl Address {
    /// The port of the driver where none is said.
    pub const PORT: u16 = 57777;

    /// The host where none is said: only processes of this host can connect.
    const HOST: &str = "127.0.0.1";

    /// The host: a name, or an IP address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 0 in the address of a worker that leaves the choice to the system.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// An address in which this port stands where the text says none.
    ///
    /// # Errors
    /// Each variant of [`AddressError`].
    pub(crate) fn parse(text: &str, no_port: u16) -> Result<Self, AddressError> {
        let (host, port) = parts(text)?;
        Ok(Self { host: checked(host)?, port: port.map_or(Ok(no_port), number)? })
    }
}

/// The host, which can be empty, and the port, if one is said.
fn parts(text: &str) -> Result<(&str, Option<&str>), AddressError> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']').ok_or(AddressError::Brackets)?;
        if !is_v6(host) {
            return Err(AddressError::Host { host: host.to_owned() });
        }
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(AddressError::Brackets),
        };
    }
    match text.split_once(':') {
        None if text.is_empty() => Err(AddressError::Empty),
        None => Ok((text, None)),
        // A second colon: an IPv6 address without brackets, which has no port.
        Some((_, rest)) if rest.contains(':') => Ok((text, None)),
        Some((host, port)) => Ok((host, Some(port))),
    }
}

fn checked(host: &str) -> Result<String, AddressError> {
    if host.is_empty() {
        return Ok(Address::HOST.to_owned());
    }
    let good = if host.contains(':') { is_v6(host) } else { is_v4_or_name(host) };
    if good { Ok(host.to_owned()) } else { Err(AddressError::Host { host: host.to_owned() }) }
}

/// An IPv6 address, with the zone that a link-local one needs.
fn is_v6(host: &str) -> bool {
    let (address, zone) = host.split_once('%').map_or((host, None), |(address, zone)| (address, Some(zone)));
    address.parse::<Ipv6Addr>().is_ok() && zone.is_none_or(is_word)
}

fn is_v4_or_name(host: &str) -> bool {
    // What looks like an IPv4 address is one: `300.1.1.1` is no host's name.
    if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return host.parse::<std::net::Ipv4Addr>().is_ok();
    }
    host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(is_word)
}

/// A part of a host's name, or the name of a network interface.
fn is_word(word: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&word.len()) && word.bytes().all(inner) && !word.starts_with('-')
}

fn number(port: &str) -> Result<u16, AddressError> {
    // `parse` alone would take `+80`.
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(number) if digits && number != 0 => Ok(number),
        _ => Err(AddressError::Port { port: port.to_owned() }),
    }
}

impl Default for Address {
    /// `127.0.0.1:57777`.
    fn default() -> Self {
        Self { host: Self::HOST.to_owned(), port: Self::PORT }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text, Self::PORT)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(formatter, "[{host}]:{port}")
        } else {
            write!(formatter, "{host}:{port}")
        }
    }
}
