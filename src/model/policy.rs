//! What the engine needs to know of the configuration: thresholds and names, nothing of how a
//! check is made. It is data of its own so that a replay can try another policy on old
//! observations.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::threshold::bare;
use super::{
    CheckId, ComponentId, ComponentStatus, Flapping, Impact, Language, MaintenanceId,
    MaintenancePolicy, PlatformId, QuantileLimit, Span, Threshold, Variant, Wording,
};

/// Everything that decisions are made by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// The platforms.
    pub platforms: BTreeMap<PlatformId, PlatformPolicy>,
    /// The components of all platforms.
    pub components: BTreeMap<ComponentId, ComponentPolicy>,
    /// The checks of all components.
    pub checks: BTreeMap<CheckId, CheckPolicy>,
    /// The work that is announced.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub maintenances: BTreeMap<MaintenanceId, MaintenancePolicy>,
    /// How our own trouble is told from a target's.
    #[serde(default, skip_serializing_if = "ProberPolicy::is_default")]
    pub prober: ProberPolicy,
}

impl Policy {
    /// The name by which the public is told of a component: where another one of its platform has
    /// the same, as "Login" of two groups, its group stands beside it.
    pub fn told_name(&self, id: &ComponentId) -> Option<String> {
        let component = self.components.get(id)?;
        let (platform, name) = (&component.platform, &component.name);
        let mut others = self.components.iter().filter(|(other, _)| *other != id);
        let shared = others.any(|(_, it)| (&it.platform, &it.name) == (platform, name));
        let group = component.group.as_ref().filter(|_| shared);
        Some(group.map_or_else(|| name.clone(), |group| format!("{name} ({group})")))
    }
}

/// How our own trouble is told from a target's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProberPolicy {
    /// What is asked to see whether our own network is well, by the check's id. None of them
    /// speaks for a component.
    pub references: BTreeMap<CheckId, ReferencePolicy>,
    /// How long a failure that spans several platforms at once must last to count.
    pub confirm_after: Span,
    /// Whether what is on the loopback stands for other hosts, so that our own network may be to
    /// blame for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub loopback_leads_outside: bool,
}

impl ProberPolicy {
    /// Whether it is what holds where nobody says anything.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for ProberPolicy {
    fn default() -> Self {
        let confirm_after = Span::from_secs(5);
        Self { references: BTreeMap::new(), confirm_after, loopback_leads_outside: false }
    }
}

/// What is known of a reference beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferencePolicy {
    /// Whether the user named it. One that we found ourselves counts only once it has answered.
    pub named: bool,
    /// Whether it is the resolver by which targets' names are found.
    pub resolver: bool,
}

/// How a platform's incidents are led.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlatformPolicy {
    /// The name that the public reads.
    pub name: String,
    /// The zone that public times are given in.
    pub time_zone: Tz,
    /// The language that the public reads.
    #[serde(default, skip_serializing_if = "Language::is_default")]
    pub language: Language,
    /// What is told in words of its own.
    #[serde(default, skip_serializing_if = "Wording::is_empty")]
    pub words: Wording,
    /// Components that go bad within this time of an incident's latest new component join it.
    pub group_within: Span,
    /// What follows so soon on the latest news of an incident is gathered, and told together.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub group_interval: Span,
    /// How long a component that depends on others, and goes bad before any of them, waits for
    /// them before it opens an incident.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub dependency_wait: Span,
    /// How long everything must stay well before a monitored incident is resolved.
    pub resolve_after: Span,
    /// How long after the end of a maintenance that is announced on the status page its components
    /// may take to get well.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub maintenance_grace: Span,
    /// An incident that opens so soon after one of the same component was resolved belongs to it.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub reopen_within: Span,
    /// How long an incident may go without a word; the "next update" that its texts promise.
    pub update_every: Span,
    /// The same for impacts that have a time of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub update_by_impact: BTreeMap<Impact, Span>,
    /// How many timed updates there are at most while no fact changes; without it there is no
    /// limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_unattended_updates: Option<u32>,
}

impl PlatformPolicy {
    /// How long an incident of `impact` may go without a word.
    pub fn update_every(&self, impact: Impact) -> Span {
        self.update_by_impact.get(&impact).copied().unwrap_or(self.update_every)
    }
}

/// A component's names, and what it has to do with others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentPolicy {
    /// The platform it belongs to.
    pub platform: PlatformId,
    /// The name that the public reads.
    pub name: String,
    /// The group that it stands in on the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The components of its platform that it cannot do without.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub depends_on: BTreeSet<ComponentId>,
    /// How many of its checks must be in a major outage for it to be in one; without it, one is
    /// enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major_when: Option<MajorWhen>,
}

/// How a check's observations are weighed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckPolicy {
    /// The component that it speaks for.
    pub component: ComponentId,
    /// The check's name, for the operator.
    pub name: String,
    /// What it takes to call it failing.
    pub fail_after: Threshold,
    /// What it takes to call it degraded, if that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degrade_after: Option<Threshold>,
    /// How many passes it takes to call it well again.
    #[serde(with = "bare")]
    pub recover_after: Threshold,
    /// How slow most of its runs may be together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_quantile: Option<QuantileLimit>,
    /// The worst status that this check alone can give its component.
    pub at_worst: ComponentStatus,
    /// How many of its addresses must fail to make the outage a major one, and how many of its
    /// variants.
    #[serde(default, skip_serializing_if = "MajorWhen::is_all")]
    pub major_when: MajorWhen,
    /// What its failure makes of the component, however few of its addresses fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub makes: Option<ComponentStatus>,
    /// How often a subject may change before it is held in its worse state; without it, as often
    /// as it likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flapping: Option<Flapping>,
    /// The variants that it runs for; none for a check that just runs.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub variants: BTreeSet<Variant>,
    /// What customers do that it stands for.
    #[serde(default, skip_serializing_if = "Purpose::is_use")]
    pub purpose: Purpose,
    /// The steps of a login that come after somebody is logged in. It is for what customers do then
    /// that these stand.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub steps_of_use: BTreeSet<Arc<str>>,
}

impl CheckPolicy {
    /// What it takes to call it degraded.
    pub fn degrade_after(&self) -> Threshold {
        self.degrade_after.unwrap_or(self.fail_after)
    }

    /// Whether the check asks about `variant`, or about no variant if that is none.
    pub fn asks_about(&self, variant: Option<&Variant>) -> bool {
        variant.map_or(self.variants.is_empty(), |variant| self.variants.contains(variant))
    }

    /// What customers do that `step` of the check stands for, or the check as a whole.
    pub fn purpose_of(&self, step: Option<&Arc<str>>) -> Purpose {
        let is_inside = step.is_some_and(|step| self.steps_of_use.contains(step));
        if is_inside && self.purpose == Purpose::LogIn {
            Purpose::UseLoggedIn
        } else {
            self.purpose
        }
    }
}

/// What customers do that a check stands for: what they cannot do when it fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// They use the component.
    #[default]
    Use,
    /// They log in to it.
    LogIn,
    /// They use it, and are known to have got in.
    UseLoggedIn,
}

impl Purpose {
    /// Whether it is what holds where nobody says anything.
    pub const fn is_use(&self) -> bool {
        matches!(self, Self::Use)
    }
}

/// How many of a check's addresses, or of its variants, must fail to make the outage a major one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MajorWhen {
    /// All of them.
    #[default]
    All,
    /// This part of them, in ten-thousandths.
    Share(u16),
    /// So many, or all of them if there are fewer.
    Count(NonZeroU32),
}

impl MajorWhen {
    /// Whether it is what holds where nobody says anything.
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether `failing` ones among `total` make a major outage. None never do, and all
    /// always do.
    pub fn is_major(self, failing: usize, total: usize) -> bool {
        failing > 0
            && (failing >= total
                || match self {
                    Self::All => false,
                    Self::Share(share) => {
                        failing.saturating_mul(10_000) >= total.saturating_mul(usize::from(share))
                    }
                    Self::Count(count) => {
                        usize::try_from(count.get()).is_ok_and(|count| failing >= count)
                    }
                })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::MajorWhen;

    #[test]
    fn a_share_is_reached_and_not_rounded_to() {
        let count = |n| MajorWhen::Count(NonZeroU32::new(n).unwrap());
        // How many of 1, 2, 3, 4 and 5 addresses make it major.
        let cases = [
            (MajorWhen::All, [1, 2, 3, 4, 5]),
            (MajorWhen::Share(10_000), [1, 2, 3, 4, 5]),
            (MajorWhen::Share(5_000), [1, 1, 2, 2, 3]),
            (MajorWhen::Share(3_333), [1, 1, 1, 2, 2]),
            (MajorWhen::Share(1), [1, 1, 1, 1, 1]),
            (count(1), [1, 1, 1, 1, 1]),
            (count(2), [1, 2, 2, 2, 2]),
            (count(9), [1, 2, 3, 4, 5]),
        ];
        for (when, least) in cases {
            for (total, least) in (1..).zip(least) {
                let major: Vec<bool> =
                    (0..=total).map(|failing| when.is_major(failing, total)).collect();
                let expected: Vec<bool> = (0..=total).map(|failing| failing >= least).collect();
                assert_eq!(major, expected, "{when:?} of {total}");
            }
        }
    }

    #[test]
    fn old_platforms_and_components_are_read_as_they_were_meant_and_written_as_they_were() {
        let old = r#"{"name":"Blip","time_zone":"UTC","group_within":600000000,"resolve_after":300000000,"update_every":1800000000}"#;
        let platform: super::PlatformPolicy = serde_json::from_str(old).unwrap();
        assert!(platform.dependency_wait.is_zero() && platform.reopen_within.is_zero());
        assert_eq!(platform.max_unattended_updates, None);
        assert_eq!(platform.update_every(crate::model::Impact::Critical), platform.update_every);
        assert_eq!(serde_json::to_string(&platform).unwrap(), old);
        let old = r#"{"platform":"blip","name":"Desk"}"#;
        let component: super::ComponentPolicy = serde_json::from_str(old).unwrap();
        assert!(component.depends_on.is_empty() && component.group.is_none());
        assert_eq!(serde_json::to_string(&component).unwrap(), old);
        let old: super::Policy =
            serde_json::from_str(r#"{"platforms":{},"components":{},"checks":{}}"#).unwrap();
        assert!(old.maintenances.is_empty());
        let old = r#"{"references":{},"confirm_after":5000000}"#;
        let prober: super::ProberPolicy = serde_json::from_str(old).unwrap();
        assert!(prober.is_default());
        assert_eq!(serde_json::to_string(&prober).unwrap(), old);
    }

    #[test]
    fn an_old_platform_speaks_english_and_is_written_as_it_was() {
        let old = r#"{"name":"Blip","time_zone":"UTC","group_within":1,"resolve_after":1,"update_every":1}"#;
        let mut policy: super::PlatformPolicy = serde_json::from_str(old).unwrap();
        assert_eq!(policy.language, super::Language::English);
        assert_eq!(serde_json::to_string(&policy).unwrap(), old);
        policy.language = super::Language::Portuguese;
        let new = serde_json::to_string(&policy).unwrap();
        assert!(new.contains(r#""language":"pt""#), "{new}");
        assert_eq!(serde_json::from_str::<super::PlatformPolicy>(&new).unwrap(), policy);
    }

    #[test]
    fn an_old_policy_means_all_of_them_and_is_written_as_it_was() {
        let old = r#"{"component":"blip/desk","name":"Desk answers","fail_after":{"count":2,"of":2},"recover_after":2,"at_worst":"major_outage"}"#;
        let policy: super::CheckPolicy = serde_json::from_str(old).unwrap();
        assert_eq!(policy.major_when, MajorWhen::All);
        assert!(policy.variants.is_empty() && policy.asks_about(None));
        assert_eq!(policy.purpose, super::Purpose::Use);
        assert_eq!(policy.degrade_after(), policy.fail_after);
        assert_eq!(serde_json::to_string(&policy).unwrap(), old);
    }
}
