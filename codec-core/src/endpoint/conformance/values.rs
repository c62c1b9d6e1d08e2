//! Values: they come back, whole, and nothing beyond them is touched.

use core::fmt::Debug;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::format;
use std::string::{String, ToString};
use std::sync::Arc;
use std::vec::Vec;

use super::connection::{Bench, Wire, failed, number, pattern, unlike};
use super::{Further, Tried};
use crate::bulk::Bulk;
use crate::codec::{Codec, deserialize, encoded_len, serialize, to_vec};
use crate::conformance::Breach;
use crate::encode::Encode;
use crate::endpoint::EndpointExt;
use crate::error::Error;

/// Sends values over new connections of the endpoint that is tried.
#[derive(Debug)]
pub struct Values<'v>(Bench<'v>);

impl Values<'_> {
    /// Sends a value, and sees that it comes back equal, and that it was all that was sent. A value that the
    /// endpoint has no room for is left out.
    ///
    /// # Errors
    ///
    /// How it was not so.
    pub fn look<T: Codec + PartialEq + Debug>(&mut self, name: &str, value: &T) -> Result<(), Breach> {
        let length = encoded_len(value).map_err(|error| failed(format!("{name} is measured"), error))?;
        if self.0.fit(length) < length {
            return Ok(());
        }
        let mut wire = self.0.open()?;
        send(&mut wire, name, value)?;
        receive(&mut wire, name, value)?;
        wire.expect_end(name)
    }
}

fn send<T: Encode>(wire: &mut Wire<'_>, name: &str, value: &T) -> Result<usize, Breach> {
    serialize(value, wire.writer()?).map_err(|error| failed(format!("{name} is written"), error))
}

fn receive<T: Codec + PartialEq + Debug>(wire: &mut Wire<'_>, name: &str, value: &T) -> Result<(), Breach> {
    let step = format!("{name} is read");
    match deserialize::<T, _>(wire.reader()?) {
        Ok(found) if found == *value => Ok(()),
        Ok(found) => Err(unlike(step, format!("{value:?}").chars().take(300).collect::<String>(), &found)),
        Err(error) => Err(failed(step, error)),
    }
}

/// A sequence of each kind that travels differently, none of which fits the writer's blocks.
fn texts() -> Vec<String> {
    (0..1_500).map(|number| "abcdefghijklmnopqrstuvwxyz"[..number % 27].into()).collect()
}

fn numbers() -> Vec<u32> {
    (0..5_003).map(|number: u32| number.wrapping_mul(2_654_435_761)).collect()
}

/// Shows one value of every way in which values travel.
fn samples(values: &mut Values<'_>) -> Result<(), Breach> {
    macro_rules! look {
        ($($value:expr,)+) => { $(values.look(stringify!($value), &$value)?;)+ };
    }
    look! {
        (),
        0x0102_u16,
        -1_i128,
        true,
        'é',
        f64::MIN_POSITIVE,
        String::new(),
        String::from("naïve"),
        "x".repeat(70_000),
        Some(String::from("some")),
        None::<u64>,
        (1_u8, String::from("two"), 3_u32, Some(4_u16), [5_u64, 6]),
        [String::from("a"), String::from("bc")],
        std::vec![(); 1_000],
        Vec::<u64>::new(),
        pattern(200_000),
        numbers(),
        texts(),
        std::vec![true; 10_000],
        std::vec![(1_u8, 2_u32); 3_001],
        std::vec![std::vec![std::vec![1_u16, 2], Vec::new()], Vec::new()],
        VecDeque::from([1_u8, 2, 3]),
        BTreeMap::from([(1_u8, String::from("one")), (2, String::from("two"))]),
        (0..700_u32).map(|key| (key, key.to_string())).collect::<HashMap<_, _>>(),
        Arc::<[f32]>::from([1.5, -0.5]),
        Ok::<u8, String>(1),
        core::time::Duration::from_millis(1_500),
        Bulk::from(std::vec![7_u16; 3]),
        (Bulk::from(numbers()), 1_u8, Bulk::from(pattern(100_001)), Bulk::<f64>::default()),
    }
    Ok(())
}

pub(super) fn come_back(bench: &mut Bench<'_>, further: &mut Option<Further>) -> Tried {
    let mut values = Values(bench.lend());
    samples(&mut values)?;
    match further {
        Some(further) => Ok(further(&mut values)?),
        None => Ok(()),
    }
}

pub(super) fn nothing_beyond(bench: &mut Bench<'_>) -> Tried {
    let (few, many) = (bench.fit(64) == 64, bench.fit(300_000) == 300_000);
    let text = "t".repeat(if many { 20_000 } else { 5 });
    let numbers = if many { numbers() } else { std::vec![1, 2, 3] };
    let texts = if many { texts() } else { std::vec![String::from("one")] };
    let table = HashMap::from([(1_u8, String::from("one")), (2, String::new())]);
    let mut wire = bench.open()?;
    if !few {
        send(&mut wire, "a number", &7_u8)?;
        wire.write(b"!")?;
        receive(&mut wire, "a number", &7_u8)?;
        return Ok(wire.expect("behind a number", b"!")?);
    }
    // Each value has a byte behind it that is no part of it.
    send(&mut wire, "text", &text)?;
    wire.write(b"1")?;
    send(&mut wire, "numbers", &numbers)?;
    wire.write(b"2")?;
    send(&mut wire, "texts", &texts)?;
    wire.write(b"3")?;
    send(&mut wire, "a table", &table)?;
    let number = 0x0102_0304_u32;
    let single = "a single number is written";
    wire.writer()?.write_trivial_type(&number).map_err(|error| failed(single, error))?;
    wire.write(b"4")?;

    receive(&mut wire, "text", &text)?;
    wire.expect("behind text", b"1")?;
    receive(&mut wire, "numbers", &numbers)?;
    wire.expect("behind numbers", b"2")?;
    receive(&mut wire, "texts", &texts)?;
    wire.expect("behind texts", b"3")?;
    receive(&mut wire, "a table", &table)?;
    let step = "a single number is read behind a table";
    let found = wire.reader()?.read_trivial_type::<u32>().map_err(|error| failed(step, error))?;
    super::connection::number(step, number.into(), found.into())?;
    wire.expect("behind a single number", b"4")?;
    Ok(wire.expect_end("behind the last value")?)
}

pub(super) fn counted(bench: &mut Bench<'_>) -> Tried {
    count(bench, "a number", &1_u32)?;
    count(bench, "texts", &texts())?;
    count(bench, "numbers", &numbers())?;
    count(bench, "a table", &HashMap::from([(1_u8, std::vec![1_u64, 2])]))?;
    count(bench, "a buffer of 100,000 bytes", &Bulk::from(pattern(100_000)))
}

fn count<T: Encode>(bench: &mut Bench<'_>, name: &str, value: &T) -> Tried {
    let length = encoded_len(value).map_err(|error| failed(format!("{name} is measured"), error))?;
    if bench.fit(length) < length {
        return Ok(());
    }
    let mut wire = bench.open()?;
    let inline = wire.writer()?.capabilities().segments == 0;
    let written = send(&mut wire, name, value)?;
    let step = format!("{name} is written");
    if inline {
        number(format!("{step}, and `serialize` says how many bytes"), length as u64, written as u64)?;
    }
    let mut bytes = std::vec![0; written];
    wire.reader()?
        .read(&mut bytes)
        .map_err(|error| failed(format!("{step}, and so many bytes are read"), error))?;
    Ok(wire.expect_end(&format!("{step}, and so many bytes were read"))?)
}

pub(super) fn truncated(bench: &mut Bench<'_>) -> Tried {
    type Shape = (u8, String, Option<Vec<(u16, String)>>, HashMap<String, u32>, Vec<u64>, Bulk<u16>);
    let value: Shape = (
        1,
        "two".into(),
        Some(std::vec![(3, "four".into())]),
        HashMap::from([("five".into(), 6)]),
        std::vec![7, 8],
        Bulk::from(std::vec![9, 10]),
    );
    let bytes = to_vec(&value).map_err(|error| failed("a value is measured", error))?;
    if bench.fit(bytes.len()) < bytes.len() {
        return Err(super::Stop::Skip("its room is very small"));
    }
    for length in 0..bytes.len() {
        let mut wire = bench.open()?;
        wire.write(&bytes[..length])?;
        let step = format!("the first {length} bytes of a value of {} are read", bytes.len());
        match deserialize::<Shape, _>(wire.reader()?) {
            Err(Error::UnexpectedEnd { offset, wanted, found }) => {
                let step = format!("{step}, and where its error says that they end");
                number(step.as_str(), length as u64, offset + found)?;
                if wanted <= found {
                    Err(unlike(step, "more bytes wanted than found", &(wanted, found)))?;
                }
            }
            other => Err(unlike(step, "Error::UnexpectedEnd", &other))?,
        }
    }
    Ok(())
}
