//! The backend keeps what every endpoint promises, and says so where its file was cut off.

use std::io::Cursor;

use podwire::endpoint::conformance::{Promise, Suite};
use podwire::{Codec, Error, to_vec};
use zstd_endpoint::{Compressed, Decompressed};

/// What this program would send.
#[derive(Codec, Debug, PartialEq)]
enum Event {
    Started,
    Note { at: u64, text: String },
    Samples(Vec<f32>),
}

#[test]
fn a_compressed_stream_conforms() {
    let report = Suite::of_halves(
        || Ok(Compressed::new(Vec::new(), 1)?),
        |writer| Ok(Decompressed::new(Cursor::new(writer.finish()?))?),
    )
    .values(|values| {
        values.look("an event", &Event::Started)?;
        values.look("a note", &Event::Note { at: 7, text: "valve 3 opened".into() })?;
        values.look("samples", &Event::Samples(vec![0.25; 50_000]))
    })
    .run();
    report.assert();
    assert!(report.kept(Promise::TruncationIsFound), "{report}");
}

#[test]
fn a_compressed_file_conforms() {
    let report = Suite::of_halves(
        || Ok(Compressed::new(tempfile::tempfile()?, 0)?),
        |writer| {
            let mut file = writer.finish()?;
            std::io::Seek::rewind(&mut file)?;
            Ok(Decompressed::new(file)?)
        },
    )
    .run();
    report.assert();
}

#[test]
fn a_file_that_was_cut_off_or_changed_anywhere_is_an_error_or_the_same_value() {
    let events = vec![Event::Started, Event::Note { at: 7, text: "valve 3 opened".repeat(9) }];
    let mut writer = Compressed::new(Vec::new(), 0).unwrap();
    events.serialize(&mut writer).unwrap();
    assert_eq!(writer.taken(), to_vec(&events).unwrap().len() as u64);
    let file = writer.finish().unwrap();
    let read = |file: &[u8]| Vec::<Event>::deserialize(&mut Decompressed::new(file).unwrap());
    assert_eq!(read(&file).unwrap(), events);
    for length in 0..file.len() {
        match read(&file[..length]) {
            Err(Error::UnexpectedEnd { .. } | Error::Io(_)) => {}
            // Only the end of the frame is missing, which the value does not need.
            Ok(found) => assert_eq!(found, events),
            Err(error) => panic!("{length} bytes: {error}"),
        }
    }
    for at in 0..file.len() {
        let mut file = file.clone();
        file[at] ^= 0x10;
        // Whatever it makes, it does so in bounded memory and without a panic.
        drop(read(&file));
    }
}
