//! Opening the transports that a worker's connections take.
//!
//! Not here: which ones these are, which the driver's plan says. Invariant: a transport that no connection takes is not
//! opened, so that it listens nowhere.

use std::{collections::BTreeMap, sync::Arc};

use podwire_fastio::{FastIoContext, PipelineOptions};
use zenoh::Session;

use super::{directory::ZenohDirectory, keys::Keys, paths::Offer, words::Plan};
use crate::transport::{FastIoTransport, Run, Transport, Transports, ZenohTransport};

/// The transports of a process as others are told of them; of these only the one that is forced, if one is.
pub(super) fn offers(transports: &Transports, forced: Option<&str>) -> Vec<Offer> {
    let all = transports.all().filter(|(name, ..)| forced.is_none_or(|forced| forced == *name));
    all.map(|(name, version, within_host)| Offer { name: name.into(), version, within_host }).collect()
}

/// What a worker opens transports with.
pub(super) struct Links {
    pub(super) session: Session,
    pub(super) keys: Keys,
    pub(super) worker: String,
    #[cfg(feature = "ucx")]
    pub(super) ucx: crate::transport::UcxOptions,
    /// The transport that was forced here.
    #[cfg(feature = "ucx")]
    pub(super) forced: Option<String>,
    pub(super) transports: Transports,
}

/// The transports of a plan, by name.
#[derive(Default)]
pub(super) struct Opened {
    by_name: BTreeMap<String, Arc<dyn Transport>>,
    /// The shared memory of the application, if a connection takes it.
    pub(super) memory: Option<FastIoContext>,
}

impl Links {
    /// Opens what the connections of a plan take.
    pub(super) fn open(&self, plan: &Plan) -> crate::Result<Opened> {
        let (mut opened, mut directory) = (Opened::default(), None);
        for name in plan.transports.iter().filter(|name| !["", "local"].contains(&&***name)) {
            if opened.by_name.contains_key(name) {
                continue;
            }
            let transport: Arc<dyn Transport> = match name.as_str() {
                "fastio" => {
                    let context =
                        FastIoContext::open_with(&plan.run, PipelineOptions::new().ephemeral(true))?;
                    opened.memory = Some(context.clone());
                    Arc::new(FastIoTransport::new(context).kept())
                }
                "zenoh" => Arc::new(ZenohTransport::new(self.session.clone(), &self.keys.links(&plan.run))?),
                _ => {
                    let run = match &directory {
                        Some(run) => run,
                        None => directory.insert(self.run(plan)?),
                    };
                    self.open_by_address(name, run, plan.forced)?
                }
            };
            opened.by_name.insert(name.clone(), transport);
        }
        Ok(opened)
    }

    #[cfg(feature = "ucx")]
    fn open_by_address(&self, name: &str, run: &Run, forced: bool) -> crate::Result<Arc<dyn Transport>> {
        use super::detour::ZenohDetour;
        use crate::transport::UcxTransport;

        if name == "ucx" {
            let mut options = self.ucx.clone().lasting();
            if !forced && self.forced.is_none() {
                let detour = ZenohDetour::new(self.session.clone(), self.keys.clone(), run.name());
                options = options.detour(Arc::new(detour));
            }
            return Ok(Arc::new(UcxTransport::open(&options, Arc::clone(run.directory()))?));
        }
        self.open_added(name, run)
    }

    #[cfg(not(feature = "ucx"))]
    fn open_by_address(&self, name: &str, run: &Run, _: bool) -> crate::Result<Arc<dyn Transport>> {
        self.open_added(name, run)
    }

    fn open_added(&self, name: &str, run: &Run) -> crate::Result<Arc<dyn Transport>> {
        self.transports.open(name, run).ok_or_else(|| format!("there is no transport {name:?} here"))?
    }

    fn run(&self, plan: &Plan) -> crate::Result<Run> {
        let directory = ZenohDirectory::open(self.session.clone(), self.keys.clone(), &plan.run)?;
        Ok(Run {
            application: self.keys.application().to_owned(),
            name: plan.run.clone(),
            worker: self.worker.clone(),
            directory: Arc::new(directory),
        })
    }
}

impl Opened {
    /// The one that a plan names; none where it stays within the process.
    pub(super) fn get(&self, name: &str) -> Option<Arc<dyn Transport>> {
        self.by_name.get(name).cloned()
    }
}
