//! Records of text and numbers: podwire beside its peers.

use super::shape::{Shape, add_all};
use crate::runner::{Group, Style};
use crate::shapes::{log as requests, players as game, telemetry as packets, tree as programs};

/// Short strings between numbers.
pub(super) fn log(failures: &mut Vec<String>) -> Group {
    let mut group = Group::new("log", Style::Codecs, "log: 10,000 web-server records");
    let shape = Shape::new(&mut group, failures, requests::generate(requests::COUNT));
    add_all!(shape, [Wincode, Bitcode], Vec<requests::borrowed::Record<'static>>);
    group
}

/// Nested records with options and enums.
pub(super) fn players(failures: &mut Vec<String>) -> Group {
    let title = "players: 2,000 nested records with options and enums";
    let mut group = Group::new("players", Style::Codecs, title);
    let shape = Shape::new(&mut group, failures, game::generate());
    add_all!(shape, [Wincode, Bitcode], Vec<game::borrowed::Player<'static>>);
    group
}

/// Many small fixed records with a few strings and enums.
pub(super) fn telemetry(failures: &mut Vec<String>) -> Group {
    let title = "telemetry: 500 packets of small fixed samples";
    let mut group = Group::new("telemetry", Style::Codecs, title);
    let shape = Shape::new(&mut group, failures, packets::generate(packets::COUNT));
    add_all!(shape, [Wincode, Bitcode], Vec<packets::borrowed::Packet<'static>>);
    group
}

/// A recursive tree of enums.
pub(super) fn tree(failures: &mut Vec<String>) -> Group {
    let mut group = Group::new("tree", Style::Codecs, "tree: 1,000 functions, a recursive tree of enums");
    let shape = Shape::new(&mut group, failures, programs::generate(programs::COUNT));
    add_all!(shape, [BitcodeSerde], Vec<programs::borrowed::Function<'static>>);
    group
}
