//! What farol decides and what the page shows, in the lines of the timeline.

use tokio::sync::broadcast::{self, error::RecvError};

use super::judge::{Backstage, Remark};
use super::page::{PageView, fold};
use super::timeline::{Timeline, Voice};
use crate::model::{ComponentStatus, EventKind, Health, Timestamp};
use crate::runtime::News;

/// More than so many servers or customers in trouble at once are told as a number.
const LONGEST_TEXT: usize = 160;

/// Tells what farol sees and decides.
pub(super) async fn tell(mut news: broadcast::Receiver<News>, timeline: Timeline) {
    loop {
        match news.recv().await {
            Ok(News::Event(event)) => {
                if let Some(text) = words(&event.kind) {
                    timeline.say(Voice::Farol, event.at, text);
                }
            }
            Ok(News::Observed(_) | News::Outbox(..)) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn words(event: &EventKind) -> Option<String> {
    match event {
        EventKind::HealthChanged { from: Health::Unknown, to: Health::Passing, .. }
        | EventKind::AddressAppeared { .. }
        | EventKind::AddressVanished { .. }
        | EventKind::MaintenanceChanged { .. }
        | EventKind::TroubleInMaintenance { .. } => None,
        EventKind::HealthChanged { check, variant, subject, to, reason, .. } => {
            let variant = variant.as_ref().map_or_else(String::new, |it| format!(" for {it}"));
            let address = subject.address().map_or_else(String::new, |it| format!(" on {it}"));
            let whom = format!("{variant}{address}");
            let why = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            Some(format!("{check}{whom} is {to}{why}"))
        }
        EventKind::FlappingChanged { check, since, .. } => Some(match since {
            Some(since) => {
                format!("{check} is unstable since {since}, and held in its worse state")
            }
            None => format!("{check} has settled"),
        }),
        EventKind::ComponentChanged { component, to, .. } => Some(format!("{component} is {to}")),
        EventKind::IncidentChanged { incident, status, cause, sequence, .. } => {
            Some(format!("incident {incident}, step {sequence}: {status}, because {cause}"))
        }
        EventKind::NetworkLost { .. } => Some("our own network is lost".to_owned()),
        EventKind::NetworkRegained { .. } => Some("our own network is well again".to_owned()),
    }
}

/// Tells what a reader of the page would notice between two looks.
pub(super) fn show(
    before: Option<&PageView>,
    now: &PageView,
    names: &Backstage,
    timeline: &Timeline,
) {
    let say = |text: String| timeline.say(Voice::Page, now.look.at, shorten(&text));
    if before.is_none_or(|before| before.banner != now.banner) {
        say(now.banner.clone());
    }
    for (id, status) in &now.look.components {
        let was = before.and_then(|before| before.look.components.get(id)).copied();
        if was.unwrap_or(ComponentStatus::Operational) != *status {
            say(format!("{}: {status}", names.name_of(id)));
        }
    }
    for incident in now.look.incidents.iter().rev() {
        let known = before
            .and_then(|before| before.look.incidents.iter().find(|known| known.id == incident.id));
        let told = known.map_or(0, |known| known.updates.len());
        let new = incident.updates.len().saturating_sub(told);
        for update in incident.updates.iter().take(new).rev() {
            say(format!("{} \"{}\": {}", update.status, incident.title, fold(&update.body)));
        }
    }
}

/// Tells what the judge has to say.
pub(super) fn remark(remark: &Remark, at: Timestamp, timeline: &Timeline) {
    match remark {
        Remark::Told { says, lag, .. } => {
            timeline.say(Voice::Met, at, format!("on the page after {lag}: {says}"));
        }
        Remark::Met { says, .. } => timeline.say(Voice::Met, at, says.clone()),
        Remark::Wrong(wrong) => timeline.say(Voice::Unmet, at, wrong.what.clone()),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default().trim_end()),
        None => text.to_owned(),
    }
}
