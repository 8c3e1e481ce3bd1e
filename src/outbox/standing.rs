//! How an incident stands on the page, and whose hand is seen in it: what farol did not write, a
//! person did.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{ComponentId, ComponentStatus, IncidentStatus};

use super::RemoteId;
use super::step::Step;

/// Titles up to this length are taken by every API as they are; what is longer may have been cut.
const WHOLE_TITLE: usize = 200;
/// The same of texts.
const WHOLE_TEXT: usize = 4_000;

/// An incident as a status API shows it: all that a person can change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The title.
    pub name: String,
    /// The status, in the API's word.
    pub status: String,
    /// The impact, if the API has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<String>,
    /// The components that it is about and their statuses, in the API's words and by its ids: what
    /// the configuration calls them may change.
    #[serde(default)]
    pub components: BTreeMap<String, String>,
    /// The ids that the API has for those of them that the configuration knows.
    #[serde(default)]
    pub ids: BTreeMap<ComponentId, String>,
    /// Everything that was said, by its id, as [`Standing::digest`] has it.
    #[serde(default)]
    pub updates: BTreeMap<String, String>,
    /// Somebody wrote into its mark that farol shall leave it alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

/// Why an incident is a person's and not farol's any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Foreign {
    /// Somebody said something.
    Update,
    /// A text of farol's was edited or removed.
    Edited,
    /// The title was changed.
    Renamed,
    /// The status was changed.
    Status,
    /// The impact was changed.
    Impact,
    /// The components, or the status of one, were changed.
    Components,
    /// Its mark says that farol shall leave it alone.
    Held,
    /// It was resolved.
    Resolved,
    /// It was deleted, or its mark taken off.
    Gone,
    /// Before farol could open it there was an incident of somebody else's on a component.
    Incident(RemoteId),
    /// Before farol could open it there was a maintenance on a component.
    Maintenance(RemoteId),
    /// The operator told farol to leave it alone.
    Asked,
}

impl Standing {
    /// What is remembered of a text: enough to see that it is another one. Spaces do not count,
    /// since some APIs tidy them.
    pub fn digest(text: &str) -> String {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        HEXLOWER.encode(&Sha256::digest(words)[..8])
    }

    /// What somebody did to an incident that stood like this, when it is `seen` like that.
    pub fn foreign(&self, seen: &Self) -> Option<Foreign> {
        // What it was about goes on, and is in other hands: those of a later incident of ours, too.
        let over = IncidentStatus::Resolved.as_str();
        let over = self.status == over && seen.status == over;
        let news = seen.updates.keys().any(|id| !self.updates.contains_key(id));
        self.meddled(seen)
            .or_else(|| news.then_some(Foreign::Update))
            .or_else(|| (seen.name != self.name).then_some(Foreign::Renamed))
            .or_else(|| (seen.status != self.status).then_some(Foreign::Status))
            .or_else(|| (seen.impact != self.impact).then_some(Foreign::Impact))
            .or_else(|| {
                (!over && seen.components != self.components).then_some(Foreign::Components)
            })
    }

    /// What no write of ours can have done.
    fn meddled(&self, seen: &Self) -> Option<Foreign> {
        let resolved = IncidentStatus::Resolved.as_str();
        let stands = |(id, text)| seen.updates.get(id) == Some(text);
        if seen.held {
            Some(Foreign::Held)
        } else if seen.status == resolved && self.status != resolved {
            Some(Foreign::Resolved)
        } else if !self.updates.iter().all(stands) {
            Some(Foreign::Edited)
        } else {
            None
        }
    }
}

/// What a step wrote, as far as it can be found again on the page.
#[derive(Clone, Debug)]
pub(super) struct Written {
    status: IncidentStatus,
    impact: String,
    title: String,
    text: String,
    components: BTreeMap<ComponentId, ComponentStatus>,
}

impl Written {
    /// What `step` writes where the steps up to `applied` stand.
    pub(super) fn by(step: &Step, applied: u32) -> Self {
        Self {
            status: step.status,
            impact: step.impact.as_str().to_owned(),
            title: step.title.clone(),
            text: step.body(applied),
            components: step.components.clone(),
        }
    }

    /// How an incident should be remembered that stood like `before`, was written this, and is
    /// `seen` like that; or what in it is somebody else's:
    ///
    /// 1. All that was said before is there, and at most one thing is new.
    /// 2. Status, title, impact and components are as before or as written.
    /// 3. The API's own answer to a write is believed in what it made of our words. What is seen
    ///    later must be our words.
    /// 4. A component that the API still shows as it was is remembered as it was written.
    pub(super) fn verify(
        &self,
        before: Option<&Standing>,
        seen: &Standing,
        answered: bool,
    ) -> Result<Standing, Foreign> {
        let none = Standing { status: seen.status.clone(), ..Standing::default() };
        let base = before.unwrap_or(&none);
        let resolving = self.status == IncidentStatus::Resolved;
        if let Some(foreign) = base.meddled(seen)
            && !(resolving && foreign == Foreign::Resolved)
        {
            return Err(foreign);
        }
        let mut new = seen.updates.iter().filter(|(id, _)| !base.updates.contains_key(*id));
        let first = new.next().map(|(_, text)| text);
        let ours = |text: &String| {
            answered
                || self.text.chars().count() > WHOLE_TEXT
                || *text == Standing::digest(&self.text)
        };
        if new.next().is_some() || first.is_some_and(|text| !ours(text)) {
            return Err(Foreign::Update);
        }
        if seen.status != self.status.as_str() {
            let resolved = seen.status == IncidentStatus::Resolved.as_str();
            return Err(if resolved { Foreign::Resolved } else { Foreign::Status });
        }
        let known = answered && before.is_none();
        let title = seen.name == base.name
            || seen.name == self.title
            || self.title.chars().count() > WHOLE_TITLE;
        if !title && !known {
            return Err(Foreign::Renamed);
        }
        let impact = seen.impact.as_ref();
        if !known && impact.is_some_and(|i| *i != self.impact && Some(i) != base.impact.as_ref()) {
            return Err(Foreign::Impact);
        }
        self.settled(base, seen).ok_or(Foreign::Components)
    }

    /// The standing with the components as they were written, if each is as it was or as written.
    fn settled(&self, base: &Standing, seen: &Standing) -> Option<Standing> {
        let mut standing = seen.clone();
        let ours = self.components.iter().filter_map(|(id, status)| {
            Some((seen.ids.get(id).or_else(|| base.ids.get(id))?, status.as_str()))
        });
        let ours: BTreeMap<&String, &str> = ours.collect();
        for (id, status) in &mut standing.components {
            let wanted = ours.get(id).copied();
            if wanted == Some(status.as_str()) {
                continue;
            }
            let before = base.components.get(id);
            // Nobody knows how it was before it joined: the API may lag.
            if before.is_some_and(|before| before != status)
                || (before.is_none() && wanted.is_none())
            {
                return None;
            }
            if let Some(wanted) = wanted {
                wanted.clone_into(status);
            }
        }
        // One that has left the configuration is not written any more.
        let lost = |id: &String| ours.contains_key(id) && !seen.components.contains_key(id);
        (!base.components.keys().any(lost)).then_some(standing)
    }
}

impl Foreign {
    /// The word for it, in the API and the log.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Edited => "edited",
            Self::Renamed => "renamed",
            Self::Status => "status",
            Self::Impact => "impact",
            Self::Components => "components",
            Self::Held => "held",
            Self::Resolved => "resolved",
            Self::Gone => "gone",
            Self::Incident(_) => "incident",
            Self::Maintenance(_) => "maintenance",
            Self::Asked => "asked",
        }
    }
}

/// What happened, to go on after "somebody": a line for the operator.
impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Update => f.write_str("somebody posted an update"),
            Self::Edited => f.write_str("somebody edited a text of farol's"),
            Self::Renamed => f.write_str("somebody changed the title"),
            Self::Status => f.write_str("somebody changed the status"),
            Self::Impact => f.write_str("somebody changed the impact"),
            Self::Components => f.write_str("somebody changed its components"),
            Self::Held => f.write_str("its mark asks farol to leave it alone"),
            Self::Resolved => f.write_str("somebody resolved it"),
            Self::Gone => f.write_str("somebody deleted it, or took its mark off"),
            Self::Incident(id) => write!(f, "incident {id} was there already"),
            Self::Maintenance(id) => write!(f, "maintenance {id} is under way"),
            Self::Asked => f.write_str("the operator asked for it"),
        }
    }
}
