//! What happened, told to logs, metrics and whoever watches. Nothing here can influence a decision.

use crate::model::{Event, EventKind, PlatformId, Span, Timestamp};
use crate::outbox::Notice;

use super::{Heard, News, Runtime};

/// Our own clock is told to be off from this on, in microseconds: below it is slewing.
const WALL_STEP: i64 = 1_000_000;

impl Runtime {
    pub(super) fn tell(&self, heard: Heard) {
        for event in heard.events {
            log_event(&event);
            self.metrics.event(&event);
            let _ = self.news.send(News::Event(event));
        }
        for (platform, notice) in heard.notices {
            log_notice(&platform, &notice);
            let _ = self.news.send(News::Outbox(platform, notice));
        }
        for (check, missed) in heard.missed {
            self.metrics.missed(&check, u64::from(missed));
            tracing::warn!(%check, missed, "a run took longer than the interval; ticks were missed");
        }
    }

    pub(super) fn gauge(&mut self, now: Timestamp) {
        for (platform, outbox) in self.core.outboxes() {
            let oldest = outbox.oldest().map_or(Span::ZERO, |at| now.since(at).into());
            self.metrics.outbox(platform, outbox.pending(), oldest);
        }
        let step = self.clock.wall_step();
        self.metrics.clock_step(step);
        let stepped = step.abs() >= WALL_STEP;
        if stepped != self.wall_stepped {
            self.wall_stepped = stepped;
            if stepped {
                tracing::warn!(
                    microseconds = step,
                    "the host's clock was set; times go on as counted from the start"
                );
            } else {
                tracing::info!(
                    "the host's clock agrees with the time counted from the start again"
                );
            }
        }
    }
}

fn log_event(event: &Event) {
    let at = event.at;
    match &event.kind {
        EventKind::HealthChanged { check, subject, from, to, reason } => {
            let reason = reason.as_ref().map(ToString::to_string);
            tracing::info!(%at, %check, ?subject, %from, %to, reason, "health changed");
        }
        EventKind::AddressAppeared { check, subject } => {
            tracing::info!(%at, %check, ?subject, "an address appeared");
        }
        EventKind::AddressVanished { check, subject } => {
            tracing::info!(%at, %check, ?subject, "an address vanished");
        }
        EventKind::ComponentChanged { component, from, to, because } => {
            let because = because.as_ref().map(ToString::to_string);
            tracing::info!(%at, %component, %from, %to, because, "component changed");
        }
        EventKind::IncidentChanged { incident, sequence, status, impact, cause, .. } => {
            tracing::info!(%at, %incident, sequence, %status, %impact, %cause, "incident changed");
        }
    }
}

fn log_notice(platform: &PlatformId, notice: &Notice) {
    if notice.is_trouble() {
        tracing::warn!(%platform, "{notice}");
    } else {
        tracing::info!(%platform, "{notice}");
    }
}
