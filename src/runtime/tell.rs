//! What happened, told to logs, metrics and whoever watches. Nothing here can influence a decision.

use std::collections::BTreeSet;
use std::time::Duration;

use tracing::field::display;

use crate::model::{Cause, Event, EventKind, Health, LaneId, OwnTrouble, Span, Timestamp};
use crate::outbox::Notice;

use super::{Heard, News, Runtime};

/// Our own clock is told to be off from this on, in microseconds: below it is slewing.
const WALL_STEP: i64 = 1_000_000;
/// How often it is told that runs were left out: when there is too much to do, that is said of
/// every check in every second.
const MISSED_EVERY: Duration = Duration::from_secs(60);

/// What was told last, so that nothing is told too often.
#[derive(Debug, Default)]
pub struct Told {
    /// Whether the host's clock was set since the start.
    wall_stepped: bool,
    /// Our own trouble.
    pub(super) own_trouble: BTreeSet<OwnTrouble>,
    /// Whether our own network is lost.
    pub(super) network_lost: bool,
    /// Whether failures wait for long.
    pub(super) held_long: bool,
    /// Runs that were left out, and not told of yet.
    missed: u64,
    /// When they may be told of.
    missed_again_at: Option<Timestamp>,
}

impl Told {
    /// The number of missed runs to tell of now: the first at once, what follows together.
    fn missed_by(&mut self, now: Timestamp) -> Option<u64> {
        if self.missed == 0 || self.missed_again_at.is_some_and(|at| now < at) {
            return None;
        }
        self.missed_again_at = Some(now + MISSED_EVERY);
        Some(std::mem::take(&mut self.missed))
    }
}

impl Runtime {
    pub(super) fn tell(&mut self, heard: Heard) {
        for event in heard.events {
            log_event(&event);
            self.metrics.event(&event);
            let _ = self.news.send(News::Event(event));
        }
        for (lane, notice) in heard.notices {
            log_notice(&lane, &notice);
            let _ = self.news.send(News::Outbox(lane, notice));
        }
        for (check, missed) in heard.missed {
            self.metrics.missed(&check, u64::from(missed));
            tracing::debug!(%check, missed, "a run took longer than the interval");
            self.told.missed += u64::from(missed);
        }
    }

    pub(super) fn gauge(&mut self, now: Timestamp) {
        for (lane, outbox) in self.core.outboxes() {
            self.metrics.left(lane, outbox.left().len());
            if !outbox.is_named() {
                continue;
            }
            let oldest = outbox.oldest().map_or(Span::ZERO, |at| now.since(at).into());
            self.metrics.outbox(lane, outbox.pending(), oldest);
            self.metrics.not_led(lane, outbox.detached(), outbox.orphaned());
        }
        if let Some(missed) = self.told.missed_by(now) {
            tracing::warn!(
                missed,
                "runs were left out, since those before took longer than their interval; \
                 farol_scheduler_missed_runs_total tells which"
            );
        }
        self.tell_own_trouble();
        let step = self.clock.wall_step();
        self.metrics.clock_step(step);
        let stepped = step.abs() >= WALL_STEP;
        if stepped != self.told.wall_stepped {
            self.told.wall_stepped = stepped;
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

/// Levels as an operator wants to be woken by: a warning when something gets worse, a note when it
/// gets better or goes on, and nothing where a check was only looked at for the first time.
fn log_event(event: &Event) {
    match &event.kind {
        EventKind::HealthChanged { check, variant, subject, from, to, reason, step } => {
            let variant = variant.as_ref().map(display);
            let address = subject.address().map(display);
            let detail = reason.as_ref().map(ToString::to_string);
            let reason = reason.as_ref().map(|reason| display(reason.name()));
            let step = step.as_deref();
            match (from, to) {
                (_, Health::Degraded | Health::Failing) if to > from => {
                    tracing::warn!(
                        %check, variant, address, %from, %to, step, reason, detail, "health changed"
                    );
                }
                (Health::Unknown, Health::Passing) => {
                    tracing::debug!(%check, variant, address, %from, %to, "health changed");
                }
                _ => tracing::info!(
                    %check, variant, address, %from, %to, step, reason, detail, "health changed"
                ),
            }
        }
        EventKind::AddressAppeared { check, variant, subject } => {
            let (variant, address) =
                (variant.as_ref().map(display), subject.address().map(display));
            tracing::info!(%check, variant, address, "an address appeared");
        }
        EventKind::AddressVanished { check, variant, subject } => {
            let (variant, address) =
                (variant.as_ref().map(display), subject.address().map(display));
            tracing::info!(%check, variant, address, "an address vanished");
        }
        EventKind::FlappingChanged { check, variant, subject, since } => {
            let (variant, address) =
                (variant.as_ref().map(display), subject.address().map(display));
            if let Some(since) = since {
                tracing::warn!(
                    %check, variant, address, %since,
                    "it changes too often, and is held in its worse state until it settles"
                );
            } else {
                tracing::info!(%check, variant, address, "it has settled");
            }
        }
        EventKind::ComponentChanged { component, from, to, because } => {
            let because = because.as_ref().map(display);
            if to.is_bad() && to > from {
                tracing::warn!(%component, %from, %to, because, "component changed");
            } else {
                tracing::info!(%component, %from, %to, because, "component changed");
            }
        }
        work @ (EventKind::MaintenanceChanged { .. } | EventKind::TroubleInMaintenance { .. }) => {
            log_maintenance(work);
        }
        incident @ EventKind::IncidentChanged { .. } => log_incident(incident),
        network @ (EventKind::NetworkLost { .. } | EventKind::NetworkRegained { .. }) => {
            log_network(network);
        }
    }
}

fn log_incident(kind: &EventKind) {
    let EventKind::IncidentChanged { incident, platform, sequence, status, impact, cause } = kind
    else {
        return;
    };
    let message = if *sequence == 1 {
        "incident opened"
    } else if *cause == Cause::HandedOver {
        "incident waits for people: nothing changes, and it is not spoken of any more"
    } else {
        "incident changed"
    };
    match cause {
        Cause::ComponentFailed
        | Cause::ComponentJoined
        | Cause::GotWorse
        | Cause::HandedOver
        | Cause::FailedAgain => tracing::warn!(
            %platform, %incident, step = sequence, %status, %impact, %cause, "{message}"
        ),
        Cause::GotBetter
        | Cause::AllRecovered
        | Cause::UpdateDue
        | Cause::StayedWell
        | Cause::OperatorNoted
        | Cause::OperatorResolved => {
            tracing::info!(
                %platform, %incident, step = sequence, %status, %impact, %cause, "{message}"
            );
        }
    }
}

fn log_maintenance(kind: &EventKind) {
    if let EventKind::MaintenanceChanged { maintenance, platform, status, window } = kind {
        tracing::info!(
            %platform, %maintenance, %status, from = %window.from, until = %window.until,
            "maintenance changed"
        );
    } else if let EventKind::TroubleInMaintenance { component, maintenance, status, because } = kind
    {
        let because = because.as_ref().map(display);
        tracing::info!(
            %component, %maintenance, %status, because,
            "component in trouble during its maintenance: not published"
        );
    }
}

/// Once for each change: how many runs did not count is said when it is over.
fn log_network(kind: &EventKind) {
    if let EventKind::NetworkLost { failing, total } = kind {
        tracing::error!(
            failing,
            total,
            "our own network is lost: the references do not answer, and no target is blamed for it"
        );
    } else if let EventKind::NetworkRegained { excused } = kind {
        tracing::warn!(excused, "our own network is well again; so many runs did not count");
    }
}

fn log_notice(lane: &LaneId, notice: &Notice) {
    let platform = lane.platform();
    if notice.is_trouble() {
        tracing::warn!(%platform, %lane, "{notice}");
    } else {
        tracing::info!(%platform, %lane, "{notice}");
    }
}

#[cfg(test)]
mod tests {
    use super::Told;
    use crate::model::Timestamp;

    #[test]
    fn missed_runs_are_told_at_once_and_then_together() {
        let mut told = Told::default();
        let at = Timestamp::from_secs;
        assert_eq!(told.missed_by(at(0)), None);
        told.missed += 2;
        assert_eq!(told.missed_by(at(1)), Some(2));
        told.missed += 3;
        assert_eq!(told.missed_by(at(60)), None);
        told.missed += 4;
        assert_eq!(told.missed_by(at(61)), Some(7));
        assert_eq!(told.missed_by(at(200)), None);
    }
}
