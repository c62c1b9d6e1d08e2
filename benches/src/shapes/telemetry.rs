//! What machines report of themselves: packets of many small fixed samples, with a few strings and enums.

use owned::{Alarm, Cause, Mode, Packet, Quality, Sample};

use crate::random::Random;

/// How many packets there are.
pub(crate) const COUNT: usize = 500;
/// How many samples a packet has at most.
const SAMPLES: u64 = 128;

/// The types, with text of a kind.
macro_rules! types {
    ($define:ident, $peers:tt, [$($text:tt)*], [$($life:tt)*]) => {
        crate::shapes::$define! {
            $peers
            /// What one device sends at a time.
            pub(crate) struct Packet $($life)* {
                pub(crate) device: $($text)*,
                pub(crate) firmware: $($text)*,
                pub(crate) sequence: u64,
                /// Nanoseconds since 1970.
                pub(crate) time: u64,
                pub(crate) mode: Mode,
                /// Latitude and longitude in degrees, height in metres.
                pub(crate) position: [f64; 3],
                pub(crate) samples: Vec<Sample>,
                pub(crate) alarms: Vec<Alarm $($life)*>,
            }

            /// What the device does.
            #[derive(Copy)]
            pub(crate) enum Mode {
                Starting,
                Running,
                Idle,
                Service,
            }

            /// One measurement.
            #[derive(Copy)]
            pub(crate) struct Sample {
                /// Microseconds after the packet's time.
                pub(crate) delay: u32,
                pub(crate) channel: u16,
                pub(crate) quality: Quality,
                pub(crate) value: f32,
                pub(crate) deviation: f32,
            }

            /// How good a measurement is.
            #[derive(Copy)]
            pub(crate) enum Quality {
                Good,
                Uncertain,
                Bad,
            }

            /// Something that somebody should look at.
            pub(crate) struct Alarm $($life)* {
                pub(crate) code: u32,
                pub(crate) source: $($text)*,
                pub(crate) cause: Cause $($life)*,
            }

            /// Why.
            pub(crate) enum Cause $($life)* {
                Limit { channel: u16, value: f32, limit: f32 },
                Lost { channel: u16 },
                Other { text: $($text)* },
            }
        }
    };
}

pub(crate) mod owned {
    //! With text of its own.
    types!(
        owned,
        [derive(bitcode::Decode, bitcode::Encode, wincode::SchemaRead, wincode::SchemaWrite)],
        [String],
        []
    );
}

pub(crate) mod borrowed {
    //! With text that lies in what was read.
    types!(borrowed, [derive(bitcode::Decode, bitcode::Encode, wincode::SchemaRead, wincode::SchemaWrite)], [&'a str], [<'a>]);
}

/// So many packets.
pub(crate) fn generate(count: usize) -> Vec<Packet> {
    let mut random = Random::new(0x7465_6c65);
    (0..count).map(|number| packet(&mut random, number as u64)).collect()
}

fn packet(random: &mut Random, sequence: u64) -> Packet {
    Packet {
        device: format!("pump-{:03}.hall-{}", random.below(200), random.below(9)),
        firmware: random.pick(&["2.4.1", "2.5.0-rc3", "1.19.22"]).to_owned(),
        sequence,
        time: 1_700_000_000_000_000_000 + random.below(1 << 50),
        mode: random.pick(&[Mode::Running, Mode::Running, Mode::Idle, Mode::Starting, Mode::Service]),
        position: [(); 3].map(|()| random.unit().into()),
        samples: random.several(SAMPLES, sample),
        alarms: random.several(3, alarm),
    }
}

fn sample(random: &mut Random) -> Sample {
    Sample {
        delay: random.below(1_000_000) as u32,
        channel: random.below(64) as u16,
        quality: random.pick(&[Quality::Good, Quality::Good, Quality::Uncertain, Quality::Bad]),
        value: random.unit(),
        deviation: random.unit(),
    }
}

fn alarm(random: &mut Random) -> Alarm {
    let channel = random.below(64) as u16;
    let cause = match random.below(3) {
        0 => Cause::Limit { channel, value: random.unit(), limit: random.unit() },
        1 => Cause::Lost { channel },
        _ => Cause::Other { text: random.pick(&["door open", "filter due in 14 days"]).to_owned() },
    };
    let source = random.pick(&["inlet", "outlet", "bearing.drive-end"]).to_owned();
    Alarm { code: random.bits() as u32, source, cause }
}
