//! What certificates must be like, for every kind of check that sees some. Pure.

use super::judgement::Judgement;
use crate::config::{CertificateLimits, StapleWanted};
use crate::model::{Reason, Span, Timestamp};
use crate::net::Handshake;
use crate::net::handshake::{Staple, Validity};

const DAY: u64 = 24 * 3600;

/// Judges what is left of certificates that were verified; `None` if there is nothing against them.
///
/// 1. What its own target says is revoked fails, whatever was configured.
/// 2. The chain by which the target was verified must have more time left than `failed`,
/// 3. and than `degraded`, or it degrades.
/// 4. A certificate that is shown beside that chain can only degrade: some clients may need it,
///    but ours did not.
pub(super) fn judge(
    seen: Option<Handshake>,
    limits: Option<&CertificateLimits>,
    now: Timestamp,
) -> Option<Judgement> {
    let seen = seen?;
    if seen.staple == Some(Staple::Revoked) {
        return Some(Judgement::fail(Reason::TlsCertificateRevoked));
    }
    let limits = limits?;
    let chain = seen.chain.map(|chain| (chain, Limits::of(limits, chain)));
    if let Some((chain, limits)) = chain
        && ends_within(chain, limits.failed, now)
    {
        return Some(Judgement::fail(expiring(chain)));
    }
    let shown = seen.shown.map(|shown| (shown, Limits::of(limits, shown)));
    let mut late = chain.into_iter().chain(shown);
    let (soon, _) = late.find(|(which, limits)| ends_within(*which, limits.degraded, now))?;
    Some(Judgement::degraded(expiring(soon)))
}

/// Judges an OCSP staple by what is expected of it; `None` if there is nothing against it.
pub(super) fn judge_staple(
    staple: Option<Staple>,
    wanted: Option<StapleWanted>,
    now: Timestamp,
) -> Option<Judgement> {
    let got = match (wanted?, staple) {
        (StapleWanted::Absent, None) => return None,
        (StapleWanted::Absent, Some(_)) => "there is one",
        (StapleWanted::Present, None) => "none",
        (StapleWanted::Present, Some(Staple::Good { from, until })) => {
            if from > now {
                "dated in the future"
            } else if until.is_some_and(|until| until < now) {
                "out of date"
            } else {
                return None;
            }
        }
        (StapleWanted::Present, Some(Staple::Revoked)) => "revoked",
        (StapleWanted::Present, Some(Staple::Unknown)) => "unknown",
        (StapleWanted::Present, Some(Staple::Unreadable)) => "unreadable",
    };
    Some(Judgement::fail(Reason::TlsStaple { got: got.to_owned() }))
}

fn expiring(which: Validity) -> Reason {
    Reason::TlsCertificateExpiring { at: which.until }
}

/// Exactly as much time left as the limit is enough.
fn ends_within(which: Validity, limit: Span, now: Timestamp) -> bool {
    which.until < now + limit
}

/// The limits that hold for one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    degraded: Span,
    failed: Span,
}

impl Limits {
    /// A limit that is given holds. One that is not follows the certificate's life, since those
    /// that live shortly are renewed late: 21 days or a quarter of it to be degraded, 3 days or a
    /// twelfth to fail, and the one gives way to the other if that is given.
    fn of(given: &CertificateLimits, which: Validity) -> Self {
        let life = Span::from(which.until.since(which.from)).as_micros();
        let usual =
            |days: u64, part: u64| Span::from_secs(days * DAY).min(Span::from_micros(life / part));
        match (given.degraded, given.failed) {
            (Some(degraded), Some(failed)) => Self { degraded, failed },
            (Some(degraded), None) => Self { degraded, failed: usual(3, 12).min(degraded) },
            (None, Some(failed)) => Self { degraded: usual(21, 4).max(failed), failed },
            (None, None) => Self { degraded: usual(21, 4), failed: usual(3, 12) },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::{DAY, Limits, judge, judge_staple};
    use crate::check::judgement::Judgement;
    use crate::config::{CertificateLimits, StapleWanted};
    use crate::model::{Reason, Span, Timestamp};
    use crate::net::Handshake;
    use crate::net::handshake::{Staple, Validity};

    fn day(number: i64) -> Timestamp {
        Timestamp::from_secs(number * 24 * 3600)
    }

    fn days(number: u64) -> Span {
        Span::from_secs(number * DAY)
    }

    fn valid(from: i64, until: i64) -> Option<Validity> {
        Some(Validity { from: day(from), until: day(until) })
    }

    fn expiring(until: i64) -> Reason {
        Reason::TlsCertificateExpiring { at: day(until) }
    }

    #[test]
    fn a_limit_that_is_not_given_follows_the_life_of_the_certificate() {
        let of = |degraded, failed, life| {
            let given = CertificateLimits { degraded, failed };
            let Limits { degraded, failed } = Limits::of(&given, valid(0, life).unwrap());
            (degraded.as_micros() / 3_600_000_000, failed.as_micros() / 3_600_000_000)
        };
        assert_eq!(of(None, None, 398), (21 * 24, 3 * 24));
        assert_eq!(of(None, None, 90), (21 * 24, 3 * 24));
        assert_eq!(of(None, None, 6), (36, 12));
        assert_eq!(of(Some(days(1)), None, 90), (24, 24));
        assert_eq!(of(None, Some(days(30)), 90), (30 * 24, 30 * 24));
        assert_eq!(of(Some(days(80)), Some(days(70)), 90), (80 * 24, 70 * 24));
    }

    #[test]
    fn the_chain_fails_and_what_stands_beside_it_degrades() {
        let limits = CertificateLimits { degraded: Some(days(21)), failed: Some(days(3)) };
        let judged = |chain, shown, now| {
            let seen = Handshake { chain, shown, ..Handshake::default() };
            judge(Some(seen), Some(&limits), day(now))
        };
        let chain = valid(0, 90);
        assert_eq!(judged(chain, chain, 69), None);
        assert_eq!(judged(chain, chain, 70), Some(Judgement::degraded(expiring(90))));
        assert_eq!(judged(chain, chain, 87), Some(Judgement::degraded(expiring(90))));
        assert_eq!(judged(chain, chain, 88), Some(Judgement::fail(expiring(90))));
        let stale = valid(0, 30);
        assert_eq!(judged(chain, stale, 60), Some(Judgement::degraded(expiring(30))));
        assert_eq!(judged(chain, stale, 88), Some(Judgement::fail(expiring(90))));
        // Refused: then the refusal is the reason.
        assert_eq!(judged(None, None, 88), None);
    }

    #[test]
    fn without_tls_or_limits_there_is_nothing_to_judge_but_revocation() {
        let limits = CertificateLimits::default();
        assert_eq!(judge(None, Some(&limits), day(0)), None);
        let mut seen = Handshake { chain: valid(0, 1), ..Handshake::default() };
        assert_eq!(judge(Some(seen), None, day(0)), None);
        seen.staple = Some(Staple::Revoked);
        let revoked = Some(Judgement::fail(Reason::TlsCertificateRevoked));
        assert_eq!(judge(Some(seen), None, day(0)), revoked);
    }

    #[test]
    fn a_staple_must_be_good_and_current_if_it_must_be() {
        let present = |staple| {
            judge_staple(staple, Some(StapleWanted::Present), day(5))
                .map(|judgement| judgement == staple_fails(staple))
        };
        fn staple_fails(staple: Option<Staple>) -> Judgement {
            let got = match staple {
                None => "none",
                Some(Staple::Good { until: None, .. }) => "dated in the future",
                Some(Staple::Good { .. }) => "out of date",
                Some(Staple::Revoked) => "revoked",
                Some(Staple::Unknown) => "unknown",
                Some(Staple::Unreadable) => "unreadable",
            };
            Judgement::fail(Reason::TlsStaple { got: got.into() })
        }
        let good = |from, until: Option<i64>| {
            Some(Staple::Good { from: day(from), until: until.map(day) })
        };
        assert_eq!(present(good(4, Some(6))), None);
        assert_eq!(present(good(4, None)), None);
        for staple in [
            None,
            good(6, None),
            good(3, Some(4)),
            Some(Staple::Revoked),
            Some(Staple::Unknown),
            Some(Staple::Unreadable),
        ] {
            assert_eq!(present(staple), Some(true), "{staple:?}");
        }
        let absent = |staple| judge_staple(staple, Some(StapleWanted::Absent), day(5)).is_none();
        assert!(absent(None));
        assert!(!absent(good(4, None)));
        assert_eq!(judge_staple(None, None, day(5)), None);
    }

    proptest! {
        /// It never gets better by waiting, and fails at the latest when it has expired.
        #[test]
        fn time_only_makes_it_worse(
            life in 1_i64..1000,
            degraded in proptest::option::of(20_u64..60),
            failed in proptest::option::of(0_u64..20),
        ) {
            let given = CertificateLimits {
                degraded: degraded.map(days),
                failed: failed.map(days),
            };
            let chain = valid(0, life);
            let seen = Handshake { chain, shown: chain, ..Handshake::default() };
            let rank = |now| match judge(Some(seen), Some(&given), now) {
                None => 0,
                Some(judgement) if judgement == Judgement::degraded(expiring(life)) => 1,
                Some(_) => 2,
            };
            let hours: Vec<i32> =
                (0..=life * 24).map(|hour| rank(Timestamp::from_secs(hour * 3600))).collect();
            prop_assert!(hours.is_sorted());
            prop_assert_eq!(rank(day(life) + Span::from_secs(1)), 2);
        }
    }
}
