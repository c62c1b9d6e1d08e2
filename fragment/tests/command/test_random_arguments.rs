//! Random arguments: nothing panics, and whatever is not ours comes back, in order.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
};

use podwire_fragment::command::{Address, CommandLine};

/// A random sequence that is the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) % bound as u64) as usize
    }

    fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    fn bytes(&mut self) -> Vec<u8> {
        (0..self.below(6)).map(|_| self.below(255) as u8 + 1).collect()
    }
}

const FLAGS: [&str; 6] = ["--driver", "--worker", "--monitor", "--graph", "--help", "--version"];
const OPTIONS: [&str; 4] = ["--address", "--worker-address", "--fragments", "--config"];

#[test]
fn what_is_not_ours_comes_back_in_order() {
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let mut arguments: Vec<OsString> = vec!["myapp".into()];
        let mut theirs = arguments.clone();
        for _ in 0..random.below(9) {
            match random.below(6) {
                0 => arguments.push(random.of(&FLAGS).into()),
                1 => arguments.push([random.of(&FLAGS), "=x"].concat().into()),
                2 => arguments.extend(
                    [random.of(&OPTIONS), random.of(&["a", "a,b", "::1", "=", ":", "-", ""])]
                        .map(OsString::from),
                ),
                3 => arguments
                    .push([random.of(&OPTIONS), "=", random.of(&["a", "--driver", "", "="])].concat().into()),
                4 => {
                    let own = random.of(&[
                        "a",
                        "",
                        "-",
                        "-driver",
                        "--drive",
                        "--fragment=a",
                        "--=",
                        "-a=--worker",
                    ]);
                    arguments.push(own.into());
                    theirs.push(own.into());
                }
                _ => {
                    let own = OsString::from(OsStr::from_bytes(&[b"x", &*random.bytes()].concat()));
                    arguments.push(own.clone());
                    theirs.push(own);
                }
            }
        }
        if random.below(4) == 0 {
            let behind: Vec<OsString> =
                vec!["--".into(), random.of(&FLAGS).into(), random.of(&OPTIONS).into()];
            arguments.extend(behind.clone());
            theirs.extend(behind);
        }
        let line = CommandLine::split(&arguments);
        assert_eq!(line.argv(), theirs, "{arguments:?}");
    }
}

#[test]
fn whatever_the_arguments_are_nothing_panics_and_what_is_left_splits_to_itself() {
    let pieces: [&[u8]; 18] = [
        b"-",
        b"--",
        b"=",
        b"driver",
        b"worker",
        b"address",
        b"fragments",
        b"graph",
        b"dot:",
        b"all",
        b",",
        b":",
        b"[",
        b"]",
        b"::1",
        b"count",
        b"gpu",
        b"\xff",
    ];
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let argument = |random: &mut Random| {
            let parts: Vec<&[u8]> = (0..random.below(5)).map(|_| random.of(&pieces)).collect();
            OsStr::from_bytes(&parts.concat()).to_owned()
        };
        let arguments: Vec<_> = (0..random.below(8)).map(|_| argument(&mut random)).collect();
        let mut line = CommandLine::split(&arguments);
        let again = CommandLine::split(line.argv());
        assert_eq!(again.argv(), line.argv(), "{arguments:?}");
        assert_eq!(again.mistakes(), []);

        let count = line.option("--count", "N", "", 7);
        let gpu = line.flag("--gpu", "");
        let free = line.arguments("FILE", "");
        for mistake in line.mistakes() {
            assert!(!mistake.to_string().is_empty());
        }
        assert!(!gpu || line.argv().iter().any(|argument| argument == "--gpu"), "{arguments:?}");
        assert!(count == 7 && free.len() <= arguments.len(), "{arguments:?}");
        assert!(seed % 100 != 0 || line.help(&[]).contains("--count <N>"));
    }
}

#[test]
fn a_random_address_is_one_or_an_error_and_what_is_displayed_parses_to_it() {
    let pieces = [
        "a", "b.c", "1", "300", ".", ":", "::", "[", "]", "%", "e0", "-", "_", "65535", "65536", "ffff", "ä",
    ];
    let mut good = 0;
    for seed in 0..50_000 {
        let mut random = Random(seed);
        let text: String = (0..random.below(7)).map(|_| random.of(&pieces)).collect();
        if let Ok(address) = text.parse::<Address>() {
            assert_eq!(address.to_string().parse(), Ok(address), "{text}");
            good += 1;
        }
    }
    assert!(good > 1000, "{good}");
}
