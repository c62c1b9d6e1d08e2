//! Memory of a device that this process has mapped, whoever made it.
//!
//! Not here: who is handed it. Invariant: it is unmapped when its last user in this process has gone.

use std::{
    os::fd::OwnedFd,
    sync::{Arc, OnceLock},
};

use crate::{
    driver::{Block, Driver},
    error::Result,
};

/// Mapped memory.
pub(crate) struct Memory {
    driver: Arc<dyn Driver>,
    pub(crate) block: Block,
    /// By which other processes get it; kept, as a driver does not export what it has imported.
    fd: OnceLock<OwnedFd>,
}

impl Memory {
    pub(crate) fn created(driver: Arc<dyn Driver>, block: Block) -> Self {
        Self { driver, block, fd: OnceLock::new() }
    }

    pub(crate) fn imported(driver: Arc<dyn Driver>, block: Block, fd: OwnedFd) -> Self {
        Self { driver, block, fd: OnceLock::from(fd) }
    }

    /// The descriptor, made when it is first asked for.
    pub(crate) fn fd(&self) -> Result<&OwnedFd> {
        if let Some(fd) = self.fd.get() {
            return Ok(fd);
        }
        let fd = self.driver.export(&self.block)?;
        Ok(self.fd.get_or_init(|| fd))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.driver.release(&self.block);
    }
}
