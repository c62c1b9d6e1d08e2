//! Memory: held, freed, used again, and missing.

use podwire_fastio::{AllocationOptions, Error, FastIoContext};

use crate::support::{Actor, Pipeline, Role, directory, pause, say};

pub(crate) const ROLES: &[Role] = &[
    ("holder", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let allocation = context.get("data").unwrap();
        say("holding");
        pause();
        assert!(allocation.map().unwrap().iter().all(|byte| *byte == 1));
        say("unharmed");
        pause();
    }),
    ("fill-up", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let mut kept = Vec::new();
        let error = loop {
            match context.create(16 << 10) {
                Ok(allocation) => {
                    allocation.map_mut().unwrap().fill(1);
                    kept.push(allocation);
                }
                Err(error) => break error,
            }
            assert!(kept.len() < 1000);
        };
        assert!(matches!(error, Error::NoSpace { wanted } if wanted >= 16 << 10), "{error}");
        assert!(matches!(context.create(1 << 40), Err(Error::NoSpace { .. })));
        assert!(!kept.is_empty());
        // The pool gives back what another size needs.
        kept.truncate(kept.len() - 3);
        context.create(30 << 10).unwrap();
        kept.clear();
        context.sweep().unwrap();
        context.create(64 << 10).unwrap();
        drop(context);
        say(FastIoContext::remove(pipeline).unwrap());
    }),
    ("no-inodes", |pipeline| {
        let context = FastIoContext::open(pipeline).unwrap();
        let mut kept = vec![context.create(100).unwrap()];
        // The table of names is a file, too.
        kept[0].publish("first").unwrap();
        let error = loop {
            match context.create(100) {
                Ok(allocation) => kept.push(allocation),
                Err(error) => break error,
            }
            assert!(kept.len() < 1000);
        };
        assert!(matches!(error, Error::NoSpace { .. }), "{error}");
        // What is there works, and memory that comes back is used again.
        kept[0].publish("data").unwrap();
        assert_eq!(context.get("data").unwrap().len(), 100);
        assert!(matches!(context.create(1 << 20), Err(Error::NoSpace { .. })));
        kept.truncate(1);
        context.create(1 << 20).unwrap();
        kept[0].free().unwrap();
        kept.clear();
        context.sweep().unwrap();
        let stats = context.stats().unwrap();
        assert_eq!((stats.published, stats.private, stats.freed, stats.bytes), (0, 0, 0, 0));
        drop(context);
        say(FastIoContext::remove(pipeline).unwrap());
    }),
    ("no-room-at-all", |pipeline| {
        let error = FastIoContext::open(pipeline).unwrap_err();
        assert!(matches!(error, Error::NoSpace { .. }), "{error}");
        say("refused");
    }),
];

#[test]
fn memory_is_not_used_again_while_another_process_holds_it() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(5000).unwrap();
    allocation.map_mut().unwrap().fill(1);
    allocation.publish("data").unwrap();
    let index = allocation.id().index;
    let mut holder = Actor::start("holder", &pipeline);
    holder.expect("holding");
    allocation.free().unwrap();
    drop(allocation);
    let others: Vec<_> = (0..10).map(|_| context.create(5000).unwrap()).collect();
    for other in &others {
        assert_ne!(other.id().index, index);
        other.map_mut().unwrap().fill(2);
    }
    holder.go_on();
    holder.expect("unharmed");
    holder.kill();
    context.sweep().unwrap();
    assert_eq!(context.stats().unwrap().freed, 0, "a killed holder holds nothing");
}

#[test]
fn memory_is_used_again_under_a_new_generation() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let first = context.create(5000).unwrap();
    let old = first.id();
    first.map_mut().unwrap().fill(1);
    first.publish("data").unwrap();
    first.seal().unwrap();
    first.free().unwrap();
    drop(first);
    let second = context.create(6000).unwrap();
    assert_eq!(second.id().index, old.index, "it comes from the pool");
    assert_ne!(second.id().generation, old.generation);
    assert!(!second.is_sealed());
    assert!(matches!(context.get_by_id(old), Err(Error::Freed)));
    let zeroed = {
        drop(second);
        context.create_with(AllocationOptions::new(6000).zeroed(true)).unwrap()
    };
    assert_eq!(zeroed.id().index, old.index);
    assert!(zeroed.map().unwrap().iter().all(|byte| *byte == 0));
}

#[test]
fn sizes_at_the_edges_work() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    for size in [0, 1, 4095, 4096, 4097, 32 << 10, (32 << 10) + 1, 1 << 20] {
        let allocation = context.create(size).unwrap();
        assert_eq!(allocation.map_mut().unwrap().len(), size);
        assert_eq!(allocation.map().unwrap().as_ptr() as usize % 4096, 0);
    }
    for size in [usize::MAX, isize::MAX as usize, 1 << 52] {
        assert!(matches!(context.create(size), Err(Error::NoSpace { .. })), "{size}");
    }
    for alignment in [0, 3, 8192] {
        let options = AllocationOptions::new(1).alignment(alignment);
        assert!(matches!(context.create_with(options), Err(Error::BadAlignment { .. })));
    }
    assert!(context.create_with(AllocationOptions::new(1).alignment(4096)).is_ok());
}

#[test]
fn a_sweep_gives_pooled_memory_back() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    drop(context.create(1 << 20).unwrap());
    assert_eq!(context.stats().unwrap().pooled_bytes, 1 << 20);
    assert_eq!(context.sweep().unwrap().trimmed, 1);
    assert_eq!(context.stats().unwrap().pooled_bytes, 0);
    let files = std::fs::read_dir(directory(&pipeline)).unwrap();
    assert!(!files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("segment.")));
    assert_eq!(context.create(1 << 20).unwrap().map().unwrap().len(), 1 << 20, "the index is used again");
}

#[test]
fn the_last_to_leave_takes_the_pool_along() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    drop(context.create(1 << 20).unwrap());
    drop(context);
    let context = pipeline.open();
    assert_eq!(context.stats().unwrap().pooled_bytes, 0);
}

/// A tmpfs of its own size, unmounted when the test ends.
struct Tmpfs(std::path::PathBuf);

impl Tmpfs {
    fn mount(options: &str) -> Option<Self> {
        let path = std::env::temp_dir().join(format!("podwire-tmpfs-{}-{options}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "podwire-test"])
            .arg(&path)
            .output()
            .is_ok_and(|output| output.status.success());
        if mounted {
            return Some(Self(path));
        }
        std::fs::remove_dir(&path).unwrap();
        println!("skipped: tmpfs mount");
        None
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn a_full_file_system_is_an_error_and_memory_comes_back() {
    let Some(tmpfs) = Tmpfs::mount("size=1m") else { return };
    let root = tmpfs.0.to_str().unwrap();
    let mut actor = Actor::start_with("fill-up", "full", &[("PODWIRE_SHM_DIR", root)]);
    actor.expect("true");
    actor.finish();
    assert_eq!(std::fs::read_dir(&tmpfs.0).unwrap().count(), 0, "nothing remains");
}

#[test]
fn case_77_without_inodes_there_is_no_space_and_nothing_leaks() {
    let Some(tmpfs) = Tmpfs::mount("size=16m,nr_inodes=20") else { return };
    let root = tmpfs.0.to_str().unwrap();
    let mut actor = Actor::start_with("no-inodes", "full", &[("PODWIRE_SHM_DIR", root)]);
    actor.expect("true");
    actor.finish();
    assert_eq!(std::fs::read_dir(&tmpfs.0).unwrap().count(), 0, "nothing remains");
}

#[test]
fn a_file_system_without_room_for_the_pipeline_is_an_error() {
    let Some(tmpfs) = Tmpfs::mount("size=64k") else { return };
    let root = tmpfs.0.to_str().unwrap();
    let mut actor = Actor::start_with("no-room-at-all", "full", &[("PODWIRE_SHM_DIR", root)]);
    actor.expect("refused");
    actor.finish();
}
