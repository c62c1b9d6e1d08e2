//! podwire beside a slow reader that was written from the specification: types, schemas, values and messages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podwire_fuzz::slow::{schema, write};
use podwire_fuzz::{agree, grow, types};

fuzz_target!(|input: &[u8]| {
    let [kind, number, bytes @ ..] = input else { return };
    match kind % 5 {
        // Any bytes as one of our types.
        0 => types::compare(*number, bytes),
        // A grown value of one of our types, with a byte that may be wrong.
        1 => {
            let text = types::schema(*number).to_string();
            let (of, _) = schema::parse(&text).expect("the schema of a type is one");
            if let Some(bytes) = grown(&of, &mut grow::Seed(bytes)) {
                types::compare(*number, &bytes);
            }
        }
        // A grown schema, and a grown value of it.
        2 => {
            let mut seed = grow::Seed(bytes);
            let Some((fast, of)) = agree::on_a_schema(&grow::schema(&mut seed)) else { return };
            if let Some(bytes) = grown(&of, &mut seed) {
                agree::on_a_value(&fast, &of, &bytes);
            }
            agree::on_a_value(&fast, &of, seed.0);
        }
        // Any text as a schema.
        3 => {
            if let Ok(text) = str::from_utf8(bytes) {
                agree::on_a_schema(text);
            }
        }
        // A message.
        _ => agree::on_a_message(bytes),
    }
});

/// The bytes of a value, and sometimes one of them is another.
fn grown(of: &schema::Type, seed: &mut grow::Seed<'_>) -> Option<Vec<u8>> {
    let change = (seed.byte(), seed.byte(), seed.byte());
    let value = grow::value(of, &mut Vec::new(), 0, seed)?;
    let mut bytes = write::write(of, &value).expect("the value is of this type");
    if let (1.., at, byte) = change
        && !bytes.is_empty()
    {
        let at = usize::from(at) % bytes.len();
        bytes[at] = byte;
    }
    Some(bytes)
}
