//! How do I write a backend over a library that I use? The answer is `lib.rs`; this sends values through it.
//!
//! `cargo run -p zstd-endpoint`

use std::fs::File;
use std::io::{Seek, SeekFrom};

use podwire::{Codec, Error, Result};
use zstd_endpoint::{Compressed, Decompressed};

/// What a weather station says, once a minute.
#[derive(Codec, Debug, PartialEq, Clone)]
struct Reading {
    station: String,
    minute: u32,
    temperature: f32,
    wind: Option<(f32, u16)>,
}

fn day(station: &str) -> Vec<Reading> {
    let reading = |minute: u32| Reading {
        station: station.into(),
        minute,
        temperature: 11.0 + (minute % 720) as f32 / 120.0,
        wind: minute.is_multiple_of(10).then_some((3.5, 270)),
    };
    (0..1_440).map(reading).collect()
}

fn main() -> Result<()> {
    // A file that is gone when the program is.
    let path = std::env::temp_dir().join(format!("podwire-readings-{}.zst", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;

    let days = [day("Kew"), day("Eskdalemuir")];
    let mut writer = Compressed::new(file, 0)?;
    for day in &days {
        day.serialize(&mut writer)?;
    }
    let taken = writer.taken();
    let mut file = writer.finish()?;

    let size = file.stream_position()?;
    println!("{} readings: {taken} bytes as podwire writes them, {size} in the file", 2 * 1_440);

    file.seek(SeekFrom::Start(0))?;
    let mut reader = Decompressed::new(file)?;
    for day in &days {
        // One value after the other, as they were written.
        assert_eq!(&Vec::<Reading>::deserialize(&mut reader)?, day);
    }
    match Vec::<Reading>::deserialize(&mut reader) {
        Err(error @ Error::UnexpectedEnd { .. }) => println!("and behind the last value: {error}"),
        other => panic!("there is nothing more to read: {other:?}"),
    }
    Ok(())
}
