//! `ping_distributed` in one process.

use crate::{out, run, run::Home};

#[test]
fn it_runs_with_its_defaults_and_with_each_of_its_options() {
    for (arguments, messages) in [
        ("", "10 messages, each f64 [1, 64, 64], 327680 bytes in "),
        (
            "--count 3 --rows=2 --columns 5 --batch 7 --data-type i16",
            "3 messages, each i16 [7, 2, 5], 420 bytes in ",
        ),
        ("--count=1 --data-type c64 --rows 0", "1 messages, each c64 [1, 0, 64], 0 bytes in "),
        ("--count 0", "no messages\n"),
    ] {
        let out = out("ping_distributed", arguments);
        assert!(out.starts_with(messages), "{arguments}: {out}");
        assert!(messages.starts_with("no") || out.contains("\non the way: "), "{out}");
    }
}

#[test]
fn what_it_cannot_do_is_a_clear_error() {
    for (arguments, told) in [
        ("--data-type f99", "  - --data-type: \"f99\": there are u8, u16, "),
        ("--cuont 3", "  - there is no option --cuont: did you mean \"--count\"?"),
        ("--rows 4294967296 --columns 4294967296", "fragment1.ping failed: such an array is too large"),
        ("--config /no/such/file", "  - --config: /no/such/file cannot be read: No such file"),
        ("--address", "  - --address needs a value: write --address HOST:PORT"),
    ] {
        let outcome = run(&Home::new(), "ping_distributed", arguments);
        assert_eq!(outcome.status.code(), Some(1), "{arguments}");
        assert!(outcome.error.contains(told), "{arguments}: {}", outcome.error);
    }
}

#[test]
fn arrays_on_a_gpu_are_sent_where_there_is_one_and_elsewhere_it_says_why_not() {
    let outcome = run(&Home::new(), "ping_distributed", "--gpu --count 3 --columns 1000");
    let missing = if cfg!(feature = "cuda") { "there is no CUDA driver" } else { "this build has no CUDA" };
    if outcome.status.success() {
        assert!(outcome.out.contains("3 messages, each f64 [1, 64, 1000] on GPU 0, by reference, "));
        return;
    }
    println!("skipped: GPU ({missing})");
    assert_eq!(outcome.status.code(), Some(1));
    let told = format!("  - operator fragment1.ping: setup failed: --gpu: {missing}");
    assert!(outcome.error.contains(&told), "{}", outcome.error);
}

#[test]
fn help_shows_its_options_and_those_of_every_application() {
    let out = out("ping_distributed", "--help --count 3");
    for word in [
        "Usage: ping_distributed",
        "--data-type <TYPE>",
        "--worker-address",
        "PODWIRE_LEASE",
        "  fragment1  ping\n",
    ] {
        assert!(out.contains(word), "{word}: {out}");
    }
}

#[test]
fn the_picture_is_drawn_and_nothing_runs() {
    let out = out("ping_distributed", "--graph=dot");
    assert!(out.starts_with("digraph application {") && !out.contains("messages"), "{out}");
    assert!(out.contains("f0o0 -> f1o0 [label=\"out → in\\nTensor\\n4 wait\", style=dashed]"), "{out}");
}

#[test]
fn a_variable_that_is_not_understood_is_told() {
    let home = Home::new();
    let mut command = crate::run::example_called("ping_distributed");
    let outcome = crate::run::finish(&home, command.env("PODWIRE_LEASE", "soon").env("PODWIRE_LAESE", "5"));
    assert_eq!(outcome.status.code(), Some(1));
    assert!(
        outcome.error.contains("PODWIRE_LEASE=\"soon\" is not understood: milliseconds"),
        "{}",
        outcome.error
    );
    assert!(outcome.error.contains("did you mean PODWIRE_LEASE?"), "{}", outcome.error);
}
