//! The promises, one by one.

/// A promise of the [`Transport`](super::super::Transport) contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Promise {
    /// Either end may be opened first, and what was sent before the receiver came is received.
    EitherEndFirst,
    /// Messages arrive once, in the order of sending.
    OrderIsKept,
    /// As many messages as the capacity says can wait, and not one more.
    CapacityIsHonest,
    /// A sender that sleeps because there is no room is woken when there is, and by its own bell.
    RoomWakes,
    /// A receiver that sleeps because there is nothing is woken by a message, and by its own bell.
    MessagesWake,
    /// Values of every size come back, from nothing to the largest that was asked for, or 16 MiB.
    EverySize,
    /// A value of the largest size that was asked for comes back, if that is more than 16 MiB: where there is memory for it.
    HugeValues,
    /// Values of every pre-registered type come back equal.
    EveryType,
    /// Arrays and tensors come back equal and aligned, and outlive the link.
    ArraysStay,
    /// What travels with a value arrives with it.
    MetadataTravels,
    /// A value that cannot be written or read is a typed error, and the link goes on with the next one.
    BadValuesAreErrors,
    /// Bytes that are no message are typed errors, or nothing, and the link goes on.
    GarbageIsRefused,
    /// A reader that reads nothing makes the sender's calls fail at once, in bounded memory.
    FloodIsBounded,
    /// Both ends know what was sent, received and settled.
    TrafficIsCounted,
    /// An end that was closed is known to the other, after everything that it sent.
    CloseIsSeen,
    /// Ends that were closed can be opened again, by either side, and the link goes on.
    LinksReopen,
    /// When the sender's process is killed, what it sent is received, and then its death is known; another one goes on.
    SenderMayDie,
    /// When the receiver's process is killed, that is known, with the count of what is lost; another one goes on.
    ReceiverMayDie,
}

impl Promise {
    /// All promises, in the order in which they are tried.
    pub const ALL: [Self; 18] = [
        Self::EitherEndFirst,
        Self::OrderIsKept,
        Self::CapacityIsHonest,
        Self::RoomWakes,
        Self::MessagesWake,
        Self::EverySize,
        Self::HugeValues,
        Self::EveryType,
        Self::ArraysStay,
        Self::MetadataTravels,
        Self::BadValuesAreErrors,
        Self::GarbageIsRefused,
        Self::FloodIsBounded,
        Self::TrafficIsCounted,
        Self::CloseIsSeen,
        Self::LinksReopen,
        Self::SenderMayDie,
        Self::ReceiverMayDie,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::EitherEndFirst => "either end may be opened first",
            Self::OrderIsKept => "messages arrive once and in order",
            Self::CapacityIsHonest => "as many messages wait as the capacity says",
            Self::RoomWakes => "room wakes a sender, and so does its bell",
            Self::MessagesWake => "a message wakes a receiver, and so does its bell",
            Self::EverySize => "values of every size come back",
            Self::HugeValues => "a huge value comes back",
            Self::EveryType => "values of every pre-registered type come back",
            Self::ArraysStay => "arrays come back aligned and outlive the link",
            Self::MetadataTravels => "metadata travels with the value",
            Self::BadValuesAreErrors => "what has no codec or exceeds the limits is an error",
            Self::GarbageIsRefused => "garbage is refused",
            Self::FloodIsBounded => "a flood takes bounded memory",
            Self::TrafficIsCounted => "both ends count the same",
            Self::CloseIsSeen => "a close is seen, after what was sent",
            Self::LinksReopen => "links can be opened again",
            Self::SenderMayDie => "the sender's process may be killed",
            Self::ReceiverMayDie => "the receiver's process may be killed",
        }
    }
}

impl std::fmt::Display for Promise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.words())
    }
}

impl podwire_codec_core::conformance::Promises for Promise {
    const OF: &'static str = "transport";
    const ALL: &'static [Self] = &Self::ALL;
}
