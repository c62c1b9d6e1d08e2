//! What the compiler says: each file of `tests/ui` does not compile, and what is said of it stands beside it.
//!
//! After a change, look at the difference: `TRYBUILD=overwrite cargo test --test ui`, then `git diff tests/ui`.

#[test]
fn every_message_says_what_to_write_instead() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
