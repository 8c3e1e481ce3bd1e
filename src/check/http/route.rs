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
pub(in crate::check) struct Route<'a> {
    pub(in crate::check) ground: Ground<'a>,
    /// Whose host is pinned to the address.
    pub(in crate::check) home: &'a Url,
    /// The address that this host is pinned to; `None` if the proxy knows it.
    pub(in crate::check) address: Option<IpAddr>,
    /// The addresses that other hosts are pinned to.
    pub(in crate::check) others: &'a BTreeMap<String, Option<IpAddr>>,
}

/// How far redirects are followed.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) struct Reach<'a> {
    /// So many of them.
    pub(in crate::check) most: u8,
    /// Only to these hosts; to any if there are none.
    pub(in crate::check) stay_on: &'a [String],
    /// Only up to a URL that begins so, which is not asked for.
    pub(in crate::check) until: Option<&'a str>,
}

impl Reach<'_> {
    /// Anywhere, but for `most` redirects only.
    pub(in crate::check) const fn of(most: u8) -> Self {
        Self { most, stay_on: &[], until: None }
    }

    /// Whether requests may go to `url`.
    pub(in crate::check) fn admits(&self, url: &Url) -> Result<(), Reason> {
        let host = url.host_str().unwrap_or_default();
        if self.stay_on.is_empty() || self.stay_on.iter().any(|one| one == host) {
            return Ok(());
        }
        let expected = format!("stay on {}", self.stay_on.join(", "));
        Err(Reason::RedirectHost { expected, got: host.to_owned() })
    }

    fn ends_at(&self, url: &Url) -> bool {
        self.until.is_some_and(|start| url.as_str().starts_with(start))
    }
}

/// Where redirects have led.
#[derive(Debug)]
pub(in crate::check) struct Landed {
    /// What came; of a redirect that is not followed, its head.
    pub(in crate::check) answer: Answer,
    /// The URL that it came from, or that such a redirect points to.
    pub(in crate::check) url: Url,
    /// Whether it is such a redirect.
    pub(in crate::check) stopped: bool,
}

/// What was seen on the way, whether it led anywhere or not.
#[derive(Debug, Default)]
pub(in crate::check) struct Trail {
    /// The step that is being done, if there are steps.
    pub(in crate::check) step: Option<Arc<str>>,
    /// Every request so far.
    pub(in crate::check) hops: Vec<Hop>,
    /// The cookies that were given in the step, as they were written.
    pub(in crate::check) given: Vec<HeaderValue>,
    /// What the first answer of the configured host tells about its clock.
    pub(in crate::check) clock: Option<ClockOffset>,
    /// Where other hosts than that are: each is looked up once.
    pub(in crate::check) known: BTreeMap<String, Option<IpAddr>>,
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
    pub(in crate::check) async fn follow(
        &self,
        mut request: Request,
        jar: &mut Jar,
        run: &mut Run,
        trail: &mut Trail,
        limits: Limits,
        reach: Reach<'_>,
    ) -> Result<Landed, Reason> {
        let mut visited = Vec::new();
        loop {
            let cookies = jar.header(&request.url, request.crossing());
            let place = request.place(cookies.clone());
            if visited.contains(&place) {
                return Err(Reason::RedirectLoop);
            }
            let seen = self.ask(&request, cookies.as_ref(), run, trail, limits).await?;
            jar.keep(&seen.cookies, &request.url);
            // Of a check without steps nobody asks how they were written.
            if trail.step.is_some() {
                trail.given.extend(seen.cookies);
            }
            let (redirect, head) = match seen.ending? {
                Ending::Answer(answer) => {
                    return Ok(Landed { answer, url: request.url, stopped: false });
                }
                Ending::Redirect(redirect, head) => (redirect, head),
            };
            if let Some(url) = request.pointed(&redirect).filter(|url| reach.ends_at(url)) {
                return Ok(Landed { answer: head, url, stopped: true });
            }
            visited.push(place);
            if visited.len() > usize::from(reach.most) {
                return Err(Reason::RedirectLimit);
            }
            request = request.follow(&redirect)?;
            reach.admits(&request.url)?;
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
            address = self.locate(&request.url, run, trail).await?;
            let opening = self.ground.open(&request.url, address, run).await?;
            if self.tells_the_time(request, trail)
                && let Some(wait) = notes.moments().and_then(|it| it.wait(address, run.left()))
            {
                run.pause(wait).await;
            }
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
            if self.tells_the_time(request, trail) {
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
    async fn locate(
        &self,
        url: &Url,
        run: &mut Run,
        trail: &mut Trail,
    ) -> Result<Option<IpAddr>, Reason> {
        let host = url.host_str().unwrap_or_default();
        let known = self.others.get(host).or_else(|| trail.known.get(host));
        if self.is_home(url) {
            Ok(self.address)
        } else if let Some(known) = known {
            Ok(*known)
        } else {
            let found = self.elsewhere(url, run).await?;
            trail.known.insert(host.to_owned(), found);
            Ok(found)
        }
    }

    /// Whether `url` is of the configured host.
    pub(in crate::check) fn is_home(&self, url: &Url) -> bool {
        url.host() == self.home.host()
    }

    /// Whether it is the answer to `request` that tells of the clock: the first of the configured
    /// host.
    fn tells_the_time(&self, request: &Request, trail: &Trail) -> bool {
        let is_first = !trail.hops.iter().any(|hop| self.is_of_home(hop));
        is_first && !trail.is_part && self.is_home(&request.url)
    }

    fn is_of_home(&self, hop: &Hop) -> bool {
        self.home.host_str() == Some(&hop.host)
    }

    /// Where another host than the configured one is.
    pub(in crate::check) async fn elsewhere(
        &self,
        url: &Url,
        run: &mut Run,
    ) -> Result<Option<IpAddr>, Reason> {
        let first = self.address.or_else(|| ground::literal(self.home));
        self.ground.locate_next(url, first, run).await
    }
}
