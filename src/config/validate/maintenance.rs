//! `[[maintenance]]`: of what, and when.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use toml::Spanned;

use super::super::mistake::{Mistake, shorten};
use super::super::plan::{Component, Maintenance};
use super::super::problem::Problems;
use super::super::raw::maintenance::RawMaintenance;
use super::super::reader::Field;
use super::super::setting::duration::Duration;
use super::super::setting::id::Id;
use super::Ids;
use super::depend::unknown_component;
use crate::model::{
    ComponentId, Cron, MaintenanceId, MaintenancePolicy, PlatformId, Recurrence, Span, When, Window,
};

/// The maintenances of a file; `None` if what it says of them is wrong. Without `components`, as
/// when these are wrong, it is not known which there are.
pub(super) fn all(
    raw: Field<Vec<Spanned<RawMaintenance>>>,
    (platform, zone): (&PlatformId, Tz),
    components: Option<&[Component]>,
    problems: &mut Problems<'_>,
) -> Option<Vec<Maintenance>> {
    let mut ids = Ids::new("maintenances");
    let each = raw.optional()?.unwrap_or_default().into_iter().map(Spanned::into_inner);
    let each = each.map(|raw| one(raw, (platform, zone), components, &mut ids, problems));
    // All of them are looked at before any is given up.
    each.collect::<Vec<_>>().into_iter().collect()
}

fn one(
    raw: RawMaintenance,
    (platform, zone): (&PlatformId, Tz),
    components: Option<&[Component]>,
    ids: &mut Ids,
    problems: &mut Problems<'_>,
) -> Option<Maintenance> {
    let id = ids.make(&raw.id, raw.name.as_ref(), problems);
    let about = about(&raw.components, platform, components, problems);
    let when = when(&raw, zone, problems);
    Some(Maintenance {
        id: MaintenanceId::of(platform, &id?),
        policy: MaintenancePolicy {
            platform: platform.clone(),
            name: raw.name?.into_inner().0,
            components: about?,
            when: when?,
            grace: raw.grace.or(Duration(Span::ZERO))?.0,
        },
    })
}

fn about(
    raw: &Field<Vec<Spanned<Id>>>,
    platform: &PlatformId,
    components: Option<&[Component]>,
    problems: &mut Problems<'_>,
) -> Option<BTreeSet<ComponentId>> {
    let all: BTreeSet<ComponentId> = components?.iter().map(|it| it.id.clone()).collect();
    match raw {
        Field::Absent => Some(all),
        Field::Wrong => None,
        Field::Given(ids) => {
            let mut about = BTreeSet::new();
            for id in ids.get_ref() {
                let component = ComponentId::of(platform, &id.get_ref().0);
                if !all.contains(&component) {
                    let known = all.iter().filter_map(|id| Some(id.as_str().split_once('/')?.1));
                    let known: Vec<&str> = known.collect();
                    problems.report(id.span(), unknown_component(&id.get_ref().0, &known));
                } else if !about.insert(component) {
                    let value = id.get_ref().0.clone();
                    problems.report(id.span(), Mistake::DuplicateValue { value });
                }
            }
            Some(about)
        }
    }
}

fn when(raw: &RawMaintenance, zone: Tz, problems: &mut Problems<'_>) -> Option<When> {
    if !matches!(raw.cron, Field::Absent) {
        return by_cron(raw, zone, problems);
    }
    let start = raw.start.clone().given()?.into_inner();
    let from = start.at(zone);
    let until = match (&raw.end, &raw.duration) {
        (Field::Given(end), _) => {
            let until = end.get_ref().at(zone);
            if until <= from {
                problems.report(end.span(), Mistake::EndsBeforeStart);
                return None;
            }
            until
        }
        (_, Field::Given(lasts)) => from + lasts.get_ref().0,
        _ => return None,
    };
    match &raw.rrule {
        Field::Absent => Some(When::Once(Window { from, until })),
        Field::Wrong => None,
        Field::Given(rule) => {
            let recurrence = Recurrence {
                first: start.local(zone),
                lasts: until.since(from).into(),
                rule: rule.get_ref().trim().to_owned(),
                time_zone: zone,
            };
            if let Err(problem) = recurrence.check() {
                let (got, reason) = (shorten(rule.get_ref()), problem.to_string());
                let help = "write it as RFC 5545 does: \"FREQ=WEEKLY;BYDAY=SU\", \"FREQ=MONTHLY;BYDAY=1SA\"";
                problems.report(rule.span(), Mistake::InvalidRecurrence { got, reason, help });
                return None;
            }
            Some(When::Recurring(recurrence))
        }
    }
}

/// When there is work by a line of a crontab: it says when, and the duration how long; what else
/// says either is refused.
fn by_cron(raw: &RawMaintenance, zone: Tz, problems: &mut Problems<'_>) -> Option<When> {
    let mut good = true;
    if let Field::Given(end) = &raw.end {
        let trouble = "is the end of one window only, and `cron` makes many";
        let help = "say how long each lasts: duration = \"2h\"";
        problems.report(end.span(), Mistake::WithoutEffect { key: "end", trouble, help });
        good = false;
    }
    if let Field::Given(rule) = &raw.rrule {
        let trouble = "and `cron` both say how it recurs";
        let help = "keep `cron`, or `rrule` with a `start`";
        problems.report(rule.span(), Mistake::WithoutEffect { key: "rrule", trouble, help });
        good = false;
    }
    let fields = raw.cron.clone().given()?;
    // How long it lasts has nothing to do with what the fields mean.
    let lasts = raw.duration.clone().given().map(|lasts| lasts.into_inner().0);
    let cron = Cron {
        fields: fields.get_ref().trim().to_owned(),
        lasts: lasts.unwrap_or(Span::from_secs(3600)),
        time_zone: zone,
    };
    if let Err(problem) = cron.check() {
        let (got, reason) = (shorten(fields.get_ref()), problem.to_string());
        let help =
            "write minute, hour, day of the month, month and day of the week: \"0 3 * * SUN\"";
        problems.report(fields.span(), Mistake::InvalidRecurrence { got, reason, help });
        return None;
    }
    (good && lasts.is_some()).then_some(When::Cron(cron))
}
