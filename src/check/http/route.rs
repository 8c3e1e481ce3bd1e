//! Where requests go and what becomes of them on the way: redirects, cookies, every hop noted.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use url::Url;

use super::Answer;
use super::cookies::Jar;
use super::ground::{self, Ground, Opening};
use super::hop::{self, Ending, Limits};
use super::request::Request;
use crate::model::{ClockOffset, Hop, Phases, Reason};
use crate::net::Run;

/// The way to a check's host, and from there to wherever it refers.
#[derive(Clone, Copy)]
pub(super) struct Route<'a> {
    pub(super) ground: Ground<'a>,
    /// Whose host is pinned to the address.
    pub(super) home: &'a Url,
    /// The address that this host is pinned to; `None` if the proxy knows it.
    pub(super) address: Option<IpAddr>,
    /// The addresses that other hosts are pinned to.
    pub(super) others: &'a BTreeMap<String, Option<IpAddr>>,
}

/// Where redirects have led.
pub(super) struct Landed {
    pub(super) answer: Answer,
    /// The URL that it came from.
    pub(super) url: Url,
}

/// What was seen on the way, whether it led anywhere or not.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// The step that is being done, if there are steps.
    pub(super) step: Option<Arc<str>>,
    /// Every request so far.
    pub(super) hops: Vec<Hop>,
    /// What the first answer tells about its server's clock.
    pub(super) clock: Option<ClockOffset>,
    /// The phases of the hops so far.
    told: Phases,
}

impl Trail {
    /// Notes a request to `url`, which is all that `run` has done since the one before.
    fn note(&mut self, url: &Url, status: Option<u16>, run: &Run) {
        let phases = run.phases.since(&self.told);
        self.told = run.phases;
        let host = url.host_str().unwrap_or_default().to_owned();
        self.hops.push(Hop { step: self.step.clone(), host, status, phases });
    }
}

impl Route<'_> {
    /// Sends `request` and follows redirects until there is an answer. A redirect back to what was
    /// asked before would lead back for ever, unless a cookie was given meanwhile.
    pub(super) async fn follow(
        &self,
        mut request: Request,
        jar: &mut Jar,
        run: &mut Run,
        trail: &mut Trail,
        limits: Limits,
        most_redirects: u8,
    ) -> Result<Landed, Reason> {
        let mut visited = Vec::new();
        loop {
            let cookies = jar.header(&request.url);
            let place = request.place(cookies.clone());
            if visited.contains(&place) {
                return Err(Reason::RedirectLoop);
            }
            let opening = match self.open(&request, run).await {
                Ok(opening) => opening,
                Err(reason) => {
                    trail.note(&request.url, None, run);
                    return Err(reason);
                }
            };
            let encoded = request.encode(&opening, cookies.as_ref());
            let seen = hop::talk(run, opening, encoded, limits).await;
            if trail.hops.is_empty() {
                trail.clock = seen.clock;
            }
            trail.note(&request.url, seen.status(), run);
            jar.keep(&seen.cookies, &request.url);
            let redirect = match seen.ending? {
                Ending::Answer(answer) => return Ok(Landed { answer, url: request.url }),
                Ending::Redirect(redirect) => redirect,
            };
            visited.push(place);
            if visited.len() > usize::from(most_redirects) {
                return Err(Reason::RedirectLimit);
            }
            request = request.follow(&redirect)?;
        }
    }

    /// A connection for `request`: to the pinned address as long as the host is the configured
    /// one, and to wherever the name leads if a redirect goes elsewhere.
    async fn open(&self, request: &Request, run: &mut Run) -> Result<Opening, Reason> {
        let url = &request.url;
        let address = if url.host() == self.home.host() {
            self.address
        } else if let Some(known) = self.others.get(url.host_str().unwrap_or_default()) {
            *known
        } else {
            self.elsewhere(url, run).await?
        };
        self.ground.open(url, address, run).await
    }

    /// Where another host than the configured one is.
    pub(super) async fn elsewhere(
        &self,
        url: &Url,
        run: &mut Run,
    ) -> Result<Option<IpAddr>, Reason> {
        let first = self.address.or_else(|| ground::literal(self.home));
        self.ground.locate_next(url, first, run).await
    }
}
