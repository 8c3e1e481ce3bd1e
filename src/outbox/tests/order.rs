//! One component, two incidents in a row, and a status API that was slow to take the end of the
//! first.

use super::{action, answer, at, component, done, outbox, payload, rejected, remote, uncertain};
use crate::model::{Action, ActionKind, ComponentStatus, IncidentKey, IncidentStatus};
use crate::outbox::{Foreign, Outcome, RemoteId, Request, Standing};

#[test]
fn a_new_incident_goes_after_the_end_of_an_earlier_one_on_its_component() {
    let (mut outbox, mut now) = (outbox(), at(0));
    outbox.push(action("a", 1, ActionKind::Open, 0));
    let _opened = answer(&mut outbox, &mut now, done("r1"));
    outbox.push(action("a", 2, ActionKind::Resolve, 60));
    now = at(60);
    let failed = Outcome::NotSent { detail: "refused".to_owned() };
    let _tried = answer(&mut outbox, &mut now, failed);
    // It fails again while the end is not on the page.
    outbox.push(action("b", 1, ActionKind::Open, 61));
    let (end, _) = answer(&mut outbox, &mut now, done("r1"));
    assert_eq!((payload(&end).key.as_str(), payload(&end).status), ("a", IncidentStatus::Resolved));
    let (new, _) = answer(&mut outbox, &mut now, done("r2"));
    let new = payload(&new);
    assert_eq!((new.key.as_str(), new.status), ("b", IncidentStatus::Investigating));
    assert!(new.components.values().all(|is| *is == ComponentStatus::PartialOutage));
}

#[test]
fn an_incident_takes_in_a_component_after_the_end_of_another_one_on_it() {
    let (mut outbox, mut now) = (outbox(), at(0));
    let elsewhere = |mut action: Action, and_desk: bool| {
        let is = ComponentStatus::PartialOutage;
        action.components.retain(|_, _| and_desk);
        action.components.insert(component("crm"), is);
        action
    };
    outbox.push(elsewhere(action("b", 1, ActionKind::Open, 0), false));
    let _opened = answer(&mut outbox, &mut now, done("r1"));
    outbox.push(action("a", 1, ActionKind::Open, 10));
    now = at(10);
    let _opened = answer(&mut outbox, &mut now, done("r2"));
    outbox.push(action("a", 2, ActionKind::Resolve, 60));
    now = at(60);
    // Nobody can tell whether the end stands there, and nobody answers the one who looks.
    let _tried = answer(&mut outbox, &mut now, uncertain());
    let (look, _) = answer(&mut outbox, &mut now, uncertain());
    let read = Request::Read { remote: RemoteId::new("r2"), key: IncidentKey::new("a") };
    assert_eq!(look, read);
    // It fails again meanwhile, and this time as a part of the other incident.
    outbox.push(elsewhere(action("b", 2, ActionKind::Update, 61), true));
    let stands = Outcome::Found(vec![remote("r2", "a", 2, 60)]);
    let (look, _) = answer(&mut outbox, &mut now, stands);
    assert_eq!(look, read, "the end comes first");
    let (later, _) = answer(&mut outbox, &mut now, done("r1"));
    assert_eq!((payload(&later).key.as_str(), payload(&later).components.len()), ("b", 2));
}

#[test]
fn what_the_api_refuses_holds_up_no_other_incident() {
    let (mut outbox, mut now) = (outbox(), at(0));
    outbox.push(action("a", 1, ActionKind::Open, 0));
    let _opened = answer(&mut outbox, &mut now, done("r1"));
    outbox.push(action("a", 2, ActionKind::Resolve, 60));
    now = at(60);
    let _refused = answer(&mut outbox, &mut now, rejected(403));
    outbox.push(action("b", 1, ActionKind::Open, 61));
    let (new, _) = answer(&mut outbox, &mut now, done("r2"));
    assert_eq!(payload(&new).key.as_str(), "b");
}

#[test]
fn what_a_component_is_like_later_says_nothing_of_an_incident_that_is_over() {
    let standing = |status: &str, is: &str| Standing {
        status: status.to_owned(),
        components: [("desk".to_owned(), is.to_owned())].into(),
        ..Standing::default()
    };
    let (over, later) = (standing("resolved", "operational"), standing("resolved", "major_outage"));
    assert_eq!(over.foreign(&later), None);
    let (open, changed) =
        (standing("monitoring", "operational"), standing("monitoring", "major_outage"));
    assert_eq!(open.foreign(&changed), Some(Foreign::Components));
}
