//! The file about the prober: its references and NTP servers as checks, and what it says of us.

use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::super::mistake::Mistake;
use super::super::plan::{
    Addresses, Check, CheckKind, ClockCheck, ClockLimits, ClockTarget, Heartbeat, NameServer,
    ProberPlan, Reference,
};
use super::super::problem::Problems;
use super::super::raw::check::RawCheck;
use super::super::raw::prober::{RawHeartbeat, RawProber, RawProberFile, RawReference};
use super::super::raw::tuning::RawTuning;
use super::super::reader::Field;
use super::super::setting::duration::Duration;
use super::super::setting::id::slug;
use super::super::setting::ntp::NtpServer;
use super::{Ids, Scope, check, tuning};
use crate::model::{CheckId, ComponentId, PlatformId, Span};

/// What stands in front of the ids of our own checks, where others have their platform's.
pub(in super::super) const PLATFORM: &str = "prober";

/// A majority of fewer is all of them.
const FEWEST: usize = 3;

/// How often a clock is read in a run: the quickest of a few tells most.
const SAMPLES: NonZeroU32 = NonZeroU32::MIN.saturating_add(3);

/// Weighs the settings of a file about the prober. The plan is there only if nothing was reported;
/// where the file says that it is one, even so.
pub(in super::super) fn prober(
    raw: RawProberFile,
    problems: &mut Problems<'_>,
) -> Option<(Range<usize>, Option<ProberPlan>)> {
    let prober = raw.prober?;
    let header = prober.span();
    let prober = prober.into_inner();
    let own = ProberPlan::default();
    let defaults = RawTuning {
        interval: or_ours(&prober.interval, own.interval),
        timeout: or_ours(&prober.timeout, own.timeout),
        ..RawTuning::default()
    };
    let scope = Scope {
        platform: PlatformId::new(PLATFORM),
        published_to: Vec::new(),
        resolvers: Arc::default(),
        defaults,
    };
    refuse_too_few(&prober, count(&raw.references) + count(&prober.ntp), problems);
    let references = references(raw.references, &scope, problems);
    let plan = (|| finish(prober, references?, &scope, problems))();
    Some((header, plan))
}

/// What holds for references where the file says nothing is not what holds for checks.
fn or_ours<const A: u64, const B: u64>(
    field: &Field<Duration<A, B>>,
    ours: Span,
) -> Field<Duration<A, B>> {
    match field {
        Field::Absent => Field::Given(Spanned::new(0..0, Duration(ours))),
        given @ (Field::Given(_) | Field::Wrong) => given.clone(),
    }
}

fn count<T>(list: &Field<Vec<T>>) -> usize {
    match list {
        Field::Given(list) => list.get_ref().len(),
        Field::Absent | Field::Wrong => 0,
    }
}

/// Where nothing is looked for, what is named must be able to outvote one of its own. None at all
/// is a way to say that nothing is to be told by them.
fn refuse_too_few(prober: &RawProber, count: usize, problems: &mut Problems<'_>) {
    if let Field::Given(find) = &prober.find_references
        && !find.get_ref()
        && (1..FEWEST).contains(&count)
    {
        problems.report(find.span(), Mistake::TooFewReferences { count });
    }
}

/// Every reference, all of them looked at before any is given up.
fn references(
    raw: Field<Vec<Spanned<RawReference>>>,
    scope: &Scope,
    problems: &mut Problems<'_>,
) -> Option<Vec<Reference>> {
    let parent = ComponentId::of(&scope.platform, "reference");
    let mut ids = Ids::new("references");
    let raw = raw.optional()?.unwrap_or_default();
    let checks: Vec<Option<Check>> = raw
        .into_iter()
        .map(|raw| {
            let RawReference { id, name, interval, timeout, kinds } = raw.into_inner();
            if let Field::Given(ourselves) = &kinds.prober {
                problems.report(ourselves.span(), Mistake::ReferenceToOurselves);
            }
            let tuning = RawTuning { interval, timeout, ..RawTuning::default() };
            let kinds = vec![(None, kinds)];
            let raw = RawCheck {
                id,
                name,
                tuning,
                min_addresses: Field::Absent,
                makes: Field::Absent,
                kinds,
            };
            check::check(raw, &parent, scope, &mut ids, problems)
        })
        .collect();
    let checks: Vec<Check> = checks.into_iter().collect::<Option<_>>()?;
    let named = |check| Reference { check, named: true, resolver: false };
    Some(checks.into_iter().map(named).collect())
}

fn finish(
    raw: RawProber,
    references: Vec<Reference>,
    scope: &Scope,
    problems: &mut Problems<'_>,
) -> Option<ProberPlan> {
    let plan = ProberPlan::default();
    let max_clock_error = raw.max_clock_error.or(Duration(plan.max_clock_error))?.0;
    let servers: Option<Vec<NameServer>> = raw
        .second_resolvers
        .optional()
        .map(|list| list.unwrap_or_default().into_iter().map(Spanned::into_inner).collect());
    let (interval, timeout) = (scope.defaults.interval.clone(), scope.defaults.timeout.clone());
    Some(ProberPlan {
        interval: interval.or(Duration(plan.interval))?.0,
        timeout: timeout.or(Duration(plan.timeout))?.0,
        references,
        find_references: raw.find_references.or(plan.find_references)?,
        ntp: clocks(raw.ntp, max_clock_error, scope, problems)?,
        max_clock_error,
        loopback_leads_outside: raw.loopback_leads_outside.or(false)?,
        confirm_after: raw.confirm_after.or(Duration(plan.confirm_after))?.0,
        second_resolvers: servers?.into(),
        heartbeat: match raw.heartbeat.optional()? {
            Some(heartbeat) => Some(beat(heartbeat)?),
            None => None,
        },
    })
}

fn beat(raw: RawHeartbeat) -> Option<Heartbeat> {
    let minute = Duration(Span::from_secs(60));
    Some(Heartbeat { url: raw.url?.into_inner(), interval: raw.interval.or(minute)?.0 })
}

/// Each NTP server as a check of its clock.
fn clocks(
    raw: Field<Vec<Spanned<NtpServer>>>,
    limit: Span,
    scope: &Scope,
    problems: &mut Problems<'_>,
) -> Option<Vec<Check>> {
    let parent = ComponentId::of(&scope.platform, "time");
    let tuning = tuning::settle(&RawTuning::default(), &scope.defaults, problems)?;
    let times = (tuning.interval, tuning.timeout);
    let mut ids = Ids::new("NTP servers");
    let servers = raw.optional()?.unwrap_or_default();
    let checks: Vec<Option<Check>> = servers
        .into_iter()
        .map(|server| {
            let span = server.span();
            let NtpServer { host, port } = server.get_ref().clone();
            let name = format!("NTP server {}", server.get_ref());
            let id = ids.take(slug(&server.get_ref().to_string())?, span, problems)?;
            let kind = CheckKind::Clock(Box::new(ClockCheck {
                target: ClockTarget::reference(host, port, Addresses::Any),
                samples: SAMPLES,
                limits: ClockLimits { degraded: limit, failed: limit, jump: None, drift: None },
            }));
            let id = CheckId::of(&parent, &id);
            Some(Check::for_ourselves(id, name, times, kind))
        })
        .collect();
    checks.into_iter().collect()
}
