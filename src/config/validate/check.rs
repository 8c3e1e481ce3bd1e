//! One check: its kind, its id, its tuning.

use super::super::mistake::Mistake;
use super::super::plan::{Addresses, Check, CheckKind};
use super::super::problem::Problems;
use super::super::raw::check::{RawCheck, RawKinds};
use super::super::raw::login::{RawLogin, Times};
use super::super::reader::Field;
use super::super::setting::count::AtLeast;
use super::tuning::Tuning;
use super::{Ids, Scope, tuning};
use crate::model::{CheckId, ComponentId, ComponentStatus, MajorWhen, Span, Variant};

pub(super) fn check(
    raw: RawCheck,
    component: &ComponentId,
    scope: &Scope,
    ids: &mut Ids,
    problems: &mut Problems<'_>,
) -> Option<Check> {
    let id = ids.make(&raw.id, raw.name.as_ref(), problems);
    let tuning = tuning::settle(&raw.tuning, &scope.defaults, problems);
    let makes = makes(&raw, tuning.as_ref(), problems);
    let before = problems.count();
    let kinds: Vec<Option<(Option<Variant>, CheckKind)>> = raw
        .kinds
        .into_iter()
        .map(|(variant, kinds)| {
            let kind = kind(kinds, tuning.as_ref(), problems)?;
            // Variants can be counted whatever their addresses are.
            let counted = if variant.is_some() { &Field::Absent } else { &raw.tuning.major_when };
            refuse_counting_nothing(&kind, &raw.min_addresses, counted, problems);
            Some((variant, kind))
        })
        .collect();
    problems.forget_repeats(before);
    let kinds: Vec<(Option<Variant>, CheckKind)> = kinds.into_iter().collect::<Option<_>>()?;
    let tuning = tuning?;
    let mut check = Check {
        id: CheckId::of(component, &id?),
        name: raw.name?.into_inner().0,
        interval: tuning.interval,
        timeout: tuning.timeout,
        confirm_interval: tuning.confirm_interval,
        fail_after: tuning.thresholds.fail_after,
        degrade_after: tuning.thresholds.degrade_after,
        recover_after: tuning.thresholds.recover_after,
        at_worst: tuning.at_worst,
        major_when: tuning.major_when,
        makes: makes?,
        flapping: tuning.flapping,
        min_addresses: raw.min_addresses.optional()?.map(|least| least.0),
        degraded_over: tuning.degraded_over,
        slow_quantile: tuning.slow_quantile,
        degraded_over_in: tuning.degraded_over_in,
        resolvers: scope.resolvers.clone(),
        kind: kinds.first()?.1.clone(),
        variants: Vec::new(),
    };
    let variants = kinds.into_iter().filter_map(|(name, kind)| {
        let name = name?;
        // What is remembered from run to run under a check's id is remembered of each variant.
        let id = CheckId::new(format!("{}[{name}]", check.id));
        Some((name, Check { id, kind, ..check.clone() }))
    });
    check.variants = variants.collect();
    Some(check)
}

/// What is asked. That there is exactly one kind the reader has seen to.
fn kind(raw: RawKinds, tuning: Option<&Tuning>, problems: &mut Problems<'_>) -> Option<CheckKind> {
    let kinds = [
        raw.http.given().map(|http| CheckKind::Http(Box::new(http.into_inner().0))),
        raw.dns.given().map(|dns| CheckKind::Dns(Box::new(dns.into_inner().0))),
        raw.tcp.given().map(|tcp| CheckKind::Tcp(tcp.into_inner().0)),
        raw.tls.given().map(|tls| CheckKind::Tls(tls.into_inner().0)),
        raw.icmp.given().map(|icmp| CheckKind::Icmp(icmp.into_inner().0)),
        raw.grpc.given().map(|grpc| CheckKind::Grpc(Box::new(grpc.into_inner().0))),
        raw.websocket.given().map(|one| CheckKind::Websocket(Box::new(one.into_inner().0))),
        raw.clock.given().map(|clock| CheckKind::Clock(Box::new(clock.into_inner().0))),
        raw.login.given().map(|login| {
            let RawLogin { check, times } = login.into_inner();
            if let Some(tuning) = tuning {
                refuse_never_ending(&times, tuning, problems);
            }
            CheckKind::Login(Box::new(check))
        }),
        raw.prober.given().map(|prober| CheckKind::Prober(prober.into_inner())),
    ];
    kinds.into_iter().flatten().next()
}

/// What the check makes of its component when it fails: no worse than it may, and then there is
/// nothing left to count.
fn makes(
    raw: &RawCheck,
    tuning: Option<&Tuning>,
    problems: &mut Problems<'_>,
) -> Option<Option<ComponentStatus>> {
    let Some(makes) = raw.makes.clone().optional_spanned()? else { return Some(None) };
    let (place, status) = (makes.span(), makes.into_inner().0);
    if let Some(tuning) = tuning
        && status > tuning.at_worst
    {
        let mistake = Mistake::Contradiction {
            small: "makes",
            small_value: status.to_string(),
            relation: "no worse than",
            large: "at_worst",
            large_value: tuning.at_worst.to_string(),
            why: "it could never be that: leave one of the two out",
        };
        problems.report(place, mistake);
        return None;
    }
    if let Field::Given(when) = &raw.tuning.major_when {
        let trouble = "counts what makes a major outage, and `makes` says what any failure does";
        let help = "keep one of the two";
        let mistake = Mistake::WithoutEffect { key: "major_when", trouble, help };
        problems.report(when.span(), mistake);
        return None;
    }
    Some(Some(status))
}

/// A check's own settings about its addresses mean nothing where it has none, or asks only one.
/// Defaults are for those checks that can heed them.
fn refuse_counting_nothing(
    kind: &CheckKind,
    min_addresses: &Field<AtLeast>,
    major_when: &Field<MajorWhen>,
    problems: &mut Problems<'_>,
) {
    let addresses = kind.addresses();
    if let (Field::Given(least), None) = (min_addresses, addresses) {
        let trouble = "has no name to look them up by";
        let help = "leave it out, or give the check a name instead of an address";
        let mistake = Mistake::CountsNoAddresses { key: "min_addresses", trouble, help };
        problems.report(least.span(), mistake);
    }
    if let (Field::Given(when), None | Some(Addresses::Any)) = (major_when, addresses)
        && !when.get_ref().is_all()
    {
        let trouble = "does not ask all those of a name";
        let help = "add `addresses = \"all\"` to what is asked, or leave this out";
        let mistake = Mistake::CountsNoAddresses { key: "major_when", trouble, help };
        problems.report(when.span(), mistake);
    }
}

/// A run ends at its timeout, so no step can take longer, nor may all of the time be waited away.
fn refuse_never_ending(times: &Times, tuning: &Tuning, problems: &mut Problems<'_>) {
    let too_long = |small, value: Span, why| Mistake::Contradiction {
        small,
        small_value: value.to_string(),
        relation: "less than",
        large: "timeout",
        large_value: tuning.timeout.to_string(),
        why,
    };
    for limit in times.limits.iter().filter(|limit| *limit.get_ref() >= tuning.timeout) {
        let why = "a run ends at its timeout and the step would never be slow: lower it, or raise \
                   `timeout`";
        problems.report(limit.span(), too_long("degraded_over", *limit.get_ref(), why));
    }
    let waited = times.pauses.iter().fold(0, |sum, pause| sum + pause.get_ref().as_micros());
    if Span::from_micros(waited) >= tuning.timeout
        && let Some(last) = times.pauses.last()
    {
        let why = "the steps wait so long together that the run could never end well: lower them, \
                   or raise `timeout`";
        problems.report(last.span(), too_long("sleep", Span::from_micros(waited), why));
    }
}
