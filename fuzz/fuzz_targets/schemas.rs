//! Texts that should be schemas, and what is done with two of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podwire::schema::Schema;
use podwire::{Reader, from_slice_with, to_vec};
use podwire_fuzz::agree::LIMITS;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else { return };
    let mut schemas = Vec::new();
    for text in text.split('\n').take(3) {
        let Ok(schema) = text.parse::<Schema>().map_err(|error| error.to_string()) else { continue };
        assert_eq!(schema.text(), text);
        assert_eq!(from_slice_with::<Schema>(&to_vec(&schema).unwrap(), LIMITS).unwrap(), schema);
        let _ = format!("{schema:#}");
        let _ = schema.decode(&mut Reader::from_slice_with(input, LIMITS)).map(|value| value.to_string());
        let _ = schema.skip(&mut Reader::from_slice_with(input, LIMITS));
        schemas.push(schema);
    }
    for ours in &schemas {
        for theirs in &schemas {
            let difference = ours.difference(theirs);
            assert_eq!(difference.is_none(), ours == theirs);
            let _ = difference.map(|difference| difference.to_string());
        }
    }
});
