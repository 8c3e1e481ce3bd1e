//! What those who are not a status page are told of a platform: its id, its components' names, and
//! where its page is.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use url::Url;

use crate::model::{ActionKind, ComponentId, ComponentStatus, PlatformId, Timestamp};
use crate::outbox::Payload;

/// A platform, to somebody who does not know it.
#[derive(Clone, Debug)]
pub struct About {
    /// The platform.
    pub platform: PlatformId,
    /// Its page, if the public can reach it.
    pub page: Option<Url>,
    /// Its components' names.
    pub components: BTreeMap<ComponentId, String>,
}

impl About {
    /// The component's id without the platform's.
    pub(super) fn short<'a>(&self, component: &'a ComponentId) -> &'a str {
        let text = component.as_str();
        text.strip_prefix(self.platform.as_str())
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(text)
    }

    /// A step of an incident, whole: the body of a webhook, and what its template is filled with.
    pub(super) fn event(&self, payload: &Payload) -> Value {
        let component = |(id, status): (&ComponentId, &ComponentStatus)| {
            let name = self.components.get(id).map_or_else(|| self.short(id), String::as_str);
            json!({ "id": self.short(id), "name": name, "status": status.as_str() })
        };
        let components: Vec<Value> = payload.components.iter().map(component).collect();
        json!({
            "version": 1,
            "event": match payload.kind {
                ActionKind::Open => "open",
                ActionKind::Update => "update",
                ActionKind::Resolve => "resolve",
            },
            "platform": self.platform.as_str(),
            "incident": payload.key.as_str(),
            "sequence": payload.sequence,
            "status": payload.status.as_str(),
            "impact": payload.impact.as_str(),
            "title": payload.title,
            "body": payload.body,
            "started_at": written(payload.started_at),
            "at": written(payload.at),
            "page": self.page.as_ref().map(Url::as_str),
            "components": components,
        })
    }
}

/// A time as JSON has it: RFC 3339, in UTC.
pub(super) fn written(at: Timestamp) -> String {
    at.to_string()
}
