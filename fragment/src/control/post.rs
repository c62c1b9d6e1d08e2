//! How this process says something to the others, and hears them.
//!
//! Invariant: what is said to one process arrives in order, or the process is lost; nothing is dropped to make room.

use podwire_codec_core::{Codec as Value, Encode};
use zenoh::{
    Session, Wait,
    bytes::ZBytes,
    liveliness::LivelinessToken,
    qos::{CongestionControl, Priority},
    sample::{Sample, SampleKind},
};

use super::{
    envelope::{Unreadable, open, seal},
    error::{ControlError, plain},
    keys::last,
    words::WorkerId,
};

/// Control goes before data.
const PRIORITY: Priority = Priority::InteractiveHigh;

/// An error of Zenoh, with what was being done.
pub(super) fn zenoh_failed(doing: &'static str) -> impl FnOnce(zenoh::Error) -> ControlError {
    move |error| ControlError::Zenoh { doing, source: plain(&error) }
}

/// Says something under a key.
pub(super) fn say<T: Encode>(session: &Session, key: &str, message: &T) -> Result<(), ControlError> {
    let bytes = sealed(message)?;
    let put =
        session.put(key, bytes).congestion_control(CongestionControl::Block).priority(PRIORITY).express(true);
    put.wait().map_err(zenoh_failed("cannot send to another process"))
}

/// Asks under a key, and gives the first answer, or `None` if nobody answers.
pub(super) fn ask<T: Encode, A: Value>(
    session: &Session,
    key: &str,
    question: &T,
    patience: std::time::Duration,
) -> Result<Option<Result<A, Unreadable>>, ControlError> {
    let get = session.get(key).payload(sealed(question)?).timeout(patience);
    let replies = get.congestion_control(CongestionControl::Block).priority(PRIORITY).express(true);
    let replies = replies.wait().map_err(zenoh_failed("cannot ask the driver"))?;
    while let Ok(reply) = replies.recv() {
        if let Ok(sample) = reply.result() {
            return Ok(Some(open(&sample.payload().to_bytes())));
        }
    }
    Ok(None)
}

fn sealed<T: Encode>(message: &T) -> Result<ZBytes, ControlError> {
    let failed = |error| ControlError::Zenoh { doing: "cannot write a message", source: Box::new(error) };
    seal(message).map(ZBytes::from).map_err(failed)
}

/// Hears what is said under a key, for as long as the session is open; the last part of the key comes with it.
pub(super) fn hear(
    session: &Session,
    key: &str,
    heard: impl Fn(WorkerId, Sample) + Send + Sync + 'static,
) -> Result<(), ControlError> {
    let callback = move |sample: Sample| heard(last(sample.key_expr().as_str()), sample);
    let subscriber = session.declare_subscriber(key.to_owned()).callback(callback).background();
    subscriber.wait().map_err(zenoh_failed("cannot listen to the other processes"))
}

/// Shows the others that this process is there, until the token is dropped.
pub(super) fn appear(session: &Session, key: &str) -> Result<LivelinessToken, ControlError> {
    let token = session.liveliness().declare_token(key.to_owned()).wait();
    token.map_err(zenoh_failed("cannot join the other processes"))
}

/// Hears who is there, and who is gone, for as long as the session is open.
pub(super) fn watch(
    session: &Session,
    key: &str,
    changed: impl Fn(WorkerId, bool) + Send + Sync + 'static,
) -> Result<(), ControlError> {
    let callback =
        move |sample: Sample| changed(last(sample.key_expr().as_str()), sample.kind() == SampleKind::Put);
    let watching = session.liveliness().declare_subscriber(key.to_owned()).history(true).callback(callback);
    watching.background().wait().map_err(zenoh_failed("cannot watch the other processes"))
}
