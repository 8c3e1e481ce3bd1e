//! One flow of one account: the steps in their order, each judged before the next is done.

use std::sync::Arc;

use super::super::http::auth::Authorization;
use super::super::http::cookies::Jar;
use super::super::http::examine::{examine, look};
use super::super::http::expect;
use super::super::http::hop::Limits;
use super::super::http::page::Page;
use super::super::http::request::Request;
use super::super::http::route::{Landed, Reach, Route, Trail};
use super::ask::Last;
use super::token::{self, Expected, Moments};
use super::vars::Vars;
use super::{extract, given};
use crate::config::{Account, Action, LoginCheck, LoginStep, TokenExpect};
use crate::model::{ClockOffset, Phase, Reason, Span, Timestamp};
use crate::net::Run;

/// What is left for the steps that are done in any case, of five parts of the time.
const EARLY_PARTS: u64 = 4;
const ALL_PARTS: u64 = 5;

/// A flow that went through.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// The first step that took longer than it should.
    pub(super) slow: Option<(Arc<str>, Span)>,
    /// What a token has told about its issuer's clock.
    pub(super) clock: Option<ClockOffset>,
}

/// Why a flow did not.
#[derive(Debug)]
pub(super) struct Ended {
    /// The step that failed, unless none was begun.
    pub(super) step: Option<Arc<str>>,
    pub(super) reason: Reason,
}

impl Ended {
    /// There was no step.
    pub(super) fn before_any(reason: Reason) -> Self {
        Self { step: None, reason }
    }
}

/// One flow, with all that comes together on its way.
pub(super) struct Flow<'a> {
    pub(super) route: Route<'a>,
    pub(super) login: &'a LoginCheck,
    pub(super) authorization: Option<&'a Authorization>,
    pub(super) vars: Vars<'a>,
    /// The last answer.
    pub(super) last: Option<Last>,
    account: Option<&'a Account>,
    jar: Jar,
    began: Timestamp,
    passed: Passed,
}

impl<'a> Flow<'a> {
    pub(super) fn new(
        route: Route<'a>,
        login: &'a LoginCheck,
        account: Option<&'a Account>,
        authorization: Option<&'a Authorization>,
        run: &Run,
    ) -> Result<Self, Reason> {
        let vars = Vars::new(route.ground.secrets, account, run.clock(), &route.ground.notes.veil)?;
        Ok(Self {
            route,
            login,
            authorization,
            vars,
            last: None,
            account,
            jar: Jar::default(),
            began: run.clock().now(),
            passed: Passed::default(),
        })
    }

    /// Does all steps.
    ///
    /// 1. After one that fails only those are done that are done always.
    /// 2. So that these have time, the others get four fifths of it.
    /// 3. The first that fails is the reason, unless it may.
    pub(super) async fn run(&mut self, run: &mut Run, trail: &mut Trail) -> Result<Passed, Ended> {
        let part = run.left().as_micros() / ALL_PARTS;
        let early = if self.login.steps.iter().any(|step| step.always) {
            run.at_most(Span::from_micros(part.saturating_mul(EARLY_PARTS)))
        } else {
            *run
        };
        let mut ended = None;
        for step in &self.login.steps {
            if ended.is_some() && !step.always {
                continue;
            }
            trail.step = Some(step.name.clone());
            let mut own = if step.always { *run } else { early };
            (own.phases, own.tls) = (run.phases, run.tls);
            let outcome = self.take(step, &mut own, trail).await;
            let took = own.phases.since(&run.phases).total();
            (run.phases, run.tls) = (own.phases, own.tls);
            match outcome {
                Ok(()) => self.note_speed(step, took),
                Err(_) if step.optional => {}
                Err(reason) => {
                    let step = Some(step.name.clone());
                    ended.get_or_insert(Ended { step, reason });
                }
            }
        }
        match ended {
            Some(ended) => Err(ended),
            None => Ok(std::mem::take(&mut self.passed)),
        }
    }

    fn note_speed(&mut self, step: &LoginStep, took: Span) {
        if step.degraded_over.is_some_and(|limit| took > limit) && !step.optional {
            self.passed.slow.get_or_insert((step.name.clone(), took));
        }
    }

    /// Does one step and judges what came of it.
    async fn take(
        &mut self,
        step: &LoginStep,
        run: &mut Run,
        trail: &mut Trail,
    ) -> Result<(), Reason> {
        let from = trail.hops.len();
        trail.given.clear();
        match &step.action {
            Action::Sleep(span) => {
                let slept = run.within_deadline(tokio::time::sleep(span.to_duration())).await;
                return slept.ok_or(Reason::Timeout { phase: Phase::Transfer });
            }
            Action::Totp(totp) => return self.vars.make_one_time(totp),
            Action::Look => {}
            Action::Get { .. } | Action::Post { .. } | Action::Submit { .. } => {
                let request = self.request(step, run, trail).await?;
                let asked = request.clone();
                let Landed { answer, url, stopped } = self.go(step, request, run, trail).await?;
                let answer = Arc::new(answer);
                self.last = Some(Last { answer, url, asked, stopped });
            }
        }
        let missing = || Reason::Body { expected: "an answer to look at".to_owned() };
        let last = self.last.clone().ok_or_else(missing)?;
        let mut hosts: Vec<&str> =
            trail.hops.get(from..).unwrap_or_default().iter().map(|hop| &*hop.host).collect();
        hosts.extend(last.stopped.then(|| last.url.host_str()).flatten());
        // Before it is judged: what it is judged by must not tell what is there to be taken.
        let taken = self.extract(step, &last, run).await;
        self.judge(step, &last, &hosts, run, trail).await?;
        self.keep(step, taken?)?;
        for expect in &step.tokens {
            self.judge_token(expect, &last, run)?;
        }
        Ok(())
    }

    /// Sends `request` and follows where it leads.
    async fn go(
        &mut self,
        step: &LoginStep,
        request: Request,
        run: &mut Run,
        trail: &mut Trail,
    ) -> Result<Landed, Reason> {
        let until = step.until.as_ref().map(|until| self.vars.fill(until)).transpose()?;
        let reach =
            Reach { most: step.max_redirects, stay_on: &step.stay_on, until: until.as_deref() };
        if matches!(step.action, Action::Submit { .. }) {
            reach.admits(&request.url)?;
        }
        let limits = Limits {
            max_body: self.login.max_body,
            // A later step may look at it.
            keep_body: true,
            follow: step.max_redirects > 0 || until.is_some(),
            first_byte: self.login.client.first_byte_timeout,
            idle: self.login.client.idle_timeout,
        };
        self.route.follow(request, &mut self.jar, run, trail, limits, reach).await
    }

    /// Judges where a step has led and what came from there.
    ///
    /// 1. An answer that does not accept the credentials is that and nothing else.
    /// 2. Redirects that strayed from their way explain whatever came.
    /// 3. A step that is to end at a redirect must have; of that only the head is known.
    /// 4. Any other answer must be as expected, its status first.
    /// 5. Then the redirects must have gone all their way,
    /// 6. and the cookies must have been given. Where the way was long, they come before the rest
    ///    of the answer: whoever comes there without them is shown another page.
    async fn judge(
        &self,
        step: &LoginStep,
        last: &Last,
        hosts: &[&str],
        run: &Run,
        trail: &Trail,
    ) -> Result<(), Reason> {
        if self.rejects(step, last, run).await? {
            let account = self.account.map(|account| account.label.to_string());
            return Err(Reason::CredentialsRejected { account: account.unwrap_or_default() });
        }
        let way = judge_way(&step.via, hosts);
        if way.is_err() && hosts.last().is_some_and(|host| strayed(host, &step.via, hosts)) {
            return way;
        }
        let cookies = given::judge(&step.cookies, &trail.given);
        if last.stopped {
            return expect::judge_head(&step.expect, &last.answer, &last.url).and(way).and(cookies);
        }
        if !self.login.client.expects(last.answer.version) {
            return Err(Reason::HttpVersion { got: last.answer.version.as_str().to_owned() });
        }
        if !step.via.is_empty() && way.is_ok() && step.expect.status.contains(last.answer.status) {
            cookies.clone()?;
        }
        let route = Route { others: &trail.known, ..self.route };
        let page = Page { route, first: &last.asked, jar: &self.jar };
        examine(&page, &step.expect, run, &last.answer, last.url.clone()).await?;
        if step.until.is_some() {
            return Err(Reason::FinalUrl { got: expect::shown(&last.url) });
        }
        way.and(cookies)
    }

    async fn rejects(&self, step: &LoginStep, last: &Last, run: &Run) -> Result<bool, Reason> {
        let Some(rejection) = step.rejected.clone().filter(|_| self.account.is_some()) else {
            return Ok(false);
        };
        let answer = last.answer.clone();
        look(run, &last.answer, move |go_on| extract::is_rejection(&rejection, &answer, go_on))
            .await
    }

    /// Takes out what later steps need, which is secret from here on.
    async fn extract(
        &self,
        step: &LoginStep,
        last: &Last,
        run: &Run,
    ) -> Result<Vec<Option<String>>, Reason> {
        let Last { answer, url, .. } = last.clone();
        let (wanted, jar) = (step.extract.clone(), self.jar.clone());
        let work =
            move |go_on: expect::GoOn<'_>| extract::extract(&wanted, &answer, &url, &jar, go_on);
        let taken = look(run, &last.answer, work).await?;
        taken.iter().flatten().for_each(|value| self.route.ground.notes.veil.add(value));
        Ok(taken)
    }

    /// Keeps what was `taken` out, and holds it against what it must be.
    fn keep(&mut self, step: &LoginStep, taken: Vec<Option<String>>) -> Result<(), Reason> {
        for (one, value) in step.extract.iter().zip(taken) {
            let missing = || Reason::ExtractMissing { name: one.name.to_string() };
            let value = value.ok_or_else(missing)?;
            self.route.ground.notes.extracted(self.route.address, &one.name);
            self.vars.set(one.name.clone(), value);
        }
        for (name, template) in &step.same {
            if self.vars.extracted(name) != Some(&self.vars.fill(template)?) {
                return Err(Reason::ExtractDiffers { name: name.to_string() });
            }
        }
        Ok(())
    }

    fn judge_token(&mut self, expect: &TokenExpect, last: &Last, run: &Run) -> Result<(), Reason> {
        let fill = |template: &Option<_>| {
            template.as_ref().map(|template| self.vars.fill(template)).transpose()
        };
        let expected = Expected {
            issuer: fill(&expect.issuer)?,
            audience: fill(&expect.audience)?,
            nonce: fill(&expect.nonce)?,
            leeway: expect.leeway,
        };
        let wall_step = run.clock().wall_step();
        let moments = Moments { began: self.began, came: last.answer.received, wall_step };
        let told = token::judge(&self.vars.fill(&expect.token)?, &expected, moments)?;
        self.passed.clock = self.passed.clock.or(told);
        Ok(())
    }
}

/// Whether `hosts`, in the order in which they were asked, pass all of `via` in its order.
fn judge_way(via: &[String], hosts: &[&str]) -> Result<(), Reason> {
    let mut asked = hosts.iter();
    if via.iter().all(|host| asked.any(|one| one == host)) {
        return Ok(());
    }
    let mut got = hosts.to_vec();
    got.dedup();
    let expected = format!("pass {}", via.join(", "));
    Err(Reason::RedirectHost { expected, got: got.join(", ") })
}

/// Whether `host`, where redirects have led, is none that they were to pass nor where they began.
fn strayed(host: &str, via: &[String], hosts: &[&str]) -> bool {
    !via.iter().any(|one| one == host) && hosts.first().is_some_and(|first| *first != host)
}

#[cfg(test)]
mod tests {
    use super::{judge_way, strayed};

    #[test]
    fn the_way_of_redirects() {
        let via = ["idp".to_owned(), "desk".to_owned()];
        for (hosts, passes, strays) in [
            (&["desk", "idp", "desk"][..], true, false),
            (&["desk", "sso", "idp", "idp", "desk", "home"], true, true),
            (&["desk", "idp"], false, false),
            (&["desk"], false, false),
            (&["desk", "evil"], false, true),
        ] {
            assert_eq!(judge_way(&via, hosts).is_ok(), passes, "{hosts:?}");
            assert_eq!(strayed(hosts.last().unwrap(), &via, hosts), strays, "{hosts:?}");
        }
        let words = judge_way(&via, &["desk", "desk", "evil"]).unwrap_err().to_string();
        assert_eq!(words, "the redirects should pass idp, desk, and went by desk, evil");
    }
}
