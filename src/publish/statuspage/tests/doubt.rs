//! A write whose fate nobody knows, and what the look at it may end in.

use proptest::prelude::*;

use super::*;
use crate::publish::dialect::follow;

/// A write that came twice is done by the first and refused to the second: what keeps us from
/// looking then must not pass for a write that was never made.
#[test]
fn whoever_may_not_look_after_a_refused_write_does_not_know_what_it_did() {
    let mut before = row("n2969465tx0b", "7k3f", "install-1");
    before["metadata"]["farol"]["n"] = json!("6");
    let request = Request::Update { remote: remote(), payload: opening(), expect: None };
    let statuspage = statuspage();
    let read = Answer { etag: Some("\"1\"".to_owned()), ..answer(200, &before) };
    for status in [429, 420, 401, 403, 400, 422, 408, 502] {
        let mut exchange = statuspage.exchange(&request);
        // At first nothing can have been written.
        assert!(!exchange.in_doubt());
        let first = follow(&mut statuspage.exchange(&request), Ok(answer(status, &json!({}))));
        assert!(!matches!(first, Turn::Over(Outcome::Uncertain { .. })), "{status}: {first:?}");
        let Turn::Call(_) = exchange.hear(&read) else { panic!() };
        let Turn::Call(look) = exchange.hear(&answer(412, &json!({}))) else { panic!() };
        assert_eq!((look.method, exchange.in_doubt()), (Method::GET, true));
        let told = follow(&mut exchange, Ok(answer(status, &json!({}))));
        assert!(matches!(told, Turn::Over(Outcome::Uncertain { .. })), "{status}: {told:?}");
    }
}

const STATUSES: &[u16] =
    &[200, 204, 302, 400, 401, 403, 404, 408, 409, 420, 422, 429, 500, 502, 503];

/// What comes of one call: an answer, or what kept it from coming.
#[derive(Clone, Debug)]
enum Heard {
    Answer(Answer),
    Lost,
    Unsent,
}

fn anything() -> impl Strategy<Value = Heard> {
    let bodies = [b"".as_slice(), b"<html>", b"{}", b"[]", b"{\"metadata\":{}}"];
    let row = |sequence: &str| {
        let mut row = row("n2969465tx0b", "7k3f", "install-1");
        row["metadata"]["farol"]["n"] = json!(sequence);
        row.to_string().into_bytes()
    };
    let bodies = bodies.map(<[u8]>::to_vec).into_iter().chain(["6", "7"].map(row));
    // Most go on, so that more than the first call is reached.
    let status = prop_oneof![2 => Just(200), 3 => Just(412), 2 => prop::sample::select(STATUSES)];
    let body = prop_oneof![
        2 => Just(row("6")),
        1 => prop::sample::select(bodies.collect::<Vec<_>>()),
    ];
    let retry_after = prop::option::of((0_u64..100).prop_map(Span::from_secs));
    let etag = prop::option::of(Just("\"1\"".to_owned()));
    let answer = (status, retry_after, etag, body).prop_map(|(status, retry_after, etag, body)| {
        Heard::Answer(Answer { status, retry_after, etag, body })
    });
    prop_oneof![8 => answer, 1 => Just(Heard::Lost), 1 => Just(Heard::Unsent)]
}

proptest! {
    #[test]
    fn no_end_of_a_look_at_a_write_in_doubt_says_that_it_was_not_written(
        heard in prop::collection::vec(anything(), 12),
        retires in any::<bool>(),
    ) {
        let statuspage = statuspage();
        let (remote, key) = (remote(), key());
        let request = if retires {
            Request::Retire { remote, key }
        } else {
            Request::Update { remote, payload: opening(), expect: None }
        };
        let mut exchange = statuspage.exchange(&request);
        for heard in heard {
            let (reads, doubt) = (exchange.only_reads(), exchange.in_doubt());
            let is_lost = matches!(heard, Heard::Lost);
            let turn = match heard {
                Heard::Answer(answer) => follow(&mut exchange, Ok(answer)),
                Heard::Lost => {
                    follow(&mut exchange, Err(Outcome::Uncertain { detail: "reset".to_owned() }))
                }
                Heard::Unsent => {
                    follow(&mut exchange, Err(Outcome::NotSent { detail: "no way".to_owned() }))
                }
            };
            let Turn::Over(outcome) = turn else { continue };
            let unwritten = matches!(
                outcome,
                Outcome::NotSent { .. }
                    | Outcome::RateLimited { .. }
                    | Outcome::Unauthorized { .. }
                    | Outcome::Rejected { .. }
            );
            prop_assert!(!(doubt && unwritten), "{outcome:?}");
            prop_assert!(!is_lost || reads == unwritten, "{outcome:?}");
            return Ok(());
        }
    }
}
