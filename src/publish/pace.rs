//! One pace for all that share an API key: the vendor counts requests by key, not by page.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::model::{ActionKind, Span, Timestamp};
use crate::outbox::Request;

/// No API is believed to want more patience than this.
const LONGEST_HOLD: Span = Span::from_secs(3_600);

/// Spaces the calls that are made with one API key.
#[derive(Debug)]
pub struct Pace {
    clock: Clock,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    spacing: Span,
    /// When the next call may be made.
    next: Timestamp,
    tickets: u64,
    waiting: BTreeSet<Place>,
}

/// How much a call matters beside those of other pages: what opens an incident goes first, then
/// what ends one, then other updates, then all that only looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Open,
    End,
    Update,
    Look,
}

/// A place in the queue: by class, and within it by who came first.
type Place = (Class, u64);

impl Class {
    pub(super) fn of(request: &Request) -> Self {
        match request {
            // What is asked before an incident is opened is part of opening it.
            Request::Create(_) | Request::Survey => Self::Open,
            Request::Update { payload, .. } if payload.kind == ActionKind::Resolve => Self::End,
            Request::SetComponent { status, .. } if !status.is_bad() => Self::End,
            Request::SetComponent { .. } => Self::Open,
            Request::Update { .. } => Self::Update,
            Request::Find { .. }
            | Request::Read { .. }
            | Request::Draft { .. }
            | Request::Retire { .. }
            | Request::Components
            | Request::Announcements => Self::Look,
        }
    }
}

impl Pace {
    /// Calls that are at least `spacing` apart.
    pub fn new(clock: Clock, spacing: Span) -> Self {
        let (next, waiting) = (Timestamp::EPOCH, BTreeSet::new());
        let state = State { spacing, next, tickets: 0, waiting };
        Self { clock, state: Mutex::new(state), changed: Notify::new() }
    }

    /// Somebody else with this key asks for calls that are `spacing` apart: the slowest is heard.
    pub fn at_least(&self, spacing: Span) {
        let mut state = self.state();
        state.spacing = state.spacing.max(spacing);
    }

    /// The time, for what has to say it.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The API asks all with this key for patience.
    pub(super) fn hold(&self, patience: Span) {
        let until = self.clock.real().now() + patience.min(LONGEST_HOLD);
        let mut state = self.state();
        state.next = state.next.max(until);
    }

    /// Waits for its turn. Turns are given by class, and within one in the order in which they were
    /// asked for.
    pub(super) async fn turn(&self, class: Class) {
        let waiting = self.queue(class);
        // Who counts our requests counts them in real time.
        let clock = self.clock.real();
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            let next = {
                let mut state = self.state();
                let first = state.waiting.first() == Some(&waiting.place);
                let now = clock.now();
                if first && state.next <= now {
                    state.next = now + state.spacing;
                    // Dropping the place tells those behind it.
                    return;
                }
                first.then_some(state.next)
            };
            match next {
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(clock.instant_of(at).into()) => {}
                    () = changed => {}
                },
                None => changed.await,
            }
        }
    }

    fn queue(&self, class: Class) -> Waiting<'_> {
        let mut state = self.state();
        state.tickets += 1;
        let place = (class, state.tickets);
        state.waiting.insert(place);
        Waiting { pace: self, place }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock can leave it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever gives up waiting, or has had its turn, leaves the queue.
struct Waiting<'a> {
    pace: &'a Pace,
    place: Place,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.pace.state().waiting.remove(&self.place);
        self.pace.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{Class, Pace};
    use crate::clock::Clock;
    use crate::model::Span;

    #[tokio::test]
    async fn calls_of_several_pages_are_spaced() {
        let clock = Clock::start();
        let spacing = Span::from_millis(20);
        let pace = Arc::new(Pace::new(clock, Span::ZERO));
        pace.at_least(spacing);
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..5 {
            let pace = Arc::clone(&pace);
            calls.spawn(async move {
                pace.turn(Class::Update).await;
                clock.now()
            });
        }
        let mut at = calls.join_all().await;
        at.sort();
        // A turn that is noticed late may seem close to the next, but five turns take four spaces.
        assert!(at[4].since(at[0]) >= spacing.to_duration() * 3, "{at:?}");
    }

    #[tokio::test]
    async fn what_opens_an_incident_goes_before_what_waits_on_other_pages() {
        let pace = Arc::new(Pace::new(Clock::start(), Span::from_millis(20)));
        pace.turn(Class::Look).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut calls = tokio::task::JoinSet::new();
        let classes = [Class::Look, Class::Update, Class::Look, Class::End, Class::Open];
        // One that gives up leaves nobody waiting for it.
        let gone = Arc::clone(&pace);
        let gone = tokio::spawn(async move { gone.turn(Class::Open).await });
        for (queued, class) in classes.into_iter().enumerate() {
            let (its, order) = (Arc::clone(&pace), Arc::clone(&order));
            calls.spawn(async move {
                its.turn(class).await;
                order.lock().unwrap().push(class);
            });
            while pace.state().waiting.len() < queued + 2 {
                tokio::task::yield_now().await;
            }
        }
        gone.abort();
        calls.join_all().await;
        let expected = [Class::Open, Class::End, Class::Update, Class::Look, Class::Look];
        assert_eq!(*order.lock().unwrap(), expected);
    }

    #[tokio::test]
    async fn whom_the_api_asks_for_patience_all_with_the_key_wait() {
        let clock = Clock::start();
        let pace = Pace::new(clock, Span::ZERO);
        let patience = Span::from_millis(60);
        let asked = clock.now();
        pace.hold(patience);
        pace.turn(Class::Open).await;
        assert!(clock.now().since(asked) >= patience.to_duration());
        pace.hold(Span::from_secs(1_000_000));
        assert!(pace.state().next <= clock.now() + super::LONGEST_HOLD);
    }
}
