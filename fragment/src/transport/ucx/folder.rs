//! A folder as a directory: where the ends of links find each other without a control plane.
//!
//! Not here: what an address means. Invariant: an address is a file, which comes, changes and goes in one step.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::transport::{Directory, name};

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
        self.folder.join(&*name::fitted(link, 200, allowed))
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
