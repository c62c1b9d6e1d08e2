//! Hosts and ports as people write them.

use podwire_fragment::command::{Address, AddressError, CommandLine};

#[test]
fn addresses_are_a_name_or_an_ip_address_with_or_without_a_port() {
    for (text, host, port) in [
        ("localhost", "localhost", 57777),
        ("camera-3.lab.example", "camera-3.lab.example", 57777),
        ("my_app_network:8765", "my_app_network", 8765),
        ("example.org.:80", "example.org.", 80),
        ("10.0.0.1", "10.0.0.1", 57777),
        ("0.0.0.0:1", "0.0.0.0", 1),
        ("10.0.0.1:65535", "10.0.0.1", 65535),
        ("::", "::", 57777),
        ("::1", "::1", 57777),
        ("fe80::1:2", "fe80::1:2", 57777),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1", 57777),
        ("fe80::1%eth0", "fe80::1%eth0", 57777),
        ("[::1]", "::1", 57777),
        ("[::1]:4000", "::1", 4000),
        ("[fe80::1%eth0]:4000", "fe80::1%eth0", 4000),
        (":4000", "127.0.0.1", 4000),
    ] {
        let address: Address = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((address.host(), address.port()), (host, port), "{text}");
        assert_eq!(address.to_string().parse(), Ok(address), "{text}");
    }
}

#[test]
fn what_is_no_address_says_which_part_is_wrong() {
    let host = |text: &str| AddressError::Host { host: text.into() };
    let port = |text: &str| AddressError::Port { port: text.into() };
    for (text, error) in [
        ("", AddressError::Empty),
        (":", port("")),
        ("a:", port("")),
        ("a:0", port("0")),
        ("a:65536", port("65536")),
        ("a:+80", port("+80")),
        ("a:http", port("http")),
        ("a: 80", port(" 80")),
        ("300.1.1.1", host("300.1.1.1")),
        ("1.2.3", host("1.2.3")),
        ("10.0.0.1.:80", host("10.0.0.1.")),
        (".", host(".")),
        ("a..b", host("a..b")),
        ("-a", host("-a")),
        ("a b", host("a b")),
        ("tcp/10.0.0.1", host("tcp/10.0.0.1")),
        ("höst", host("höst")),
        ("::g", host("::g")),
        ("10.0.0.1:80:90", host("10.0.0.1:80:90")),
        ("[10.0.0.1]:80", host("10.0.0.1")),
        ("[]", host("")),
        ("[fe80::1%]:80", host("fe80::1%")),
        ("[::1", AddressError::Brackets),
        ("[::1]80", AddressError::Brackets),
        ("[::1]:", port("")),
        ("tcp://10.0.0.1:80", host("tcp://10.0.0.1:80")),
    ] {
        assert_eq!(text.parse::<Address>(), Err(error), "{text}");
    }
    assert!("a".repeat(64).parse::<Address>().is_err());
    assert!("a.".repeat(127).parse::<Address>().is_err());
}

#[test]
fn a_worker_leaves_its_port_to_the_system() {
    let worker =
        |text| CommandLine::split(["a", "--worker", "--worker-address", text]).worker_address.unwrap();
    assert_eq!(worker("10.0.0.7").port(), 0);
    assert_eq!(worker("[::1]").to_string(), "[::1]:0");
    assert_eq!(worker(":4001").to_string(), "127.0.0.1:4001");
}
