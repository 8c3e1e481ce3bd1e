//! What the prober must know of itself and its surroundings, to tell its own trouble from a
//! target's.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use url::Url;

use super::super::secret::SecretRef;
use super::{Check, CheckKind, NameServer};
use crate::model::{
    CheckId, ComponentStatus, MajorWhen, OwnTrouble, Phases, ProberPolicy, ReferencePolicy, Span,
    Threshold,
};

/// What the prober must know of itself and its surroundings.
#[derive(Clone, Debug)]
pub struct ProberPlan {
    /// How often references are asked that do not say.
    pub interval: Span,
    /// How long asking one of them may take in all.
    pub timeout: Span,
    /// What is asked to see whether our own network is well.
    pub references: Vec<Reference>,
    /// Whether references that nobody named are looked for: the gateway, the system's resolvers.
    pub find_references: bool,
    /// NTP servers, each as a check of its clock. They are references as well.
    pub ntp: Vec<Check>,
    /// How far our own clock may be off.
    pub max_clock_error: Span,
    /// How long a failure that spans several platforms at once must last to count.
    pub confirm_after: Span,
    /// Whether what is on this host's loopback leads to other hosts.
    pub loopback_leads_outside: bool,
    /// Who is asked for a name that our own resolver does not find, to tell whose trouble it is.
    pub second_resolvers: Arc<[NameServer]>,
    /// Who is told that all is well.
    pub heartbeat: Option<Heartbeat>,
}

/// Something that is asked to see whether our own network is well.
#[derive(Clone, Debug)]
pub struct Reference {
    /// How it is asked. Any answer at all will do, of whatever verdict.
    pub check: Check,
    /// Whether the user named it. One that we found ourselves counts only once it has answered.
    pub named: bool,
    /// Whether it is the resolver by which targets' names are found.
    pub resolver: bool,
}

/// The dead man's switch: whoever waits for it raises the alarm when it does not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// What is called.
    pub url: HeartbeatUrl,
    /// How often.
    pub interval: Span,
}

/// Where a heartbeat goes. Such an address is often all that it takes to forge one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeartbeatUrl {
    /// As written.
    Plain(Url),
    /// Kept as a secret.
    Secret(SecretRef),
}

/// Which trouble of our own a component stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProberCheck {
    /// These kinds of it.
    pub watch: BTreeSet<OwnTrouble>,
}

impl Default for ProberPlan {
    fn default() -> Self {
        Self {
            interval: Span::from_secs(30),
            timeout: Span::from_secs(5),
            references: Vec::new(),
            find_references: true,
            ntp: Vec::new(),
            max_clock_error: Span::from_secs(1),
            confirm_after: Span::from_secs(5),
            loopback_leads_outside: false,
            second_resolvers: Arc::default(),
            heartbeat: None,
        }
    }
}

impl ProberPlan {
    /// Every check that is run for our own sake.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.references.iter().map(|reference| &reference.check).chain(&self.ntp)
    }

    /// What the engine needs to know of it.
    pub(super) fn policy(&self) -> ProberPolicy {
        let named = self.references.iter().map(|one| {
            let policy = ReferencePolicy { named: one.named, resolver: one.resolver };
            (one.check.id.clone(), policy)
        });
        let clocks = self
            .ntp
            .iter()
            .map(|check| (check.id.clone(), ReferencePolicy { named: true, resolver: false }));
        ProberPolicy {
            references: named.chain(clocks).collect(),
            confirm_after: self.confirm_after,
            loopback_leads_outside: self.loopback_leads_outside,
        }
    }
}

impl Check {
    /// A check that is run for our own sake: nothing in it says how its answers are weighed, as
    /// only the answering counts.
    pub fn for_ourselves(
        id: CheckId,
        name: String,
        (interval, timeout): (Span, Span),
        kind: CheckKind,
    ) -> Self {
        Self {
            id,
            name,
            interval,
            timeout,
            confirm_interval: interval,
            fail_after: Threshold::in_a_row(NonZeroU32::MIN),
            degrade_after: None,
            recover_after: Threshold::in_a_row(NonZeroU32::MIN),
            slow_quantile: None,
            at_worst: ComponentStatus::MajorOutage,
            major_when: MajorWhen::All,
            makes: None,
            flapping: None,
            min_addresses: None,
            degraded_over: None,
            degraded_over_in: Phases::default(),
            resolvers: Arc::default(),
            kind,
            variants: Vec::new(),
        }
    }
}
