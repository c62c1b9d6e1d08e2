//! Links whose sender is done: a receiver that comes later learns it from the directory, as nobody is left who greets it.
//!
//! A thread of its own says it, as the one that drives UCX waits for nobody, and takes it back soon after the link has a sender
//! again. Invariant: what was said counts as long as the process that said it is in the directory.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, mpsc::Receiver},
};

use super::wire::worker_name;
use crate::transport::Directory;

/// What happens to the sending ends of a link in this process.
pub(super) enum News {
    Opened {
        link: String,
    },
    Gone {
        link: String,
        /// Nobody else sends in its place.
        is_last: bool,
    },
    /// The transport ends.
    Over,
}

/// Under which name the directory has it, which is that of no link.
fn name(link: &str) -> String {
    format!("closed>{link}")
}

/// Whether the sender of the link is done, and its process is still there to say so.
pub(super) fn is_closed(directory: &dyn Directory, link: &str) -> bool {
    let said_by =
        directory.lookup(&name(link)).and_then(|worker| Some(u64::from_le_bytes(worker.try_into().ok()?)));
    said_by.is_some_and(|worker| directory.lookup(&worker_name(worker)).is_some())
}

/// Tells the directory for this worker, until the transport ends.
pub(super) fn tell(me: u64, directory: &Arc<dyn Directory>, news: &Receiver<News>) {
    let me = me.to_le_bytes();
    let mut open: HashMap<String, u64> = HashMap::new();
    let mut said: HashSet<String> = HashSet::new();
    for news in news {
        match news {
            News::Opened { link } => {
                if said.remove(&link) {
                    directory.withdraw(&name(&link), &me);
                }
                *open.entry(link).or_default() += 1;
            }
            News::Gone { link, is_last } => {
                let left = open.get(&link).map_or(0, |open| open.saturating_sub(1));
                if left > 0 {
                    open.insert(link, left);
                    continue;
                }
                open.remove(&link);
                if is_last {
                    // Where it cannot be said, a receiver that comes later waits until the application is to stop.
                    if let Err(error) = directory.publish(&name(&link), &me) {
                        tracing::warn!(target: "podwire::fragment", link, error, "that a link is closed cannot be said");
                    }
                    said.insert(link);
                }
            }
            News::Over => break,
        }
    }
    said.iter().for_each(|link| directory.withdraw(&name(link), &me));
}
