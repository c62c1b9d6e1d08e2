//! The registry under hostile names, types and threads: section B of the list of hostile cases. A million unknown
//! names (48) are in `allocation.rs`, look-ups before `main` (47) in `registry_before_main.rs`.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use podwire_codec_core::message::{self, MessageError, Metadata};
use podwire_codec_core::registry::{AnyValue, RegistryError};
use podwire_codec_core::schema::{Node, Schema, SchemaBuilder, schema_of};
use podwire_codec_core::{
    Buffer, Codec, CodecRegistry, Decode, Encode, Error, IoReader, Limits, Reader, Result, Writer,
    register_codec,
};

/// The line of the next registration.
const AUTOMATIC: u32 = line!() + 1;
register_codec!(Vec<u8>, "automatic");
/// The line of the first registration of "twice", which the errors name.
const TWICE: u32 = line!() + 1;
register_codec!(Vec<u16>, "twice");
register_codec!(Vec<u32>, "twice");
register_codec!(Vec<i8>, "healed");
register_codec!(Vec<i16>, "healed");
register_codec!(Vec<i32>, "the same type twice");
register_codec!(Vec<i32>, "the same type twice");
register_codec!(Option<u8>, "three");
register_codec!(Option<u16>, "three");
register_codec!(Option<u32>, "three");

register_codec!([u8; 31], "first, a");
register_codec!([u8; 31], "first, b");
register_codec!([u8; 32], "last, b");
register_codec!([u8; 32], "last, a");
register_codec!([u8; 33], "aa, spoiled");
register_codec!([u8; 34], "aa, spoiled");
register_codec!([u8; 34], "zz, sound");
register_codec!(Vec<f64>, "zz, the program's");

const UNKNOWN: RegistryError = RegistryError::UnknownType { type_name: None };

fn unknown(type_name: &'static str) -> RegistryError {
    RegistryError::UnknownType { type_name: Some(type_name) }
}

fn wrong(name: &str) -> RegistryError {
    RegistryError::WrongType { name: name.into() }
}

#[track_caller]
fn registry_error<T>(result: Result<T>) -> RegistryError {
    match result {
        Err(Error::Registry(error)) => *error,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("no error"),
    }
}

fn of<T: 'static>() -> TypeId {
    TypeId::of::<T>()
}

#[test]
fn case_39_two_automatic_registrations_of_a_name_name_both_lines() {
    let registry = CodecRegistry::new();
    registry.collect();
    let place = |line: u32| format!("{}:{line}", file!()).into_boxed_str();
    let twice =
        RegistryError::Ambiguous { name: "twice".into(), first: place(TWICE), second: place(TWICE + 1) };
    assert_eq!(registry_error(registry.by_name("twice")), twice);
    assert_eq!(registry_error(registry.by_type(of::<Vec<u16>>())), twice);
    assert_eq!(registry_error(registry.by_type(of::<Vec<u32>>())), twice);
    assert_eq!(registry_error(registry.serialize(&vec![1_u16], &mut Buffer::new())), twice);
    let shown = twice.to_string();
    assert!(shown.contains(&*place(TWICE)) && shown.contains(&*place(TWICE + 1)), "{shown}");

    let names: Vec<String> = registry
        .check()
        .into_iter()
        .map(|error| match error {
            RegistryError::Ambiguous { name, .. } => name.into(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["aa, spoiled", "healed", "three", "twice"]);
    assert!(!registry.names().iter().any(|name| &**name == "twice"));
    // The one type that is registered twice is no conflict.
    assert_eq!(registry.by_name("the same type twice").unwrap().value_type(), of::<Vec<i32>>());
}

#[test]
fn case_39_a_registration_at_run_time_heals_a_name() {
    let registry = CodecRegistry::new();
    registry.collect();
    registry.by_name("healed").unwrap_err();
    registry.register::<Vec<i16>>("healed").unwrap();
    assert_eq!(registry.by_name("healed").unwrap().value_type(), of::<Vec<i16>>());
    assert_eq!(registry.by_type(of::<Vec<i16>>()).unwrap().name(), "healed");
    // The type that lost its name has none: it cannot be sent under a name that means another.
    assert_eq!(registry_error(registry.by_type(of::<Vec<i8>>())), UNKNOWN);
    assert_eq!(registry.check().len(), 3);
    let mut buffer = Buffer::new();
    registry.serialize(&vec![-1_i16], &mut buffer).unwrap();
    assert_eq!(*registry.deserialize(&mut buffer).unwrap().downcast::<Vec<i16>>().unwrap(), [-1]);
    // Collecting again changes nothing.
    assert_eq!(registry.collect(), 0);
    assert_eq!(registry.by_name("healed").unwrap().value_type(), of::<Vec<i16>>());
}

#[test]
fn case_39_at_run_time_a_name_is_replaced_or_refused_as_asked() {
    let registry = CodecRegistry::new();
    registry.register::<u8>("name").unwrap();
    let taken = RegistryError::Taken { name: "name".into() };
    assert_eq!(registry_error(registry.try_register::<u16>("name")), taken);
    assert_eq!(registry.by_name("name").unwrap().value_type(), of::<u8>());
    registry.register::<u16>("name").unwrap();
    assert_eq!(registry.by_name("name").unwrap().value_type(), of::<u16>());
    assert_eq!(registry_error(registry.by_type(of::<u8>())), UNKNOWN);
    // The same once more, from another line: the name is of the line that registered it last.
    registry.register::<u16>("name").unwrap();
    assert_eq!(*registry.by_name("name").unwrap().source(), *format!("{}:{}", file!(), line!() - 1));
    registry.try_register::<u8>("other").unwrap();
    assert_eq!(registry.by_type(of::<u8>()).unwrap().name(), "other");
    // Two names of one type: sent under the newest, understood under both.
    registry.register::<u8>("newest").unwrap();
    registry.register_alias::<u8>("alias").unwrap();
    assert_eq!(registry.by_type(of::<u8>()).unwrap().name(), "newest");
    for name in ["other", "newest", "alias"] {
        assert_eq!(registry.by_name(name).unwrap().value_type(), of::<u8>());
    }
    // An alias in the place of the name that was sent under.
    registry.register_alias::<u16>("newest").unwrap();
    assert_eq!(registry.by_type(of::<u8>()).unwrap().name(), "other");
    assert_eq!(
        registry.names().iter().map(|name| &**name).collect::<Vec<_>>(),
        ["alias", "name", "newest", "other"]
    );
}

#[test]
fn case_39_what_the_program_chose_is_not_spoiled_by_what_is_collected_later() {
    let registry = CodecRegistry::new();
    registry.register::<String>("automatic").unwrap();
    registry.register::<Vec<u32>>("twice").unwrap();
    registry.collect();
    assert_eq!(registry.by_name("automatic").unwrap().value_type(), of::<String>());
    assert_eq!(registry.by_name("twice").unwrap().value_type(), of::<Vec<u32>>());
    assert_eq!(registry.by_type(of::<Vec<u32>>()).unwrap().name(), "twice");
}

#[test]
fn case_44_of_two_automatic_names_of_a_type_the_one_that_sorts_first_is_sent() {
    let registry = CodecRegistry::preregistered();
    registry.collect();
    let sent = |registry: &CodecRegistry, of| registry.by_type(of).map(|entry| entry.name().to_owned());
    assert_eq!(sent(&registry, of::<[u8; 31]>()).unwrap(), "first, a");
    assert_eq!(sent(&registry, of::<[u8; 32]>()).unwrap(), "last, a");
    for name in ["first, a", "first, b", "last, a", "last, b"] {
        registry.by_name(name).unwrap();
    }
    // A name of the program comes before one that every program has.
    assert_eq!(sent(&registry, of::<Vec<f64>>()).unwrap(), "zz, the program's");
    registry.by_name("Vec<f64>").unwrap();
    // One that is spoiled is an error, and not another name that the receiver may not know; until it is healed.
    let error = registry_error(registry.by_type(of::<[u8; 34]>()));
    assert!(matches!(error, RegistryError::Ambiguous { .. }), "{error}");
    registry.register::<[u8; 33]>("aa, spoiled").unwrap();
    assert_eq!(sent(&registry, of::<[u8; 34]>()).unwrap(), "zz, sound");
    registry.register::<[u8; 31]>("first, b").unwrap();
    assert_eq!(sent(&registry, of::<[u8; 31]>()).unwrap(), "first, b");
    registry.register::<[u8; 31]>("first, z").unwrap();
    assert_eq!(sent(&registry, of::<[u8; 31]>()).unwrap(), "first, z");
}

/// As when a library is loaded after the program has chosen.
#[test]
fn case_44_what_is_collected_later_does_not_change_what_the_program_chose_to_send() {
    let registry = CodecRegistry::new();
    registry.register::<[u8; 31]>("mine").unwrap();
    registry.collect();
    assert_eq!(registry.by_type(of::<[u8; 31]>()).unwrap().name(), "mine");
    registry.by_name("first, a").unwrap();
}

#[test]
fn case_39_of_three_registrations_of_a_name_each_type_says_so() {
    let registry = CodecRegistry::new();
    registry.collect();
    for of in [of::<Option<u8>>(), of::<Option<u16>>(), of::<Option<u32>>()] {
        let error = registry_error(registry.by_type(of));
        assert!(matches!(error, RegistryError::Ambiguous { .. }), "{error}");
    }
    registry.register::<Option<u8>>("three").unwrap();
    assert_eq!(registry_error(registry.by_type(of::<Option<u32>>())), UNKNOWN);
}

#[test]
fn case_40_an_unknown_name_is_shown_escaped_and_cut() {
    let registry = CodecRegistry::new();
    let shown = |name: &str| match registry_error(registry.by_name(name)) {
        RegistryError::UnknownName { name } => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(&*shown("plain"), "plain");
    assert_eq!(&*shown(""), "");
    for bad in ["\n", "\0", "\x1b[31m", "\u{202E}", "\"", "\\", "\r\n"] {
        let shown = shown(bad);
        assert!(!shown.chars().any(char::is_control) && !shown.contains('\u{202E}'), "{shown}");
    }
    for name in ["x".repeat(65_536), "\n".repeat(10_000), "é".repeat(100), "\u{202E}".repeat(50)] {
        let shown = shown(&name);
        assert!(shown.len() <= 64 + '…'.len_utf8(), "{} bytes: {shown}", shown.len());
        assert!(shown.ends_with('…'));
    }
    assert_eq!(&*shown(&"x".repeat(64)), "x".repeat(64));
}

#[test]
fn case_40_a_message_of_an_unknown_name_says_so() {
    let registry = CodecRegistry::new();
    let mut buffer = Buffer::new();
    message::write("who\nis this", 0, &Metadata::new(), &mut buffer, |_| Ok(())).unwrap();
    let error = registry_error(registry.deserialize(&mut buffer));
    assert_eq!(error, RegistryError::UnknownName { name: "who\\nis this".into() });
    assert!(error.to_string().contains("who\\nis this"));
}

#[test]
fn case_41_names_that_nobody_could_read_are_refused() {
    let registry = CodecRegistry::new();
    for name in [
        String::new(),
        "x".repeat(256),
        "x".repeat(65_536),
        "a\nb".into(),
        "\0".into(),
        "\u{85}".into(),
        "\t".into(),
    ] {
        for result in [
            registry.register::<u8>(&name),
            registry.try_register::<u8>(&name),
            registry.register_alias::<u8>(&name),
            registry.register_pod::<u8>(&name),
        ] {
            let RegistryError::BadName { name: shown, .. } = registry_error(result) else {
                panic!("{name:?}")
            };
            assert!(shown.len() <= 67 && !shown.chars().any(char::is_control), "{shown}");
        }
    }
    assert!(registry.names().is_empty());
    assert_eq!(registry_error(registry.by_type(of::<u8>())), UNKNOWN);
    for name in ["x".repeat(255), "größe".into(), "crate::Type<u8>".into(), " ".into()] {
        registry.register::<u8>(&name).unwrap();
        let mut buffer = Buffer::new();
        registry.serialize(&7_u8, &mut buffer).unwrap();
        assert_eq!(*registry.deserialize(&mut buffer).unwrap().downcast::<u8>().unwrap(), 7);
    }
}

#[test]
fn case_42_the_right_name_with_another_fingerprint_is_refused() {
    let (sender, receiver) = (CodecRegistry::new(), CodecRegistry::new());
    sender.register::<[u8; 8]>("eight").unwrap();
    receiver.register::<f64>("eight").unwrap();
    let mut bytes = Vec::new();
    sender.serialize(&[7_u8; 8], &mut bytes).unwrap();
    let error = receiver.deserialize(&mut IoReader(&bytes[..])).unwrap_err();
    let Error::Message(error) = error else { panic!("{error:?}") };
    assert_eq!(
        *error,
        MessageError::SchemaMismatch {
            name: "eight".into(),
            expected: schema_of::<f64>().fingerprint(),
            found: schema_of::<[u8; 8]>().fingerprint(),
            difference: None,
        }
    );
    // Each bit of the fingerprint counts.
    for bit in 0..64 {
        let mut bytes = bytes.clone();
        bytes[8 + bit / 8] ^= 1 << (bit % 8);
        sender.deserialize(&mut IoReader(&bytes[..])).unwrap_err();
    }
}

#[test]
fn case_42_a_value_of_another_type_is_never_taken_for_the_entrys() {
    let registry = CodecRegistry::new();
    registry.register::<u64>("n").unwrap();
    let entry = registry.by_name("n").unwrap();
    let mut buffer = Buffer::new();
    let mut writer = Writer::new(&mut buffer);
    assert_eq!(registry_error(entry.encode(&1.0_f64, &mut writer)), wrong("n"));
    assert_eq!(registry_error(entry.encode(&"text".to_owned(), &mut writer)), wrong("n"));
    writer.finish().unwrap();
    assert_eq!(registry_error(registry.serialize(&1.0_f64, &mut buffer)), unknown("f64"));
    assert!(buffer.as_slice().is_empty());
    registry.register_pod::<[f32; 2]>("pod").unwrap();
    let entry = registry.by_name("pod").unwrap();
    let mut writer = Writer::new(&mut buffer);
    assert_eq!(registry_error(entry.encode(&1_u64, &mut writer)), wrong("pod"));
    // Decoding gives the entry's type and no other.
    let value = entry.decode(&mut Reader::from_slice(&[0; 8])).unwrap();
    assert!(value.downcast_ref::<u64>().is_none());
    assert_eq!(value.downcast_ref::<[f32; 2]>(), Some(&[0.0; 2]));
    assert!(entry.decode(&mut Reader::from_slice(&[0; 7])).is_err());
}

#[test]
fn case_44_the_order_of_the_linker_does_not_show() {
    // The lines are named in the order of the source, whatever order the registrations were collected in.
    let registry = CodecRegistry::new();
    registry.collect();
    for error in registry.check() {
        let RegistryError::Ambiguous { first, second, .. } = error else { panic!("{error:?}") };
        let line = |place: &str| place.rsplit(':').next().unwrap().parse::<u32>().unwrap();
        assert!(line(&first) < line(&second), "{first} {second}");
    }
    assert_eq!(registry.by_name("automatic").unwrap().source(), format!("{}:{AUTOMATIC}", file!()).into());
}

#[test]
fn what_was_looked_up_lately_is_found_as_it_is_now_and_never_as_it_was() {
    let registry = CodecRegistry::new();
    let count = if cfg!(miri) { 200 } else { 3_000 };
    let name = |number: usize| format!("{}{number}", "a name ".repeat(number % 4));
    // Far more than what is remembered, so that names fall together; each is looked up by the other thread as well.
    let (ask, asked) = mpsc::channel::<(String, TypeId)>();
    let (answer, answered) = mpsc::channel();
    thread::scope(|scope| {
        let registry = &registry;
        scope.spawn(move || {
            for (name, expected) in asked {
                answer.send(registry.by_name(&name).unwrap().value_type() == expected).unwrap();
            }
        });
        for round in 0..3 {
            for number in 0..count {
                let name = name(number);
                let expected = if (round + number) % 2 == 0 {
                    registry.register::<u8>(&name).unwrap();
                    of::<u8>()
                } else {
                    registry.register::<u16>(&name).unwrap();
                    of::<u16>()
                };
                assert_eq!(registry.by_type(expected).unwrap().name(), name);
                for _ in 0..2 {
                    let entry = registry.by_name(&name).unwrap();
                    assert_eq!((entry.name(), entry.value_type()), (&*name, expected));
                }
                ask.send((name, expected)).unwrap();
                assert!(answered.recv().unwrap());
            }
            for number in 0..count {
                let expected = if (round + number) % 2 == 0 { of::<u8>() } else { of::<u16>() };
                assert_eq!(registry.by_name(&name(number)).unwrap().value_type(), expected);
            }
        }
        drop(ask);
    });
}

#[test]
fn who_registers_the_same_again_and_again_takes_no_more_memory() {
    let registry = CodecRegistry::new();
    let mut places = HashSet::new();
    for _ in 0..100 {
        registry.register::<u8>("either").unwrap();
        places.insert(std::ptr::from_ref(registry.by_name("either").unwrap()));
        registry.register::<u16>("either").unwrap();
        places.insert(std::ptr::from_ref(registry.by_name("either").unwrap()));
    }
    assert_eq!(places.len(), 2);
}

#[test]
fn case_45_registering_while_eight_threads_look_up() {
    let registry = CodecRegistry::new();
    registry.register::<u32>("always").unwrap();
    let done = AtomicBool::new(false);
    let found = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut buffer = Buffer::new();
                while !done.load(Ordering::Relaxed) || found.load(Ordering::Relaxed) < 8 {
                    registry.serialize(&7_u32, &mut buffer).unwrap();
                    assert_eq!(*registry.deserialize(&mut buffer).unwrap().downcast::<u32>().unwrap(), 7);
                    // Changes its type all the time; it is one of the two, whole, or not there yet.
                    if let Ok(entry) = registry.by_name("moving") {
                        assert!(entry.value_type() == of::<u8>() || entry.value_type() == of::<u16>());
                        let expected = if entry.value_type() == of::<u8>() { "u8" } else { "u16" };
                        assert_eq!(entry.schema().to_string(), expected);
                        found.fetch_add(1, Ordering::Relaxed);
                    }
                    assert!(!registry.names().is_empty());
                    assert!(registry.check().is_empty());
                }
            });
        }
        for round in 0..if cfg!(miri) { 5 } else { 500 } {
            registry.register::<u8>("moving").unwrap();
            registry.register::<u16>("moving").unwrap();
            registry.register::<String>(&format!("new {round}")).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn case_46_a_panic_in_a_codec_poisons_nothing() {
    /// Panics when it is described, written and read.
    #[derive(Debug)]
    struct Bomb;
    impl Encode for Bomb {
        fn encode(&self, _: &mut Writer<'_>) -> Result<()> {
            panic!("encode")
        }
        fn schema(_: &mut SchemaBuilder) -> Node {
            panic!("schema")
        }
    }
    impl<'de> Decode<'de> for Bomb {
        fn decode(_: &mut Reader<'de>) -> Result<Self> {
            panic!("decode")
        }
    }
    fn usable(registry: &CodecRegistry) {
        let mut buffer = Buffer::new();
        registry.register::<u8>("n").unwrap();
        registry.serialize(&7_u8, &mut buffer).unwrap();
        assert_eq!(*registry.deserialize(&mut buffer).unwrap().downcast::<u8>().unwrap(), 7);
        assert!(registry.by_name("bomb").is_ok());
    }
    let registry = CodecRegistry::new();
    let mut buffer = Buffer::new();
    registry.register::<Bomb>("bomb").unwrap();
    let entry = registry.by_name("bomb").unwrap();
    for _ in 0..2 {
        catch_unwind(AssertUnwindSafe(|| entry.fingerprint())).unwrap_err();
        usable(&registry);
        catch_unwind(AssertUnwindSafe(|| registry.serialize(&Bomb, &mut buffer))).unwrap_err();
        usable(&registry);
        message::write("bomb", 0, &Metadata::new(), &mut buffer, |_| Ok(())).unwrap();
        catch_unwind(AssertUnwindSafe(|| registry.deserialize(&mut buffer).is_ok())).unwrap_err();
        usable(&registry);
    }
}

#[test]
fn case_42_an_unknown_type_is_named_where_the_compiler_knows_it() {
    let registry = CodecRegistry::new();
    registry.register::<u8>("n").unwrap();
    let mut buffer = Buffer::new();
    let error = registry_error(registry.serialize(&vec![1_u16], &mut buffer));
    assert_eq!(error, unknown("alloc::vec::Vec<u16>"));
    assert!(error.to_string().contains("`alloc::vec::Vec<u16>`"), "{error}");
    assert!(error.to_string().contains("#[codec(register)]"), "{error}");
    let value: AnyValue = Box::new(1_u16);
    assert_eq!(registry_error(registry.serialize(&*value, &mut buffer)), UNKNOWN);
    assert!(buffer.as_slice().is_empty());

    registry.serialize(&7_u8, &mut buffer).unwrap();
    let message = message::Message::read(&mut buffer, Limits::DEFAULT).unwrap();
    let error = registry_error(registry.decode_as::<Option<u16>, _>(&message, &mut buffer));
    assert_eq!(error, unknown("core::option::Option<u16>"));
}

#[test]
fn case_42_a_box_that_is_given_for_its_value_is_found_out() {
    let registry = CodecRegistry::preregistered();
    let mut buffer = Buffer::new();
    let value: AnyValue = Box::new(7_u32);
    let error = registry_error(registry.serialize(&value, &mut buffer));
    assert_eq!(error, RegistryError::Boxed);
    assert!(error.to_string().contains("`&*value`"), "{error}");
    let shared: Arc<dyn Any + Send + Sync> = Arc::new(7_u32);
    assert_eq!(registry_error(registry.serialize(&shared, &mut buffer)), RegistryError::Boxed);
    assert_eq!(registry_error(registry.by_type(of::<AnyValue>())), RegistryError::Boxed);
    let entry = registry.by_name("u32").unwrap();
    let mut writer = Writer::new(&mut buffer);
    assert_eq!(registry_error(entry.encode(&value, &mut writer)), RegistryError::Boxed);
    writer.finish().unwrap();
    assert!(buffer.as_slice().is_empty());
    // What was meant.
    for value in [&*value, &*shared] {
        registry.serialize(value, &mut buffer).unwrap();
        assert_eq!(*registry.deserialize(&mut buffer).unwrap().downcast::<u32>().unwrap(), 7);
    }
}

#[test]
fn values_are_decoded_under_the_limits_that_are_asked_for() {
    let registry = CodecRegistry::preregistered();
    let mut bytes = Vec::new();
    registry.serialize(&vec![0_u64; 1_000], &mut bytes).unwrap();
    let small = Limits { bytes: 4_096, ..Limits::DEFAULT };
    let over = |result: Result<()>| assert!(matches!(result, Err(Error::ByteLimit { .. })), "{result:?}");
    over(registry.deserialize_with(&mut &bytes[..], small).map(drop));
    let (message, _) = message::Message::parse(&bytes, Limits::DEFAULT).unwrap();
    let nothing = &mut Buffer::new();
    over(registry.decode_with(&message, nothing, small).map(drop));
    over(registry.decode_as_with::<Vec<u64>, _>(&message, nothing, small).map(drop));
    let enough = Limits { bytes: 8_024, ..Limits::DEFAULT };
    registry.decode_with(&message, nothing, enough).unwrap();
    assert_eq!(registry.decode_as_with::<Vec<u64>, _>(&message, nothing, enough).unwrap(), [0; 1_000]);
}

#[test]
fn case_42_metadata_and_segments_travel_with_a_value_of_any_type() {
    let registry = CodecRegistry::new();
    registry.register::<BTreeMap<String, u8>>("map").unwrap();
    let value = BTreeMap::from([("a".to_owned(), 1_u8)]);
    let metadata = Metadata::from([("k".into(), vec![1])]);
    let mut buffer = Buffer::new();
    let options = message::Options { metadata: Some(&metadata), ..Default::default() };
    registry.serialize_with(&value, options, &mut buffer).unwrap();
    let message = message::Message::read(&mut buffer, Default::default()).unwrap();
    assert_eq!(*message.metadata(), metadata);
    let decoded = registry.decode(&message, &mut buffer).unwrap();
    assert_eq!(*decoded.downcast::<BTreeMap<String, u8>>().unwrap(), value);
    assert!(u8::deserialize(&mut buffer).is_err(), "the message was taken whole");
}

/// The book of other builds' schemas forgets the oldest, and is never larger than it says.
#[test]
fn case_48_schemas_without_end_are_forgotten_from_the_oldest_on() {
    let registry = CodecRegistry::new();
    let schema = |number: usize| -> Schema { format!("[u8;{number}]").parse().unwrap() };
    for number in 0..10_000 {
        assert!(registry.learn(schema(number)));
    }
    let known = (0..10_000).filter(|number| registry.known_schema(schema(*number).fingerprint()).is_some());
    assert!(known.eq(10_000 - 4_096..10_000), "the newest");

    let large = |name: &str| -> Schema { format!("struct{{{}:u8}}", name.repeat(75_000)).parse().unwrap() };
    for name in ["a", "b", "c", "d", "e"] {
        assert!(registry.learn(large(name)));
        assert!(registry.learn(large(name)), "once more is no other");
    }
    let known = |name| registry.known_schema(large(name).fingerprint()).is_some();
    assert_eq!(["a", "b", "c", "d", "e"].map(known), [false, false, true, true, true]);
    let too_large: Schema = format!("struct{{{}:u8}}", "z".repeat(500_000)).parse().unwrap();
    assert!(!registry.learn(too_large));
    assert!(known("e"), "what is too large moves nobody out");
}

/// A message of a few bytes must not be enough for a thread to run out of stack.
#[test]
fn plain_data_without_a_codec_may_be_larger_than_the_stack() {
    const COUNT: u64 = 1 << 20;
    let registry = CodecRegistry::new();
    registry.register_pod::<[[u64; 1024]; 1024]>("huge").unwrap();
    let mut bytes = Vec::new();
    let schema = registry.by_name("huge").unwrap().fingerprint();
    message::write("huge", schema, &Metadata::new(), &mut bytes, |writer| {
        (0..COUNT).try_for_each(|number| writer.encode(&number))
    })
    .unwrap();
    let read = move || {
        let whole = registry.deserialize(&mut IoReader(&bytes[..])).unwrap();
        let numbers = whole.downcast::<[[u64; 1024]; 1024]>().unwrap();
        assert!(numbers.as_flattened().iter().copied().eq(0..COUNT));
        let mut again = Vec::new();
        registry.serialize(&*numbers, &mut again).unwrap();
        assert_eq!(again, bytes);
    };
    thread::Builder::new().stack_size(1 << 20).spawn(read).unwrap().join().unwrap();
}
