//! The dialect of PagerDuty's Events API, version 2.
//!
//! The incident's own key is the `dedup_key`: an event that comes twice is one to PagerDuty, so
//! what is in doubt is simply sent again.

use std::num::NonZeroU32;

use http::Method;
use serde_json::{Value, json};

use crate::config::Secret;
use crate::model::{ActionKind, Impact, Timestamp};
use crate::outbox::{Payload, Request};

use super::about::{About, written};
use super::dialect::{Call, Caps, Conversation, Dialect, Marker, Turn, shortened};
use super::once::Once;

/// What PagerDuty can do.
pub(super) const CAPS: Caps = Caps {
    marker: Marker::Key,
    atomic: true,
    drafts: false,
    idempotent: true,
    clears_components: true,
    // Some 480 events a minute are taken for one key.
    per_second: NonZeroU32::new(5).unwrap(),
    longest_title: 1_024,
    longest_text: 10_000,
};

/// A service at PagerDuty, and of what it is told.
#[derive(Clone, Debug)]
pub(super) struct PagerDuty {
    pub(super) routing_key: Secret,
    pub(super) about: About,
}

impl Dialect for PagerDuty {
    fn begin<'a>(
        &'a self,
        request: &'a Request,
        _now: Timestamp,
    ) -> Box<dyn Conversation + Send + 'a> {
        Box::new(Once::of(request, |payload| Turn::Call(self.call(payload))))
    }
}

impl PagerDuty {
    fn call(&self, payload: &Payload) -> Call {
        let event = match payload.kind {
            ActionKind::Open | ActionKind::Update => self.trigger(payload),
            ActionKind::Resolve => json!({
                "routing_key": self.routing_key.reveal(),
                "event_action": "resolve",
                "dedup_key": payload.key.as_str(),
            }),
        };
        Call {
            method: Method::POST,
            path: ["v2", "enqueue"].map(str::to_owned).to_vec(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Some(event),
            if_match: None,
        }
    }

    fn trigger(&self, payload: &Payload) -> Value {
        let summary = [payload.title.as_str(), payload.body.as_str()]
            .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        let summary = summary.iter().filter(|text| !text.is_empty()).map(String::as_str);
        let summary = summary.collect::<Vec<_>>().join(": ");
        let components: Vec<&str> =
            payload.components.keys().map(|component| self.about.short(component)).collect();
        let mut event = json!({
            "routing_key": self.routing_key.reveal(),
            "event_action": "trigger",
            "dedup_key": payload.key.as_str(),
            "client": "Farol",
            "payload": {
                "summary": shortened(&summary, CAPS.longest_title),
                "source": self.about.platform.as_str(),
                "severity": severity(payload.impact),
                "timestamp": written(payload.started_at),
                "component": components.join(", "),
                "group": self.about.platform.as_str(),
                "class": "incident",
                "custom_details": self.about.event(payload),
            },
        });
        if let Some(page) = &self.about.page {
            event["client_url"] = json!(page.as_str());
            event["links"] = json!([{ "href": page.as_str(), "text": "Status page" }]);
        }
        event
    }
}

const fn severity(impact: Impact) -> &'static str {
    match impact {
        Impact::Critical => "critical",
        Impact::Major => "error",
        Impact::Minor => "warning",
        Impact::None => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPS, PagerDuty};
    use crate::config::Secret;
    use crate::publish::sample;

    fn pagerduty() -> PagerDuty {
        PagerDuty { routing_key: Secret::new("R0UT1NGKEY"), about: sample::about() }
    }

    #[test]
    fn every_request_as_it_is_said() {
        insta::assert_snapshot!(sample::said(&pagerduty()));
    }

    #[test]
    fn every_answer_as_it_is_understood() {
        insta::assert_snapshot!(sample::heard(&pagerduty(), CAPS.idempotent));
    }

    #[test]
    fn a_summary_is_never_longer_than_pagerduty_takes() {
        let mut payload = sample::opening();
        payload.body = "ação ".repeat(1_000);
        let body = sample::body_of(&pagerduty(), &crate::outbox::Request::Create(payload));
        let summary = body["payload"]["summary"].as_str().unwrap();
        assert_eq!(summary.chars().count(), 1_024);
    }
}
