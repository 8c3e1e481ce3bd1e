//! Whether what a scenario file says hangs together.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::NaiveDate;
use chrono_tz::Tz;
use regex::Regex;

use super::mistake::ScenarioMistake;
use super::raw::{RawAnnouncement, RawEvent, RawExpect, RawFile, RawReport, RawScenario, Text};
use super::{Announcement, Event, Expect, Report, Scenario, Tempo, moment};
use crate::config::nearest;
use crate::demo::judge::SLACK;
use crate::demo::world::Kind;
use crate::model::{ComponentStatus, Impact, IncidentStatus, Span, Timestamp};

/// How long something may take to be shown where the file says nothing: the interval of the
/// platforms' checks.
const WITHIN: Span = Span::from_secs(30);

/// Faster than this, an interval is so short that nothing can be asked within it.
const FASTEST: u32 = 3_600;

/// What a scenario may name of its platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// The ids of its components.
    pub components: BTreeSet<String>,
    /// The zone of its customers.
    pub time_zone: Tz,
}

/// The rules of a file, each with the mistake that it makes of what breaks it:
///
/// 1. The id can name a file or a folder.
/// 2. Every time is within the story, and of events, expectations and speeds each is later than
///    the one before.
/// 3. An event does something. What it ends has begun, and what it begins is not there yet.
/// 4. A first symptom has an expectation that begins with it.
/// 5. Components are those of the platform; what is expected can be published.
/// 6. An expectation can come true before the next begins, at the pace of the file.
pub(super) fn validate(
    file: RawFile,
    cast: impl FnOnce(Kind) -> Cast,
) -> (Option<Scenario>, Vec<ScenarioMistake>) {
    let Some(head) = file.scenario else { return (None, Vec::new()) };
    let mut reader = Reader::new(&head, cast(head.platform));
    let tempo = reader.tempo(head.speed.clone().into_inner(), &head, file.speeds);
    let report = file.report.map(|report| reader.report(report));
    let places: Vec<Range<usize>> = file.expects.iter().map(|expect| expect.span.clone()).collect();
    let symptoms: Vec<(Range<usize>, bool)> =
        file.events.iter().map(|event| (event.span.clone(), event.symptom)).collect();
    let events: Vec<Event> = reader.events(file.events);
    let expects: Vec<Expect> = reader.expects(file.expects);
    for ((span, symptom), event) in symptoms.iter().zip(&events) {
        if *symptom && !expects.iter().any(|expect| expect.from == event.at) {
            reader.wrong(span, "a first symptom needs an [[expect]] that begins with it");
        }
    }
    reader.can_come_true(&expects, &places, &tempo);
    let never = reader.patterns(&head.never);
    let scenario = Scenario {
        id: head.id.into_inner(),
        title: head.title,
        about: head.about,
        platform: head.platform,
        time_zone: reader.cast.time_zone,
        begins: reader.begins,
        ends: reader.ends,
        tempo,
        report,
        events,
        expects,
        never,
    };
    (Some(scenario), reader.mistakes)
}

/// Whether it can be the name of a file or a folder, and leads nowhere else.
fn is_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.chars().all(fits)
}

/// Reads values one by one; what is wrong is noted, and something harmless put in its place.
struct Reader {
    platform: Kind,
    cast: Cast,
    day: NaiveDate,
    begins: Timestamp,
    ends: Timestamp,
    mistakes: Vec<ScenarioMistake>,
}

impl Reader {
    fn new(head: &RawScenario, cast: Cast) -> Self {
        let mut reader = Self {
            platform: head.platform,
            cast,
            day: NaiveDate::default(),
            begins: Timestamp::EPOCH,
            ends: Timestamp::from_micros(i64::MAX),
            mistakes: Vec::new(),
        };
        match moment::whole(head.begins.get_ref()) {
            Some(begins) => {
                reader.day = begins.date();
                reader.begins = moment::instant(begins, reader.cast.time_zone);
            }
            None => {
                let what = "expected a day and a local time such as \"2021-09-15 10:40\"";
                reader.wrong(&head.begins.span(), what);
            }
        }
        match reader.parsed(&head.ends) {
            Some(ends) if ends > reader.begins => reader.ends = ends,
            Some(_) => reader.wrong(&head.ends.span(), "a story must end after it begins"),
            None => {}
        }
        if !is_id(head.id.get_ref()) {
            let what =
                "an id is of letters without accents, digits, - and _: files are named by it";
            reader.wrong(&head.id.span(), what);
        }
        reader
    }

    fn wrong(&mut self, span: &Range<usize>, what: impl Into<String>) {
        self.mistakes.push(ScenarioMistake::new(span.clone(), what));
    }

    /// A time in the story; outside of it is wrong.
    fn time_within(&mut self, text: &Text) -> Option<Timestamp> {
        let at = self.parsed(text)?;
        if at < self.begins || at > self.ends {
            self.wrong(&text.span(), "this is outside of the story, from `begins` to `ends`");
            return None;
        }
        Some(at)
    }

    /// A time, in the story or not: reports tell of what came before and after.
    fn any_time(&mut self, text: &Text) -> Timestamp {
        self.parsed(text).unwrap_or(self.begins)
    }

    fn parsed(&mut self, text: &Text) -> Option<Timestamp> {
        let local = moment::on(self.day, text.get_ref());
        if local.is_none() {
            self.wrong(&text.span(), format!("expected {}", moment::EXPECTED));
        }
        local.map(|local| moment::instant(local, self.cast.time_zone))
    }

    /// A time that must not be before `last`, which becomes it.
    fn next(&mut self, text: &Text, last: &mut Timestamp) -> Timestamp {
        let Some(at) = self.time_within(text) else { return *last };
        if at < *last {
            self.wrong(&text.span(), "this is earlier than the one before it");
        }
        *last = at.max(*last);
        at
    }

    fn span(&mut self, text: &Text) -> Span {
        match humantime::parse_duration(text.get_ref()) {
            Ok(length) => length.into(),
            Err(_) => {
                self.wrong(&text.span(), "expected a length of time such as \"30s\" or \"5m\"");
                Span::ZERO
            }
        }
    }

    fn speed(&mut self, speed: u32, span: &Range<usize>) -> u32 {
        if !(1..=FASTEST).contains(&speed) {
            self.wrong(span, format!("a speed is from 1 to {FASTEST}"));
        }
        speed.clamp(1, FASTEST)
    }

    fn tempo(
        &mut self,
        first: u32,
        head: &RawScenario,
        speeds: Vec<super::raw::RawSpeed>,
    ) -> Tempo {
        let first = self.speed(first, &head.speed.span());
        let mut stretches = vec![(self.begins, first)];
        let mut last = self.begins;
        for each in speeds {
            let from = self.next(&each.from, &mut last);
            let speed = self.speed(*each.speed.get_ref(), &each.speed.span());
            stretches.push((from, speed));
        }
        Tempo::new(stretches)
    }

    fn report(&mut self, report: RawReport) -> Report {
        Report {
            title: report.title,
            impact_from: self.any_time(&report.impact_from),
            first_post: self.any_time(&report.first_post),
            resolved: self.any_time(&report.resolved),
            components: self.components(&report.components),
        }
    }

    fn component(&mut self, text: &Text) -> String {
        let name = text.get_ref();
        if !self.cast.components.contains(name) {
            let known = self.cast.components.iter().map(String::as_str);
            let help = match nearest(name, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
            };
            self.wrong(&text.span(), format!("the platform has no component `{name}`; {help}"));
        }
        name.clone()
    }

    fn components(&mut self, texts: &[Text]) -> BTreeSet<String> {
        texts.iter().map(|text| self.component(text)).collect()
    }

    fn events(&mut self, events: Vec<RawEvent>) -> Vec<Event> {
        let (mut last, mut there) = (self.begins, BTreeSet::new());
        events.into_iter().map(|event| self.event(event, &mut last, &mut there)).collect()
    }

    fn event(
        &mut self,
        event: RawEvent,
        last: &mut Timestamp,
        there: &mut BTreeSet<String>,
    ) -> Event {
        let at = self.next(&event.at, last);
        for id in &event.end {
            if !there.remove(id.get_ref()) {
                let help = match nearest(id.get_ref(), there.iter().map(String::as_str)) {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None => String::new(),
                };
                let what =
                    format!("nothing that is called `{id}` has begun{help}", id = id.get_ref());
                self.wrong(&id.span(), what);
            }
        }
        for (id, fault) in &event.faults {
            if let Some(what) = self.platform.misses(fault) {
                self.wrong(&id.span(), what);
            }
            if !there.insert(id.get_ref().clone()) {
                let what = format!("`{}` has begun already and was not ended", id.get_ref());
                self.wrong(&id.span(), what);
            }
        }
        let wall_step = event.wall_step.map(|text| {
            moment::step(text.get_ref()).unwrap_or_else(|| {
                self.wrong(&text.span(), "expected how far the clock is set: \"1h\" or \"-40m\"");
                0
            })
        });
        let does = event.begin.is_some()
            || !event.end.is_empty()
            || event.announce.is_some()
            || wall_step.is_some();
        if !does {
            self.wrong(&event.span, "nothing happens: `begin`, `end`, `announce` or `wall_step`");
        }
        let plain = |text: Text| text.into_inner();
        Event {
            at,
            says: event.says,
            begin: event.faults.into_iter().map(|(id, fault)| (plain(id), fault)).collect(),
            end: event.end.into_iter().map(plain).collect(),
            announce: event.announce.map(|announce| self.announcement(announce)),
            wall_step,
            symptom: event.symptom,
        }
    }

    fn announcement(&mut self, announce: RawAnnouncement) -> Announcement {
        let from = self.any_time(&announce.from);
        let until = self.any_time(&announce.until);
        if until <= from {
            self.wrong(&announce.until.span(), "work must end after it begins");
        }
        let components = self.components(&announce.components);
        Announcement { name: announce.name, components, from, until }
    }

    fn expects(&mut self, expects: Vec<RawExpect>) -> Vec<Expect> {
        let mut last = self.begins;
        expects.into_iter().map(|expect| self.expect(expect, &mut last)).collect()
    }

    fn expect(&mut self, expect: RawExpect, last: &mut Timestamp) -> Expect {
        let from = self.next(&expect.from, last);
        let incidents = *expect.incidents.get_ref();
        let says_of_one = expect.status.is_some() && expect.impact.is_some();
        if incidents > 0 && !says_of_one {
            self.wrong(
                &expect.span,
                "where there is an incident, its `status` and `impact` are needed",
            );
        }
        let of_one = says_of_one || expect.title.is_some() || !expect.words.is_empty();
        if incidents == 0 && of_one {
            let what = "without an incident there is neither status, impact, title nor words";
            self.wrong(&expect.incidents.span(), what);
        }
        let within = expect.within.map_or(WITHIN, |text| self.span(&text));
        Expect {
            from,
            within,
            says: expect.says,
            components: self.statuses(expect.components),
            incidents,
            status: expect
                .status
                .and_then(|text| self.word(&text, IncidentStatus::parse, "status")),
            impact: expect.impact.and_then(|text| self.word(&text, parse_impact, "impact")),
            title: expect.title.and_then(|text| self.pattern(&text)),
            words: self.patterns(&expect.words),
            never: self.patterns(&expect.never),
            updates: expect.updates.map(|text| self.span(&text)),
        }
    }

    fn statuses(&mut self, all: BTreeMap<Text, Text>) -> BTreeMap<String, ComponentStatus> {
        let mut statuses = BTreeMap::new();
        for (component, status) in all {
            let id = self.component(&component);
            if let Some(status) = self.word(&status, ComponentStatus::parse, "status") {
                statuses.insert(id, status);
            }
        }
        statuses
    }

    fn word<T>(&mut self, text: &Text, parse: fn(&str) -> Option<T>, what: &str) -> Option<T> {
        let word = parse(text.get_ref());
        if word.is_none() {
            let what = format!("`{}` is no {what} that a status page knows", text.get_ref());
            self.wrong(&text.span(), what);
        }
        word
    }

    fn pattern(&mut self, text: &Text) -> Option<Regex> {
        match Regex::new(text.get_ref()) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let error = error.to_string();
                let what = error.lines().last().unwrap_or_default();
                self.wrong(&text.span(), format!("this is no regular expression: {what}"));
                None
            }
        }
    }

    fn patterns(&mut self, texts: &[Text]) -> Vec<Regex> {
        texts.iter().filter_map(|text| self.pattern(text)).collect()
    }

    fn can_come_true(&mut self, expects: &[Expect], places: &[Range<usize>], tempo: &Tempo) {
        let ends = self.ends;
        let nexts = expects.iter().skip(1).map(|next| next.from).chain([ends]);
        for ((expect, next), place) in expects.iter().zip(nexts).zip(places) {
            let deadline = tempo.after(expect.from + expect.within, SLACK);
            if deadline > next {
                let late = Span::from(deadline.since(next));
                let what = format!(
                    "this may take until {late} after the next begins: make `within` shorter, the \
                     pace slower, or the next later"
                );
                self.wrong(place, what);
            }
        }
    }
}

fn parse_impact(text: &str) -> Option<Impact> {
    Impact::ALL.into_iter().find(|impact| impact.as_str() == text)
}
