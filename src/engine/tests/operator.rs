//! What the operator says of incidents, and what comes of it.

use super::{Rig, at, fail, pass, policy, refused};
use crate::engine::Engine;
use crate::model::{
    ActionKind, ComponentStatus, IncidentKey, IncidentStatus, Input, Order, Span, Subject, Wish,
};

const WHOLE: Subject = Subject::Whole;

impl Rig {
    fn say(&mut self, secs: i64, incident: &IncidentKey, wish: Wish) {
        let order = Input::Operator(Order { incident: incident.clone(), wish });
        let decision = self.engine.handle(&order, at(secs));
        self.keep(decision);
    }

    fn fails(&mut self, from: i64, to: i64, name: &str) {
        self.see_all(from, to, name, &fail(WHOLE, refused()));
    }

    fn passes(&mut self, from: i64, to: i64, name: &str) {
        self.see_all(from, to, name, &pass(WHOLE));
    }

    fn opened(&self) -> usize {
        self.actions.iter().filter(|action| action.kind == ActionKind::Open).count()
    }
}

fn note(text: &str, identified: bool) -> Wish {
    Wish::Note { text: text.to_owned(), identified }
}

/// An incident of Portal, open at second 30.
fn opened(names: &[&str]) -> (Rig, IncidentKey) {
    let mut rig = Rig::new(policy(names));
    rig.fails(0, 30, "portal");
    let key = rig.last().incident.clone();
    (rig, key)
}

#[test]
fn what_is_called_over_ends_at_once_and_the_trouble_that_lasts_opens_nothing() {
    let (mut rig, key) = opened(&["Portal"]);
    rig.say(60, &key, Wish::Resolve);
    let last = rig.last();
    assert_eq!(
        (last.kind, last.status, last.sequence),
        (ActionKind::Resolve, IncidentStatus::Resolved, 2)
    );
    assert_eq!(
        last.body,
        "Our team has resolved this incident.\n\n\
         It began at 10:40 (GMT-03:00) on 15 September 2021 and lasted 1 minute."
    );
    // Nobody would set the page right afterwards.
    assert!(last.components.values().all(|status| *status == ComponentStatus::Operational));
    assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
    rig.fails(70, 3 * 3_600, "portal");
    assert_eq!(rig.actions.len(), 2, "the same trouble is not told again, for however long");
    let respected: Vec<_> = rig.engine.state().respected().collect();
    assert!(respected[0].1.lasts && respected[0].1.incident == key, "{respected:?}");
    // It was well once: what fails now is another trouble.
    rig.passes(10_800, 10_830, "portal");
    assert_eq!(rig.engine.state().respected().count(), 0);
    rig.fails(10_830, 10_860, "portal");
    assert_eq!((rig.opened(), rig.last().kind), (2, ActionKind::Open));
}

#[test]
fn other_trouble_waits_until_the_word_is_an_hour_old() {
    let (mut rig, key) = opened(&["Portal", "Desk"]);
    rig.say(60, &key, Wish::Resolve);
    rig.passes(70, 100, "portal");
    rig.fails(100, 140, "portal");
    assert_eq!(rig.opened(), 1);
    rig.tick(60 + 3_599);
    assert_eq!(rig.opened(), 1);
    rig.tick(60 + 3_600);
    assert_eq!((rig.opened(), rig.last().at), (2, at(3_660)));
    // What recovers in time was never one; and others are no concern of that word.
    let (mut rig, key) = opened(&["Portal", "Desk"]);
    rig.say(60, &key, Wish::Resolve);
    rig.passes(70, 100, "portal");
    rig.fails(100, 140, "portal");
    rig.passes(140, 170, "portal");
    rig.tick(10_000);
    assert_eq!(rig.opened(), 1);
    rig.fails(10_000, 10_030, "desk");
    assert_eq!(rig.opened(), 2);
}

#[test]
fn what_is_called_over_stays_out_of_the_incidents_of_others_and_is_referred_to() {
    let mut rules = policy(&["Portal", "Desk"]);
    for platform in rules.platforms.values_mut() {
        platform.reopen_within = Span::from_secs(7_200);
    }
    let mut rig = Rig::new(rules);
    rig.fails(0, 30, "portal");
    let key = rig.last().incident.clone();
    rig.say(60, &key, Wish::Resolve);
    rig.fails(60, 90, "portal");
    rig.fails(90, 120, "desk");
    assert_eq!(rig.last().components.len(), 1, "{:?}", rig.last());
    rig.passes(120, 150, "portal");
    rig.fails(150, 180, "portal");
    assert_eq!(rig.last().components.len(), 2, "other trouble joins what is open");
    assert_eq!(rig.last().follows, Some(key));
}

#[test]
fn a_note_is_an_update_in_a_persons_words_and_counts_as_news() {
    let (mut rig, key) = opened(&["Portal"]);
    let promised = rig.engine.state().incidents()[&key].next_update_at().unwrap();
    rig.say(60, &key, note("We have found a broken switch.", true));
    let last = rig.last();
    assert_eq!((last.kind, last.status), (ActionKind::Update, IncidentStatus::Identified));
    assert_eq!((last.body.as_str(), last.by_person), ("We have found a broken switch.", true));
    assert_eq!(last.components.values().next(), Some(&ComponentStatus::MajorOutage));
    let next = rig.engine.state().incidents()[&key].next_update_at().unwrap();
    assert!(next > promised && next == at(60 + 1_800));
    // The cause stays known until all is well; should it fail again, that is another question.
    rig.passes(70, 100, "portal");
    assert_eq!(rig.last().status, IncidentStatus::Monitoring);
    rig.say(110, &key, note("The switch was replaced.", true));
    assert_eq!(rig.last().status, IncidentStatus::Monitoring, "that is over already");
    rig.fails(120, 150, "portal");
    assert_eq!(rig.last().status, IncidentStatus::Investigating);
}

#[test]
fn of_an_incident_that_is_not_open_nothing_can_be_said() {
    let (mut rig, key) = opened(&["Portal"]);
    rig.say(60, &key, Wish::Resolve);
    let (state, said) = (rig.engine.state().clone(), rig.actions.len());
    for wish in [Wish::Resolve, note("Hello.", false)] {
        rig.say(60, &key, wish.clone());
        rig.say(60, &IncidentKey::new("nobody"), wish);
    }
    assert_eq!((rig.engine.state(), rig.actions.len()), (&state, said));
    // An old state knows of no words.
    let mut json = serde_json::to_value(Engine::default().state()).unwrap();
    assert_eq!(json.as_object_mut().unwrap().remove("respected"), None);
}
