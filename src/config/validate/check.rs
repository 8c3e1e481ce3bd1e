//! One check: its kind, its id, its tuning.

use toml::Spanned;

use super::super::mistake::Mistake;
use super::super::plan::{Check, CheckKind, TcpCheck};
use super::super::problem::Problems;
use super::super::raw::check::RawCheck;
use super::tuning::Tuning;
use super::{Ids, Scope, tuning};
use crate::model::{CheckId, ComponentId};

pub(super) fn check(
    raw: RawCheck,
    component: &ComponentId,
    scope: &Scope,
    ids: &mut Ids,
    problems: &mut Problems<'_>,
) -> Option<Check> {
    let id = ids.make(&raw.id, raw.name.as_ref(), problems);
    let tuning = tuning::settle(&raw.tuning, &scope.defaults, problems);
    // That there is exactly one the reader has seen to.
    let kinds = [
        raw.http.given().map(|http| CheckKind::Http(Box::new(http.into_inner()))),
        raw.dns.given().map(|dns| CheckKind::Dns(dns.into_inner())),
        raw.tcp.given().map(|tcp| {
            if let Some(tuning) = &tuning {
                refuse_never_slow(&tcp, tuning, problems);
            }
            CheckKind::Tcp(tcp.into_inner())
        }),
        raw.tls.given().map(|tls| CheckKind::Tls(tls.into_inner())),
    ];
    let kind = kinds.into_iter().flatten().next()?;
    let tuning = tuning?;
    Some(Check {
        id: CheckId::of(component, &id?),
        name: raw.name?.into_inner().0,
        interval: tuning.interval,
        timeout: tuning.timeout,
        confirm_interval: tuning.confirm_interval,
        fail_after: tuning.fail_after,
        recover_after: tuning.recover_after,
        at_worst: tuning.at_worst,
        degraded_over: tuning.degraded_over,
        resolvers: scope.resolvers.clone(),
        kind,
    })
}

/// A run ends at its timeout, so connecting can never take longer.
fn refuse_never_slow(tcp: &Spanned<TcpCheck>, tuning: &Tuning, problems: &mut Problems<'_>) {
    if let Some(limit) = tcp.get_ref().connect_degraded_over
        && limit >= tuning.timeout
    {
        let mistake = Mistake::Contradiction {
            small: "connect_degraded_over",
            small_value: limit.to_string(),
            relation: "less than",
            large: "timeout",
            large_value: tuning.timeout.to_string(),
            why: "a run ends at its timeout and would never be slow: lower it, or raise `timeout`",
        };
        problems.report(tcp.span(), mistake);
    }
}
