//! What is told together, and what does not wait, by example.

use super::{Rig, at, backend, component, degraded, fail, pass, policy, refused, slow};
use crate::engine::WakeupReason;
use crate::model::{
    ActionKind, ComponentStatus, IncidentStatus, Input, Order, Policy, Span, Subject, Wish,
};

const WHOLE: Subject = Subject::Whole;
const ALL: [&str; 4] = ["Analytics", "CRM", "Desk", "Portal"];

fn gathered() -> Policy {
    let mut policy = policy(&ALL);
    for platform in policy.platforms.values_mut() {
        platform.group_interval = Span::from_secs(10);
    }
    policy
}

impl Rig {
    /// Three runs within two seconds fail: it is decided with the last.
    fn goes_down(&mut self, from: i64, name: &str) {
        (from..from + 3).for_each(|secs| self.see(secs, name, vec![fail(WHOLE, refused())]));
    }

    fn goes_slow(&mut self, from: i64, name: &str) {
        (from..from + 3).for_each(|secs| self.see(secs, name, vec![degraded(WHOLE, slow())]));
    }

    fn comes_back(&mut self, from: i64, name: &str) {
        (from..from + 2).for_each(|secs| self.see(secs, name, vec![pass(WHOLE)]));
    }

    fn told(&self) -> Vec<(&str, usize)> {
        self.actions
            .iter()
            .map(|action| (action.body.lines().next().unwrap_or_default(), action.components.len()))
            .collect()
    }
}

#[test]
fn the_first_word_does_not_wait_and_what_follows_is_told_together() {
    let mut rig = Rig::new(gathered());
    rig.goes_down(0, "crm");
    assert_eq!(rig.actions.len(), 1, "that something is wrong is told at once");
    rig.goes_down(3, "desk");
    rig.goes_down(6, "portal");
    assert_eq!(rig.actions.len(), 1);
    let wakeup = rig.engine.next_wakeup().unwrap();
    assert_eq!((wakeup.at - rig.last().at.since(at(0))).as_micros(), at(10).as_micros());
    assert_eq!(wakeup.reason, WakeupReason::NewsDue(rig.last().incident.clone()));
    rig.tick(13);
    assert_eq!(
        rig.told(),
        [("CRM is currently unavailable.", 1), ("Desk and Portal are now affected too.", 3)]
    );
    // Nothing has happened for a while: what happens now is told at once.
    rig.goes_down(60, "analytics");
    assert_eq!(rig.told()[2..], [("Analytics is now affected too.", 4)]);
}

#[test]
fn what_is_worse_than_ever_is_told_at_once_with_all_that_waited() {
    let mut rig = Rig::new(gathered());
    rig.goes_slow(0, "crm");
    rig.goes_slow(3, "desk");
    assert_eq!(rig.actions.len(), 1);
    rig.goes_down(6, "portal");
    assert_eq!(rig.told()[1..], [("Desk and Portal are now affected too.", 3)]);
}

#[test]
fn what_is_again_as_it_was_told_is_no_news() {
    let mut rig = Rig::new(gathered());
    rig.goes_down(0, "crm");
    rig.goes_down(3, "desk");
    rig.tick(20);
    rig.comes_back(40, "desk");
    assert_eq!(rig.told()[2..], [("Desk is working normally again.", 2)]);
    rig.goes_down(42, "desk");
    rig.comes_back(45, "desk");
    rig.tick(200);
    assert_eq!(rig.actions.len(), 3, "{:?}", rig.told());
    // One that recovers before it was told to be affected is told all the same: it is in the title.
    rig.goes_slow(210, "crm");
    rig.goes_down(214, "portal");
    rig.comes_back(217, "portal");
    rig.tick(240);
    let [better, portal] = &rig.told()[3..] else { panic!("{:?}", rig.told()) };
    assert_eq!(better.0, "The situation has improved for CRM.");
    assert_eq!(portal.0, "Portal is working normally again.");
    let portal = &rig.last().components[&component("portal")];
    assert_eq!(*portal, ComponentStatus::Operational);
}

#[test]
fn recoveries_are_gathered_and_a_relapse_is_told_at_once() {
    let mut rig = Rig::new(gathered());
    rig.goes_down(0, "crm");
    rig.goes_down(3, "desk");
    rig.tick(20);
    rig.comes_back(100, "crm");
    rig.comes_back(103, "desk");
    assert_eq!(rig.last().status, IncidentStatus::Investigating);
    rig.tick(112);
    assert_eq!(rig.last().status, IncidentStatus::Monitoring);
    rig.goes_down(113, "desk");
    assert_eq!((rig.last().status, rig.actions.len()), (IncidentStatus::Investigating, 5));
}

#[test]
fn what_waits_is_told_before_a_person_speaks() {
    let mut rig = Rig::new(gathered());
    rig.goes_down(0, "crm");
    rig.comes_back(3, "crm");
    let note = Wish::Note { text: "We are on it.".to_owned(), identified: false };
    let order = Order { incident: rig.last().incident.clone(), wish: note };
    let decision = rig.engine.handle(&Input::Operator(order), at(6));
    let steps = decision.actions.iter().map(|action| (action.kind, action.status));
    let expected = (ActionKind::Update, IncidentStatus::Monitoring);
    assert_eq!(steps.collect::<Vec<_>>(), [expected; 2]);
}

#[test]
fn that_more_or_fewer_servers_fail_is_told_but_not_each_time() {
    let mut rig = Rig::new(gathered());
    let servers = |failing: u8| {
        let found = |n| if n <= failing { fail(backend(n), refused()) } else { pass(backend(n)) };
        (1..=4).map(found).collect::<Vec<_>>()
    };
    let see = |rig: &mut Rig, from: i64, failing| {
        (from..from + 3).for_each(|secs| rig.see(secs, "crm", servers(failing)));
    };
    see(&mut rig, 0, 2);
    let part = "CRM is currently unavailable for some users: some requests fail.";
    assert_eq!(rig.told(), [(format!("{part} Two of its four servers are affected.").as_str(), 1)]);
    // Soon after a word it waits, and what is then as it was told is none.
    see(&mut rig, 20, 3);
    see(&mut rig, 40, 2);
    rig.tick(310);
    assert_eq!(rig.actions.len(), 1, "{:?}", rig.told());
    see(&mut rig, 320, 1);
    assert_eq!(rig.last().body.lines().next(), Some("The situation has improved."));
    let still = "CRM is still unavailable for some users: some requests fail.";
    let one = format!("{still} One of its four servers is affected.");
    assert!(rig.last().body.contains(&one), "{}", rig.last().body);
    see(&mut rig, 330, 3);
    assert_eq!(rig.actions.len(), 2);
    rig.tick(630);
    assert_eq!((rig.actions.len(), rig.told()[2].0), (3, "The problem has become worse."));
}

#[test]
fn no_person_calls_over_what_nobody_was_told_of() {
    let mut rig = Rig::new(gathered());
    rig.goes_down(0, "crm");
    rig.goes_down(3, "desk");
    let first = rig.last().incident.clone();
    assert_eq!(rig.actions.len(), 1);
    let order = Order { incident: first.clone(), wish: Wish::Resolve };
    let decision = rig.engine.handle(&Input::Operator(order), at(7));
    let [over, open] = &decision.actions[..] else { panic!("{:?}", decision.actions) };
    assert_eq!((&over.incident, over.kind), (&first, ActionKind::Resolve));
    assert!(!over.components.contains_key(&component("desk")), "{:?}", over.components);
    assert_eq!((open.kind, open.title.as_str()), (ActionKind::Open, "Desk is unavailable"));
}

#[test]
fn components_of_one_name_are_told_apart_by_their_groups() {
    let mut policy = gathered();
    for (id, group) in [("crm", "Administration"), ("desk", "Conversation Panel")] {
        let it = policy.components.get_mut(&component(id)).unwrap();
        (it.name, it.group) = ("Login".to_owned(), Some(group.to_owned()));
    }
    let of_portal = policy.components.get_mut(&component("portal")).unwrap();
    of_portal.group = Some("Administration".to_owned());
    let mut rig = Rig::new(policy);
    rig.goes_down(0, "desk");
    rig.goes_down(3, "portal");
    rig.tick(20);
    assert_eq!(rig.told()[0].0, "Login (Conversation Panel) is currently unavailable.");
    assert_eq!(rig.last().title, "Login (Conversation Panel) and Portal are unavailable");
}
