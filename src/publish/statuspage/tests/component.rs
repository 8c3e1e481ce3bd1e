//! Components that are set apart from incidents: what is said, and what stands in the way.

use super::*;
use crate::outbox::Shows;

fn setting() -> Request {
    Request::SetComponent {
        key: key(),
        component: component("desk"),
        status: ComponentStatus::MajorOutage,
        expect: BTreeSet::from([ComponentStatus::Operational, ComponentStatus::PartialOutage]),
        at: Timestamp::from_secs(1_631_664_000),
    }
}

fn shows(status: &str) -> Value {
    json!({ "id": "p31zjtct2jer", "name": "Desk", "status": status })
}

fn open(component: &str, until: Option<&str>) -> Value {
    json!([{ "id": "theirs", "status": "investigating", "components": [{ "id": component }],
        "scheduled_until": until }])
}

/// What was called, and what came of it once nothing more was answered.
fn talk(answers: &[(u16, Value)]) -> (String, Turn) {
    let (statuspage, request) = (statuspage(), setting());
    let mut conversation = statuspage.begin(&request, Timestamp::EPOCH);
    let (mut said, mut turn) = (String::new(), conversation.open());
    for (status, body) in answers {
        let Turn::Call(call) = &turn else { break };
        assert_eq!(conversation.only_reads(), call.method == Method::GET);
        said.push_str(&shown(call));
        turn = conversation.hear(&answer(*status, body));
    }
    (said, turn)
}

fn outcome(answers: &[(u16, Value)]) -> Outcome {
    match talk(answers) {
        (_, Turn::Over(outcome)) => outcome,
        (said, Turn::Call(call)) => panic!("{said}{call:?}"),
    }
}

#[test]
fn it_is_looked_at_then_what_is_open_and_only_then_it_is_set() {
    let answers = [
        (200, shows("partial_outage")),
        (200, open("another", None)),
        (200, json!([])),
        (200, shows("major_outage")),
    ];
    let (said, turn) = talk(&answers);
    assert_eq!(turn, Turn::Over(Outcome::Component(Shows::Wanted)));
    insta::assert_snapshot!(said);
}

#[test]
fn what_a_person_set_or_has_is_left_alone() {
    let other = |text: &str| Outcome::Component(Shows::Other(text.to_owned()));
    let held = Outcome::Component(Shows::Held(RemoteId::new("theirs")));
    for shown in ["degraded_performance", "under_maintenance", "major_outage", "on_fire"] {
        assert_eq!(outcome(&[(200, shows(shown))]), other(shown));
    }
    let (desk, fine) = ((200, shows("operational")), (200, json!([])));
    assert_eq!(outcome(&[desk.clone(), (200, open("p31zjtct2jer", None))]), held);
    let under_way = open("p31zjtct2jer", Some("2021-09-15T00:00:01Z"));
    assert_eq!(outcome(&[desk.clone(), fine.clone(), (200, under_way)]), held);
    // The time is over that it was announced for, or there are no maintenances at all.
    let overdue = (200, open("p31zjtct2jer", Some("2021-09-14T23:59:59Z")));
    for maintenances in [overdue, (404, json!({}))] {
        let set = (200, shows("major_outage"));
        let outcome = outcome(&[desk.clone(), fine.clone(), maintenances, set]);
        assert_eq!(outcome, Outcome::Component(Shows::Wanted));
    }
}

#[test]
fn what_fails_before_the_write_was_not_sent_and_what_fails_in_it_is_in_doubt() {
    let looks = [(200, shows("operational")), (200, json!([])), (200, json!([])), (200, json!([]))];
    for count in 0..4 {
        let after = |status: u16, body: Value| {
            let answers: Vec<_> =
                looks.iter().take(count).cloned().chain([(status, body)]).collect();
            outcome(&answers)
        };
        let writes = count == 3;
        for (status, body) in [(503, json!({})), (200, json!("nonsense"))] {
            let came = after(status, body);
            let is = if writes {
                matches!(came, Outcome::Uncertain { .. })
            } else {
                matches!(came, Outcome::NotSent { .. })
            };
            assert!(is, "{count}: {came:?}");
        }
        assert!(matches!(after(429, json!({})), Outcome::RateLimited { .. }));
        assert!(matches!(after(401, json!({})), Outcome::Unauthorized { .. }));
        assert!(matches!(after(422, json!({})), Outcome::Rejected { status: 422, .. }));
    }
    assert_eq!(outcome(&[(404, json!({}))]), Outcome::Gone);
}
