//! From the health of checks to the status of a component, and to what a customer notices of it.

use std::collections::BTreeSet;
use std::net::IpAddr;

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
    /// There are fewer servers than there should be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) fewer: bool,
    /// What is shown is out of date.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) stale: bool,
    /// Something else.
    pub(super) other: bool,
}

impl Trouble {
    /// Both troubles together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            slow: self.slow || other.slow,
            clock: self.clock || other.clock,
            fewer: self.fewer || other.fewer,
            stale: self.stale || other.stale,
            other: self.other || other.other,
        }
    }

    fn of(reason: Option<&Reason>) -> Self {
        let slow = matches!(reason, Some(Reason::Slow { .. } | Reason::SlowPhase { .. }));
        let clock = matches!(reason, Some(Reason::ClockSkew { .. } | Reason::RecordAhead { .. }));
        let fewer = matches!(reason, Some(Reason::TooFewAddresses { .. }));
        let stale = matches!(reason, Some(Reason::RecordStale { .. }));
        let other = !slow && !clock && !fewer && !stale;
        Self { slow, clock, fewer, stale, other }
    }
}

/// How many of a component's servers fail: some of them, but never which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Servers {
    pub(super) failing: usize,
    pub(super) total: usize,
}

/// How a component is found to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Assessment {
    pub(super) status: ComponentStatus,
    /// The check that decides it, if it is bad.
    pub(super) because: Option<CheckId>,
    pub(super) trouble: Trouble,
    /// How many servers are in trouble, if that is what a partial outage is.
    pub(super) servers: Option<Servers>,
    /// When the first of the bad runs began that made it so.
    pub(super) bad_since: Option<Timestamp>,
}

/// The status that one check gives its component:
///
/// 1. With no subject decided: none at all.
/// 2. Where addresses are decided, as many of them failing as `major_when` says: major outage.
///    Where none is, the whole failing: major outage.
/// 3. Some subject failing: partial outage.
/// 4. None failing, some degraded: degraded performance.
/// 5. Otherwise: operational.
/// 6. Whatever it is, it is no worse than `at_worst`.
pub(super) fn of_check(check: &CheckState, policy: &CheckPolicy) -> Option<ComponentStatus> {
    let healths: Vec<Health> = check.speaking().map(Track::health).collect();
    let any = |wanted| healths.contains(&wanted);
    let (failing, total) = check.failing_addresses();
    let is_major =
        if total > 0 { policy.major_when.is_major(failing, total) } else { any(Health::Failing) };
    let found = if healths.is_empty() {
        return None;
    } else if is_major {
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
        let (because, servers, bad_since) = (None, None, None);
        return Some(Assessment { status: worst, because, trouble, servers, bad_since });
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
        servers: servers(&checks, worst),
        bad_since: ComponentStatus::ALL
            .into_iter()
            .filter(|status| status.is_bad())
            .flat_map(bad)
            .filter_map(Track::bad_since)
            .min(),
    })
}

/// How many of a component's servers fail, where that can be said and be right:
///
/// 1. Only a partial outage is told so: of a major one, and of none, the words say enough.
/// 2. Every check that makes it one must do so by some of its addresses. What fails as a whole
///    is not a matter of a few servers.
/// 3. The checks may ask the same servers: each counts once, and fails if one check says so.
/// 4. Addresses of both families may be those of the same servers, so nothing is counted then.
fn servers(
    checks: &[(&CheckId, &CheckState, ComponentStatus)],
    worst: ComponentStatus,
) -> Option<Servers> {
    if worst != ComponentStatus::PartialOutage {
        return None;
    }
    let (mut failing, mut all) = (BTreeSet::new(), BTreeSet::new());
    for (_, check, status) in checks {
        all.extend(check.decided_addresses().map(|(ip, _)| ip));
        if *status == worst {
            let ours = check.decided_addresses().filter(|(_, t)| t.health() == Health::Failing);
            let ours: BTreeSet<IpAddr> = ours.map(|(ip, _)| ip).collect();
            if ours.is_empty() {
                return None;
            }
            failing.extend(ours);
        }
    }
    let one_family = all.iter().all(IpAddr::is_ipv4) || all.iter().all(IpAddr::is_ipv6);
    let servers = Servers { failing: failing.len(), total: all.len() };
    (one_family && servers.failing < servers.total).then_some(servers)
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
