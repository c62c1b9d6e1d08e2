//! Applications of several programs: each runs some fragments, and declares those of the others by their ports.

use std::any::Any;

use podwire_codec_core::{
    CodecRegistry, Error as CodecError, Reader, Writer,
    registry::{AnyValue, Dynamic, DynamicCodec},
    schema::{Schema, Value, schema_of},
};
use podwire_codec_derive::Codec;
use podwire_fragment::{Application, Context, Fragment, Input, Operator, OperatorSpec, Output, Result};

use crate::processes::{Place, Process};

/// What is sent: of a type to the one program, and known by its schema alone to the other.
#[derive(Codec, Debug, PartialEq)]
#[codec(crate = podwire_codec_core, name = "tests.Reading")]
struct Reading {
    number: u64,
    unit: String,
}

/// The codec of a schema, as a program in another language has it.
struct Described(Schema);

impl DynamicCodec for Described {
    fn schema(&self) -> Schema {
        self.0.clone()
    }

    fn encode(&self, _: &(dyn Any + Send + Sync), _: &mut Writer<'_>) -> podwire_codec_core::Result<()> {
        Err(CodecError::backend("it is only read"))
    }

    fn decode(&self, reader: &mut Reader<'_>) -> podwire_codec_core::Result<AnyValue> {
        Ok(Box::new(self.0.decode(reader)?))
    }
}

struct Emit;

impl Operator for Emit {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output::<Reading>("out");
        spec.count(20);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, context: &mut Context) -> Result {
        Ok(output.emit("out", Reading { number: context.tick(), unit: "mm".into() })?)
    }
}

#[derive(Default)]
struct Receive(u64);

impl Operator for Receive {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        CodecRegistry::global().register_dynamic("tests.Reading", Described(schema_of::<Reading>()))?;
        spec.input_dynamic("in", "tests.Reading").capacity(3);
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        let reading = input.receive::<Dynamic>("in")?;
        let value = reading.value().downcast_ref::<Value>().ok_or("it is read by its schema")?;
        assert_eq!(reading.codec(), "tests.Reading");
        assert_eq!(value.to_string(), format!("{{number: {}, unit: \"mm\"}}", self.0));
        self.0 += 1;
        Ok(())
    }

    fn stop(&mut self, _: &mut Context) -> Result {
        println!("received {} readings", self.0);
        Ok(())
    }
}

/// The program of the sender, of the receiver, or one that declares what neither has.
pub(crate) fn compose(app: &mut Application) {
    let program = std::env::var("PODWIRE_TEST_PROGRAM").unwrap_or_default();
    let (mut sends, mut receives);
    if program == "receives" {
        sends = Fragment::elsewhere("sends");
        sends.declare("send", |spec| {
            // Declared ports are compared, too: by the name and the schema of their codec.
            CodecRegistry::global().register_dynamic("tests.Reading", Described(schema_of::<Reading>()))?;
            spec.output_dynamic("out", "tests.Reading");
            Ok(())
        });
        receives = Fragment::new("receives");
        receives.add_operator("receive", Receive::default());
    } else {
        sends = Fragment::new("sends");
        sends.add_operator("send", Emit);
        receives = Fragment::elsewhere("receives");
        let capacity = if program == "differs" { 4 } else { 3 };
        receives.declare("receive", move |spec| {
            spec.input::<Reading>("in").capacity(capacity);
            Ok(())
        });
    }
    app.add_fragment(sends);
    app.add_fragment(receives);
    app.add_flow("sends", "receives", [("send.out", "receive.in")]);
}

fn program(place: &Place, name: &str, arguments: &[&str]) -> Process {
    place.start("halves", arguments, &[("PODWIRE_TEST_PROGRAM", name)])
}

#[test]
fn two_programs_run_their_halves_of_an_application_and_all_means_what_a_program_can_run() {
    let place = Place::new();
    let driver = program(&place, "sends", &["--driver", "--worker", "--fragments", "all"]);
    let worker = program(&place, "receives", &["--worker"]);
    let said = worker.good();
    assert!(said.contains("received 20 readings"), "{said}");
    driver.good();
    place.clean();
}

#[test]
fn a_fragment_of_another_program_cannot_be_asked_for() {
    let place = Place::new();
    let worker = program(&place, "sends", &["--worker", "--fragments", "receives"]);
    worker.bad(&["\"receives\"", "sends"]);
    let alone = place.start("halves", &[], &[("PODWIRE_TEST_PROGRAM", "sends")]);
    alone.bad(&["receives", "another program"]);
    place.clean();
}

#[test]
fn programs_that_declare_a_port_otherwise_are_told_the_difference() {
    let place = Place::new();
    let driver = program(&place, "differs", &["--driver", "--worker", "--fragments", "all"]);
    let worker = program(&place, "receives", &["--worker"]);
    worker.bad(&["capacity", "3", "4"]);
    drop(driver);
}
