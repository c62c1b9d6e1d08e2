//! What the processes of an application must agree on, and the first thing in which two of them do not.
//!
//! Left out is what only the process needs that runs an operator: conditions, types that stay within a fragment. Invariant: equal descriptions have equal digests, and unequal ones have a [`Difference`].

use std::fmt;

use podwire_codec_core::{schema::Schema, to_vec};
use podwire_codec_derive::Codec;

/// The parts of an application that may meet in different processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct Description {
    pub fragments: Vec<FragmentPart>,
    pub connections: Vec<ConnectionPart>,
    /// The types on these connections, by name.
    pub types: Vec<TypePart>,
    /// What the process was told: people are warned where it differs, as it may be meant so.
    pub told: Vec<ToldPart>,
}

/// What a command line or a configuration file says, or would say: the application's own arguments, or a parameter of an
/// operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct ToldPart {
    pub name: String,
    pub value: String,
}

/// A fragment: its operators by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct FragmentPart {
    pub name: String,
    pub operators: Vec<String>,
}

/// A connection between two fragments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct ConnectionPart {
    /// `fragment1.ping.out>fragment2.pong.in`
    pub name: String,
    /// The codec of its messages at the output, and at the input; empty for any.
    pub codecs: (String, String),
    pub capacity: u64,
    pub when_full: String,
}

/// A type that travels.
#[derive(Clone, Debug, PartialEq, Eq, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct TypePart {
    pub name: String,
    pub schema: Schema,
}

/// The first thing in which two processes composed an application differently.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
#[non_exhaustive]
pub enum Difference {
    /// Only one of them has it.
    Missing {
        /// `fragment`, `operator`, `connection` or `type`.
        kind: String,
        /// Its name.
        name: String,
        /// Whether the driver has it, and not the worker.
        driver_has_it: bool,
    },
    /// Both have it, but not in the same order.
    Order {
        /// `fragment`, `operator` or `connection`.
        kind: String,
        /// What comes next at the driver.
        driver: String,
        /// What comes next at the worker.
        worker: String,
    },
    /// Both have it, with another property.
    Property {
        /// The name of the connection.
        name: String,
        /// What differs: `codec`, `capacity`, or `policy when full`.
        what: String,
        /// At the driver.
        driver: String,
        /// At the worker.
        worker: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { kind, name, driver_has_it: true } => {
                write!(f, "{kind} {name:?} is there at the driver, and not at this worker")
            }
            Self::Missing { kind, name, .. } => {
                write!(f, "{kind} {name:?} is there at this worker, and not at the driver")
            }
            Self::Order { kind, driver, worker } => {
                write!(f, "{kind} {driver:?} comes at the driver where {worker:?} comes at this worker")
            }
            Self::Property { name, what, driver, worker } => {
                write!(f, "{what} of {name} is {driver} at the driver, and {worker} at this worker")
            }
        }
    }
}

/// What two descriptions first differ in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    Composition(Difference),
    Schema { name: String, difference: String },
}

impl Description {
    /// A number that is the same in processes that agree.
    pub(crate) fn digest(&self) -> u64 {
        // A description that cannot be written, for lack of memory, agrees with nobody's.
        hash(&to_vec(self).unwrap_or_default())
    }

    /// The first difference to a worker's description; this one is the driver's.
    pub(crate) fn mismatch(&self, worker: &Self) -> Option<Mismatch> {
        // Types first: whoever changed a type wants to hear of it, and not of each connection that it goes over.
        self.schemas(worker).or_else(|| self.composition(worker).map(Mismatch::Composition))
    }

    /// Where a worker was told something else than the driver, whose description this is.
    pub(crate) fn oddities(&self, worker: &Self) -> Vec<String> {
        let value = |parts: &[ToldPart], name: &str| {
            let found = parts.iter().find(|part| part.name == name);
            found.map_or_else(|| "not there".to_owned(), |part| part.value.clone())
        };
        let theirs = worker.told.iter().filter(|part| !self.told.iter().any(|ours| ours.name == part.name));
        let names = self.told.iter().chain(theirs).map(|part| &*part.name);
        let both = names.map(|name| (name, value(&self.told, name), value(&worker.told, name)));
        both.filter(|(_, ours, theirs)| ours != theirs)
            .map(|(name, ours, theirs)| format!("{name}: {ours} at the driver, {theirs} there"))
            .collect()
    }

    fn schemas(&self, worker: &Self) -> Option<Mismatch> {
        self.types.iter().find_map(|ours| {
            let theirs = worker.types.iter().find(|theirs| theirs.name == ours.name)?;
            let difference = ours.schema.difference(&theirs.schema)?.to_string();
            Some(Mismatch::Schema { name: ours.name.clone(), difference })
        })
    }

    fn composition(&self, worker: &Self) -> Option<Difference> {
        let names = |parts: &[FragmentPart]| parts.iter().map(|part| part.name.clone()).collect::<Vec<_>>();
        same_names("fragment", &names(&self.fragments), &names(&worker.fragments))
            .or_else(|| {
                self.fragments.iter().zip(&worker.fragments).find_map(|(ours, theirs)| {
                    let full = |part: &FragmentPart| -> Vec<String> {
                        part.operators.iter().map(|name| format!("{}.{name}", part.name)).collect()
                    };
                    same_names("operator", &full(ours), &full(theirs))
                })
            })
            .or_else(|| {
                let names =
                    |parts: &[ConnectionPart]| parts.iter().map(|part| part.name.clone()).collect::<Vec<_>>();
                same_names("connection", &names(&self.connections), &names(&worker.connections))
            })
            .or_else(|| {
                self.connections
                    .iter()
                    .zip(&worker.connections)
                    .find_map(|(ours, theirs)| ours.property(theirs))
            })
            .or_else(|| {
                let names =
                    |parts: &[TypePart]| parts.iter().map(|part| part.name.clone()).collect::<Vec<_>>();
                same_names("type", &names(&self.types), &names(&worker.types))
            })
    }
}

impl ToldPart {
    /// A long value is cut, and still differs from every other one.
    pub(crate) fn new(name: impl Into<String>, value: String) -> Self {
        const LONG: usize = 60;
        let value = match value.char_indices().nth(LONG) {
            None => value,
            Some((end, _)) => format!("{}… (#{:08x})", &value[..end], hash(value.as_bytes()) as u32),
        };
        Self { name: name.into(), value }
    }
}

impl ConnectionPart {
    fn property(&self, worker: &Self) -> Option<Difference> {
        let properties = |part: &Self| {
            let codec = |name: &str| if name.is_empty() { "any".to_owned() } else { format!("{name:?}") };
            [
                ("codec of the output", codec(&part.codecs.0)),
                ("codec of the input", codec(&part.codecs.1)),
                ("capacity", part.capacity.to_string()),
                ("policy when full", part.when_full.clone()),
            ]
        };
        properties(self).into_iter().zip(properties(worker)).find_map(|((what, driver), (_, worker))| {
            let name = self.name.clone();
            (driver != worker).then(|| Difference::Property { name, what: what.into(), driver, worker })
        })
    }
}

fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3))
}

fn same_names(kind: &str, driver: &[String], worker: &[String]) -> Option<Difference> {
    let kind = kind.to_owned();
    let missing = |name: &String, driver_has_it| {
        Some(Difference::Missing { kind: kind.clone(), name: name.clone(), driver_has_it })
    };
    if let Some(name) = driver.iter().find(|name| !worker.contains(name)) {
        return missing(name, true);
    }
    if let Some(name) = worker.iter().find(|name| !driver.contains(name)) {
        return missing(name, false);
    }
    let (driver, worker) = driver.iter().zip(worker).find(|(driver, worker)| driver != worker)?;
    Some(Difference::Order { kind, driver: driver.clone(), worker: worker.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> Description {
        let fragment =
            |name: &str, operator: &str| FragmentPart { name: name.into(), operators: vec![operator.into()] };
        Description {
            fragments: vec![fragment("a", "ping"), fragment("b", "pong")],
            connections: vec![ConnectionPart {
                name: "a.ping.out>b.pong.in".into(),
                codecs: ("Pose".into(), String::new()),
                capacity: 4,
                when_full: "block".into(),
            }],
            types: vec![TypePart { name: "Pose".into(), schema: "struct{x:f32}".parse().unwrap() }],
            told: vec![ToldPart::new("a.ping.rows", "64".into())],
        }
    }

    /// What a worker with this change is told.
    fn told(change: impl FnOnce(&mut Description)) -> String {
        let (driver, mut worker) = (described(), described());
        change(&mut worker);
        assert_ne!(driver.digest(), worker.digest());
        match driver.mismatch(&worker).expect("they differ") {
            Mismatch::Composition(difference) => difference.to_string(),
            Mismatch::Schema { name, difference } => format!("{name}: {difference}"),
        }
    }

    #[test]
    fn equal_descriptions_agree() {
        assert_eq!(described().mismatch(&described()), None);
        assert_eq!(described().digest(), described().digest());
    }

    #[test]
    fn what_a_worker_was_told_otherwise_is_no_mismatch_and_is_named() {
        let (driver, mut worker) = (described(), described());
        worker.told =
            vec![ToldPart::new("a.ping.rows", "128".into()), ToldPart::new("arguments", "x".repeat(90))];
        assert_ne!(driver.digest(), worker.digest());
        assert_eq!(driver.mismatch(&worker), None);
        let odd = driver.oddities(&worker);
        assert_eq!(odd[0], "a.ping.rows: 64 at the driver, 128 there");
        assert!(
            odd[1].starts_with("arguments: not there at the driver, xxxxx") && odd[1].len() < 130,
            "{odd:?}"
        );
        assert_ne!(ToldPart::new("a", "x".repeat(90)), ToldPart::new("a", "x".repeat(91)));
        assert_eq!(driver.oddities(&driver), <[&str; 0]>::default());
    }

    #[test]
    fn the_first_difference_is_named() {
        let rename = told(|worker| worker.fragments[1].name = "c".into());
        assert_eq!(rename, "fragment \"b\" is there at the driver, and not at this worker");
        let operator = told(|worker| worker.fragments[0].operators.push("late".into()));
        assert_eq!(operator, "operator \"a.late\" is there at this worker, and not at the driver");
        let order = told(|worker| worker.fragments.reverse());
        assert_eq!(order, "fragment \"a\" comes at the driver where \"b\" comes at this worker");
        let capacity = told(|worker| worker.connections[0].capacity = 8);
        assert_eq!(capacity, "capacity of a.ping.out>b.pong.in is 4 at the driver, and 8 at this worker");
        let codec = told(|worker| worker.connections[0].codecs.1 = "Pose".into());
        assert_eq!(
            codec,
            "codec of the input of a.ping.out>b.pong.in is any at the driver, and \"Pose\" at this worker"
        );
        let schema = told(|worker| worker.types[0].schema = "struct{x:f64}".parse().unwrap());
        assert_eq!(schema, "Pose: x: expected f32, found f64");
    }
}
