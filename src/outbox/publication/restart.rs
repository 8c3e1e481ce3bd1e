//! What a restart leaves in doubt.

use crate::model::Timestamp;

use super::{Doubt, Publication, Stage};

impl Publication {
    /// The process was restarted: what was in flight is in doubt, and what never left is looked
    /// for before it does. Waits are forgotten, since the configuration may have been mended.
    pub(in crate::outbox) fn resume(&mut self, now: Timestamp) {
        self.backoff.clear();
        if let Some(draft) = &mut self.draft {
            draft.resume(now);
        }
        self.rejections = 0;
        // Saved times may have been read from a clock that was ahead.
        self.sweep_at = self.sweep_at.map(|at| at.min(now));
        self.stage = match std::mem::take(&mut self.stage) {
            Stage::Sending { step, since } => {
                Stage::Doubtful { step, doubt: Doubt::since(since.min(now), now) }
            }
            Stage::Doubtful { step, doubt } => {
                let sent_at = doubt.sent_at.min(now);
                let missed_at = doubt.missed_at.filter(|at| *at <= now);
                Stage::Doubtful { step, doubt: Doubt { sent_at, look_at: now, missed_at, ..doubt } }
            }
            Stage::Settled | Stage::Unsure { .. }
                if self.remote.is_none() && !self.waiting.is_empty() =>
            {
                Stage::Unsure { look_at: now }
            }
            Stage::Settled | Stage::Unsure { .. } => Stage::Settled,
            refused @ Stage::Refused { .. } => refused,
        };
    }

    /// After a restart, where a write may be made twice: what is in doubt is written again, and
    /// nothing is looked for.
    pub(in crate::outbox) fn resend(&mut self, now: Timestamp) {
        self.stage = match std::mem::take(&mut self.stage) {
            Stage::Doubtful { step, .. } | Stage::Sending { step, .. } => {
                self.queue(step, true);
                Stage::Settled
            }
            Stage::Settled | Stage::Unsure { .. } => Stage::Settled,
            refused @ Stage::Refused { .. } => refused,
        };
        if let Some(repeat) = &mut self.repeat {
            repeat.at = repeat.at.min(now);
        }
    }
}
