//! What one process finds by itself: errors, reuse, and pipelines that come and go.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use podwire_fastio::{Error as FastIoError, FastIoContext, Metadata, PipelineOptions};

use super::{SIZE, Stage, gpu, mock, own_mock, pattern, tell};
use crate::{Device, Error, Kernel, ffi::launch_in_tests, mock as driver, record::Record};

#[test]
fn no_driver_no_device_and_a_wrong_number_are_told_apart() {
    match Device::open(99) {
        Err(Error::NoDriver) => assert!(matches!(Device::count(), Err(Error::NoDriver))),
        Err(Error::NoDevice) => {}
        Err(Error::WrongOrdinal { ordinal: 99, devices }) => assert!(devices > 0),
        other => panic!("{other:?}"),
    }
    let wrong = Device::new(Arc::clone(own_mock().machine()), 1);
    assert!(matches!(wrong, Err(Error::WrongOrdinal { ordinal: 1, devices: 1 })));
}

#[test]
fn too_much_is_out_of_memory_and_leaves_everything_usable() {
    tell("too-much", |stage| {
        let (_, total) = stage.gpu.memory().unwrap();
        let wanted = total as usize + 1;
        match stage.gpu.create(&stage.context, wanted) {
            Err(Error::OutOfMemory { wanted: told, free, total: of }) => {
                assert!(told as usize >= wanted && free <= total && of == total);
            }
            other => panic!("{other:?}"),
        }
        assert!(stage.gpu.create(&stage.context, usize::MAX).is_err());
        assert_eq!(stage.gpu.create(&stage.context, 0).unwrap().to_vec().unwrap(), Vec::<u8>::new());
    });
}

#[test]
fn what_waits_is_given_back_where_something_else_needs_it() {
    let gpu = own_mock();
    let name = format!("device-waits-{}", std::process::id());
    let context = FastIoContext::open(&name).unwrap();
    let most = driver::TOTAL / 16;
    let all: Vec<_> = (0..16).map(|_| gpu.create(&context, most).unwrap()).collect();
    assert!(matches!(gpu.create(&context, 1), Err(Error::OutOfMemory { free: 0, .. })));
    drop(all);
    assert_eq!(gpu.machine().counts(), (0, 16, 0));
    let large = gpu.create(&context, driver::TOTAL).unwrap();
    assert_eq!(gpu.machine().counts(), (1, 0, 0));
    drop(large);
    gpu.trim();
    assert_eq!(gpu.memory().unwrap(), (driver::TOTAL as u64, driver::TOTAL as u64));
    FastIoContext::remove(&name).unwrap();
}

#[test]
fn what_is_open_is_found_while_something_else_is_being_opened() {
    let (there, here) = (own_mock(), own_mock());
    let name = format!("device-opening-{}", std::process::id());
    let context = FastIoContext::open(&name).unwrap();
    there.create(&context, SIZE).unwrap().publish("made").unwrap();
    let first = here.get(&context, "made").unwrap();
    let opening = here.machine().while_opening();
    assert_eq!(here.get(&context, "made").unwrap().map().unwrap().address(), first.map().unwrap().address());
    drop(opening);
    FastIoContext::remove(&name).unwrap();
}

#[test]
fn the_thread_of_a_removed_pipeline_ends_though_another_one_has_its_name() {
    let (there, here) = (own_mock(), own_mock());
    let name = format!("device-renewed-{}", std::process::id());
    for round in 0..4 {
        let context = FastIoContext::open(&name).unwrap();
        let memory = there.create(&context, SIZE).unwrap();
        memory.map_mut().unwrap().fill(round).unwrap();
        memory.publish("made").unwrap();
        assert!(here.get(&context, "made").unwrap().to_vec().unwrap() == vec![round; SIZE]);
        if round < 3 {
            FastIoContext::remove(&name).unwrap();
        }
    }
    // A machine knows itself, and is known by each of its threads.
    let begun = std::time::Instant::now();
    while [&there, &here].map(|gpu| Arc::weak_count(gpu.machine())) != [2, 2] {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "a thread outlives its directory");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    FastIoContext::remove(&name).unwrap();
}

#[test]
fn what_is_no_device_memory_or_says_something_else_is_refused() {
    tell("no-memory", |stage| {
        stage.context.create(100).unwrap().publish("bytes").unwrap();
        let found = stage.gpu.get(&stage.context, "bytes");
        assert!(matches!(found, Err(Error::NotDeviceMemory { bytes: 100 })), "{found:?}");
        let missing = stage.gpu.get(&stage.context, "missing");
        assert!(matches!(missing, Err(Error::FastIo(FastIoError::NotFound { .. }))));

        let memory = stage.gpu.create(&stage.context, SIZE).unwrap();
        let record = Record::of(memory.metadata().unwrap()).unwrap();
        for (wrong, hidden) in [
            (Record { key: crate::record::Key { number: 1 << 40, ..record.key }, ..record }, false),
            (Record { key: crate::record::Key { creator: 1, ..record.key }, ..record }, false),
            (Record { key: crate::record::Key { creator: 1, ..record.key }, uuid: [1; 16], ..record }, true),
            (Record { length: 1 << 50, capacity: 1 << 50, ..record }, false),
        ] {
            let mut metadata = Metadata::default();
            wrong.describe(&mut metadata);
            let options = podwire_fastio::AllocationOptions::new(0).metadata(metadata);
            let found = stage.gpu.map(stage.context.create_with(options).unwrap());
            match found {
                Err(Error::NotVisible { .. }) => assert!(hidden),
                Err(Error::Gone | Error::NotDeviceMemory { .. }) => assert!(!hidden),
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn copies_stay_inside_and_metadata_keeps_where_the_memory_is() {
    tell("inside", |stage| {
        let mut memory = stage.gpu.create(&stage.context, 100).unwrap();
        let mut guard = memory.map_mut().unwrap();
        guard.upload(0, &[1; 100]).unwrap();
        guard.upload(100, &[]).unwrap();
        let beyond = guard.upload(1, &[2; 100]);
        assert!(matches!(beyond, Err(Error::Range { start: 1, end: 101, length: 100 })));
        assert!(guard.upload(usize::MAX, &[2; 2]).is_err());
        drop(guard);
        let mut two = [0; 2];
        memory.map().unwrap().download(98, &mut two).unwrap();
        assert_eq!(two, [1, 1]);
        assert!(memory.map().unwrap().download(99, &mut two).is_err());

        memory.set_metadata(Metadata::default().with("unit", "HU")).unwrap();
        memory.publish("with").unwrap();
        let found = stage.gpu.get(&stage.context, "with").unwrap();
        assert_eq!(found.metadata().unwrap().user["unit"], "HU");
        assert_eq!(found.to_vec().unwrap(), [1; 100]);
    });
}

#[test]
fn a_pipeline_that_was_closed_or_removed_lets_its_memory_go() {
    let gpu = own_mock();
    let name = format!("device-closed-{}", std::process::id());
    let context = FastIoContext::open(&name).unwrap();
    let memory = gpu.create(&context, SIZE).unwrap();
    memory.map_mut().unwrap().upload(0, &pattern(1)).unwrap();
    memory.publish("kept").unwrap();
    drop((memory, context));
    assert_eq!(gpu.machine().counts(), (1, 0, 0), "a publication outlives its handles");
    let context = FastIoContext::open(&name).unwrap();
    assert!(gpu.get(&context, "kept").unwrap().to_vec().unwrap() == pattern(1));
    context.unpublish("kept").unwrap();
    drop(gpu.create(&context, SIZE).unwrap());
    assert_eq!(gpu.stats().reused, 1);

    let memory = gpu.create(&context, SIZE).unwrap();
    memory.publish("kept").unwrap();
    FastIoContext::remove(&name).unwrap();
    assert_eq!(gpu.machine().counts(), (1, 0, 0), "a handle keeps it");
    drop(memory);
    assert_eq!(gpu.machine().counts().0, 0);

    let ephemeral = FastIoContext::open_with(&name, PipelineOptions::new().ephemeral(true)).unwrap();
    let path = ephemeral.path().to_owned();
    gpu.create(&ephemeral, SIZE).unwrap().publish("gone").unwrap();
    drop(ephemeral);
    assert!(!path.exists(), "the books do not keep a pipeline open");
    assert_eq!(gpu.machine().counts().0, 0);
}

#[test]
fn memory_of_another_process_is_opened_once_by_many_threads() {
    // Two machines are two processes here, but for the killing.
    let (there, here) = (own_mock(), own_mock());
    let name = format!("device-once-{}", std::process::id());
    let context = FastIoContext::open(&name).unwrap();
    let memory = there.create(&context, SIZE).unwrap();
    memory.map_mut().unwrap().upload(0, &pattern(1)).unwrap();
    memory.publish("made").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let found = here.get(&context, "made").unwrap();
                assert!(found.to_vec().unwrap() == pattern(1));
            });
        }
    });
    assert_eq!((here.stats().imported, here.stats().found, there.stats().served), (1, 7, 1));

    // Used again under another name, it is still open there.
    drop(memory);
    context.unpublish("made").unwrap();
    let again = there.create(&context, SIZE).unwrap();
    again.map_mut().unwrap().upload(0, &pattern(2)).unwrap();
    again.publish("again").unwrap();
    assert!(here.get(&context, "again").unwrap().to_vec().unwrap() == pattern(2));
    assert_eq!((there.stats().reused, here.stats().imported), (1, 1));
    FastIoContext::remove(&name).unwrap();
}

#[test]
fn many_threads_make_and_drop_memory_and_none_is_lost() {
    let gpu = own_mock();
    let name = format!("device-threads-{}", std::process::id());
    let context = FastIoContext::open(&name).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let (gpu, context) = (&gpu, &context);
            scope.spawn(move || {
                for round in 0..50 {
                    let memory = gpu.create(context, SIZE).unwrap();
                    memory.map_mut().unwrap().fill(thread).unwrap();
                    memory.replace(&format!("{thread}-{}", round % 3)).unwrap();
                    assert!(memory.to_vec().unwrap() == vec![thread; SIZE], "nobody else was given it");
                }
            });
        }
    });
    assert_eq!(gpu.machine().counts().0, 12, "what is published");
    FastIoContext::remove(&name).unwrap();
}

/// `add_one` adds 1 to each of so many bytes; `wait_for_one` waits until a word is 1, and writes 9 behind it if it is not after
/// 5 s.
const PTX: &str = "
.version 7.0
.target sm_52
.address_size 64
.visible .entry add_one(.param .u64 bytes, .param .u32 count) {
    .reg .pred %p; .reg .b32 %r<5>; .reg .b64 %d<3>;
    ld.param.u64 %d0, [bytes];
    ld.param.u32 %r0, [count];
    mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x;
    mad.lo.s32 %r1, %r1, %r2, %r3;
    setp.ge.u32 %p, %r1, %r0;
    @%p bra DONE;
    cvta.to.global.u64 %d0, %d0;
    cvt.u64.u32 %d1, %r1;
    add.s64 %d0, %d0, %d1;
    ld.global.u8 %r4, [%d0];
    add.u32 %r4, %r4, 1;
    st.global.u8 [%d0], %r4;
DONE:
    ret;
}
.visible .entry wait_for_one(.param .u64 word) {
    .reg .pred %p; .reg .b32 %r<2>; .reg .b64 %d<4>;
    ld.param.u64 %d0, [word];
    cvta.to.global.u64 %d0, %d0;
    mov.u64 %d1, %globaltimer;
AGAIN:
    ld.volatile.global.u32 %r0, [%d0];
    setp.eq.u32 %p, %r0, 1;
    @%p bra DONE;
    mov.u64 %d2, %globaltimer;
    sub.u64 %d3, %d2, %d1;
    setp.lt.u64 %p, %d3, 5000000000;
    @%p bra AGAIN;
    mov.u32 %r1, 9;
    st.global.u32 [%d0+4], %r1;
DONE:
    ret;
}
";

#[test]
fn a_kernel_writes_through_a_guard_which_waits_for_it() {
    assert!(matches!(mock().stream(), Err(Error::Unsupported { .. })));
    let Some(gpu) = gpu() else { return };
    let stage = Stage::new("cuda", gpu, "kernel");
    let gpu = &stage.gpu;
    let memory = gpu.create(&stage.context, SIZE).unwrap();
    memory.map_mut().unwrap().upload(0, &pattern(1)).unwrap();
    let kernel = Kernel::from_ptx(gpu, PTX, "add_one").unwrap();
    assert!(matches!(Kernel::from_ptx(gpu, PTX, "other"), Err(Error::Driver { .. })));
    assert!(matches!(Kernel::from_ptx(gpu, "no PTX", "x"), Err(Error::Driver { .. })));
    let stream = gpu.stream().unwrap();
    for finish in [false, true] {
        let guard = memory.map_mut().unwrap();
        let arguments = [guard.address().into(), (SIZE as u32).into()];
        launch_in_tests(&kernel, &stream, SIZE as u32, &arguments);
        if finish {
            guard.finish(&stream).unwrap();
        }
    }
    let expected: Vec<u8> = pattern(1).iter().map(|byte| byte.wrapping_add(2)).collect();
    assert!(memory.to_vec().unwrap() == expected);
}

#[test]
fn copies_of_podwire_wait_for_no_other_stream() {
    let Some(gpu) = gpu() else { return };
    let stage = Stage::new("cuda", gpu, "streams");
    let gpu = &stage.gpu;
    let host = podwire_codec_core::tensor::Tensor::from_vec(pattern(1), &[SIZE]).unwrap();
    let source = gpu.place(&stage.context, &host).unwrap();
    let (word, other) = [(); 2].map(|()| gpu.create(&stage.context, SIZE).unwrap()).into();
    word.map_mut().unwrap().fill(0).unwrap();
    let kernel = Kernel::from_ptx(gpu, PTX, "wait_for_one").unwrap();
    let stream = gpu.stream().unwrap();

    let mut guard = word.map_mut().unwrap();
    launch_in_tests(&kernel, &stream, 1, &[guard.address().into()]);
    let mut copies = other.map_mut().unwrap();
    copies.fill(2).unwrap();
    copies.copy_from(0, &source).unwrap();
    copies.upload(0, &[3]).unwrap();
    drop(copies);
    assert!(other.to_vec().unwrap()[1..] == pattern(1)[1..]);
    guard.upload(0, &1_u32.to_le_bytes()).unwrap();
    guard.finish(&stream).unwrap();
    assert_eq!(word.to_vec().unwrap()[..8], [1, 0, 0, 0, 0, 0, 0, 0], "the kernel saw the word, and in time");
}

#[test]
fn what_is_dropped_by_a_thread_that_never_used_the_device_is_freed() {
    let Some(gpu) = gpu() else { return };
    let stage = Stage::new("cuda", gpu, "freed");
    let gpu = &stage.gpu;
    let kernel = Kernel::from_ptx(gpu, PTX, "add_one").unwrap();
    let (stream, memory) = (gpu.stream().unwrap(), gpu.create(&stage.context, SIZE).unwrap());
    memory.map_mut().unwrap().upload(0, &pattern(1)).unwrap();
    memory.seal().unwrap();
    let tensor = memory.into_tensor(podwire_codec_core::tensor::DType::U8, &[SIZE]).unwrap();
    drop(gpu.fetch(&tensor).unwrap()); // leaves pinned memory, which waits
    let before = crate::ffi::NOT_FREED.load(Relaxed);
    let gpu = gpu.clone();
    std::thread::spawn(move || drop((kernel, stream, tensor, gpu.trim()))).join().unwrap();
    assert_eq!(crate::ffi::NOT_FREED.load(Relaxed), before);
}
