//! The log of a web server: short strings between a few numbers.

use crate::random::Random;

/// How many records there are.
const COUNT: usize = 10_000;

/// One request. `S` is how text is held: `String`, or `&str` where it is borrowed.
#[derive(
    Debug,
    Clone,
    PartialEq,
    podwire::Codec,
    bitcode::Encode,
    bitcode::Decode,
    wincode::SchemaWrite,
    wincode::SchemaRead,
)]
pub(crate) struct Record<S> {
    /// IPv4 address of the client.
    address: [u8; 4],
    /// Mostly `-`.
    identity: S,
    /// User name.
    user: S,
    /// Date and time, 26 bytes.
    date: S,
    /// Method, path and protocol.
    request: S,
    /// HTTP status.
    status: u16,
    /// Bytes that were sent.
    size: u64,
}

/// The log.
pub(crate) fn generate() -> Vec<Record<String>> {
    let mut random = Random::new(0x006c_6f67);
    (0..COUNT).map(|_| record(&mut random)).collect()
}

fn record(random: &mut Random) -> Record<String> {
    Record {
        address: (random.bits() as u32).to_le_bytes(),
        identity: "-".to_owned(),
        user: random.pick(&USERS).to_owned(),
        date: date(random),
        request: format!("{} {} {}", random.pick(&METHODS), random.pick(&PATHS), random.pick(&PROTOCOLS)),
        status: random.pick(&[200, 204, 301, 304, 400, 404, 500, 503]),
        size: random.below(100_000_000),
    }
}

fn date(random: &mut Random) -> String {
    let (day, month, year) = (1 + random.below(28), random.pick(&MONTHS), 1970 + random.below(56));
    let (hour, minute, second) = (random.below(24), random.below(60), random.below(60));
    format!("{day:02}/{month}/{year}:{hour:02}:{minute:02}:{second:02} +0000")
}

const USERS: [&str; 10] =
    ["-", "alice", "bob", "carol", "dave", "erin", "frank", "root", "www-data", "deploy"];
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "UPDATE", "DELETE"];
const PATHS: [&str; 11] = [
    "/",
    "/index.html",
    "/favicon.ico",
    "/css/index.css",
    "/css/typography.min.css",
    "/img/logo-full.svg",
    "/img/splash.jpg",
    "/api/login",
    "/api/logout",
    "/api/v1/orders",
    "/api/v1/customers/search",
];
const PROTOCOLS: [&str; 4] = ["HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
