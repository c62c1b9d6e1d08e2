//! Links whose sender is done: a receiver that comes later learns it from the directory, as nobody is left who greets it.
//!
//! A thread of its own says it, as the one that drives UCX waits for nobody. Invariant: a link of which this process has a sender
//! is not said to be closed.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc::Receiver},
};

use crate::transport::Directory;

/// What the directory has in the place of an address.
const CLOSED: &[u8] = b"closed";

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
}

/// Under which name the directory has it, which is that of no link.
fn name(link: &str) -> String {
    format!("closed>{link}")
}

/// Whether the sender of the link is done.
pub(super) fn is_closed(directory: &dyn Directory, link: &str) -> bool {
    directory.lookup(&name(link)).is_some()
}

/// Tells the directory, until nobody has news any more.
pub(super) fn tell(directory: &Arc<dyn Directory>, news: &Receiver<News>) {
    let mut open: HashMap<String, u64> = HashMap::new();
    for news in news {
        match news {
            News::Opened { link } => {
                directory.withdraw(&name(&link), CLOSED);
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
                    if let Err(error) = directory.publish(&name(&link), CLOSED) {
                        tracing::warn!(target: "podwire::fragment", link, error, "that a link is closed cannot be said");
                    }
                }
            }
        }
    }
}
