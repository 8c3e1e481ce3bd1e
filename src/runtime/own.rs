//! Our own trouble, told: on the board what the loop knows, in the metrics and the log what is on
//! the board.

use crate::check::Files;
use crate::model::OwnTrouble;

use super::Runtime;

impl Runtime {
    pub(super) fn tell_own_trouble(&mut self) {
        let board = self.prober.board();
        let failing = self.durable.is_failing();
        board.set(OwnTrouble::Store, failing.then(|| String::from("it cannot be written")));
        let clock = self.prober.own_clock();
        board.set(OwnTrouble::Clock, clock.map(|reason| reason.to_string()));
        let network = self.core.engine().state().network();
        let is_lost = network.lost_since().is_some();
        board.set(OwnTrouble::Network, is_lost.then(|| String::from("no reference answers")));
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
