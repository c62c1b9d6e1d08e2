//! The applications that are measured.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use podwire_codec_core::{Bulk, register_codec};
use podwire_fragment::{Application, Context, Fragment, Input, Operator, OperatorSpec, Output, Result};

register_codec!(Bulk<u8>, "bench.Bytes");

/// Plays a process of the application of this name: `line FRAGMENTS`, `stream BYTES MESSAGES`, `bare ADDRESS BYTES MESSAGES`.
pub fn play(name: &str) {
    let words: Vec<&str> = name.split(' ').collect();
    let number = |at: usize| words[at].parse::<u64>().expect("a number");
    if words[0] == "bare" {
        return bare(words[1], number(2) as usize, number(3));
    }
    let mut app = Application::new(["app".to_owned()].into_iter().chain(std::env::args().skip(1)));
    match words[0] {
        "line" => line(&mut app, number(1) as usize),
        "stream" => stream(&mut app, number(1) as usize, number(2)),
        other => panic!("no application {other}"),
    }
    if let Err(error) = app.run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

/// Fragments in a line, of one operator each.
fn line(app: &mut Application, fragments: usize) {
    for at in 0..fragments {
        let mut fragment = Fragment::new(format!("f{at}"));
        match at {
            0 => fragment.add_operator("it", Source { value: 0_u64, messages: 1 }),
            _ if at + 1 == fragments => fragment.add_operator("it", Arrival),
            _ => fragment.add_operator("it", Pass),
        };
        app.add_fragment(fragment);
        if at > 0 {
            app.add_flow(format!("f{}", at - 1), format!("f{at}"), [("it.out", "it.in")]);
        }
    }
}

/// One fragment sends arrays of this many bytes to another, as fast as it can.
fn stream(app: &mut Application, bytes: usize, messages: u64) {
    let mut from = Fragment::new("from");
    from.add_operator("it", Source { value: Bulk::from(vec![7_u8; bytes]), messages });
    let mut to = Fragment::new("to");
    to.add_operator("it", Rate { bytes, messages, count: 0, since: None });
    app.add_fragment(from);
    app.add_fragment(to);
    app.add_flow("from", "to", [("it.out", "it.in")]);
}

struct Source<T> {
    value: T,
    messages: u64,
}

impl<T: podwire_codec_core::Codec + Clone + Send + Sync + 'static> Operator for Source<T> {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.output::<T>("out");
        spec.count(self.messages);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        output.emit("out", self.value.clone())?;
        Ok(())
    }
}

struct Pass;

impl Operator for Pass {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<u64>("in");
        spec.output::<u64>("out");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, output: &mut Output, _: &mut Context) -> Result {
        output.emit_message("out", input.receive::<u64>("in")?.into_message())?;
        Ok(())
    }
}

struct Arrival;

impl Operator for Arrival {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<u64>("in");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        input.receive::<u64>("in")?;
        println!("arrived");
        // Time to look at the processes while they still are there.
        std::thread::sleep(Duration::from_millis(300));
        Ok(())
    }
}

struct Rate {
    bytes: usize,
    messages: u64,
    count: u64,
    since: Option<Instant>,
}

impl Operator for Rate {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        spec.input::<Bulk<u8>>("in");
        Ok(())
    }

    fn compute(&mut self, input: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        let array = input.receive::<Bulk<u8>>("in")?;
        assert_eq!((array.len(), array.first()), (self.bytes, Some(&7)));
        // The first one comes when everything is connected.
        let since = *self.since.get_or_insert_with(Instant::now);
        self.count += 1;
        if self.count == self.messages {
            println!("rate {}", (self.messages - 1) as f64 / since.elapsed().as_secs_f64());
        }
        Ok(())
    }
}

/// The same over a TCP connection and nothing else: whoever finds nobody at the address listens there.
fn bare(address: &str, bytes: usize, messages: u64) {
    if std::env::args().any(|argument| argument == "listen") {
        let listener = TcpListener::bind(address).expect("an address");
        println!("listening");
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut array = vec![0; bytes];
        stream.read_exact(&mut array).expect("the first message");
        let since = Instant::now();
        for _ in 1..messages {
            stream.read_exact(&mut array).expect("a message");
        }
        println!("rate {}", (messages - 1) as f64 / since.elapsed().as_secs_f64());
    } else {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        let array = vec![7; bytes];
        for _ in 0..messages {
            stream.write_all(&array).expect("a message");
        }
    }
}
