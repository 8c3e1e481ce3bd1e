//! One component, two incidents in a row, and a status API that was slow to take the end of the
//! first.

use super::{action, answer, at, done, outbox, payload, rejected};
use crate::model::{ActionKind, ComponentStatus, IncidentStatus};
use crate::outbox::{Foreign, Outcome, Standing};

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
