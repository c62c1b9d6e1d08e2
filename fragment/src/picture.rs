//! Pictures of a graph: in Mermaid, which Markdown viewers draw, and for Graphviz.
//!
//! Not here: what is connected to what, which `graph` knows. Invariant: every operator and every connection of the graph is
//! in the picture once, whatever the names of their types.

use std::{
    fmt::{self, Write as _},
    fs,
    io::{self, Write as _},
};

use crate::{
    command::{PictureLanguage, PictureRequest},
    condition::{WhenFull, WhenInputs},
    graph::{Connection, Graph, OperatorId, OperatorNode},
};

/// A graph as a text in the language of a program that draws it.
///
/// Fragments are boxes with their operators in them; connections that may lead to another process are dotted.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'g> {
    /// What it shows.
    pub graph: &'g Graph,
    /// The language.
    pub language: PictureLanguage,
}

impl fmt::Display for Picture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.language {
            PictureLanguage::Mermaid => mermaid(self.graph, f),
            PictureLanguage::Dot => dot(self.graph, f),
        }
    }
}

impl PictureRequest {
    /// Writes the picture that was asked for, to where it was asked for.
    ///
    /// # Errors
    /// Those of the file, or of the standard output.
    pub fn write(&self, graph: &Graph) -> io::Result<()> {
        let text = Picture { graph, language: self.language }.to_string();
        match &self.file {
            Some(file) => fs::write(file, text),
            None => io::stdout().lock().write_all(text.as_bytes()),
        }
    }
}

fn mermaid(graph: &Graph, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // `<` would begin a tag of HTML, and `"` end the label.
    let escaped = |text: &str| {
        let text = text.replace('#', "#35;").replace('"', "#quot;").replace('&', "#amp;");
        text.replace('<', "#lt;").replace('>', "#gt;").replace('\n', "<br/>")
    };
    writeln!(f, "flowchart LR")?;
    each_fragment(graph, |at, name, operators| {
        let indent = if name.is_empty() { "  " } else { "    " };
        if !name.is_empty() {
            writeln!(f, "  subgraph f{at}[\"{}\"]", escaped(name))?;
        }
        for (id, operator) in operators {
            writeln!(f, "{indent}{}[\"{}\"]", node(*id), escaped(&about(operator)))?;
        }
        if name.is_empty() { Ok(()) } else { writeln!(f, "  end") }
    })?;
    graph.connections.iter().try_for_each(|connection| {
        let (from, to) = (node(connection.from.operator), node(connection.to.operator));
        let arrow = if connection.crosses_fragments() { "-.->" } else { "-->" };
        writeln!(f, "  {from} {arrow}|\"{}\"| {to}", escaped(&along(graph, connection)))
    })
}

fn dot(graph: &Graph, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    writeln!(f, "digraph application {{")?;
    writeln!(f, "  rankdir=LR;\n  node [shape=box, style=rounded];")?;
    each_fragment(graph, |at, name, operators| {
        let indent = if name.is_empty() { "  " } else { "    " };
        if !name.is_empty() {
            writeln!(f, "  subgraph cluster_{at} {{\n    label=\"{}\";", escaped(name))?;
        }
        for (id, operator) in operators {
            writeln!(f, "{indent}{} [label=\"{}\"];", node(*id), escaped(&about(operator)))?;
        }
        if name.is_empty() { Ok(()) } else { writeln!(f, "  }}") }
    })?;
    graph.connections.iter().try_for_each(|connection| {
        let (from, to) = (node(connection.from.operator), node(connection.to.operator));
        let style = if connection.crosses_fragments() { ", style=dashed" } else { "" };
        writeln!(f, "  {from} -> {to} [label=\"{}\"{style}];", escaped(&along(graph, connection)))
    })?;
    writeln!(f, "}}")
}

/// Calls for each fragment, with its place, its name and its operators.
fn each_fragment(
    graph: &Graph,
    mut call: impl FnMut(usize, &str, &[(OperatorId, &OperatorNode)]) -> fmt::Result,
) -> fmt::Result {
    let operators: Vec<_> = graph.operators().collect();
    graph.fragments.iter().enumerate().try_for_each(|(at, fragment)| {
        let inside: Vec<_> = operators.iter().filter(|(id, _)| id.fragment == at).copied().collect();
        call(at, &fragment.name, &inside)
    })
}

/// What a node is called in the picture's text; names of operators may be words of the language.
fn node(id: OperatorId) -> String {
    format!("f{}o{}", id.fragment, id.operator)
}

/// The name of an operator, and when it runs if that is not just "when there is a message".
fn about(operator: &OperatorNode) -> String {
    let mut text = operator.name.clone();
    let conditions = &operator.conditions;
    let _ = conditions.count.map(|count| write!(text, "\n{count} times"));
    let _ = conditions.period.map(|period| write!(text, "\nevery {period:?}"));
    if conditions.inputs == WhenInputs::Any {
        text.push_str("\nwhen any input has a message");
    }
    text
}

/// What goes over a connection, and how.
fn along(graph: &Graph, connection: &Connection) -> String {
    let (output, input) = (graph.output(connection), graph.input(connection));
    let typed = if output.of.is_some() { output } else { input };
    let policy = match input.when_full {
        WhenFull::Block => "",
        WhenFull::DropOldest => ", drops the oldest",
        WhenFull::Refuse => ", refuses",
    };
    let kind = short(typed.type_name());
    format!("{} → {}\n{kind}\n{} wait{policy}", output.name, input.name, input.capacity)
}

/// A type as one would write it: `Vec<Frame>` for `alloc::vec::Vec<camera::Frame>`.
fn short(type_name: &str) -> String {
    let mut short = String::new();
    let mut word = 0; // where the word began in `short` that may turn out to be a path
    let mut rest = type_name;
    while let Some(letter) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("::") {
            short.truncate(word);
            rest = behind;
            continue;
        }
        short.push(letter);
        if !letter.is_alphanumeric() && letter != '_' {
            word = short.len();
        }
        rest = &rest[letter.len_utf8()..];
    }
    short
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn types_lose_their_paths() {
        for (long, expected) in [
            ("f64", "f64"),
            ("alloc::vec::Vec<f64>", "Vec<f64>"),
            ("std::collections::HashMap<alloc::string::String, a::b_c::D9>", "HashMap<String, D9>"),
            ("(u8, [core::option::Option<&x::Y>; 3])", "(u8, [Option<&Y>; 3])"),
            ("alloc::sync::Arc<dyn a::B + core::marker::Send>", "Arc<dyn B + Send>"),
            ("", ""),
            ("::", ""),
        ] {
            assert_eq!(short(long), expected, "{long}");
        }
    }
}
