//! Policies of every kind, for the properties to hold under.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::detection::thresholds;
use super::super::quantiles::limits;
use super::super::{at, check, component, policy, tenant_of, times};
use super::{NAMES, SECRET, TENANTS};
use crate::model::{
    CheckPolicy, ComponentStatus, Cron, Flapping, Impact, MaintenanceId, MaintenancePolicy,
    MajorWhen, PlatformId, Policy, Purpose, Recurrence, Span, When, Window,
};

/// A check of some component's, by rules of its own.
fn tuned() -> impl Strategy<Value = CheckPolicy> {
    let cap = prop_oneof![
        4 => Just(ComponentStatus::MajorOutage),
        1 => Just(ComponentStatus::DegradedPerformance),
        1 => Just(ComponentStatus::Operational),
    ];
    let major_when = prop_oneof![
        2 => Just(MajorWhen::All),
        1 => (1_u16..=10_000).prop_map(MajorWhen::Share),
        1 => (1_u32..4).prop_map(|count| MajorWhen::Count(times(count))),
    ];
    let login = prop_oneof![
        2 => Just(Purpose::Use),
        1 => Just(Purpose::LogIn),
        1 => Just(Purpose::UseLoggedIn),
    ];
    let makes = prop_oneof![
        3 => Just(None),
        1 => prop::sample::select(&ComponentStatus::ALL[2..]).prop_map(Some),
    ];
    let changes = prop_oneof![Just(None), (1_u32..5, 60_u64..480).prop_map(Some)];
    let weights = [(); 3].map(|()| thresholds(120));
    let tuning =
        (weights, any::<bool>(), (cap, makes, changes), major_when, any::<bool>(), login, limits());
    tuning.prop_map(|(weights, differs, says, major_when, varies, purpose, slow)| {
        let (at_worst, makes, changes) = says;
        let limit = |(changes, within)| Flapping {
            changes: times(changes),
            within: Span::from_secs(within),
        };
        CheckPolicy {
            name: SECRET.to_owned(),
            fail_after: weights[0],
            degrade_after: differs.then_some(weights[1]),
            recover_after: weights[2],
            slow_quantile: slow,
            flapping: changes.map(limit),
            at_worst,
            makes,
            major_when,
            purpose,
            variants: if varies { TENANTS.map(tenant_of).into() } else { BTreeSet::new() },
            ..policy(&["Desk"]).checks[&check("desk")].clone()
        }
    })
}

pub(super) fn policies() -> impl Strategy<Value = Policy> {
    let checks = prop::collection::vec(tuned(), NAMES.len());
    let dependence = prop_oneof![1 => Just(BTreeSet::new()), 2 => dependence()];
    let waits = prop_oneof![2 => Just(0), 1 => 1_u64..60];
    let reopen = prop_oneof![Just(0), 1_u64..7200];
    let most = prop_oneof![1 => Just(None), 3 => (0_u32..4).prop_map(Some)];
    let by_impact = prop::collection::btree_map(
        prop::sample::select(&Impact::ALL[1..]),
        (30_u64..900).prop_map(Span::from_secs),
        0..=3,
    );
    let maintenances = prop::collection::vec(maintenance(), 0..3);
    let interval = prop_oneof![1 => Just(0), 2 => 1_u64..40];
    let cadence = (30_u64..900, by_impact, most);
    let periods = ((0_u64..600, interval), 0_u64..900, cadence, waits, reopen, 0_u64..200);
    (checks, dependence, maintenances, periods).prop_map(|(checks, dependence, work, periods)| {
        let mut policy = policy(&NAMES);
        for (n, maintenance) in work.into_iter().enumerate() {
            policy.maintenances.insert(MaintenanceId::new(format!("blip/{n}")), maintenance);
        }
        let ((group, interval), resolve, (update, by_impact, most), wait, reopen, grace) = periods;
        for (who, whom) in dependence {
            let id = |n: usize| component(&NAMES[n].to_lowercase());
            let component = policy.components.get_mut(&id(who)).unwrap();
            component.depends_on.insert(id(whom));
        }
        for (check, tuned) in policy.checks.values_mut().zip(checks) {
            *check = CheckPolicy { component: check.component.clone(), ..tuned };
        }
        for platform in policy.platforms.values_mut() {
            platform.group_within = Span::from_secs(group);
            platform.group_interval = Span::from_secs(interval);
            platform.maintenance_grace = Span::from_secs(grace.saturating_sub(100));
            platform.reopen_within = Span::from_secs(reopen);
            platform.dependency_wait = Span::from_secs(wait);
            platform.resolve_after = Span::from_secs(resolve);
            platform.update_every = Span::from_secs(update);
            platform.update_by_impact = by_impact.clone();
            platform.max_unattended_updates = most;
        }
        policy
    })
}

/// What depends on what, without circles: later ones on earlier ones.
fn dependence() -> impl Strategy<Value = BTreeSet<(usize, usize)>> {
    let all = (0..NAMES.len()).flat_map(|who| (0..who).map(move |whom| (who, whom)));
    prop::sample::subsequence(all.collect::<Vec<_>>(), 1..=4).prop_map(BTreeSet::from_iter)
}

/// Work on some components, once or every day.
fn maintenance() -> impl Strategy<Value = MaintenancePolicy> {
    let components = prop::sample::subsequence(&NAMES, 1..=NAMES.len());
    let times = (0_i64..4000, 1_u64..4000, 0..3, 0_u64..200);
    (components, times).prop_map(|(names, (from, lasts, kind, grace))| {
        let recurrence = || Recurrence {
            first: at(from - 86_400).to_utc().naive_utc(),
            lasts: Span::from_secs(lasts),
            rule: "FREQ=DAILY".to_owned(),
            time_zone: chrono_tz::Tz::UTC,
        };
        let crontab = || Cron {
            fields: format!("{} * * * *", from / 60 % 60),
            lasts: Span::from_secs(lasts),
            time_zone: chrono_tz::Tz::UTC,
        };
        let window = Window { from: at(from), until: at(from) + Span::from_secs(lasts) };
        MaintenancePolicy {
            platform: PlatformId::new("blip"),
            name: SECRET.to_owned(),
            components: names.iter().map(|name| component(&name.to_lowercase())).collect(),
            when: match kind {
                0 => When::Once(window),
                1 => When::Recurring(recurrence()),
                _ => When::Cron(crontab()),
            },
            grace: Span::from_secs(grace),
        }
    })
}
