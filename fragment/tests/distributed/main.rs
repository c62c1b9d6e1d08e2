//! Applications of several processes, with real processes: each is this test binary, started again.
//!
//! | file | what is in it |
//! |---|---|
//! | `processes` | starting, killing and hearing processes; what they leave behind |
//! | `applications` | the applications that they run |
//! | `flows` | messages over processes, of every shape and type |
//! | `joining` | who is let in, and who is told why not |
//! | `halves` | applications of several programs, which declare each other's fragments |
//! | `paths` | which transport a connection takes |
//! | `losses` | operators that fail, processes that die, signals |
//! | `strangers` | whoever else comes to the port |
//! | `network` | hosts that are network namespaces, and their cables |
//! | `hosts` | applications over several hosts |
//! | `metrics` | what is read of an application from outside |
//! | `security` | certificates, users and passwords |
//! | `storm` | kills at random |

mod applications;
mod flows;
mod halves;
mod hosts;
mod joining;
mod losses;
mod metrics;
mod network;
mod paths;
mod processes;
mod security;
mod storm;
mod strangers;
mod types;
