//! Servers that speak gRPC badly: the run ends, in bounded memory, and with the right reason.

use farol::model::{Finding, Phase, Reason, Verdict};

use crate::asking::{HASTY, find};
use crate::grpc::{call, grpc};
use crate::http_two::{CONTINUATION, DATA, END_HEADERS, HEADERS, frame, serve_frames, settings};
use crate::servers::{Nobody, Server, serve, serve_answer, serve_silence};

const END_STREAM: u8 = 1;

/// A field that is not to be indexed.
fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// `:status: 200` and gRPC's content type.
fn head(flags: u8) -> Vec<u8> {
    let fields = [vec![0x88], field("content-type", "application/grpc")].concat();
    [frame(fields.len(), HEADERS, flags, 1), fields].concat()
}

fn data(bytes: &[u8]) -> Vec<u8> {
    [frame(bytes.len(), DATA, 0, 1), bytes.to_vec()].concat()
}

const SERVING: [u8; 7] = [0, 0, 0, 0, 2, 8, 1];

async fn ask(server: &Server) -> Finding {
    let mut check = call(grpc(&server.url("")));
    check.timeout = HASTY;
    find(&check).await
}

#[tokio::test]
async fn silence_has_the_phase_that_it_came_in() {
    for (start, phase) in [
        (vec![], Phase::FirstByte),
        (settings(), Phase::FirstByte),
        ([settings(), head(0)].concat(), Phase::Transfer),
        ([settings(), head(END_HEADERS)].concat(), Phase::Transfer),
        ([settings(), head(END_HEADERS), data(&SERVING[..3])].concat(), Phase::Transfer),
        // The whole message, but not how the call ended.
        ([settings(), head(END_HEADERS), data(&SERVING)].concat(), Phase::Transfer),
    ] {
        let finding = ask(&serve_frames(start.clone(), Vec::new()).await).await;
        assert_eq!(finding.reason, Some(Reason::Timeout { phase }), "{start:?}");
    }
    let finding = ask(&serve_silence().await).await;
    assert_eq!(finding.reason, Some(Reason::Timeout { phase: Phase::FirstByte }));
}

#[tokio::test]
async fn what_has_no_end_is_cut_off() {
    let small = [frame(5, CONTINUATION, 0, 1), vec![0, 1, b'x', 1, b'y']].concat();
    let large = field("x", &"y".repeat(100)).repeat(150);
    let large = [frame(large.len(), CONTINUATION, 0, 1), large].concat();
    let begun = [settings(), head(END_HEADERS), data(&SERVING)].concat();
    let status = field("grpc-status", "0");
    let ending = [frame(status.len(), HEADERS, END_STREAM, 1), status].concat();
    let ending = [begun, ending].concat();
    for (start, more) in [
        ([settings(), head(0)].concat(), small.clone()),
        ([settings(), head(0)].concat(), large.clone()),
        (ending.clone(), small),
        (ending, large),
    ] {
        let finding = ask(&serve_frames(start, more.clone()).await).await;
        let reason = finding.reason.unwrap();
        assert_eq!(reason.name(), "headers_too_large", "{:?}: {reason}", &more[..9]);
        assert_eq!(finding.verdict, Verdict::Fail);
    }
    let begun = [settings(), head(END_HEADERS)].concat();
    let finding = ask(&serve_frames(begun, data(&[0; 16_384])).await).await;
    assert_eq!(finding.reason.unwrap().name(), "malformed_answer");
}

#[tokio::test]
async fn what_is_not_http_two_is_malformed_and_hanging_up_is_closing() {
    let begun = [settings(), head(END_HEADERS), data(&SERVING)].concat();
    let reset = [frame(4, 3, 0, 1), vec![0, 0, 0, 2]].concat();
    let away = [frame(8, 7, 0, 0), vec![0, 0, 0, 0, 0, 0, 0, 1]].concat();
    for (start, name) in [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "malformed_answer"),
        ([settings(), frame(1, HEADERS, END_HEADERS, 1), vec![0xff]].concat(), "malformed_answer"),
        ([settings(), reset.clone()].concat(), "transfer_closed"),
        ([begun, reset].concat(), "transfer_closed"),
    ] {
        let reason = ask(&serve_frames(start.clone(), Vec::new()).await).await.reason.unwrap();
        assert_eq!(reason.name(), name, "{start:?}: {reason}");
    }
    // Whether the whole call was out by then is chance.
    let away = ask(&serve_frames([settings(), away].concat(), Vec::new()).await).await;
    assert!(matches!(away.reason, Some(Reason::ConnectionClosed { .. })), "{away:?}");
    let one = serve_answer("HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n").await;
    assert_eq!(ask(&one).await.reason.unwrap().name(), "malformed_answer");
}

/// At every byte of an answer: it is never taken for a whole one.
#[tokio::test]
async fn an_answer_that_is_cut_off_anywhere_does_not_pass() {
    let status = field("grpc-status", "0");
    let ending = [frame(status.len(), HEADERS, END_HEADERS | END_STREAM, 1), status].concat();
    let whole = [settings(), head(END_HEADERS), data(&SERVING), ending].concat();
    let asked = |length: usize| {
        let start = whole[..length].to_vec();
        async move {
            let server = serve(move |mut stream| {
                let start = start.clone();
                async move {
                    use tokio::io::{AsyncReadExt, AsyncWriteExt};
                    // What the client says first, its settings and the head of its call.
                    let mut said = [0; 100];
                    stream.read_exact(&mut said).await.unwrap();
                    let _ = stream.write_all(&start).await;
                    let _ = stream.shutdown().await;
                    // Closing with something unread would reset, and take the answer along.
                    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                }
            })
            .await;
            find(&call(grpc(&server.url("")))).await
        }
    };
    assert_eq!(asked(whole.len()).await.reason, None);
    for length in 0..whole.len() {
        let reason = asked(length).await.reason.unwrap();
        let known = ["first_byte_closed", "transfer_closed", "send_closed", "malformed_answer"];
        assert!(known.contains(&reason.name()), "{length} bytes: {reason:?}");
    }
}

#[tokio::test]
async fn where_nobody_listens_it_is_refused() {
    let nobody = Nobody::new();
    let finding = find(&call(grpc(&format!("http://{}", nobody.address)))).await;
    assert_eq!(finding.reason, Some(Reason::ConnectRefused));
}
