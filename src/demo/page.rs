//! Looking at the status page as the public does: the summary by its API, and the page itself.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use url::Url;

use super::judge::{IncidentSeen, Look, UpdateSeen};
use crate::clock::Clock;
use crate::config::{self, Platform};
use crate::model::{ComponentStatus, Impact, IncidentStatus, Timestamp};

/// How often what people read is asked again because it changed in between.
const TRIES: usize = 5;

/// What the status page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageView {
    /// The banner: `All Systems Operational`.
    pub banner: String,
    /// What is shown of components and incidents.
    pub look: Look,
}

#[derive(Deserialize)]
struct Summary {
    page: Page,
    status: Banner,
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Page {
    id: String,
}

#[derive(Deserialize)]
struct Banner {
    description: String,
}

#[derive(Deserialize)]
struct Component {
    id: String,
    name: String,
    status: ComponentStatus,
    group_id: Option<String>,
    #[serde(default)]
    group: bool,
}

#[derive(Deserialize)]
struct Incidents {
    incidents: Vec<Incident>,
}

#[derive(Deserialize)]
struct Incident {
    id: String,
    name: String,
    status: IncidentStatus,
    impact: Impact,
    incident_updates: Vec<Update>,
}

#[derive(Deserialize)]
struct Update {
    status: IncidentStatus,
    body: String,
    created_at: DateTime<Utc>,
}

impl From<Incident> for IncidentSeen {
    fn from(incident: Incident) -> Self {
        let update = |update: Update| UpdateSeen {
            at: Timestamp::from(update.created_at),
            status: update.status,
            body: update.body,
        };
        Self {
            id: incident.id,
            title: incident.name,
            status: incident.status,
            impact: incident.impact,
            updates: incident.incident_updates.into_iter().map(update).collect(),
        }
    }
}

/// A component as the page names it: its group and its name.
type Named = (Option<String>, String);

/// A reader of one status page.
#[derive(Clone, Debug)]
pub struct PageReader {
    client: reqwest::Client,
    base: Url,
    clock: Clock,
    ids: BTreeMap<Named, String>,
}

impl PageReader {
    /// Reads the page of `platform` at `base`, by the time of `clock`.
    pub fn new(base: Url, platform: &Platform, clock: Clock) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2));
        let named = platform.components.iter().map(|component| {
            ((component.group.clone(), component.name.clone()), own_id(platform, component))
        });
        Ok(Self { client: client.build()?, base, clock, ids: named.collect() })
    }

    /// What the API says now.
    pub async fn view(&self) -> Result<PageView, reqwest::Error> {
        let summary: Summary = self.json("api/v2/summary.json").await?;
        let all: Incidents = self.json("api/v2/incidents.json").await?;
        let components = self.known(summary.components);
        let components = components.map(|(id, row)| (id, row.status)).collect();
        let incidents = all.incidents.into_iter().map(IncidentSeen::from).collect();
        let look = Look { at: self.clock.now(), components, incidents };
        Ok(PageView { banner: summary.status.description, look })
    }

    /// The page's id, and its ids of the components by ours.
    pub async fn ids(&self) -> Result<(String, BTreeMap<String, String>), reqwest::Error> {
        let summary: Summary = self.json("api/v2/summary.json").await?;
        let rows = self.known(summary.components);
        Ok((summary.page.id, rows.map(|(own, row)| (own, row.id)).collect()))
    }

    /// Every component with our id of it, or its name if we do not know it.
    fn known(&self, rows: Vec<Component>) -> impl Iterator<Item = (String, Component)> {
        let groups = rows.iter().filter(|row| row.group);
        let groups: BTreeMap<String, String> =
            groups.map(|row| (row.id.clone(), row.name.clone())).collect();
        let members = rows.into_iter().filter(|row| !row.group);
        let with_id = members.map(|row| {
            let group = row.group_id.as_ref().and_then(|id| groups.get(id).cloned());
            let id = self.ids.get(&(group, row.name.clone())).cloned();
            (id.unwrap_or_else(|| row.name.clone()), row)
        });
        with_id.collect::<Vec<_>>().into_iter()
    }

    /// What people read differs from what the API says in this; `None` if in nothing. What changes
    /// while it is read is read again.
    pub async fn disagreement(&self) -> Result<Option<String>, reqwest::Error> {
        let mut found = None;
        for _ in 0..TRIES {
            let before = self.view().await?;
            let text = self.text().await?;
            let after = self.view().await?;
            let is_still = before.banner == after.banner
                && before.look.components == after.look.components
                && before.look.incidents == after.look.incidents;
            if is_still {
                found = self.missing_from(&text, &before);
                if found.is_none() {
                    return Ok(None);
                }
            }
        }
        Ok(found)
    }

    fn missing_from(&self, text: &str, view: &PageView) -> Option<String> {
        let names = self.ids.keys().map(|(_, name)| name.clone());
        let newest = view.look.incidents.first();
        let title = newest.map(|incident| incident.title.clone());
        let words = newest.and_then(|incident| incident.updates.first());
        let words = words.map(|update| fold(&update.body));
        let mut wanted = names.chain([view.banner.clone()]).chain(title).chain(words);
        wanted.find(|wanted| !text.contains(wanted))
    }

    /// The page's text as a person reads it: tags and style left out.
    pub async fn text(&self) -> Result<String, reqwest::Error> {
        let html = self.client.get(self.base.clone()).send().await?.error_for_status()?;
        Ok(visible(&html.text().await?))
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, reqwest::Error> {
        let url = self.base.join(path).unwrap_or_else(|_| self.base.clone());
        self.client.get(url).send().await?.error_for_status()?.json().await
    }
}

/// A component's id as its probe file has it: without the platform's in front.
pub fn own_id(platform: &Platform, component: &config::Component) -> String {
    let whole = component.id.as_str();
    let own = whole.strip_prefix(platform.id.as_str()).and_then(|rest| rest.strip_prefix('/'));
    own.unwrap_or(whole).to_owned()
}

/// A text on one line.
pub(super) fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is left of HTML without its head, tags and entities, with white space folded.
fn visible(html: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let mut text = String::with_capacity(body.len() / 2);
    let mut inside = true;
    for part in body.chars() {
        match part {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            part if !inside => text.push(part),
            _ => {}
        }
    }
    let entities = [("&#39;", "'"), ("&#x27;", "'"), ("&quot;", "\""), ("&#x2f;", "/")];
    let text = entities.iter().fold(text, |text, (entity, plain)| text.replace(entity, plain));
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_a_person_reads_is_left() {
        let html = "<html><head><title>no</title></head><body class='x'>\n<h1>Portal</h1>\
                    <p>It&#39;s <b>slow</b> &amp; late</p></body></html>";
        assert_eq!(super::visible(html), "Portal It's slow & late");
    }
}
