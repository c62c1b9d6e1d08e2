//! The log of a web server: short strings between a few numbers.

use owned::Record;

use crate::random::Random;

/// How many records there are.
pub(crate) const COUNT: usize = 10_000;

/// The types, with text of a kind.
macro_rules! types {
    ($define:ident, $peers:tt, [$($text:tt)*], [$($life:tt)*]) => {
        crate::shapes::$define! {
            $peers
            /// One request.
            pub(crate) struct Record $($life)* {
                /// IPv4 address of the client.
                pub(crate) address: [u8; 4],
                /// Mostly `-`.
                pub(crate) identity: $($text)*,
                /// User name.
                pub(crate) user: $($text)*,
                /// Date and time, 26 bytes.
                pub(crate) date: $($text)*,
                /// Method, path and protocol.
                pub(crate) request: $($text)*,
                /// HTTP status.
                pub(crate) status: u16,
                /// Bytes that were sent.
                pub(crate) size: u64,
            }
        }
    };
}

pub(crate) mod owned {
    //! With text of its own.
    types!(
        owned,
        [derive(bitcode::Decode, bitcode::Encode, wincode::SchemaRead, wincode::SchemaWrite)],
        [String],
        []
    );
}

pub(crate) mod borrowed {
    //! With text that lies in what was read.
    types!(borrowed, [derive(bitcode::Decode, bitcode::Encode, wincode::SchemaRead, wincode::SchemaWrite)], [&'a str], [<'a>]);
}

/// So many records.
pub(crate) fn generate(count: usize) -> Vec<Record> {
    let mut random = Random::new(0x006c_6f67);
    (0..count).map(|_| record(&mut random)).collect()
}

fn record(random: &mut Random) -> Record {
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
