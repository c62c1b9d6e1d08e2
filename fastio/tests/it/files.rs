//! The files: private, checked, and gone when the pipeline is.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, symlink},
    path::Path,
};

use podwire_fastio::{Error, FastIoContext};

use crate::support::{Actor, Pipeline, Role, base, directory, pause, say};

pub(crate) const ROLES: &[Role] = &[("look-at-data", |pipeline| {
    let context = FastIoContext::open(pipeline).unwrap();
    say("open");
    pause();
    let error = context.get("data").map(drop).unwrap_err();
    assert!(matches!(error, Error::NotPrivate { .. }), "{error}");
    say("refused");
})];

/// What is planted, and how: at a path, perhaps pointing to a victim.
type Plant = (&'static str, fn(&Path, &Path));

fn refused(pipeline: &str) -> Error {
    FastIoContext::open(pipeline).map(drop).unwrap_err()
}

/// A directory as a pipeline would have it, with nothing in it.
fn planted() -> (Pipeline, std::path::PathBuf) {
    let pipeline = Pipeline::new();
    drop(pipeline.open());
    let path = directory(&pipeline);
    for file in fs::read_dir(&path).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    (pipeline, path)
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .unwrap();
}

fn private_file(path: &Path) -> File {
    OpenOptions::new().create_new(true).read(true).write(true).mode(0o600).open(path).unwrap()
}

#[test]
fn everything_is_closed_to_other_users() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.create(100).unwrap().publish("data").unwrap();
    assert_eq!(fs::metadata(base()).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(directory(&pipeline)).unwrap().mode() & 0o777, 0o700);
    for file in fs::read_dir(directory(&pipeline)).unwrap() {
        let metadata = file.unwrap().metadata().unwrap();
        assert!(metadata.is_file() && metadata.mode() & 0o777 == 0o600);
    }
}

#[test]
fn nothing_remains_of_a_removed_pipeline() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(1 << 20).unwrap();
    allocation.map_mut().unwrap().fill(8);
    allocation.publish("data").unwrap();
    assert!(FastIoContext::remove(&pipeline).unwrap());
    assert!(!FastIoContext::remove(&pipeline).unwrap());
    assert!(!directory(&pipeline).exists());
    assert!(matches!(context.get("data"), Err(Error::Removed)));
    assert!(matches!(context.create(1), Err(Error::Removed)));
    assert!(matches!(allocation.publish("other"), Err(Error::Removed)));
    assert_eq!(allocation.map().unwrap()[0], 8, "a handle stays readable");
    let again = pipeline.open();
    let _same = pipeline.open();
    assert_eq!(again.stats().unwrap().processes, 1);
    assert!(again.try_get("data").unwrap().is_none());
    assert!(again.clone().drop_pipeline().unwrap());
    assert!(matches!(again.drop_pipeline(), Err(Error::Removed)));
}

#[test]
fn those_who_remove_pipelines_at_once_do_not_fail_for_each_other() {
    let threads: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(|| {
                for _ in 0..100 {
                    let pipeline = Pipeline::new();
                    let context = pipeline.open();
                    context.create(1).unwrap().publish("data").unwrap();
                    drop(context);
                    FastIoContext::remove(&pipeline).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn two_contexts_of_a_process_are_one() {
    let pipeline = Pipeline::new();
    let (first, second) = (pipeline.open(), pipeline.open());
    assert_eq!(first.stats().unwrap().processes, 1);
    first.create(1).unwrap().publish("data").unwrap();
    assert!(second.get("data").is_ok());
}

#[test]
fn a_planted_pipeline_directory_is_refused() {
    let target = std::env::temp_dir();
    let plants: [Plant; 4] = [
        ("symlink", |path, target| symlink(target, path).unwrap()),
        ("file", |path, _| drop(private_file(path))),
        ("fifo", |path, _| fifo(path)),
        ("open directory", |path, _| {
            fs::create_dir(path).unwrap();
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }),
    ];
    for (kind, plant) in plants {
        let pipeline = Pipeline::new();
        let keeper = Pipeline::new();
        let _keep_the_base = keeper.open();
        let path = directory(&pipeline);
        plant(&path, &target);
        let error = refused(&pipeline);
        assert!(matches!(error, Error::NotPrivate { .. }), "{kind}: {error}");
        assert!(fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).is_ok());
    }
}

#[test]
fn planted_files_are_refused_and_not_followed() {
    let victim = std::env::temp_dir().join(format!("podwire-victim-{}", std::process::id()));
    fs::write(&victim, b"precious").unwrap();
    for name in ["control", "slot.0"] {
        let plants: [Plant; 5] = [
            ("symlink", |path, victim| symlink(victim, path).unwrap()),
            ("hard link", |path, _| {
                let other = path.with_extension("other");
                drop(private_file(&other));
                fs::hard_link(other, path).unwrap();
            }),
            ("fifo", |path, _| fifo(path)),
            ("directory", |path, _| fs::create_dir(path).unwrap()),
            ("open file", |path, _| {
                drop(private_file(path));
                fs::set_permissions(path, Permissions::from_mode(0o666)).unwrap();
            }),
        ];
        for (kind, plant) in plants {
            let (pipeline, path) = planted();
            plant(&path.join(name), &victim);
            let error = refused(&pipeline);
            assert!(matches!(error, Error::NotPrivate { .. }), "{name}, {kind}: {error}");
            fs::remove_dir_all(path).unwrap();
        }
    }
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    fs::remove_file(victim).unwrap();
}

#[test]
fn case_64_files_of_another_owner_are_refused() {
    if !rustix::process::geteuid().is_root() {
        // Nobody else can give a file away, so that there is none of another owner.
        return;
    }
    const NOBODY: Option<u32> = Some(65_534);
    for name in ["", "control", "slot.0"] {
        let pipeline = Pipeline::new();
        drop(pipeline.open());
        let path = directory(&pipeline).join(name);
        chown(&path, NOBODY, None).unwrap();
        let error = refused(&pipeline);
        assert!(matches!(error, Error::NotPrivate { .. }), "{name}: {error}");
        chown(&path, Some(0), None).unwrap();
        drop(pipeline.open());
    }
    // A segment that is not mapped here yet, in a pipeline that is open.
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.create(100).unwrap().publish("data").unwrap();
    let mut other = Actor::start("look-at-data", &pipeline);
    other.expect("open");
    chown(directory(&pipeline).join("segment.0.1"), NOBODY, None).unwrap();
    other.go_on();
    other.expect("refused");
    other.finish();
}

#[test]
fn a_symlink_where_a_segment_is_to_be_is_not_followed() {
    let victim = std::env::temp_dir().join(format!("podwire-segment-victim-{}", std::process::id()));
    fs::write(&victim, b"precious").unwrap();
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    symlink(&victim, directory(&pipeline).join("segment.0.1")).unwrap();
    assert!(matches!(context.create(10), Err(Error::Io { op: "create", .. })));
    assert!(context.create(10).is_ok(), "the next one has another name");
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    fs::remove_file(victim).unwrap();
}

#[test]
fn garbage_in_shared_files_is_an_error() {
    type Spoil = fn(&File);
    let spoils: [(&str, &str, Spoil); 6] = [
        ("control", "empty", |file| file.set_len(0).unwrap()),
        ("control", "short", |file| file.set_len(10).unwrap()),
        ("control", "long", |file| file.set_len(1 << 30).unwrap()),
        ("control", "magic", |file| file.write_all_at(&[0], 0).unwrap()),
        ("control", "version", |file| file.write_all_at(&[77], 8).unwrap()),
        ("control", "size", |file| file.write_all_at(&[255; 4], 12).unwrap()),
    ];
    for (name, kind, spoil) in spoils {
        let pipeline = Pipeline::new();
        drop(pipeline.open());
        spoil(&OpenOptions::new().write(true).open(directory(&pipeline).join(name)).unwrap());
        let error = refused(&pipeline);
        assert!(matches!(error, Error::Corrupt { .. }), "{kind}: {error}");
        assert!(FastIoContext::remove(&pipeline).unwrap(), "it can be removed all the same");
    }
}

/// Runs `spoil` on a file of a pipeline with one publication that nobody has mapped, and what `get` then says.
fn spoiled(file: &str, spoil: impl FnOnce(&File)) -> Error {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    context.create(100).unwrap().publish("data").unwrap();
    drop(context);
    spoil(&OpenOptions::new().write(true).open(directory(&pipeline).join(file)).unwrap());
    pipeline.open().get("data").map(drop).unwrap_err()
}

#[test]
fn garbage_in_a_segment_or_a_table_is_an_error() {
    let segment = "segment.0.1";
    let cases = [
        spoiled(segment, |file| file.set_len(0).unwrap()),
        spoiled(segment, |file| file.set_len(100).unwrap()),
        spoiled(segment, |file| file.set_len(1 << 40).unwrap()),
        spoiled(segment, |file| file.write_all_at(b"garbage!", 0).unwrap()),
        spoiled(segment, |file| file.write_all_at(&[9], 8).unwrap()),
        spoiled(segment, |file| file.write_all_at(&[9], 12).unwrap()),
        spoiled("segments.0", |file| file.set_len(10).unwrap()),
        // The length of the payload, and where it begins.
        spoiled("segments.0", |file| file.write_all_at(&[255; 8], 8).unwrap()),
        spoiled("segments.0", |file| file.write_all_at(&[0; 4], 40).unwrap()),
        spoiled("segments.0", |file| file.write_all_at(&[255; 4], 40).unwrap()),
        // The class.
        spoiled("segments.0", |file| file.write_all_at(&[255; 4], 36).unwrap()),
        spoiled("names.0", |file| file.set_len(0).unwrap()),
    ];
    for (case, error) in cases.iter().enumerate() {
        assert!(matches!(error, Error::Corrupt { .. }), "{case}: {error}");
    }
}

#[test]
fn garbage_that_names_a_reader_or_writer_that_nobody_is_keeps_nobody_waiting() {
    // Slots that no process has, one beyond all there are, and a word with the slot alone: it only waits to write.
    for word in [8_u32 | 1 << 31, 0x7FFF_0000 | 1 << 31, 8, u32::MAX] {
        let pipeline = Pipeline::new();
        let context = pipeline.open();
        let allocation = context.create(100).unwrap();
        allocation.publish("data").unwrap();
        let file = OpenOptions::new().write(true).open(directory(&pipeline).join("segments.0")).unwrap();
        file.write_all_at(&word.to_le_bytes(), 64).unwrap();
        let writes = word == 8;
        match context.get("data").unwrap().map() {
            Ok(view) => assert!(writes && view.len() == 100),
            Err(error) => assert!(!writes && matches!(error, Error::Poisoned), "{word:#x}: {error}"),
        }
        // Readers 70 and 100.
        file.write_all_at(&(1_u64 << 6 | 1 << 36).to_le_bytes(), 64 + 16 + 8).unwrap();
        allocation.accept_poisoned().unwrap();
        drop(allocation.map_mut().unwrap());
    }
}

#[test]
fn garbage_that_says_that_the_index_is_locked_keeps_nobody_waiting() {
    // The slot that who opens it next gets, one that nobody has, one that there cannot be, and waiters for nobody.
    for word in [1_u32, 1 | 1 << 31, 8, 0x7FFF_0000, u32::MAX, 1 << 31] {
        let pipeline = Pipeline::new();
        pipeline.open().create(100).unwrap().publish("data").unwrap();
        let file = OpenOptions::new().write(true).open(directory(&pipeline).join("control")).unwrap();
        file.write_all_at(&word.to_le_bytes(), 64).unwrap();
        let context = pipeline.open();
        context.create(10).unwrap().publish("more").unwrap();
        assert_eq!(context.get("data").unwrap().map().unwrap().len(), 100, "{word:#x}");
        // Written while there are members.
        if word & 0xFF != 1 {
            file.write_all_at(&word.to_le_bytes(), 64).unwrap();
            context.unpublish("data").unwrap();
        }
        assert!(context.try_get("more").unwrap().is_some(), "{word:#x}");
    }
}

#[test]
fn random_garbage_in_the_tables_never_panics() {
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for round in 0..40 {
        let pipeline = Pipeline::new();
        let context = pipeline.open();
        for name in 0..10 {
            context.create(100).unwrap().publish(&format!("{name}")).unwrap();
        }
        drop(context);
        let file = ["segments.0", "names.0", "control"][round % 3];
        let path = directory(&pipeline).join(file);
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        // The head of the control file is checked when it is opened.
        let start = if path.ends_with("control") { 64 } else { 0 };
        for _ in 0..200 {
            let at = start + random() % (file.metadata().unwrap().len() - start - 8);
            file.write_all_at(&random().to_le_bytes(), at & !7).unwrap();
        }
        let Ok(context) = FastIoContext::open(&pipeline) else { continue };
        for name in 0..10 {
            if let Ok(found) = context.get(&format!("{name}")) {
                let _ = (found.metadata().is_ok(), found.children().is_ok(), found.len());
            }
        }
        let _ = context.list();
        let _ = context.create(10).and_then(|allocation| allocation.publish("new"));
        let _ = context.sweep();
    }
}

#[test]
fn a_missing_directory_for_the_pipelines_is_an_error() {
    // In a child, because the environment belongs to the whole process.
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "support::play", "--nocapture"])
        .env("PODWIRE_TEST_ROLE", "open-nowhere")
        .env("PODWIRE_TEST_PIPELINE", "nowhere")
        .env("PODWIRE_SHM_DIR", "/nonexistent/podwire")
        .output()
        .unwrap();
    assert!(output.status.success());
}

#[test]
fn a_file_truncated_under_a_handle_is_an_error_to_one_who_does_not_map() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(20_000).unwrap();
    allocation.map_mut().unwrap().fill(5);
    let mut bytes = [0; 100];
    allocation.read_into(19_900, &mut bytes).unwrap();
    assert_eq!(bytes, [5; 100]);
    assert!(matches!(allocation.read_into(19_901, &mut bytes), Err(Error::WrongShape { .. })));
    assert!(matches!(allocation.read_into(usize::MAX, &mut bytes), Err(Error::WrongShape { .. })));
    let file = OpenOptions::new().write(true).open(directory(&pipeline).join("segment.0.1")).unwrap();
    file.set_len(4096).unwrap();
    assert!(matches!(allocation.read_into(0, &mut bytes), Err(Error::Corrupt { .. })));
}

#[test]
fn a_wrong_count_of_pooled_bytes_keeps_nobody_from_leaving() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let control = OpenOptions::new().write(true).open(directory(&pipeline).join("control")).unwrap();
    control.write_all_at(&u64::MAX.to_le_bytes(), 216).unwrap();
    // It gives back what the pool has, which is nothing.
    drop(context);
    drop(pipeline.open());
}

#[test]
fn a_wrong_count_of_names_or_segments_costs_no_memory() {
    for (count, at) in [("segments", 36), ("names", 40)] {
        let pipeline = Pipeline::new();
        let context = pipeline.open();
        let allocation = context.create(100).unwrap();
        let control = OpenOptions::new().write(true).open(directory(&pipeline).join("control")).unwrap();
        control.write_all_at(&4_000_000u32.to_le_bytes(), at).unwrap();
        let refused = allocation.publish("one").and_then(|()| context.create(100)).map(drop);
        assert!(matches!(refused, Err(Error::Corrupt { .. })), "{count}: {refused:?}");
        let files = fs::read_dir(directory(&pipeline)).unwrap();
        let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
        assert!(bytes < 1 << 20, "{count}: {bytes} bytes");
    }
}

#[test]
fn a_file_unlinked_under_a_handle_stays_readable() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(20_000).unwrap();
    allocation.map_mut().unwrap().fill(5);
    fs::remove_file(directory(&pipeline).join("segment.0.1")).unwrap();
    assert!(allocation.map().unwrap().iter().all(|byte| *byte == 5));
    drop(allocation);
    assert_eq!(context.create(20_000).unwrap().map_mut().unwrap().len(), 20_000);
}

#[test]
fn case_71_a_file_grown_under_a_handle_is_read_as_long_as_it_was() {
    let pipeline = Pipeline::new();
    let context = pipeline.open();
    let allocation = context.create(20_000).unwrap();
    allocation.map_mut().unwrap().fill(5);
    allocation.publish("data").unwrap();
    let path = directory(&pipeline).join("segment.0.1");
    OpenOptions::new().write(true).open(path).unwrap().set_len(1 << 30).unwrap();
    assert!(allocation.map().unwrap().iter().all(|byte| *byte == 5));
    assert_eq!(allocation.map().unwrap().len(), 20_000);
    let mut bytes = [0; 100];
    assert!(
        matches!(allocation.read_into(0, &mut bytes), Err(Error::Corrupt { .. })),
        "it is not what it was"
    );
    assert_eq!(context.get("data").unwrap().len(), 20_000, "the mapping is kept");
}
