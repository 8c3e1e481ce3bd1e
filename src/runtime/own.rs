//! Our own trouble, told: on the board what the loop knows, in the metrics and the log what is on
//! the board.

use std::time::Duration;

use crate::check::Files;
use crate::model::OwnTrouble;

use super::Runtime;

/// How long failures may wait before the operator is told.
const HELD_LONG: Duration = Duration::from_secs(30);

impl Runtime {
    pub(super) fn tell_own_trouble(&mut self) {
        let board = self.prober.board();
        let failing = self.durable.is_failing();
        board.set(OwnTrouble::Store, failing.then(|| String::from("it cannot be written")));
        let clock = self.prober.own_clock();
        board.set(OwnTrouble::Clock, clock.map(|reason| reason.to_string()));
        let network = self.core.engine().state().network();
        let silent: Vec<&str> = network
            .references()
            .filter(|(_, answers)| !answers)
            .map(|(id, _)| id.as_str())
            .collect();
        let total = network.references().count();
        let is_lost = network.lost_since().is_some();
        let detail =
            is_lost.then(|| format!("{} of {total} references do not answer", silent.len()));
        board.set(OwnTrouble::Network, detail);
        if is_lost != self.told.network_lost {
            self.told.network_lost = is_lost;
            let silent = silent.join(", ");
            tracing::warn!(is_lost, silent, "these references do not answer");
        }
        let held_long =
            network.held_since().is_some_and(|at| self.clock.now().since(at) > HELD_LONG);
        if held_long && !self.told.held_long {
            let waiting = network.waiting();
            tracing::warn!(
                waiting,
                "failures have waited for long to be told from our own network's"
            );
        }
        self.told.held_long = held_long;
        self.metrics.own_network(network.references(), network.waiting(), network.excused());
        self.metrics.own_clock(self.prober.own_offset());
        let load = self.prober.load();
        self.metrics.own_load(load.lag, load.added);
        if let Some(Files { open, limit }) = load.files {
            self.metrics.own_files(open, limit);
        }
        let noted = board.now();
        for trouble in OwnTrouble::ALL {
            let detail = noted.get(&trouble);
            self.metrics.own_trouble(trouble, detail.is_some());
            match detail {
                Some(detail) if self.told.own_trouble.insert(trouble) => {
                    tracing::warn!(%trouble, detail, "own trouble; it is not held against targets");
                }
                None if self.told.own_trouble.remove(&trouble) => {
                    tracing::info!(%trouble, "own trouble is over");
                }
                Some(_) | None => {}
            }
        }
    }
}
