//! Applications in one process: what is composed, when operators run, how messages move, how everything ends.

mod composition;
mod conditions;
mod cycles;
mod ends;
mod failures;
mod flows;
mod graphs;
mod messages;
mod queues;
mod signals;
mod snapshots;
mod spans;
mod support;
