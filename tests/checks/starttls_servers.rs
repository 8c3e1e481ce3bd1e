//! Small servers that follow the dialogues of their standards strictly: a client that says
//! something else than the standard has is hung up on.

use farol::config::Starttls;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::servers::{Server, serve};

/// How a server takes it to be asked for TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It changes over.
    Willing,
    /// It says no.
    Unwilling,
    /// It does not offer it in the first place; where nothing is offered, it says no.
    Silent,
    /// It says yes, and goes on in plain.
    Plain,
    /// It says yes, and slips something in behind.
    Injecting,
}

impl Manner {
    fn agrees(self) -> bool {
        matches!(self, Self::Willing | Self::Plain | Self::Injecting)
    }

    /// What is sent right behind the go-ahead.
    fn behind(self) -> &'static [u8] {
        if self == Self::Injecting { b"250 I am not encrypted\r\n" } else { b"" }
    }
}

/// What is said over TLS in the end.
pub(crate) const HELLO: &str = "safe and sound\r\n";

type Stream = BufReader<TcpStream>;

pub(crate) async fn serve_starttls(
    protocol: Starttls,
    manner: Manner,
    acceptor: TlsAcceptor,
) -> Server {
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = BufReader::new(stream);
            let asked = match protocol {
                Starttls::Smtp => smtp(&mut stream, manner).await,
                Starttls::Imap => imap(&mut stream, manner).await,
                Starttls::Pop3 => pop3(&mut stream, manner).await,
                Starttls::Ldap => ldap(&mut stream, manner).await,
                Starttls::Xmpp => xmpp(&mut stream, manner).await,
                Starttls::Postgres => postgres(&mut stream, manner).await,
            };
            if asked.is_none() {
                return;
            }
            if manner == Manner::Plain {
                let _ = stream.write_all(b"250 let us stay as we are\r\n").await;
                return std::future::pending().await;
            }
            // Whoever speaks before TLS is not taken for somebody who shakes hands.
            assert!(stream.buffer().is_empty());
            let Ok(mut stream) = acceptor.accept(stream.into_inner()).await else { return };
            let _ = stream.write_all(HELLO.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

async fn say(stream: &mut Stream, words: &[u8]) -> Option<()> {
    stream.write_all(words).await.ok()
}

/// Says yes, and whatever comes behind; or no, and then nothing more is to be done.
async fn answer(stream: &mut Stream, manner: Manner, yes: &[u8], no: &[u8]) -> Option<()> {
    if manner.agrees() {
        say(stream, &[yes, manner.behind()].concat()).await
    } else {
        say(stream, no).await;
        // It says no, and waits for other wishes.
        std::future::pending().await
    }
}

/// One line, which must end as the standards have it.
async fn line(stream: &mut Stream) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    line.strip_suffix("\r\n").map(str::to_owned)
}

/// As many bytes as are expected, which must be these.
async fn exactly(stream: &mut Stream, expected: &[u8]) -> Option<()> {
    let mut heard = vec![0; expected.len()];
    stream.read_exact(&mut heard).await.ok()?;
    (heard == expected).then_some(())
}

/// RFC 5321 and RFC 3207.
async fn smtp(stream: &mut Stream, manner: Manner) -> Option<()> {
    say(stream, b"220-mail.test ESMTP\r\n220 at your service\r\n").await?;
    let hello = line(stream).await?;
    let name = hello.strip_prefix("EHLO ")?;
    assert!(!name.is_empty() && !name.contains(' '), "{hello}");
    say(stream, b"250-mail.test greets you\r\n250-SIZE 1000\r\n").await?;
    if manner != Manner::Silent {
        say(stream, b"250-STARTTLS\r\n").await?;
    }
    say(stream, b"250 HELP\r\n").await?;
    (line(stream).await? == "STARTTLS").then_some(())?;
    answer(stream, manner, b"220 2.0.0 go ahead\r\n", b"454 4.7.0 not available\r\n").await
}

/// RFC 9051.
async fn imap(stream: &mut Stream, manner: Manner) -> Option<()> {
    if manner == Manner::Silent {
        say(stream, b"* PREAUTH logged in as nobody\r\n").await?;
        return std::future::pending().await;
    }
    say(stream, b"* OK [CAPABILITY IMAP4rev2 STARTTLS] ready\r\n").await?;
    let asked = line(stream).await?;
    let (tag, command) = asked.split_once(' ')?;
    assert!(tag.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{tag}");
    (command == "STARTTLS").then_some(())?;
    let yes = format!("* CAPABILITY IMAP4rev2\r\n{tag} OK begin now\r\n");
    let no = format!("{tag} NO not here\r\n");
    answer(stream, manner, yes.as_bytes(), no.as_bytes()).await
}

/// RFC 1939 and RFC 2595.
async fn pop3(stream: &mut Stream, manner: Manner) -> Option<()> {
    say(stream, b"+OK POP3 ready <1896.697@mail.test>\r\n").await?;
    (line(stream).await? == "STLS").then_some(())?;
    answer(stream, manner, b"+OK begin\r\n", b"-ERR unknown command\r\n").await
}

/// RFC 4511, 4.14. The answer's lengths are of the long form, as some servers like them.
async fn ldap(stream: &mut Stream, manner: Manner) -> Option<()> {
    exactly(stream, &[0x30, 29, 0x02, 1, 1, 0x77, 24, 0x80, 22]).await?;
    exactly(stream, b"1.3.6.1.4.1.1466.20037").await?;
    let message = |code: u8, words: &[u8]| {
        let length = u8::try_from(words.len()).unwrap();
        let result = [&[0x0a, 1, code, 0x04, 0, 0x04, length][..], words].concat();
        let size = u8::try_from(result.len()).unwrap();
        let inner = [&[0x02, 1, 1, 0x78, 0x81, size][..], &result].concat();
        let size = u8::try_from(inner.len()).unwrap();
        [&[0x30, 0x84, 0, 0, 0, size][..], &inner].concat()
    };
    answer(stream, manner, &message(0, b""), &message(2, b"no TLS for you")).await
}

/// RFC 6120, 5.4.
async fn xmpp(stream: &mut Stream, manner: Manner) -> Option<()> {
    let mut opening = Vec::new();
    while !opening.ends_with(b"jabber.org/streams'>") {
        opening.push(stream.read_u8().await.ok()?);
    }
    let opening = String::from_utf8(opening).unwrap();
    assert!(opening.contains(" to='127.0.0.1'") && opening.contains("version='1.0'"), "{opening}");
    say(
        stream,
        b"<?xml version='1.0'?><stream:stream from='127.0.0.1' id='t7AMCin9zjMNwQKDnplntZPIDEI=' \
          version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    )
    .await?;
    let features: &[u8] = if manner == Manner::Silent {
        b"<stream:features><bind xmlns='urn:x'/></stream:features>"
    } else {
        b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/>\
          </starttls></stream:features>"
    };
    say(stream, features).await?;
    exactly(stream, b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
    let yes = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    let no = b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>";
    answer(stream, manner, yes, no).await
}

/// PostgreSQL's protocol, 54.2.10.
async fn postgres(stream: &mut Stream, manner: Manner) -> Option<()> {
    exactly(stream, &[0, 0, 0, 8]).await?;
    (stream.read_u32().await.ok()? == 80_877_103).then_some(())?;
    answer(stream, manner, b"S", b"N").await
}
