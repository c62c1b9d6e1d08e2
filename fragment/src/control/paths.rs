//! Which transport carries a connection between two workers: what each of them has, and where they are.
//!
//! Not here: opening it. Invariant: both ends have what is chosen, in one version, and it leads from one to the other.

use podwire_codec_derive::Codec;

use super::words::HostId;

/// A transport that a worker has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Codec)]
#[codec(crate = podwire_codec_core)]
pub(crate) struct Offer {
    pub name: String,
    /// Of what goes over it.
    pub version: u32,
    /// It leads to processes of the same host only.
    pub within_host: bool,
}

/// Where a worker is, and the transports that it has, best first.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub host: &'p HostId,
    pub offers: &'p [Offer],
}

impl<'p> Place<'p> {
    /// Whether a transport leads from here to there.
    pub(super) fn reaches(self, there: Place<'_>, way: &str) -> bool {
        self.offers.iter().any(|offer| offer.name == way && self.shares(there, offer))
    }

    /// The best transport that leads from here to there.
    pub(super) fn best_way(self, there: Place<'_>, forced: Option<&str>) -> Option<&'p str> {
        let wanted = self.offers.iter().filter(|offer| forced.is_none_or(|forced| forced == offer.name));
        wanted.into_iter().find(|offer| self.shares(there, offer)).map(|offer| &*offer.name)
    }

    fn shares(self, there: Place<'_>, offer: &Offer) -> bool {
        there.offers.contains(offer) && (!offer.within_host || self.host == there.host)
    }

    /// What is here, for people.
    pub(super) fn names(self) -> String {
        names(self.offers).join(", ")
    }
}

/// The names of these transports.
pub(super) fn names(offers: &[Offer]) -> Vec<String> {
    offers.iter().map(|offer| offer.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(of: &[(&str, u32, bool)]) -> Vec<Offer> {
        let offer = |(name, version, within_host): &(&str, u32, bool)| Offer {
            name: (*name).into(),
            version: *version,
            within_host: *within_host,
        };
        of.iter().map(offer).collect()
    }

    fn host(boot: &str) -> HostId {
        HostId { boot: boot.into(), ..HostId::default() }
    }

    const FASTIO: (&str, u32, bool) = ("fastio", 1, true);
    const UCX: (&str, u32, bool) = ("ucx", 1, false);
    const ZENOH: (&str, u32, bool) = ("zenoh", 1, false);

    /// The way between workers with these transports, on one host or on two.
    fn way(
        from: &[(&str, u32, bool)],
        to: &[(&str, u32, bool)],
        one_host: bool,
        forced: Option<&str>,
    ) -> Option<String> {
        let (from, to) = (offers(from), offers(to));
        let (here, there) = (host("1"), host(if one_host { "1" } else { "2" }));
        let here = Place { host: &here, offers: &from };
        here.best_way(Place { host: &there, offers: &to }, forced).map(str::to_owned)
    }

    #[test]
    fn the_best_that_both_have_and_that_leads_there_is_taken() {
        let all = [FASTIO, UCX, ZENOH];
        for (from, to, one_host, expected) in [
            (&all[..], &all[..], true, Some("fastio")),
            (&all, &all, false, Some("ucx")),
            (&all, &[FASTIO, ZENOH], false, Some("zenoh")),
            (&[FASTIO, ZENOH], &all, false, Some("zenoh")),
            (&all, &[ZENOH], true, Some("zenoh")),
            (&all, &[FASTIO], false, None),
            (&all, &[], true, None),
        ] {
            assert_eq!(way(from, to, one_host, None).as_deref(), expected, "{from:?} {to:?} {one_host}");
        }
    }

    #[test]
    fn one_that_is_forced_is_taken_or_none() {
        let all = [FASTIO, UCX, ZENOH];
        for name in ["ucx", "zenoh", "fastio"] {
            assert_eq!(way(&all, &all, true, Some(name)).as_deref(), Some(name));
        }
        assert_eq!(way(&all, &all, false, Some("fastio")), None);
        assert_eq!(way(&all, &[FASTIO, ZENOH], true, Some("ucx")), None);
    }

    #[test]
    fn two_versions_of_a_transport_are_two_transports() {
        let (new, old) = ([("mine", 2, false), ZENOH], [("mine", 1, false), ZENOH]);
        assert_eq!(way(&new, &new, true, None).as_deref(), Some("mine"));
        assert_eq!(way(&new, &old, true, None).as_deref(), Some("zenoh"));
        assert_eq!(way(&new, &old, true, Some("mine")), None);
    }
}
