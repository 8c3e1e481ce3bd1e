//! Loads what a page needs in order to show itself, as a browser would: some at a time, within
//! the run's deadline, every host pinned to one address.

use std::collections::BTreeMap;
use std::net::IpAddr;

use futures_util::future::join_all;
use tokio::sync::Semaphore;
use url::Url;

use super::cookies::Jar;
use super::expect::{Part, shown};
use super::hop::Limits;
use super::request::Request;
use super::route::{Reach, Route, Trail};
use crate::model::Reason;
use crate::net::Run;

/// How many parts are loaded at a time: as many as a browser takes from one host.
const AT_A_TIME: usize = 6;

/// How large a part may be. It is read and not kept.
const LARGEST: u64 = 16 << 20;

/// How many redirects lead to a part: as many as browsers follow.
const REDIRECTS: u8 = 20;

/// A page that has come, and how its parts are asked for.
pub(in crate::check) struct Page<'a> {
    pub(in crate::check) route: Route<'a>,
    /// The request that it was come by.
    pub(in crate::check) first: &'a Request,
    /// The cookies that were given meanwhile.
    pub(in crate::check) jar: &'a Jar,
}

impl Page<'_> {
    /// Loads `parts`; the first of them, in their order, that does not load is the reason.
    ///
    /// 1. Every other host than the configured one is resolved once.
    /// 2. Each part has a connection of its own.
    /// 3. It must load with a status of success, as what it is for, before the run's deadline.
    /// 4. What is our own trouble stays it.
    pub(super) async fn load(&self, run: &Run, parts: &[Part]) -> Result<(), Reason> {
        if parts.is_empty() {
            return Ok(());
        }
        let gate = Semaphore::new(AT_A_TIME);
        let (others, lost) = self.resolve(run, parts, &gate).await;
        let page = &Page { route: Route { others: &others, ..self.route }, ..*self };
        let loads = parts.iter().map(|part| {
            let gate = &gate;
            let lost = part.url.host_str().and_then(|host| lost.get(host)).cloned();
            async move {
                let loaded = match lost {
                    Some(reason) => Err(Trouble::Load(reason)),
                    None => {
                        // Nobody closes the gate; were it closed, all would load at once.
                        let _place = gate.acquire().await;
                        page.load_part(*run, part).await
                    }
                };
                loaded.map_err(|trouble| trouble.reason(part))
            }
        });
        join_all(loads).await.into_iter().collect()
    }

    /// The addresses of all hosts but the configured one, known already or not, and why there are none.
    async fn resolve(
        &self,
        run: &Run,
        parts: &[Part],
        gate: &Semaphore,
    ) -> (BTreeMap<String, Option<IpAddr>>, BTreeMap<String, Reason>) {
        let hosts: BTreeMap<&str, &Url> = parts
            .iter()
            .filter(|part| !self.route.is_home(&part.url))
            .filter_map(|part| Some((part.url.host_str()?, &part.url)))
            .filter(|(host, _)| !self.route.others.contains_key(*host))
            .collect();
        let lookups = hosts.into_iter().map(|(host, url)| {
            let mut run = *run;
            async move {
                let _place = gate.acquire().await;
                (host, self.route.elsewhere(url, &mut run).await)
            }
        });
        let (mut found, mut lost) = (self.route.others.clone(), BTreeMap::new());
        for (host, outcome) in join_all(lookups).await {
            match outcome {
                Ok(address) => drop(found.insert(host.to_owned(), address)),
                Err(reason) => drop(lost.insert(host.to_owned(), reason)),
            }
        }
        (found, lost)
    }

    async fn load_part(&self, mut run: Run, part: &Part) -> Result<(), Trouble> {
        let request = self.first.clone().part(&part.url).map_err(Trouble::Load)?;
        let client = &self.route.ground.client;
        let limits = Limits {
            max_body: LARGEST,
            keep_body: false,
            follow: true,
            first_byte: client.first_byte_timeout,
            idle: client.idle_timeout,
        };
        let (mut jar, mut trail, reach) =
            (self.jar.clone(), Trail::of_part(&run), Reach::of(REDIRECTS));
        let landed =
            self.route.follow(request, &mut jar, &mut run, &mut trail, limits, reach).await;
        let answer = landed.map_err(Trouble::Load)?.answer;
        if !(200..300).contains(&answer.status) {
            return Err(Trouble::Load(Reason::Status { got: answer.status }));
        }
        part.kind.suits(&answer.headers).map_err(Trouble::Type)
    }
}

/// What is wrong with a part.
enum Trouble {
    /// It does not load.
    Load(Reason),
    /// It is of another type.
    Type(String),
}

impl Trouble {
    fn reason(self, part: &Part) -> Reason {
        let url = shown(&part.url);
        match self {
            Self::Load(reason) if reason.is_ours() => reason,
            Self::Load(reason) => Reason::PagePart { url, detail: reason.to_string() },
            Self::Type(got) => Reason::PagePartType { url, got },
        }
    }
}
