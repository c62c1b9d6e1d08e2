//! The library in the place of CUDA's driver, `libcuda.c`, compiled where a test needs it.
//!
//! Not here: what is tried with it. Invariant: it is in a folder of its own, which goes when it is dropped.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

pub(crate) struct Library(PathBuf);

impl Library {
    pub(crate) fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("podwire-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut compiler = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-x", "c", "-", "-lpthread", "-o"])
            .arg(folder.join("libcuda.so.1"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        compiler.stdin.take().unwrap().write_all(include_bytes!("libcuda.c")).unwrap();
        assert!(compiler.wait().unwrap().success());
        Self(folder)
    }

    /// Lets a program find it.
    pub(crate) fn for_program(&self, mut program: Command) -> Command {
        program.env("LD_LIBRARY_PATH", &self.0);
        program
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}
