//! Arrays of a GPU between processes, with a library in the place of CUDA's driver that has no GPU: which way they take, and
//! what was staged for it. It stands for no result on a GPU.

use crate::libcuda::Library;
use crate::run::{Home, example_called};
use crate::test_processes::{Process, free_address};

#[test]
fn between_processes_arrays_of_a_gpu_go_by_reference_or_are_staged_and_counted() {
    let library = Library::new("gpu-ping");
    let staged = "5 messages, each f64 [1, 64, 64] of GPU 0, through the host, 163840 bytes";
    let mut ways = vec![
        (None, "5 messages, each f64 [1, 64, 64] on GPU 0, by reference, 163840 bytes", 0),
        (Some("zenoh"), staged, 163_840),
    ];
    if cfg!(feature = "ucx") {
        ways.push((Some("ucx"), staged, 163_840));
    }
    for (transport, received, bytes) in ways {
        let (home, address) = (Home::new(), free_address());
        let start = |arguments| {
            let mut command = library.for_program(example_called("ping_distributed"));
            command.envs(transport.map(|name| ("PODWIRE_TRANSPORT", name)));
            Process::start_command(&home, command, &address, arguments)
        };
        let ping = start("--gpu --driver --worker --fragments fragment1 --count 5");
        let pong = start("--gpu --worker --fragments fragment2 --count 5");
        let printed = pong.end();
        assert!(printed.starts_with(received), "{transport:?}: {printed}");
        assert_eq!(ping.end(), format!("{bytes} bytes were staged from the GPU to the host\n"));
        home.assert_empty();
    }
}

#[test]
fn two_processes_and_a_kernel_share_a_volume() {
    let (library, home) = (Library::new("gpu-threshold"), Home::new());
    let outcome = crate::run::finish(&home, library.for_program(example_called("gpu_threshold")).arg("32"));
    assert!(outcome.status.success(), "{}", outcome.error);
    for said in ["second process: 32768 voxels on the GPU, none copied", "as the host counts them"] {
        assert!(outcome.out.contains(said), "{}", outcome.out);
    }
    home.assert_empty();
}
