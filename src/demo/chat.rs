//! The platform's chat: a line protocol over TCP that greets and answers `PING` with `PONG`.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// How much one client may say in all; so no line is longer either.
const MAX_BYTES: u64 = 16 * 1024;

/// Talks to one client until it leaves, has said enough, or its connection fails.
pub(super) async fn serve(stream: TcpStream) {
    // A client that vanishes is nobody's trouble.
    let _ = talk(stream).await;
}

async fn talk(mut stream: TcpStream) -> std::io::Result<()> {
    let (from, mut to) = stream.split();
    let mut lines = BufReader::new(from.take(MAX_BYTES));
    to.write_all(b"BLIP chat ready\r\n").await?;
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).await? > 0 {
        match line.trim_ascii() {
            b"PING" => to.write_all(b"PONG\r\n").await?,
            b"QUIT" => {
                to.write_all(b"BYE\r\n").await?;
                break;
            }
            b"" => {}
            _ => to.write_all(b"ERROR unknown command\r\n").await?,
        }
        line.clear();
    }
    to.shutdown().await
}
