//! Borrowed texts side by side are looked at together when they are decoded; nobody may notice.

use podwire::{Buffer, Codec, Error, Reader, from_slice, serialize, to_vec};

/// Texts around fields that have nothing in the tail, then one that ends the run.
#[derive(Codec, Clone, Debug, PartialEq)]
struct Line<'a> {
    host: &'a str,
    status: u16,
    user: &'a str,
    path: &'a str,
    agent: String,
    referer: &'a str,
}

/// The same, each text looked at alone.
#[derive(Codec, Clone, Debug, PartialEq)]
struct Alone<'a> {
    host: Option<&'a str>,
    status: Option<u16>,
}

/// Nine texts: one more than a run holds.
#[derive(Codec, Debug, PartialEq)]
#[rustfmt::skip]
struct Nine<'a>(
    &'a str, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str,
);

fn samples() -> Vec<String> {
    let lengths = [0, 1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 200];
    lengths.iter().map(|length| "abcdefgh".chars().cycle().take(*length).collect()).collect()
}

fn line<'a>(host: &'a str, user: &'a str, path: &'a str) -> Line<'a> {
    Line { host, status: 404, user, path, agent: "é".into(), referer: "r" }
}

#[test]
fn texts_of_any_length_come_back() {
    let samples = samples();
    for host in &samples {
        for user in &samples {
            let value = line(host, user, "/");
            assert_eq!(from_slice::<Line<'_>>(&to_vec(&value).unwrap()).unwrap(), value);
        }
    }
}

#[test]
fn text_that_is_not_ascii_comes_back_from_any_place() {
    for (host, user, path) in [("é", "b", "c"), ("a", "日本", "c"), ("a", "b", "🦀"), ("é", "日本", "🦀")]
    {
        for filling in samples() {
            let (host, path) = (format!("{filling}{host}"), format!("{path}{filling}"));
            let value = line(&host, user, &path);
            assert_eq!(from_slice::<Line<'_>>(&to_vec(&value).unwrap()).unwrap(), value);
        }
    }
}

#[test]
fn a_character_that_two_texts_share_is_not_text() {
    // The bytes of "é" are text together, and in each half are not.
    let mut bytes = to_vec(&line("xx", "yy", "")).unwrap();
    let at = bytes.windows(4).position(|window| window == b"xxyy").unwrap();
    bytes[at + 1..at + 3].copy_from_slice("é".as_bytes());
    match from_slice::<Line<'_>>(&bytes) {
        Err(Error::InvalidUtf8 { offset, length: 2, valid: 1 }) => assert_eq!(offset, at as u64 + 2),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_text_that_is_not_utf8_is_found_where_it_stands() {
    let value = line("host", "user", "path");
    let bytes = to_vec(&value).unwrap();
    for (text, at) in ["host", "user", "path"]
        .map(|text| (text, bytes.windows(4).position(|window| window == text.as_bytes()).unwrap()))
    {
        let mut bytes = bytes.clone();
        bytes[at + 2] = 0xff;
        match from_slice::<Line<'_>>(&bytes) {
            Err(Error::InvalidUtf8 { offset, length: 4, valid: 2 }) => {
                assert_eq!(offset, at as u64 + 4, "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn a_run_that_is_cut_ends_where_a_single_text_would() {
    let bytes = to_vec(&line("host", "user", "path")).unwrap();
    for end in 0..bytes.len() {
        assert!(matches!(from_slice::<Line<'_>>(&bytes[..end]), Err(Error::UnexpectedEnd { .. })), "{end}");
    }
    let alone = to_vec(&Alone { host: Some("host"), status: Some(1) }).unwrap();
    for end in 0..alone.len() {
        assert!(matches!(from_slice::<Alone<'_>>(&alone[..end]), Err(Error::UnexpectedEnd { .. })), "{end}");
    }
}

#[test]
fn a_length_in_the_long_form_is_read_as_one() {
    // A head whose first length is the escape: the length follows in the tail, and is refused for being short.
    let mut bytes = to_vec(&line("", "", "")).unwrap();
    let head = line("", "", "");
    assert_eq!(bytes.len(), podwire::encoded_len(&head).unwrap());
    bytes[..4].fill(0xff);
    assert!(from_slice::<Line<'_>>(&bytes).is_err());
    // Lengths whose sum is beyond the address space of the wire.
    bytes[..4].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    bytes[6..10].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    assert!(matches!(from_slice::<Line<'_>>(&bytes), Err(Error::UnexpectedEnd { .. })));
}

#[test]
fn more_texts_than_a_run_holds_come_back() {
    let value = Nine("a", "bb", "", "dddd", "e", "ff", "g", "h", "i");
    assert_eq!(from_slice::<Nine<'_>>(&to_vec(&value).unwrap()).unwrap(), value);
    let value = Nine("a", "bb", "", "dddd", "é", "ff", "g", "h", "日");
    assert_eq!(from_slice::<Nine<'_>>(&to_vec(&value).unwrap()).unwrap(), value);
}

#[test]
fn a_sequence_of_lines_is_borrowed_from_its_input() {
    let samples = samples();
    let lines: Vec<_> = samples.iter().map(|text| line(text, "é", text)).collect();
    let bytes = to_vec(&lines).unwrap();
    let decoded: Vec<Line<'_>> = from_slice(&bytes).unwrap();
    assert_eq!(decoded, lines);
    assert!(bytes.as_ptr_range().contains(&decoded[5].host.as_ptr()));
}

#[test]
fn text_cannot_be_borrowed_from_a_stream() {
    let mut endpoint = Buffer::new();
    serialize(&line("a", "b", "c"), &mut endpoint).unwrap();
    let mut reader = Reader::from_endpoint(&mut endpoint, podwire::Limits::default());
    assert!(matches!(reader.decode::<Line<'_>>(), Err(Error::CannotBorrow { .. })));
}
