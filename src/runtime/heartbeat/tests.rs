//! When it beats and when it does not.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Heartbeat, Ill, Progress, STANDSTILL, next};
use crate::check::Board;
use crate::clock::Clock;
use crate::config::Secret;
use crate::metrics::Metrics;
use crate::model::{OwnTrouble, Span};
use crate::publish::Heart;
use crate::runtime::Pulse;

const RUN: Span = Span::from_secs(10);
const ROUND: Span = Span::from_secs(100_000);

fn heartbeat(url: &str) -> (Heartbeat, watch::Sender<Pulse>) {
    let clock = Clock::start();
    let (pulse, heard) = watch::channel(Pulse::Ready { turned_at: clock.now(), held: false });
    let beating = Heartbeat {
        clock,
        heart: Heart::new(&Secret::new(url)).unwrap(),
        interval: Span::from_secs(60),
        pulse: heard,
        progress: Progress::default(),
        longest_run: RUN,
        longest_round: ROUND,
        board: Board::new(clock),
        metrics: Arc::new(Metrics::new().unwrap()),
    };
    (beating, pulse)
}

#[tokio::test]
async fn it_beats_while_all_is_well_and_for_no_longer() {
    let (beating, pulse) = heartbeat("http://127.0.0.1:9/");
    let now = beating.clock.now();
    assert_eq!(beating.ill(now), None);
    let still = now + STANDSTILL + Span::from_millis(1);
    assert_eq!(beating.ill(still), Some(Ill::Stands));
    pulse.send_replace(Pulse::Stopping);
    assert_eq!(beating.ill(now), Some(Ill::Stands));
    pulse.send_replace(Pulse::Ready { turned_at: now, held: false });
    assert_eq!(beating.ill(now), None);

    for (trouble, tells) in OwnTrouble::ALL.map(|trouble| (trouble, Ill::Trouble(trouble))) {
        beating.board.set(trouble, Some("on purpose".into()));
        let fatal =
            matches!(trouble, OwnTrouble::Network | OwnTrouble::Store | OwnTrouble::Exhausted);
        assert_eq!(beating.ill(now), fatal.then_some(tells), "{trouble}");
        beating.board.set(trouble, None);
    }
    drop(pulse);
    assert_eq!(beating.ill(now), Some(Ill::Stands));
}

#[tokio::test]
async fn checks_that_do_not_come_back_stop_it() {
    let (beating, pulse) = heartbeat("http://127.0.0.1:9/");
    let at = |secs: u64| beating.clock.now() + Span::from_secs(secs);
    let is_blind = |now| {
        pulse.send_replace(Pulse::Ready { turned_at: now, held: false });
        beating.ill(now) == Some(Ill::Blind)
    };
    beating.progress.started(at(100));
    assert!(is_blind(at(101)), "the first has not come back");
    beating.progress.came_back(1, 1, at(102));
    assert!(!is_blind(at(102)));
    assert!(!is_blind(at(9_000)), "nothing was due");
    beating.progress.started(at(9_000));
    beating.progress.started(at(9_005));
    let late = 9_000 + RUN.to_duration().as_secs() + STANDSTILL.as_secs();
    assert!(!is_blind(at(late - 1)));
    assert!(is_blind(at(late + 2)));
    beating.progress.came_back(1, 1, at(late + 2));
    assert!(!is_blind(at(late + 3)));
}

#[tokio::test]
async fn checks_that_tell_nothing_stop_it() {
    let (beating, pulse) = heartbeat("http://127.0.0.1:9/");
    let at = |secs: u64| beating.clock.now() + Span::from_secs(secs);
    let is_mute = |now| {
        pulse.send_replace(Pulse::Ready { turned_at: now, held: false });
        beating.ill(now) == Some(Ill::Mute)
    };
    assert!(!is_mute(at(500_000)), "nothing was due");
    beating.progress.started(at(0));
    beating.progress.came_back(1, 0, at(1));
    assert!(!is_mute(at(100_000)), "the first round is not over");
    assert!(is_mute(at(100_040)));
    beating.progress.started(at(100_040));
    beating.progress.came_back(1, 1, at(100_041));
    assert!(!is_mute(at(200_000)));
}

#[test]
fn a_slow_request_delays_no_beat_after_it() {
    let at = |secs: i64| crate::model::Timestamp::from_secs(1_700_000_000 + secs);
    let minute = std::time::Duration::from_secs(60);
    assert_eq!(next(at(60), minute, at(69)), at(120));
    assert_eq!(next(at(60), minute, at(500)), at(560), "what was missed is not made up for");
}

/// Answers each connection with the next of `answers`, and returns what it was asked.
async fn answering(listener: TcpListener, answers: Vec<String>) -> Vec<String> {
    let mut asked = Vec::new();
    for answer in answers {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
        }
        asked.push(String::from_utf8(request).unwrap());
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
    asked
}

#[tokio::test]
async fn only_success_counts_and_the_address_is_told_to_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (beating, _pulse) = heartbeat(&format!("http://{address}/ping/s3cr3t-token"));
    let empty = "Content-Length: 0\r\nConnection: close\r\n\r\n";
    let answers = vec![
        format!("HTTP/1.1 302 Found\r\nLocation: /there\r\n{empty}"),
        format!("HTTP/1.1 200 OK\r\n{empty}"),
        format!("HTTP/1.1 404 Not Found\r\n{empty}"),
        format!("HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n{empty}"),
    ];
    let server = tokio::spawn(answering(listener, answers));
    assert_eq!(beating.beat().await, Ok(()));
    assert_eq!(beating.beat().await, Err("status 404".into()));
    let mut told = vec![beating.beat().await.unwrap_err()];
    let asked = server.await.unwrap();
    assert!(asked[0].starts_with("GET /ping/s3cr3t-token "), "{asked:?}");
    assert!(asked[1].starts_with("GET /there "), "{asked:?}");
    assert!(!asked[1].to_lowercase().contains("referer"), "{asked:?}");
    // Nobody listens any more.
    told.push(beating.beat().await.unwrap_err());
    told.push(format!("{beating:?}"));
    assert!(told.iter().all(|text| !text.contains("s3cr3t")), "{told:?}");

    let metrics = beating.metrics.render().unwrap();
    assert!(metrics.contains("\nfarol_heartbeat_sent_total 1\n"), "{metrics}");
    assert!(metrics.contains("\nfarol_heartbeat_failures_total 3\n"), "{metrics}");
    assert!(!metrics.contains("\nfarol_heartbeat_last_success_timestamp_seconds 0\n"), "{metrics}");
}

#[test]
fn what_is_no_address_is_refused_without_being_told() {
    let error = Heart::new(&Secret::new("ftp://s3cr3t/")).unwrap_err().to_string();
    assert!(!error.contains("s3cr3t"), "{error}");
}
