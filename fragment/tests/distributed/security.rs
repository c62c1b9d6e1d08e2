//! Certificates, users and passwords: by Zenoh's own configuration, as `docs/deploy.md` says.

use std::{
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::Command,
};

use ::zenoh::Wait;
use podwire_fragment::transport::zenoh::{SessionSettings, session};

use crate::{
    network::{overheard_datagrams_to, overheard_way_to},
    processes::{Place, Process, free_port},
};

/// A directory of certificates that `scripts/certificates` made.
struct Certificates(PathBuf);

impl Certificates {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("podwire-{}-{name}", std::process::id()));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/certificates");
        let made = Command::new(script).arg(&directory).args(["127.0.0.1", "::1"]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self(directory)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn driver(place: &Place, configuration: &str) -> Process {
    let driver = place.start("pair", &["--driver"], &[("PODWIRE_ZENOH_CONFIG", configuration)]);
    driver.until("waiting for workers");
    driver
}

fn worker(place: &Place, fragments: &str, environment: &[(&str, &str)]) -> Process {
    let environment: Vec<_> = environment
        .iter()
        .copied()
        .chain([("PODWIRE_JOIN_TIMEOUT", "1.5"), ("PODWIRE_LEASE", "1000")])
        .collect();
    place.start("pair", &["--worker", "--fragments", fragments], &environment)
}

/// The application runs to its good end with workers of this configuration.
#[track_caller]
fn runs(place: &Place, driver: Process, configuration: &str) {
    let [a, b] = ["a", "b"].map(|it| worker(place, it, &[("PODWIRE_ZENOH_CONFIG", configuration)]));
    [a, b, driver].into_iter().for_each(|process| drop(process.good()));
}

#[test]
fn with_certificates_an_application_runs_and_nothing_of_it_can_be_read_on_the_way() {
    let (place, certificates) = (Place::new(), Certificates::new("tls"));
    let (to_driver, to_worker) = (certificates.path("driver.json5"), certificates.path("worker.json5"));
    let driver = driver(&place, &to_driver);
    let (address, heard) = overheard_datagrams_to(&place.address);
    let environment = [("PODWIRE_ZENOH_CONFIG", to_worker.as_str()), ("PODWIRE_TRANSPORT", "zenoh")];
    let b = place.start("pair", &["--worker", "--fragments", "b", "--address", &address], &environment);
    let a = place.start("pair", &["--worker", "--fragments", "a"], &environment);
    [a, b, driver].into_iter().for_each(|process| drop(process.good()));
    let heard = heard.lock().unwrap();
    assert!(heard.len() > 1000, "{} bytes", heard.len());
    for name in [&b"podwire"[..], b"pair", b"sink", b"u64"] {
        assert!(!heard.windows(name.len()).any(|bytes| bytes == name), "{} is readable", name.escape_ascii());
    }
    place.clean();
}

/// Whatever goes over Zenoh, many times: no connection is taken for broken.
#[test]
fn with_certificates_arrays_go_to_and_fro_over_v4_and_v6() {
    let certificates = Certificates::new("arrays");
    let (to_driver, to_worker) = (certificates.path("driver.json5"), certificates.path("worker.json5"));
    for host in ["127.0.0.1", "[::1]"] {
        let place = Place::new();
        let address = format!("{host}:{}", free_port());
        let start = |role: &[&str], configuration: &str| {
            let environment = [("PODWIRE_ZENOH_CONFIG", configuration), ("PODWIRE_TRANSPORT", "zenoh")];
            place.start("arrays", &[role, &["--address", &address]].concat(), &environment)
        };
        let driver = start(&["--driver"], &to_driver);
        let a = start(&["--worker", "--fragments", "a"], &to_worker);
        let b = start(&["--worker", "--fragments", "b"], &to_worker);
        assert!(b.good().contains("@ all arrays came in order"));
        [a, driver].into_iter().for_each(|process| drop(process.good()));
        place.clean();
    }
}

#[test]
fn with_certificates_a_driver_on_a_port_in_use_says_so_and_so_does_a_worker_that_nobody_answers() {
    let (place, certificates) = (Place::new(), Certificates::new("nobody"));
    let taken = UdpSocket::bind(&place.address).unwrap();
    let to_driver = certificates.path("driver.json5");
    let driver = place.start("pair", &["--driver"], &[("PODWIRE_ZENOH_CONFIG", &to_driver)]);
    driver.bad(&["the port is in use"]);
    drop(taken);
    let alone = worker(&place, "a", &[("PODWIRE_ZENOH_CONFIG", &certificates.path("worker.json5"))]);
    alone.bad(&[&format!("no driver at {}: tried for ", place.address), "refused"]);
    place.clean();
}

#[test]
fn a_worker_with_certificates_is_told_that_the_driver_has_none() {
    let (place, certificates) = (Place::new(), Certificates::new("onesided"));
    let driver = place.driver("pair");
    driver.until("waiting for workers");
    let alone = worker(&place, "a", &[("PODWIRE_ZENOH_CONFIG", &certificates.path("worker.json5"))]);
    alone.bad(&[&format!("no driver at {} with certificates", place.address), "somebody by plain TCP"]);
}

/// Two workers that share no memory, as on two hosts.
#[cfg(feature = "ucx")]
#[test]
fn with_certificates_people_are_told_what_ucx_carries_unencrypted_unless_they_asked_for_it() {
    let certificates = Certificates::new("readable");
    let (to_driver, to_worker) = (certificates.path("driver.json5"), certificates.path("worker.json5"));
    for (forced, is_told) in [(&[][..], true), (&[("PODWIRE_TRANSPORT", "ucx")], false)] {
        let (place, other) = (Place::new(), Place::new());
        let with = |file| [&[("PODWIRE_ZENOH_CONFIG", file), ("UCX_TLS", "tcp")], forced].concat();
        let driver = place.start("pair", &["--driver"], &with(to_driver.as_str()));
        let start = |place: &Place, fragment, address: &str| {
            let arguments = ["--worker", "--fragments", fragment, "--address", address];
            place.start("pair", &arguments, &with(to_worker.as_str()))
        };
        let workers = [start(&place, "a", &place.address), start(&other, "b", &place.address)];
        workers.into_iter().for_each(|worker| drop(worker.good()));
        let said = driver.good();
        let told = "warning: UCX encrypts nothing, and carries a.source.out>b.sink.in; ";
        assert_eq!(said.contains(told), is_told, "{said}");
        [place, other].into_iter().for_each(Place::clean);
    }
}

#[test]
fn without_certificates_it_can_be_read_on_the_way() {
    let place = Place::new();
    let driver = place.driver("pair");
    let (address, heard) = overheard_way_to(&place.address);
    let b = place.start("pair", &["--worker", "--fragments", "b", "--address", &address], &[]);
    let a = place.worker("pair", "a");
    [a, b, driver].into_iter().for_each(|process| drop(process.good()));
    assert!(heard.lock().unwrap().windows(7).any(|bytes| bytes == b"podwire"));
}

#[test]
fn strangers_without_a_certificate_of_the_authority_get_nothing_and_cost_nothing() {
    let (place, certificates, others) =
        (Place::new(), Certificates::new("ours"), Certificates::new("theirs"));
    let driver = driver(&place, &certificates.path("driver.json5"));
    // In the clear; with a certificate of another authority; with the authority's name, but without a certificate.
    let nobody = certificates.path("nobody.json5");
    let authority = certificates.path("ca.pem");
    let names = format!("{{ transport: {{ link: {{ tls: {{ root_ca_certificate: {authority:?} }} }} }} }}");
    fs::write(&nobody, names).unwrap();
    let clear = worker(&place, "a", &[]);
    let strangers = [
        worker(&place, "a", &[("PODWIRE_ZENOH_CONFIG", &others.path("worker.json5"))]),
        worker(&place, "a", &[("PODWIRE_ZENOH_CONFIG", &nobody)]),
    ];
    let settings = |scheme: &str| SessionSettings {
        mode: "client".into(),
        connect: vec![format!("{scheme}/{}", place.address)],
        further: vec![("connect/timeout_ms".into(), "500".into())],
        ..SessionSettings::default()
    };
    for scheme in ["tcp", "quic"] {
        assert!(session(&settings(scheme)).is_err(), "{scheme}");
    }
    // Nobody listens there over TCP.
    let words = [&*format!("no driver at {} by plain TCP", place.address), "somebody with certificates"];
    clear.bad(&words);
    for stranger in strangers {
        stranger.bad(&[&format!("who listens at {} is no driver", place.address)]);
    }
    runs(&place, driver, &certificates.path("worker.json5"));
    place.clean();
}

#[test]
fn a_driver_with_users_takes_in_who_knows_the_password() {
    let (place, certificates) = (Place::new(), Certificates::new("users"));
    let write = |name: &str, text: String| {
        let path = certificates.path(name);
        fs::write(&path, text).unwrap();
        path
    };
    let users = write("users.txt", "scanner:open sesame\ndriver:of the bus\n".into());
    let user = |user: &str, password: &str| {
        format!(
            "{{ transport: {{ auth: {{ usrpwd: {{ user: {user:?}, password: {password:?}, dictionary_file: {users:?} }} }} }} }}"
        )
    };
    let driver = driver(&place, &write("driver-user.json5", user("driver", "of the bus")));
    let wrong = write("wrong.json5", user("scanner", "close sesame"));
    let strangers =
        [worker(&place, "a", &[]), worker(&place, "a", &[("PODWIRE_ZENOH_CONFIG", wrong.as_str())])];
    for stranger in strangers {
        stranger.bad(&[&format!("who listens at {} is no driver", place.address)]);
    }
    let unknown = SessionSettings {
        mode: "client".into(),
        connect: vec![format!("tcp/{}", place.address)],
        further: vec![("connect/timeout_ms".into(), "500".into())],
        ..SessionSettings::default()
    };
    let session = session(&unknown);
    assert!(session.map(|session| session.close().wait()).is_err());
    runs(&place, driver, &write("worker-user.json5", user("scanner", "open sesame")));
    place.clean();
}
