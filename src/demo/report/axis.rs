//! Where a time of a story lies across its picture. Long stretches in which nothing happens are
//! drawn short; the picture says so where it is so.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono_tz::Tz;

use crate::drawing;
use crate::model::Timestamp;

/// Nothing that is shorter is drawn shorter than it is.
const LONG: Duration = Duration::from_secs(3 * 3_600);
/// How wide something is that is drawn shorter.
const SQUEEZED: i64 = 56;
/// About so many times are written along the axis.
const TICKS: i64 = 10;
/// Times are not written closer than this.
const ROOM: i64 = 48;

/// From times to places.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pieces: Vec<Piece>,
}

/// A stretch of time within which all is drawn at one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Where it begins.
    pub x: i64,
    /// How wide it is.
    pub width: i64,
    /// Whether it is drawn shorter than it is.
    pub is_squeezed: bool,
}

/// A time that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    /// Where.
    pub x: i64,
    /// The time.
    pub clock: String,
    /// The day, where it is another than that before.
    pub day: Option<String>,
}

impl Axis {
    /// An axis from `left` to `right` on which `moments` are, of which the first and the last are
    /// its ends.
    pub(super) fn new(moments: &BTreeSet<Timestamp>, left: i64, right: i64) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for (from, until) in moments.iter().zip(moments.iter().skip(1)) {
            let (from, until) = (*from, *until);
            let is_squeezed = until.since(from) > LONG;
            match pieces.last_mut() {
                Some(last) if !is_squeezed && !last.is_squeezed => last.until = until,
                Some(_) | None => pieces.push(Piece { from, until, x: 0, width: 0, is_squeezed }),
            }
        }
        let squeezed = (0..).zip(pieces.iter().filter(|piece| piece.is_squeezed)).count();
        let squeezed = i64::try_from(squeezed).unwrap_or(0) * SQUEEZED;
        let room = i128::from((right - left - squeezed).max(0));
        let drawn = pieces.iter().filter(|piece| !piece.is_squeezed);
        let drawn: u128 = drawn.map(|piece| piece.until.since(piece.from).as_micros()).sum();
        let (mut before, mut gaps) = (0_u128, 0);
        let place = |before: u128| {
            let part = i128::try_from(before).unwrap_or(0) * room;
            i64::try_from(part / i128::try_from(drawn.max(1)).unwrap_or(1)).unwrap_or(0)
        };
        for piece in &mut pieces {
            piece.x = left + place(before) + gaps;
            if piece.is_squeezed {
                gaps += SQUEEZED;
            } else {
                before += piece.until.since(piece.from).as_micros();
            }
            piece.width = left + place(before) + gaps - piece.x;
        }
        Self { pieces }
    }

    /// The stretches, in their order.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Where a time lies; what is outside lies at the nearer end.
    pub(super) fn x(&self, at: Timestamp) -> i64 {
        let piece = self.pieces.iter().find(|piece| at <= piece.until).or(self.pieces.last());
        let Some(piece) = piece else { return 0 };
        let whole = piece.until.since(piece.from).as_micros().max(1);
        let part = at.min(piece.until).since(piece.from).as_micros();
        let width = u128::try_from(piece.width).unwrap_or(0);
        piece.x + i64::try_from(part * width / whole).unwrap_or(0)
    }

    /// The times that are written: whole hours or parts of them by the clocks of `zone`, none
    /// within what is squeezed, and none in another's way.
    pub(super) fn ticks(&self, zone: Tz) -> Vec<Tick> {
        let drawn = self.pieces.iter().filter(|piece| !piece.is_squeezed);
        let seconds: u64 = drawn.clone().map(|piece| piece.until.since(piece.from).as_secs()).sum();
        let step = drawing::step(i64::try_from(seconds).unwrap_or(i64::MAX), TICKS).max(60);
        let mut ticks: Vec<Tick> = Vec::new();
        let begins = self.pieces.first().map(|piece| piece.from.to_utc().with_timezone(&zone));
        let mut day = begins.map(|begins| begins.date_naive());
        for piece in drawn {
            let local = piece.from.to_utc().with_timezone(&zone).naive_local();
            let shift = local.and_utc().timestamp() - piece.from.as_micros().div_euclid(1_000_000);
            let first = (local.and_utc().timestamp() - 1).div_euclid(step) * step + step - shift;
            let last = piece.until.as_micros().div_euclid(1_000_000);
            let many = usize::try_from(step).unwrap_or(1);
            for at in (first..=last).step_by(many) {
                let at = Timestamp::from_secs(at);
                let x = self.x(at);
                if ticks.last().is_some_and(|tick| x - tick.x < ROOM) {
                    continue;
                }
                let local = at.to_utc().with_timezone(&zone).naive_local();
                let new = (day != Some(local.date())).then(|| local.format("%-d %b").to_string());
                day = Some(local.date());
                ticks.push(Tick { x, clock: local.format("%H:%M").to_string(), day: new });
            }
        }
        ticks
    }
}
