//! Where the two ends of a link find each other: an address for each link.
//!
//! Not here: what an address means. Invariant: a directory keeps bytes, and decides nothing.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What the control plane of an application is for [UCX](super::UcxTransport): it carries addresses, a few hundred bytes
/// for each link and each process, so that there are no ports to be agreed on.
///
/// UCX trusts the addresses that it gets from here, and takes them from nowhere else: whoever can publish belongs to the
/// application.
pub trait Directory: Send + Sync {
    /// Makes this the address of the link, for all processes, in place of any other. Processes publish an address of
    /// their own in the same way, under a name that no link has: `worker>` and a number.
    ///
    /// # Errors
    /// What is in the way.
    fn publish(&self, link: &str, address: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;

    /// Takes the address of the link away, if it still is this one. What cannot be done is left.
    fn withdraw(&self, link: &str, address: &[u8]);

    /// The address of the link, as far as it is known in this process, also of one that it has no end of. Never waits.
    fn lookup(&self, link: &str) -> Option<Vec<u8>>;

    /// From now on calls `changed` soon after an address changed, whichever, in this process or another. It does not
    /// take long, and does not call back. Once too often does no harm.
    fn watch(&self, changed: Box<dyn Fn() + Send + Sync>);
}

/// A folder as a directory: for tests, and for hosts that share a file system and nothing else.
///
/// ```
/// use podwire_fragment::transport::{Directory, FolderDirectory};
///
/// # let folder = std::env::temp_dir().join(format!("podwire-folder-{}", std::process::id()));
/// let directory = FolderDirectory::new(&folder)?;
/// directory.publish("a.out>b.in", b"address").unwrap();
/// assert_eq!(directory.lookup("a.out>b.in").as_deref(), Some(&b"address"[..]));
/// directory.withdraw("a.out>b.in", b"address");
/// assert_eq!(directory.lookup("a.out>b.in"), None);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct FolderDirectory {
    folder: PathBuf,
    watch: Mutex<Vec<Arc<AtomicBool>>>,
}

/// How often the folder is looked at.
const PERIOD: Duration = Duration::from_millis(5);

impl FolderDirectory {
    /// The directory in this folder, which is made if it is not there.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn new(folder: impl AsRef<Path>) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder: folder.as_ref().to_owned(), watch: Mutex::default() })
    }

    fn file(&self, link: &str) -> PathBuf {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._->".contains(&byte);
        self.folder.join(&*super::super::name::fitted(link, 200, allowed))
    }
}

/// What shows that something changed: how many files there are, and when they were made.
fn look(folder: &Path) -> Vec<(std::ffi::OsString, Option<std::time::SystemTime>, u64)> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let look = |file: std::fs::DirEntry| {
        use std::os::unix::fs::MetadataExt;
        let metadata = file.metadata().ok()?;
        Some((file.file_name(), metadata.modified().ok(), metadata.ino()))
    };
    let mut seen: Vec<_> = files.filter_map(look).collect();
    seen.sort();
    seen
}

impl Directory for FolderDirectory {
    fn publish(&self, link: &str, address: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let made = self.folder.join(format!("~{}.{count}", std::process::id()));
        std::fs::write(&made, address)?;
        Ok(std::fs::rename(&made, self.file(link))?)
    }

    fn withdraw(&self, link: &str, address: &[u8]) {
        if self.lookup(link).is_some_and(|found| found == address) {
            let _ = std::fs::remove_file(self.file(link));
        }
    }

    fn lookup(&self, link: &str) -> Option<Vec<u8>> {
        std::fs::read(self.file(link)).ok()
    }

    fn watch(&self, changed: Box<dyn Fn() + Send + Sync>) {
        let (folder, stop) = (self.folder.clone(), Arc::new(AtomicBool::new(false)));
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&stop));
        std::thread::spawn(move || {
            let mut seen = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let now = look(&folder);
                if now != seen {
                    seen = now;
                    changed();
                }
                std::thread::sleep(PERIOD);
            }
        });
    }
}

impl Drop for FolderDirectory {
    fn drop(&mut self) {
        for stop in self.watch.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            stop.store(true, Ordering::Relaxed);
        }
    }
}
