//! Whoever is killed, and whenever: one message, no process, no shared memory.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::run::{Home, Running, assert_over, run};

/// Sleeps for a while that is different each time.
fn sleep_up_to(milliseconds: u64) {
    let random = RandomState::new().build_hasher().finish();
    thread::sleep(Duration::from_micros(random % (1000 * milliseconds)));
}

fn stages(running: &Running) -> [Pid; 3] {
    ["load", "segment", "report"].map(|stage| running.stage(stage))
}

#[track_caller]
fn assert_killed(home: &Home, running: Running, stage: &str) {
    let processes = stages(&running);
    let outcome = running.end();
    assert_eq!(outcome.status.code(), Some(1), "{}", outcome.out);
    assert_eq!(outcome.message(), format!("volume_pipeline: {stage} was killed by SIGKILL"));
    assert_over(&processes);
    home.assert_empty();
}

#[test]
fn any_stage_can_be_killed_while_the_others_wait() {
    for stage in ["load", "segment", "report"] {
        for _ in 0..4 {
            let home = Home::new();
            let running = Running::start_asleep(&home);
            sleep_up_to(60);
            kill_process(running.stage(stage), Signal::KILL).unwrap();
            assert_killed(&home, running, stage);
        }
    }
}

#[test]
fn load_can_be_killed_at_any_time() {
    let mut in_time = 0;
    for _ in 0..8 {
        let home = Home::new();
        let mut running = Running::start(&home, &home.path("picture.png"));
        sleep_up_to(12);
        let _ = kill_process(running.stage("load"), Signal::KILL);
        // What cannot be stopped by that any more is stopped while it draws.
        if running.reaches("report", "waited") {
            kill_process(running.parent(), Signal::TERM).unwrap();
            assert_eq!(running.end().status.code(), Some(128 + Signal::TERM.as_raw()));
            home.assert_empty();
        } else {
            in_time += 1;
            assert_killed(&home, running, "load");
        }
    }
    assert!(in_time > 0, "the file was always read before the signal came");
}

#[test]
fn report_can_be_killed_while_it_draws() {
    let home = Home::new();
    let mut running = Running::start(&home, &home.path("picture.png"));
    assert!(running.reaches("report", "waited"));
    sleep_up_to(50);
    kill_process(running.stage("report"), Signal::KILL).unwrap();
    assert_killed(&home, running, "report");
}

#[test]
fn ctrl_c_ends_everything() {
    for (signal, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")] {
        let home = Home::new();
        let running = Running::start_asleep(&home);
        sleep_up_to(60);
        kill_process_group(running.parent(), signal).unwrap();
        let processes = stages(&running);
        let outcome = running.end();
        assert_eq!(outcome.status.code(), Some(128 + signal.as_raw()));
        assert_eq!(outcome.message(), format!("volume_pipeline: ended by {name}"));
        assert_over(&processes);
        home.assert_empty();
    }
}

#[test]
fn what_a_killed_parent_leaves_goes_with_the_next_run() {
    let home = Home::new();
    let running = Running::start_asleep(&home);
    kill_process(running.parent(), Signal::KILL).unwrap();
    let processes = stages(&running);
    drop(running);
    assert_over(&processes);
    assert!(!home.contents().is_empty(), "nobody was there to remove the pipeline");

    let alive = Running::start_asleep(&home);
    run(&home, &[Path::new("no such file.nii")]);
    let left = home.contents();
    let pipelines = left.iter().filter(|path| path.is_dir()).count() - 1; // one is the user's
    assert_eq!(pipelines, 1, "the living run keeps its pipeline, the dead one does not: {left:?}");
    kill_process(alive.parent(), Signal::TERM).unwrap();
    alive.end();
    home.assert_empty();
}
