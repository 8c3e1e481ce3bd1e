//! Looking at the status page as the public does: the summary by its API, and the page itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

/// What the status page says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageView {
    /// The banner: `All Systems Operational`.
    pub banner: String,
    /// Every component's status by its name; groups are left out.
    pub components: BTreeMap<String, String>,
    /// The incidents that are not over, newest first.
    pub open: Vec<IncidentView>,
    /// How many incidents there are in all, over or not.
    pub incidents: usize,
    /// The newest incident, over or not.
    pub newest: Option<IncidentView>,
}

/// What the status page says of one incident.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IncidentView {
    /// The title.
    pub name: String,
    /// `investigating`, ...
    pub status: String,
    /// `minor`, ...
    pub impact: String,
    /// The updates, newest first.
    pub incident_updates: Vec<UpdateView>,
}

/// One update of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UpdateView {
    /// The incident's status with it.
    pub status: String,
    /// The text.
    pub body: String,
}

#[derive(Deserialize)]
struct Summary {
    status: Status,
    components: Vec<Component>,
    incidents: Vec<IncidentView>,
}

#[derive(Deserialize)]
struct Status {
    description: String,
}

#[derive(Deserialize)]
struct Component {
    name: String,
    status: String,
    #[serde(default)]
    group: bool,
}

#[derive(Deserialize)]
struct Incidents {
    incidents: Vec<IncidentView>,
}

/// A reader of one status page.
#[derive(Clone, Debug)]
pub struct PageReader {
    client: reqwest::Client,
    base: Url,
}

impl PageReader {
    /// Reads the page at `base`.
    pub fn new(base: Url) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2));
        Ok(Self { client: client.build()?, base })
    }

    /// What the API says now.
    pub async fn view(&self) -> Result<PageView, reqwest::Error> {
        let summary: Summary = self.json("api/v2/summary.json").await?;
        let all: Incidents = self.json("api/v2/incidents.json").await?;
        Ok(PageView {
            banner: summary.status.description,
            components: summary
                .components
                .into_iter()
                .filter(|component| !component.group)
                .map(|component| (component.name, component.status))
                .collect(),
            open: summary.incidents,
            incidents: all.incidents.len(),
            newest: all.incidents.into_iter().next(),
        })
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
