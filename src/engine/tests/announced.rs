//! Work that people announce on the status page.

use std::collections::BTreeMap;

use super::{Rig, at, component, fail, pass, policy, refused};
use crate::model::{
    Announcements, ComponentStatus, EventKind, Finding, Input, LaneId, MaintenanceId,
    MaintenanceStatus, PageMaintenance, PlatformId, Policy, Reason, Span, Subject, Timestamp,
    Window,
};

/// On which components, from when and until when.
type Announced<'a> = (&'a str, &'a [&'a str], i64, i64);

fn lane() -> LaneId {
    LaneId::of_page(&PlatformId::new("blip"))
}

impl Rig {
    /// The page was read, and announces this and nothing else.
    fn read(&mut self, secs: i64, announced: &[Announced<'_>]) {
        let maintenance = |(id, names, from, until): &Announced<'_>| {
            let components = names.iter().map(|name| component(name)).collect();
            let window = Window { from: at(*from), until: at(*until) };
            (MaintenanceId::on_page(&lane(), id), PageMaintenance { components, window })
        };
        let maintenances: BTreeMap<_, _> = announced.iter().map(maintenance).collect();
        let input = Input::Maintenance(Box::new(Announcements { lane: lane(), maintenances }));
        let decision = self.engine.handle(&input, at(secs));
        self.keep(decision);
    }

    fn turns(&self) -> Vec<(MaintenanceStatus, Timestamp)> {
        let mut turns = Vec::new();
        for event in &self.events {
            if let EventKind::MaintenanceChanged { status, .. } = &event.kind {
                turns.push((*status, event.at));
            }
        }
        turns
    }
}

fn bad() -> Finding {
    fail(Subject::Whole, refused())
}

fn good() -> Finding {
    pass(Subject::Whole)
}

/// Desk and the Portal, with a while to get well after work.
fn patient(grace: u64) -> Policy {
    let mut policy = policy(&["Desk", "Portal"]);
    for platform in policy.platforms.values_mut() {
        platform.maintenance_grace = Span::from_secs(grace);
    }
    policy
}

const WORK: Announced<'static> = ("m", &["desk"], 100, 200);

#[test]
fn work_that_goes_as_planned_publishes_nothing() {
    let mut rig = Rig::new(patient(0));
    rig.read(10, &[WORK]);
    rig.see_all(20, 110, "desk", &good());
    assert_eq!(rig.status("desk"), ComponentStatus::UnderMaintenance);
    rig.see_all(110, 190, "desk", &bad());
    rig.see_all(190, 240, "desk", &good());
    rig.read(240, &[]);
    assert!(rig.actions.is_empty());
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
    use MaintenanceStatus::{Completed, InProgress, Scheduled};
    assert_eq!(rig.turns(), [(Scheduled, at(10)), (InProgress, at(100)), (Completed, at(200))]);
}

#[test]
fn what_outlasts_it_opens_with_that_reason_after_its_grace() {
    let mut rig = Rig::new(patient(60));
    rig.read(10, &[WORK]);
    rig.see_all(120, 250, "desk", &bad());
    // It is called over on the page some time after its announced end.
    rig.read(230, &[]);
    assert!(rig.actions.is_empty());
    rig.see_all(250, 300, "desk", &bad());
    assert_eq!((rig.last().at, rig.last().started_at), (at(260), at(200)));
    let says = "The maintenance that was planned until 10:43 (GMT-03:00) on 15 September 2021 \
                should be over, but not all is well.";
    assert!(rig.last().body.starts_with(says), "{}", rig.last().body);
}

#[test]
fn a_person_who_gives_it_longer_is_followed() {
    let mut rig = Rig::new(patient(0));
    rig.read(10, &[WORK]);
    rig.see_all(120, 190, "desk", &bad());
    rig.read(190, &[("m", &["desk"], 100, 400)]);
    rig.see_all(190, 390, "desk", &bad());
    assert!(rig.actions.is_empty());
    assert_eq!(rig.status("desk"), ComponentStatus::UnderMaintenance);
    rig.see_all(390, 440, "desk", &bad());
    assert_eq!(rig.last().started_at, at(400));
}

#[test]
fn a_person_who_ends_it_early_is_followed_and_what_is_seen_then_counts() {
    // Called done, given less time, moved to another day, or not about Desk any more.
    let early: [&[Announced<'_>]; 4] = [
        &[],
        &[("m", &["desk"], 100, 140)],
        &[("m", &["desk"], 9000, 9900)],
        &[("m", &["portal"], 100, 200)],
    ];
    for announced in early {
        for grace in [0, 30] {
            let mut rig = Rig::new(patient(grace));
            rig.read(10, &[WORK]);
            rig.see_all(110, 150, "desk", &bad());
            rig.read(150, announced);
            assert!(rig.actions.is_empty(), "{announced:?}: nobody has looked since");
            assert_eq!(rig.status("desk"), ComponentStatus::UnderMaintenance);
            rig.see_all(160, 200, "desk", &bad());
            assert_eq!(rig.actions.len(), 1, "{announced:?}");
            assert_eq!(rig.last().started_at, at(150), "{announced:?}");
            assert!(rig.last().at >= at(150) + Span::from_secs(grace));
            let says = "The maintenance ended at 10:42 (GMT-03:00) on 15 September 2021, sooner than \
                        planned, but not all is well.";
            let said = rig.last().body.lines().find(|line| line.starts_with("The maintenance"));
            assert_eq!(said, Some(says), "{announced:?}: {}", rig.last().body);
        }
    }
}

#[test]
fn what_is_called_off_before_it_begins_was_never_there() {
    let mut rig = Rig::new(patient(0));
    rig.read(10, &[WORK]);
    rig.read(50, &[]);
    rig.see_all(110, 140, "desk", &bad());
    assert_eq!(rig.actions.len(), 1);
    assert!(!rig.last().body.contains("aintenance"), "{}", rig.last().body);
    assert!(rig.engine.state().windows().is_empty() && rig.engine.state().announced().is_empty());
}

#[test]
fn it_says_nothing_of_other_pages_and_goes_with_its_platform() {
    let mut rig = Rig::new(patient(0));
    rig.read(10, &[WORK]);
    let other = LaneId::of(&PlatformId::new("blip"), "embedded");
    let none = Announcements { lane: other, maintenances: BTreeMap::new() };
    let decision = rig.engine.handle(&Input::Maintenance(Box::new(none)), at(20));
    rig.keep(decision);
    rig.see_all(110, 150, "desk", &bad());
    assert!(rig.actions.is_empty());
    // A configuration that changes keeps it.
    rig.adopt(150, patient(30));
    rig.see_all(150, 190, "desk", &bad());
    assert!(rig.actions.is_empty());
    rig.adopt(190, Policy::default());
    assert!(rig.engine.state().announced().is_empty() && rig.engine.state().windows().is_empty());
}

/// 20 November 2024: work that was planned for three components, and announced on the page, takes
/// others with it. In both groups screens stay white, with an answer of 200.
#[test]
fn the_twentieth_of_november() {
    let names = ["Router", "Storage", "Search", "Panel", "Bots", "Administration", "Reports"];
    let mut groups = policy(&names);
    for (id, component) in &mut groups.components {
        let group = match id.as_str() {
            "blip/panel" | "blip/bots" => Some("Conversations"),
            "blip/administration" | "blip/reports" => Some("Back office"),
            _ => None,
        };
        component.group = group.map(str::to_owned);
    }
    let mut rig = Rig::new(groups);
    rig.read(-3600, &[("move", &["router", "storage", "search"], 0, 3600)]);
    let white = || fail(Subject::Whole, Reason::PageBlank);
    for secs in (-60..6000).step_by(10) {
        for (n, name) in (0_i64..).zip(["router", "storage", "search"]) {
            let down = (600..2000).contains(&secs);
            rig.see(secs + n, name, vec![if down { bad() } else { good() }]);
        }
        for (n, name) in (3_i64..).zip(["panel", "bots", "administration", "reports"]) {
            let down = (1140..3120).contains(&secs);
            rig.see(secs + n, name, vec![if down { white() } else { good() }]);
        }
    }
    let first = rig.actions.first().unwrap();
    let apart = "Maintenance is under way on Router, Search and Storage; this problem is not part \
                 of it.";
    assert!(first.body.starts_with(apart), "{}", first.body);
    assert!(first.at < at(1200), "within a minute");
    let held = &rig.last().components;
    assert_eq!(held.len(), 4, "{held:?}");
    for name in ["router", "storage", "search"] {
        assert!(!held.contains_key(&component(name)), "{name} is in maintenance");
    }
    assert!(rig.engine.state().incidents().is_empty(), "all is well in the end");
    insta::assert_snapshot!(rig.journal);
}
