//! The judge, tried on looks that are made up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    Backstage, IncidentSeen, Judge, Look, Outcome, Remark, Told, UpdateSeen, Wrong, WrongKind,
};
use crate::demo::scenario::{Scenario, Tempo, read, validate::Cast};
use crate::model::{ComponentStatus as S, Impact, IncidentStatus as I, Span, Timestamp};

/// Two phases of an outage, the second worse, and its two ends.
const STORY: &str = r#"
[scenario]
id = "story"
title = "A story"
about = "For the judge."
platform = "blip"
begins = "2021-09-15 10:00"
ends = "2021-09-15 11:00"
speed = 1
never = ["[Ss]orry"]

[[event]]
at = "10:10"
says = "the desk is slow"
begin = [{ id = "cut", fault = "cut" }]
symptom = true

[[expect]]
from = "10:10"
says = "Desk is slow"
components = { desk = "degraded_performance" }
incidents = 1
status = "investigating"
impact = "minor"
title = "Desk"
words = ["since 10:1[01]"]
updates = "10m"

[[event]]
at = "10:20"
says = "and out"
end = ["cut"]

[[expect]]
from = "10:20"
within = "1m"
says = "Desk and Portal are out"
components = { desk = "major_outage", portal = "partial_outage" }
incidents = 1
status = "investigating"
impact = "major"

[[expect]]
from = "10:40"
says = "both are well"
incidents = 1
status = "monitoring"
impact = "major"

[[expect]]
from = "10:45"
says = "it is over"
incidents = 1
status = "resolved"
impact = "major"
"#;

fn cast() -> Cast {
    let components = ["desk", "portal", "crm"].map(str::to_owned).into();
    Cast { components, time_zone: chrono_tz::America::Sao_Paulo }
}

fn story() -> Arc<Scenario> {
    Arc::new(read("story.toml", STORY, |_| cast()).unwrap())
}

fn backstage() -> Backstage {
    let names = [("desk", "Desk"), ("portal", "Portal"), ("crm", "CRM")];
    Backstage {
        components: names.map(|(id, name)| (id.to_owned(), name.to_owned())).into(),
        hidden: ["desk.blip.example".to_owned()].into(),
    }
}

/// 15 September 2021 in São Paulo.
fn at(hour: i64, minute: i64, second: i64) -> Timestamp {
    let midnight = 1_631_674_800;
    Timestamp::from_secs(midnight + 3_600 * hour + 60 * minute + second)
}

/// The page as it changes: what is set holds until it is set again.
#[derive(Clone)]
struct Page {
    statuses: BTreeMap<String, S>,
    incidents: Vec<IncidentSeen>,
}

impl Page {
    fn new() -> Self {
        let all = cast().components.into_iter().map(|id| (id, S::Operational));
        Self { statuses: all.collect(), incidents: Vec::new() }
    }

    fn set(&mut self, id: &str, status: S) -> &mut Self {
        self.statuses.insert(id.to_owned(), status);
        self
    }

    fn open(&mut self, title: &str) -> &mut Self {
        let id = format!("incident-{}", self.incidents.len());
        let (title, updates) = (title.to_owned(), Vec::new());
        let opened =
            IncidentSeen { id, title, status: I::Investigating, impact: Impact::None, updates };
        self.incidents.insert(0, opened);
        self
    }

    fn say(&mut self, at: Timestamp, status: I, impact: Impact, body: &str) -> &mut Self {
        let incident = &mut self.incidents[0];
        (incident.status, incident.impact) = (status, impact);
        incident.updates.insert(0, UpdateSeen { at, status, body: body.to_owned() });
        self
    }

    fn at(&self, at: Timestamp) -> Look {
        Look { at, components: self.statuses.clone(), incidents: self.incidents.clone() }
    }
}

/// The looks at a page that does everything as it should.
fn looks() -> Vec<Look> {
    let mut page = Page::new();
    let mut looks = vec![page.at(at(10, 0, 1)), page.at(at(10, 9, 59))];
    page.set("desk", S::DegradedPerformance).open("Desk is slow");
    page.say(at(10, 10, 20), I::Investigating, Impact::Minor, "Desk is slow since 10:10.");
    looks.push(page.at(at(10, 10, 21)));
    page.say(at(10, 19, 0), I::Investigating, Impact::Minor, "Desk is still slow.");
    looks.push(page.at(at(10, 19, 1)));
    page.set("desk", S::MajorOutage);
    page.say(at(10, 20, 25), I::Investigating, Impact::Critical, "Desk is out.");
    looks.push(page.at(at(10, 20, 26)));
    page.set("portal", S::PartialOutage);
    page.say(at(10, 20, 50), I::Investigating, Impact::Major, "Portal as well.");
    looks.push(page.at(at(10, 20, 51)));
    page.set("portal", S::Operational);
    looks.push(page.at(at(10, 40, 5)));
    page.set("desk", S::Operational);
    page.say(at(10, 40, 20), I::Monitoring, Impact::Major, "All is well again.");
    looks.push(page.at(at(10, 40, 21)));
    page.say(at(10, 45, 20), I::Resolved, Impact::Major, "It is over.");
    looks.push(page.at(at(10, 45, 21)));
    looks.push(page.at(at(10, 59, 59)));
    looks
}

fn judge(looks: Vec<Look>) -> (Outcome, Vec<Remark>) {
    let mut judge = Judge::new(story(), Tempo::real(), backstage());
    let mut remarks = Vec::new();
    for look in looks {
        remarks.extend(judge.look(look));
    }
    let (outcome, last) = judge.finish();
    remarks.extend(last);
    (outcome, remarks)
}

/// What is found wrong once `change` was made to every look.
fn wrongs(change: impl Fn(&mut Look)) -> Vec<(WrongKind, String)> {
    let mut all = looks();
    all.iter_mut().for_each(change);
    let (outcome, remarks) = judge(all);
    assert_eq!(
        outcome.wrongs.len(),
        remarks.iter().filter(|remark| matches!(remark, Remark::Wrong(_))).count()
    );
    outcome.wrongs.into_iter().map(|wrong| (wrong.kind, wrong.what)).collect()
}

fn has(wrongs: &[(WrongKind, String)], kind: WrongKind, part: &str) {
    let found = wrongs.iter().any(|(is, what)| *is == kind && what.contains(part));
    assert!(found, "no {kind:?} with {part:?} in {wrongs:#?}");
}

#[test]
fn a_page_that_does_as_it_should_is_right() {
    let (outcome, remarks) = judge(looks());
    assert_eq!(outcome.wrongs, []);
    assert_eq!(outcome.reached.iter().flatten().count(), 4);
    assert_eq!(outcome.longest_lag(), Some(Told::After(Span::from_secs(21))));
    assert_eq!(outcome.components.right, BTreeSet::from(["desk".into(), "portal".into()]));
    assert!(outcome.components.missing.is_empty() && outcome.components.wrong.is_empty());
    assert!(outcome.lifecycle_is_right() && outcome.words_are_right());
    let met = remarks.iter().filter(|remark| matches!(remark, Remark::Met { .. })).count();
    let told = remarks.iter().filter(|remark| matches!(remark, Remark::Told { .. })).count();
    assert_eq!((met, told, remarks.len()), (4, 1, 5));
}

#[test]
fn what_is_not_in_the_story_is_a_false_alarm_wherever_it_is() {
    let before = wrongs(|look| {
        if look.at == at(10, 9, 59) {
            look.components.insert("crm".to_owned(), S::DegradedPerformance);
        }
    });
    has(&before, WrongKind::FalseAlarm, "CRM is degraded_performance, not operational");
    let on_the_way = wrongs(|look| {
        if look.at == at(10, 20, 26) {
            look.components.insert("crm".to_owned(), S::UnderMaintenance);
        }
    });
    has(&on_the_way, WrongKind::Page, "CRM is under_maintenance on the way from operational");
    let work_passed_by = wrongs(|look| {
        if look.at == at(10, 20, 26) {
            look.components.insert("portal".to_owned(), S::UnderMaintenance);
        }
    });
    let passed_by = "Portal is under_maintenance on the way from operational to partial_outage";
    has(&work_passed_by, WrongKind::Page, passed_by);
    let once_reached = wrongs(|look| {
        if look.at == at(10, 19, 1) {
            look.components.insert("desk".to_owned(), S::Operational);
        }
    });
    has(&once_reached, WrongKind::Page, "Desk is operational, not degraded_performance");
    let second = wrongs(|look| {
        if look.at >= at(10, 19, 1) {
            let other = IncidentSeen { id: "other".to_owned(), ..look.incidents[0].clone() };
            look.incidents.push(other);
        }
    });
    has(&second, WrongKind::Page, "there are 2 incidents, not 1");
    has(&second, WrongKind::Lifecycle, "the lives of the incidents were");
}

#[test]
fn what_comes_late_or_never_is_told_once() {
    let late = wrongs(|look| {
        if look.at == at(10, 10, 21) {
            look.at = at(10, 10, 36);
        }
    });
    has(&late, WrongKind::Missed, "Desk is slow: shown 36s after it was allowed");
    has(&late, WrongKind::Late, "not on the page within 35s: the desk is slow");
    assert_eq!(late.len(), 2, "{late:#?}");
    let never = wrongs(|look| {
        if look.at >= at(10, 40, 5) {
            look.components.insert("desk".to_owned(), S::MajorOutage);
        }
    });
    has(&never, WrongKind::Missed, "it is over: Desk is major_outage, not operational");
    let unseen = wrongs(|look| {
        if look.at == at(10, 10, 21) || look.at == at(10, 19, 1) {
            look.at = at(10, 20, 0);
        }
    });
    has(&unseen, WrongKind::Missed, "never shown: Desk is slow");
}

#[test]
fn what_was_told_to_be_late_is_not_told_to_be_met() {
    let mut all = looks();
    for look in all.iter_mut().filter(|look| look.at == at(10, 20, 51)) {
        look.components.insert("desk".to_owned(), S::DegradedPerformance);
        look.at = at(10, 21, 6);
    }
    let reaches_it = looks().into_iter().find(|look| look.at == at(10, 20, 51)).unwrap();
    let place = all.iter().position(|look| look.at > at(10, 21, 6)).unwrap();
    all.insert(place, Look { at: at(10, 21, 10), ..reaches_it });
    let (outcome, remarks) = judge(all);
    let of_it = |remark: &&Remark| match remark {
        Remark::Met { says, .. } => says.contains("Desk and Portal are out"),
        Remark::Wrong(wrong) => wrong.what.contains("Desk and Portal are out"),
        Remark::Told { .. } => false,
    };
    let of_it: Vec<&Remark> = remarks.iter().filter(of_it).collect();
    assert!(matches!(of_it[..], [Remark::Wrong(_)]), "{of_it:#?}");
    assert_eq!(outcome.reached[1], Some(at(10, 21, 10)), "though it was reached");
}

#[test]
fn a_symptom_that_was_never_told_is_the_slowest() {
    let mut all = looks();
    all.retain(|look| look.at < at(10, 10, 0) || look.at > at(10, 20, 0));
    let (outcome, _) = judge(all);
    assert_eq!(outcome.longest_lag(), Some(Told::After(Span::from_secs(626))));
    let mut all = looks();
    all.iter_mut().for_each(|look| look.incidents.clear());
    let (outcome, _) = judge(all);
    assert_eq!(outcome.longest_lag(), Some(Told::Never));
    assert_eq!(Told::Never.at_most(), "not always in time");
}

#[test]
fn a_bound_is_told_as_it_is_at_the_pace_of_the_play() {
    let forty = Tempo::new(vec![(Timestamp::EPOCH, 40)]);
    let mut judge = Judge::new(story(), forty, backstage());
    let calm = Page::new();
    let _ = judge.look(calm.at(at(10, 13, 49)));
    let remarks = judge.look(calm.at(at(10, 13, 51)));
    let late = Remark::Wrong(Wrong {
        at: at(10, 13, 51),
        kind: WrongKind::Late,
        phase: 1,
        what: "not on the page within 3m 50s: the desk is slow".to_owned(),
    });
    assert!(remarks.contains(&late), "{remarks:#?}");
}

#[test]
fn a_text_must_say_what_customers_need_and_nothing_else() {
    let says = |body: &'static str| {
        wrongs(move |look| {
            for update in look.incidents.iter_mut().flat_map(|it| &mut it.updates) {
                if update.at == at(10, 10, 20) {
                    update.body = body.to_owned();
                }
            }
        })
    };
    has(&says("Desk is slow."), WrongKind::Words, "nobody was told \"since 10:1[01]\"");
    has(&says("since 10:10. We are Sorry"), WrongKind::Words, "a text says \"[Ss]orry\"");
    has(&says("since 10:10 on 127.77.0.1"), WrongKind::Words, "has an address: \"127.77.0.1\"");
    has(&says("since 10:10: 503"), WrongKind::Words, "has a status code: \"503\"");
    has(&says("since 10:10 at https://x"), WrongKind::Words, "has a link");
    has(&says("since 10:10 desk.blip.example"), WrongKind::Words, "names \"desk.blip.example\"");
    has(&says("since 10:10 Portal too"), WrongKind::Words, "names Portal, which has nothing");
    assert_eq!(says("since 10:10, Portals and deCRM are other words"), []);
}

#[test]
fn silence_and_another_life_are_noticed() {
    let silent = wrongs(|look| {
        for update in look.incidents.iter_mut().flat_map(|it| &mut it.updates) {
            if update.at == at(10, 10, 20) {
                update.at = at(10, 8, 30);
            }
        }
    });
    has(&silent, WrongKind::Silence, "no word for 10m: Desk is slow");
    let hasty = wrongs(|look| {
        for incident in &mut look.incidents {
            incident.updates.retain(|update| update.status != I::Monitoring);
        }
    });
    has(&hasty, WrongKind::Lifecycle, "investigating > resolved, not investigating > monitoring");
}
