//! Frames of Zenoh's links.

#[path = "../../../fragment/src/transport/zenoh/frame.rs"]
mod frame;

/// A header that is read is written as it was, and is of the link that was asked for.
pub fn read(link: u64, bytes: &[u8]) {
    if let Ok(header) = frame::Header::parse(bytes, link) {
        assert_eq!(header.to_bytes(), bytes[..frame::HEADER]);
        assert_eq!(header.link, link);
    }
}
