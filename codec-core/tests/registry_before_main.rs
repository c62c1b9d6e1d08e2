//! Look-ups before `main` and after it: hostile case 47. By itself, because it uses the registry of the process before
//! anything else could.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "runs code before main and at exit")]

use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};

use podwire_codec_core::{CodecRegistry, register_codec};

register_codec!(Vec<u8>, "early bytes");
register_codec!(Vec<u16>, "early words");

/// What was found before `main`: 1 nothing, 2 the codec.
static BEFORE: AtomicU8 = AtomicU8::new(0);

extern "C" fn before_main() {
    let found = CodecRegistry::global().by_name("early bytes").is_ok();
    BEFORE.store(1 + u8::from(found), Ordering::Relaxed);
}

#[used]
// Before the registrations, which have no priority.
#[unsafe(link_section = ".init_array.00101")]
static EARLY: extern "C" fn() = before_main;

extern "C" fn at_exit() {
    if CodecRegistry::global().by_name("early words").is_err() {
        // The one way to be heard at this time.
        std::process::abort();
    }
    println!("found at exit");
}

unsafe extern "C" {
    fn atexit(callback: extern "C" fn()) -> i32;
}

#[test]
#[cfg_attr(miri, ignore = "runs before main")]
fn case_47_a_look_up_before_main_is_answered_and_later_ones_find_everything() {
    assert_ne!(BEFORE.load(Ordering::Relaxed), 0, "it ran and came back");
    let registry = CodecRegistry::global();
    assert!(registry.by_name("early bytes").is_ok());
    assert!(registry.by_name("early words").is_ok());
    assert!(registry.check().is_empty());
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn case_47_a_look_up_at_exit_is_answered() {
    if std::env::var_os("AT_EXIT").is_some() {
        // SAFETY: the callback is a function of this program, and does not unwind.
        assert_eq!(unsafe { atexit(at_exit) }, 0);
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "case_47_a_look_up_at_exit_is_answered"])
        .env("AT_EXIT", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("found at exit"), "{output:?}");
}
