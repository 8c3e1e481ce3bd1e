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

    /// What people read that the API says otherwise; `None` if they agree. What changes while it is
    /// read is read again, and what never stands still to be compared does not agree.
    pub async fn disagreement(&self) -> Option<String> {
        let mut found = "the page for people never stood still to be compared".to_owned();
        for _ in 0..TRIES {
            match self.compared().await {
                Ok(Compared::Same) => return None,
                Ok(Compared::Different(what)) => found = what,
                Ok(Compared::Changing) => {}
                Err(error) => found = format!("the page for people could not be read: {error}"),
            }
        }
        Some(found)
    }

    async fn compared(&self) -> Result<Compared, reqwest::Error> {
        let before = self.view().await?;
        let html = self.html().await?;
        let after = self.view().await?;
        let is_still = before.banner == after.banner
            && before.look.components == after.look.components
            && before.look.incidents == after.look.incidents;
        if !is_still {
            return Ok(Compared::Changing);
        }
        let found = difference(&self.ids, &html, &before);
        Ok(found.map_or(Compared::Same, Compared::Different))
    }

    /// The page as a browser gets it.
    pub async fn html(&self) -> Result<String, reqwest::Error> {
        self.client.get(self.base.clone()).send().await?.error_for_status()?.text().await
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, reqwest::Error> {
        let url = self.base.join(path).unwrap_or_else(|_| self.base.clone());
        self.client.get(url).send().await?.error_for_status()?.json().await
    }
}

/// What people read, beside what the API said before and after.
enum Compared {
    Same,
    Different(String),
    /// The API said something else after than before.
    Changing,
}

/// In what the page for people differs from `view`: a component or its status; the banner; the
/// title and the last update of the newest incident.
fn difference(ids: &BTreeMap<Named, String>, html: &str, view: &PageView) -> Option<String> {
    let shown = rows(html);
    for (named, id) in ids {
        let status = view.look.components.get(id);
        let said = status.map_or_else(|| "not there".to_owned(), |status| words(*status));
        let shown = shown.get(named).map_or("not there", String::as_str);
        if shown == "not there" || shown != said {
            let (_, name) = named;
            return Some(format!("for people {name} is {shown:?}, and by the API {said:?}"));
        }
    }
    let newest = view.look.incidents.first();
    let title = newest.map(|incident| incident.title.clone());
    let update = newest.and_then(|incident| incident.updates.first());
    let update = update.map(|update| fold(&update.body));
    let text = visible(html);
    let mut wanted = [view.banner.clone()].into_iter().chain(title).chain(update);
    let missing = wanted.find(|wanted| !text.contains(wanted))?;
    Some(format!("the page for people does not say {missing:?}"))
}

/// A status as people read it: `Major outage`.
fn words(status: ComponentStatus) -> String {
    let words = status.as_str().replace('_', " ");
    let (first, rest) = words.split_at_checked(1).unwrap_or_default();
    format!("{}{rest}", first.to_ascii_uppercase())
}

/// Every component on the page for people, and its status in words.
fn rows(html: &str) -> BTreeMap<Named, String> {
    let list = between(html, "<h2 id=\"components\">", "</section>").unwrap_or_default();
    let mut rows = BTreeMap::new();
    let mut group = None;
    for item in list.split("<li class=\"").skip(1) {
        if let Some(heading) = between(item, "<h3>", "</h3>") {
            group = Some(visible(heading));
        }
        let name = between(item, "<span class=\"name\">", "</span>");
        let state = between(item, "<span class=\"state ", "</span>");
        let state = state.and_then(|state| state.split_once('>'));
        if let (Some(name), Some((_, words))) = (name, state) {
            rows.insert((group.clone(), visible(name)), visible(words));
        }
        // The last of a group.
        if item.contains("</ul>") {
            group = None;
        }
    }
    rows
}

/// What stands between the first `from` and the next `until`.
fn between<'t>(text: &'t str, from: &str, until: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(from)?;
    rest.split_once(until).map(|(between, _)| between)
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

/// What is left of HTML, or of a piece of it, without its head, tags and entities, with white space
/// folded.
fn visible(html: &str) -> String {
    let body = html.split_once("<body").and_then(|(_, rest)| rest.split_once('>'));
    let body = body.map_or(html, |(_, body)| body);
    let mut text = String::with_capacity(body.len() / 2);
    let mut inside = false;
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
    use super::*;

    #[test]
    fn what_a_person_reads_is_left() {
        let html = "<html><head><title>no</title></head><body class='x'>\n<h1>Portal</h1>\
                    <p>It&#39;s <b>slow</b> &amp; late</p></body></html>";
        assert_eq!(visible(html), "Portal It's slow & late");
        assert_eq!(visible("R&amp;D <b>now</b>"), "R&D now");
    }

    const HTML: &str = r##"<body><p>All Systems Operational</p><article><h3>Old</h3></article>
        <section><h2 id="components">Components</h2><ul class="components">
        <li class="group"><h3>Chats &amp; bots</h3><ul>
        <li class="component"><div><span class="name">Portal</span><p class="about">Ours</p></div>
        <span class="state major_outage"><svg><use href="#x"/></svg> Major outage</span></li>
        <li class="component"><div><span class="name">Desk</span></div>
        <span class="state operational"><svg/> Operational</span></li></ul></li>
        <li class="component"><div><span class="name">Portal</span></div>
        <span class="state under_maintenance"><svg/> Under maintenance</span></li></ul></section>
        </body>"##;

    /// The same as the API says it, with our ids.
    fn view() -> (BTreeMap<Named, String>, PageView) {
        let group = Some("Chats & bots".to_owned());
        let ids = [
            ((group.clone(), "Portal".to_owned()), "portal".to_owned()),
            ((group, "Desk".to_owned()), "desk".to_owned()),
            ((None, "Portal".to_owned()), "other".to_owned()),
        ];
        let components = [
            ("portal".to_owned(), ComponentStatus::MajorOutage),
            ("desk".to_owned(), ComponentStatus::Operational),
            ("other".to_owned(), ComponentStatus::UnderMaintenance),
        ];
        let look = Look { at: Timestamp::EPOCH, components: components.into(), incidents: vec![] };
        (ids.into(), PageView { banner: "All Systems Operational".to_owned(), look })
    }

    #[test]
    fn every_component_must_be_for_people_as_it_is_by_the_api() {
        let (ids, mut view) = view();
        assert_eq!(difference(&ids, HTML, &view), None);
        view.look.components.insert("portal".to_owned(), ComponentStatus::PartialOutage);
        let status = difference(&ids, HTML, &view).unwrap();
        assert_eq!(
            status,
            "for people Portal is \"Major outage\", and by the API \"Partial outage\""
        );
        view.look.components.remove("portal");
        assert!(difference(&ids, HTML, &view).unwrap().ends_with("by the API \"not there\""));
        let (ids, view) = self::view();
        let without = HTML.replace("<span class=\"name\">Desk</span>", "");
        let missing = difference(&ids, &without, &view).unwrap();
        assert_eq!(missing, "for people Desk is \"not there\", and by the API \"Operational\"");
        let other = PageView { banner: "Major Outage".to_owned(), ..view };
        let banner = difference(&ids, HTML, &other).unwrap();
        assert_eq!(banner, "the page for people does not say \"Major Outage\"");
    }

    #[test]
    fn statuses_are_in_words_as_on_the_page() {
        let all = [
            (ComponentStatus::Operational, "Operational"),
            (ComponentStatus::UnderMaintenance, "Under maintenance"),
            (ComponentStatus::DegradedPerformance, "Degraded performance"),
            (ComponentStatus::PartialOutage, "Partial outage"),
            (ComponentStatus::MajorOutage, "Major outage"),
        ];
        for (status, expected) in all {
            assert_eq!(words(status), expected);
        }
    }
}
