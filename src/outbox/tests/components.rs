//! Components that are set apart from incidents.

mod chance;

use std::collections::BTreeSet;

use super::{
    Attempt, Notice, Outbox, Outcome, Request, State, Timing, action, answer, at, component, done,
    payload, uncertain,
};
use crate::model::{
    Action, ActionKind, ComponentId, ComponentStatus, Impact, IncidentKey, Mode, Modes, Publishing,
    Span, Timestamp,
};
use crate::outbox::{ComponentNews, Foreign, Lead, RemoteId, Shows};

use ActionKind::{Open, Resolve, Update};
use ComponentStatus::{MajorOutage, Operational, PartialOutage};

const MODES: Modes =
    Modes { minor: Mode::ComponentOnly, major: Mode::ComponentOnly, critical: Mode::Full };

fn lead(state: State, modes: Modes) -> Outbox {
    let timing = Timing { sets_components: true, ..Timing::default() };
    let publishing = Publishing { modes, ..Publishing::default() };
    Outbox::new("install", state, timing).with_publishing(publishing)
}

fn outbox() -> Outbox {
    lead(State::default(), MODES)
}

fn restarted(outbox: &Outbox, now: Timestamp) -> Outbox {
    let saved = State::from_json(&outbox.state().to_json().unwrap()).unwrap();
    let mut outbox = lead(saved, MODES);
    outbox.resume(now);
    outbox
}

/// A page with one component, on which farol and people work.
struct Page {
    desk: ComponentStatus,
    /// Something of somebody else's that is open and has it.
    open: Option<RemoteId>,
    written: Vec<ComponentStatus>,
}

impl Page {
    fn new() -> Self {
        Self { desk: Operational, open: None, written: Vec::new() }
    }

    fn carry_out(&mut self, request: &Request) -> Shows {
        let Request::SetComponent { component: id, status, expect, .. } = request else {
            panic!("only components are set: {request:?}");
        };
        assert_eq!(id, &component("desk"));
        if !expect.contains(&self.desk) {
            return Shows::Other(self.desk.to_string());
        }
        if self.desk == *status {
            return Shows::Wanted;
        }
        if let Some(open) = &self.open {
            return Shows::Held(open.clone());
        }
        self.desk = *status;
        self.written.push(*status);
        Shows::Wanted
    }

    /// Does all that the outbox wants until `now` and gathers what is said.
    fn serve(&mut self, outbox: &mut Outbox, now: Timestamp) -> Vec<ComponentNews> {
        let mut told = Vec::new();
        for second in 0..20 {
            let now = now + Span::from_secs(second);
            let Some(Attempt { id, request, .. }) = outbox.next(now) else { continue };
            let shows = self.carry_out(&request);
            for notice in outbox.outcome(id, Outcome::Component(shows), now) {
                let Notice::Component { news, .. } = notice else { panic!("{notice}") };
                told.push(news);
            }
        }
        told
    }
}

fn step(key: &str, sequence: u32, kind: ActionKind, secs: i64, desk: ComponentStatus) -> Action {
    let plain = action(key, sequence, kind, secs);
    Action { components: [(component("desk"), desk)].into(), ..plain }
}

fn state_of(outbox: &Outbox, key: &str) -> Option<Lead> {
    outbox.view(&IncidentKey::new(key)).map(|view| view.state)
}

#[test]
fn the_component_is_set_and_set_back_and_no_incident_is_written() {
    let (mut outbox, mut page) = (outbox(), Page::new());
    outbox.push(step("a", 1, Open, 0, PartialOutage));
    assert_eq!(outbox.pending(), 1);
    assert_eq!(page.serve(&mut outbox, at(0)), [ComponentNews::Set(PartialOutage)]);
    assert_eq!((outbox.pending(), outbox.next_wakeup()), (0, None));
    assert_eq!(state_of(&outbox, "a"), Some(Lead::Components));
    outbox.push(step("a", 2, Update, 60, MajorOutage));
    page.serve(&mut outbox, at(60));
    outbox.push(step("a", 3, Update, 120, MajorOutage));
    assert_eq!(outbox.next_wakeup(), None, "it shows that already");
    outbox.push(step("a", 4, Resolve, 180, Operational));
    page.serve(&mut outbox, at(180));
    assert_eq!(page.written, [PartialOutage, MajorOutage, Operational]);
    assert_eq!(outbox.state().to_json().unwrap().find("board"), None, "nothing is left of it");
    assert_eq!((outbox.views().len(), outbox.next_wakeup()), (0, None));
}

#[test]
fn of_two_incidents_the_worse_decides_and_the_component_is_well_when_both_are_over() {
    let (mut outbox, mut page) = (outbox(), Page::new());
    outbox.push(step("a", 1, Open, 0, PartialOutage));
    outbox.push(step("b", 1, Open, 0, MajorOutage));
    page.serve(&mut outbox, at(0));
    outbox.push(step("b", 2, Resolve, 60, Operational));
    page.serve(&mut outbox, at(60));
    outbox.push(step("a", 2, Resolve, 120, Operational));
    page.serve(&mut outbox, at(120));
    assert_eq!(page.written, [MajorOutage, PartialOutage, Operational]);
}

#[test]
fn what_gets_worse_is_opened_as_an_incident_and_led_to_its_end_as_one() {
    let (mut outbox, mut page) = (outbox(), Page::new());
    outbox.push(step("a", 1, Open, 0, PartialOutage));
    page.serve(&mut outbox, at(0));
    let worse = Action { impact: Impact::Critical, ..step("a", 2, Update, 60, MajorOutage) };
    outbox.push(worse);
    let mut now = at(60);
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    let opened = payload(&request);
    assert!(matches!(request, Request::Create(_)), "{request:?}");
    assert_eq!((opened.kind, opened.notify, &*opened.body), (Open, true, "a#1\n\na#2"));
    assert_eq!(opened.components, [(component("desk"), MajorOutage)].into());
    assert_eq!(state_of(&outbox, "a"), Some(Lead::Published));
    // The configuration that says so is changed, which changes nothing of what stands there.
    let modes = Modes::all(Mode::ComponentOnly);
    let mut outbox = outbox.with_publishing(Publishing { modes, ..Publishing::default() });
    outbox.push(step("a", 3, Resolve, 120, Operational));
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(matches!(request, Request::Update { .. }), "{request:?}");
    assert_eq!(outbox.next_wakeup(), None, "the incident's end set the component back");
}

#[test]
fn what_would_only_be_a_draft_or_nothing_from_then_on_goes_on_with_its_components() {
    for worse in [Mode::Draft, Mode::Off, Mode::Observe] {
        let modes = Modes { critical: worse, ..MODES };
        let (mut outbox, mut page) = (lead(State::default(), modes), Page::new());
        outbox.push(step("a", 1, Open, 0, PartialOutage));
        page.serve(&mut outbox, at(0));
        let worse = |sequence, kind, secs, desk| Action {
            impact: Impact::Critical,
            ..step("a", sequence, kind, secs, desk)
        };
        outbox.push(worse(2, Update, 60, MajorOutage));
        page.serve(&mut outbox, at(60));
        // A draft expires, and its components are led on.
        let _told = outbox.tick(at(4_000));
        page.serve(&mut outbox, at(4_000));
        assert_eq!(state_of(&outbox, "a"), Some(Lead::Components));
        outbox.push(worse(3, Resolve, 5_000, Operational));
        page.serve(&mut outbox, at(5_000));
        assert_eq!(page.written, [PartialOutage, MajorOutage, Operational]);
    }
}

#[test]
fn an_approval_makes_an_incident_of_it() {
    let (mut outbox, mut page) = (outbox(), Page::new());
    outbox.push(step("a", 1, Open, 0, PartialOutage));
    page.serve(&mut outbox, at(0));
    assert!(outbox.approve(&IncidentKey::new("a")).is_some());
    let (request, _) = answer(&mut outbox, &mut at(60), done("r1"));
    assert!(matches!(&request, Request::Create(payload) if !payload.notify), "{request:?}");
}

#[test]
fn what_a_person_set_is_theirs_until_the_trouble_is_over_or_the_operator_says_so() {
    let (mut outbox, mut page) = (outbox(), Page::new());
    // A person set it before, to the very thing that farol would say.
    page.desk = PartialOutage;
    outbox.push(step("a", 1, Open, 0, PartialOutage));
    let theirs = ComponentNews::Theirs("partial_outage".to_owned());
    assert_eq!(page.serve(&mut outbox, at(0)), [theirs]);
    let view = outbox.view(&IncidentKey::new("a")).unwrap();
    assert_eq!(view.why.as_deref(), Some("somebody set blip/desk"));
    outbox.push(step("a", 2, Update, 60, MajorOutage));
    assert_eq!(outbox.next_wakeup(), None);
    let mut outbox = restarted(&outbox, at(70));
    assert_eq!(page.serve(&mut outbox, at(70)), []);
    outbox.push(step("a", 3, Resolve, 120, Operational));
    assert_eq!(page.serve(&mut outbox, at(120)), []);
    assert_eq!((page.desk, page.written.len()), (PartialOutage, 0), "never set back by us");

    page.desk = Operational;
    outbox.push(step("b", 1, Open, 200, PartialOutage));
    page.serve(&mut outbox, at(200));
    page.desk = Operational;
    outbox.push(step("b", 2, Update, 260, MajorOutage));
    page.serve(&mut outbox, at(260));
    assert_eq!(page.written, [PartialOutage], "somebody says that it is well");
    assert!(outbox.rejoin(&IncidentKey::new("b")).is_some());
    page.serve(&mut outbox, at(300));
    outbox.push(step("b", 3, Resolve, 360, Operational));
    page.serve(&mut outbox, at(360));
    assert_eq!(page.written, [PartialOutage, MajorOutage, Operational]);
}

#[test]
fn only_what_farol_set_and_nobody_has_is_set_back() {
    let (mut outbox, mut page) = (outbox(), Page::new());
    outbox.push(step("a", 1, Open, 0, PartialOutage));
    page.serve(&mut outbox, at(0));
    page.open = Some(RemoteId::new("human"));
    outbox.push(step("a", 2, Resolve, 60, Operational));
    let held = ComponentNews::Held(RemoteId::new("human"));
    assert_eq!(page.serve(&mut outbox, at(60)), [held]);
    assert_eq!(page.serve(&mut outbox, at(400)), [], "told once");
    // Their incident is over, and left the component as we had set it.
    page.open = None;
    page.serve(&mut outbox, at(800));
    assert_eq!(page.written, [PartialOutage, Operational]);

    outbox.push(step("b", 1, Open, 1_000, PartialOutage));
    page.serve(&mut outbox, at(1_000));
    page.desk = MajorOutage;
    outbox.push(step("b", 2, Resolve, 1_060, Operational));
    page.serve(&mut outbox, at(1_060));
    assert_eq!((page.desk, outbox.next_wakeup()), (MajorOutage, None), "a person's");
}

#[test]
fn what_the_operator_has_is_not_set() {
    let (mut outbox, mut page) = (outbox(), Page::new());
    outbox.push(step("a", 1, Open, 0, PartialOutage));
    page.serve(&mut outbox, at(0));
    let left = outbox.leave(&IncidentKey::new("a"), at(30));
    assert!(matches!(left, Some(Notice::Detached { why: Foreign::Asked, .. })), "{left:?}");
    outbox.push(step("a", 2, Resolve, 60, Operational));
    assert_eq!((page.serve(&mut outbox, at(60)), page.desk), (Vec::new(), PartialOutage));
}

/// Which request the next one is, and what becomes of it, whether or not it was carried out.
fn fail(outbox: &mut Outbox, page: &mut Page, now: Timestamp, arrives: bool, outcome: Outcome) {
    let attempt = outbox.next(now).unwrap();
    if arrives {
        page.carry_out(&attempt.request);
    }
    let _told = outbox.outcome(attempt.id, outcome, now);
}

#[test]
fn a_crash_or_a_lost_answer_in_between_leaves_no_component_behind() {
    for (arrives, crashes) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut outbox, mut page) = (outbox(), Page::new());
        outbox.push(step("a", 1, Open, 0, PartialOutage));
        if crashes {
            let attempt = outbox.next(at(0)).unwrap();
            let saved = outbox.clone();
            if arrives {
                page.carry_out(&attempt.request);
            }
            outbox = restarted(&saved, at(5));
        } else {
            fail(&mut outbox, &mut page, at(0), arrives, uncertain());
        }
        // It got worse meanwhile, and what may have arrived is no person's doing.
        outbox.push(step("a", 2, Update, 10, MajorOutage));
        let told = page.serve(&mut outbox, at(20));
        assert_eq!(told, [ComponentNews::Set(MajorOutage)], "{arrives} {crashes}");
        outbox.push(step("a", 3, Resolve, 60, Operational));
        page.serve(&mut outbox, at(60));
        assert_eq!((page.desk, outbox.pending()), (Operational, 0), "{arrives} {crashes}");

        // It was over before anybody knew whether it arrived.
        outbox.push(step("b", 1, Open, 100, PartialOutage));
        fail(&mut outbox, &mut page, at(100), arrives, uncertain());
        outbox.push(step("b", 2, Resolve, 110, Operational));
        let mut outbox = restarted(&outbox, at(120));
        page.serve(&mut outbox, at(120));
        assert_eq!((page.desk, outbox.pending()), (Operational, 0), "{arrives} {crashes}");
    }
}

#[test]
fn a_component_that_is_gone_is_left_out_and_one_that_is_refused_is_tried_again() {
    let mut outbox = outbox();
    let both: Vec<ComponentId> = ["crm", "desk"].map(component).to_vec();
    let mut open = step("a", 1, Open, 0, PartialOutage);
    open.components.insert(both[0].clone(), MajorOutage);
    outbox.push(open);
    let mut now = at(0);
    let (request, told) = answer(&mut outbox, &mut now, Outcome::Gone);
    let Request::SetComponent { component: id, expect, .. } = request else { panic!() };
    assert_eq!((&id, expect), (&both[0], BTreeSet::from([Operational])));
    assert_eq!(told, [Notice::Unlisted { components: vec![id] }]);
    let refused = Outcome::Rejected { status: 422, detail: "no".to_owned() };
    let (_, told) = answer(&mut outbox, &mut now, refused);
    assert!(told[0].to_string().contains("blip/desk cannot be set (422): no"), "{told:?}");
    let wanted = Outcome::Component(Shows::Wanted);
    let (request, _) = answer(&mut outbox, &mut now, wanted);
    assert!(matches!(request, Request::SetComponent { component, .. } if component == both[1]));
    assert!(now >= at(40), "{now}");
    assert_eq!(outbox.next_wakeup(), None);
}

#[test]
fn a_place_without_components_gets_nothing() {
    let publishing = Publishing { modes: MODES, ..Publishing::default() };
    let outbox = Outbox::new("install", State::default(), Timing::default());
    let mut outbox = outbox.with_publishing(publishing);
    outbox.push(step("a", 1, Open, 0, PartialOutage));
    assert_eq!((outbox.next_wakeup(), outbox.pending()), (None, 0));
    assert_eq!(state_of(&outbox, "a"), Some(Lead::NotPublished));
    outbox.push(Action { impact: Impact::Critical, ..step("a", 2, Update, 60, MajorOutage) });
    let (request, _) = answer(&mut outbox, &mut at(60), done("r1"));
    assert!(matches!(request, Request::Create(_)), "{request:?}");
}

#[test]
fn what_is_set_on_a_page_that_is_left_is_told_of() {
    let mut page = Page::new();
    let mut outbox = outbox().leading_to("one", at(0));
    outbox.push(step("a", 1, Open, 0, PartialOutage));
    page.serve(&mut outbox, at(0));
    let mut outbox = outbox.leading_to("two", at(60));
    assert_eq!(outbox.left().len(), 1);
    let mut page = Page::new();
    page.serve(&mut outbox, at(60));
    assert_eq!(page.written, [PartialOutage], "and set on the other");
    assert!(outbox.forget(&IncidentKey::new("a")).is_some());
}
