//! From the health of checks to the status of a component, and to what a customer notices of it.

use serde::{Deserialize, Serialize};

use super::detect::{CheckState, Track};
use super::state::State;
use crate::model::{CheckId, CheckPolicy, ComponentId, ComponentStatus, Health, Reason, Timestamp};

/// What the decided reasons say of the trouble, as far as a customer could notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trouble {
    /// It is slow.
    pub(super) slow: bool,
    /// A clock is wrong.
    pub(super) clock: bool,
    /// Something else.
    pub(super) other: bool,
}

impl Trouble {
    /// Both troubles together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            slow: self.slow || other.slow,
            clock: self.clock || other.clock,
            other: self.other || other.other,
        }
    }

    fn of(reason: Option<&Reason>) -> Self {
        let slow = matches!(reason, Some(Reason::Slow { .. } | Reason::ConnectSlow { .. }));
        let clock = matches!(reason, Some(Reason::ClockSkew { .. }));
        Self { slow, clock, other: !slow && !clock }
    }
}

/// How a component is found to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Assessment {
    pub(super) status: ComponentStatus,
    /// The check that decides it, if it is bad.
    pub(super) because: Option<CheckId>,
    pub(super) trouble: Trouble,
    /// When the first of the bad runs began that made it so.
    pub(super) bad_since: Option<Timestamp>,
}

/// The status that one check gives its component:
///
/// 1. With no subject decided: none at all.
/// 2. All subjects failing: major outage.
/// 3. Some failing: partial outage.
/// 4. None failing, some degraded: degraded performance.
/// 5. Otherwise: operational.
/// 6. Whatever it is, it is no worse than `at_worst`.
pub(super) fn of_check(check: &CheckState, policy: &CheckPolicy) -> Option<ComponentStatus> {
    let healths: Vec<Health> = check.speaking().map(Track::health).collect();
    let any = |wanted| healths.contains(&wanted);
    let found = if healths.is_empty() {
        return None;
    } else if healths.iter().all(|health| *health == Health::Failing) {
        ComponentStatus::MajorOutage
    } else if any(Health::Failing) {
        ComponentStatus::PartialOutage
    } else if any(Health::Degraded) {
        ComponentStatus::DegradedPerformance
    } else {
        ComponentStatus::Operational
    };
    let capped = found.min(policy.at_worst);
    // "Under maintenance" stands between operational and bad, but nobody announced any.
    Some(if capped.is_bad() { capped } else { ComponentStatus::Operational })
}

/// How `component` is: the worst that one of its checks makes it. While none says anything, as
/// after a check was renamed, nothing is known.
pub(super) fn of_component(state: &State, component: &ComponentId) -> Option<Assessment> {
    let checks: Vec<(&CheckId, &CheckState, ComponentStatus)> = state
        .policy
        .checks
        .iter()
        .filter(|(_, policy)| policy.component == *component)
        .filter_map(|(id, policy)| {
            let check = state.checks.get(id)?;
            Some((id, check, of_check(check, policy)?))
        })
        .collect();
    let worst = checks.iter().map(|(_, _, status)| *status).max()?;
    if !worst.is_bad() {
        let trouble = Trouble::default();
        return Some(Assessment { status: worst, because: None, trouble, bad_since: None });
    }
    let bad = |status: ComponentStatus| {
        let tracks = checks.iter().filter(move |(_, _, s)| *s == status);
        tracks.flat_map(|(_, check, _)| check.speaking()).filter(|track| track.is_bad())
    };
    let because = checks.iter().find(|(_, _, status)| *status == worst);
    // Of a partial outage the failing subjects tell what it is like, not a slow one beside them.
    let tone = bad(worst).map(Track::health).max();
    Some(Assessment {
        status: worst,
        because: because.map(|(id, _, _)| (*id).clone()),
        trouble: bad(worst)
            .filter(|track| Some(track.health()) == tone)
            .map(|track| Trouble::of(track.reason()))
            .fold(Trouble::default(), Trouble::and),
        bad_since: ComponentStatus::ALL
            .into_iter()
            .filter(|status| status.is_bad())
            .flat_map(bad)
            .filter_map(Track::bad_since)
            .min(),
    })
}

/// When `component` was last seen to be bad: for the bad check that was heard least recently.
pub(super) fn heard_at(state: &State, component: &ComponentId) -> Option<Timestamp> {
    let checks = state.policy.checks.iter().filter(|(_, policy)| policy.component == *component);
    checks
        .filter_map(|(id, policy)| {
            let check = state.checks.get(id)?;
            of_check(check, policy)?.is_bad().then_some(check.conclusive_at()?)
        })
        .min()
}
