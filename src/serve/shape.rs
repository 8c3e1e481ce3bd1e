//! The vendor's shapes: every field that its clients read is there, null where there is nothing to
//! say, since generated clients stumble over what is left out.

use serde_json::{Value, json};

use super::overall::overall;
use crate::model::{ComponentStatus, Timestamp};
use crate::store::page::{Group, Incident, IncidentUpdate, Page, PageComponent};

/// Makes the public addresses of a page.
pub(super) struct Links<'a> {
    pub(super) base: &'a str,
    pub(super) page: &'a Page,
}

impl Links<'_> {
    pub(super) fn page(&self) -> String {
        format!("{}/{}", self.base, self.page.platform)
    }

    fn incident(&self, incident: &Incident) -> String {
        format!("{}#{}", self.page(), incident.id)
    }
}

pub(super) fn status(statuses: &[ComponentStatus]) -> Value {
    let overall = overall(statuses);
    json!({ "indicator": overall.indicator, "description": overall.description })
}

/// A page in the management API.
pub(super) fn page(links: &Links<'_>) -> Value {
    let page = links.page;
    json!({
        "id": page.id,
        "name": page.name,
        "url": links.page(),
        "domain": null,
        "subdomain": page.platform,
        "page_description": null,
        "headline": null,
        "support_url": null,
        "time_zone": page.time_zone.name(),
        "created_at": page.created_at.to_rfc3339(),
        "updated_at": page.updated_at.to_rfc3339(),
    })
}

/// A page in the public API.
pub(super) fn public_page(links: &Links<'_>) -> Value {
    let page = links.page;
    json!({
        "id": page.id,
        "name": page.name,
        "url": links.page(),
        "time_zone": page.time_zone.name(),
        "updated_at": page.updated_at.to_rfc3339(),
    })
}

pub(super) fn component(component: &PageComponent) -> Value {
    json!({
        "id": component.id,
        "page_id": component.page_id,
        "group_id": component.group_id,
        "name": component.name,
        "description": component.description,
        "position": component.position,
        "status": component.status,
        "group": false,
        "showcase": false,
        "only_show_if_degraded": false,
        "automation_email": null,
        "start_date": null,
        "created_at": component.created_at.to_rfc3339(),
        "updated_at": component.updated_at.to_rfc3339(),
    })
}

/// A group among components, which is how lists of components show it: as bad as its worst.
fn group_row(group: &Group, members: &[&PageComponent]) -> Value {
    let worst = members.iter().map(|member| member.status).max().unwrap_or_default();
    json!({
        "id": group.id,
        "page_id": group.page_id,
        "group_id": null,
        "name": group.name,
        "description": null,
        "position": group.position,
        "status": worst,
        "group": true,
        "components": ids(members),
        "showcase": false,
        "only_show_if_degraded": false,
        "automation_email": null,
        "start_date": null,
        "created_at": group.created_at.to_rfc3339(),
        "updated_at": group.updated_at.to_rfc3339(),
    })
}

/// A group as such.
pub(super) fn group(group: &Group, components: &[PageComponent]) -> Value {
    json!({
        "id": group.id,
        "page_id": group.page_id,
        "name": group.name,
        "description": null,
        "components": ids(&members(group, components)),
        "position": group.position,
        "created_at": group.created_at.to_rfc3339(),
        "updated_at": group.updated_at.to_rfc3339(),
    })
}

/// The components of a page with each group in front of its first.
pub(super) fn components(groups: &[Group], components: &[PageComponent]) -> Vec<Value> {
    let mut rows = Vec::with_capacity(groups.len() + components.len());
    let mut last: Option<&str> = None;
    for each in components {
        let own = each.group_id.as_deref();
        if own != last
            && let Some(group) = groups.iter().find(|group| Some(group.id.as_str()) == own)
        {
            rows.push(group_row(group, &members(group, components)));
        }
        last = own;
        rows.push(component(each));
    }
    rows
}

fn members<'a>(group: &Group, components: &'a [PageComponent]) -> Vec<&'a PageComponent> {
    let is_in = |component: &&PageComponent| component.group_id.as_ref() == Some(&group.id);
    components.iter().filter(is_in).collect()
}

fn ids(components: &[&PageComponent]) -> Vec<String> {
    components.iter().map(|component| component.id.clone()).collect()
}

/// An incident in the management API.
pub(super) fn incident(links: &Links<'_>, incident: &Incident) -> Value {
    let mut shape = public_incident(links, incident);
    let published = incident.postmortem.as_ref().filter(|it| it.published_at.is_some());
    let schedule = incident.schedule;
    let more = json!({
        "impact_override": incident.impact_override,
        "metadata": incident.metadata,
        "reminder_intervals": null,
        "scheduled_remind_prior": false,
        "scheduled_reminded_at": null,
        "scheduled_auto_in_progress": schedule.is_some_and(|schedule| schedule.begins),
        "scheduled_auto_completed": schedule.is_some_and(|schedule| schedule.ends),
        "postmortem_body": published.and_then(|it| it.body.as_ref()),
        "postmortem_body_last_updated_at":
            published.and_then(|it| it.body_updated_at).map(Timestamp::to_rfc3339),
        "postmortem_ignored": false,
        "postmortem_notified_subscribers": false,
        "postmortem_notified_twitter": false,
        "postmortem_published_at":
            published.and_then(|it| it.published_at).map(Timestamp::to_rfc3339),
    });
    if let (Value::Object(shape), Value::Object(more)) = (&mut shape, more) {
        shape.extend(more);
    }
    shape
}

/// An incident in the public API: without what the publisher keeps with it.
pub(super) fn public_incident(links: &Links<'_>, incident: &Incident) -> Value {
    let window = incident.schedule.map(|schedule| schedule.window);
    let impact = match (window, incident.impact_override) {
        (Some(_), None) => "maintenance",
        (None, _) | (_, Some(_)) => incident.impact().as_str(),
    };
    let started_at = window.map_or(incident.created_at, |window| window.from);
    json!({
        "id": incident.id,
        "page_id": incident.page_id,
        "name": incident.name,
        "status": incident.status,
        "impact": impact,
        "shortlink": links.incident(incident),
        "created_at": incident.created_at.to_rfc3339(),
        "updated_at": incident.updated_at.to_rfc3339(),
        "started_at": started_at.to_rfc3339(),
        "monitoring_at": incident.monitoring_at.map(Timestamp::to_rfc3339),
        "resolved_at": incident.resolved_at.map(Timestamp::to_rfc3339),
        "scheduled_for": window.map(|window| window.from.to_rfc3339()),
        "scheduled_until": window.map(|window| window.until.to_rfc3339()),
        "incident_updates": incident.updates.iter().map(update).collect::<Vec<_>>(),
        "components": incident.components.iter().map(component).collect::<Vec<_>>(),
    })
}

/// An incident in the public API: one whose postmortem is published has a status and an update that
/// say so, as the vendor's have.
pub(super) fn told_incident(links: &Links<'_>, incident: &Incident) -> Value {
    let mut shape = public_incident(links, incident);
    let postmortem = incident.postmortem.as_ref();
    let Some((body, at)) = postmortem.and_then(|it| Some((it.body.as_ref()?, it.published_at?)))
    else {
        return shape;
    };
    let at = at.to_rfc3339();
    shape["status"] = json!("postmortem");
    if let Some(updates) = shape["incident_updates"].as_array_mut() {
        let said = json!({
            "id": format!("{}-postmortem", incident.id),
            "incident_id": incident.id,
            "status": "postmortem",
            "body": body,
            "created_at": at,
            "updated_at": at,
            "display_at": at,
            "affected_components": null,
            "deliver_notifications": false,
            "custom_tweet": null,
            "tweet_id": null,
        });
        updates.insert(0, said);
    }
    shape
}

/// What was said of an incident.
pub(super) fn update(update: &IncidentUpdate) -> Value {
    json!({
        "id": update.id,
        "incident_id": update.incident_id,
        "status": update.status,
        "body": update.body,
        "created_at": update.created_at.to_rfc3339(),
        "updated_at": update.updated_at.to_rfc3339(),
        "display_at": update.created_at.to_rfc3339(),
        "affected_components":
            if update.affected.is_empty() { Value::Null } else { json!(update.affected) },
        "deliver_notifications": update.deliver_notifications,
        "custom_tweet": null,
        "tweet_id": null,
    })
}
