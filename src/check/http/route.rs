//! Where requests go and what becomes of them on the way: redirects, cookies, every hop noted.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderValue;
use url::Url;

use super::Answer;
use super::cookies::Jar;
use super::ground::{self, Ground};
use super::hop::{self, Ending, Limits, Seen};
use super::request::Request;
use crate::check::trace::{Asking, Purpose};
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
    /// Whether it is something that a page needs which is asked for.
    is_part: bool,
}

impl Trail {
    /// The trail to something that a page needs, from where `run` has come to.
    pub(super) fn of_part(run: &Run) -> Self {
        Self { told: run.phases, is_part: true, ..Self::default() }
    }

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
            let seen = self.ask(&request, cookies.as_ref(), run, trail, limits).await?;
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

    /// Sends `request` and notes what came of it.
    async fn ask(
        &self,
        request: &Request,
        cookies: Option<&HeaderValue>,
        run: &mut Run,
        trail: &mut Trail,
        limits: Limits,
    ) -> Result<Seen, Reason> {
        let notes = self.ground.notes;
        let mut entry = notes.entry(run, &trail.told, || self.asking(request, trail));
        let mut address = None;
        let seen = async {
            address = self.locate(&request.url, run).await?;
            let opening = self.ground.open(&request.url, address, run).await?;
            let encoded = request.encode(&opening, cookies);
            entry.iter_mut().for_each(|entry| entry.sends(&encoded));
            Ok(hop::talk(run, opening, encoded, limits).await)
        };
        let mut seen: Result<Seen, Reason> = seen.await;
        if let Some(entry) = entry {
            let address = address.or_else(|| ground::literal(&request.url));
            let head = seen.as_mut().ok().and_then(|seen| seen.head.take());
            let failure = seen.as_ref().map_or_else(Some, |seen| seen.ending.as_ref().err());
            entry.close(run, address, head, failure);
        }
        if let Ok(seen) = &seen {
            notes.veil.add_cookies(&seen.cookies);
            if trail.hops.is_empty() {
                trail.clock = seen.clock;
            }
        }
        trail.note(&request.url, seen.as_ref().ok().and_then(Seen::status), run);
        seen
    }

    fn asking(&self, request: &Request, trail: &Trail) -> Asking {
        Asking {
            step: trail.step.clone(),
            entry: self.address,
            purpose: if trail.is_part { Purpose::Part } else { Purpose::Answer },
            method: request.method.clone(),
            url: request.url.clone(),
        }
    }

    /// Where `url` is: at the pinned address as long as the host is the configured one, and
    /// wherever the name leads if a redirect goes elsewhere.
    async fn locate(&self, url: &Url, run: &mut Run) -> Result<Option<IpAddr>, Reason> {
        if url.host() == self.home.host() {
            Ok(self.address)
        } else if let Some(known) = self.others.get(url.host_str().unwrap_or_default()) {
            Ok(*known)
        } else {
            self.elsewhere(url, run).await
        }
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
