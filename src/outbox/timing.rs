//! How long the outbox waits for what.

use std::num::NonZeroU32;

use crate::model::Span;

/// Every wait of a lane. The defaults suit Atlassian Statuspage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between two requests.
    pub spacing: Span,
    /// After the first failure; doubles with each one in a row.
    pub first_retry: Span,
    /// The longest wait between two tries.
    pub longest_retry: Span,
    /// After the API did not know us, for the first time: a person has to mend that.
    pub unauthorized: Span,
    /// How old a write in doubt must be before it can be taken for lost: older than the client's
    /// own time-out, so that nothing of it is still on its way from here.
    pub settle: Span,
    /// Between two looks for a write in doubt.
    pub look_again: Span,
    /// How far apart two looks in vain must be before a write is taken for lost: lists may lag.
    pub looks_apart: Span,
    /// After a step was refused for the first time, doubling up to the longest wait: something has
    /// to be mended first, here or there.
    pub rejected: Span,
    /// How many refusals of one step are enough.
    pub rejections: u32,
    /// How long after an incident was created a second time to look whether the first creation
    /// turned up after all.
    pub sweep: Span,
    /// How long a look at what is open on the page counts for what is opened next.
    pub survey: Span,
    /// How often an incident that waits for a maintenance to end looks for its end.
    pub maintenance: Span,
    /// How often the whole page is looked over; never if this is none.
    pub sweep_every: Option<Span>,
    /// How often it is read which maintenances are announced on the page; never if this is none.
    pub read_announcements_every: Option<Span>,
    /// How long an incident may be open before the operator is told that it is old.
    pub max_age: Span,
    /// How long a person's word that something is over holds.
    pub respect: Span,
    /// Whether a write may be made twice without harm: one in doubt is repeated, and nothing is
    /// ever looked for.
    pub idempotent: bool,
    /// Whether the statuses of components can be set there apart from incidents.
    pub sets_components: bool,
    /// How often what stands there has to be said again, lest it be taken for over.
    pub repeat: Option<Span>,
    /// Whether drafts of postmortems are kept there.
    pub drafts: bool,
}

impl Default for Timing {
    fn default() -> Self {
        Self::remote(NonZeroU32::MIN, Span::from_secs(30))
    }
}

impl Timing {
    /// For a status API somewhere on a network that takes `per_second` requests and is given up on
    /// after `timeout`.
    pub fn remote(per_second: NonZeroU32, timeout: Span) -> Self {
        let part = |parts: u64| Span::from_micros(timeout.as_micros() / parts);
        Self {
            // A little more, since what counts is when requests arrive.
            spacing: Span::from_micros(1_050_000 / u64::from(per_second.get())),
            first_retry: Span::from_secs(2),
            longest_retry: Span::from_secs(300),
            unauthorized: Span::from_secs(60),
            settle: timeout,
            look_again: part(2),
            looks_apart: part(3),
            rejected: Span::from_secs(60),
            rejections: 15,
            sweep: Span::from_secs(120),
            survey: Span::from_secs(30),
            maintenance: Span::from_secs(300),
            sweep_every: None,
            read_announcements_every: None,
            max_age: Span::from_secs(24 * 3_600),
            respect: Span::from_secs(3_600),
            idempotent: false,
            sets_components: false,
            repeat: None,
            drafts: false,
        }
    }

    /// For an API that takes a write twice for one, and whose refusals are final.
    pub fn idempotent(per_second: NonZeroU32, timeout: Span) -> Self {
        Self {
            longest_retry: Span::from_secs(60),
            rejections: 1,
            idempotent: true,
            ..Self::remote(per_second, timeout)
        }
    }

    /// For the status API that farol serves itself: it answers at once or not at all, has no limit
    /// of its own, and shows every write as soon as it is made.
    pub fn embedded() -> Self {
        Self {
            spacing: Span::from_millis(20),
            first_retry: Span::from_millis(200),
            longest_retry: Span::from_secs(10),
            unauthorized: Span::from_secs(5),
            settle: Span::from_secs(1),
            look_again: Span::from_millis(300),
            looks_apart: Span::from_millis(200),
            survey: Span::from_secs(1),
            ..Self::default()
        }
    }
}
