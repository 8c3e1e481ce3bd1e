//! What a run notes beside its findings: what must not be seen of it, and, when somebody asks, every
//! exchange that it consisted of.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Method, Request};
use url::Url;

use super::clocks::Moments;
use super::printable;
use crate::config::HttpVersion;
use crate::model::{Phases, Reason, Span, Timestamp, Variant};
use crate::net::Run;
use crate::veil::{Cover, Known, Veil};

/// What an exchange was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It is what the check is about.
    Answer,
    /// A page needs it in order to show itself.
    Part,
    /// The check needs a token first.
    Token,
}

/// One request and what became of it, without anything secret.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The step that it is part of, if the check has steps.
    pub step: Option<Arc<str>>,
    /// The variant of the check that it is part of, if there are variants.
    pub variant: Option<Variant>,
    /// The address that the check's own host was pinned to.
    pub entry: Option<IpAddr>,
    /// What it was for.
    pub purpose: Purpose,
    /// When it began.
    pub started_at: Timestamp,
    /// How long after the run's start that was.
    pub offset: Span,
    /// How long each of its phases took, as far as it came.
    pub phases: Phases,
    /// The method.
    pub method: String,
    /// The URL, without its user.
    pub url: String,
    /// The address that was asked, unless only a proxy knows.
    pub address: Option<IpAddr>,
    /// The headers that were sent, if it came to that.
    pub request_headers: Vec<(String, String)>,
    /// Whether a body was sent. Its length would tell that of a password.
    pub has_body: bool,
    /// The answer, as far as one came.
    pub answer: Option<Answered>,
    /// Where it leads, if it is a redirect.
    pub redirect: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// The names of the variables that were taken out of the answer.
    pub extracted: Vec<String>,
}

/// The head of an answer, and how long its body was.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The version of HTTP.
    pub version: HttpVersion,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// What the body is, as the answer says.
    pub mime_type: String,
    /// How many bytes of body came.
    pub body_bytes: u64,
    /// How many bytes that was without its compression, where that is known.
    pub content_bytes: Option<u64>,
}

/// What is noted of one run.
#[derive(Debug)]
pub(super) struct Notes {
    /// What must not be seen.
    pub(super) veil: Veil,
    trace: Option<Trace>,
    moments: Option<Moments>,
}

#[derive(Debug, Default)]
struct Trace {
    noted: Mutex<Vec<Noted>>,
}

/// All exchanges of a run, of every variant.
#[derive(Debug)]
pub(super) struct Told {
    began: Timestamp,
    exchanges: Mutex<Vec<Exchange>>,
}

impl Told {
    /// Of a run that begins at `began`.
    pub(super) fn from(began: Timestamp) -> Self {
        Self { began, exchanges: Mutex::default() }
    }

    /// Takes what was noted of `variant`.
    pub(super) fn take(&self, notes: Notes, variant: Option<&Variant>) {
        let cover = notes.veil.draw();
        let mut told = notes.told(&cover, self.began);
        told.iter_mut().for_each(|exchange| exchange.variant = variant.cloned());
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).extend(told);
    }

    /// All that was taken, in the order in which it began.
    pub(super) fn all(self) -> Vec<Exchange> {
        let mut all = self.exchanges.into_inner().unwrap_or_else(PoisonError::into_inner);
        all.sort_by_key(|exchange| exchange.offset);
        all
    }
}

impl Notes {
    /// Notes of a run that must not tell what is `known` to be secret; with every exchange, if it
    /// `traces`.
    pub(super) fn new(known: &Known, traces: bool) -> Self {
        Self { veil: Veil::over(known), trace: traces.then(Trace::default), moments: None }
    }

    /// Of a run whose requests may wait for a good moment to ask for the time.
    pub(super) fn waiting_for(self, moments: Moments) -> Self {
        Self { moments: Some(moments), ..self }
    }

    /// The moments to ask for the time, if requests may wait for them.
    pub(super) fn moments(&self) -> Option<&Moments> {
        self.moments.as_ref()
    }

    /// Whether exchanges are noted.
    pub(super) fn traces(&self) -> bool {
        self.trace.is_some()
    }

    /// Begins an entry, if exchanges are noted. It has all phases of `run` that come after `before`:
    /// the name of the first host may be resolved already.
    pub(super) fn entry(
        &self,
        run: &Run,
        before: &Phases,
        asking: impl FnOnce() -> Asking,
    ) -> Option<Entry<'_>> {
        let trace = self.trace.as_ref()?;
        let earlier = run.phases.since(before).total();
        let noted = Noted {
            asking: asking(),
            at: run.clock().now() - earlier.to_duration(),
            phases: *before,
            address: None,
            sent: HeaderMap::new(),
            has_body: false,
            head: None,
            failure: None,
            extracted: Vec::new(),
        };
        Some(Entry { trace, noted })
    }

    /// A variable `name` was taken out of what came last by way of `entry`.
    pub(super) fn extracted(&self, entry: Option<IpAddr>, name: &str) {
        let Some(trace) = &self.trace else { return };
        let mut noted = trace.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let last = noted
            .iter_mut()
            .rev()
            .find(|noted| noted.asking.entry == entry && noted.asking.purpose == Purpose::Answer);
        last.into_iter().for_each(|noted| noted.extracted.push(name.to_owned()));
    }

    /// Everything that was noted, in the order in which it began: all that turned out to be secret
    /// until the end of the run is hidden in all of it.
    fn told(self, cover: &Cover, began: Timestamp) -> Vec<Exchange> {
        let Some(trace) = self.trace else { return Vec::new() };
        let mut noted = trace.noted.into_inner().unwrap_or_else(PoisonError::into_inner);
        noted.sort_by_key(|noted| noted.at);
        let mut told: Vec<Exchange> = Vec::new();
        for noted in noted {
            let mut exchange = noted.told(cover, began);
            if exchange.purpose == Purpose::Part && exchange.step.is_none() {
                // What needs it came before it.
                let page = told.iter().rev().find(|page| page.entry == exchange.entry);
                exchange.step = page.and_then(|page| page.step.clone());
            }
            told.push(exchange);
        }
        told
    }
}

/// What is about to be asked for.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) step: Option<Arc<str>>,
    pub(super) entry: Option<IpAddr>,
    pub(super) purpose: Purpose,
    pub(super) method: Method,
    pub(super) url: Url,
}

/// An exchange that is being made.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    trace: &'a Trace,
    noted: Noted,
}

impl Entry<'_> {
    /// This is what is sent.
    pub(super) fn sends<B: hyper::body::Body>(&mut self, request: &Request<B>) {
        self.noted.sent = request.headers().clone();
        self.noted.has_body = !request.body().is_end_stream();
    }

    /// It has ended, at `address`, with the head of an answer, a failure, or both.
    pub(super) fn close(
        mut self,
        run: &Run,
        address: Option<IpAddr>,
        head: Option<Head>,
        failure: Option<&Reason>,
    ) {
        let Noted { phases, .. } = &mut self.noted;
        *phases = run.phases.since(phases);
        self.noted = Noted { address, head, failure: failure.cloned(), ..self.noted };
        self.trace.noted.lock().unwrap_or_else(PoisonError::into_inner).push(self.noted);
    }
}

/// The head of an answer, and what came after it.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) version: HttpVersion,
    pub(super) headers: HeaderMap,
    pub(super) body_bytes: u64,
    pub(super) content_bytes: Option<u64>,
}

#[derive(Debug)]
struct Noted {
    asking: Asking,
    at: Timestamp,
    /// While it is being made, those before it.
    phases: Phases,
    address: Option<IpAddr>,
    sent: HeaderMap,
    has_body: bool,
    head: Option<Head>,
    failure: Option<Reason>,
    extracted: Vec<String>,
}

impl Noted {
    fn told(self, cover: &Cover, began: Timestamp) -> Exchange {
        let Asking { step, entry, purpose, method, url } = self.asking;
        let redirect = self.head.as_ref().filter(|head| (300..400).contains(&head.status));
        let redirect = redirect.and_then(|head| head.headers.get(LOCATION)).map(|location| {
            let text = String::from_utf8_lossy(location.as_bytes());
            url.join(&text).map_or_else(|_| printable(&cover.hide(&text)), |url| cover.url(&url))
        });
        let hide = |headers: &HeaderMap| {
            let shown = headers
                .iter()
                .map(|(name, value)| (cover.hide(name.as_str()), cover.header(name, value)));
            shown.collect::<Vec<_>>()
        };
        Exchange {
            variant: None,
            step,
            entry,
            purpose,
            started_at: self.at,
            offset: self.at.since(began).into(),
            phases: self.phases,
            method: method.to_string(),
            url: cover.url(&url),
            address: self.address,
            request_headers: hide(&self.sent),
            has_body: self.has_body,
            redirect,
            failure: self
                .failure
                .map(|reason| printable(&cover.hide(&format!("{}: {reason}", reason.name())))),
            extracted: self.extracted,
            answer: self.head.map(|head| Answered {
                status: head.status,
                version: head.version,
                headers: hide(&head.headers),
                mime_type: head.headers.get(CONTENT_TYPE).map_or_else(String::new, |mime_type| {
                    cover.hide(&String::from_utf8_lossy(mime_type.as_bytes()))
                }),
                body_bytes: head.body_bytes,
                content_bytes: head.content_bytes,
            }),
        }
    }
}
