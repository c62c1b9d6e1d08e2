//! Links between processes: every transport keeps the contract, and nothing that arrives harms the application.
#![cfg(feature = "conformance")]

#[cfg(feature = "distributed")]
mod frames;
mod suite;
#[cfg(feature = "distributed")]
mod wire;

/// Has a test run in a process of its own, beside tests that hold gigabytes and keep Zenoh's threads busy. Whether this is
/// the process that it belongs to, where the test then goes on; elsewhere it has been run.
#[cfg(feature = "distributed")]
fn is_alone(test: &str) -> bool {
    const ALONE: &str = "PODWIRE_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut own = std::process::Command::new(std::env::current_exe().unwrap());
    let ended = own.args(["--exact", test, "--nocapture"]).env(ALONE, "1").output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    false
}
