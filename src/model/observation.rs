//! What one run of a check saw: immutable facts, with a finding for every address that was asked.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{CheckId, ClockOffset, Reason, Span, Timestamp, Vantage, Variant};

/// One run of one check from one vantage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The check that ran.
    pub check: CheckId,
    /// Where it ran from.
    pub vantage: Vantage,
    /// When the run began. With `check` and `vantage` it names the observation.
    pub started_at: Timestamp,
    /// How long the whole run took.
    pub took: Span,
    /// What was found, in the order of the subjects; never empty.
    pub findings: Vec<Finding>,
}

/// What was found out about one subject in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Which of its check's variants the finding is about, if that runs once for each of several
    /// values: what is said of a subject is said of it in this variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<Variant>,
    /// Whom the finding is about: it has a window of its own in the engine.
    pub subject: Subject,
    /// The address that was talked to, if it came to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The judgement.
    pub verdict: Verdict,
    /// Why the verdict is not a pass; `None` exactly when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// How long each phase took, as far as the run came.
    #[serde(default)]
    pub phases: Phases,
    /// What the answer tells about the target's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockOffset>,
    /// When the first certificate of the chain that was shown expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_expires_at: Option<Timestamp>,
    /// The step that the reason is about, if the check has steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Arc<str>>,
    /// Every request that was made, in order, if there was more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop>,
    /// What else the TLS handshake showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSeen>,
}

/// One request of a run that makes several: a redirect is followed, or a step is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// The step that it is part of, if the check has steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Arc<str>>,
    /// The host that was asked.
    pub host: String,
    /// The status of the answer, if one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long each of its own phases took.
    #[serde(default)]
    pub phases: Phases,
}

/// What a TLS handshake showed, as far as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSeen {
    /// The version that was agreed on, as in `TLS 1.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The cipher suite that was agreed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// When the first certificate expires of those by which the target was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_expires_at: Option<Timestamp>,
    /// Since when the target's own certificate is valid, where that is yet to come: then a clock
    /// is wrong, theirs or ours, or the certificate was put to use too early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
}

impl Finding {
    /// A finding of `subject` that passes, with nothing measured yet.
    pub fn pass(subject: Subject) -> Self {
        Self {
            variant: None,
            subject,
            address: subject.address(),
            verdict: Verdict::Pass,
            reason: None,
            phases: Phases::default(),
            clock: None,
            certificate_expires_at: None,
            step: None,
            hops: Vec::new(),
            tls: None,
        }
    }

    /// A finding of `subject` with the verdict that goes with `reason`.
    pub fn because(subject: Subject, verdict: Verdict, reason: Reason) -> Self {
        Self { verdict, reason: Some(reason), ..Self::pass(subject) }
    }
}

/// Whom a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The check as a whole: whichever address was asked, or a failure before any was known.
    Whole,
    /// One address of a check that asks them all.
    Address(IpAddr),
}

impl Subject {
    /// The address, if the subject is one.
    pub const fn address(self) -> Option<IpAddr> {
        match self {
            Self::Whole => None,
            Self::Address(address) => Some(address),
        }
    }
}

/// The judgement of a finding; the order is the order of badness, the prober's own trouble first
/// since it says nothing about the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The prober's own trouble: counts neither for nor against the target.
    Inconclusive,
    /// As expected.
    Pass,
    /// Works, but not as well as it should.
    Degraded,
    /// Does not work.
    Fail,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Inconclusive, Self::Pass, Self::Degraded, Self::Fail];

    /// The word for it, in metrics and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inconclusive => "inconclusive",
            Self::Pass => "pass",
            Self::Degraded => "degraded",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A stretch of a run that is timed by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// From name to addresses.
    Resolve,
    /// The TCP handshake.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Writing the request.
    Send,
    /// From the request written to the first byte of the answer.
    FirstByte,
    /// The rest of the answer.
    Transfer,
}

impl Phase {
    /// Every phase, in the order of a run.
    pub const ALL: [Self; 6] =
        [Self::Resolve, Self::Connect, Self::Tls, Self::Send, Self::FirstByte, Self::Transfer];

    /// The word for it, in metrics and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Send => "send",
            Self::FirstByte => "first_byte",
            Self::Transfer => "transfer",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How long each phase took. One that was not reached is absent, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolve: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connect: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tls: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    send: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_byte: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transfer: Option<Span>,
}

impl Phases {
    /// How long `phase` took, if it was reached.
    pub const fn get(&self, phase: Phase) -> Option<Span> {
        match phase {
            Phase::Resolve => self.resolve,
            Phase::Connect => self.connect,
            Phase::Tls => self.tls,
            Phase::Send => self.send,
            Phase::FirstByte => self.first_byte,
            Phase::Transfer => self.transfer,
        }
    }

    /// Adds `took` to `phase`: a run with redirects passes through a phase more than once.
    pub fn add(&mut self, phase: Phase, took: Span) {
        let slot = match phase {
            Phase::Resolve => &mut self.resolve,
            Phase::Connect => &mut self.connect,
            Phase::Tls => &mut self.tls,
            Phase::Send => &mut self.send,
            Phase::FirstByte => &mut self.first_byte,
            Phase::Transfer => &mut self.transfer,
        };
        let before = slot.unwrap_or(Span::ZERO).as_micros();
        *slot = Some(Span::from_micros(before.saturating_add(took.as_micros())));
    }

    /// What was added since there was `before`.
    pub fn since(&self, before: &Self) -> Self {
        let mut added = Self::default();
        for (phase, took) in self.iter() {
            match before.get(phase) {
                None => added.add(phase, took),
                Some(known) if took > known => {
                    let micros = took.as_micros().saturating_sub(known.as_micros());
                    added.add(phase, Span::from_micros(micros));
                }
                Some(_) => {}
            }
        }
        added
    }

    /// The phases that were reached, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Phase, Span)> + '_ {
        Phase::ALL.into_iter().filter_map(|phase| Some((phase, self.get(phase)?)))
    }

    /// All phases together: what a user would have waited.
    pub fn total(&self) -> Span {
        Span::from_micros(self.iter().map(|(_, took)| took.as_micros()).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::{Phase, Phases};
    use crate::model::Span;

    #[test]
    fn a_phase_that_was_not_reached_is_absent() {
        let mut phases = Phases::default();
        phases.add(Phase::Connect, Span::from_millis(2));
        phases.add(Phase::Connect, Span::from_millis(3));
        assert_eq!(phases.get(Phase::Connect), Some(Span::from_millis(5)));
        assert_eq!(phases.get(Phase::Tls), None);
        assert_eq!(serde_json::to_string(&phases).unwrap(), r#"{"connect":5000}"#);
    }
}
