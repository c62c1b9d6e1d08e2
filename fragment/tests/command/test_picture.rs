//! Pictures of a graph.

use std::time::Duration;

use podwire_fragment::{
    WhenFull, WhenInputs,
    command::{PictureLanguage, PictureRequest},
    graph::{Connection, FragmentNode, Graph, OperatorId, OperatorNode, PortId, PortNode, PortType},
    picture::Picture,
};

fn port(name: &str, type_name: Option<&str>) -> PortNode {
    let of = type_name.map(|name| PortType { name: name.into(), id: None });
    PortNode { name: name.into(), of, capacity: 4, ..PortNode::default() }
}

fn operator(name: &str, inputs: Vec<PortNode>, outputs: Vec<PortNode>) -> OperatorNode {
    OperatorNode { name: name.into(), inputs, outputs, ..OperatorNode::default() }
}

fn connection(from: (usize, usize, usize), to: (usize, usize, usize)) -> Connection {
    let port = |(fragment, operator, port)| PortId { operator: OperatorId { fragment, operator }, port };
    Connection { from: port(from), to: port(to) }
}

/// A source, and two fragments that listen; a name and a type that the languages would stumble over.
fn graph() -> Graph {
    let array = Some("alloc::vec::Vec<f64>");
    let mut ping = operator("ping", vec![], vec![port("out", array)]);
    ping.conditions.count = Some(10);
    ping.conditions.period = Some(Duration::from_millis(5));
    let mut end = operator("end", vec![port("in", array), port("any", None)], vec![]);
    end.conditions.inputs = WhenInputs::Any;
    end.inputs[0].when_full = WhenFull::DropOldest;
    end.inputs[1].when_full = WhenFull::Refuse;
    let copy = operator("copy", vec![port("in", array)], vec![port("out", Some("a::\"&#\\Odd\""))]);
    let fragment = |name: &str, operators| FragmentNode { name: name.into(), operators };
    Graph {
        fragments: vec![fragment("fragment1", vec![ping, copy]), fragment("fragment2", vec![end])],
        connections: vec![
            connection((0, 0, 0), (0, 1, 0)),
            connection((0, 0, 0), (1, 0, 0)),
            connection((0, 1, 0), (1, 0, 1)),
        ],
    }
}

fn drawn(graph: &Graph, language: PictureLanguage) -> String {
    Picture { graph, language }.to_string()
}

#[test]
fn mermaid_shows_fragments_operators_and_connections() {
    assert_eq!(
        drawn(&graph(), PictureLanguage::Mermaid),
        r##"flowchart LR
  subgraph f0["fragment1"]
    f0o0["ping<br/>10 times<br/>every 5ms"]
    f0o1["copy"]
  end
  subgraph f1["fragment2"]
    f1o0["end<br/>when any input has a message"]
  end
  f0o0 -->|"out → in<br/>Vec#lt;f64#gt;<br/>4 wait"| f0o1
  f0o0 -.->|"out → in<br/>Vec#lt;f64#gt;<br/>4 wait, drops the oldest"| f1o0
  f0o1 -.->|"out → any<br/>#quot;#amp;#35;\Odd#quot;<br/>4 wait, refuses"| f1o0
"##
    );
}

#[test]
fn dot_shows_the_same() {
    assert_eq!(
        drawn(&graph(), PictureLanguage::Dot),
        r#"digraph application {
  rankdir=LR;
  node [shape=box, style=rounded];
  subgraph cluster_0 {
    label="fragment1";
    f0o0 [label="ping\n10 times\nevery 5ms"];
    f0o1 [label="copy"];
  }
  subgraph cluster_1 {
    label="fragment2";
    f1o0 [label="end\nwhen any input has a message"];
  }
  f0o0 -> f0o1 [label="out → in\nVec<f64>\n4 wait"];
  f0o0 -> f1o0 [label="out → in\nVec<f64>\n4 wait, drops the oldest", style=dashed];
  f0o1 -> f1o0 [label="out → any\n\"&#\\Odd\"\n4 wait, refuses", style=dashed];
}
"#
    );
}

#[test]
fn an_application_without_fragments_has_no_boxes_around_its_operators() {
    let mut graph = graph();
    graph.fragments.truncate(1);
    graph.fragments[0].name.clear();
    graph.connections.truncate(1);
    let mermaid = drawn(&graph, PictureLanguage::Mermaid);
    assert!(!mermaid.contains("subgraph") && mermaid.contains("\n  f0o1[\"copy\"]\n"), "{mermaid}");
    let dot = drawn(&graph, PictureLanguage::Dot);
    assert!(!dot.contains("subgraph") && dot.contains("\n  f0o1 [label=\"copy\"];\n"), "{dot}");
}

#[test]
fn a_picture_goes_to_the_file_that_was_asked_for() {
    let file = std::env::temp_dir().join(format!("podwire-picture-{}.dot", std::process::id()));
    let request = PictureRequest { language: PictureLanguage::Dot, file: Some(file.clone()) };
    request.write(&graph()).unwrap();
    let written = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(written, drawn(&graph(), PictureLanguage::Dot));

    let nowhere = PictureRequest { file: Some("/no/such/folder/x.dot".into()), ..request };
    assert!(nowhere.write(&graph()).is_err());
}
