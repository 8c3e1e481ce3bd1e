//! The `clock` check on HTTP servers: dates to the second, times in headers and in JSON, and
//! servers that do not tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use farol::clock::Clock;
use farol::config::Check;
use farol::model::{ClockSource, Finding, Phase, Reason, Span, Verdict};
use tokio::io::AsyncWriteExt;

use crate::asking::{find, kind};
use crate::servers::{Server, read_request, serve};

const SECOND: i64 = 1_000_000;

/// What a server answers by its clock.
type Answer = fn(Duration) -> String;

/// A server whose answers are made of its time, which is so many microseconds ahead, and of their
/// number.
async fn serve_time(
    ahead: i64,
    answer: impl Fn(Duration, usize) -> String + Clone + Send + 'static,
) -> Server {
    let (clock, count) = (Clock::start(), Arc::new(AtomicUsize::new(0)));
    serve(move |mut stream| {
        let (answer, count) = (answer.clone(), count.clone());
        async move {
            read_request(&mut stream).await;
            let now = u64::try_from(clock.now().as_micros() + ahead).unwrap();
            let number = count.fetch_add(1, Ordering::SeqCst);
            let answer = answer(Duration::from_micros(now), number);
            // The prober may well have had enough before the end.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    })
    .await
}

fn dated(now: Duration, more: &str) -> String {
    let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + now);
    format!("HTTP/1.1 200 OK\r\nDate: {date}\r\n{more}Content-Length: 0\r\n\r\n")
}

fn json(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len())
}

fn clock(server: &Server, more: &str) -> Check {
    kind(&format!("clock = {{ url = '{}'{more} }}", server.url("/")))
}

fn contains(finding: &Finding, truth: i64) -> bool {
    let offset = finding.clock.unwrap();
    offset.at_least <= truth && truth <= offset.at_most
}

#[tokio::test]
async fn dates_are_read_around_the_edge_of_the_second() {
    for (truth, verdict) in [
        (400_000, Verdict::Pass),
        (-3 * SECOND, Verdict::Degraded),
        (3_600 * SECOND + 123_456, Verdict::Fail),
    ] {
        let server = serve_time(truth, |now, _| dated(now, "")).await;
        let finding = find(&clock(&server, "")).await;
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        assert!(contains(&finding, truth), "{truth}: {finding:?}");
        let offset = finding.clock.unwrap();
        assert_eq!(offset.source, ClockSource::Date);
        let width = offset.at_most - offset.at_least;
        assert!(width < SECOND, "one sample alone is no wider: {width}");
        let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
        assert!(phases.contains(&Phase::FirstByte) && !phases.contains(&Phase::Resolve));
        // Of one sample, not of all and of what was waited between them.
        assert!(finding.phases.total() < Span::from_secs(1), "{:?}", finding.phases);
    }
}

#[tokio::test]
async fn a_run_that_is_short_of_time_takes_fewer_samples() {
    let server = serve_time(30 * SECOND, |now, _| dated(now, "")).await;
    let check = Check { timeout: Span::from_secs(1), ..clock(&server, ", samples = 10") };
    let finding = find(&check).await;
    assert!(matches!(finding.reason, Some(Reason::ClockSkew { .. })), "{finding:?}");
    assert!(contains(&finding, 30 * SECOND));
}

#[tokio::test]
async fn times_in_json_and_in_headers_are_as_fine_as_they_are_written() {
    let truth = -1_700_000;
    let server =
        serve_time(truth, |now, _| json(&format!("{{\"at\":{{\"now\":{}}}}}", now.as_millis())))
            .await;
    let finding = find(&clock(&server, ", json = '$.at.now', samples = 1")).await;
    assert_eq!(finding.verdict, Verdict::Degraded, "{finding:?}");
    assert!(contains(&finding, truth), "{finding:?}");
    assert_eq!(finding.clock.unwrap().source, ClockSource::Json);
    let took = i64::try_from(finding.phases.total().as_micros()).unwrap();
    let width = finding.clock.unwrap().at_most - finding.clock.unwrap().at_least;
    assert!(width <= 2_001 + took + 100_000, "{width}, {took}");
    let server = serve_time(truth, |now, _| {
        let time = format!("X-Time: {}.{:06}\r\n", now.as_secs(), now.subsec_micros());
        dated(now + Duration::from_secs(3600), &time)
    })
    .await;
    let more = ", header = 'x-time', format = 'epoch_s', samples = 2";
    let finding = find(&clock(&server, more)).await;
    assert!(contains(&finding, truth), "{finding:?}");
    assert_eq!(finding.clock.unwrap().source, ClockSource::Header);
}

#[tokio::test]
async fn a_target_that_does_not_tell_is_degraded() {
    let answers: [(Answer, &str, &str); 8] = [
        (|_| json(""), "", "the answer has no `Date`"),
        (|now| dated(now, "Age: 60\r\n"), "", "the answer has been in a cache, `Age: 60`"),
        (|now| dated(now, ""), ", header = 'X-Time'", "no `x-time` in it, status 200"),
        (|now| dated(now, "X-Time: noon\r\n"), ", header = 'X-Time'", "no point in time: noon"),
        (|_| json("noon"), ", json = '$.now'", "not JSON, status 200"),
        (|_| json("{}"), ", json = '$.now'", "$.now leads to no single value"),
        (|_| json("[1,2]"), ", json = '$[*]'", "$[*] leads to no single value"),
        (|_| json("{\"now\":true}"), ", json = '$.now'", "no point in time: true"),
    ];
    for (answer, more, words) in answers {
        let server = serve_time(0, move |now, _| answer(now)).await;
        let finding = find(&clock(&server, more)).await;
        let Some(Reason::ClockUnreadable { detail }) = &finding.reason else {
            panic!("{words}: {finding:?}")
        };
        assert!(detail.starts_with(words), "{detail}");
        assert_eq!((finding.verdict, finding.clock), (Verdict::Degraded, None));
    }
}

/// An error page has a date as well; and what a redirect says is of whoever redirects.
#[tokio::test]
async fn whoever_answers_tells_the_time() {
    for status in ["503 Service Unavailable", "302 Found\r\nLocation: /elsewhere", "401 No"] {
        let server =
            serve_time(60 * SECOND, move |now, _| dated(now, "").replace("200 OK", status)).await;
        let finding = find(&clock(&server, ", samples = 1")).await;
        assert!(matches!(finding.reason, Some(Reason::ClockSkew { .. })), "{finding:?}");
    }
}

#[tokio::test]
async fn of_two_clocks_behind_one_address_the_worse_is_told() {
    let server = serve_time(0, |now, number| {
        let ahead = if number % 2 == 1 { 3600 } else { 0 };
        dated(now + Duration::from_secs(ahead), "")
    })
    .await;
    let finding = find(&clock(&server, "")).await;
    assert_eq!(finding.verdict, Verdict::Fail);
    assert!(contains(&finding, 3_600 * SECOND), "{finding:?}");
}

#[tokio::test]
async fn what_was_read_counts_whatever_becomes_of_the_rest() {
    let server = serve_time(0, |now, number| match number {
        0 => dated(now, ""),
        _ => "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
    })
    .await;
    assert_eq!(find(&clock(&server, "")).await.reason, None);
    // So does a date before a body that is too large.
    let server =
        serve_time(90 * SECOND, |now, _| dated(now, "").replace("Length: 0", "Length: 9999999999"))
            .await;
    let reason = find(&clock(&server, ", samples = 1")).await.reason;
    assert!(matches!(reason, Some(Reason::ClockSkew { .. })), "{reason:?}");
    let server = serve(|stream| async move { drop(stream) }).await;
    let finding = find(&clock(&server, "")).await;
    assert_eq!(finding.verdict, Verdict::Fail, "{finding:?}");
}

#[tokio::test]
async fn caches_are_asked_to_stand_aside() {
    let (told, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let server = serve(move |mut stream| {
        let told = told.clone();
        async move {
            told.send(read_request(&mut stream).await).unwrap();
        }
    })
    .await;
    find(&clock(&server, "")).await;
    let request = asked.recv().await.unwrap().to_ascii_lowercase();
    assert!(request.contains("cache-control: no-cache\r\n"), "{request}");
}
