//! A proxy that does to requests what networks and busy servers do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Carried out; the connection is closed instead of an answer.
    AnswerLost,
    /// Not carried out; the connection is closed instead of an answer.
    RequestLost,
    /// Carried out when the client has given up.
    TooLate,
    /// Refused with 429 and `Retry-After`.
    Busy429,
    /// Refused with 420, as older versions of the API do.
    Busy420,
    /// Not carried out; 502.
    BadGatewayBefore,
    /// Carried out; 502.
    BadGatewayAfter,
    /// Carried out; the answer is 200 and no JSON.
    Garbage,
    /// Carried out; the answer stops in the middle.
    Truncated,
    /// Not carried out; 500.
    ServerError,
    /// Carried out; the connection is reset instead of an answer.
    Reset,
    /// Carried out late and answered later, while the client still waits.
    Slow,
    /// Delivered twice, one after the other; what the second was answered is the answer.
    Twice,
}

impl Fault {
    /// Those after which the client knows no more than before.
    pub(crate) const ALL: [Self; 11] = [
        Self::AnswerLost,
        Self::RequestLost,
        Self::TooLate,
        Self::Busy429,
        Self::Busy420,
        Self::BadGatewayBefore,
        Self::BadGatewayAfter,
        Self::Garbage,
        Self::Truncated,
        Self::ServerError,
        Self::Reset,
    ];
}

/// How long [`Fault::Slow`] waits, before and after.
const SLOW: Duration = Duration::from_millis(200);

/// Decides what happens to a request, given all of it.
type Choice = Arc<Mutex<dyn FnMut(&str) -> Option<Fault> + Send>>;

/// Stands in front of `upstream` until the runtime stops.
pub(crate) async fn proxy(
    upstream: SocketAddr,
    choice: impl FnMut(&str) -> Option<Fault> + Send + 'static,
) -> SocketAddr {
    let choice: Choice = Arc::new(Mutex::new(choice));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let choice = choice.clone();
            // A client that hangs up in the middle is no concern of the proxy's.
            tokio::spawn(async move { relay(client, upstream, choice).await.ok() });
        }
    });
    address
}

async fn relay(mut client: TcpStream, upstream: SocketAddr, choice: Choice) -> std::io::Result<()> {
    let request = message(&mut client).await?;
    let fault = (*choice.lock().unwrap())(&String::from_utf8_lossy(&request));
    match fault {
        None => {
            let answer = forward(&request, upstream).await?;
            client.write_all(&answer).await
        }
        Some(Fault::RequestLost) => Ok(()),
        Some(Fault::AnswerLost) => forward(&request, upstream).await.map(drop),
        Some(Fault::TooLate) => {
            // The client's end of patience is the end of its side of the connection.
            while client.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
            forward(&request, upstream).await.map(drop)
        }
        Some(Fault::Busy429) => say(&mut client, "429 Too Many Requests", "{}").await,
        Some(Fault::Busy420) => say(&mut client, "420 Enhance Your Calm", "{}").await,
        Some(Fault::BadGatewayBefore) => say(&mut client, "502 Bad Gateway", "oops").await,
        Some(Fault::BadGatewayAfter) => {
            forward(&request, upstream).await?;
            say(&mut client, "502 Bad Gateway", "oops").await
        }
        Some(Fault::Garbage) => {
            forward(&request, upstream).await?;
            say(&mut client, "200 OK", "<html>welcome</html>").await
        }
        Some(Fault::Truncated) => {
            let answer = forward(&request, upstream).await?;
            client.write_all(&answer[..answer.len() - 5]).await
        }
        Some(Fault::ServerError) => say(&mut client, "500 Internal Server Error", "{}").await,
        Some(Fault::Reset) => {
            forward(&request, upstream).await?;
            client.set_zero_linger()
        }
        Some(Fault::Slow) => {
            tokio::time::sleep(SLOW).await;
            let answer = forward(&request, upstream).await?;
            tokio::time::sleep(SLOW).await;
            client.write_all(&answer).await
        }
        Some(Fault::Twice) => {
            forward(&request, upstream).await?;
            let answer = forward(&request, upstream).await?;
            client.write_all(&answer).await
        }
    }
}

async fn say(client: &mut TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\nretry-after: 1\r\ncontent-length: {length}\r\n\r\n{body}");
    client.write_all(answer.as_bytes()).await
}

async fn forward(request: &[u8], upstream: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(request).await?;
    message(&mut server).await
}

/// One HTTP/1.1 message with a `Content-Length`, or without a body.
async fn message(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= head + 4 + length {
                return Ok(bytes);
            }
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}
