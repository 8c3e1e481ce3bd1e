//! Looking over the whole page now and then: what was forgotten, doubled, or left open.

use std::collections::BTreeSet;

use crate::model::{ComponentId, IncidentKey, IncidentStatus, Timestamp};

use super::plan::Errand;
use super::state::InFlight;
use super::{Attempt, AttemptId, Notice, Outbox, Remote, Request};

/// The key of no incident, for what is asked about all.
pub(super) fn all() -> IncidentKey {
    IncidentKey::new("")
}

impl Outbox {
    /// When the page is to be looked over.
    pub(super) fn sweep_at(&self) -> Option<Timestamp> {
        self.next_sweep
    }

    /// Looks over the whole page at `now`, and then as often as is wanted.
    pub(super) fn sweep_from(&mut self, now: Timestamp) {
        self.next_sweep = self.timing.sweep_every.map(|_| now);
    }

    /// The request that looks over the page, if it is due.
    pub(super) fn begin_sweep(&mut self, now: Timestamp) -> Option<Attempt> {
        self.next_sweep.filter(|at| *at <= now)?;
        self.state.last_attempt += 1;
        let id = AttemptId(self.state.last_attempt);
        self.state.in_flight = Some(InFlight { id, at: now, key: all(), errand: Errand::Sweep });
        Some(Attempt { id, at: now, request: Request::Find { key: all() } })
    }

    /// The page was looked over, or could not be.
    pub(super) fn end_sweep(&mut self, now: Timestamp) {
        self.next_sweep = self.timing.sweep_every.map(|every| now + every);
    }

    /// What carries our mark and nobody here knows, as after the state was restored from a backup:
    ///
    /// 1. It is open, and an incident on one of its components waits to be opened: that goes on
    ///    with it instead.
    /// 2. It asks to be left alone: then the incident that waits is left alone as well.
    /// 3. Otherwise the operator is told, once: nobody here can say whether it is over.
    pub(super) fn orphans(&mut self, remotes: &[Remote], now: Timestamp) -> Vec<Notice> {
        let open = |remote: &&Remote| remote.status != Some(IncidentStatus::Resolved);
        let unknown: Vec<&Remote> = remotes
            .iter()
            .filter(open)
            .filter(|remote| self.state.seen(&remote.key) == 0)
            .collect();
        let mut notices = Vec::new();
        let mut left = BTreeSet::new();
        for remote in unknown {
            let Some(standing) = &remote.standing else { continue };
            let shares = |id: &ComponentId| standing.ids.contains_key(id);
            let mut incidents = self.state.incidents.iter_mut();
            let heir = incidents.find(|(_, publication)| {
                publication.may_adopt() && publication.holds().any(shares)
            });
            match heir {
                Some((key, publication)) => {
                    publication.adopt(remote);
                    let (incident, remote) = (key.clone(), remote.id.clone());
                    notices.push(Notice::Adopted { incident, remote });
                    if standing.held {
                        let key = key.clone();
                        notices.extend(self.detach(&key, super::Foreign::Held, now));
                    }
                }
                None => {
                    left.insert(remote.id.clone());
                }
            }
        }
        for remote in left.difference(&self.orphaned) {
            notices.push(Notice::Orphaned { remote: remote.clone() });
        }
        self.orphaned = left;
        notices
    }

    /// How many incidents on the page carry our mark and are known to nobody here.
    pub fn orphaned(&self) -> usize {
        self.orphaned.len()
    }

    /// Says of incidents that are open for very long that they are.
    pub(super) fn old(&mut self, now: Timestamp) -> Vec<Notice> {
        let most = self.timing.max_age.to_duration();
        let incidents = self.state.incidents.iter_mut();
        incidents.filter_map(|(key, publication)| publication.grow_old(key, most, now)).collect()
    }
}
