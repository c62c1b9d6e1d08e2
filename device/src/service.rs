//! Handing memory from process to process: a socket in the pipeline's directory, and the thread behind it.
//!
//! A request is the 16 bytes of a [`Key`]; the answer is one byte, 1 with the descriptor of the memory or 0 if it is not here.
//! Not here: what the descriptor is of. Invariant: the thread outlives its process's books, or its pipeline's directory, by no
//! more than a `TICK`; a peer that says nothing holds it for no longer than `PATIENCE`.

use std::{
    io::{self, IoSlice, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::Weak,
    time::Duration,
};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, RenameFlags},
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
        SendFlags, recvmsg, sendmsg, sockopt,
    },
};

use crate::{
    error::{Error, Result},
    machine::Machine,
    record::Key,
};

/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the thread looks which memory is free again.
const TICK: Duration = Duration::from_secs(1);
/// How the names of sockets begin.
const PREFIX: &str = "cuda-";

fn file_name(creator: u64) -> String {
    format!("{PREFIX}{creator:016x}")
}

/// A path to a socket that is short enough for any directory, as long as the directory is open.
fn short(directory: &OwnedFd, name: &str) -> PathBuf {
    format!("/proc/self/fd/{}/{name}", directory.as_raw_fd()).into()
}

fn open(directory: &Path) -> Result<OwnedFd> {
    rustix::fs::openat(CWD, directory, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| Error::io("the directory of a pipeline", error))
}

/// Answers the requests of this pipeline's processes, from a thread that is there as long as the directory, or for a `TICK`
/// longer.
pub(crate) fn start(machine: Weak<Machine>, creator: u64, directory: &Path) -> Result<()> {
    let failed = |error| Error::io("a socket for device memory", error);
    let folder = open(directory)?;
    let name = file_name(creator);
    // It gets its name when it listens: one of that name that does not is a dead process's.
    let new = format!("new-{name}");
    let listener = UnixListener::bind(short(&folder, &new)).map_err(failed)?;
    let renamed = rustix::fs::renameat_with(&folder, &new, &folder, &name, RenameFlags::NOREPLACE);
    if let Err(error) = renamed {
        let _ = rustix::fs::unlinkat(&folder, &new, AtFlags::empty());
        return Err(failed(error.into()));
    }
    sockopt::set_socket_timeout(&listener, sockopt::Timeout::Recv, Some(TICK))
        .map_err(|error| failed(error.into()))?;
    // By the directory itself, whatever has its path meanwhile: one that was removed has no entries.
    let is_there = move || rustix::fs::statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
    let started = std::thread::Builder::new().name("podwire-cuda".into()).spawn(move || {
        while is_there() {
            let accepted = listener.accept();
            let Some(machine) = machine.upgrade() else { break };
            match accepted {
                // A request that goes wrong is the requester's trouble.
                Ok((stream, _)) => drop(answer(&machine, &stream)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => machine.settle(None),
                Err(_) => std::thread::sleep(TICK),
            }
        }
    });
    started.map(drop).map_err(failed)
}

fn answer(machine: &Machine, mut stream: &UnixStream) -> Result<()> {
    let failed = |error: io::Error| Error::io("a request for device memory", error);
    let peer = sockopt::socket_peercred(stream).map_err(|error| failed(error.into()))?;
    if peer.uid != rustix::process::geteuid() {
        return Ok(());
    }
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut words = [[0; 8]; 2];
    stream.read_exact(words.as_flattened_mut()).map_err(failed)?;
    let [creator, number] = words.map(u64::from_le_bytes);
    let Some(memory) = machine.held(Key { creator, number }) else {
        return stream.write_all(&[0]).map_err(failed);
    };
    let descriptors = [memory.fd()?.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(stream, &[IoSlice::new(&[1])], &mut control, SendFlags::NOSIGNAL)
        .map_err(|error| failed(error.into()))?;
    crate::counters::add(&machine.counters.served, 1);
    Ok(())
}

/// The descriptor of memory, from its creator, or else from any other process of the pipeline that has it.
///
/// # Errors
/// [`Error::Gone`] if nobody has it.
pub(crate) fn fetch(directory: &Path, me: u64, key: Key) -> Result<OwnedFd> {
    let folder = open(directory)?;
    let creator = file_name(key.creator);
    if let Some(fd) = ask(&folder, &creator, key) {
        return Ok(fd);
    }
    let failed = |error| Error::io("the directory of a pipeline", error);
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if name != creator
            && name != file_name(me)
            && let Some(fd) = ask(&folder, name, key)
        {
            return Ok(fd);
        }
    }
    Err(Error::Gone)
}

/// Asks one process. The socket of a dead one is taken away.
fn ask(folder: &OwnedFd, name: &str, key: Key) -> Option<OwnedFd> {
    let connected = UnixStream::connect(short(folder, name));
    if connected.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
        let _ = rustix::fs::unlinkat(folder, name, AtFlags::empty());
    }
    let mut stream = connected.ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    stream.write_all([key.creator, key.number].map(u64::to_le_bytes).as_flattened()).ok()?;
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    recvmsg(&stream, &mut [IoSliceMut::new(&mut byte)], &mut control, flags).ok()?;
    let descriptor = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    descriptor.filter(|_| byte == [1])
}
