//! What a message is: a pointer to a value of any type, with a dictionary.

use std::sync::Arc;

use podwire_codec_core::{CodecRegistry, message::Metadata};
use podwire_fragment::{
    Application, EmitError, Error, Fragment, Message, OperatorSpec, ReceiveError, graph::Problem, run::During,
};

use crate::support::{Notes, numbers, op};

/// A value that must not be cloned.
struct Precious(u64);

impl Clone for Precious {
    fn clone(&self) -> Self {
        panic!("it was cloned")
    }
}

#[test]
fn a_single_receiver_takes_the_value_itself() {
    let mut app = Application::new(["app"]);
    let setup = |spec: &mut OperatorSpec| {
        spec.output::<Precious>("out");
        spec.count(1000);
    };
    app.add_operator(
        "emit",
        op(setup, |_, output, context| Ok(output.emit("out", Precious(context.tick()))?)),
    );
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<Precious>("in");
    };
    let take = op(setup, |input, _, context| {
        let value = input.receive::<Precious>("in")?.into_inner();
        assert_eq!(value.0, context.tick());
        Ok(())
    });
    app.add_operator("take", take);
    app.add_flow("emit", "take", [("out", "in")]);
    app.run().unwrap();
}

#[test]
fn a_shared_value_is_the_same_memory_at_every_receiver() {
    let frame = Arc::new(vec![7_u8; 1 << 20]);
    let places = Notes::new();
    let mut app = Application::new(["app"]);
    let setup = |spec: &mut OperatorSpec| {
        spec.output::<Vec<u8>>("out");
        spec.count(1);
    };
    let emitted = Arc::clone(&frame);
    app.add_operator(
        "emit",
        op(setup, move |_, output, _| Ok(output.emit_shared("out", Arc::clone(&emitted))?)),
    );
    for name in ["left", "right"] {
        let places = places.clone();
        let setup = |spec: &mut OperatorSpec| {
            spec.input::<Vec<u8>>("in");
        };
        let look = op(setup, move |input, _, _| {
            places.note(input.receive::<Vec<u8>>("in")?.as_ptr() as u64);
            Ok(())
        });
        app.add_operator(name, look);
        app.add_flow("emit", name, [("out", "in")]);
    }
    app.run().unwrap();
    assert_eq!(*places.list(), [frame.as_ptr() as u64; 2]);
}

#[test]
fn metadata_travels_with_a_message_through_operators_that_pass_it_on() {
    let notes = Notes::<String>::new();
    let mut app = Application::new(["app"]);
    let setup = |spec: &mut OperatorSpec| {
        spec.output::<u64>("out");
        spec.count(2);
    };
    let emit = op(setup, |_, output, context| {
        let mut metadata = Metadata::new();
        metadata.insert("source", &format!("camera {}", context.tick()))?;
        Ok(output.emit_with("out", 5_u64, metadata)?)
    });
    app.add_operator("emit", emit);
    app.add_operator("pass", crate::support::pass());
    let taken = notes.clone();
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in");
    };
    let read = op(setup, move |input, _, _| {
        let message = input.receive::<u64>("in")?;
        taken.note(message.metadata().get("source")?.unwrap());
        Ok(())
    });
    app.add_operator("read", read);
    app.add_flow("emit", "pass", [("out", "in")]);
    app.add_flow("pass", "read", [("out", "in")]);
    app.run().unwrap();
    assert_eq!(*notes.list(), ["camera 0", "camera 1"]);
}

#[test]
fn a_dynamic_port_takes_messages_of_any_type() {
    let notes = Notes::<String>::new();
    let mut app = Application::new(["app"]);
    let setup = |spec: &mut OperatorSpec| {
        spec.output_any("out");
        spec.count(1);
    };
    let emit = op(setup, |_, output, _| {
        output.emit("out", 7_u64)?;
        output.emit("out", "text".to_owned())?;
        output.emit_message("out", Message::new(0.5_f64))?;
        Ok(())
    });
    app.add_operator("emit", emit);
    let taken = notes.clone();
    let setup = |spec: &mut OperatorSpec| {
        spec.input_any("in");
    };
    let read = op(setup, move |input, _, _| {
        let message = input.receive_any("in")?;
        let value = message.value();
        taken.note(if let Some(number) = value.downcast_ref::<u64>() {
            number.to_string()
        } else if let Some(text) = value.downcast_ref::<String>() {
            text.clone()
        } else {
            "something else".into()
        });
        Ok(())
    });
    app.add_operator("read", read);
    app.add_flow("emit", "read", [("out", "in")]);
    app.run().unwrap();
    assert_eq!(*notes.list(), ["7", "text", "something else"]);
}

#[test]
fn a_message_of_another_type_is_an_error_that_names_both() {
    let mut app = Application::new(["app"]);
    let setup = |spec: &mut OperatorSpec| {
        spec.output::<u64>("out");
        spec.count(1);
    };
    let emit = op(setup, |_, output, _| {
        let error = output.emit("out", "text").unwrap_err();
        assert!(matches!(&error, EmitError::WrongType { port, declared, given }
            if port == "emit.out" && declared == "u64" && *given == "&str"));
        assert!(matches!(output.emit_message("out", Message::new(1_u8)), Err(EmitError::WrongType { .. })));
        Ok(output.emit("out", 1_u64)?)
    });
    app.add_operator("emit", emit);
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in");
    };
    let read = op(setup, |input, _, _| {
        let error = input.receive::<String>("in").unwrap_err();
        let ReceiveError::WrongType { port, wanted, message } = error else { panic!("{error}") };
        assert_eq!((&*port, wanted), ("read.in", "alloc::string::String"));
        assert_eq!(*message.received::<u64>().unwrap(), 1, "the message is not lost");
        Ok(())
    });
    app.add_operator("read", read);
    app.add_flow("emit", "read", [("out", "in")]);
    app.run().unwrap();
}

#[test]
fn a_port_that_does_not_exist_is_an_error_that_names_those_that_do() {
    let mut app = Application::new(["app"]);
    app.add_operator("numbers", numbers(1));
    let setup = |spec: &mut OperatorSpec| {
        spec.input::<u64>("in");
        spec.output::<u64>("picture");
    };
    let read = op(setup, |input, output, _| {
        let error = input.receive::<u64>("inn").unwrap_err().to_string();
        assert_eq!(error, "read has no input \"inn\": did you mean \"in\"? there is \"in\"");
        let error = output.emit("pictures", 1_u64).unwrap_err().to_string();
        assert_eq!(error, "read has no output \"pictures\": did you mean \"picture\"? there is \"picture\"");
        input.receive::<u64>("in")?;
        assert!(matches!(input.receive::<u64>("in"), Err(ReceiveError::Empty { port }) if port == "read.in"));
        assert!(input.try_receive::<u64>("in")?.is_none());
        Ok(())
    });
    app.add_operator("read", read);
    app.add_flow("numbers", "read", [("out", "in")]);
    app.run().unwrap();
}

/// A type that has no codec.
struct Secret;

#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Plain([f32; 3]);

#[test]
fn setup_registers_codecs_for_ports_that_lead_to_other_fragments() {
    fn app_of<T: Clone + Send + Sync + 'static>(
        value: T,
        mut register: impl FnMut(&mut OperatorSpec) + Send + 'static,
    ) -> Application {
        let mut left = Fragment::new("left");
        let setup = move |spec: &mut OperatorSpec| {
            spec.output::<T>("out");
            spec.count(1);
        };
        left.add_operator("emit", op(setup, move |_, output, _| Ok(output.emit("out", value.clone())?)));
        let mut right = Fragment::new("right");
        let setup = move |spec: &mut OperatorSpec| {
            spec.input::<T>("in");
            register(spec);
        };
        right.add_operator(
            "read",
            op(setup, |input, _, _| input.receive::<T>("in").map(drop).map_err(Into::into)),
        );
        let mut app = Application::new(["app"]);
        app.add_fragment(left);
        app.add_fragment(right);
        app.add_flow("left", "right", [("emit.out", "read.in")]);
        app
    }
    let mut without = app_of(Arc::new(Secret), |_| ());
    let problems = without.check().unwrap_err();
    assert!(
        matches!(problems.list(), [Problem::NoCodec { connection, .. }] if connection == "left.emit.out>right.read.in")
    );

    app_of([1_u16; 5], |spec| spec.register_codec::<[u16; 5]>("model test five").unwrap()).run().unwrap();
    let mut with = app_of(Plain([0.0; 3]), |spec| spec.register_pod::<Plain>("model test plain").unwrap());
    let graph = with.check().unwrap();
    let codec = graph.output(&graph.connections[0]).codec.clone().unwrap();
    assert_eq!(codec.name, "model test plain");
    assert_eq!(codec.fingerprint, CodecRegistry::global().by_name("model test plain").unwrap().fingerprint());
    with.run().unwrap();
}

#[test]
fn an_operator_has_the_registry_the_time_and_a_fast_io_pipeline_of_the_application() {
    let mut app = Application::new(["app"]);
    let compute = |_: &mut _, _: &mut _, context: &mut podwire_fragment::Context| {
        assert!(context.registry().by_name("Vec<f32>").is_ok());
        assert!(context.time().as_secs() < 100);
        assert_eq!((context.fragment(), context.operator()), ("", "asks"));
        let pipeline = context.fast_io()?;
        pipeline.create(64)?.publish("frame")?;
        assert!(context.fast_io()?.try_get("frame")?.is_some(), "it is the same one");
        context.finish();
        Ok(())
    };
    app.add_operator("asks", op(|_| (), compute));
    let report = app.run().unwrap();
    assert_eq!(report.operator("asks").unwrap().ticks, 1);
}

#[test]
fn an_error_of_a_port_names_the_operator_in_the_error_of_the_application() {
    let mut app = Application::new(["app"]);
    let setup = |spec: &mut OperatorSpec| {
        spec.count(1);
    };
    app.add_operator("emit", op(setup, |_, output, _| Ok(output.emit("out", 1)?)));
    let Err(Error::Failed(report)) = app.run() else { panic!("it has no output") };
    assert_eq!((&*report.failures[0].name, report.failures[0].during), ("emit", During::Compute));
    assert!(report.failures[0].error.as_ref().unwrap().is::<EmitError>());
}
