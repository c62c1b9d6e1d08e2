//! How long memory lives, whoever of its processes is killed.

use podwire_fastio::Error as FastIoError;

use super::{SIZE, pattern, tell};
use crate::Error;

#[test]
fn another_process_gets_what_was_published_and_opens_it_once() {
    tell("published", |stage| {
        let memory = stage.gpu.create(&stage.context, SIZE).unwrap();
        memory.map_mut().unwrap().upload(0, &pattern(1)).unwrap();
        memory.publish("made").unwrap();
        let mut reader = stage.actor("reader");
        reader.says("answered");
        let answer = stage.gpu.get(&stage.context, "answer").unwrap();
        assert_eq!(answer.len(), SIZE);
        assert!(answer.to_vec().unwrap() == pattern(2));
        reader.ends();
        assert!(answer.to_vec().unwrap() == pattern(2), "it is held here");
    });
}

#[test]
fn memory_lives_as_long_as_somebody_holds_it_who_hands_it_on() {
    tell("handed-on", |stage| {
        let mut maker = stage.actor("maker");
        maker.says("published");
        let memory = stage.gpu.get(&stage.context, "made").unwrap();
        maker.kill();
        assert!(memory.to_vec().unwrap() == pattern(1), "its maker was killed");

        let mut second = stage.actor("holder");
        second.says("held");
        drop(memory);
        stage.gpu.trim();
        let mut third = stage.actor("holder"); // from the second, and from nobody else
        third.says("held");
        second.kill();
        let memory = stage.gpu.get(&stage.context, "made").unwrap();
        third.kill();
        assert!(memory.to_vec().unwrap() == pattern(1), "held here alone");

        drop(memory);
        stage.gpu.trim();
        assert!(matches!(stage.gpu.get(&stage.context, "made"), Err(Error::Gone)));
    });
}

#[test]
fn when_every_holder_was_killed_get_says_so_and_the_name_can_be_taken_again() {
    tell("gone", |stage| {
        let mut maker = stage.actor("maker");
        maker.says("published");
        maker.kill();
        let found = stage.gpu.get(&stage.context, "made");
        assert!(matches!(found, Err(Error::Gone)), "{found:?}");
        let sockets = std::fs::read_dir(stage.context.path()).unwrap();
        let left = sockets.filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with("cuda-")
        });
        assert!(left.count() <= 1, "the socket of a dead process is taken away");

        let memory = stage.gpu.create(&stage.context, SIZE).unwrap();
        memory.map_mut().unwrap().fill(3).unwrap();
        memory.replace("made").unwrap();
        assert!(stage.gpu.get(&stage.context, "made").unwrap().to_vec().unwrap() == vec![3; SIZE]);
    });
}

#[test]
fn memory_is_used_again_only_when_nobody_holds_it() {
    tell("again", |stage| {
        assert_eq!(stage.gpu.machine().counts().0, 0, "earlier stories have let everything go");
        let memory = stage.gpu.create(&stage.context, SIZE).unwrap();
        memory.map_mut().unwrap().upload(0, &pattern(1)).unwrap();
        memory.publish("made").unwrap();
        let waiting = stage.gpu.machine().counts().1;
        let mut holder = stage.actor("holder");
        holder.says("held");
        memory.free().unwrap();
        drop(memory);
        assert_eq!(stage.gpu.machine().counts().0, 1, "another process holds it");
        holder.go_on();
        holder.says("dropped");
        stage.settles_at((0, waiting + 1));
        let reused = stage.gpu.stats().reused;
        drop(stage.gpu.create(&stage.context, SIZE).unwrap());
        assert_eq!(stage.gpu.stats().reused, reused + 1);

        // A holder that is killed holds until a sweep.
        let memory = stage.gpu.create(&stage.context, SIZE).unwrap();
        memory.map_mut().unwrap().upload(0, &pattern(1)).unwrap();
        memory.publish("made").unwrap();
        let mut killed = stage.actor("holder");
        killed.says("held");
        killed.kill();
        memory.free().unwrap();
        drop(memory);
        stage.context.sweep().unwrap();
        stage.settles_at((0, waiting + 1));
        holder.ends();
    });
}

#[test]
fn a_writer_that_was_killed_leaves_poison_and_nobody_reads_what_it_wrote_unasked() {
    tell("poison", |stage| {
        let memory = stage.gpu.create(&stage.context, SIZE).unwrap();
        memory.map_mut().unwrap().upload(0, &pattern(1)).unwrap();
        memory.publish("made").unwrap();
        let mut writer = stage.actor("writer");
        writer.says("writing");
        let busy = memory.map_timeout(std::time::Duration::from_millis(1));
        assert!(matches!(busy, Err(Error::FastIo(FastIoError::Timeout { .. }))), "a writer excludes readers");
        writer.kill();
        assert!(matches!(memory.map(), Err(Error::FastIo(FastIoError::Poisoned))));
        assert!(memory.accept_poisoned().unwrap());
        assert!(memory.to_vec().unwrap()[1000..] == pattern(1)[1000..]);
    });
}
