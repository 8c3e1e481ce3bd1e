//! One check: its kind, its id, its tuning.

use super::super::plan::{Check, CheckKind};
use super::super::problem::Problems;
use super::super::raw::check::RawCheck;
use super::super::reader::Field;
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
    let kind = match (raw.http, raw.dns, raw.tcp) {
        (Field::Given(http), Field::Absent, Field::Absent) => {
            CheckKind::Http(Box::new(http.into_inner()))
        }
        (Field::Absent, Field::Given(dns), Field::Absent) => CheckKind::Dns(dns.into_inner()),
        (Field::Absent, Field::Absent, Field::Given(tcp)) => CheckKind::Tcp(tcp.into_inner()),
        _ => return None,
    };
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
