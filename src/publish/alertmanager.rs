//! The dialect of Prometheus' Alertmanager, API version 2.
//!
//! An alert is known by its labels: whoever sends other labels makes another alert. So an incident
//! is one alert for each component and severity, with labels that never change, and what does
//! change stands in annotations. When a component's severity changes, the alert of the other one
//! is ended by the same call.
//!
//! What is not said again ends by Alertmanager's own `resolve_timeout`, so the outbox repeats it.
//! A firing alert has no `endsAt` for that reason: only Alertmanager's own clock is asked.

use std::num::NonZeroU32;

use http::Method;
use serde_json::{Value, json};

use crate::model::{ComponentId, ComponentStatus, Timestamp};
use crate::outbox::{Payload, Request};

use super::about::{About, written};
use super::dialect::{Call, Caps, Conversation, Dialect, Marker, Turn, shortened};
use super::once::Once;

/// What Alertmanager can do.
pub(super) const CAPS: Caps = Caps {
    marker: Marker::Key,
    atomic: true,
    idempotent: true,
    clears_components: true,
    per_second: NonZeroU32::new(10).unwrap(),
    longest_title: 1_000,
    longest_text: 10_000,
};

/// The severities that alerts have.
const SEVERITIES: [&str; 2] = ["critical", "warning"];

/// An Alertmanager, and of what it is told.
#[derive(Clone, Debug)]
pub(super) struct Alertmanager {
    pub(super) about: About,
}

impl Dialect for Alertmanager {
    fn begin<'a>(
        &'a self,
        request: &'a Request,
        _now: Timestamp,
    ) -> Box<dyn Conversation + Send + 'a> {
        Box::new(Once::of(request, |payload| Turn::Call(self.call(payload))))
    }
}

impl Alertmanager {
    fn call(&self, payload: &Payload) -> Call {
        let alerts = payload.components.iter().flat_map(|(component, status)| {
            let firing = severity(*status);
            SEVERITIES.map(|severity| {
                self.alert(payload, component, *status, severity, firing == Some(severity))
            })
        });
        Call {
            method: Method::POST,
            path: ["api", "v2", "alerts"].map(str::to_owned).to_vec(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Some(alerts.collect()),
        }
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
                "alertname": "FarolIncident",
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
        insta::assert_snapshot!(sample::said(&alertmanager));
    }

    #[test]
    fn every_answer_as_it_is_understood() {
        let alertmanager = Alertmanager { about: sample::about() };
        insta::assert_snapshot!(sample::heard(&alertmanager, CAPS.idempotent));
    }

    /// A component that got worse is another alert: the one before has to end.
    #[test]
    fn of_the_alerts_of_one_component_one_fires() {
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
            let desk = body.as_array().unwrap().iter();
            let desk = desk.filter(|alert| alert["labels"]["component"] == "desk");
            let fires: Vec<_> = desk
                .filter(|alert| alert.get("endsAt").is_none())
                .map(|alert| alert["labels"]["severity"].as_str())
                .collect();
            assert_eq!(fires, firing.map(Some).into_iter().collect::<Vec<_>>(), "{status}");
        }
    }
}
