//! What the compiler says: each file of `ui/` does not compile, and what is said of it stands beside it.
//!
//! After a change, look at the difference: `TRYBUILD=overwrite cargo test -p podwire-derive-tests --test ui`, then `git diff`.

#[test]
fn every_message_says_what_to_write_instead() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
