//! Where the two ends of a link find each other, for transports that have addresses.
//!
//! Not here: what an address means. Invariant: a directory keeps bytes, and decides nothing.

/// What the control plane of an application is for transports that have addresses, such as `UcxTransport` or
/// [one of your own](super::Run::directory): it carries the addresses of receivers, a few hundred bytes for each link, so
/// that there are no ports to be agreed on. UCX trusts the addresses that it gets from here, and takes them from nowhere else:
/// whoever can publish belongs to the application.
pub trait Directory: Send + Sync {
    /// Makes this the address of the link, for all processes, in place of any other. Processes publish an address of
    /// their own in the same way, under a name that no link has: `worker>` and a number; and that the sender of a link is done,
    /// under `closed>` and the link.
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
