//! From the health of checks to the status of a component, and to what a customer notices of it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::detect::{CheckState, Tracks};
use super::state::State;
use super::track::Track;
use crate::model::{
    CheckId, CheckPolicy, ComponentId, ComponentStatus, Health, MajorWhen, Purpose, Reason,
    Timestamp, Variant,
};

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
    /// Logging in is slow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) slow_login: bool,
    /// Something else, when logging in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) login: bool,
    /// Something else, with somebody who got in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) inside: bool,
    /// Our own, in a component that stands for ourselves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) ours: bool,
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
            slow_login: self.slow_login || other.slow_login,
            login: self.login || other.login,
            inside: self.inside || other.inside,
            ours: self.ours || other.ours,
            other: self.other || other.other,
        }
    }

    /// What `reason` says of the trouble, where a check stands for `purpose`. That credentials are
    /// not accepted is about logging in, whoever says so.
    fn of(reason: Option<&Reason>, purpose: Purpose) -> Self {
        let slow = matches!(
            reason,
            Some(Reason::Slow { .. } | Reason::SlowPhase { .. } | Reason::SlowQuantile { .. })
        );
        let clock = matches!(
            reason,
            Some(
                Reason::ClockSkew { .. }
                    | Reason::ClockJump { .. }
                    | Reason::ClockDrift { .. }
                    | Reason::RecordAhead { .. }
            )
        );
        let fewer = matches!(reason, Some(Reason::TooFewAddresses { .. }));
        let stale = matches!(reason, Some(Reason::RecordStale { .. }));
        let ours = matches!(reason, Some(Reason::OwnTrouble { .. }));
        let other = !slow && !clock && !fewer && !stale && !ours;
        let is_refused = matches!(reason, Some(Reason::CredentialsRejected { .. }));
        match purpose {
            Purpose::UseLoggedIn if !is_refused => {
                let inside = other;
                Self { slow, clock, fewer, stale, ours, inside, ..Self::default() }
            }
            Purpose::Use => Self { slow, clock, fewer, stale, ours, other, ..Self::default() },
            Purpose::LogIn | Purpose::UseLoggedIn => {
                let (slow_login, login) = (slow, other);
                Self { slow_login, login, clock, fewer, stale, ours, ..Self::default() }
            }
        }
    }
}

/// How many of several fail: some of a component's servers, or of its variants, but never which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
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
    pub(super) servers: Option<Part>,
    /// How many variants are, if that is what it is.
    pub(super) variants: Option<Part>,
    /// When the first of the bad runs began that made it so.
    pub(super) bad_since: Option<Timestamp>,
    /// Since when it is unstable, if all that makes it bad is.
    pub(super) unstable_since: Option<Timestamp>,
}

/// A check that speaks, and the status that it gives its component.
struct Speaking<'a> {
    id: &'a CheckId,
    policy: &'a CheckPolicy,
    check: &'a CheckState,
    status: ComponentStatus,
}

/// The status that one check gives its component:
///
/// 1. With no subject decided: none at all.
/// 2. As many of its variants in a major outage as `major_when` says: major outage. A check
///    without variants is as one with a single one.
/// 3. Some variant in an outage: partial outage.
/// 4. None in one, some degraded: degraded performance.
/// 5. Otherwise: operational.
/// 6. Where `makes` says what a failure makes of it, and some subject fails, it is that instead,
///    however few do.
/// 7. Whatever it is, it is no worse than `at_worst`.
pub(super) fn of_check(check: &CheckState, policy: &CheckPolicy) -> Option<ComponentStatus> {
    let decided = check.tracks().filter_map(|(_, tracks)| of_tracks(tracks, policy.major_when));
    let each: Vec<ComponentStatus> = decided.collect();
    let worst = each.iter().max()?;
    let out = each.iter().filter(|status| **status == ComponentStatus::MajorOutage).count();
    let found = if policy.major_when.is_major(out, each.len()) {
        ComponentStatus::MajorOutage
    } else {
        ComponentStatus::PartialOutage.min(*worst)
    };
    let fails = || check.speaking().any(|track| track.health() == Health::Failing);
    let found = policy.makes.filter(|_| fails()).unwrap_or(found);
    let capped = found.min(policy.at_worst);
    // "Under maintenance" stands between operational and bad, but nobody announced any.
    Some(if capped.is_bad() { capped } else { ComponentStatus::Operational })
}

/// The status of one variant, or of a check that has none:
///
/// 1. With no subject decided: none at all.
/// 2. Where addresses are decided, as many of them failing as `major_when` says: major outage.
///    Where none is, the whole failing: major outage.
/// 3. Some subject failing: partial outage.
/// 4. None failing, some degraded: degraded performance.
/// 5. Otherwise: operational.
fn of_tracks(tracks: &Tracks, major_when: MajorWhen) -> Option<ComponentStatus> {
    let healths: Vec<Health> = tracks.speaking().map(Track::health).collect();
    let any = |wanted| healths.contains(&wanted);
    let (failing, total) = tracks.failing_addresses();
    let is_major =
        if total > 0 { major_when.is_major(failing, total) } else { any(Health::Failing) };
    if healths.is_empty() {
        None
    } else if is_major {
        Some(ComponentStatus::MajorOutage)
    } else if any(Health::Failing) {
        Some(ComponentStatus::PartialOutage)
    } else if any(Health::Degraded) {
        Some(ComponentStatus::DegradedPerformance)
    } else {
        Some(ComponentStatus::Operational)
    }
}

/// How `component` is:
///
/// 1. The worst that one of its checks makes it.
/// 2. Where it has a `major_when` of its own, fewer checks than that in a major outage make it a
///    partial one, unless one of them says by `makes` that it is enough.
/// 3. While none says anything, as after a check was renamed, nothing is known.
pub(super) fn of_component(state: &State, component: &ComponentId) -> Option<Assessment> {
    let mut checks: Vec<Speaking<'_>> = state
        .policy
        .checks
        .iter()
        .filter(|(_, policy)| policy.component == *component)
        .filter_map(|(id, policy)| {
            let check = state.checks.get(id)?;
            Some(Speaking { id, policy, check, status: of_check(check, policy)? })
        })
        .collect();
    let major_when = state.policy.components.get(component).and_then(|it| it.major_when);
    if major_when.is_some_and(|when| !is_major(&checks, when)) {
        for speaking in &mut checks {
            speaking.status = speaking.status.min(ComponentStatus::PartialOutage);
        }
    }
    let worst = checks.iter().map(|speaking| speaking.status).max()?;
    if !worst.is_bad() {
        let (trouble, because, bad_since) = (Trouble::default(), None, None);
        let (servers, variants, unstable_since) = (None, None, None);
        return Some(Assessment {
            status: worst,
            because,
            trouble,
            servers,
            variants,
            bad_since,
            unstable_since,
        });
    }
    let bad = |status: ComponentStatus| {
        let checks = checks.iter().filter(move |speaking| speaking.status == status);
        checks
            .flat_map(|one| one.check.speaking().map(|track| (one.policy, track)))
            .filter(|(_, track)| track.is_bad())
    };
    let because = checks.iter().find(|speaking| speaking.status == worst);
    // Of a partial outage the failing subjects tell what it is like, not a slow one beside them.
    let tone = bad(worst).map(|(_, track)| track.health()).max();
    let telling = || bad(worst).filter(|(_, track)| Some(track.health()) == tone);
    let unstable: Option<Vec<Timestamp>> =
        telling().map(|(_, track)| track.unstable_since()).collect();
    let variants = variants(&checks, worst);
    Some(Assessment {
        status: worst,
        because: because.map(|speaking| speaking.id.clone()),
        trouble: telling()
            .map(|(policy, track)| Trouble::of(track.reason(), policy.purpose_of(track.step())))
            .fold(Trouble::default(), Trouble::and),
        servers: if variants.is_some() { None } else { servers(&checks, worst) },
        variants,
        bad_since: ComponentStatus::ALL
            .into_iter()
            .filter(|status| status.is_bad())
            .flat_map(bad)
            .filter_map(|(_, track)| track.bad_since())
            .min(),
        unstable_since: unstable.and_then(|all| all.into_iter().min()),
    })
}

/// Whether enough of a component's checks are in a major outage.
fn is_major(checks: &[Speaking<'_>], major_when: MajorWhen) -> bool {
    let out = || checks.iter().filter(|it| it.status == ComponentStatus::MajorOutage);
    let decisive = out().any(|it| it.policy.makes == Some(ComponentStatus::MajorOutage));
    decisive || major_when.is_major(out().count(), checks.len())
}

/// How many of a component's variants are in an outage, where that can be said and be right:
///
/// 1. Only a partial outage is told so.
/// 2. Every check that makes it one must do so by some of its variants, and not by all of them:
///    then it is something that they share, a server of several.
/// 3. Several checks may run for the same variants: each counts once, and fails if one check says
///    so.
fn variants(checks: &[Speaking<'_>], worst: ComponentStatus) -> Option<Part> {
    if worst != ComponentStatus::PartialOutage {
        return None;
    }
    let (mut failing, mut all) = (BTreeSet::new(), BTreeSet::new());
    for Speaking { policy, check, status, .. } in checks {
        let each: Vec<(&Variant, ComponentStatus)> = check
            .tracks()
            .filter_map(|(variant, tracks)| Some((variant?, of_tracks(tracks, policy.major_when)?)))
            .collect();
        let out = each.iter().filter(|(_, status)| *status >= ComponentStatus::PartialOutage);
        let ours: BTreeSet<&Variant> = out.map(|(variant, _)| *variant).collect();
        all.extend(each.iter().map(|(variant, _)| *variant));
        if *status == worst {
            if ours.is_empty() || ours.len() == each.len() {
                return None;
            }
            failing.extend(ours);
        }
    }
    let part = Part { failing: failing.len(), total: all.len() };
    (part.failing < part.total).then_some(part)
}

/// How many of a component's servers fail, where that can be said and be right:
///
/// 1. Only a partial outage is told so: of a major one, and of none, the words say enough.
/// 2. Every check that makes it one must do so by some of its addresses. What fails as a whole
///    is not a matter of a few servers.
/// 3. The checks, and a check's variants, may ask the same servers: each counts once, and fails if
///    one of them says so.
/// 4. Addresses of both families may be those of the same servers, so nothing is counted then.
fn servers(checks: &[Speaking<'_>], worst: ComponentStatus) -> Option<Part> {
    if worst != ComponentStatus::PartialOutage {
        return None;
    }
    let (mut failing, mut all) = (BTreeSet::new(), BTreeSet::new());
    for Speaking { check, status, .. } in checks {
        let decided = || check.tracks().flat_map(|(_, tracks)| tracks.decided_addresses());
        all.extend(decided().map(|(ip, _)| ip));
        if *status == worst {
            let ours = decided().filter(|(_, track)| track.health() == Health::Failing);
            let ours: BTreeSet<IpAddr> = ours.map(|(ip, _)| ip).collect();
            if ours.is_empty() {
                return None;
            }
            failing.extend(ours);
        }
    }
    let one_family = all.iter().all(IpAddr::is_ipv4) || all.iter().all(IpAddr::is_ipv6);
    let servers = Part { failing: failing.len(), total: all.len() };
    (one_family && servers.failing < servers.total).then_some(servers)
}

/// How many checks of `component` say that it is bad, and of how many that say anything.
pub(super) fn witnesses(state: &State, component: &ComponentId) -> (u32, u32) {
    let checks = state.policy.checks.iter().filter(|(_, policy)| policy.component == *component);
    let said = checks.filter_map(|(id, policy)| of_check(state.checks.get(id)?, policy));
    said.fold((0, 0), |(bad, all), status| (bad + u32::from(status.is_bad()), all + 1))
}

/// Whether a check that makes `component` bad ran and was heard after `at`, and its latest run says
/// so.
pub(super) fn seen_bad_after(state: &State, component: &ComponentId, at: Timestamp) -> bool {
    let checks = state.policy.checks.iter().filter(|(_, policy)| policy.component == *component);
    let mut heard = checks.filter_map(|(id, policy)| Some((state.checks.get(id)?, policy)));
    heard.any(|(check, policy)| {
        of_check(check, policy).is_some_and(ComponentStatus::is_bad)
            && check.latest_began_at().is_some_and(|began| began >= at)
            && check.conclusive_at().is_some_and(|heard| heard > at)
            && !check.is_unsettled()
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
