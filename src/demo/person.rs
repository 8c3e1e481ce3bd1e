//! A person who announces work on the status page, by its API.

use std::time::Duration;

use serde_json::json;
use url::Url;

use super::page::PageReader;
use super::scenario::Announcement;
use crate::config::Secret;

/// Somebody who may write to one status page.
#[derive(Clone, Debug)]
pub(super) struct Person {
    client: reqwest::Client,
    base: Url,
    token: Secret,
}

impl Person {
    /// Somebody who knows the `token` of the page at `base`.
    pub(super) fn new(base: Url, token: Secret) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5));
        Ok(Self { client: client.build()?, base, token })
    }

    /// Announces work on the page that `page` reads.
    pub(super) async fn announce(
        &self,
        work: &Announcement,
        page: &PageReader,
    ) -> Result<(), reqwest::Error> {
        let (page_id, ids) = page.ids().await?;
        let components: Vec<&String> =
            work.components.iter().filter_map(|own| ids.get(own)).collect();
        let body = json!({ "incident": {
            "name": work.name,
            "status": "scheduled",
            "body": work.name,
            "impact_override": "maintenance",
            "scheduled_for": work.from.to_rfc3339(),
            "scheduled_until": work.until.to_rfc3339(),
            "scheduled_auto_in_progress": true,
            "scheduled_auto_completed": true,
            "component_ids": components,
            "deliver_notifications": false,
        }});
        let path = format!("v1/pages/{page_id}/incidents");
        let url = self.base.join(&path).unwrap_or_else(|_| self.base.clone());
        let request = self.client.post(url).bearer_auth(self.token.reveal()).json(&body);
        request.send().await?.error_for_status()?;
        Ok(())
    }
}
