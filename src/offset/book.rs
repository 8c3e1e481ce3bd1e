//! All that is known of clocks, ours among them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::agreement::strayed;
use super::own::{Named, Own, Reference, Voice};
use super::sight::{Sample, Sight};
use crate::model::{CheckId, ClockOffset, ClockReference, ClockSource, Span, Timestamp, Variant};

/// How many clocks are remembered: addresses come from outside.
pub const MOST: usize = 4096;

/// How old a sight may be and still speak for the time.
const FRESH: Duration = Duration::from_secs(600);

/// How long it is waited for somebody who can tell what the time is.
const PATIENCE: Duration = Duration::from_secs(600);

/// Whose clock, and how it was read: what stands behind one address may have several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// The check that read it.
    pub check: CheckId,
    /// Which variant of it.
    pub variant: Option<Variant>,
    /// Whom it asked; `None` if only a proxy knows.
    pub address: Option<IpAddr>,
    /// What it was read from.
    pub source: ClockSource,
}

/// Whom to believe.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The checks of the NTP servers that were named to be trusted.
    pub ntp: BTreeSet<CheckId>,
    /// How far our own clock may be off.
    pub max_error: Span,
    /// How long others may speak before our host alone is believed.
    pub settle: Span,
}

/// What one run made known of a clock that it has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its offset against our own clock.
    pub offset: ClockOffset,
    /// Its offset against what is the time, if that is known.
    pub against: Option<(ClockOffset, ClockReference)>,
    /// How far it was set at least, in microseconds, if it was a short while ago.
    pub jumped: Option<i64>,
    /// How much it certainly is too fast, in parts per million, slow if negative.
    pub drift: Option<i64>,
}

/// All that is known of clocks.
#[derive(Clone, Debug)]
pub struct Book {
    rules: Rules,
    began: Timestamp,
    /// When it was last known what the time is.
    told_at: Timestamp,
    own: Own,
    sights: BTreeMap<Who, Sight>,
}

impl Book {
    /// Nothing is known yet.
    pub fn new(rules: Rules, now: Timestamp, wall_step: i64) -> Self {
        Self {
            rules,
            began: now,
            told_at: now,
            own: Own::new(now, wall_step),
            sights: BTreeMap::new(),
        }
    }

    /// Goes by other rules from now on.
    pub fn adopt(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// What is known of a clock at `now`, and how long it last was to ask it and hear the answer.
    pub fn sight(&self, who: &Who, now: Timestamp) -> Option<(ClockOffset, Span)> {
        let sight = self.sights.get(who)?;
        Some((sight.at(now), sight.way()))
    }

    /// Our own clock.
    pub fn own(&self) -> &Own {
        &self.own
    }

    /// Whether it may still be waited for somebody who can tell what the time is.
    pub fn may_yet_tell(&self, now: Timestamp) -> bool {
        now.since(self.told_at) < PATIENCE
    }

    /// Notes how far the host's clock is ahead of ours.
    pub fn look(&mut self, now: Timestamp, wall_step: i64) {
        self.own.look(now, wall_step, self.rules.max_error);
    }

    /// How our own clock is off, if it is by more than it may be.
    pub fn own_error(&self) -> Option<Reference> {
        let found = self.own.latest()?;
        let is_off =
            found.against != ClockReference::Host && found.offset.certain() > self.rules.max_error;
        is_off.then_some(found)
    }

    /// Hears what one run of a check has read, each sample of another address; says what is known
    /// then, in the same order.
    ///
    /// 1. Everything is heard before anything is judged.
    /// 2. What may have been written somewhere, and not be a clock, must be seen to go.
    /// 3. Siblings alone are believed where nobody else but our host is: where a majority of them is
    ///    wrong, others may know better.
    /// 4. That a clock was set is told for as long as `jump_told`.
    pub fn hear(
        &mut self,
        heard: &[(Who, Sample)],
        jump_told: Duration,
        now: Timestamp,
    ) -> Vec<Option<Known>> {
        for (who, sample) in heard {
            self.own.look(sample.at, sample.wall_step, self.rules.max_error);
            let sight = self.sights.get_mut(who);
            match sight {
                Some(sight) => sight.hear(*sample),
                None => {
                    self.sights.insert(who.clone(), Sight::first(*sample));
                }
            }
        }
        self.forget();
        let reference = self.reference(now);
        if reference.is_some() {
            self.told_at = now;
        }
        let sights: Vec<(&Who, ClockOffset)> =
            heard.iter().filter_map(|(who, _)| Some((who, self.usable(who)?.at(now)))).collect();
        let offsets: Vec<ClockOffset> = sights.iter().map(|(_, offset)| *offset).collect();
        let strayed = match reference.map(|reference| reference.against) {
            Some(ClockReference::Ntp | ClockReference::Agreement) => vec![None; offsets.len()],
            Some(ClockReference::Host | ClockReference::Siblings) | None => strayed(&offsets),
        };
        let by_siblings: BTreeMap<Who, ClockOffset> = sights
            .iter()
            .zip(strayed)
            .filter_map(|((who, _), strayed)| Some(((*who).clone(), strayed?)))
            .collect();
        heard
            .iter()
            .map(|(who, _)| {
                let jumped = self.sights.get(who)?.jumped(now, jump_told);
                let known = self.known(who, reference, by_siblings.get(who).copied(), now)?;
                Some(Known { jumped, ..known })
            })
            .collect()
    }

    fn known(
        &mut self,
        who: &Who,
        reference: Option<Reference>,
        by_siblings: Option<ClockOffset>,
        now: Timestamp,
    ) -> Option<Known> {
        self.usable(who)?;
        let sight = self.sights.get_mut(who)?;
        let offset = sight.at(now);
        let against = reference.map(|found| (offset.minus(found.offset), found.against));
        let drift = against.and_then(|against| sight.drift(against, now));
        let by_siblings = by_siblings.map(|offset| (offset, ClockReference::Siblings));
        Some(Known { offset, against: by_siblings.or(against), jumped: None, drift })
    }

    /// What is known of a clock, if it is one.
    fn usable(&self, who: &Who) -> Option<&Sight> {
        let sight = self.sights.get(who)?;
        (who.source != ClockSource::Cookie || sight.goes()).then_some(sight)
    }

    /// What the time is, with one voice for each address, however many checks ask it, and one for
    /// each NTP server that was named, however many addresses it has had.
    fn reference(&mut self, now: Timestamp) -> Option<Reference> {
        let steady_since = self.own.steady_since();
        let speaks = |who: &Who| {
            let sight = self.usable(who)?;
            let seen_at = sight.seen_at();
            let is_fresh = now.since(seen_at) < FRESH && seen_at >= steady_since;
            is_fresh.then(|| (sight.at(now), seen_at))
        };
        let (mut ntp, mut voices) = (BTreeMap::new(), BTreeMap::<_, Voice<'_>>::new());
        for who in self.sights.keys() {
            let Some((offset, seen_at)) = speaks(who) else { continue };
            if self.rules.ntp.contains(&who.check) {
                let latest = ntp.entry(&who.check).or_insert((seen_at, offset));
                if seen_at >= latest.0 {
                    *latest = (seen_at, offset);
                }
            }
            let platform = who.check.as_str().split('/').next().unwrap_or_default();
            // Without an address it is the check that tells one server from another.
            let place = (who.address, who.address.is_none().then_some(&who.check));
            voices
                .entry(place)
                .and_modify(|voice| {
                    let both = voice.offset.intersect(offset);
                    voice.offset = both.unwrap_or_else(|| voice.offset.hull(offset));
                })
                .or_insert(Voice { offset, platform });
        }
        let voices: Vec<Voice<'_>> = voices.into_values().collect();
        let settled = now.since(self.began) >= self.rules.settle.to_duration();
        let heard: Vec<ClockOffset> = ntp.into_values().map(|(_, offset)| offset).collect();
        let named = Named { heard: &heard, count: self.rules.ntp.len() };
        self.own.reference(named, &voices, (self.rules.max_error, settled), now)
    }

    /// Forgets the oldest, if there are too many.
    fn forget(&mut self) {
        while self.sights.len() > MOST {
            let oldest = self.sights.iter().min_by_key(|(_, sight)| sight.seen_at());
            let Some(oldest) = oldest.map(|(who, _)| who.clone()) else { return };
            self.sights.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::{Book, Known, MOST, Rules, Who};
    use crate::model::{CheckId, ClockOffset, ClockReference, ClockSource, Span, Timestamp};
    use crate::offset::{JUMP_TOLD, Sample};

    const SECOND: i64 = 1_000_000;
    const YEAR: i64 = 365 * 24 * 3600 * SECOND;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + seconds)
    }

    fn book() -> Book {
        let rules = Rules {
            ntp: ["one", "two", "six"].map(|it| CheckId::new(format!("prober/time/{it}"))).into(),
            max_error: Span::from_secs(1),
            settle: Span::ZERO,
        };
        Book::new(rules, at(0), 0)
    }

    /// Addresses of one check are seen with these offsets.
    fn see(book: &mut Book, seconds: i64, step: i64, check: &str, all: &[i64]) -> Vec<Known> {
        see_by(book, seconds, (step, ClockSource::Date), check, all).into_iter().flatten().collect()
    }

    fn see_by(
        book: &mut Book,
        seconds: i64,
        (wall_step, source): (i64, ClockSource),
        check: &str,
        all: &[i64],
    ) -> Vec<Option<Known>> {
        let heard = |(number, truth): (u32, &i64)| {
            let platform = u32::from(check.as_bytes()[0]) << 16;
            let address = Ipv4Addr::from_bits(0x0a00_0000 + platform + number);
            let (at_least, at_most) = (truth - SECOND / 2, truth + SECOND / 2);
            let offset = ClockOffset { at_least, at_most, source };
            let (check, address) = (CheckId::new(check), Some(IpAddr::V4(address)));
            let who = Who { check, variant: None, address, source };
            (who, Sample { offset, at: at(seconds), wall_step })
        };
        let heard: Vec<_> = (0..).zip(all).map(heard).collect();
        book.hear(&heard, JUMP_TOLD, at(seconds))
    }

    /// Who is off, and against what.
    fn off(known: &[Known]) -> Vec<Option<ClockReference>> {
        let judged = |one: &Known| {
            one.against.filter(|(offset, _)| offset.certain() > Span::ZERO).map(|(_, it)| it)
        };
        known.iter().map(judged).collect()
    }

    use ClockReference::{Agreement, Host, Ntp, Siblings};

    #[test]
    fn the_one_of_three_is_found_whatever_our_own_clock_does() {
        let mut book = book();
        let odd = |ours: i64| [ours, ours + 60 * SECOND, ours];
        assert_eq!(off(&see(&mut book, 1, 0, "a/b/c", &odd(0))), [None, Some(Agreement), None]);
        assert_eq!(book.own_error(), None);
        // Ours is wrong from the start, and the host's with it.
        let mut book = self::book();
        let found = see(&mut book, 1, 0, "a/b/c", &odd(-YEAR));
        assert_eq!(off(&found), [None, Some(Siblings), None]);
        assert_eq!(found[1].against.unwrap().0.certain(), Span::from_secs(59));
        // A second platform decides it.
        see(&mut book, 2, 0, "b/b/c", &[-YEAR]);
        let found = see(&mut book, 3, 0, "a/b/c", &odd(-YEAR));
        assert_eq!(off(&found), [None, Some(Agreement), None]);
        assert!(book.own_error().unwrap().offset.certain() > Span::from_secs(364 * 86_400));
    }

    #[test]
    fn a_sibling_is_found_that_jumps_while_our_host_does() {
        let mut book = book();
        assert_eq!(off(&see(&mut book, 1, 0, "a/b/c", &[0, 0, 0])), [None; 3]);
        // The host is set a year ahead; what farol counts is as it was.
        let found = see(&mut book, 31, YEAR, "a/b/c", &[0, 40 * SECOND, 0]);
        assert_eq!(off(&found), [None, Some(Agreement), None]);
        assert_eq!((book.own_error(), book.own().step()), (None, Some(YEAR)));
        // The host has slept for an hour, and farol's clock stood still.
        let mut book = self::book();
        see(&mut book, 1, 0, "a/b/c", &[0, 0, 0]);
        let hour = 3600 * SECOND;
        let found = see(&mut book, 31, hour, "a/b/c", &[hour, hour + 40 * SECOND, hour]);
        assert_eq!(off(&found), [None, Some(Agreement), None]);
        assert!(book.own_error().is_some());
        assert!(found[0].jumped.is_none());
        assert!(found[1].jumped.is_some_and(|by| by > 38 * SECOND));
    }

    #[test]
    fn all_backends_of_a_platform_that_jump_together_are_found() {
        let mut book = book();
        see(&mut book, 1, 0, "b/b/c", &[0]);
        assert_eq!(off(&see(&mut book, 2, 0, "a/b/c", &[0, 0, 0])), [None; 3]);
        let found = see(&mut book, 30, 0, "a/b/c", &[YEAR, YEAR, YEAR]);
        assert_eq!(off(&found), [Some(Agreement); 3]);
        assert!(found[0].jumped.is_some_and(|by| by > YEAR - 3 * SECOND));
        assert_eq!(off(&see(&mut book, 31, 0, "b/b/c", &[0])), [None]);
    }

    #[test]
    fn most_ntp_servers_that_were_named_are_believed_before_all_others() {
        let mut book = book();
        // One that is behind a name with many addresses has one voice.
        for _ in 0..3 {
            see_by(&mut book, 1, (0, ClockSource::Ntp), "prober/time/one", &[YEAR, YEAR]);
        }
        assert_eq!(off(&see(&mut book, 1, 0, "b/b/c", &[0, 0, 0])), [None; 3]);
        see_by(&mut book, 1, (0, ClockSource::Ntp), "prober/time/two", &[YEAR]);
        assert_eq!(
            off(&see(&mut book, 2, 0, "a/b/c", &[0, YEAR, 0])),
            [Some(Ntp), None, Some(Ntp)]
        );
        // Until it has not been heard for too long.
        let found = see(&mut book, 700, 0, "a/b/c", &[0, YEAR, 0]);
        assert_eq!(off(&found), [None, Some(Agreement), None]);
    }

    #[test]
    fn one_clock_alone_is_judged_by_our_host_and_an_address_has_one_voice() {
        let mut book = book();
        for check in ["a/b/c", "a/b/d", "a/b/e"] {
            assert_eq!(off(&see(&mut book, 1, 0, check, &[YEAR])), [Some(Host)]);
        }
    }

    #[test]
    fn what_a_cookie_says_counts_when_it_goes_on_with_time() {
        let mut book = book();
        let mut told = |seconds: i64, offset: i64| {
            let how = (0, ClockSource::Cookie);
            see_by(&mut book, seconds, how, "a/b/c", &[offset])[0].is_some()
        };
        assert!(!told(1, YEAR));
        assert!(!told(31, YEAR - 30 * SECOND), "written once, and never again");
        assert!(told(61, YEAR - 30 * SECOND));
    }

    #[test]
    fn only_so_many_clocks_are_remembered() {
        let mut book = book();
        let many = vec![0; MOST];
        see(&mut book, 1, 0, "a/b/c", &many);
        see(&mut book, 2, 0, "b/b/c", &[0]);
        assert_eq!(book.sights.len(), MOST);
        assert!(book.sights.keys().any(|who| who.check == CheckId::new("b/b/c")));
    }
}
