//! The dialect of Prometheus' Alertmanager, API version 2.
//!
//! An alert is known by its labels: whoever sends other labels makes another alert. So an incident
//! is one alert for each component and severity, with labels that never change, and what does
//! change stands in annotations. Which alerts of the incident fire is asked before anything is
//! said, so that just those are ended that should not: the end of an alert that never fired would
//! be one more line in somebody's notification.
//!
//! What is not said again ends by Alertmanager's own `resolve_timeout`, so the outbox repeats it.
//! A firing alert has no `endsAt` for that reason: only Alertmanager's own clock is asked.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{ComponentId, ComponentStatus, Timestamp};
use crate::outbox::{Outcome, Payload, RemoteId, Request};

use super::about::{About, written};
use super::dialect::{
    Answer, Call, Caps, Conversation, Dialect, Marker, Turn, complaint, refusal, shortened,
};
use super::once::Once;

/// What Alertmanager can do.
pub(super) const CAPS: Caps = Caps {
    marker: Marker::Key,
    atomic: true,
    drafts: false,
    idempotent: true,
    clears_components: true,
    per_second: NonZeroU32::new(10).unwrap(),
    longest_title: 1_000,
    longest_text: 10_000,
};

/// The name that all alerts have.
const ALERT: &str = "FarolIncident";
/// The severities that alerts have.
const SEVERITIES: [&str; 2] = ["critical", "warning"];

/// An Alertmanager, and of what it is told.
#[derive(Clone, Debug)]
pub(super) struct Alertmanager {
    pub(super) about: About,
}

/// What is told: the alerts that fire there are asked for first.
struct Telling<'a> {
    alertmanager: &'a Alertmanager,
    payload: &'a Payload,
    told: bool,
}

/// An alert as Alertmanager lists it, as far as we look.
#[derive(Deserialize)]
struct Listed {
    labels: BTreeMap<String, String>,
}

impl Dialect for Alertmanager {
    fn begin<'a>(
        &'a self,
        request: &'a Request,
        _now: Timestamp,
    ) -> Box<dyn Conversation + Send + 'a> {
        match request.payload() {
            Some(payload) => Box::new(Telling { alertmanager: self, payload, told: false }),
            None => Box::new(Once::without_a_call(request)),
        }
    }
}

impl Conversation for Telling<'_> {
    fn open(&mut self) -> Turn {
        let filter = |name: &str, value: &str| ("filter", format!("{name}=\"{value}\""));
        let query = vec![
            filter("alertname", ALERT),
            filter("platform", self.alertmanager.about.platform.as_str()),
            filter("incident", self.payload.key.as_str()),
        ];
        Turn::Call(Call { query, ..call(Method::GET, None) })
    }

    fn hear(&mut self, answer: &Answer) -> Turn {
        let remote = RemoteId::new(self.payload.key.as_str());
        let done = Outcome::Done { remote, standing: None };
        if let Some(outcome) = refusal(answer) {
            return Turn::Over(outcome);
        }
        if self.told {
            return Turn::Over(done);
        }
        let Ok(firing) = serde_json::from_slice::<Vec<Listed>>(&answer.body) else {
            let detail = format!("the answer lists no alerts: {}", complaint(&answer.body));
            return Turn::Over(Outcome::Uncertain { detail });
        };
        let alerts = self.alertmanager.alerts(self.payload, &firing);
        if alerts.is_empty() {
            return Turn::Over(done);
        }
        self.told = true;
        Turn::Call(call(Method::POST, Some(Value::Array(alerts))))
    }
}

fn call(method: Method, body: Option<Value>) -> Call {
    let path = ["api", "v2", "alerts"].map(str::to_owned).to_vec();
    Call { method, path, query: Vec::new(), headers: Vec::new(), body, if_match: None }
}

impl Alertmanager {
    /// What should fire, and the end of what does and should not.
    fn alerts(&self, payload: &Payload, firing: &[Listed]) -> Vec<Value> {
        let fires = |component: &str, severity: &str| {
            let is =
                |alert: &Listed, name, value| alert.labels.get(name).is_some_and(|it| it == value);
            firing
                .iter()
                .any(|alert| is(alert, "component", component) && is(alert, "severity", severity))
        };
        let mut alerts = Vec::new();
        for (component, status) in &payload.components {
            for each in SEVERITIES {
                let should = severity(*status) == Some(each);
                if should || fires(self.about.short(component), each) {
                    alerts.push(self.alert(payload, component, *status, each, should));
                }
            }
        }
        alerts
    }

    fn alert(
        &self,
        payload: &Payload,
        component: &ComponentId,
        status: ComponentStatus,
        severity: &str,
        firing: bool,
    ) -> Value {
        let name = self.about.components.get(component).map_or("", String::as_str);
        let mut alert = json!({
            "labels": {
                "alertname": ALERT,
                "platform": self.about.platform.as_str(),
                "component": self.about.short(component),
                "incident": payload.key.as_str(),
                "severity": severity,
            },
            "annotations": {
                "summary": shortened(&payload.title, CAPS.longest_title),
                "description": shortened(&payload.body, CAPS.longest_text),
                "component": name,
                "component_status": status.as_str(),
                "incident_status": payload.status.as_str(),
                "impact": payload.impact.as_str(),
            },
            "startsAt": written(payload.started_at),
        });
        if let Some(page) = &self.about.page {
            alert["generatorURL"] = json!(page.as_str());
        }
        if !firing {
            // Never before the start, which Alertmanager refuses.
            alert["endsAt"] = json!(written(payload.at.max(payload.started_at)));
        }
        alert
    }
}

/// How severe a status is; `None` for one that nobody need look at.
fn severity(status: ComponentStatus) -> Option<&'static str> {
    match status {
        ComponentStatus::MajorOutage => Some("critical"),
        ComponentStatus::PartialOutage | ComponentStatus::DegradedPerformance => Some("warning"),
        ComponentStatus::Operational | ComponentStatus::UnderMaintenance => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Alertmanager, CAPS};
    use crate::model::{ComponentStatus, IncidentStatus};
    use crate::outbox::Request;
    use crate::publish::sample;

    #[test]
    fn every_request_as_it_is_said() {
        let alertmanager = Alertmanager { about: sample::about() };
        let firing = r#"[{ "labels": { "component": "desk", "severity": "warning" } }]"#;
        insta::assert_snapshot!(sample::said_after(&alertmanager, firing.as_bytes()));
    }

    #[test]
    fn every_answer_as_it_is_understood() {
        let alertmanager = Alertmanager { about: sample::about() };
        insta::assert_snapshot!(sample::heard(&alertmanager, CAPS.idempotent));
    }

    #[test]
    fn nothing_is_said_of_what_does_not_fire_and_never_did() {
        let alertmanager = Alertmanager { about: sample::about() };
        for (status, firing) in [
            (ComponentStatus::MajorOutage, Some("critical")),
            (ComponentStatus::PartialOutage, Some("warning")),
            (ComponentStatus::DegradedPerformance, Some("warning")),
            (ComponentStatus::UnderMaintenance, None),
            (ComponentStatus::Operational, None),
        ] {
            let request = Request::Create(sample::payload(IncidentStatus::Identified, status));
            let body = sample::body_of(&alertmanager, &request);
            let alerts: &[serde_json::Value] = body.as_array().map_or(&[], Vec::as_slice);
            let fires: Vec<_> =
                alerts.iter().map(|alert| alert["labels"]["severity"].as_str()).collect();
            assert_eq!(fires, firing.map(Some).into_iter().collect::<Vec<_>>(), "{status}");
        }
    }
}
