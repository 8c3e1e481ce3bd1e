//! The `clock` check on NTP servers: what it makes of honest ones, of those whose clock is off, and
//! of those that answer nothing, nonsense or too much.

use farol::config::{Check, CheckKind, ClockTarget};
use farol::model::{ClockSource, Finding, Phase, Reason, Span, Verdict};
use farol::net::ntp::{Moment, Packet};

use crate::asking::{HASTY, find, kind};
use crate::ntp_server::{NtpServer, ahead, honest};

const SECOND: i64 = 1_000_000;

/// What a server makes of an honest answer.
type Change = fn(Packet) -> Packet;

async fn ask(check: &str) -> Finding {
    find(&kind(check)).await
}

/// One that is soon over, for what is never answered.
async fn ask_hastily(server: &NtpServer) -> Finding {
    let check = Check { timeout: HASTY, ..kind(&server.check("")) };
    find(&check).await
}

fn contains(finding: &Finding, truth: i64) -> bool {
    let offset = finding.clock.unwrap();
    assert_eq!(offset.source, ClockSource::Ntp);
    offset.at_least <= truth && truth <= offset.at_most
}

#[tokio::test]
async fn an_honest_server_passes_and_only_the_answer_takes_time() {
    let server = NtpServer::saying(|packet| packet).await;
    let finding = ask(&server.check(", degraded = '1ms'")).await;
    assert_eq!((finding.verdict, &finding.reason), (Verdict::Pass, &None));
    assert!(contains(&finding, 0), "{finding:?}");
    let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
    assert_eq!(phases, [Phase::FirstByte]);
}

#[tokio::test]
async fn clocks_that_are_off_are_found_and_the_interval_has_the_truth() {
    let year = 365 * 24 * 3600 * SECOND;
    for (truth, verdict) in [
        (year, Verdict::Fail),
        (-year, Verdict::Fail),
        // Into the second era.
        (14 * year, Verdict::Fail),
        (-40 * year, Verdict::Fail),
        (3_600 * SECOND, Verdict::Fail),
        (-3 * SECOND, Verdict::Degraded),
        (0, Verdict::Pass),
    ] {
        let server = NtpServer::saying(move |packet| ahead(packet, truth)).await;
        let finding = ask(&server.check("")).await;
        assert_eq!(finding.verdict, verdict, "{truth}: {finding:?}");
        assert!(contains(&finding, truth), "{truth}: {finding:?}");
        let skewed = matches!(finding.reason, Some(Reason::ClockSkew { .. }));
        assert_eq!(skewed, verdict != Verdict::Pass, "{finding:?}");
    }
}

#[tokio::test]
async fn several_samples_are_one_interval() {
    let server = NtpServer::saying(|packet| ahead(packet, -10 * SECOND)).await;
    let text = server.check("").replace("samples = 1", "samples = 3");
    let finding = find(&Check { timeout: Span::from_secs(2), ..kind(&text) }).await;
    assert!(contains(&finding, -10 * SECOND), "{finding:?}");
    assert_eq!(server.asked(), 3);
}

#[tokio::test]
async fn a_lost_packet_is_one_sample_less() {
    let server = NtpServer::start(|question, number| match number {
        1 => vec![honest(question).encode().to_vec()],
        _ => Vec::new(),
    });
    let server = server.await;
    let text = server.check("").replace("samples = 1", "samples = 2");
    let finding = find(&Check { timeout: Span::from_secs(4), ..kind(&text) }).await;
    assert_eq!((finding.verdict, server.asked()), (Verdict::Pass, 2), "{finding:?}");
}

/// A wrong clock is not excused by not being sure; but of one that is asked for the time, what it
/// is not sure of is not known.
#[tokio::test]
async fn what_a_server_says_of_itself_counts_where_it_is_a_reference() {
    let server = NtpServer::saying(|packet| {
        ahead(Packet { root_dispersion: 9 << 16, ..packet }, 8 * SECOND)
    })
    .await;
    let mut check = kind(&server.check(""));
    assert_eq!(find(&check).await.verdict, Verdict::Fail);
    let CheckKind::Clock(clock) = &mut check.kind else { unreachable!() };
    let ClockTarget::Ntp { as_reference, .. } = &mut clock.target else { unreachable!() };
    *as_reference = true;
    let reference = find(&check).await;
    assert_eq!(reference.verdict, Verdict::Pass, "{reference:?}");
    assert!(contains(&reference, 0) && contains(&reference, 17 * SECOND), "{reference:?}");
}

#[tokio::test]
async fn a_kiss_of_death_is_heeded() {
    let kiss = |packet, code: &[u8; 4]| Packet { stratum: 0, reference_id: *code, ..packet };
    for (code, verdict) in [
        (b"DENY", Verdict::Fail),
        (b"RSTR", Verdict::Fail),
        // Others are asked too often, and it is we who ask.
        (b"RATE", Verdict::Inconclusive),
    ] {
        let server = NtpServer::saying(move |packet| kiss(packet, code)).await;
        let text = server.check("").replace("samples = 1", "samples = 4");
        let finding = ask(&text).await;
        let code = String::from_utf8(code.to_vec()).unwrap();
        assert_eq!(finding.reason, Some(Reason::NtpRefused { code }));
        assert_eq!((finding.verdict, finding.clock), (verdict, None));
        assert_eq!(server.asked(), 1, "it was asked again");
    }
    // What was learnt before counts.
    let server = NtpServer::start(move |question, number| {
        let honest = honest(question);
        let answer = if number == 0 { honest } else { kiss(honest, b"RATE") };
        vec![answer.encode().to_vec()]
    })
    .await;
    let text = server.check("").replace("samples = 1", "samples = 4");
    let finding = find(&Check { timeout: Span::from_secs(2), ..kind(&text) }).await;
    assert_eq!((finding.verdict, server.asked()), (Verdict::Pass, 2));
}

#[tokio::test]
async fn a_server_that_does_not_know_the_time_fails() {
    let changes: [(Change, &str); 5] = [
        (|packet| Packet { leap: 3, ..packet }, "by its leap indicator"),
        (|packet| Packet { stratum: 16, ..packet }, "stratum 16"),
        (|packet| Packet { root_dispersion: 17 << 16, ..packet }, "it may be wrong by"),
        (|packet| Packet { stratum: 0, reference_id: *b"INIT", ..packet }, "stratum 0, INIT"),
        (|packet| Packet { transmit: Moment(0), ..packet }, "it tells no time"),
    ];
    for (change, words) in changes {
        let server = NtpServer::saying(change).await;
        let finding = ask(&server.check("")).await;
        let Some(Reason::NtpUnsynchronized { detail }) = &finding.reason else {
            panic!("{words}: {finding:?}")
        };
        assert!(detail.starts_with(words), "{detail}");
        assert_eq!((finding.verdict, finding.clock), (Verdict::Fail, None));
    }
}

/// Whoever cannot see our questions cannot answer them.
#[tokio::test]
async fn only_answers_to_our_own_question_count() {
    let forged = |question: &[u8]| {
        let honest = honest(question);
        let year = 365 * 24 * 3600 * SECOND;
        [
            Packet { origin: Moment(honest.origin.0 ^ 1), ..ahead(honest, year) }.encode().to_vec(),
            Packet { origin: Moment(0), stratum: 0, reference_id: *b"DENY", ..honest }
                .encode()
                .to_vec(),
            // Not from a server; and what is too short for anything.
            Packet { mode: 3, ..ahead(honest, year) }.encode().to_vec(),
            question.to_vec(),
            ahead(honest, year).encode()[..47].to_vec(),
            Vec::new(),
        ]
    };
    let server = NtpServer::start(move |question, _| {
        // Extensions and signatures may follow.
        let longer = [&honest(question).encode()[..], &[7; 500]].concat();
        forged(question).into_iter().chain([longer]).collect()
    })
    .await;
    let finding = ask(&server.check("")).await;
    assert_eq!(finding.reason, None);
    assert!(contains(&finding, 0));
    let server = NtpServer::start(move |question, _| forged(question).into()).await;
    let finding = ask_hastily(&server).await;
    assert_eq!(finding.reason, Some(Reason::Timeout { phase: Phase::FirstByte }));
    assert_eq!((finding.verdict, finding.clock), (Verdict::Fail, None));
}

#[tokio::test]
async fn an_answer_from_another_address_is_none() {
    let server = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let text = format!("clock = {{ url = 'ntp://{}', samples = 1 }}", server.local_addr().unwrap());
    let check = Check { timeout: HASTY, ..kind(&text) };
    let answering = async {
        let mut question = [0; 48];
        let (_, from) = server.recv_from(&mut question).await.unwrap();
        elsewhere.send_to(&honest(&question).encode(), from).await.unwrap();
    };
    let (finding, ()) = tokio::join!(find(&check), answering);
    assert_eq!(finding.reason, Some(Reason::Timeout { phase: Phase::FirstByte }));
}

#[tokio::test]
async fn a_flood_is_not_waded_through() {
    let server = NtpServer::start(|question, _| {
        let other = Packet { origin: Moment(1), ..honest(question) }.encode().to_vec();
        vec![other; 20_000]
    })
    .await;
    let finding = ask(&server.check("")).await;
    assert_eq!(finding.reason.as_ref().unwrap().name(), "malformed_answer", "{finding:?}");
}

#[tokio::test]
async fn silence_is_a_timeout_and_a_closed_port_is_refused() {
    let server = NtpServer::start(|_, _| Vec::new()).await;
    let finding = ask_hastily(&server).await;
    assert_eq!(finding.reason, Some(Reason::Timeout { phase: Phase::FirstByte }));
    assert!(finding.phases.get(Phase::FirstByte).is_some());
    let closed = server.check("");
    drop(server);
    tokio::task::yield_now().await;
    assert_eq!(ask(&closed).await.reason, Some(Reason::ConnectRefused));
}

#[tokio::test]
async fn a_question_tells_nothing_of_us() {
    let (told, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let server = NtpServer::start(move |question, _| {
        told.send(question.to_vec()).unwrap();
        vec![honest(question).encode().to_vec()]
    })
    .await;
    ask(&server.check("")).await;
    ask(&server.check("")).await;
    let (first, second) = (asked.recv().await.unwrap(), asked.recv().await.unwrap());
    for question in [&first, &second] {
        assert_eq!((question.len(), question[0]), (48, 0x23));
        assert!(question[1..40].iter().all(|byte| *byte == 0), "{question:?}");
    }
    assert_ne!(first[40..], second[40..], "the mark is not random");
}
