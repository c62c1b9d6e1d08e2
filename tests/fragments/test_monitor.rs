//! `--monitor`, in a terminal and elsewhere.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::run::{Home, example_called, finish};

/// Runs a command in a terminal of this size, and gives all that is written to it.
fn in_terminal(command: &mut Command, lines: u16, columns: u16) -> (bool, String) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let open = || rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY, rustix::fs::Mode::empty()).unwrap();
    let theirs = open();
    let size = Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&theirs, size).unwrap();
    let mut child = command.stdout(Stdio::from(theirs)).stderr(Stdio::from(open())).spawn().unwrap();
    command.stdout(Stdio::null()).stderr(Stdio::null()); // the last of theirs that we hold

    let mut written = Vec::new();
    let mut ours = File::from(ours);
    let mut buffer = [0; 4096];
    // When the last process has closed its side, reading is an error.
    while let Ok(count @ 1..) = ours.read(&mut buffer) {
        written.extend_from_slice(&buffer[..count]);
    }
    (child.wait().unwrap().success(), String::from_utf8_lossy(&written).into_owned())
}

#[test]
fn in_a_terminal_the_table_stands_at_the_bottom_and_the_terminal_is_whole_again_afterwards() {
    let home = Home::new();
    let mut command = example_called("sensor_fusion");
    command.args(["--monitor", "--seconds", "0.2"]).env("PODWIRE_SHM_DIR", home.path(""));
    let (success, written) = in_terminal(command.env("PODWIRE_MONITOR_PERIOD", "20"), 40, 120);
    assert!(success, "{written}");

    // Above the table 27 lines scroll: 12 lines and the one over them do not.
    let (scrolls, whole) = (written.find("\x1b[1;27r").unwrap(), written.rfind("\x1b[r").unwrap());
    assert!(scrolls < whole, "{written:?}");
    for word in ["operator   state", "fusion.estimate>display.estimate", "dropped"] {
        assert!(written[scrolls..whole].contains(word), "{word}: {written}");
    }
    assert!(written.contains(" m ± "), "what the application prints is there, too: {written}");
    assert!(written[whole..].ends_with("\x1b[40;1H\r\n"), "{written:?}");
    home.assert_empty();
}

#[test]
fn a_terminal_that_is_too_small_is_left_alone() {
    let home = Home::new();
    let mut command = example_called("ping_distributed");
    command.arg("--monitor").env("PODWIRE_SHM_DIR", home.path(""));
    let (success, written) = in_terminal(&mut command, 4, 120);
    assert!(success && !written.contains('\x1b') && written.contains("10 messages"), "{written:?}");
    home.assert_empty();
}

#[test]
fn elsewhere_it_writes_lines_of_keys_and_values() {
    let home = Home::new();
    let mut command = example_called("ping_distributed");
    let outcome = finish(&home, command.args(["--monitor", "--count", "5"]));
    assert!(outcome.status.success());
    let last = outcome.out.lines().rfind(|line| line.contains(" connection=")).unwrap();
    assert!(last.starts_with("monitor time_s="), "{last}");
    let expected =
        " connection=fragment1.ping.out>fragment2.pong.in transport=local queue=0 capacity=4 sent=5 ";
    assert!(
        last.contains(expected) && last.contains(" received=5 dropped=0 lost=0 copied_bytes=0"),
        "{last}"
    );
}
