//! The pipeline's directory and the private files in it.
//!
//! Not here: what the files hold. Invariant: only files are opened that are regular, of this user, closed to
//! others and without a second link; nothing is ever followed, and nothing that exists is overwritten.

use std::{
    fs::File,
    io::Write,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, FallocateFlags, FileType, FlockOperation, Mode, OFlags, RawDir, RenameFlags, Stat},
    io::Errno,
};

use crate::{
    crash::{crash_point, may_fail},
    error::{Error, Result},
    sys::SharedMap,
};

/// An open directory of this user's, closed to others.
pub(crate) struct Directory {
    fd: OwnedFd,
    path: PathBuf,
}

const OPEN: OFlags = OFlags::RDWR.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);
const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Where shared memory is.
fn root() -> PathBuf {
    let set = std::env::var_os("PODWIRE_SHM_DIR").filter(|root| !root.is_empty());
    set.map_or_else(|| PathBuf::from("/dev/shm"), PathBuf::from)
}

/// What the directory of this user's pipelines is called.
fn base_name() -> String {
    format!("podwire-{}", rustix::process::geteuid().as_raw())
}

impl Directory {
    /// The directory that holds this user's pipelines: `podwire-<uid>` in `/dev/shm`, or in `$PODWIRE_SHM_DIR`.
    pub(crate) fn base() -> Result<Self> {
        let root = root();
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let fd = may_fail()
            .and_then(|()| rustix::fs::openat(CWD, &root, flags, Mode::empty()))
            .map_err(|source| Error::io("open", &root, source))?;
        let root = Self { fd, path: root };
        let name = base_name();
        // Whoever removes the last pipeline removes this directory too, perhaps between our two steps.
        for _ in 0..100 {
            root.make(&name)?;
            if let Some(base) = root.directory(&name)? {
                return Ok(base);
            }
        }
        Err(Error::Removed)
    }

    /// The same, but it is not made: `None` where there is none.
    pub(crate) fn base_if_there() -> Result<Option<Self>> {
        let path = root().join(base_name());
        if std::fs::symlink_metadata(path).is_err() { Ok(None) } else { Self::base().map(Some) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a directory here, unless it is there.
    pub(crate) fn make(&self, name: &str) -> Result<()> {
        match may_fail().and_then(|()| rustix::fs::mkdirat(&self.fd, name, Mode::RWXU)) {
            Ok(()) => {
                crash_point!("after-mkdir");
                Ok(())
            }
            Err(Errno::EXIST) => Ok(()),
            Err(Errno::NOENT) => Err(Error::Removed),
            Err(Errno::NOSPC) => Err(Error::NoSpace { wanted: 0 }),
            Err(source) => Err(Error::io("mkdir", self.path.join(name), source)),
        }
    }

    /// Opens a directory here; `None` where there is none.
    pub(crate) fn directory(&self, name: &str) -> Result<Option<Self>> {
        let path = self.path.join(name);
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match may_fail().and_then(|()| rustix::fs::openat(&self.fd, name, flags, Mode::empty())) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                return Err(Error::NotPrivate { path, reason: "is not a directory" });
            }
            Err(source) => return Err(Error::io("open", path, source)),
        };
        let stat = may_fail()
            .and_then(|()| rustix::fs::fstat(&fd))
            .map_err(|source| Error::io("fstat", &path, source))?;
        check_owner(&stat, &path)?;
        Ok(Some(Self { fd, path }))
    }

    /// Opens a file here; `None` where there is none. The length comes with it.
    pub(crate) fn file(&self, name: &str) -> Result<Option<(File, u64)>> {
        self.open(name, OPEN)
    }

    /// Opens a file here, or creates it empty.
    pub(crate) fn file_or_new(&self, name: &str) -> Result<File> {
        match self.open(name, OPEN | OFlags::CREATE)? {
            Some((file, _)) => Ok(file),
            None => Err(Error::Removed),
        }
    }

    fn open(&self, name: &str, flags: OFlags) -> Result<Option<(File, u64)>> {
        let path = self.path.join(name);
        let fd = match may_fail().and_then(|()| rustix::fs::openat(&self.fd, name, flags, PRIVATE_FILE)) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR | Errno::NODEV) => {
                return Err(Error::NotPrivate { path, reason: "is not a regular file" });
            }
            Err(source) => return Err(Error::io("open", path, source)),
        };
        let stat = may_fail()
            .and_then(|()| rustix::fs::fstat(&fd))
            .map_err(|source| Error::io("fstat", &path, source))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Error::NotPrivate { path, reason: "is not a regular file" });
        }
        check_owner(&stat, &path)?;
        if stat.st_nlink > 1 {
            return Err(Error::NotPrivate { path, reason: "has a second link" });
        }
        Ok(Some((File::from(fd), stat.st_size.max(0) as u64)))
    }

    /// Creates a file that must not be there, with room for `length` bytes, and maps it.
    ///
    /// On an error nothing stays behind.
    pub(crate) fn create(&self, name: &str, length: u64) -> Result<SharedMap> {
        let path = self.path.join(name);
        let flags = OPEN | OFlags::CREATE | OFlags::EXCL;
        let fd = may_fail().and_then(|()| rustix::fs::openat(&self.fd, name, flags, PRIVATE_FILE)).map_err(
            |source| match source {
                Errno::NOSPC => Error::NoSpace { wanted: length },
                Errno::NOENT => Error::Removed,
                source => Error::io("create", &path, source),
            },
        )?;
        crash_point!("after-create");
        let mapped = allocate(&fd, length, &path).and_then(|()| {
            crash_point!("after-fallocate");
            map(&File::from(fd), length, true, &path)
        });
        if mapped.is_err() {
            self.unlink(name)?;
        }
        mapped
    }

    /// Creates a file in one step: with room for `length` bytes and filled by `fill`, or not at all.
    /// Where another process was faster, its file stays.
    pub(crate) fn create_whole(&self, name: &str, length: u64, fill: impl FnOnce(&SharedMap)) -> Result<()> {
        let file = self.nameless(name, length)?;
        fill(&map(&file, length, false, &self.path.join(name))?);
        self.link(&file, name, length)
    }

    /// Creates a file in one step that holds these bytes, of which there is at least one; or not at all. Where another
    /// process was faster, its file stays.
    pub(crate) fn create_filled(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let length = bytes.len() as u64;
        let mut file = self.nameless(name, length)?;
        let written = may_fail().map_err(Into::into).and_then(|()| file.write_all(bytes));
        written.map_err(|source| Error::io("write", self.path.join(name), source))?;
        self.link(&file, name, length)
    }

    /// A file without a name, with room for `length` bytes: if the process dies, it is gone. `name` is what it is to be
    /// called.
    fn nameless(&self, name: &str, length: u64) -> Result<File> {
        let path = self.path.join(name);
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let fd = may_fail().and_then(|()| rustix::fs::openat(&self.fd, ".", flags, PRIVATE_FILE)).map_err(
            |source| match source {
                Errno::NOSPC => Error::NoSpace { wanted: length },
                Errno::NOENT => Error::Removed,
                source => Error::io("create", &path, source),
            },
        )?;
        allocate(&fd, length, &path)?;
        crash_point!("after-control-fallocate");
        Ok(File::from(fd))
    }

    /// Gives a file its name, unless that is taken.
    fn link(&self, file: &File, name: &str, length: u64) -> Result<()> {
        let source = format!("/proc/self/fd/{}", file.as_raw_fd());
        match may_fail()
            .and_then(|()| rustix::fs::linkat(CWD, source, &self.fd, name, AtFlags::SYMLINK_FOLLOW))
        {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(Errno::NOENT) => Err(Error::Removed),
            Err(Errno::NOSPC) => Err(Error::NoSpace { wanted: length }),
            Err(source) => Err(Error::io("link", self.path.join(name), source)),
        }
    }

    /// Removes a file; whether it was there.
    pub(crate) fn unlink(&self, name: &str) -> Result<bool> {
        match may_fail().and_then(|()| rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(source) => Err(Error::io("unlink", self.path.join(name), source)),
        }
    }

    /// Removes a directory if it is empty.
    pub(crate) fn remove_directory(&self, name: &str) -> Result<()> {
        match may_fail().and_then(|()| rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR)) {
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY) => Ok(()),
            Err(source) => Err(Error::io("rmdir", self.path.join(name), source)),
        }
    }

    /// Gives an entry another name that must not be there; whether the entry was there.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<bool> {
        match may_fail()
            .and_then(|()| rustix::fs::renameat_with(&self.fd, from, &self.fd, to, RenameFlags::NOREPLACE))
        {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(source) => Err(Error::io("rename", self.path.join(from), source)),
        }
    }

    /// The names of all entries that are UTF-8, which all of ours are. None in a directory that somebody has removed.
    pub(crate) fn entries(&self) -> Result<Vec<String>> {
        let failed = |source| Error::io("readdir", &self.path, source);
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let fd = match may_fail().and_then(|()| rustix::fs::openat(&self.fd, ".", flags, Mode::empty())) {
            Err(Errno::NOENT) => return Ok(Vec::new()),
            opened => opened.map_err(failed)?,
        };
        let mut buffer = Vec::with_capacity(32 << 10);
        let mut directory = RawDir::new(fd, buffer.spare_capacity_mut());
        let mut names = Vec::new();
        while let Some(entry) = directory.next() {
            let entry = match entry {
                Err(Errno::NOENT) => break,
                entry => entry.map_err(failed)?,
            };
            if let Ok(name) = entry.file_name().to_str()
                && name != "."
                && name != ".."
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// Takes the kernel's lock on the directory, unless another open of it has it; held until this one is dropped.
    pub(crate) fn try_lock(&self) -> Result<bool> {
        let exclusive = FlockOperation::NonBlockingLockExclusive;
        match may_fail().and_then(|()| rustix::fs::flock(&self.fd, exclusive)) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(source) => Err(Error::io("flock", &self.path, source)),
        }
    }

    /// Removes all files here.
    pub(crate) fn empty(&self) -> Result<()> {
        for entry in self.entries()? {
            self.unlink(&entry)?;
        }
        Ok(())
    }

    /// Device and inode, which tell one directory from another of the same name.
    pub(crate) fn identity(&self) -> Result<(u64, u64)> {
        let stat = may_fail()
            .and_then(|()| rustix::fs::fstat(&self.fd))
            .map_err(|source| Error::io("fstat", &self.path, source))?;
        Ok((stat.st_dev, stat.st_ino))
    }

    /// Gives the memory of a file back to the system, whoever has it mapped; its length stays, so that a stale
    /// mapping reads zeros.
    pub(crate) fn punch(&self, name: &str) -> Result<()> {
        let Some((file, length)) = self.file(name)? else { return Ok(()) };
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match may_fail().and_then(|()| rustix::fs::fallocate(&file, flags, 0, length.max(1))) {
            Ok(()) | Err(Errno::OPNOTSUPP) => Ok(()),
            Err(source) => Err(Error::io("fallocate", self.path.join(name), source)),
        }
    }
}

/// Maps a file of which at least `length` bytes exist.
pub(crate) fn map(file: &File, length: u64, populate: bool, path: &Path) -> Result<SharedMap> {
    let too_large = || Error::NoSpace { wanted: length };
    let length = usize::try_from(length).ok().filter(|length| *length <= isize::MAX as usize);
    let length = length.ok_or_else(too_large)?;
    let map = may_fail().map_err(Into::into).and_then(|()| SharedMap::new(file, length, populate));
    map.map_err(|source| Error::io("mmap", path, source))
}

/// Room for all bytes, now: a write into a full file system would be a SIGBUS.
fn allocate(fd: &OwnedFd, length: u64, path: &Path) -> Result<()> {
    loop {
        match may_fail().and_then(|()| rustix::fs::fallocate(fd, FallocateFlags::empty(), 0, length)) {
            Ok(()) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(Errno::NOSPC | Errno::FBIG | Errno::NOMEM | Errno::DQUOT | Errno::INVAL) => {
                return Err(Error::NoSpace { wanted: length });
            }
            Err(source) => return Err(Error::io("fallocate", path, source)),
        }
    }
}

fn check_owner(stat: &Stat, path: &Path) -> Result<()> {
    let bad = |reason| Err(Error::NotPrivate { path: path.to_owned(), reason });
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return bad("belongs to another user");
    }
    if stat.st_mode & 0o077 != 0 {
        return bad("is open to other users");
    }
    Ok(())
}
