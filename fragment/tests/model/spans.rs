//! Each `compute` is a span that any subscriber of `tracing` can follow.

use std::fmt::Debug;

use podwire_fragment::Application;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::set_global_default,
};

use crate::support::{Notes, numbers};

/// Notes the spans of one operator.
struct Spans(Notes<String>);

/// The fields of a span as a text.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "podwire::fragment"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        // The other tests of this process have spans too.
        if fields.0.contains("traced") {
            self.0.note(format!("{}{}", span.metadata().name(), fields.0));
        }
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn each_compute_is_a_span_with_the_name_of_its_operator() {
    let notes = Notes::new();
    set_global_default(Spans(notes.clone())).unwrap();
    let mut app = Application::new(["app"]);
    app.add_operator("traced", numbers(2));
    app.run().unwrap();
    assert_eq!(*notes.list(), ["compute operator=\"traced\" tick=0", "compute operator=\"traced\" tick=1"]);
}
